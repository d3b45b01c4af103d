// A page made from a template: `template/base.html`, with the name from the path and the time.

import * as jinja2 from 'aiohttp-ts/jinja2';
import * as web from 'aiohttp-ts/web';
import { fromCommandLine } from '../command-line.ts';

const router = new web.RouteTableDef();

router.get('/{username}', async (request) => {
  const context = {
    username: request.matchInfo.username,
    current_date: ctime(new Date()),
  };
  return jinja2.renderTemplate('base.html', request, context);
});

/** A local time as C and Python write it: `Sun Nov  1 09:30:00 2026`. */
function ctime(date: Date): string {
  const [weekday, month, , , time] = date.toString().split(' ');
  return `${weekday} ${month} ${String(date.getDate()).padStart(2)} ${time} ${date.getFullYear()}`;
}

async function initApp(): Promise<web.Application> {
  const app = new web.Application();
  app.addRoutes(router);
  jinja2.setup(app, { loader: new jinja2.FileSystemLoader(new URL('template/', import.meta.url)) });
  return app;
}

await web.runApp(initApp(), fromCommandLine());

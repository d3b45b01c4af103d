// A minimal application: a handler, bound to a route.

import * as web from 'aiohttp-ts/web';
import { fromCommandLine } from '../command-line.ts';

async function handler(_request: web.Request): Promise<web.Response> {
  return new web.Response({ text: 'Hello world' });
}

async function initApp(): Promise<web.Application> {
  const app = new web.Application();
  app.addRoutes([web.get('/', handler)]);
  return app;
}

await web.runApp(initApp(), fromCommandLine());

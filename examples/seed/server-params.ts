// Parameters of the path and of the query.

import * as web from 'aiohttp-ts/web';
import { fromCommandLine } from '../command-line.ts';

const router = new web.RouteTableDef();

router.get('/', async (_request) => {
  return new web.Response({ text: 'Hello world' });
});

router.get('/{username}', async function greetUser(request) {
  // http://0.0.0.0:8080/<student>?page=<pagenum>
  const user = request.matchInfo.username;
  const pageNum = request.query.get('page') ?? '';
  return new web.Response({ text: `Hello, ${user} ${pageNum}` });
});

async function initApp(): Promise<web.Application> {
  const app = new web.Application();
  app.addRoutes(router);
  return app;
}

await web.runApp(initApp(), fromCommandLine());

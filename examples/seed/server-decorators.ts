// Routes by decorators. Standard decorators exist for methods, so the handler is one.

import * as web from 'aiohttp-ts/web';
import { fromCommandLine } from '../command-line.ts';

const router = new web.RouteTableDef();

class Greeter {
  @router.get('/')
  async handler(_request: web.Request): Promise<web.Response> {
    return new web.Response({ text: 'Hello world' });
  }
}
router.bind(new Greeter());

async function initApp(): Promise<web.Application> {
  const app = new web.Application();
  app.addRoutes(router);
  return app;
}

await web.runApp(initApp(), fromCommandLine());

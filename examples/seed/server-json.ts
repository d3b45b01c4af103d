// JSON in, JSON out.

import * as web from 'aiohttp-ts/web';
import { fromCommandLine } from '../command-line.ts';

const router = new web.RouteTableDef();

router.get('/', async (_request) => {
  return new web.Response({ text: 'Hello world' });
});

router.post('/json', async function json(request) {
  const args = await request.json<{ key?: unknown } | null>();
  // Python's args['key'] raises here; a missing property is silent, so we say what is wrong.
  if (args?.key === undefined)
    throw new web.HTTPBadRequest({ text: "The JSON must be an object with a 'key'" });
  const data = { value: args.key };
  return web.jsonResponse(data);
});

async function initApp(): Promise<web.Application> {
  const app = new web.Application();
  app.addRoutes(router);
  return app;
}

await web.runApp(initApp(), fromCommandLine());

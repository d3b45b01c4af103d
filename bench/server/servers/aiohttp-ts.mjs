// aiohttp-ts, from the built package, as a user has it.

import * as web from 'aiohttp-ts/web';
import { keepAliveTimeout, ready, task, text } from './control.mjs';

const { program, tls, variant } = task();
// What a program pays that never makes a task (nothing), and one whose handlers are all tasks.
if (variant === 'asyncio') await import('aiohttp-ts/asyncio');

/** @type {Record<string, () => web.Application>} */
const programs = {
  text() {
    const app = new web.Application();
    app.addRoutes([web.get('/', () => new web.Response({ text }))]);
    return app;
  },

  json() {
    const startedAt = new web.RequestKey('startedAt');
    const app = new web.Application({
      middlewares: [
        (request, handler) => {
          request.set(startedAt, performance.now());
          return handler(request);
        },
        (request, handler) => {
          if (request.headers.has('x-blocked')) throw new web.HTTPForbidden();
          return handler(request);
        },
        async (request, handler) => {
          const response = await handler(request);
          response.headers.set('X-Served-By', request.get(startedAt) > 0 ? 'bench' : '');
          return response;
        },
      ],
    });
    app.addRoutes([
      web.get('/api/{user}/posts/{id}', ({ matchInfo }) =>
        web.jsonResponse({ user: matchInfo.user, id: Number(matchInfo.id), tags: ['a', 'b'] }),
      ),
    ]);
    return app;
  },

  post() {
    const app = new web.Application();
    app.addRoutes([
      web.post('/json', async (request) => {
        const args = await request.json();
        return web.jsonResponse({ value: args.key });
      }),
    ]);
    return app;
  },

  browser() {
    const app = new web.Application();
    app.addRoutes([
      web.get(
        '/browser',
        (request) =>
          new web.Response({
            text: request.headers.get('accept-language') ?? '',
            headers: { 'Cache-Control': 'no-store' },
          }),
      ),
    ]);
    return app;
  },
};

const runner = new web.AppRunner(programs[program]?.(), {
  keepAliveTimeout,
  handlerCancellation: variant === 'tasks',
});
await runner.setup();
const site = new web.TCPSite(runner, '127.0.0.1', 0, { sslContext: tls });
await site.start();
ready(site.port);

// A room to chat in, and its page: npm run --silent example -- chat/server --port 8080

import { fileURLToPath } from 'node:url';
import { csrfMiddleware } from 'aiohttp-ts/security';
import * as web from 'aiohttp-ts/web';
import { fromCommandLine } from '../command-line.ts';
import { Room } from './room.ts';

const ROOM = new web.AppKey<Room>('room');
const router = new web.RouteTableDef();

const page = {
  headers: { 'Content-Security-Policy': "default-src 'self'", 'X-Content-Type-Options': 'nosniff' },
};
for (const [path, file] of [
  ['/', 'page.html'],
  ['/page.css', 'page.css'],
  ['/page.js', 'page.js'],
] as const) {
  const asset = fileURLToPath(new URL(file, import.meta.url));
  router.get(path, () => new web.FileResponse(asset, page));
}

router.get('/room', async (request) => {
  const name = (request.query.get('name') ?? '').trim().slice(0, 40);
  if (name === '') throw new web.HTTPBadRequest({ text: 'Everybody here has a name' });
  const room = request.app.get(ROOM);
  const ws = new web.WebSocketResponse({ heartbeat: 20_000, maxMsgSize: 10_000 });
  await ws.prepare(request);
  room.join(ws, name);
  try {
    for await (const message of ws) {
      if (message.type === web.WSMsgType.TEXT) room.say(ws, message.data);
    }
  } finally {
    room.leave(ws);
  }
  return ws;
});

function initApp(): web.Application {
  // No page of another site speaks in its visitors' names.
  const app = new web.Application({ middlewares: [csrfMiddleware({ token: 'never' })] });
  const room = new Room();
  app.set(ROOM, room);
  app.onShutdown.append(() => room.close());
  app.addRoutes(router);
  return app;
}

await web.runApp(initApp(), { host: '127.0.0.1', ...fromCommandLine() });

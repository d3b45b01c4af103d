// aiohttp-ts, from the built package, as a user has it.

import * as web from 'aiohttp-ts/web';
import { task } from '../messages.mjs';
import { ready } from './control.mjs';

const { compress } = task();
const app = new web.Application();
app.addRoutes([
  web.get('/', async (request) => {
    const ws = new web.WebSocketResponse({ compress });
    await ws.prepare(request);
    for await (const message of ws) {
      if (message.type === web.WSMsgType.TEXT) await ws.sendStr(message.data);
      else if (message.type === web.WSMsgType.BINARY) await ws.sendBytes(message.data);
    }
    return ws;
  }),
]);
const runner = new web.AppRunner(app);
await runner.setup();
const site = new web.TCPSite(runner, '127.0.0.1', 0);
await site.start();
ready(site.port);

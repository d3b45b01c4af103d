import * as web from 'aiohttp-ts/web';
import { ready } from '../../server/servers/control.mjs';

const app = new web.Application({ clientMaxSize: 0 });

app.addRoutes([
  web.post('/fields', async (request) => {
    const form = await request.post();
    return new web.Response({ text: String(form.size) });
  }),

  web.post('/reader', async (request) => {
    let fields = 0;
    for await (const part of await request.multipart()) {
      if (part instanceof web.BodyPartReader && (await part.text()) !== '') fields++;
    }
    return new web.Response({ text: String(fields) });
  }),

  web.post('/stream', async (request) => {
    let size = 0;
    for await (const part of await request.multipart()) {
      if (!(part instanceof web.BodyPartReader)) continue;
      for await (const piece of part) size += piece.length;
    }
    return new web.Response({ text: String(size) });
  }),

  web.post('/disk', async (request) => {
    const form = await request.post();
    const file = form.get('file');
    return new web.Response({ text: file instanceof web.FileField ? String(file.size) : '' });
  }),
]);

const runner = new web.AppRunner(app, { handleSignals: false });
await runner.setup();
const site = new web.TCPSite(runner, '127.0.0.1', 0);
await site.start();
ready(/** @type {import('node:net').AddressInfo} */ (site.address).port);

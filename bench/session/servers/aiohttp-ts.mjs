import { createHash } from 'node:crypto';
import * as session from 'aiohttp-ts/session';
import * as web from 'aiohttp-ts/web';
import { ready } from '../../server/servers/control.mjs';
import { connectRedis } from './redis-client.mjs';
import { contents, secret, sessionTask } from './visit.mjs';

const { store, redisUrl } = sessionTask();
const app = new web.Application();
const stores = {
  memory: async () => new session.MemoryStorage(),
  redis: async () => new session.RedisStorage(await connectRedis(redisUrl)),
  cookie: async () => new session.EncryptedCookieStorage(createHash('sha256').update(secret).digest()),
};
session.setup(app, await stores[store]());
app.router.addGet('/begin', async (request) => {
  const data = await session.getSession(request);
  for (const [key, value] of Object.entries(contents)) data.set(key, value);
  return new web.Response({ text: 'ok' });
});
app.router.addGet('/read', async (request) => {
  const data = await session.getSession(request);
  return new web.Response({ text: String(data.get('user')) });
});
app.router.addGet('/write', async (request) => {
  const data = await session.getSession(request);
  data.set('count', Number(data.get('count') ?? 0) + 1);
  return new web.Response({ text: String(data.get('user')) });
});

const runner = new web.AppRunner(app);
await runner.setup();
const site = new web.TCPSite(runner, '127.0.0.1', 0);
await site.start();
ready(/** @type {import('node:net').AddressInfo} */ (site.address).port);

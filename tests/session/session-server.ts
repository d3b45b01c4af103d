// A process of its own for tests: node --import tsx session-server.ts REDIS_URL. Prints its URL; ends with its standard input.

import { once } from 'node:events';
import { sleep } from '../../src/asyncio/index.ts';
import * as session from '../../src/session/index.ts';
import { TestServer } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';
import { connectClient } from '../redis/redis-server.ts';

const client = await connectClient(process.argv[2]!);
const app = new web.Application();
session.setup(app, new session.RedisStorage(client, { deadline: 8_000 }));
app.router.addGet('/put/{key}', async (request: web.Request<{ key: string }>) => {
  const data = await session.getSession<Record<string, number>>(request);
  await sleep(2);
  data.set(request.matchInfo.key, 1);
  data.update('count', (count = 0) => count + 1);
  return new web.Response({ text: 'ok' });
});
app.router.addGet('/show', async (request) => web.jsonResponse((await session.getSession(request)).toJSON()));
const server = await new TestServer(app).start();
console.log(server.makeUrl('').replace(/\/$/, ''));
process.stdin.resume();
await once(process.stdin, 'end');
await server.close();
client.destroy();

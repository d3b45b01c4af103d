import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sleep } from '../../src/asyncio/index.ts';
import * as session from '../../src/session/index.ts';
import * as web from '../../src/web/index.ts';
import { connectClient, RedisServer, redisMissing, type TestRedisClient } from '../redis/redis-server.ts';
import { Visitor } from './visitor.ts';

const WRITERS = 10;
const SESSIONS = 1000;
/** How many sessions are written to at the same time. */
const AT_ONCE = 50;

/** Two applications that share nothing but the store, as two processes do. */
function site(client: TestRedisClient): web.Application {
  const app = new web.Application();
  session.setup(app, new session.RedisStorage(client, { deadline: 10_000 }));
  app.router.addGet('/write/{key}', async (request: web.Request<{ key: string }>) => {
    const data = await session.getSession<Record<string, number>>(request);
    // All have read before the first one writes.
    await sleep(1);
    data.set(request.matchInfo.key, 1);
    data.update('count', (count = 0) => count + 1);
    return new web.Response({ text: 'ok' });
  });
  app.router.addGet('/show', async (request) =>
    web.jsonResponse((await session.getSession(request)).toJSON()),
  );
  return app;
}

describe(`${WRITERS} writers at once for each of ${SESSIONS} sessions`, { skip: redisMissing }, () => {
  let server: RedisServer;
  let clients: TestRedisClient[];
  before(async () => {
    server = await RedisServer.start();
    clients = await Promise.all([connectClient(server.url), connectClient(server.url)]);
  });
  after(async () => {
    for (const client of clients ?? []) client.destroy();
    await server?.stop();
  });

  test('none of the 10,000 writes is lost', async () => {
    const apps = clients.map(site);
    const expected = {
      first: 1,
      ...Object.fromEntries(Array.from({ length: WRITERS }, (_, n) => [`k${n}`, 1])),
    };
    const oneSession = async (): Promise<void> => {
      const visitor = new Visitor(apps[0]!);
      await visitor.get('/write/first');
      const answers = await Promise.all(
        Array.from({ length: WRITERS }, (_, n) => visitor.copy(apps[n % 2]!).get(`/write/k${n}`)),
      );
      assert.ok(answers.every(({ status }) => status === 200));
      const data = JSON.parse((await visitor.get('/show')).text);
      assert.deepEqual(data, { ...expected, count: 1 + WRITERS });
    };
    for (let done = 0; done < SESSIONS; done += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, oneSession));
    }
  });
});

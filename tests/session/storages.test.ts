import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sleep } from '../../src/asyncio/index.ts';
import * as session from '../../src/session/index.ts';
import * as web from '../../src/web/index.ts';
import { type Store, storeKinds } from './stores.ts';
import { Visitor } from './visitor.ts';

const quiet: web.Logger = { info() {}, warn() {}, error() {} };

/** The same application as another process has it. */
function site(storage: session.ServerStorage): web.Application {
  const app = new web.Application({ logger: quiet });
  session.setup(app, storage);
  app.router.addGet('/put/{key}/{value}', async (request: web.Request<{ key: string; value: string }>) => {
    const data = await session.getSession(request);
    // Others read the same version meanwhile.
    await sleep(1);
    data.set(request.matchInfo.key, request.matchInfo.value);
    return new web.Response({ text: 'ok' });
  });
  app.router.addGet('/count', async (request) => {
    const data = await session.getSession<{ count?: number }>(request);
    await sleep(1);
    data.update('count', (count = 0) => count + 1);
    return new web.Response({ text: 'ok' });
  });
  app.router.addGet('/show', async (request) =>
    web.jsonResponse((await session.getSession(request)).toJSON()),
  );
  app.router.addGet('/login', async (request) => {
    const data = await session.getSession(request);
    data.renew();
    data.set('user', 'ann');
    return new web.Response({ text: 'ok' });
  });
  app.router.addGet('/logout', async (request) => {
    (await session.getSession(request)).invalidate();
    return new web.Response({ text: 'ok' });
  });
  return app;
}

for (const { name, skip, start } of storeKinds) {
  describe(name, { skip }, () => {
    let store: Store;
    before(async () => {
      store = await start();
    });
    after(() => store?.close());

    for (const check of session.storageContract) test(check.name, () => check.run(store.storage));

    test('two processes see the same sessions, and of many writers at once none loses', async () => {
      const apps = [site(store.storage), site(store.twin)];
      const sessions = 20;
      const writers = 10;
      const visitors = await Promise.all(
        Array.from({ length: sessions }, async () => {
          const visitor = new Visitor(apps[0]!);
          await visitor.get('/put/begin/1');
          return visitor;
        }),
      );
      await Promise.all(
        visitors.flatMap((visitor) =>
          Array.from({ length: writers }, async (_, n) => {
            const copy = visitor.copy(apps[n % 2]!);
            assert.equal((await copy.get(n < 5 ? `/put/k${n}/${n}` : '/count')).status, 200);
          }),
        ),
      );
      for (const visitor of visitors) {
        const data = JSON.parse((await visitor.copy(apps[1]!).get('/show')).text);
        assert.deepEqual(data, { begin: '1', k0: '0', k1: '1', k2: '2', k3: '3', k4: '4', count: 5 });
      }
    });

    test('a login in one process moves the session in the other; a logout ends it, also for who was slower', async () => {
      const [one, other] = [site(store.storage), site(store.twin)];
      const visitor = new Visitor(one);
      await visitor.get('/put/a/1');
      const before = visitor.copy(other);
      await visitor.get('/login');
      assert.equal((await before.get('/show')).text, '{}');
      assert.equal((await visitor.copy(other).get('/show')).text, '{"a":"1","user":"ann"}');
      const slow = visitor.copy(other).get('/put/x/1');
      const copy = visitor.copy(other);
      await visitor.get('/logout');
      assert.equal((await slow).status, 200);
      assert.equal((await copy.get('/show')).text, '{}');
    });
  });
}

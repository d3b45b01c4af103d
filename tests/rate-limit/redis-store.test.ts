import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { web } from '../../src/index.ts';
import { RedisStore, rateLimitMiddleware } from '../../src/rate-limit/index.ts';
import { testRequest } from '../../src/testing/index.ts';
import { connectClient, RedisServer, redisMissing } from '../redis/redis-server.ts';

/** Answers that a busy machine brings late are no part of these tests. */
const patient = { deadline: 8_000 };

describe('RedisStore', { skip: redisMissing }, () => {
  test('counts for all who share it, and forgets by itself', async () => {
    const server = await RedisServer.start();
    const one = await connectClient(server.url);
    const two = await connectClient(server.url);
    try {
      const stores = [new RedisStore(one, patient), new RedisStore(two, patient)];
      const rate = { interval: 60_000, capacity: 600_000 };
      const decisions = await Promise.all(
        Array.from({ length: 100 }, (_, index) => stores[index % 2]!.take('k', rate)),
      );
      assert.equal(decisions.filter(({ allowed }) => allowed).length, 10);
      const refused = decisions.find(({ allowed }) => !allowed)!;
      assert.ok(refused.wait > 50_000 && refused.wait <= 60_000, String(refused.wait));
      assert.ok(refused.full > 590_000 && refused.full <= 600_000);
      const left = Number(await one.sendCommand(['PTTL', 'AIOHTTP_RATE_LIMIT_k']));
      assert.ok(left > 590_000 && left <= 600_001, String(left));
      assert.equal((await stores[0]!.take('other', rate)).allowed, true);
    } finally {
      one.destroy();
      two.destroy();
      await server.stop();
    }
  });

  test('the quota grows back by the clock of Redis', async () => {
    const server = await RedisServer.start();
    const client = await connectClient(server.url);
    try {
      const store = new RedisStore(client, { ...patient, prefix: 'p:' });
      const rate = { interval: 1500, capacity: 1500 };
      assert.equal((await store.take('k', rate)).allowed, true);
      const deadline = Date.now() + 20_000;
      let refusals = 0;
      while (!(await store.take('k', rate)).allowed) {
        refusals++;
        assert.ok(Date.now() < deadline);
      }
      assert.ok(refusals > 0);
    } finally {
      client.destroy();
      await server.stop();
    }
  });

  test('a server whose clock is behind the one before it, after a failover, kept everybody out', async () => {
    const server = await RedisServer.start();
    const client = await connectClient(server.url);
    try {
      const store = new RedisStore(client, { ...patient, prefix: 'p:' });
      const rate = { interval: 20, capacity: 20 };
      await client.sendCommand(['SET', 'p:k', String(Date.now() + 3_600_000), 'PX', '3600000']);
      const { allowed, wait } = await store.take('k', rate);
      assert.deepEqual({ allowed, wait }, { allowed: false, wait: 20 });
      while (!(await store.take('k', rate)).allowed);
    } finally {
      client.destroy();
      await server.stop();
    }
  });

  test('a Redis that has gone away: open or closed, and limited again when it is back', async () => {
    const server = await RedisServer.start();
    const client = await connectClient(server.url);
    const guard = { ...patient, retryAfter: 50 };
    const make = (failOpen: boolean): web.Application => {
      const app = new web.Application({
        logger: { ...console, error() {}, warn() {} },
        middlewares: [
          rateLimitMiddleware({
            limit: 1,
            window: 60_000,
            name: `o${failOpen}`,
            key: () => 'k',
            store: new RedisStore(client, guard),
            failOpen,
          }),
        ],
      });
      app.router.addGet('/', () => new web.Response());
      return app;
    };
    try {
      const open = make(true);
      const closed = make(false);
      assert.equal((await testRequest(open, '/')).status, 200);
      assert.equal((await testRequest(open, '/')).status, 429);
      await server.kill();
      assert.equal((await testRequest(open, '/')).status, 200);
      assert.equal((await testRequest(closed, '/')).status, 503);
      await server.restart();
      const deadline = Date.now() + 60_000;
      while ((await testRequest(open, '/')).status !== 429) {
        assert.ok(Date.now() < deadline, 'it was not limited again');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    } finally {
      client.destroy();
      await server.stop();
    }
  });
});

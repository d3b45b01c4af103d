// Statements, cursors and transactions that are cancelled at any moment: no answer may ever reach somebody else, and no connection may be lost.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createTask, isCancelled, sleep } from '../../src/asyncio/index.ts';
import { connect, type PostgresDatabase } from '../../src/postgres/index.ts';
import { PostgresServer, withoutPostgres } from './postgres-server.ts';

/** Mulberry32: the same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('random cancellations', { skip: withoutPostgres }, () => {
  let server: PostgresServer;
  let db: PostgresDatabase;
  before(async () => {
    server = await PostgresServer.start();
    db = await connect(server.url, { max: 3, fetchSize: 7, acquireTimeout: 60_000 });
    await db.executescript('CREATE TABLE pairs (n int, half int)');
  });
  after(async () => {
    await db?.close();
    await server?.stop();
  });

  const echo = async (n: number): Promise<void> => {
    assert.deepEqual(await db.fetchone('SELECT $1::int AS n, pg_sleep($2)', [n, (n % 5) / 2_000]), {
      n,
      pg_sleep: '',
    });
  };
  const series = async (n: number): Promise<void> => {
    let at = n;
    for await (const row of await db.execute<{ at: number; sleep: string }>(
      'SELECT at, pg_sleep(0.0001)::text AS sleep FROM generate_series($1::int, $1::int + 40) AS at',
      [n],
    )) {
      assert.equal(row.at, at++);
      if (n % 3 === 0 && at === n + 20) break;
    }
  };
  const pair = async (n: number): Promise<void> => {
    await db.transaction(async () => {
      await db.execute('INSERT INTO pairs VALUES ($1, 1)', [n]);
      for await (const row of await db.execute<{ at: number }>(
        'SELECT at FROM generate_series($1::int, $1::int + 10) AS at',
        [n],
      )) {
        assert.ok(row.at >= n && row.at <= n + 10);
      }
      await db.transaction(() => db.execute('SELECT pg_sleep(0.001)'));
      await db.execute('INSERT INTO pairs VALUES ($1, 2)', [n]);
    });
  };

  for (const seed of [1, 2, 3]) {
    test(`with seed ${seed} every answer is the right one`, async () => {
      const next = random(seed);
      const works = [echo, series, pair];
      const results = await Promise.all(
        Array.from({ length: 240 }, async (_, index) => {
          const work = works[Math.floor(next() * works.length)]!;
          const start = next() * 200;
          const patience = next() < 0.5 ? next() * 60 : Number.POSITIVE_INFINITY;
          await delay(start);
          const task = createTask(() => work(seed * 1_000 + index));
          const timer =
            patience === Number.POSITIVE_INFINITY ? undefined : setTimeout(() => task.cancel(), patience);
          try {
            await task;
            return 'done';
          } catch (error) {
            if (isCancelled(error)) return 'cancelled';
            throw error;
          } finally {
            clearTimeout(timer);
          }
        }),
      );
      assert.ok(results.includes('done') && results.includes('cancelled'));
      for (let attempt = 0; db.pool.idle !== db.pool.size || db.pool.waiting > 0; attempt++) {
        assert.ok(attempt < 500, JSON.stringify(db.pool));
        await sleep(20);
      }
      assert.deepEqual(await db.fetchall('SELECT n FROM pairs GROUP BY n HAVING count(*) <> 2'), []);
    });
  }
});

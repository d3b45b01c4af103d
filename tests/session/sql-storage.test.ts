import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as session from '../../src/session/index.ts';
import type { Database } from '../../src/sql/index.ts';
import * as sqlite from '../../src/sqlite/index.ts';
import * as web from '../../src/web/index.ts';
import { Visitor } from './visitor.ts';

const write = (ttl: number): session.SessionWrite => ({
  value: '{"created":1,"session":{}}',
  ttl,
  user: undefined,
  end: Number.POSITIVE_INFINITY,
  relist: true,
});

async function countOf(db: Database): Promise<number> {
  const row = await db.fetchone<{ count: number }>('SELECT count(*) AS count FROM aiohttp_sessions');
  return Number(row!.count);
}

describe('SqliteStorage', () => {
  test('deletes what has expired from time to time', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 });
    await using db = await sqlite.connect(':memory:');
    const storage = new session.SqliteStorage(db, { purgeEvery: 0 });
    await storage.open();
    await db.transaction(async (tx) => {
      for (let index = 0; index < 1500; index++) {
        await tx.execute('INSERT INTO aiohttp_sessions VALUES (?, ?, ?, ?, ?)', [
          `old${index}`,
          '{}',
          '1',
          1_700_000_000_500,
          null,
        ]);
      }
    });
    await storage.create(session.newIdentity(), write(60_000));
    t.mock.timers.tick(1000);
    assert.equal(await countOf(db), 1501);
    assert.equal(await storage.purge(), 1500);
    assert.equal(await countOf(db), 1);
    await storage.close();
  });

  test('purges by itself, and not after close()', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    await using db = await sqlite.connect(':memory:');
    const storage = new session.SqliteStorage(db, { purgeEvery: 1000 });
    await storage.open();
    await storage.create(session.newIdentity(), write(1));
    await new Promise((resolve) => setTimeout(resolve, 5));
    t.mock.timers.tick(1000);
    await storage.close();
    assert.equal(await countOf(db), 0);
    await storage.create(session.newIdentity(), write(1));
    t.mock.timers.tick(5000);
    assert.equal(await countOf(db), 1);
  });

  test('its indexes are used', async () => {
    await using db = await sqlite.connect(':memory:');
    const storage = new session.SqliteStorage(db);
    await storage.open();
    const plan = async (statement: string): Promise<string> =>
      (await db.fetchall<{ detail: string }>(`EXPLAIN QUERY PLAN ${statement}`))
        .map(({ detail }) => detail)
        .join('; ');
    assert.match(
      await plan("SELECT value FROM aiohttp_sessions WHERE id = 'x' AND expires > 1"),
      /SEARCH.*id=/,
    );
    assert.match(await plan("SELECT id FROM aiohttp_sessions WHERE user_id = 'x'"), /aiohttp_sessions_user/);
    assert.match(
      await plan('SELECT id FROM aiohttp_sessions WHERE expires <= 1'),
      /aiohttp_sessions_expires/,
    );
    await storage.close();
  });

  test('is no part of the request’s transaction: what it rolls back, the session keeps', async () => {
    await using db = await sqlite.connect(':memory:');
    const app = new web.Application({ logger: { info() {}, warn() {}, error() {} } });
    app.middlewares.append((request, handler) =>
      db.transaction(async (tx) => {
        await tx.execute('CREATE TABLE IF NOT EXISTS tries (at INTEGER)');
        return handler(request);
      }),
    );
    const storage = new session.SqliteStorage(() => db);
    session.setup(app, storage);
    app.router.addGet('/', async (request) => {
      const data = await session.getSession<{ failures?: number }>(request);
      data.update('failures', (failures = 0) => failures + 1);
      throw new Error('rolled back');
    });
    app.router.addGet('/show', async (request) =>
      web.jsonResponse((await session.getSession(request)).toJSON()),
    );
    app.router.addGet('/stream', async (request) => {
      const data = await session.getSession<{ streamed?: boolean }>(request);
      await db.execute('INSERT INTO tries VALUES (1)');
      data.set('streamed', true);
      const response = new web.StreamResponse();
      await response.prepare(request);
      await response.write(Buffer.from('in the middle of a transaction'));
      return response;
    });
    const visitor = new Visitor(app);
    assert.equal((await visitor.get('/')).status, 500);
    assert.equal((await visitor.get('/')).status, 500);
    assert.equal((await visitor.get('/show')).text, '{"failures":2}');
    assert.equal((await visitor.get('/stream')).status, 200);
    assert.equal((await visitor.get('/show')).text, '{"failures":2,"streamed":true}');
    await storage.close();
  });

  test('a database that is closed costs 503', async () => {
    const db = await sqlite.connect(':memory:');
    const app = new web.Application({ logger: { info() {}, warn() {}, error() {} } });
    const storage = new session.SqliteStorage(db);
    session.setup(app, storage);
    app.router.addGet('/', async (request) => {
      (await session.getSession(request)).set('a', 1);
      return new web.Response({ text: 'ok' });
    });
    const visitor = new Visitor(app);
    assert.equal((await visitor.get('/')).status, 200);
    await db.close();
    const { status, text } = await visitor.get('/');
    assert.deepEqual([status, text.includes('closed')], [503, false]);
    await storage.close();
  });

  test('refuses wrong options', async () => {
    await using db = await sqlite.connect(':memory:');
    for (const options of [{ table: '' }, { table: 'a"b' }, { purgeEvery: -1 }]) {
      assert.throws(() => new session.SqliteStorage(db, options), { code: 'AIO_SESSION_SETTING' });
    }
    await assert.rejects(new session.PostgresStorage(db).open(), { code: 'AIO_SESSION_SETTING' });
  });
});

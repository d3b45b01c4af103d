import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { loadDriver } from '../../src/sqlite/driver.ts';
import { type Connection, connect } from '../../src/sqlite/index.ts';
import { ThreadLink } from '../../src/sqlite/thread-link.ts';
import { openFile } from './databases.ts';

interface Inside {
  readonly core: {
    readonly writerLink: { readonly worker: Worker };
    readonly readers: { readonly links: readonly { readonly worker: Worker }[] };
  };
}

const inside = (db: Connection): Inside['core'] => (db as unknown as Inside).core;
const LOST = { name: 'InterfaceError', code: 'AIO_SQL_CONNECTION_LOST' };

test('a thread of the writer that dies takes its transaction with it, and is replaced by one', async (t) => {
  const db = await openFile(t, { mode: 'worker' });
  await db.execute('CREATE TABLE n (i)');
  await assert.rejects(
    db.transaction(async (tx) => {
      await tx.execute('INSERT INTO n VALUES (-1)');
      await inside(db).writerLink.worker.terminate();
      await tx.execute('INSERT INTO n VALUES (-2)');
    }),
    LOST,
  );
  const opened = t.mock.method(ThreadLink, 'open');
  await Promise.all(Array.from({ length: 20 }, (_, i) => db.execute('INSERT INTO n VALUES (?)', [i])));
  assert.equal(opened.mock.callCount(), 1);
  assert.deepEqual(await db.fetchone('SELECT count(*) AS n, min(i) AS i FROM n'), { n: 20, i: 0 });
});

// The other driver may end the whole process, when its thread is ended while it runs.
const skip = loadDriver().name !== 'node:sqlite';

test('a read that kills its thread is not tried on one thread after the other', { skip }, async (t) => {
  const db = await openFile(t, { mode: 'worker' });
  await db.fetchone('SELECT 1');
  const opened = t.mock.method(ThreadLink, 'open');
  const read = db.fetchone(
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000000) SELECT count(*) FROM n',
  );
  const rejected = assert.rejects(read, LOST);
  for (const { worker } of inside(db).readers.links) await worker.terminate();
  await rejected;
  assert.equal(opened.mock.callCount(), 0);
  assert.deepEqual(await db.fetchone('SELECT 1 AS one'), { one: 1 });
});

test('a thread that takes longer to start than busyTimeout is waited for: nobody holds it', async (t) => {
  const open = ThreadLink.open.bind(ThreadLink);
  const db = await openFile(t, { mode: 'worker', busyTimeout: 5 });
  t.mock.method(ThreadLink, 'open', async (...args: Parameters<typeof open>) => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return await open(...args);
  });
  assert.deepEqual(await db.fetchone('SELECT 1 AS one'), { one: 1 });
});

test('a database in memory whose thread dies is lost, and not silently empty', async () => {
  const db = await connect(':memory:', { mode: 'worker' });
  await db.execute('CREATE TABLE IF NOT EXISTS n (i)');
  await inside(db).writerLink.worker.terminate();
  await assert.rejects(db.execute('CREATE TABLE IF NOT EXISTS n (i)'), LOST);
  await db.close();
});

test('an answer that comes while the thread ends lets the process wait for that end', async (t) => {
  const db = await connect(':memory:', { mode: 'worker' });
  const { worker } = inside(db).writerLink;
  const terminate = worker.terminate.bind(worker);
  const unref = t.mock.method(worker, 'unref');
  t.mock.method(worker, 'terminate', () => {
    worker.emit('message', [{ id: -1, value: undefined }]);
    return terminate();
  });
  const before = unref.mock.callCount();
  await db.close();
  assert.equal(unref.mock.callCount(), before);
});

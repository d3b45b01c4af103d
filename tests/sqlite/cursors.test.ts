import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Worker } from 'node:worker_threads';
import { createTask, isCancelled } from '../../src/asyncio/index.ts';
import { type Connection, connect } from '../../src/sqlite/index.ts';
import { folder, onEvery } from './databases.ts';

async function numbers(db: Connection, count: number): Promise<void> {
  await db.execute('CREATE TABLE n (i INTEGER)');
  await db.executemany(
    'INSERT INTO n VALUES (?)',
    Array.from({ length: count }, (_, i) => [i]),
  );
}

onEvery('cursors', (add) => {
  add('several who read from one cursor lost the rows that came at the same time', async (t, open) => {
    const db = await open(t);
    await numbers(db, 300);
    const inTransaction = (work: () => Promise<void>): Promise<void> => db.transaction(work);
    for (const around of [(work: () => Promise<void>) => work(), inTransaction]) {
      await around(async () => {
        const cursor = await db.execute<{ i: number }>('SELECT i FROM n ORDER BY i');
        const seen: number[] = [];
        const reader = async (): Promise<void> => {
          for (let row = await cursor.fetchone(); row !== undefined; row = await cursor.fetchone()) {
            seen.push(row.i);
          }
        };
        await Promise.all([reader(), reader(), reader()]);
        assert.deepEqual(
          seen,
          Array.from({ length: 300 }, (_, i) => i),
        );
      });
    }
  });

  add('cursors that were forgotten kept their connections for ever', async (t, open) => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const db = await open(t, { readers: 2, busyTimeout: 60_000 });
    await numbers(db, 300);
    const forget = async (): Promise<void> => {
      await (await db.execute('SELECT i FROM n')).fetchone();
    };
    await forget();
    const collecting = setInterval(collect, 20);
    try {
      for (let times = 0; times < 3; times++) await forget();
    } finally {
      clearInterval(collecting);
    }
  });
});

test('an execute that was cancelled left its cursor open in the thread: later reads saw the past', async (t) => {
  const db = await connect(path.join(await folder(t), 'a.db'), { mode: 'worker', readers: 1 });
  t.after(() => db.close());
  await numbers(db, 1_000);
  await db.fetchone('SELECT 1');
  const task = createTask(() => db.execute('SELECT i FROM n'));
  const ended = assert.rejects(Promise.resolve(task), isCancelled);
  // The statement is on its way to the thread, whose answer comes by the event loop at the earliest.
  await Promise.resolve();
  task.cancel();
  await ended;
  assert.deepEqual(await db.fetchone('SELECT count(*) AS n FROM n'), { n: 1_000 });
  await db.execute('DELETE FROM n');
  assert.deepEqual(await db.fetchone('SELECT count(*) AS n FROM n'), { n: 0 });
});

test('the thread of a reader that was just being opened outlived close(), and kept its files open', async (t) => {
  const threads: Worker[] = [];
  const remember = (worker: Worker): void => void threads.push(worker);
  process.on('worker', remember);
  t.after(() => process.off('worker', remember));
  const db = await connect(path.join(await folder(t), 'a.db'), { mode: 'worker' });
  const reads = [db.fetchone('SELECT 1'), db.fetchone('SELECT 2')];
  const refused = reads.map((read) => assert.rejects(read, { code: 'AIO_SQL_CLOSED' }));
  await db.close();
  await Promise.all(refused);
  assert.ok(threads.length > 1);
  // -1: it has ended.
  assert.deepEqual(
    threads.map(({ threadId }) => threadId),
    threads.map(() => -1),
  );
});

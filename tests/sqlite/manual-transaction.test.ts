import assert from 'node:assert/strict';
import { createTask, sleep } from '../../src/asyncio/index.ts';
import { onEvery } from './databases.ts';

const TABLES = `
  CREATE TABLE parents (id INTEGER PRIMARY KEY);
  CREATE TABLE children (parent REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);
`;

const numbers = (count: number): string =>
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) SELECT i FROM n`;

onEvery('a transaction by BEGIN', (test) => {
  for (const place of ['at the top level', 'in a task']) {
    test(`is ended by ROLLBACK after its COMMIT has failed, ${place}`, async (t, open) => {
      const db = await open(t);
      await db.executescript(TABLES);
      const work = async (): Promise<void> => {
        await db.execute('BEGIN');
        await db.execute('INSERT INTO children VALUES (1)');
        await assert.rejects(db.execute('COMMIT'), { constraint: 'foreign key' });
        await db.execute('INSERT INTO parents VALUES (7)');
        await assert.rejects(db.execute('COMMIT'), { code: 'AIO_SQL_TRANSACTION_ENDED' });
        await assert.rejects(db.execute('ROLLBACK'), { message: /no transaction is active/ });
        await db.execute('BEGIN');
        await db.execute('INSERT INTO children VALUES (1)');
        await assert.rejects(db.commit(), { constraint: 'foreign key' });
        await db.execute('ROLLBACK');
        await db.execute('INSERT INTO parents VALUES (8)');
        await db.execute('BEGIN');
        await db.execute('INSERT INTO parents VALUES (9)');
        await db.commit();
      };
      await (place === 'in a task' ? createTask(work) : work());
      assert.deepEqual(await db.fetchall('SELECT id FROM parents'), [{ id: 7 }, { id: 8 }, { id: 9 }]);
      assert.equal(await db.fetchone('SELECT * FROM children'), undefined);
    });
  }

  test('does not lie idle while its cursor is read', async (t, open) => {
    const limit = 200;
    const db = await open(t, { idleTransactionTimeout: limit });
    await db.execute('CREATE TABLE n (i)');
    await db.execute(`INSERT INTO n ${numbers(20_000)}`);
    const start = performance.now();
    let last = start;
    let widest = 0;
    await db.execute('BEGIN');
    const cursor = await db.execute('SELECT i FROM n');
    try {
      while (performance.now() - start < 2 * limit) {
        await cursor.fetchmany(64);
        await sleep(5);
        const now = performance.now();
        widest = Math.max(widest, now - last);
        last = now;
      }
      await db.execute('COMMIT');
    } catch (error) {
      // A machine that stood still for so long has proved nothing.
      if (widest < limit / 2 && performance.now() - last < limit / 2) throw error;
      await db.rollback();
    }
  });

  test('is told what is wrong with a statement, before what is wrong with its values', async (t, open) => {
    const db = await open(t);
    await db.execute('CREATE TABLE n (a, b)');
    for (const place of [db, undefined]) {
      await db.transaction(async (tx) => {
        const here = place ?? tx;
        await assert.rejects(here.execute('INSERT INTO n (a, b) VALUES (?, ?, ?, ?)', [1, 2]), {
          name: 'OperationalError',
          message: '4 values for 2 columns',
          statement: 'INSERT INTO n (a, b) VALUES (?, ?, ?, ?)',
        });
        await assert.rejects(here.execute('UPDATE nowhere SET a = :a', { b: 1 }), {
          message: 'no such table: nowhere',
        });
        await assert.rejects(here.execute('INSERT INTO n VALUES (:a, :b)', [1]), {
          code: 'AIO_SQL_PARAMETERS',
        });
      });
    }
    assert.deepEqual(await db.fetchall('SELECT * FROM n'), []);
  });

  test('makes a temporary table that is found outside of it', async (t, open) => {
    const db = await open(t);
    await db.fetchone('SELECT 1');
    await db.transaction(async (tx) => {
      await tx.execute('CREATE TEMP TABLE n (i)');
      await tx.execute('INSERT INTO n VALUES (1)');
    });
    assert.deepEqual(await db.fetchall('SELECT i FROM n'), [{ i: 1 }]);
  });

  test('can ask for totalChanges without waiting for itself', async (t, open) => {
    const db = await open(t);
    await db.execute('CREATE TABLE n (i)');
    await db.transaction(async (tx) => {
      await tx.execute('INSERT INTO n VALUES (1)');
      assert.equal(await db.totalChanges(), 1);
    });
    const scope = db.transactionScope();
    assert.equal(await scope.run(() => db.totalChanges()), 1);
    assert.equal(scope.begun, false);
    await scope.commit();
  });
});

onEvery(
  'a transaction by BEGIN in a thread',
  (test) => {
    test('does not lie idle while its statement runs', async (t, open) => {
      const db = await open(t, { idleTransactionTimeout: 20 });
      await db.execute('CREATE TABLE n (i)');
      const warned = t.mock.method(process, 'emitWarning', () => {});
      await db.execute('BEGIN');
      await db.execute(`INSERT INTO n SELECT count(*) FROM (${numbers(1_000_000)})`);
      await db.execute('COMMIT');
      assert.equal(warned.mock.callCount(), 0);
    });
  },
  ['worker'],
);

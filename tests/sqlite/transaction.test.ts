import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Context, createTask, Event, isCancelled, sleep } from '../../src/asyncio/index.ts';
import { type Connection, ProgrammingError } from '../../src/sqlite/index.ts';
import { abandoned, onEvery, openFile, SCHEMA } from './databases.ts';

const INSERT = 'INSERT INTO posts (title) VALUES (?)';

async function titles(db: Connection): Promise<string[]> {
  const rows = await db.fetchall<{ title: string }>('SELECT title FROM posts ORDER BY title');
  return rows.map(({ title }) => title);
}

/** As a request does it: in a context of its own. */
function request<T>(work: () => Promise<T>): Promise<T> {
  return new Context().run(work);
}

onEvery('transaction()', (test) => {
  test('commits when its function returns, and gives what it returned', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    const value = await db.transaction(async (tx) => {
      assert.equal(tx.dialect, 'sqlite');
      assert.equal(tx.open, true);
      await tx.execute(INSERT, ['one']);
      assert.equal(db.currentTransaction, tx);
      assert.equal(db.inTransaction, true);
      assert.deepEqual(await titles(db), ['one']);
      return 'value';
    });
    assert.equal(value, 'value');
    assert.equal(db.currentTransaction, undefined);
    assert.equal(db.inTransaction, false);
    assert.deepEqual(await titles(db), ['one']);
  });

  test('rolls back when its function throws', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    const error = new Error('mine');
    for (const fail of [
      () => Promise.reject(error),
      () => {
        throw error;
      },
    ]) {
      await assert.rejects(
        db.transaction(async (tx) => {
          await tx.execute(INSERT, ['one']);
          await fail();
        }),
        error,
      );
    }
    await assert.rejects(
      db.transaction(() => {
        throw error;
      }),
      error,
    );
    assert.deepEqual(await titles(db), []);
    await db.execute(INSERT, ['after']);
  });

  test('takes no statements after its end', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    const tx = await db.transaction(async (inner) => inner);
    assert.equal(tx.open, false);
    for (const late of [
      () => tx.execute(INSERT, ['late']),
      () => tx.fetchall('SELECT 1'),
      () => tx.executemany(INSERT, [['late']]),
      () => tx.executescript('SELECT 1'),
      () => tx.transaction(async () => 1),
    ]) {
      await assert.rejects(late(), { name: 'ProgrammingError', code: 'AIO_SQL_TRANSACTION_ENDED' });
    }
  });

  test('nested, is a savepoint', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    await db.transaction(async (outer) => {
      await outer.execute(INSERT, ['outer']);
      await assert.rejects(
        db.transaction(async (inner) => {
          assert.notEqual(inner, outer);
          await inner.execute(INSERT, ['lost']);
          await inner.transaction(async (third) => {
            await third.execute(INSERT, ['lost too']);
          });
          throw new Error('inner');
        }),
        /inner/,
      );
      assert.equal(db.currentTransaction, outer);
      await outer.transaction(() => db.execute(INSERT, ['kept']));
      assert.equal(await outer.executemany(INSERT, [['m1'], ['m2']]), 2);
      await assert.rejects(outer.executemany(INSERT, [['m3'], ['m1']]), { constraint: 'unique' });
    });
    assert.deepEqual(await titles(db), ['kept', 'm1', 'm2', 'outer']);
  });

  test('two savepoints at once wait for each other', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    await db.transaction(async (tx) => {
      const results = await Promise.allSettled(
        ['a', 'b', 'c', 'd'].map((title, index) =>
          tx.transaction(async (inner) => {
            await inner.execute(INSERT, [title]);
            await sleep(1);
            if (index % 2 === 1) throw new Error(title);
          }),
        ),
      );
      assert.deepEqual(
        results.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled', 'rejected'],
      );
    });
    assert.deepEqual(await titles(db), ['a', 'c']);
  });

  test('of one is not seen by another, and all take their turn', async (t, open) => {
    const db = await open(t);
    await db.execute('CREATE TABLE counter (n INTEGER)');
    await db.execute('INSERT INTO counter VALUES (0)');
    await Promise.all(
      Array.from({ length: 50 }, () =>
        db.transaction(async (tx) => {
          const { n } = (await tx.fetchone<{ n: number }>('SELECT n FROM counter'))!;
          await sleep(0);
          await tx.execute('UPDATE counter SET n = ?', [n + 1]);
        }),
      ),
    );
    assert.deepEqual(await db.fetchone('SELECT n FROM counter'), { n: 50 });
  });

  test('is rolled back when its task is cancelled', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    const inside = new Event();
    const task = createTask(() =>
      db.transaction(async (tx) => {
        await tx.execute(INSERT, ['lost']);
        inside.set();
        await sleep(60_000);
      }),
    );
    await inside.wait();
    task.cancel();
    await assert.rejects(task.then(), isCancelled);
    assert.deepEqual(await titles(db), []);
    await db.execute(INSERT, ['after']);
  });

  test('is rolled back when its signal aborts, and what its function still does is refused', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    const controller = new AbortController();
    const resumed = new Event();
    let late: Promise<unknown> | undefined;
    const ended = db.transaction(
      async (tx) => {
        await tx.execute(INSERT, ['lost']);
        controller.abort(new Error('the client left'));
        await resumed.wait();
        late = Promise.all([
          assert.rejects(tx.execute(INSERT, ['late']), { code: 'AIO_SQL_TRANSACTION_ENDED' }),
          assert.rejects(db.execute(INSERT, ['late']), { code: 'AIO_SQL_TRANSACTION_ENDED' }),
        ]);
      },
      { signal: controller.signal },
    );
    await assert.rejects(ended, /the client left/);
    resumed.set();
    await sleep(0);
    await late;
    assert.deepEqual(await titles(db), []);
  });

  test('waits for the right to write no longer than it may', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    await db.transaction(async () => {
      await request(async () => {
        await assert.rejects(
          db.transaction(async () => {}, { timeout: 5 }),
          { name: 'OperationalError', code: 'AIO_SQL_BUSY' },
        );
        const controller = new AbortController();
        const waiting = db.execute(INSERT, ['x'], { signal: controller.signal });
        controller.abort(new Error('left'));
        await assert.rejects(waiting, /left/);
        const task = createTask(() => db.execute(INSERT, ['x']));
        await sleep(0);
        task.cancel();
        await assert.rejects(task.then(), isCancelled);
        const interrupted = db.execute(INSERT, ['x']);
        await sleep(0);
        db.interrupt();
        await assert.rejects(interrupted, { code: 'AIO_SQL_INTERRUPTED' });
      });
    });
    assert.deepEqual(await titles(db), []);
  });

  test('that only reads sees one moment, and cannot write', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    await db.execute(INSERT, ['one']);
    await db.transaction(
      async (tx) => {
        assert.equal((await tx.fetchall('SELECT id FROM posts')).length, 1);
        await assert.rejects(tx.execute(INSERT, ['two']), { name: 'OperationalError', sqliteCode: 8 });
      },
      { readOnly: true },
    );
    await db.execute(INSERT, ['two']);
    assert.equal((await titles(db)).length, 2);
  });

  test('is ended by its function only', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    await db.transaction(async (tx) => {
      for (const runner of [tx, db]) {
        await assert.rejects(runner.execute('COMMIT'), ProgrammingError);
        await assert.rejects(runner.execute('ROLLBACK'), ProgrammingError);
      }
      await assert.rejects(db.execute('BEGIN'), /cannot start a transaction within a transaction/);
      await assert.rejects(tx.execute('BEGIN'), ProgrammingError);
      await assert.rejects(db.rollback(), ProgrammingError);
      await db.commit();
      await tx.execute(INSERT, ['one']);
    });
    assert.deepEqual(await titles(db), ['one']);
  });

  test('that SQLite ended by itself takes no more statements', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    await db.execute(INSERT, ['taken']);
    await assert.rejects(
      db.transaction(async (tx) => {
        await tx.execute(INSERT, ['one']);
        await assert.rejects(tx.execute("INSERT OR ROLLBACK INTO posts (title) VALUES ('taken')"), {
          constraint: 'unique',
        });
        await assert.rejects(tx.execute(INSERT, ['two']), { code: 'AIO_SQL_TRANSACTION_ENDED' });
      }),
      { code: 'AIO_SQL_TRANSACTION_ENDED' },
    );
    assert.deepEqual(await titles(db), ['taken']);
  });

  test('whose commit fails is rolled back', async (t, open) => {
    const db = await open(t);
    await db.executescript(`CREATE TABLE a (id INTEGER PRIMARY KEY);
      CREATE TABLE b (a INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED)`);
    await assert.rejects(
      db.transaction((tx) => tx.execute('INSERT INTO b VALUES (7)')),
      { name: 'IntegrityError', constraint: 'foreign key' },
    );
    assert.deepEqual(await db.fetchall('SELECT * FROM b'), []);
    await db.execute('INSERT INTO a VALUES (1)');
  });

  test('a cursor of it ends with it', async (t, open) => {
    const db = await open(t);
    await db.execute('CREATE TABLE n (i INTEGER PRIMARY KEY)');
    const values = Array.from({ length: 200 }, (_, i) => [i]);
    await db.executemany('INSERT INTO n VALUES (?)', values);
    const cursor = await db.transaction(async (tx) => {
      let seen = 0;
      for await (const { i } of await tx.execute<{ i: number }>('SELECT i FROM n ORDER BY i')) {
        await tx.execute('UPDATE n SET i = i WHERE i = ?', [i]);
        seen++;
      }
      assert.equal(seen, 200);
      return await tx.execute('SELECT i FROM n');
    });
    await assert.rejects(cursor.fetchall(), ProgrammingError);
  });

  test('work that goes on after a commit runs on its own', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    const later = new Event();
    let background: Promise<unknown> | undefined;
    await db.transaction(async (tx) => {
      await tx.execute(INSERT, ['one']);
      background = later.wait().then(() => db.execute(INSERT, ['two']));
    });
    later.set();
    await background;
    assert.deepEqual(await titles(db), ['one', 'two']);
  });
});

onEvery("execute('BEGIN')", (test) => {
  test('opens a transaction that belongs to the request alone', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        request(async () => {
          await db.execute('BEGIN');
          assert.equal(db.inTransaction, true);
          await db.execute(INSERT, [`t${index}`]);
          await sleep(0);
          await db.execute('UPDATE posts SET text = title WHERE title = ?', [`t${index}`]);
          await db.execute(index % 4 === 0 ? 'ROLLBACK' : 'COMMIT');
          assert.equal(db.inTransaction, false);
        }),
      ),
    );
    const rows = await db.fetchall('SELECT title, text FROM posts');
    assert.equal(rows.length, 15);
    assert.ok(rows.every(({ title, text }) => title === text));
  });

  test('says what sqlite says', async (t, open) => {
    const db = await open(t);
    await assert.rejects(db.execute('COMMIT'), /cannot commit - no transaction is active/);
    await assert.rejects(db.execute('ROLLBACK'), /cannot rollback - no transaction is active/);
    await db.commit();
    await db.rollback();
    await db.execute('begin immediate');
    await assert.rejects(db.execute('BEGIN'), /cannot start a transaction within a transaction/);
    await db.execute('SAVEPOINT a');
    await db.execute('ROLLBACK TO a');
    await db.execute('RELEASE a');
    await db.commit();
    await assert.rejects(db.execute('SAVEPOINT a'), ProgrammingError);
    await db.execute('BEGIN');
    await db.rollback();
    await db.execute('BEGIN');
    await db.execute('END TRANSACTION');
  });

  test('statements that do not wait for it belong to it', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    await request(async () => {
      await Promise.all([db.execute('BEGIN'), db.execute(INSERT, ['a']), db.execute(INSERT, ['b'])]);
      await db.execute('ROLLBACK');
    });
    assert.deepEqual(await titles(db), []);
  });

  test('left open, is rolled back after a while', async (t, open) => {
    const db = await open(t, { idleTransactionTimeout: 10 });
    await db.execute(SCHEMA);
    const warned = abandoned();
    // The time limit alone does not keep a process alive.
    const alive = setInterval(() => {}, 1_000);
    t.after(() => clearInterval(alive));
    await request(async () => {
      await db.execute('BEGIN');
      await db.execute(INSERT, ['lost']);
      await warned;
      await assert.rejects(db.execute(INSERT, ['late']), { code: 'AIO_SQL_TRANSACTION_ENDED' });
      await assert.rejects(db.execute('COMMIT'), { code: 'AIO_SQL_TRANSACTION_ENDED' });
      await db.execute(INSERT, ['after']);
    });
    assert.deepEqual(await titles(db), ['after']);
  });

  test('left open by a task, is rolled back at the end of the task', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    const warned = abandoned();
    await createTask(async () => {
      await db.execute('BEGIN');
      await db.execute(INSERT, ['lost']);
    });
    await db.execute(INSERT, ['after']);
    assert.deepEqual(await titles(db), ['after']);
    await warned;
  });

  test('does not keep close from closing', async (t, open) => {
    const db = await open(t, { busyTimeout: 10 });
    await db.execute('BEGIN');
    const warned = abandoned();
    await db.close();
    await warned;
  });
});

onEvery('transactionScope()', (test) => {
  test('begins with the first write', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    const scope = db.transactionScope();
    await scope.run(async () => {
      assert.deepEqual(await titles(db), []);
      assert.equal(scope.begun, false);
      await db.execute(INSERT, ['one']);
      assert.equal(scope.begun, true);
      assert.deepEqual(await titles(db), ['one']);
    });
    await scope.commit();
    await scope.commit();
    await scope.rollback();
    assert.deepEqual(await titles(db), ['one']);
  });

  test('that is rolled back refuses what comes later', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    for (const begun of [false, true]) {
      const scope = db.transactionScope();
      const ended = new Event();
      const working = scope.run(async () => {
        if (begun) await db.execute(INSERT, ['lost']);
        await ended.wait();
        await db.execute(INSERT, ['late']);
      });
      await sleep(0);
      await sleep(0);
      await scope.rollback();
      ended.set();
      await assert.rejects(working, { code: 'AIO_SQL_TRANSACTION_ENDED' });
    }
    assert.deepEqual(await titles(db), []);
  });

  test('has savepoints inside', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    const scope = db.transactionScope();
    await scope.run(async () => {
      await db.transaction((tx) => tx.execute(INSERT, ['one']));
      await db.transaction(() => Promise.reject(new Error('x'))).catch(() => {});
      await db.executemany(INSERT, [['two']]);
      await db.executescript("INSERT INTO posts (title) VALUES ('three')");
    });
    assert.equal(scope.begun, true);
    await request(async () => assert.equal(db.currentTransaction, undefined));
    await scope.commit();
    assert.deepEqual(await titles(db), ['one', 'three', 'two']);
  });
});

describe('readers', () => {
  test('do not wait for a transaction, and do not see it', async (t) => {
    const db = await openFile(t);
    await db.execute(SCHEMA);
    await db.transaction(async (tx) => {
      await tx.execute(INSERT, ['one']);
      assert.deepEqual(await request(() => titles(db)), []);
    });
    assert.deepEqual(await titles(db), ['one']);
  });

  test('an open cursor keeps its moment, and nobody else sees it', async (t) => {
    const db = await openFile(t);
    await db.execute('CREATE TABLE n (i INTEGER PRIMARY KEY)');
    await db.executemany(
      'INSERT INTO n VALUES (?)',
      Array.from({ length: 200 }, (_, i) => [i]),
    );
    const cursor = await db.execute('SELECT i FROM n');
    await db.execute('DELETE FROM n WHERE i >= 10');
    assert.deepEqual(await db.fetchone('SELECT count(*) AS n FROM n'), { n: 10 });
    assert.equal((await cursor.fetchall()).length, 200);
  });

  test('held by cursors, are waited for', async (t) => {
    const db = await openFile(t, { readers: 2, busyTimeout: 20 });
    await db.execute('CREATE TABLE n (i INTEGER PRIMARY KEY)');
    await db.executemany(
      'INSERT INTO n VALUES (?)',
      Array.from({ length: 200 }, (_, i) => [i]),
    );
    const first = await db.execute('SELECT i FROM n');
    assert.equal((await db.fetchall('SELECT i FROM n')).length, 200);
    const second = await db.execute('SELECT i FROM n').catch((error: unknown) => error);
    assert.equal((second as { code?: string }).code, 'AIO_SQL_BUSY');
    const third = db.execute('SELECT i FROM n');
    await first.close();
    assert.equal((await (await third).fetchall()).length, 200);
  });

  for (const mode of ['main', 'worker'] as const) {
    test(`read what was written before they were asked (${mode})`, async (t) => {
      const db = await openFile(t, { mode });
      await db.execute('CREATE TABLE n (i INTEGER PRIMARY KEY)');
      await Promise.all(
        Array.from({ length: 8 }, async (_, worker) => {
          for (let round = 0; round < 20; round++) {
            const id = worker * 100 + round;
            await db.execute('INSERT INTO n VALUES (?)', [id]);
            assert.deepEqual(await db.fetchone('SELECT i FROM n WHERE i = ?', [id]), { i: id });
            const cursor = await db.execute('SELECT i FROM n WHERE i >= ?', [id]);
            assert.deepEqual(await cursor.fetchone(), { i: id });
            await cursor.close();
          }
        }),
      );
    });
  }

  test('a read that is cancelled in a thread does not keep the others', async (t) => {
    // The others wait until the thread has come to rest, which takes it seconds on a slow machine.
    const db = await openFile(t, { mode: 'worker', readers: 1, busyTimeout: 60_000 });
    await db.execute(SCHEMA);
    const endless =
      'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 3000000) SELECT count(*) FROM c';
    const controller = new AbortController();
    const long = db.fetchall(endless, [], { signal: controller.signal });
    const other = db.fetchall('SELECT 1 AS a');
    await sleep(5);
    controller.abort(new Error('left'));
    await assert.rejects(long, /left/);
    assert.deepEqual(await other, [{ a: 1 }]);
    const task = createTask(() => db.fetchall(endless));
    await sleep(5);
    task.cancel();
    await assert.rejects(task.then(), isCancelled);
    const interrupted = db.fetchall(endless);
    await sleep(5);
    db.interrupt();
    await assert.rejects(interrupted, { code: 'AIO_SQL_INTERRUPTED' });
    assert.deepEqual(await db.fetchall('SELECT 2 AS a'), [{ a: 2 }]);
    const rows = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c';
    const signal = AbortSignal.timeout(10);
    await assert.rejects(db.fetchall(rows, [], { signal }), { name: 'TimeoutError' });
    assert.deepEqual(await db.fetchall('SELECT 3 AS a'), [{ a: 3 }]);
  });
});

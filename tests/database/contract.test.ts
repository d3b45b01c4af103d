// What a program may rely on whichever database it runs on: one table of cases, run over each.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createTask, isCancelled, outside, sleep } from '../../src/asyncio/index.ts';
import { open } from '../../src/database/index.ts';
import {
  type Database,
  DatabaseError,
  DataError,
  IntegrityError,
  OperationalError,
  ProgrammingError,
  sql,
} from '../../src/sql/index.ts';
import { PostgresServer, withoutPostgres } from '../postgres/postgres-server.ts';

interface Item {
  readonly id: number;
  readonly name: string;
}

type Case = (db: Database) => Promise<void>;

const add = (name: string): ReturnType<typeof sql> => sql`INSERT INTO items (name) VALUES (${name})`;

async function names(db: Database): Promise<string[]> {
  return (await db.fetchall<Item>('SELECT name FROM items ORDER BY name')).map(({ name }) => name);
}

/** A promise, and what settles it. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

class Refused extends Error {}

const cases: Readonly<Record<string, Case>> = {
  'one source text runs, with its values beside it': async (db) => {
    const hostile = "x'); DROP TABLE items; --";
    await db.execute(add(hostile));
    const wanted = [hostile, 'other'];
    const found = await db.fetchone<Item>(
      sql`SELECT id, name FROM ${sql.identifier('items')} WHERE name IN (${sql.join(wanted)}) AND id > ${0}`,
    );
    assert.equal(found?.name, hostile);
    assert.equal(await db.fetchone(sql`SELECT 1 AS one WHERE ${1} = 2`), undefined);
  },

  'INSERT … RETURNING gives the new row': async (db) => {
    const first = await db.fetchone<Item>(sql`${add('a')} RETURNING id, name`);
    assert.equal(first?.name, 'a');
    const cursor = await db.execute<Item>(sql`${add('b')} RETURNING id`);
    assert.deepEqual(cursor.columns, ['id']);
    assert.equal((await cursor.fetchall())[0]?.id, first.id + 1);
    assert.deepEqual(await names(db), ['a', 'b']);
  },

  'rowcount counts what was changed, and only that': async (db) => {
    for (const name of ['a', 'b', 'c']) assert.equal((await db.execute(add(name))).rowcount, 1);
    assert.equal(
      (await db.execute(sql`UPDATE items SET name = name || ${'!'} WHERE name < ${'c'}`)).rowcount,
      2,
    );
    assert.equal((await db.execute('SELECT * FROM items')).rowcount, -1);
    assert.equal((await db.execute('DELETE FROM items')).rowcount, 3);
    assert.equal((await db.execute('DELETE FROM items')).rowcount, 0);
    assert.equal((await db.execute('CREATE TABLE IF NOT EXISTS items (x INTEGER)')).rowcount, -1);
  },

  'a cursor gives its rows one by one, some at a time, or all': async (db) => {
    await db.transaction(async (tx) => {
      for (let n = 0; n < 600; n++) await tx.execute(add(String(n).padStart(3, '0')));
    });
    const read = 'SELECT name FROM items ORDER BY name';
    const cursor = await db.execute<Item>(read);
    assert.deepEqual(cursor.columns, ['name']);
    assert.deepEqual(await cursor.fetchone(), { name: '000' });
    assert.deepEqual(await cursor.fetchmany(), [{ name: '001' }]);
    assert.deepEqual(await cursor.fetchmany(2), [{ name: '002' }, { name: '003' }]);
    assert.equal((await cursor.fetchall()).length, 596);
    assert.equal(await cursor.fetchone(), undefined);
    let seen = 0;
    for await (const { name } of await db.execute<Item>(read)) {
      assert.equal(name, String(seen++).padStart(3, '0'));
      if (seen === 300) break;
    }
    assert.equal(seen, 300);
    const left = await db.execute<Item>(read);
    await left.close();
  },

  'integers beyond 2^53 come back as bigints, others as numbers': async (db) => {
    const amounts = [1, -1, 2 ** 53 - 1, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)];
    for (const [index, amount] of amounts.entries()) {
      await db.execute(sql`INSERT INTO items (name, amount) VALUES (${`n${index}`}, ${amount})`);
    }
    assert.deepEqual(
      (await db.fetchall<{ amount: unknown }>('SELECT amount FROM items ORDER BY name')).map(
        ({ amount }) => amount,
      ),
      amounts,
    );
  },

  'what no statement can carry is refused': async (db) => {
    for (const value of [undefined, [1], {}, new Date(Number.NaN), 'half \ud800']) {
      await assert.rejects(
        db.execute(db.dialect === 'sqlite' ? 'SELECT ?' : 'SELECT $1::text', [value as never]),
        (error: DatabaseError) => error instanceof DataError && error.code === 'AIO_SQL_VALUE',
      );
    }
    for (const parameters of [[], [1, 2]]) {
      await assert.rejects(
        db.execute(db.dialect === 'sqlite' ? 'SELECT ?' : 'SELECT $1::text', parameters),
        (error: DatabaseError) => error instanceof ProgrammingError && error.code === 'AIO_SQL_PARAMETERS',
      );
    }
  },

  'errors are of one tree, and never show a value': async (db) => {
    await db.execute(add('secret'));
    await assert.rejects(db.execute(add('secret')), (error: IntegrityError) => {
      assert.ok(error instanceof IntegrityError && error instanceof DatabaseError);
      assert.equal(error.constraint, 'unique');
      assert.match(error.statement!, /^INSERT INTO items/);
      assert.doesNotMatch(`${error.message}${JSON.stringify(error)}`, /secret/);
      return true;
    });
    await assert.rejects(db.execute(sql`INSERT INTO items (name) VALUES (${null})`), {
      name: 'IntegrityError',
      constraint: 'not null',
    });
    await assert.rejects(db.execute('SELECT * FROM nowhere'), OperationalError);
    await assert.rejects(db.execute('SELEKT'), OperationalError);
  },

  'executemany is all or nothing': async (db) => {
    const insert =
      db.dialect === 'sqlite'
        ? 'INSERT INTO items (name) VALUES (?)'
        : 'INSERT INTO items (name) VALUES ($1)';
    const many = Array.from({ length: 555 }, (_, n) => [`n${n}`]);
    assert.equal(await db.executemany(insert, many), 555);
    await assert.rejects(db.executemany(insert, [['new'], ['n7']]), IntegrityError);
    async function* later(): AsyncGenerator<string[]> {
      yield ['x'];
      yield ['y'];
    }
    assert.equal(await db.executemany(insert, later()), 2);
    assert.equal((await names(db)).length, 557);
    assert.equal(await db.executemany(insert, []), 0);
  },

  'executescript runs several statements': async (db) => {
    await db.executescript(`INSERT INTO items (name) VALUES ('a;b'); -- ; a comment
      INSERT INTO items (name) VALUES ('c');`);
    await db.executescript('');
    assert.deepEqual(await names(db), ['a;b', 'c']);
  },

  'a transaction commits when its work returns': async (db) => {
    const result = await db.transaction(async (tx) => {
      await tx.execute(add('a'));
      assert.equal(db.currentTransaction !== undefined, true);
      await db.execute(add('b')); // the database itself: part of it as well
      assert.equal(tx.open, true);
      return tx;
    });
    assert.equal(result.open, false);
    assert.equal(db.currentTransaction, undefined);
    assert.deepEqual(await names(db), ['a', 'b']);
    await assert.rejects(result.execute('SELECT 1'), { code: 'AIO_SQL_TRANSACTION_ENDED' });
  },

  'a transaction rolls back when its work throws': async (db) => {
    await assert.rejects(
      db.transaction(async (tx) => {
        await tx.execute(add('a'));
        throw new Refused();
      }),
      Refused,
    );
    await assert.rejects(
      db.transaction(() => {
        throw new Refused();
      }),
      Refused,
    );
    assert.deepEqual(await names(db), []);
  },

  'a transaction rolls back when its task is cancelled or its signal aborts': async (db) => {
    {
      const written = gate();
      const controller = new AbortController();
      const work = async (): Promise<void> => {
        await db.execute(add('a'));
        written.open();
        await new Promise<void>((resolve) => {
          controller.signal.addEventListener('abort', () => resolve());
        });
        await db.execute(add('b')).catch(() => {});
      };
      const task = createTask(() => db.transaction(work, { signal: controller.signal }));
      await written.opened;
      // Who only reads is not in its way.
      await outside(() => db.transaction((tx) => tx.fetchone('SELECT 1'), { readOnly: true }));
      controller.abort();
      await assert.rejects(Promise.resolve(task), { name: 'AbortError' });
      assert.deepEqual(await names(db), []);
    }
    const written = gate();
    const task = createTask(() =>
      db.transaction(async (tx) => {
        await tx.execute(add('a'));
        written.open();
        await sleep(60_000);
      }),
    );
    await written.opened;
    task.cancel();
    await assert.rejects(Promise.resolve(task), isCancelled);
    assert.deepEqual(await names(db), []);
  },

  'transactions inside of each other undo only what is theirs': async (db) => {
    await db.transaction(async (tx) => {
      await tx.execute(add('outer'));
      await assert.rejects(
        tx.transaction(async (inner) => {
          await inner.execute(add('inner'));
          await assert.rejects(inner.execute(add('inner')), IntegrityError);
          throw new Refused();
        }),
        Refused,
      );
      await db.transaction(async (inner) => {
        await inner.execute(add('kept'));
        await db.transaction(async () => {
          await db.execute(add('deep'));
        });
      });
      // Two at a time wait for each other.
      await Promise.all(
        ['x', 'y'].map((name) =>
          db
            .transaction(async (inner) => {
              await inner.execute(add(name));
              await inner.fetchone('SELECT 1');
              if (name === 'x') throw new Refused();
            })
            .catch(() => {}),
        ),
      );
    });
    assert.deepEqual(await names(db), ['deep', 'kept', 'outer', 'y']);
  },

  'requests do not see each other’s transactions': async (db) => {
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, (_, n) =>
        createTask(() =>
          db.transaction(async () => {
            await db.execute(add(`t${String(n).padStart(2, '0')}`));
            await db.fetchone('SELECT count(*) FROM items');
            if (n % 3 === 0) throw new Refused();
          }),
        ),
      ),
    );
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 20);
    assert.deepEqual(
      await names(db),
      Array.from({ length: 30 }, (_, n) => n)
        .filter((n) => n % 3 !== 0)
        .map((n) => `t${String(n).padStart(2, '0')}`),
    );
  },

  'a read-only transaction refuses to write': async (db) => {
    await assert.rejects(
      db.transaction((tx) => tx.execute(add('a')), { readOnly: true }),
      DatabaseError,
    );
    await db.execute(add('b'));
    assert.deepEqual(await names(db), ['b']);
  },

  'a scope begins with its first write and ends as it is told': async (db) => {
    const kept = db.transactionScope();
    assert.equal(kept.begun, false);
    await kept.run(async () => {
      await db.execute(add('a'));
      assert.equal(kept.begun, true);
      await outside(() => names(db)).then((seen) => assert.deepEqual(seen, []));
    });
    await kept.commit();
    const dropped = db.transactionScope();
    const late = gate();
    const background = dropped.run(async () => {
      await db.execute(add('b'));
      await late.opened;
      await db.execute(add('late'));
    });
    background.catch(() => {});
    while (!dropped.begun) await db.fetchone('SELECT 1');
    await dropped.rollback();
    late.open();
    await assert.rejects(background, { code: 'AIO_SQL_TRANSACTION_ENDED' });
    const empty = db.transactionScope();
    empty.run(() => {});
    await empty.commit();
    await db.transactionScope().rollback();
    assert.deepEqual(await names(db), ['a']);
  },

  'what another task writes meanwhile does not go with a savepoint that fails': async (db) => {
    await db.transaction(async (tx) => {
      const began = gate();
      const late = gate();
      const failing = tx.transaction(async (inner) => {
        await inner.execute(add('inner'));
        began.open();
        await late.opened;
        await tx.execute(add('of the inner one too'));
        throw new Error('mine');
      });
      await began.opened;
      const other = [
        tx.execute(add('a')),
        tx.fetchone(sql`INSERT INTO items (name) VALUES ('b') RETURNING id`),
        tx.executemany("INSERT INTO items (name) VALUES ('c')", [[]]),
        tx.executescript("INSERT INTO items (name) VALUES ('d')"),
      ];
      await tx.fetchone('SELECT 1');
      late.open();
      await assert.rejects(failing, { message: 'mine' });
      await Promise.all(other);
    });
    assert.deepEqual(await names(db), ['a', 'b', 'c', 'd']);
  },

  'a scope inside of a transaction is a savepoint': async (db) => {
    const outer = db.transactionScope();
    await outer.run(async () => {
      await db.execute(add('a'));
      for (const name of ['b', 'c']) {
        const inner = db.transactionScope();
        await inner.run(async () => {
          assert.deepEqual(await names(db), ['a']);
          await db.execute(add(name));
          assert.equal(inner.begun, true);
        });
        if (name === 'b') await inner.rollback();
        else await inner.commit();
      }
      const unused = db.transactionScope();
      await unused.run(() => names(db));
      assert.equal(unused.begun, db.dialect === 'postgres');
      await unused.commit();
    });
    await outer.commit();
    assert.deepEqual(await names(db), ['a', 'c']);
  },

  'after a scope was committed its context writes on its own': async (db) => {
    const scope = db.transactionScope();
    await scope.run(async () => {
      await db.execute(add('a'));
      await scope.commit();
      assert.equal(db.currentTransaction, undefined);
      await db.execute(add('b'));
    });
    assert.deepEqual(await names(db), ['a', 'b']);
  },
};

const kinds: Readonly<Record<string, string | false>> = { sqlite: false, postgres: withoutPostgres };

for (const [kind, skip] of Object.entries(kinds)) {
  describe(`the same on every database: ${kind}`, { skip, concurrency: false }, () => {
    let server: PostgresServer | undefined;
    let folder: string;
    let db: Database;

    before(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'aiohttp-ts-contract-'));
      if (kind === 'postgres') server = await PostgresServer.start();
      db = await open(server?.url ?? `sqlite://${folder}/test.db`, {
        sqlite: { busyTimeout: 60_000 },
        postgres: { max: 5, acquireTimeout: 60_000 },
      });
    });
    after(async () => {
      await db?.close();
      await server?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const id =
      kind === 'sqlite' ? 'INTEGER PRIMARY KEY' : 'INTEGER PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY';
    for (const [name, run] of Object.entries(cases)) {
      test(name, async () => {
        await db.executescript('DROP TABLE IF EXISTS items');
        await db.executescript(`CREATE TABLE items (id ${id}, name TEXT NOT NULL UNIQUE, amount BIGINT)`);
        await run(db);
      });
    }

    test('after its close it refuses everything', async () => {
      const other = await open(server?.url ?? `sqlite://${folder}/other.db`);
      await other.close();
      await other.close();
      await assert.rejects(other.execute('SELECT 1'), { code: 'AIO_SQL_CLOSED' });
    });
  });
}

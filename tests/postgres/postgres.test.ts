import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createTask, isCancelled, outside, TimeoutError, timeout } from '../../src/asyncio/index.ts';
import { connect, type PostgresDatabase } from '../../src/postgres/index.ts';
import {
  type DatabaseError,
  DataError,
  IntegrityError,
  NotSupportedError,
  OperationalError,
  ProgrammingError,
  type SqlExecutor,
  sql,
} from '../../src/sql/index.ts';
import { makeCertificate } from '../net/certificates.ts';
import { PostgresServer, withoutPostgres } from './postgres-server.ts';

/** Waits until it is so. */
async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; !(await what()); attempt++) {
    assert.ok(attempt < 3_000, `not in time: ${what.toString()}`);
    await delay(20);
  }
}

describe('aiohttp-ts/postgres', { skip: withoutPostgres, concurrency: false }, () => {
  let server: PostgresServer;
  let db: PostgresDatabase;

  before(async () => {
    server = await PostgresServer.start();
    db = await connect(server.url, { max: 4, acquireTimeout: 60_000 });
  });
  after(async () => {
    await db?.close();
    await server?.stop();
  });

  /** Whether a statement that holds `text` runs on the server. */
  const runs = async (text: string): Promise<boolean> =>
    (await db.fetchone(
      "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND query LIKE $1",
      [`%${text}%`],
    )) !== undefined;

  test('connects over TCP with a password and over a Unix socket', async () => {
    await using overSocket = await connect(server.socketUrl);
    assert.deepEqual(await overSocket.fetchone('SELECT 1 AS one'), { one: 1 });
    const { current_user: user } = (await db.fetchone('SELECT current_user'))!;
    assert.equal(user, 'aiohttp');
  });

  test('a wrong password is an error at connect that shows no password', async () => {
    const url = server.url.replace(/:[^:@/]+@/, ':wrong-secret@');
    await assert.rejects(connect(url), (error: Error) => {
      assert.ok(error instanceof OperationalError);
      assert.equal(error.sqlstate, '28P01');
      assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /wrong-secret/);
      return true;
    });
    assert.doesNotMatch(inspect(db, { depth: 9, showHidden: true }), /p@ss/);
  });

  test('an address where nobody listens, and one that does not exist', async () => {
    for (const url of ['postgres://u:secret@127.0.0.1:1/x', 'postgres://u:secret@%2Fnowhere/x']) {
      await assert.rejects(connect(url), (error: DatabaseError) => {
        assert.equal(error.code, 'AIO_SQL_CONNECTION');
        assert.doesNotMatch(inspect(error), /secret/);
        return true;
      });
    }
  });

  const badUrls = [
    'mysql://localhost/x',
    'postgres://u:secret@host:port/x',
    'postgres://u:secret@host/x?sslmode=prefer',
    'postgres://u:secret@host/x?search_path=y',
    'postgres://u:sec%ret@host/x',
  ];
  for (const url of badUrls) {
    test(`refuses ${url} without quoting it`, async () => {
      await assert.rejects(connect(url), (error: Error & { code?: string }) => {
        assert.ok(error instanceof RangeError);
        assert.equal(error.code, 'AIO_SQL_URL');
        assert.doesNotMatch(inspect(error).split('\n    at ')[0]!, /sec/);
        return true;
      });
    });
  }

  const values: readonly (readonly [expression: string, value: unknown])[] = [
    ['1::int2', 1],
    ["'-2147483648'::int4", -2_147_483_648],
    ['9007199254740991::int8', 9_007_199_254_740_991],
    ['9007199254740992::int8', 9_007_199_254_740_992n],
    ["'-9223372036854775808'::int8", -9_223_372_036_854_775_808n],
    ['1.10::numeric', '1.10'],
    ["'NaN'::float8", Number.NaN],
    ["'-Infinity'::float8", Number.NEGATIVE_INFINITY],
    ['0.1::float8', 0.1],
    ['true', true],
    ['NULL', null],
    ["'Grüße, 世界 🌰'", 'Grüße, 世界 🌰'],
    ["'\\x00ff'::bytea", Buffer.of(0, 255)],
    [`'{"a":[1,null]}'::jsonb`, { a: [1, null] }],
    ["'2026-11-22'::date", '2026-11-22'],
    ["'2026-11-22 01:02:03.456789'::timestamp", new Date('2026-11-22T01:02:03.456Z')],
    ["'2026-11-22 01:02:03+02'::timestamptz", new Date('2026-11-21T23:02:03Z')],
    ["'0044-03-15 12:00:00 BC'::timestamp", new Date('-000043-03-15T12:00:00Z')],
    ["'infinity'::timestamptz", 'infinity'],
    ["'1 day'::interval", '1 day'],
    ['ARRAY[1,NULL,3]', [1, null, 3]],
    [`ARRAY['a"b','c,d','NULL','{}','\\']`, ['a"b', 'c,d', 'NULL', '{}', '\\']],
    [
      'ARRAY[[1,2],[3,4]]',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ["'[0:1]={5,6}'::int[]", [5, 6]],
    ["'{}'::text[]", []],
  ];
  for (const [expression, value] of values) {
    test(`reads ${expression}`, async () => {
      assert.deepEqual(await db.fetchone(`SELECT ${expression} AS value`), { value });
    });
  }

  const carried: readonly (readonly [type: string, value: never])[] = (
    [
      ['int8', 9_007_199_254_740_993n],
      ['numeric', '123456789012345678901234567890.5'],
      ['float8', -0.5],
      ['text', "'; DROP TABLE x; -- \\"],
      ['bool', false],
      ['bytea', Buffer.of(0, 1, 39, 92, 255)],
      ['timestamptz', new Date('2026-11-22T01:02:03.456Z')],
      ['timestamp', new Date('2026-11-22T01:02:03.456Z')],
      ['timestamptz', new Date('-000043-03-15T12:00:00Z')],
      ['timestamptz', new Date('+012345-01-01T00:00:00Z')],
      ['text', null],
    ] as const
  ).map(([type, value]) => [type, value as never]);
  for (const [type, value] of carried) {
    test(`carries ${inspect(value)} as ${type} there and back`, async () => {
      assert.deepEqual(await db.fetchone(`SELECT $1::${type} AS value`, [value]), { value });
    });
  }

  test('errors have a class, an SQLSTATE and the statement, and never a value', async () => {
    await db.executescript(
      'CREATE TABLE kinds (id int PRIMARY KEY, name text UNIQUE NOT NULL, age int CHECK (age > 0), boss int REFERENCES kinds)',
    );
    await db.execute('INSERT INTO kinds VALUES ($1, $2, 3, NULL)', [1, 'top-secret']);
    const cases: readonly (readonly [
      string,
      readonly unknown[],
      abstract new (...a: never[]) => Error,
      string,
      string?,
    ])[] = [
      ['INSERT INTO kinds VALUES (2, $1, 3)', ['top-secret'], IntegrityError, '23505', 'unique'],
      ['INSERT INTO kinds VALUES (2, NULL, 3)', [], IntegrityError, '23502', 'not null'],
      ["INSERT INTO kinds VALUES (2, 'b', $1)", [-777], IntegrityError, '23514', 'check'],
      ["INSERT INTO kinds VALUES (2, 'b', 3, $1)", [777], IntegrityError, '23503', 'foreign key'],
      ['SELECT $1::int', ['top-secret'], DataError, '22P02'],
      ['SELECT $1::int2', ['777777'], DataError, '22003'],
      ['SELECT 1 / $1::int', [0], DataError, '22012'],
      ['SELECT * FROM nowhere', [], OperationalError, '42P01'],
      ['SELEKT', [], OperationalError, '42601'],
      ['SELECT $1::int, $2::int', [777], ProgrammingError, '08P01'],
      ['SELECT 1', [777], ProgrammingError, '08P01'],
    ];
    for (const [statement, parameters, type, sqlstate, constraint] of cases) {
      await assert.rejects(db.execute(statement, parameters as never), (error: DatabaseError) => {
        assert.ok(error instanceof type, `${statement}: ${inspect(error)}`);
        assert.equal(error.sqlstate, sqlstate);
        assert.equal(error.statement, statement);
        assert.equal((error as IntegrityError).constraint, constraint);
        assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /top-secret|777/);
        return true;
      });
    }
    assert.equal(db.pool.size, db.pool.idle);
  });

  test('values that cannot be carried are refused before anything is sent', async () => {
    for (const value of [undefined, [1], {}, () => 1, Symbol('x'), new Date(Number.NaN), '\ud800']) {
      await assert.rejects(db.fetchone('SELECT $1::text', [value as never]), {
        name: 'DataError',
        code: 'AIO_SQL_VALUE',
      });
    }
    await assert.rejects(db.fetchone('SELECT $1::text', ['a\0b']), DataError);
    await assert.rejects(db.fetchone('SELECT :a', { a: 1 }), { code: 'AIO_SQL_PARAMETERS' });
    await assert.rejects(db.fetchone(sql`SELECT ${1}`, [1]), { code: 'AIO_SQL_PARAMETERS' });
  });

  test('BEGIN and its like are refused, and scripts may not leave one open', async () => {
    for (const text of ['BEGIN', ' /* x */ commit', '--\nROLLBACK', 'SAVEPOINT a', 'START TRANSACTION']) {
      await assert.rejects(db.execute(text), NotSupportedError);
    }
    await assert.rejects(db.executescript('SELECT 1; BEGIN'), { code: 'AIO_SQL_TRANSACTION_CONTROL' });
    await until(() => db.pool.idle === db.pool.size);
    for (let i = 0; i < 4; i++) await db.execute('SELECT 1');
  });

  test('COPY is refused, and the connection is fine afterwards', async () => {
    await db.executescript('CREATE TABLE copied (id int); INSERT INTO copied VALUES (1)');
    for (const text of ['COPY copied FROM STDIN', 'COPY copied TO STDOUT']) {
      await assert.rejects(db.execute(text), /not offered here/);
      await assert.rejects(db.executescript(text), /not offered here/);
    }
    assert.deepEqual(await db.fetchall('SELECT 1 AS one'), [{ one: 1 }]);
  });

  test('a cursor reads a large result in pieces, and gives its connection back when it is left', async () => {
    const text = 'SELECT generate_series(1, 5000) AS n';
    const cursor = await db.execute<{ n: number }>(text);
    assert.deepEqual(cursor.columns, ['n']);
    assert.equal(cursor.rowcount, -1);
    assert.equal(db.pool.size - db.pool.idle, 1);
    assert.deepEqual(await cursor.fetchone(), { n: 1 });
    assert.deepEqual(await cursor.fetchmany(2), [{ n: 2 }, { n: 3 }]);
    const rest = await cursor.fetchall();
    assert.equal(rest.length, 4_997);
    assert.equal(rest.at(-1)!.n, 5_000);
    assert.equal(await cursor.fetchone(), undefined);
    assert.equal(db.pool.idle, db.pool.size);

    let sum = 0;
    for await (const { n } of await db.execute<{ n: number }>(text)) {
      sum += n;
      if (n === 1_000) break;
    }
    assert.equal(sum, 500_500);
    await until(() => db.pool.idle === db.pool.size);

    const closed = await db.execute(text);
    await closed.close();
    assert.deepEqual(await closed.fetchall(), []);
    assert.equal(db.pool.idle, db.pool.size);
  });

  test('an error in the middle of a result comes where it happens', async () => {
    const cursor = await db.execute<{ n: number }>(
      'SELECT 10 / (1000 - n) AS n FROM generate_series(1, 2000) AS n',
    );
    let seen = 0;
    await assert.rejects(async () => {
      for await (const _ of cursor) seen++;
    }, DataError);
    assert.ok(seen >= 256 && seen < 1_000, String(seen));
    await until(() => db.pool.idle === db.pool.size);
  });

  test('in a transaction other statements run beside an open cursor', async () => {
    await db.executescript('CREATE TABLE beside (n int)');
    await db.transaction(async (tx) => {
      for await (const { n } of await tx.execute<{ n: number }>('SELECT generate_series(1, 1000) AS n')) {
        if (n % 100 === 0) await tx.execute('INSERT INTO beside VALUES ($1)', [n]);
      }
    });
    assert.deepEqual(await db.fetchone('SELECT count(*) AS n FROM beside'), { n: 10 });
  });

  test('a cancelled task ends its statement on the server, and the connection goes on', async () => {
    const task = createTask(() => db.fetchone('SELECT pg_sleep(60), 1 AS cancelled_by_task'));
    await until(() => runs('cancelled_by_task'));
    task.cancel();
    await assert.rejects(Promise.resolve(task), isCancelled);
    await until(async () => !(await runs('cancelled_by_task')));
    await until(() => db.pool.idle === db.pool.size);

    await assert.rejects(
      timeout(50, () => db.execute('SELECT pg_sleep(60)')),
      TimeoutError,
    );
    const controller = new AbortController();
    const aborted = db.fetchall('SELECT pg_sleep(60), 1 AS aborted_by_signal', [], {
      signal: controller.signal,
    });
    aborted.catch(() => {});
    await until(() => runs('aborted_by_signal'));
    controller.abort();
    await assert.rejects(aborted, { name: 'AbortError' });
    await until(() => db.pool.idle === db.pool.size);
    await assert.rejects(db.execute('SELECT 1', [], { signal: controller.signal }), { name: 'AbortError' });
    assert.deepEqual(
      await Promise.all(Array.from({ length: 20 }, (_, n) => db.fetchone('SELECT $1::int AS n', [n]))),
      Array.from({ length: 20 }, (_, n) => ({ n })),
    );
  });

  test('a cancelled cursor ends its statement', async () => {
    const slow = 'SELECT n, CASE WHEN n > 300 THEN pg_sleep(60)::text END FROM generate_series(1, 1000) AS n';
    const cursor = await db.execute(slow);
    const task = createTask(() => cursor.fetchall());
    await until(() => runs('THEN pg_sleep'));
    task.cancel();
    await assert.rejects(Promise.resolve(task), isCancelled);
    await cursor.close();
    await until(() => db.pool.idle === db.pool.size);
  });

  /** Takes the only connection of a pool, until what it gives is called. */
  const hold = async (pool: PostgresDatabase): Promise<() => Promise<void>> => {
    let holding: Promise<void> | undefined;
    const go = await new Promise<() => void>((held, failed) => {
      holding = pool.transaction(async (tx) => {
        await tx.execute('SELECT 1');
        await new Promise<void>((resolve) => held(resolve));
      });
      holding.catch(failed);
    });
    return async () => {
      go();
      await holding;
    };
  };

  test('those who wait for a connection get one in order', async () => {
    await using small = await connect(server.url, { max: 1, acquireTimeout: 60_000, maxWaiting: 3 });
    const order: number[] = [];
    const release = await hold(small);
    const cancelled = createTask(() => small.execute('SELECT 1'));
    const waiting = [1, 2].map(async (n) => {
      await small.execute('SELECT 1');
      order.push(n);
    });
    await until(() => small.pool.waiting === 3);
    await assert.rejects(small.execute('SELECT 1'), { code: 'AIO_SQL_BUSY' });
    cancelled.cancel();
    await release();
    await Promise.all(waiting);
    assert.deepEqual(order, [1, 2]);
  });

  test('a connection that takes longer to make than acquireTimeout was taken for one that others use', async () => {
    await using impatient = await connect(server.url, { max: 2, acquireTimeout: 0 });
    assert.deepEqual(await impatient.fetchone('SELECT 1 AS one'), { one: 1 });
    const both = await Promise.all([
      impatient.fetchone('SELECT 1 AS n'),
      impatient.fetchone('SELECT 2 AS n'),
    ]);
    assert.deepEqual(both, [{ n: 1 }, { n: 2 }]);
  });

  test('whoever waits too long for a connection gets an error', async (t) => {
    await using small = await connect(server.url, { max: 1, acquireTimeout: 60_000 });
    const release = await hold(small);
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const late = assert.rejects(small.execute('SELECT 1'), {
      code: 'AIO_SQL_BUSY',
      message: /^no connection became free within 60000 ms/,
    });
    while (small.pool.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(60_000);
    await late;
    t.mock.timers.reset();
    await release();
  });

  test('a transaction whose statement failed cannot be committed, and says so', async () => {
    await assert.rejects(
      db.transaction(async (tx) => {
        await tx.execute('SELECT 1/0').catch(() => {});
      }),
      { code: 'AIO_SQL_TRANSACTION_FAILED' },
    );
    await until(() => db.pool.idle === db.pool.size);
  });

  test('isolation and read only', async () => {
    await db
      .transaction(
        async (tx) => {
          assert.deepEqual(await tx.fetchone('SHOW transaction_isolation'), {
            transaction_isolation: 'serializable',
          });
          await assert.rejects(tx.execute('CREATE TABLE nothing (n int)'), /read-only/);
          // The failed statement has to be undone before this one can commit.
        },
        { isolation: 'serializable', readOnly: true },
      )
      .catch((error: DatabaseError) => assert.equal(error.code, 'AIO_SQL_TRANSACTION_FAILED'));
    await assert.rejects(
      db.transaction(async () => {}, { isolation: 'chaos' as never }),
      {
        code: 'AIO_SQL_OPTION',
      },
    );
  });

  test('work that lost against another is run again when it may', async () => {
    await db.executescript(
      'CREATE TABLE accounts (id int PRIMARY KEY, n int); INSERT INTO accounts VALUES (1, 0)',
    );
    const add = (): Promise<void> =>
      db.transaction(
        async (tx) => {
          const { n } = (await tx.fetchone<{ n: number }>('SELECT n FROM accounts WHERE id = 1'))!;
          await tx.execute('UPDATE accounts SET n = $1 WHERE id = 1', [n + 1]);
        },
        { isolation: 'serializable', retries: 100 },
      );
    await Promise.all(Array.from({ length: 12 }, add));
    assert.deepEqual(await db.fetchone('SELECT n FROM accounts'), { n: 12 });
  });

  test('a text that comes again is prepared, and survives a change of its table', async () => {
    await using one = await connect(server.url, { max: 1, statementCacheSize: 3 });
    await one.executescript('CREATE TABLE shifting (a int); INSERT INTO shifting VALUES (1)');
    const prepared = (): Promise<unknown> => one.fetchone('SELECT count(*) AS n FROM pg_prepared_statements');
    const read = 'SELECT * FROM shifting';
    for (let i = 0; i < 3; i++) assert.deepEqual(await one.fetchone(read), { a: 1 });
    await one.executescript("ALTER TABLE shifting ADD b text DEFAULT 'x'");
    assert.deepEqual(await one.fetchone(read), { a: 1, b: 'x' });
    await one.executescript('DEALLOCATE ALL');
    for (let i = 0; i < 3; i++) assert.deepEqual(await one.fetchone(read), { a: 1, b: 'x' });
    for (let i = 0; i < 20; i++) await one.fetchone(`SELECT ${i % 10}`);
    for (let i = 0; i < 20; i++)
      await assert.rejects(one.fetchone('SELECT 1 / (a - 1) FROM shifting'), DataError);
    assert.ok(((await prepared()) as { n: number }).n <= 4, inspect(await prepared()));
  });

  test('notifications arrive in order, also from a transaction that is committed', async () => {
    await using listener = await db.listen('Orders "new"');
    await db.transaction(async () => {
      await db.notify('Orders "new"', 'one');
      await db.notify('Orders "new"', 'two');
    });
    await assert.rejects(
      db.transaction(async () => {
        await db.notify('Orders "new"', 'never');
        throw new Error('no');
      }),
    );
    await db.notify('Orders "new"');
    const seen: string[] = [];
    for await (const { payload, channel, processId } of listener) {
      assert.equal(channel, 'Orders "new"');
      assert.ok(processId > 0);
      seen.push(payload);
      if (seen.length === 3) break;
    }
    assert.deepEqual(seen, ['one', 'two', '']);
    assert.equal(await listener.next(), undefined);
  });

  test('a signal that lives on kept every listener that it was given to', async () => {
    const controller = new AbortController();
    for (let count = 0; count < 3; count++) {
      const listener = await db.listen('short', { signal: controller.signal });
      await listener.close();
    }
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
    const pending = db.listen('short', { signal: controller.signal });
    controller.abort();
    // Aborted while it connected: it went on listening, and nobody could tell.
    assert.equal(await (await pending).next(), undefined);
  });

  test('whoever listens while the last other one leaves has a connection', async () => {
    const first = await db.listen('first');
    const leaving = first.close();
    await using second = await db.listen('second');
    await leaving;
    await db.notify('second', 'hello');
    assert.equal((await second.next())?.payload, 'hello');
  });

  test('several who read from one cursor are not told of an end that is not there', async () => {
    const cursor = await db.execute<{ n: number }>('SELECT generate_series(1, 1025) AS n');
    let count = 0;
    const reader = async (): Promise<void> => {
      while ((await cursor.fetchone()) !== undefined) count++;
    };
    await Promise.all([reader(), reader(), reader()]);
    assert.equal(count, 1025);
    await assert.rejects(cursor.fetchmany(0), RangeError);
  });

  test('a savepoint whose statement failed cannot be kept, and says so as the whole transaction does', async () => {
    await db.transaction(async (tx) => {
      const inner = tx.transaction(async (savepoint) => {
        await savepoint.fetchone('SELECT 1 / 0').catch(() => {});
      });
      await assert.rejects(inner, { name: 'OperationalError', code: 'AIO_SQL_TRANSACTION_FAILED' });
      assert.deepEqual(await tx.fetchone('SELECT 1 AS one'), { one: 1 });
    });
  });

  test('a listener that does not read loses the oldest and is told', async () => {
    const gaps: string[] = [];
    const controller = new AbortController();
    const listener = await db.listen('full', {
      maxQueue: 2,
      onGap: (reason) => gaps.push(reason),
      signal: controller.signal,
    });
    for (const payload of ['1', '2', '3']) await db.notify('full', payload);
    await until(() => gaps.length === 1);
    assert.equal((await listener.next())!.payload, '2');
    assert.equal((await listener.next())!.payload, '3');
    const waiting = createTask(() => listener.next());
    await delay(0);
    waiting.cancel();
    await assert.rejects(Promise.resolve(waiting), isCancelled);
    const end = listener.next();
    controller.abort();
    assert.equal(await end, undefined);
    await assert.rejects(db.listen(''), { code: 'AIO_SQL_IDENTIFIER' });
  });

  test('a server that dies is an OperationalError to whoever waits, and all comes back with it', async () => {
    await using all = await connect(server.url, { max: 3 });
    await all.executescript('CREATE TABLE survivors (id int)');
    await all.execute('INSERT INTO survivors VALUES (1)');
    const gaps: string[] = [];
    await using listener = await all.listen('news', { onGap: (reason) => gaps.push(reason) });
    const waiting = all.fetchone('SELECT pg_sleep(60), 1 AS dies_with_server');
    waiting.catch(() => {});
    const open = all.transaction(async (tx) => {
      await tx.execute('INSERT INTO survivors VALUES (2)');
      await waiting.catch(() => {});
      await tx.execute('INSERT INTO survivors VALUES (3)');
    });
    open.catch(() => {});
    await until(() => runs('dies_with_server'));
    await server.crash();
    await assert.rejects(waiting, { name: 'OperationalError', code: 'AIO_SQL_CONNECTION' });
    await assert.rejects(open, { name: 'OperationalError', code: 'AIO_SQL_CONNECTION' });
    await assert.rejects(all.execute('SELECT 1'), { name: 'OperationalError' });
    await server.restart();
    await until(async () => (await all.fetchone('SELECT 1').catch(() => undefined)) !== undefined);
    assert.deepEqual(await all.fetchall('SELECT id FROM survivors'), [{ id: 1 }]);
    await until(() => gaps.includes('reconnected'));
    await all.notify('news', 'again');
    assert.equal((await listener.next())!.payload, 'again');
    await until(async () => (await db.fetchone('SELECT 1').catch(() => undefined)) !== undefined);
  });

  test('close waits for what runs, refuses what comes, and leaves nothing on the server', async () => {
    const closing = await connect(server.url, { max: 2, applicationName: 'closing' });
    const listener = await closing.listen('x');
    const statement = 'SELECT pg_advisory_xact_lock(7)::text, 1 AS done';
    const [running, closed] = await db.transaction(async (tx) => {
      await tx.execute('SELECT pg_advisory_xact_lock(7)');
      const one = closing.fetchone(statement);
      one.catch(() => {});
      await outside(() => until(() => runs('xact_lock(7)::text')));
      return [one, closing.close()] as const;
    });
    await closed;
    assert.equal((await running)!['done'], 1);
    assert.equal(await listener.next(), undefined);
    await assert.rejects(closing.execute('SELECT 1'), { code: 'AIO_SQL_CLOSED' });
    await until(
      async () =>
        (await db.fetchone("SELECT 1 FROM pg_stat_activity WHERE application_name = 'closing'")) ===
        undefined,
    );
    const stuck = await connect(server.url, { closeTimeout: 30 });
    const forgotten = await stuck.execute('SELECT generate_series(1, 100000)');
    await stuck.close();
    await assert.rejects(forgotten.fetchall(), OperationalError);
  });

  test('a cursor that was forgotten gives its connection back when it is collected', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    await (async () => {
      assert.deepEqual(await (await db.execute('SELECT generate_series(1, 100000) AS n')).fetchone(), {
        n: 1,
      });
    })();
    assert.equal(db.pool.size - db.pool.idle, 1);
    await until(() => {
      collect();
      return db.pool.idle === db.pool.size;
    });
  });

  test('a connection that broke in the middle of a transaction is no unknown COMMIT', async () => {
    await assert.rejects(
      db.transaction(async (tx) => {
        const { pid } = (await tx.fetchone<{ pid: number }>('SELECT pg_backend_pid() AS pid'))!;
        await outside(() => db.execute('SELECT pg_terminate_backend($1)', [pid]));
        await until(() =>
          tx.fetchone('SELECT 1').then(
            () => false,
            () => true,
          ),
        );
      }),
      { name: 'OperationalError', code: 'AIO_SQL_CONNECTION' },
    );
    assert.deepEqual(await db.fetchone('SELECT 1 AS one'), { one: 1 });
  });

  test('executemany that fails inside of a transaction undoes itself only', async () => {
    await db.executescript('CREATE TABLE many (n int PRIMARY KEY)');
    await db.transaction(async (tx) => {
      await tx.execute('INSERT INTO many VALUES (0)');
      await assert.rejects(tx.executemany('INSERT INTO many VALUES ($1)', [[1], [0]]), IntegrityError);
      assert.equal(await tx.executemany('INSERT INTO many VALUES ($1)', [[2], [3]]), 2);
    });
    assert.deepEqual(await db.fetchall('SELECT n FROM many ORDER BY n'), [{ n: 0 }, { n: 2 }, { n: 3 }]);
  });

  test('a result without end is read as far as somebody reads', async () => {
    const endless = 'SELECT generate_series(1, 4000000000000) AS n';
    const read = async (executor: SqlExecutor): Promise<void> => {
      let last = 0;
      for await (const { n } of await executor.execute<{ n: number }>(endless)) {
        last = n;
        if (n === 1_000) break;
      }
      assert.equal(last, 1_000);
      assert.deepEqual(await executor.fetchone(endless), { n: 1 });
    };
    await read(db);
    await db.transaction(read);
    await until(() => db.pool.idle === db.pool.size);
  });

  test('over TLS the certificate is verified, and statements are cancelled over TLS too', async () => {
    const certificate = makeCertificate();
    await using secured = await PostgresServer.start(certificate);
    const { url } = secured;
    await assert.rejects(connect(url), OperationalError);
    await assert.rejects(connect(`${url}?sslmode=require`), OperationalError);
    await using unverified = await connect(`${url}?sslmode=no-verify`);
    assert.deepEqual(await unverified.fetchone('SELECT 1 AS one'), { one: 1 });
    await using verified = await connect(url, { max: 1, tls: { ca: certificate.cert } });
    assert.deepEqual(await verified.fetchone('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'), {
      ssl: true,
    });
    await assert.rejects(
      timeout(50, () => verified.execute('SELECT pg_sleep(60)')),
      TimeoutError,
    );
    // The same connection goes on, so it was the cancel request that ended it.
    const { pid } = (await verified.fetchone<{ pid: number }>('SELECT pg_backend_pid() AS pid'))!;
    await assert.rejects(
      timeout(50, () => verified.execute('SELECT pg_sleep(60)')),
      TimeoutError,
    );
    assert.deepEqual(await verified.fetchone('SELECT pg_backend_pid() AS pid'), { pid });
  });
});

test('without the package pg the message says how to install it', () => {
  const hooks = `export async function resolve(specifier, context, next) {
    if (specifier === 'pg') throw Object.assign(new Error('not here'), { code: 'ERR_MODULE_NOT_FOUND' });
    return next(specifier, context);
  }`;
  const program = `
    import { register } from 'node:module';
    register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});
    const { connect } = await import(${JSON.stringify(new URL('../../src/postgres/index.ts', import.meta.url).href)});
    await connect('postgres://localhost/x').catch((error) => console.log(error.name, error.code, error.message));`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', program],
    { cwd: fileURLToPath(new URL('../..', import.meta.url)), encoding: 'utf8' },
  );
  assert.equal(
    stdout.trim(),
    'InterfaceError AIO_SQL_DRIVER aiohttp-ts/postgres needs the package pg: npm install pg',
    stderr,
  );
});

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { connect, objectRow, sql, tupleRow } from '../../src/sqlite/index.ts';
import { folder, onEvery, openFile, SCHEMA } from './databases.ts';

const INSERT = 'INSERT INTO posts (title) VALUES (?)';

onEvery('a connection', (test) => {
  test('runs statements and gives rows as plain objects', async (t, open) => {
    const db = await open(t);
    const made = await db.execute(SCHEMA);
    assert.deepEqual([made.rowcount, made.lastrowid, made.columns], [-1, undefined, undefined]);
    const inserted = await db.execute(INSERT, ['one']);
    assert.deepEqual([inserted.rowcount, inserted.lastrowid], [1, 1]);
    assert.equal(await db.executeInsert(INSERT, ['two']), 2);
    assert.deepEqual(await db.fetchone('SELECT id, title FROM posts WHERE id = ?', [2]), {
      id: 2,
      title: 'two',
    });
    assert.equal(await db.fetchone('SELECT id FROM posts WHERE id = ?', [3]), undefined);
    assert.deepEqual(await db.executeFetchall('SELECT id FROM posts ORDER BY id'), [{ id: 1 }, { id: 2 }]);
    const updated = await db.execute("UPDATE posts SET text = 'x'");
    assert.deepEqual([updated.rowcount, updated.lastrowid], [2, undefined]);
    assert.equal((await db.execute('SELECT 1')).rowcount, -1);
    assert.ok((await db.totalChanges()) >= 4);
  });

  test('runs one statement of both dialects', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    await db.execute(sql`INSERT INTO posts (title, text) VALUES (${'a'}, ${null}), (${'b'}, ${'c'})`);
    assert.deepEqual(await db.fetchall(sql`SELECT title FROM posts WHERE text IS NOT ${null}`), [
      { title: 'b' },
    ]);
    await assert.rejects(db.execute(sql`SELECT ${1}`, [1]), { code: 'AIO_SQL_PARAMETERS' });
  });

  test('a cursor gives one row, some rows, all rows, none', async (t, open) => {
    const db = await open(t);
    await db.execute('CREATE TABLE n (i INTEGER PRIMARY KEY)');
    assert.equal(
      await db.executemany(
        'INSERT INTO n VALUES (?)',
        Array.from({ length: 1_000 }, (_, i) => [i]),
      ),
      1_000,
    );
    const cursor = await db.execute<{ i: number }>('SELECT i FROM n ORDER BY i');
    assert.deepEqual(cursor.columns, ['i']);
    assert.deepEqual(await cursor.fetchone(), { i: 0 });
    assert.deepEqual(await cursor.fetchmany(), [{ i: 1 }]);
    assert.equal((await cursor.fetchmany(100)).at(-1)?.i, 101);
    const rest = await cursor.fetchall();
    assert.deepEqual([rest.length, rest.at(-1)?.i], [898, 999]);
    assert.equal(await cursor.fetchone(), undefined);
    assert.deepEqual(await cursor.fetchall(), []);
    await assert.rejects(cursor.fetchmany(0), RangeError);
    const empty = await db.execute('SELECT i FROM n WHERE i < 0');
    assert.deepEqual([empty.columns, await empty.fetchall()], [['i'], []]);
  });

  test('iteration can be left in the middle', async (t, open) => {
    const db = await open(t, { readers: 1 });
    await db.execute('CREATE TABLE n (i INTEGER PRIMARY KEY)');
    await db.executemany(
      'INSERT INTO n VALUES (?)',
      Array.from({ length: 300 }, (_, i) => [i]),
    );
    for (let round = 0; round < 3; round++) {
      let sum = 0;
      for await (const { i } of await db.execute<{ i: number }>('SELECT i FROM n ORDER BY i')) {
        if (i === 100) break;
        sum += i;
      }
      assert.equal(sum, 4_950);
      const cursor = await db.execute('SELECT i FROM n');
      await cursor.close();
      assert.deepEqual(await cursor.fetchall(), []);
    }
    assert.equal((await db.fetchall('SELECT i FROM n')).length, 300);
  });

  test('names of columns follow a changed schema', async (t, open) => {
    const db = await open(t);
    await db.execute('CREATE TABLE a (x, y)');
    await db.execute('INSERT INTO a VALUES (1, 2)');
    assert.deepEqual(await db.fetchall('SELECT * FROM a'), [{ x: 1, y: 2 }]);
    await db.execute('ALTER TABLE a RENAME COLUMN y TO z');
    assert.deepEqual(await db.fetchall('SELECT * FROM a'), [{ x: 1, z: 2 }]);
    await db.execute('ALTER TABLE a ADD COLUMN w');
    assert.deepEqual(await db.fetchall('SELECT * FROM a'), [{ x: 1, z: 2, w: null }]);
    await db.execute('UPDATE a SET x = 3 RETURNING *');
    await db.execute('ALTER TABLE a ADD COLUMN v DEFAULT 4');
    assert.deepEqual(await db.fetchone('UPDATE a SET x = 3 RETURNING *'), { x: 3, z: 2, w: null, v: 4 });
    const cursor = await db.execute('SELECT * FROM a');
    assert.deepEqual(await cursor.fetchall(), [{ x: 3, z: 2, w: null, v: 4 }]);
  });

  test('makes rows as it is told to', async (t, open) => {
    const db = await open(t, { rowFactory: tupleRow });
    assert.deepEqual(await db.fetchone('SELECT 1 AS a, 2 AS a'), [1, 2]);
    db.rowFactory = (columns, values) => new Map(columns.map((name, index) => [name, values[index]]));
    assert.deepEqual(await db.fetchone('SELECT 1 AS a'), new Map([['a', 1]]));
    db.rowFactory = objectRow;
    const row = await db.fetchone('SELECT 1 AS __proto__, 2 AS b');
    assert.deepEqual(Object.entries(row!), [
      ['__proto__', 1],
      ['b', 2],
    ]);
    assert.equal(Object.getPrototypeOf(row), Object.prototype);
  });

  test('a script has several statements, triggers and transactions of its own', async (t, open) => {
    const db = await open(t);
    await db.executescript(`
      CREATE TABLE a (b INTEGER);
      CREATE TRIGGER twice AFTER INSERT ON a WHEN new.b < 10 BEGIN INSERT INTO a VALUES (new.b + 10); END;
      BEGIN; INSERT INTO a VALUES (1); COMMIT; -- the end`);
    assert.deepEqual(await db.fetchall('SELECT b FROM a ORDER BY b'), [{ b: 1 }, { b: 11 }]);
    await assert.rejects(db.executescript('BEGIN; INSERT INTO a VALUES (2)'), { name: 'ProgrammingError' });
    await assert.rejects(db.executescript('BEGIN; INSERT INTO a VALUES (2); SELECT nonsense'), {
      name: 'OperationalError',
      statement: 'SELECT nonsense',
    });
    assert.equal((await db.fetchall('SELECT b FROM a')).length, 2);
    await assert.rejects(db.executescript('SELECT ?'), { code: 'AIO_SQL_PARAMETERS' });
  });

  test('executemany is all or nothing', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    const titles = Array.from({ length: 600 }, (_, index) => [`t${index % 599}`]);
    await assert.rejects(db.executemany(INSERT, titles), { constraint: 'unique' });
    assert.deepEqual(await db.fetchall('SELECT id FROM posts'), []);
    async function* named(): AsyncGenerator<{ title: string }> {
      for (let index = 0; index < 300; index++) yield { title: `n${index}` };
    }
    assert.equal(await db.executemany('INSERT INTO posts (title) VALUES (:title)', named()), 300);
    await assert.rejects(db.executemany('SELECT ?', [[1]]), { name: 'ProgrammingError' });
  });

  test('errors have a class, a code and the statement, and never the values', async (t, open) => {
    const db = await open(t);
    await db.executescript(`
      CREATE TABLE parent (id INTEGER PRIMARY KEY);
      CREATE TABLE child (
        id INTEGER PRIMARY KEY, title TEXT NOT NULL UNIQUE,
        n INTEGER CHECK (n > 0), parent INTEGER REFERENCES parent (id)
      ) STRICT;
      CREATE TABLE keyed (a, b, PRIMARY KEY (a, b)) WITHOUT ROWID;
      INSERT INTO child (title) VALUES ('taken'); INSERT INTO keyed VALUES (1, 1)`);
    const table: readonly (readonly [string, readonly (string | number)[], object])[] = [
      ['INSERT INTO child (title) VALUES (?)', ['taken'], { constraint: 'unique', sqliteCode: 2067 }],
      ['INSERT INTO child (title) VALUES (NULL)', [], { constraint: 'not null', sqliteCode: 1299 }],
      ["INSERT INTO child (title, n) VALUES ('x', ?)", [-7], { constraint: 'check', sqliteCode: 275 }],
      [
        "INSERT INTO child (title, parent) VALUES ('x', ?)",
        [77],
        { constraint: 'foreign key', sqliteCode: 787 },
      ],
      [
        "INSERT INTO child (title, n) VALUES ('x', ?)",
        ['secret'],
        { constraint: 'datatype', sqliteCode: 3091 },
      ],
      ['INSERT INTO keyed VALUES (?, 1)', [1], { constraint: 'primary key', sqliteCode: 1555 }],
      ['INSERT INTO child (id, title) VALUES (1, ?)', ['secret'], { constraint: 'primary key' }],
      ['SELECT * FROM nowhere WHERE a = ?', ['secret'], { name: 'OperationalError', sqliteCode: 1 }],
      ['SELEC ?', ['secret'], { name: 'OperationalError' }],
      ["SELECT json('{' || ?)", ['secret'], { name: 'OperationalError' }],
      ['INSERT INTO parent VALUES (?)', ['secret'], { name: 'DataError' }],
    ];
    for (const [statement, values, expected] of table) {
      await assert.rejects(db.execute(statement, values), (error: Error) => {
        assert.match((error as { code?: string }).code ?? '', /^AIO_SQL_/);
        for (const [key, value] of Object.entries(expected)) {
          assert.equal((error as never)[key], value, `${key} of ${statement}: ${error.message}`);
        }
        assert.equal((error as { statement?: string }).statement, statement);
        const shown = `${error.message} ${error.stack} ${JSON.stringify(error)}`;
        assert.ok(!shown.includes('secret'), shown);
        return true;
      });
    }
  });

  test('values are checked before they reach SQLite', async (t, open) => {
    const db = await open(t);
    const refused: readonly (readonly [string, unknown, string])[] = [
      ['SELECT ?', undefined, 'AIO_SQL_PARAMETERS'],
      ['SELECT ?', [], 'AIO_SQL_PARAMETERS'],
      ['SELECT ?', [1, 2], 'AIO_SQL_PARAMETERS'],
      ['SELECT 1', [1], 'AIO_SQL_PARAMETERS'],
      ['SELECT ?', new Date(), 'AIO_SQL_PARAMETERS'],
      ['SELECT ?', { a: 1 }, 'AIO_SQL_PARAMETERS'],
      ['SELECT ?', 'text', 'AIO_SQL_PARAMETERS'],
      ['SELECT ?', new Uint8Array(1), 'AIO_SQL_PARAMETERS'],
      ['SELECT :a', [1], 'AIO_SQL_PARAMETERS'],
      ['SELECT :a', {}, 'AIO_SQL_PARAMETERS'],
      ['SELECT :a', { a: 1, b: 2 }, 'AIO_SQL_PARAMETERS'],
      ['SELECT :toString', {}, 'AIO_SQL_PARAMETERS'],
      ['SELECT ?', [undefined], 'AIO_SQL_VALUE'],
      ['SELECT :a', { a: undefined }, 'AIO_SQL_VALUE'],
      ['SELECT ?', [Number.NaN], 'AIO_SQL_VALUE'],
      ['SELECT ?', [2n ** 63n], 'AIO_SQL_VALUE'],
      ['SELECT ?', [-(2n ** 63n) - 1n], 'AIO_SQL_VALUE'],
      ['SELECT ?', [[1]], 'AIO_SQL_VALUE'],
      ['SELECT ?', [{}], 'AIO_SQL_VALUE'],
      ['SELECT ?', [new ArrayBuffer(1)], 'AIO_SQL_VALUE'],
      ['SELECT ?', [Symbol('a')], 'AIO_SQL_VALUE'],
      ['SELECT ?', ['\ud800'], 'AIO_SQL_VALUE'],
      ['SELECT ?', [new Date(Number.NaN)], 'AIO_SQL_VALUE'],
    ];
    for (const [statement, values, code] of refused) {
      await assert.rejects(db.fetchall(statement, values as never), { code, statement }, inspect(values));
    }
  });

  test('placeholders have names, numbers or neither', async (t, open) => {
    const db = await open(t);
    assert.deepEqual(
      await db.fetchone('SELECT :a AS x, @b AS y, $c AS z, :a AS w', { a: 1, b: 'two', c: null }),
      {
        x: 1,
        y: 'two',
        z: null,
        w: 1,
      },
    );
    assert.deepEqual(await db.fetchone('SELECT ?2 AS x, ?1 AS y, ?2 AS z', ['a', 'b']), {
      x: 'b',
      y: 'a',
      z: 'b',
    });
  });

  test('dates are converted by the rule of the connection', async (t, open) => {
    const date = new Date('2024-05-06T07:08:09.010Z');
    const iso = await open(t);
    assert.deepEqual(await iso.fetchone('SELECT ? AS at', [date]), { at: '2024-05-06T07:08:09.010Z' });
    const ms = await open(t, { dates: 'ms' });
    assert.deepEqual(await ms.fetchone('SELECT ? AS at', [date]), { at: date.getTime() });
    const refuse = await open(t, { dates: 'refuse' });
    await assert.rejects(refuse.fetchone('SELECT ?', [date]), { code: 'AIO_SQL_VALUE' });
  });

  test('what is asked of the connection that wrote is answered by it', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    await db.execute(INSERT, ['one']);
    assert.deepEqual(await db.fetchone('SELECT last_insert_rowid() AS id, changes() AS n'), { id: 1, n: 1 });
    await db.execute('CREATE TEMP TABLE posts (title)');
    await db.execute("INSERT INTO temp.posts VALUES ('temporary')");
    assert.deepEqual(await db.fetchall('SELECT title FROM posts'), [{ title: 'temporary' }]);
    assert.deepEqual(await db.fetchall('SELECT title FROM main.posts'), [{ title: 'one' }]);
  });

  test('RETURNING gives rows, and runs once', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    const cursor = await db.execute(
      "INSERT INTO posts (title) VALUES ('a'), ('b') RETURNING id, title, 9007199254740993 AS big",
    );
    assert.deepEqual([cursor.rowcount, cursor.lastrowid], [2, 2]);
    assert.deepEqual(await cursor.fetchall(), [
      { id: 1, title: 'a', big: 9007199254740993n },
      { id: 2, title: 'b', big: 9007199254740993n },
    ]);
    assert.deepEqual(await db.fetchone('DELETE FROM posts WHERE id = 1 RETURNING title'), { title: 'a' });
    assert.deepEqual(await db.fetchone('SELECT count(*) AS n FROM posts'), { n: 1 });
  });

  test('is dumped as SQL that makes it again', async (t, open) => {
    const db = await open(t);
    await db.executescript(`${SCHEMA}; CREATE INDEX by_owner ON posts (owner);
      CREATE TABLE "odd ""name" (a BLOB, b REAL);
      CREATE VIEW titles AS SELECT title FROM posts;
      INSERT INTO posts (title, text) VALUES ('it''s', 'a
b')`);
    await db.execute('INSERT INTO "odd ""name" VALUES (?, ?)', [new Uint8Array([0, 255]), 0.1]);
    const statements: string[] = [];
    for await (const statement of db.iterdump()) statements.push(statement);
    const copy = await connect(':memory:');
    t.after(() => copy.close());
    await copy.executescript(statements.join('\n'));
    for (const query of ['SELECT * FROM posts', 'SELECT * FROM "odd ""name"', 'SELECT * FROM titles']) {
      assert.deepEqual(await copy.fetchall(query), await db.fetchall(query));
    }
    for await (const _ of db.iterdump()) break;
    await db.execute(INSERT, ['still writable']);
  });

  test('is copied into a file while it is used', async (t, open) => {
    const db = await open(t);
    await db.execute(SCHEMA);
    await db.executemany(
      'INSERT INTO posts (title, text) VALUES (?, ?)',
      (function* () {
        for (let index = 0; index < 500; index++) yield [`t${index}`, 'x'.repeat(200)];
      })(),
    );
    const target = path.join(await folder(t), 'copy.db');
    const steps: [number, number][] = [];
    await db.backup(target, {
      pages: 5,
      progress: (remaining, total) => void steps.push([remaining, total]),
    });
    assert.ok(steps.length > 0);
    assert.ok(steps.every(([remaining, total]) => remaining >= 0 && remaining <= total));
    await using copy = await connect(target, { readOnly: true });
    assert.deepEqual(await copy.fetchone('SELECT count(*) AS n FROM posts'), { n: 500 });
    await assert.rejects(db.backup(path.join(target, 'no', 'folder')), (error: Error) =>
      /backup into/.test(error.message),
    );
    await assert.rejects(db.backup(target, { pages: 0 }), RangeError);
  });

  test('refuses everything after close, and closes once', async (t, open) => {
    const db = await open(t);
    const cursor = await db.execute('SELECT 1 AS a');
    await Promise.all([db.close(), db.close()]);
    for (const late of [
      () => db.execute('SELECT 1'),
      () => db.fetchall('SELECT 1'),
      () => db.execute('CREATE TABLE a (b)'),
      () => db.transaction(async () => 1),
      () => db.executemany('INSERT INTO a VALUES (?)', [[1]]),
      () => db.executescript('SELECT 1'),
      () => db.execute('BEGIN'),
    ]) {
      await assert.rejects(late(), { name: 'InterfaceError', code: 'AIO_SQL_CLOSED' });
    }
    assert.deepEqual(await cursor.fetchall(), [{ a: 1 }]);
  });

  test('a signal that was aborted before stops a statement', async (t, open) => {
    const db = await open(t);
    const signal = AbortSignal.abort(new Error('left'));
    await assert.rejects(db.execute('CREATE TABLE a (b)', [], { signal }), /left/);
    await assert.rejects(db.fetchall('SELECT 1', [], { signal }), /left/);
    await assert.rejects(db.fetchall('SELECT * FROM a'), { name: 'OperationalError' });
  });
});

describe('functions for SQL', () => {
  test('are known to every connection', async (t) => {
    const db = await openFile(t);
    db.createFunction('shout', (text: string) => `${text.toUpperCase()}!`, { deterministic: true });
    await db.execute('CREATE TABLE a (b)');
    await db.execute("INSERT INTO a VALUES (shout('a'))");
    assert.deepEqual(await db.fetchall("SELECT b, shout('b') AS c FROM a"), [{ b: 'A!', c: 'B!' }]);
  });

  test('may throw, and may not use their connection', async (t) => {
    const db = await openFile(t);
    const seen: string[] = [];
    db.createFunction('fail', () => {
      throw new Error('from the function');
    });
    db.createFunction('nest', () => {
      db.fetchall('SELECT nest()').catch((error: Error) => seen.push(error.message));
      return 1;
    });
    await assert.rejects(db.fetchall('SELECT fail()'), /from the function/);
    assert.deepEqual(await db.fetchall('SELECT nest() AS a'), [{ a: 1 }]);
    assert.match(seen[0]!, /cannot use the connection/);
  });

  test('need the main thread', async (t) => {
    const db = await openFile(t, { mode: 'worker' });
    assert.throws(() => db.createFunction('a', () => 1), { name: 'NotSupportedError' });
  });
});

describe('opening', () => {
  test('makes the file, in WAL mode, with foreign keys', async (t) => {
    const db = await openFile(t);
    assert.ok(existsSync(db.path));
    assert.deepEqual(await db.fetchone('PRAGMA journal_mode'), { journal_mode: 'wal' });
    assert.deepEqual(await db.fetchone('PRAGMA synchronous'), { synchronous: 1 });
    assert.deepEqual(await db.fetchone('PRAGMA foreign_keys'), { foreign_keys: 1 });
  });

  for (const mode of ['main', 'worker'] as const) {
    test(`refuses what cannot be opened (${mode})`, async (t) => {
      const missing = path.join(await folder(t), 'no', 'such.db');
      await assert.rejects(connect(missing, { mode }), (error: Error) => {
        assert.equal(error.name, 'OperationalError');
        assert.match(error.message, /cannot open .*such\.db/);
        return true;
      });
      await assert.rejects(connect(path.join(await folder(t), 'a.db'), { mode, readOnly: true }), {
        name: 'OperationalError',
      });
    });

    test(`a read-only database is not written to (${mode})`, async (t) => {
      const file = path.join(await folder(t), 'a.db');
      {
        await using db = await connect(file);
        await db.execute(SCHEMA);
      }
      await using db = await connect(file, { mode, readOnly: true });
      assert.deepEqual(await db.fetchall('SELECT * FROM posts'), []);
      await assert.rejects(db.execute(INSERT, ['a']), { name: 'OperationalError', sqliteCode: 8 });
      await assert.rejects(
        db.transaction((tx) => tx.execute(INSERT, ['a'])),
        { name: 'OperationalError' },
      );
    });
  }

  test('works without WAL', async (t) => {
    const db = await openFile(t, { journalMode: 'delete' });
    await db.execute(SCHEMA);
    const cursor = await db.execute('SELECT * FROM posts');
    await db.execute(INSERT, ['a']);
    await cursor.close();
    assert.equal((await db.fetchall('SELECT * FROM posts')).length, 1);
  });

  test('options are checked', async () => {
    const wrong: readonly object[] = [
      { mode: 'thread' },
      { readers: 0 },
      { readers: 1.5 },
      { busyTimeout: -1 },
      { busyTimeout: Number.NaN },
      { journalMode: "wal'; --" },
      { synchronous: 'maybe' },
      { dates: 'unix' },
      { driver: 'sqlite3' },
    ];
    for (const options of wrong) {
      await assert.rejects(connect(':memory:', options), { name: 'RangeError', code: 'AIO_SQL_OPTION' });
    }
    await assert.rejects(connect('a\0b'), { name: 'TypeError', code: 'AIO_SQL_OPTION' });
    await assert.rejects(connect(7 as never), { name: 'TypeError' });
  });

  test('a slow statement on the main thread is reported', async (t) => {
    const slow: string[] = [];
    const db = await openFile(t, { slowQuery: 0, onSlowQuery: ({ statement }) => void slow.push(statement) });
    await db.fetchall('SELECT 1');
    assert.ok(slow.includes('SELECT 1'));
  });
});

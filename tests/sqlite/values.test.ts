import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import fc from 'fast-check';
import type { SqlValue } from '../../src/sql/index.ts';
import { onEvery } from './databases.ts';

/** What a value is when it comes back. */
function expected(value: SqlValue): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (Object.is(value, -0)) return 0;
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'bigint') return value instanceof Uint8Array ? new Uint8Array(value) : value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

const wellFormed = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));

const anyValue: fc.Arbitrary<SqlValue> = fc.oneof(
  fc.constant(null),
  wellFormed,
  fc.integer(),
  fc.maxSafeInteger(),
  // @photostructure/sqlite stores 0 for less than 2^-52: refused there, see below.
  fc.double({ noNaN: true }).filter((value) => Math.abs(value) > 1e-15 || value === 0),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.boolean(),
  fc.uint8Array({ maxLength: 300 }),
  fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }),
);

const edges: readonly SqlValue[] = [
  0,
  -0,
  0.1,
  -1.5e300,
  -5e-324,
  1e-15,
  Number.MAX_VALUE,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  2 ** 53,
  2n ** 53n,
  2n ** 53n + 1n,
  -(2n ** 53n) - 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  0n,
  true,
  false,
  '',
  'ü€😀',
  "it's",
  'x'.repeat(100_000),
  new Uint8Array(),
  new Uint8Array([0, 1, 255]),
  Buffer.from('a slice of a pool'),
  new Uint8Array(100_000).fill(7),
  new Date(0),
];

onEvery('values', (test) => {
  test('come back as they went in', async (t, open) => {
    const db = await open(t);
    await db.execute('CREATE TABLE box (id INTEGER PRIMARY KEY, a, b)');
    for (const value of edges) {
      const [row] = await db.fetchall('SELECT ? AS a, :b AS b'.replace(':b', '?'), [value, value]);
      const wanted = expected(value);
      assert.deepEqual(row, { a: wanted, b: wanted }, inspect(value));
      await db.execute('INSERT INTO box (a, b) VALUES (:a, :b)', { a: value, b: null });
    }
    const cursor = await db.execute<{ a: unknown }>('SELECT a FROM box ORDER BY id');
    const rows = await cursor.fetchall();
    assert.deepEqual(
      rows.map(({ a }) => a),
      edges.map(expected),
    );
  });

  test('come back as they went in, whatever they are', async (t, open) => {
    const db = await open(t);
    await db.execute('CREATE TABLE box (id INTEGER PRIMARY KEY, a, b)');
    await fc.assert(
      fc.asyncProperty(anyValue, anyValue, async (a, b) => {
        const { lastrowid } = await db.execute('INSERT INTO box (a, b) VALUES (?, ?)', [a, b]);
        const row = await db.fetchone('SELECT a, b FROM box WHERE id = ?', [lastrowid!]);
        assert.deepEqual(row, { a: expected(a), b: expected(b) });
      }),
      { seed: 20260101, numRuns: 150 },
    );
  });

  test('what a driver cannot keep is refused: no tiny number becomes 0, no text is cut', async (t, open) => {
    const db = await open(t);
    for (const tiny of [5e-324, 1e-300, 1e-17, 'a\0b', '\0']) {
      const row = await db.fetchone('SELECT ? AS a', [tiny]).catch((error: unknown) => error);
      if (row instanceof Error) assert.equal((row as { code?: string }).code, 'AIO_SQL_VALUE');
      else assert.deepEqual(row, { a: tiny });
    }
  });

  test('whole numbers are integers for SQL, others are not', async (t, open) => {
    const db = await open(t);
    assert.deepEqual(
      await db.fetchone('SELECT typeof(?) AS a, typeof(?) AS b, typeof(?) AS c, ? / 2 AS d', [5, 5.5, 5n, 5]),
      {
        a: 'integer',
        b: 'real',
        c: 'integer',
        d: 2,
      },
    );
  });

  test('an integer that is too large for a number is a bigint wherever it stands', async (t, open) => {
    const db = await open(t);
    await db.execute('CREATE TABLE big (i INTEGER)');
    const values = Array.from({ length: 300 }, (_, index) => [index === 200 ? 2n ** 62n : index] as const);
    await db.executemany('INSERT INTO big VALUES (?)', values);
    const all = await db.fetchall<{ i: number | bigint }>('SELECT i FROM big ORDER BY rowid');
    const streamed: (number | bigint)[] = [];
    for await (const { i } of await db.execute<{ i: number | bigint }>('SELECT i FROM big ORDER BY rowid')) {
      streamed.push(i);
    }
    assert.deepEqual(
      all.map(({ i }) => i),
      values.map(([i]) => i),
    );
    assert.deepEqual(
      streamed,
      values.map(([i]) => i),
    );
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import { type SqlInput, SqlQuery, sql } from '../../src/sql/index.ts';

describe('sql`…`', () => {
  test('puts values beside the text, for both databases', () => {
    const query = sql`SELECT * FROM posts WHERE id = ${7} AND owner = ${'ada'}`;
    assert.equal(query.render('sqlite'), 'SELECT * FROM posts WHERE id = ? AND owner = ?');
    assert.equal(query.render('postgres'), 'SELECT * FROM posts WHERE id = $1 AND owner = $2');
    assert.deepEqual(query.values, [7, 'ada']);
    expectTypeOf(query).toEqualTypeOf<SqlQuery>();
  });

  test('a value is never text', () => {
    const evil = "'; DROP TABLE posts; --";
    const query = sql`SELECT ${evil}`;
    assert.equal(query.render('postgres'), 'SELECT $1');
    assert.deepEqual(query.values, [evil]);
  });

  test('takes fragments inside, and counts on', () => {
    const owner = sql`owner = ${'ada'}`;
    const both = sql`(${owner} OR editor = ${'grace'})`;
    const query = sql`SELECT ${1} WHERE ${both} AND ${owner} LIMIT ${5}`;
    assert.equal(
      query.render('postgres'),
      'SELECT $1 WHERE (owner = $2 OR editor = $3) AND owner = $4 LIMIT $5',
    );
    assert.deepEqual(query.values, [1, 'ada', 'grace', 'ada', 5]);
  });

  test('joins lists of values and of fragments', () => {
    assert.equal(sql`IN (${sql.join([1, 2, 3])})`.render('postgres'), 'IN ($1, $2, $3)');
    const rows = sql.join([1, 2].map((id) => sql`(${id}, ${`t${id}`})`));
    const insert = sql`INSERT INTO posts VALUES ${rows}`;
    assert.equal(insert.render('sqlite'), 'INSERT INTO posts VALUES (?, ?), (?, ?)');
    assert.deepEqual(insert.values, [1, 't1', 2, 't2']);
    assert.equal(sql.join([sql`a`, sql`b`], ' AND ').render('sqlite'), 'a AND b');
    assert.equal(sql.join(new Set(['one'])).render('sqlite'), '?');
  });

  test('refuses an empty list', () => {
    assert.throws(() => sql.join([]), { name: 'RangeError', code: 'AIO_SQL_EMPTY_LIST' });
  });

  test('quotes names', () => {
    assert.equal(sql.identifier('posts').render('sqlite'), '"posts"');
    assert.equal(
      sql.identifier('public', 'my "own" table').render('postgres'),
      '"public"."my ""own"" table"',
    );
    for (const bad of ['', 'a\0b']) {
      assert.throws(() => sql.identifier(bad), { name: 'RangeError', code: 'AIO_SQL_IDENTIFIER' });
    }
  });

  test('unsafeRaw is text as it is', () => {
    assert.equal(
      sql`SELECT 1 ${sql.unsafeRaw('ORDER BY id DESC')}`.render('sqlite'),
      'SELECT 1 ORDER BY id DESC',
    );
  });

  test('takes every value that a statement can carry, and nothing else', () => {
    const fine: SqlInput[] = [null, 'a', 1, 2n, true, new Uint8Array(1), new Date(0)];
    assert.deepEqual(sql`${sql.join(fine)}`.values, fine);
    for (const bad of [undefined, [1], {}, () => 1, Symbol('a'), new Map()]) {
      assert.throws(() => sql`SELECT ${bad as never}`, { name: 'TypeError', code: 'AIO_SQL_VALUE' });
      assert.throws(() => sql`SELECT ${sql`1`}, ${bad as never}`, { code: 'AIO_SQL_VALUE' });
      assert.throws(() => sql.join([bad as never]), { code: 'AIO_SQL_VALUE' });
    }
  });

  test('the same template is rendered once, whatever its values', () => {
    const texts = [1, 2].map((id) => sql`SELECT ${id}`).map((query) => query.render('postgres'));
    assert.deepEqual(texts, ['SELECT $1', 'SELECT $1']);
  });

  test('a look-alike is no fragment', () => {
    const fake = { parts: ['1; DROP TABLE posts'], values: [] };
    assert.throws(() => sql`SELECT ${fake as never}`, { code: 'AIO_SQL_VALUE' });
    assert.ok(sql`SELECT 1` instanceof SqlQuery);
  });
});

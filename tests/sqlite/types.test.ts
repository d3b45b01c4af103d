import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import type { Database, SqlExecutor } from '../../src/sql/index.ts';
import {
  type Connection,
  type Cursor,
  connect,
  type Row,
  type SqlTransaction,
} from '../../src/sqlite/index.ts';

test('types', async () => {
  await using db = await connect(':memory:');
  expectTypeOf(db).toEqualTypeOf<Connection>();
  expectTypeOf(db).toExtend<Database>();
  expectTypeOf<SqlTransaction>().toExtend<SqlExecutor>();
  expectTypeOf(await db.fetchone('SELECT 1 AS a')).toEqualTypeOf<Row | undefined>();
  expectTypeOf(await db.fetchall<{ a: number }>('SELECT 1 AS a')).toEqualTypeOf<{ a: number }[]>();
  expectTypeOf(await db.execute<{ a: number }>('SELECT 1 AS a')).toEqualTypeOf<Cursor<{ a: number }>>();
  const value = await db.transaction(async (tx) => {
    expectTypeOf(tx).toEqualTypeOf<SqlTransaction>();
    return 7 as const;
  });
  expectTypeOf(value).toEqualTypeOf<7>();
  expectTypeOf(db.transactionScope().run(() => 'text')).toEqualTypeOf<string>();
  // @ts-expect-error undefined is no value: null is NULL
  await assert.rejects(db.execute('SELECT ?', [undefined]));
  // @ts-expect-error a Date alone is no set of values
  await assert.rejects(db.execute('SELECT ?', new Date()));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../src/sqlite/index.ts';

test('a dump keeps where AUTOINCREMENT goes on, although the rows are gone', async () => {
  await using db = await connect(':memory:');
  await db.executescript(
    'CREATE TABLE n (id INTEGER PRIMARY KEY AUTOINCREMENT, v); INSERT INTO n (v) VALUES (1), (2); DELETE FROM n',
  );
  let script = '';
  for await (const line of db.iterdump()) script += `${line}\n`;
  await using copy = await connect(':memory:');
  await copy.executescript(script);
  assert.equal((await copy.execute('INSERT INTO n (v) VALUES (3)')).lastrowid, 3);
});

test('a dump of tables without AUTOINCREMENT does not speak of sqlite_sequence', async () => {
  await using db = await connect(':memory:');
  await db.execute("CREATE TABLE n (id INTEGER PRIMARY KEY, v DEFAULT 'AUTOINCREMENT')");
  for await (const line of db.iterdump()) assert.doesNotMatch(line, /sqlite_sequence/);
});

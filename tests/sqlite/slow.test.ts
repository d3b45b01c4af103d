import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openFile } from './databases.ts';

test('connect does not warn about its own statements, and a slow COMMIT is not told to get an index', async (t) => {
  const said = new Map<string, string>();
  t.mock.method(process, 'emitWarning', (message: string, { detail }: { detail: string }) => {
    said.set(message.replace(/^.*? ms: /, ''), detail);
  });
  const db = await openFile(t, { slowQuery: 0 });
  await db.execute('CREATE TABLE n (i)');
  await db.transaction((tx) => tx.execute('INSERT INTO n VALUES (1)'));
  await db.fetchall('SELECT i FROM n');
  assert.deepEqual([...said.keys()], ['INSERT INTO n VALUES (1)', 'COMMIT', 'SELECT i FROM n']);
  assert.match(said.get('SELECT i FROM n')!, /^Give it an index, or connect with \{ mode: 'worker' \}/);
  assert.match(said.get('INSERT INTO n VALUES (1)')!, /index; if it waited for a slow disk/);
  assert.match(said.get('COMMIT')!, /^It waited for a slow disk: connect with \{ mode: 'worker' \}/);
});

import assert from 'node:assert/strict';
import { chmod, copyFile, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { connect, OperationalError } from '../../src/sqlite/index.ts';
import { folder, onEvery } from './databases.ts';

const FILL =
  'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO n SELECT randomblob(1000) FROM n';

onEvery('close', (add) => {
  add('waits for a backup that runs: closing under it ended the process', async (t, open) => {
    const file = path.join(await folder(t), 'copy.db');
    const db = await open(t);
    await db.execute('CREATE TABLE n (v)');
    await db.execute(FILL);
    const backup = db.backup(file, { pages: 1 });
    await db.close();
    await backup;
    await using copy = await connect(file, { readOnly: true });
    assert.deepEqual(await copy.fetchone('SELECT count(*) AS n FROM n'), { n: 2000 });
  });
});

// Root may write what is read-only.
const skip = process.platform === 'win32' || process.getuid?.() === 0;

test('a file that may not be written says so, and how to read it', { skip }, async (t) => {
  const file = path.join(await folder(t), 'a.db');
  await using made = await connect(file, { journalMode: 'delete' });
  await made.execute('CREATE TABLE n (v)');
  await made.close();
  await chmod(file, 0o444);
  await assert.rejects(connect(file), { name: 'OperationalError', message: /readOnly: true/ });
  await using db = await connect(file, { readOnly: true });
  assert.deepEqual(await db.fetchall('SELECT v FROM n'), []);
});

for (const mode of ['main', 'worker'] as const) {
  test(`whoever copies the file after close has all of it (${mode})`, async (t) => {
    const made = await folder(t);
    const db = await connect(path.join(made, 'a.db'), { mode });
    await db.execute('CREATE TABLE n (v)');
    await db.execute(FILL);
    await db.fetchone('SELECT 1');
    await db.close();
    await copyFile(path.join(made, 'a.db'), path.join(made, 'b.db'));
    await using copy = await connect(path.join(made, 'b.db'));
    assert.deepEqual(await copy.fetchone('SELECT count(*) AS n FROM n'), { n: 2000 });
  });

  test(`a connection that cannot be opened later is a database error with the path (${mode})`, async (t) => {
    const file = path.join(await folder(t), 'a.db');
    const db = await connect(file, { mode });
    try {
      await rm(file);
      await mkdir(file);
      for (const ask of [
        () => db.fetchone('SELECT 1'),
        () => db.transaction((tx) => tx.fetchone('SELECT 1'), { readOnly: true }),
      ]) {
        await assert.rejects(ask, (error: unknown) => {
          assert.ok(error instanceof OperationalError);
          assert.ok(error.message.includes(file));
          return true;
        });
      }
    } finally {
      await db.close();
    }
  });
}

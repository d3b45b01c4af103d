import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect } from '../../src/sqlite/index.ts';
import { folder, SCHEMA } from './databases.ts';

const INSERT = 'INSERT INTO posts (title) VALUES (?)';

function start(t: TestContext, role: string, file: string): ChildProcess {
  const child = fork(fileURLToPath(new URL('./child.ts', import.meta.url)), [role, file], {
    execArgv: ['--import', 'tsx'],
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

describe('another process holds the lock', () => {
  for (const mode of ['main', 'worker'] as const) {
    test(`the event loop goes on, and all writes get through (${mode})`, async (t) => {
      const file = path.join(await folder(t), 'shared.db');
      const db = await connect(file, { mode, busyTimeout: 60_000, slowQuery: Number.POSITIVE_INFINITY });
      t.after(() => db.close());
      await db.execute(SCHEMA);
      const child = start(t, 'lock', file);
      await once(child, 'message');
      let written = 0;
      const writes = [
        db.execute(INSERT, ['statement']),
        db.transaction((tx) => tx.execute(INSERT, ['transaction'])),
        db.executemany(INSERT, [['many']]),
        db.executescript("INSERT INTO posts (title) VALUES ('script')"),
      ].map((write) => write.then(() => written++));
      // The loop turns as it likes while four writes wait: had one of them waited inside of SQLite, no turn would come before its end.
      for (let turn = 0; turn < 200; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
        assert.deepEqual(await db.fetchall('SELECT title FROM posts'), []);
      }
      assert.equal(written, 0);
      child.send('go');
      await Promise.all(writes);
      assert.equal((await db.fetchall('SELECT title FROM posts')).length, 5);
    });
  }

  test('a write gives up after busyTimeout, or when its caller does', async (t) => {
    const file = path.join(await folder(t), 'shared.db');
    const db = await connect(file, { busyTimeout: 10 });
    t.after(() => db.close());
    await db.execute(SCHEMA);
    const child = start(t, 'lock', file);
    await once(child, 'message');
    await assert.rejects(db.execute(INSERT, ['x']), (error: Error) => {
      assert.equal(error.name, 'OperationalError');
      assert.equal((error as { code?: string }).code, 'AIO_SQL_BUSY');
      assert.equal((error as { statement?: string }).statement, INSERT);
      return true;
    });
    await assert.rejects(
      db.transaction(async () => {}),
      { code: 'AIO_SQL_BUSY' },
    );
    const controller = new AbortController();
    const waiting = db.transaction(async () => {}, { timeout: 60_000, signal: controller.signal });
    controller.abort(new Error('left'));
    await assert.rejects(waiting, /left/);
    child.send('go');
    await once(child, 'exit');
    await db.execute(INSERT, ['after']);
  });
});

test('kill -9 loses nothing that was acknowledged, and leaves nothing half done', async (t) => {
  const file = path.join(await folder(t), 'killed.db');
  {
    await using db = await connect(file);
    await db.execute(SCHEMA);
  }
  const child = start(t, 'write', file);
  let acknowledged = -1;
  child.on('message', (index: number) => {
    acknowledged = index;
    if (index === 200) child.kill('SIGKILL');
  });
  await once(child, 'exit');
  assert.ok(acknowledged >= 200);
  await using db = await connect(file);
  const rows = await db.fetchall<{ title: string }>('SELECT title FROM posts');
  const titles = new Set(rows.map(({ title }) => title));
  for (let index = 0; index <= acknowledged; index++) {
    for (const kind of ['a', 'b', 'c']) assert.ok(titles.has(`${kind}${index}`), `${kind}${index}`);
  }
  for (const title of titles) {
    if (title.startsWith('a')) assert.ok(titles.has(`b${title.slice(1)}`), `half of a transaction: ${title}`);
  }
  assert.deepEqual(await db.fetchone('PRAGMA integrity_check'), { integrity_check: 'ok' });
});

import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Context } from '../../src/asyncio/index.ts';
import { connect } from '../../src/sqlite/index.ts';
import { folder, openFile, SCHEMA } from './databases.ts';

/** Files below a folder that this process has open. */
function openFiles(below: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(below) ? [target] : [];
    } catch {
      return [];
    }
  });
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Waits for files to be closed. @photostructure/sqlite keeps a closed database open until its statements are collected. */
async function closed(below: string): Promise<void> {
  for (let turn = 0; turn < 1_000 && openFiles(below).length > 0; turn++) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(openFiles(below), []);
}

function threads(): number {
  return readdirSync('/proc/self/task').length;
}

const linux = { skip: process.platform === 'linux' ? false : 'needs /proc' };

describe('nothing stays open', () => {
  for (const mode of ['main', 'worker'] as const) {
    test(`files and threads are gone after close (${mode})`, linux, async (t) => {
      const below = await folder(t);
      const before = threads();
      for (let round = 0; round < 3; round++) {
        const db = await connect(path.join(below, 'a.db'), { mode });
        await db.execute(`CREATE TABLE IF NOT EXISTS ${SCHEMA.slice('CREATE TABLE '.length)}`);
        await Promise.all(Array.from({ length: 8 }, () => db.fetchall('SELECT * FROM posts')));
        await db.execute('SELECT * FROM posts');
        await assert.rejects(db.execute('nonsense'));
        await db.close();
        await closed(below);
      }
      assert.ok(threads() <= before + 1, `${threads()} threads, ${before} before`);
      await assert.rejects(connect(path.join(below, 'no', 'a.db'), { mode }));
      assert.deepEqual(openFiles(below), []);
    });
  }

  test('cursors that were not read to their end are closed by the loop that leaves them', async (t) => {
    const db = await openFile(t, { readers: 2, busyTimeout: 50 });
    await db.execute('CREATE TABLE n (i INTEGER PRIMARY KEY)');
    await db.executemany(
      'INSERT INTO n VALUES (?)',
      Array.from({ length: 500 }, (_, i) => [i]),
    );
    for (let round = 0; round < 20; round++) {
      for await (const _ of await db.execute('SELECT i FROM n')) break;
      {
        await using cursor = await db.execute('SELECT i FROM n');
        await cursor.fetchone();
      }
      await assert.rejects(async () => {
        for await (const _ of await db.execute('SELECT i FROM n')) throw new Error('left');
      }, /left/);
    }
  });

  test('a transaction that ended leaves no timer and no writer behind', async (t) => {
    const db = await openFile(t, { idleTransactionTimeout: 60_000 });
    await db.execute(SCHEMA);
    for (let round = 0; round < 50; round++) {
      await new Context().run(async () => {
        await db.execute('BEGIN');
        await db.execute(round % 2 === 0 ? 'COMMIT' : 'ROLLBACK');
      });
      await assert.rejects(db.transaction(() => Promise.reject(new Error('x'))));
    }
    const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout');
    assert.ok(timers.length < 10, `${timers.length} timers`);
  });
});

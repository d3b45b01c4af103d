import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type Connection, type ConnectOptions, connect } from '../../src/sqlite/index.ts';

export const SCHEMA =
  'CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT NOT NULL UNIQUE, text TEXT, owner TEXT, editor TEXT)';

/** A folder that is gone after the test. */
export async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'aiohttp-sqlite-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** A database in a file, closed after the test. */
export async function openFile(t: TestContext, options: ConnectOptions = {}): Promise<Connection> {
  const made = await mkdtemp(path.join(tmpdir(), 'aiohttp-sqlite-'));
  const db = await connect(path.join(made, 'test.db'), options);
  t.after(async () => {
    await db.close();
    await rm(made, { recursive: true, force: true });
  });
  return db;
}

/** Ends with the next warning that a transaction was abandoned. A slow machine warns of slow statements as well. */
export function abandoned(): Promise<void> {
  return new Promise((resolve) => {
    const listen = (warning: Error & { readonly code?: string }): void => {
      if (warning.code !== 'AIO_SQL_ABANDONED') return;
      process.off('warning', listen);
      resolve();
    };
    process.on('warning', listen);
  });
}

type Open = (t: TestContext, options?: ConnectOptions) => Promise<Connection>;

const kinds: readonly (readonly [string, Open])[] = [
  ['main thread', (t, options) => openFile(t, options)],
  ['worker', (t, options) => openFile(t, { ...options, mode: 'worker' })],
  [
    'in memory',
    async (t, options) => {
      const db = await connect(':memory:', options);
      t.after(() => db.close());
      return db;
    },
  ],
];

/** Runs the same tests on every kind of connection. */
export function onEvery(
  name: string,
  tests: (add: (name: string, body: (t: TestContext, open: Open) => Promise<void>) => void) => void,
  only: readonly string[] = ['main thread', 'worker', 'in memory'],
): void {
  for (const [kind, open] of kinds) {
    if (!only.includes(kind)) continue;
    describe(`${name} (${kind})`, () => {
      tests((title, body) => void test(title, (t) => body(t, open)));
    });
  }
}

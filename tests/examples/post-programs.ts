// What the tests of the seed's database programs share.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import * as sqlite from '../../src/sqlite/index.ts';
import type { RunningExample } from './running-example.ts';

export interface Answer {
  readonly status: number;
  readonly body: { readonly new_post?: number; readonly error?: string };
}

/** A folder that looks like a repository, and one deep inside of it to begin the climb from. */
export async function repository(t: TestContext): Promise<{ root: string; inside: string; file: string }> {
  const root = await mkdtemp(path.join(tmpdir(), 'aiohttp-ts-seed-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const inside = path.join(root, 'a', 'b');
  await mkdir(inside, { recursive: true });
  await mkdir(path.join(root, '.git'));
  return { root, inside, file: path.join(root, 'db.sqlite3') };
}

export async function post(example: RunningExample, json: unknown): Promise<Answer> {
  const response = await example.fetch('/post', { method: 'POST', body: JSON.stringify(json) });
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : { error: text } };
}

/** Posts `count` at a time, as fast as they are taken. */
export async function postMany(example: RunningExample, count: number): Promise<Answer[]> {
  return await Promise.all(
    Array.from({ length: count }, (_, n) => post(example, { title: `title ${n}`, text: `text ${n}` })),
  );
}

export async function rows(file: string): Promise<{ id: number; title: string; text: string }[]> {
  await using db = await sqlite.connect(file);
  return await db.fetchall('SELECT id, title, text FROM posts ORDER BY id');
}

/** Those that keep what they are given. */
export const holding = [
  'server-database',
  'middleware-transaction-fixed',
  'middleware-transaction-right',
] as const;

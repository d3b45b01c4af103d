// The database of posts, which several of the seed's programs keep: db.sqlite3 beside the repository's .git.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import * as sqlite from 'aiohttp-ts/sqlite';

/** Climbs from `--root` (the current directory by default) to the folder that has `.git`. */
export function getDbPath(): string {
  const { values } = parseArgs({ options: { root: { type: 'string' } }, strict: false });
  let here = path.resolve(typeof values['root'] === 'string' ? values['root'] : '.');
  while (!existsSync(path.join(here, '.git'))) {
    const parent = path.dirname(here);
    if (here === parent) throw new Error('Cannot find root github dir');
    here = parent;
  }
  return path.join(here, 'db.sqlite3');
}

/** Makes the table, where there is none yet: several processes may start at once, and one may have died before it came so far. */
export async function tryMakeDb(): Promise<void> {
  await using db = await sqlite.connect(getDbPath());
  await db.execute(`CREATE TABLE IF NOT EXISTS posts (
    id INTEGER PRIMARY KEY,
    title TEXT,
    text TEXT,
    owner TEXT,
    editor TEXT)
  `);
}

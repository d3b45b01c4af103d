import { createRequire } from 'node:module';
import * as sqlite from 'aiohttp-ts/sqlite';

export const SCHEMA =
  'CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT, text TEXT, owner TEXT, views INTEGER)';
export const ROWS = 1_000;
const GET = 'SELECT id, title, text, owner, views FROM posts WHERE id = ?';
const PAGE = 'SELECT id, title, text, owner, views FROM posts LIMIT 50';
const INSERT = 'INSERT INTO posts (title, text, owner, views) VALUES (?, ?, ?, ?)';

/** One way to use SQLite, doing the work that all are measured by. */
export interface Contender {
  readonly name: string;
  get(id: number): unknown;
  page(): unknown;
  insert(title: string): unknown;
  close(): unknown;
}

/** What is used of `DatabaseSync`, and of better-sqlite3, which has the same names. */
interface DirectDatabase {
  exec(text: string): unknown;
  prepare(text: string): {
    get(...values: readonly unknown[]): unknown;
    all(...values: readonly unknown[]): unknown;
    run(...values: readonly unknown[]): unknown;
  };
  close(): unknown;
}

interface CallbackDatabase {
  get(text: string, values: readonly unknown[], done: (error: Error | null, row: unknown) => void): void;
  all(text: string, values: readonly unknown[], done: (error: Error | null, rows: unknown) => void): void;
  run(text: string, values: readonly unknown[], done: (error: Error | null) => void): void;
  exec(text: string, done: (error: Error | null) => void): void;
  close(done: () => void): void;
}

const require = createRequire(import.meta.url);
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

function direct(name: string, db: DirectDatabase): Contender {
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON');
  const get = db.prepare(GET);
  const page = db.prepare(PAGE);
  const insert = db.prepare(INSERT);
  return {
    name,
    get: (id) => get.get(id),
    page: () => page.all(),
    insert: (title) => insert.run(title, 'text', 'ada', 7),
    close: () => db.close(),
  };
}

async function ours(mode: 'main' | 'worker', file: string): Promise<Contender> {
  const db = await sqlite.connect(file, { mode, slowQuery: Number.POSITIVE_INFINITY });
  return {
    name: `aiohttp-ts, ${mode}`,
    get: (id) => db.fetchone(GET, [id]),
    page: () => db.fetchall(PAGE),
    insert: (title) => db.execute(INSERT, [title, 'text', 'ada', 7]),
    close: () => db.close(),
  };
}

function promised<T>(
  start: (done: (error: Error | null, value?: T) => void) => void,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error === null ? resolve(value) : reject(error)));
  });
}

async function threadPool(file: string): Promise<Contender | undefined> {
  let module: { Database: new (file: string) => CallbackDatabase };
  // Compiles for minutes when it is installed, so it is measured only where it is at hand.
  const name = 'sqlite3';
  try {
    module = require(name);
  } catch {
    return undefined;
  }
  const db = new module.Database(file);
  await promised((done) => db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL', done));
  return {
    name: 'sqlite3 (thread pool)',
    get: (id) => promised((done) => db.get(GET, [id], done)),
    page: () => promised((done) => db.all(PAGE, [], done)),
    insert: (title) => promised((done) => db.run(INSERT, [title, 'text', 'ada', 7], done)),
    close: () => new Promise<void>((resolve) => db.close(resolve)),
  };
}

/** Name of the driver that ours uses here, and a database made by it. */
export function driver(): {
  readonly name: string;
  readonly open: (file: string, options?: object) => DirectDatabase;
} {
  const name = major > 22 || (major === 22 && minor >= 13) ? 'node:sqlite' : '@photostructure/sqlite';
  const { DatabaseSync } = require(name) as {
    DatabaseSync: new (file: string, options?: object) => DirectDatabase;
  };
  return { name, open: (file, options = {}) => new DatabaseSync(file, options) };
}

/** All that can run on this Node, each with a file of its own. */
export async function contenders(fileFor: (name: string) => string): Promise<Contender[]> {
  const { name, open } = driver();
  const prepared = (key: string): string => {
    const file = fileFor(key);
    const db = open(file);
    db.exec(`PRAGMA journal_mode = WAL; ${SCHEMA}; BEGIN`);
    const insert = db.prepare(INSERT);
    for (let index = 0; index < ROWS; index++)
      insert.run(`title ${index}`, 'some text'.repeat(5), 'ada', index);
    db.exec('COMMIT');
    db.close();
    return file;
  };
  const all: (Contender | undefined)[] = [
    await ours('main', prepared('main')),
    await ours('worker', prepared('worker')),
    direct(`${name}, directly`, open(prepared('direct'))),
  ];
  // Its native code ends a process of Node 20, without a word.
  if (major >= 22) {
    const Better = require('better-sqlite3') as new (file: string) => DirectDatabase;
    all.push(direct('better-sqlite3', new Better(prepared('better'))));
  }
  all.push(await threadPool(prepared('pool')));
  return all.filter((contender) => contender !== undefined);
}

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  type Migration,
  MigrationError,
  type MigrationProgress,
  migrate,
  open,
} from '../../src/database/index.ts';
import type { Database } from '../../src/sql/index.ts';
import { PostgresServer, withoutPostgres } from '../postgres/postgres-server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const room = new URL('../../src/database/index.ts', import.meta.url).href;

const first: Migration = { version: 1, name: 'posts', sql: 'CREATE TABLE posts (id INTEGER PRIMARY KEY)' };
const second: Migration = {
  version: 2,
  name: 'titles',
  sql: "ALTER TABLE posts ADD title TEXT; INSERT INTO posts VALUES (1, 'a;b');",
};

function fails(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof MigrationError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}

const kinds: Readonly<Record<string, string | false>> = { sqlite: false, postgres: withoutPostgres };

for (const [kind, skip] of Object.entries(kinds)) {
  describe(`migrate on ${kind}`, { skip, concurrency: false }, () => {
    let server: PostgresServer | undefined;
    let folder: string;
    let url: string;
    let db: Database;
    let number = 0;

    before(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'aiohttp-ts-migrate-'));
      if (kind === 'postgres') server = await PostgresServer.start();
    });
    beforeEach(async () => {
      await db?.close();
      url = server?.url ?? `sqlite://${folder}/${++number}.db`;
      db = await open(url);
      if (kind === 'postgres') await db.executescript('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    });
    after(async () => {
      await db?.close();
      await server?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const files = async (of: Readonly<Record<string, string>>): Promise<string> => {
      const directory = path.join(folder, `files-${++number}`);
      await mkdir(directory);
      for (const [name, text] of Object.entries(of)) await writeFile(path.join(directory, name), text);
      return directory;
    };

    test('applies what is new, once, in order, and tells', async () => {
      const seen: string[] = [];
      const onProgress = ({ state, version, name, last }: MigrationProgress): void => {
        seen.push(`${state} ${version}/${last} ${name}`);
      };
      assert.deepEqual(await migrate(db, [first], { onProgress }), { applied: [1], version: 1 });
      assert.deepEqual(await migrate(db, [second, first], { onProgress }), { applied: [2], version: 2 });
      assert.deepEqual(await migrate(db, [first, second], { onProgress }), { applied: [], version: 2 });
      assert.deepEqual(seen, [
        'applying 1/1 posts',
        'applied 1/1 posts',
        'applying 2/2 titles',
        'applied 2/2 titles',
      ]);
      assert.deepEqual(await db.fetchall('SELECT * FROM posts'), [{ id: 1, title: 'a;b' }]);
      assert.deepEqual(await migrate(db, [], { table: 'other' }), { applied: [], version: 0 });
    });

    test('reads a folder: numbered files, the variant of the database before the common one', async () => {
      const directory = await files({
        '001_posts.sql': '\ufeffCREATE TABLE posts (id INTEGER);\r\n-- the end',
        '002_kind.sql': "INSERT INTO posts VALUES ('neither');",
        '002_kind.sqlite.sql': 'INSERT INTO posts VALUES (2);',
        '002_kind.postgres.sql': 'INSERT INTO posts VALUES (2);',
        '0003_nothing.sql': '-- nothing yet',
        'README.md': 'not a migration',
      });
      assert.deepEqual(await migrate(db, pathToFileURL(`${directory}/`)), { applied: [1, 2, 3], version: 3 });
      assert.deepEqual(await db.fetchall('SELECT * FROM posts'), [{ id: 2 }]);
      await writeFile(path.join(directory, '001_posts.sql'), 'CREATE TABLE posts (id INTEGER);\n-- the end');
      assert.deepEqual(await migrate(db, directory), { applied: [], version: 3 });
    });

    test('a changed file is an error that names it', async () => {
      const directory = await files({ '001_a.sql': 'CREATE TABLE a (b INTEGER)' });
      await migrate(db, directory);
      await writeFile(path.join(directory, '001_a.sql'), 'CREATE TABLE a (b INTEGER, c INTEGER)');
      await assert.rejects(migrate(db, directory), fails('AIO_MIGRATION_CHANGED', /001_a\.sql was changed/));
      await assert.rejects(
        migrate(db, [{ version: 1, name: 'renamed', sql: 'CREATE TABLE a (b INTEGER)' }]),
        fails('AIO_MIGRATION_CHANGED', /001_renamed .* as a/),
      );
    });

    test('gaps, twins, odd names and missing variants are errors before anything runs', async () => {
      const table: readonly (readonly [Record<string, string>, string, RegExp])[] = [
        [{ '002_b.sql': '' }, 'AIO_MIGRATION_GAP', /no migration 1 before 002_b\.sql/],
        [{ '001_a.sql': '', '003_c.sql': '' }, 'AIO_MIGRATION_GAP', /no migration 2 before 003_c\.sql/],
        [{ '000_a.sql': '' }, 'AIO_MIGRATION_GAP', /no migration 1 before 000_a/],
        [{ '001_a.sql': '', '001_b.sql': '' }, 'AIO_MIGRATION_DUPLICATE', /001_a\.sql and 001_b\.sql/],
        [{ '001_a.sql': '', '01_a.sql': '' }, 'AIO_MIGRATION_DUPLICATE', /001_a\.sql and 01_a\.sql/],
        [{ 'a.sql': '' }, 'AIO_MIGRATION_NAME', /a\.sql is not named like/],
        [
          { [kind === 'sqlite' ? '001_a.postgres.sql' : '001_a.sqlite.sql']: '' },
          'AIO_MIGRATION_VARIANT',
          /001_a\.\w+\.sql is for another database/,
        ],
      ];
      for (const [of, code, message] of table) {
        await assert.rejects(migrate(db, await files(of)), fails(code, message));
      }
      await assert.rejects(
        migrate(db, [{ version: 0.5, name: 'x', sql: '' }]),
        fails('AIO_MIGRATION_NAME', /got 0\.5_x/),
      );
    });

    test('one that ends its transaction itself is not told to have left nothing', async () => {
      const text = 'CREATE TABLE a (b INTEGER); COMMIT; CREATE TABLE c (b INTEGER)';
      await assert.rejects(
        migrate(db, [{ version: 1, name: 'commits', sql: text }]),
        fails(
          'AIO_MIGRATION_FAILED',
          kind === 'postgres' ? /parts of it may be applied: take .* COMMIT/ : /nothing of it/,
        ),
      );
      if (kind === 'sqlite') await db.execute('CREATE TABLE a (b INTEGER)');
    });

    test('one that fails leaves nothing of itself, and those before it in place', async () => {
      const broken: Migration = {
        version: 2,
        name: 'broken',
        sql: 'CREATE TABLE half (a INTEGER); INSERT INTO nowhere VALUES (1)',
      };
      await assert.rejects(
        migrate(db, [first, broken]),
        fails('AIO_MIGRATION_FAILED', /002_broken failed, and nothing of it was applied: .*nowhere/),
      );
      assert.deepEqual(await db.fetchall('SELECT * FROM posts'), []);
      await assert.rejects(db.fetchall('SELECT * FROM half'));
      assert.deepEqual(await migrate(db, [first, second]), { applied: [2], version: 2 });
    });

    test('a database that is ahead of the program is refused, unless it may be', async () => {
      await migrate(db, [first, second]);
      await assert.rejects(migrate(db, [first]), fails('AIO_MIGRATION_UNKNOWN', /migration 2 \(titles\)/));
      assert.deepEqual(await migrate(db, [first], { allowUnknown: true }), { applied: [], version: 2 });
    });

    test('many that start at once apply each once', async () => {
      const list = Array.from({ length: 5 }, (_, index): Migration => {
        const version = index + 1;
        return {
          version,
          name: `step${version}`,
          sql: `${index === 0 ? 'CREATE TABLE steps (n INTEGER);' : ''} INSERT INTO steps VALUES (${version})`,
        };
      });
      const program = `
        import { migrate, open } from ${JSON.stringify(room)};
        const db = await open(process.argv[1]);
        const { applied } = await migrate(db, ${JSON.stringify(list)});
        await db.close();
        process.stdout.write(JSON.stringify(applied));`;
      const others = await Promise.all(Array.from({ length: 2 }, () => open(url)));
      const processes = Array.from({ length: 2 }, async () => {
        const child = spawn(
          process.execPath,
          ['--import', 'tsx', '--input-type=module', '-e', program, url],
          { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
        );
        let output = '';
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          output += text;
        });
        const [code] = await once(child, 'close');
        assert.equal(code, 0);
        return JSON.parse(output) as number[];
      });
      const results = await Promise.all([
        ...processes,
        ...[db, ...others].map(async (one) => (await migrate(one, list)).applied),
      ]);
      assert.deepEqual(results.flat().sort(), [1, 2, 3, 4, 5]);
      assert.deepEqual(
        await db.fetchall('SELECT n FROM steps ORDER BY n'),
        list.map(({ version }) => ({ n: version })),
      );
      for (const one of others) await one.close();
    });
  });
}

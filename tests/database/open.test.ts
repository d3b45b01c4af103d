import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { open } from '../../src/database/index.ts';

describe('open', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'aiohttp-ts-open-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('opens SQLite by an absolute path, also one with escapes', async () => {
    for (const [url, file] of [
      [`sqlite://${folder}/one.db`, 'one.db'],
      [`sqlite:${folder}/two.db`, 'two.db'],
      [`SQLITE://${folder}/a%20b%3F.db`, 'a b?.db'],
    ] as const) {
      await using db = await open(url);
      assert.equal(db.dialect, 'sqlite');
      await db.execute('CREATE TABLE a (b INTEGER)');
      await stat(path.join(folder, file));
    }
    await using db = await open(new URL(`sqlite://${folder}/one.db`), { sqlite: { readOnly: true } });
    assert.deepEqual(await db.fetchall('SELECT * FROM a'), []);
    await assert.rejects(db.execute('INSERT INTO a VALUES (1)'));
  });

  test('opens SQLite by a path relative to the current directory, and in memory', async () => {
    const relative = path.relative(process.cwd(), path.join(folder, 'relative.db'));
    await using db = await open(`sqlite:${relative}`);
    await db.execute('CREATE TABLE a (b INTEGER)');
    await stat(path.join(folder, 'relative.db'));
    await using memory = await open('sqlite::memory:');
    assert.deepEqual(await memory.fetchone('SELECT 1 AS one'), { one: 1 });
  });

  const refused = [
    '',
    'data.db',
    'mysql://user:hunter2@host/db',
    'file:///tmp/x.db',
    'sqlite:',
    'sqlite:///',
    'sqlite://host/path.db',
    'sqlite:x.db?mode=ro',
    'sqlite:100%.db',
    'postgres:user:hunter2@host',
    'postgres://user:hunter2@host/db?sslmode=perhaps',
  ];
  for (const url of refused) {
    test(`refuses ${JSON.stringify(url)} and keeps passwords out of the message`, async () => {
      await assert.rejects(open(url), (error: Error & { code?: string }) => {
        assert.ok(error instanceof RangeError, inspect(error));
        assert.match(error.code!, /^AIO_(DATABASE|SQL)_URL$/);
        assert.doesNotMatch(error.message, /hunter2/);
        return true;
      });
    });
  }
});

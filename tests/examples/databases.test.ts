// The seed's programs that keep a database: on a real file, under load.

import assert from 'node:assert/strict';
import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { PostgresServer, withoutPostgres } from '../postgres/postgres-server.ts';
import { holding, post, postMany, repository, rows } from './post-programs.ts';
import { RunningExample } from './running-example.ts';

for (const name of holding) {
  describe(`seed/${name}`, () => {
    test('1,000 posts at once are all answered, all there, none twice', async (t) => {
      const { inside, file } = await repository(t);
      const example = await RunningExample.start(`examples/seed/${name}.ts`, '--root', inside);
      try {
        assert.equal(await (await example.fetch('/')).text(), 'Hello world');
        const answers = await postMany(example, 1_000);
        assert.deepEqual(
          answers.filter(({ status }) => status !== 200),
          [],
        );
        const found = await rows(file);
        assert.equal(found.length, 1_000);
        const titles = new Map(found.map(({ id, title }) => [id, title]));
        for (const [n, { body }] of answers.entries()) {
          assert.equal(titles.get(body.new_post!), `title ${n}`);
          assert.ok(titles.delete(body.new_post!));
        }
      } finally {
        assert.equal(await example.stop(), 0, example.stderr);
      }
      // Started again, it goes on where it was.
      const again = await RunningExample.start(`examples/seed/${name}.ts`, '--root', inside);
      try {
        assert.equal((await post(again, { title: 'x', text: 'y' })).body.new_post, 1_001);
      } finally {
        assert.equal(await again.stop(), 0, again.stderr);
      }
    });

    test('what is wrong is told and leaves nothing behind', async (t) => {
      const { root, file } = await repository(t);
      const example = await RunningExample.start(`examples/seed/${name}.ts`, '--root', root);
      try {
        for (const wrong of [{ title: 'only' }, {}, [], { title: ['a'], text: 'b' }]) {
          const { status, body } = await post(example, wrong);
          assert.ok(status >= 400, JSON.stringify(wrong));
          assert.ok(body.error !== undefined);
        }
        assert.equal((await post(example, { title: 'a', text: "'; DROP TABLE posts; --" })).body.new_post, 1);
        assert.deepEqual(await rows(file), [{ id: 1, title: 'a', text: "'; DROP TABLE posts; --" }]);
      } finally {
        assert.equal(await example.stop(), 0, example.stderr);
      }
    });
  });
}

describe('seed/middleware-transaction', () => {
  test('says what the post’s statement lacks, to everybody who asks at once', async (t) => {
    const { inside, file } = await repository(t);
    const example = await RunningExample.start('examples/seed/middleware-transaction.ts', '--root', inside);
    try {
      assert.equal(await (await example.fetch('/')).text(), 'Hello world');
      for (const { status, body } of await postMany(example, 100)) {
        assert.equal(status, 200);
        assert.match(body.error!, /4 placeholders, and 2 values|4 values for 2 columns/);
      }
      assert.deepEqual(await rows(file), []);
      assert.match(example.stdout, /^begin$/m);
    } finally {
      assert.equal(await example.stop(), 0, example.stderr);
    }
  });
});

test('without a repository around it a program says so', async (t) => {
  const { root } = await repository(t);
  await rm(path.join(root, '.git'), { recursive: true });
  await assert.rejects(
    RunningExample.start('examples/seed/server-database.ts', '--root', root),
    /Cannot find root github dir/,
  );
  await assert.rejects(stat(path.join(root, 'db.sqlite3')));
});

test('seed/middleware-transaction-right runs on PostgreSQL as well', { skip: withoutPostgres }, async (t) => {
  const server = await PostgresServer.start();
  t.after(() => server.stop());
  const { root } = await repository(t);
  process.env['DATABASE_URL'] = server.url;
  t.after(() => {
    delete process.env['DATABASE_URL'];
  });
  const example = await RunningExample.start('examples/seed/middleware-transaction-right.ts', '--root', root);
  try {
    const answers = await postMany(example, 1_000);
    const ids = new Set(answers.map(({ body }) => body.new_post));
    assert.equal(ids.size, 1_000);
    assert.ok(!ids.has(undefined), JSON.stringify(answers.find(({ body }) => body.new_post === undefined)));
  } finally {
    assert.equal(await example.stop(), 0, example.stderr);
  }
});

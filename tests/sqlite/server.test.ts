import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import type { Connection } from '../../src/sqlite/index.ts';
import { TestServer } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';
import { abandoned, openFile, SCHEMA } from './databases.ts';

const DB = new web.AppKey<Connection>('db');

/** The program of the post: BEGIN, the handler, COMMIT, and ROLLBACK when it fails. */
const transactions = web.middleware(async (request, handler) => {
  const db = request.configDict.get(DB);
  await db.execute('BEGIN');
  try {
    const response = await handler(request);
    await db.execute('COMMIT');
    return response;
  } catch (error) {
    await db.execute('ROLLBACK');
    return web.jsonResponse({ error: (error as Error).message });
  }
});

async function newPost(request: web.Request): Promise<web.Response> {
  const db = request.app.get(DB);
  const post = (await request.json()) as { title: string; text: string };
  await using cursor = await db.execute('INSERT INTO posts (title, text) VALUES (?, ?)', [
    post.title,
    post.text,
  ]);
  await db.execute('UPDATE posts SET owner = title WHERE id = ?', [cursor.lastrowid!]);
  const [row] = await db.fetchall('SELECT owner FROM posts WHERE id = ?', [cursor.lastrowid!]);
  if (post.text === 'fail') throw new Error(`failed: ${String(row?.['owner'])}`);
  return web.jsonResponse({ new_post: cursor.lastrowid, owner: row?.['owner'] });
}

async function serve(
  t: TestContext,
  db: Connection,
  middlewares: readonly web.Middleware[],
): Promise<TestServer> {
  const app = new web.Application({ middlewares: [...middlewares] });
  app.set(DB, db);
  app.addRoutes([web.post('/post', newPost)]);
  const server = new TestServer(app);
  await server.start();
  t.after(() => server.close());
  return server;
}

function post(title: string, text: string): string {
  const body = JSON.stringify({ title, text });
  return `POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** Sends requests down one connection, all at once, and gives the bodies of the answers. */
async function pipelined(port: number, requests: readonly string[]): Promise<string[]> {
  const socket = connectSocket(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(requests.join(''));
  let text = '';
  const bodies: string[] = [];
  for await (const chunk of socket) {
    text += String(chunk);
    for (let match = next(text); match !== undefined; match = next(text)) {
      bodies.push(match.body);
      text = match.rest;
    }
    if (bodies.length === requests.length) break;
  }
  socket.destroy();
  return bodies;
}

function next(text: string): { body: string; rest: string } | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const length = Number(/^content-length: *(\d+)/im.exec(text.slice(0, end))![1]);
  if (text.length < end + 4 + length) return undefined;
  return { body: text.slice(end + 4, end + 4 + length), rest: text.slice(end + 4 + length) };
}

for (const mode of ['main', 'worker'] as const) {
  describe(`the transaction of a request (${mode})`, () => {
    test('holds with many requests at once, on many connections and pipelined', async (t) => {
      const db = await openFile(t, { mode, busyTimeout: 60_000 });
      await db.execute(SCHEMA);
      const { port } = await serve(t, db, [transactions]);
      const bodies = await Promise.all(
        Array.from({ length: 12 }, (_, connection) =>
          pipelined(
            port!,
            Array.from({ length: 5 }, (_, index) =>
              post(`t${connection}-${index}`, index === 2 ? 'fail' : 'text'),
            ),
          ),
        ),
      );
      for (const [connection, answers] of bodies.entries()) {
        for (const [index, answer] of answers.entries()) {
          const parsed = JSON.parse(answer) as { error?: string; owner?: string };
          const title = `t${connection}-${index}`;
          if (index === 2) assert.equal(parsed.error, `failed: ${title}`);
          else assert.equal(parsed.owner, title, answer);
        }
      }
      const rows = await db.fetchall<{ title: string; owner: string }>('SELECT title, owner FROM posts');
      assert.equal(rows.length, 48);
      assert.equal(new Set(rows.map(({ title }) => title)).size, 48);
      assert.ok(rows.every(({ title, owner }) => title === owner && !title.endsWith('-2')));
    });

    test('a thousand posts at once: every one answered, every row there, none twice', async (t) => {
      const db = await openFile(t, { mode, busyTimeout: 120_000 });
      await db.execute(SCHEMA);
      const { port } = await serve(t, db, [transactions]);
      const bodies = await Promise.all(
        Array.from({ length: 100 }, (_, connection) =>
          pipelined(
            port!,
            Array.from({ length: 10 }, (_, index) => post(`t${connection}-${index}`, 'text')),
          ),
        ),
      );
      const answered = bodies.flat().map((body) => (JSON.parse(body) as { new_post: number }).new_post);
      assert.equal(new Set(answered).size, 1_000);
      const { n, titles } = (await db.fetchone<{ n: number; titles: number }>(
        'SELECT count(*) AS n, count(DISTINCT title) AS titles FROM posts',
      ))!;
      assert.deepEqual([n, titles], [1_000, 1_000]);
    });
  });
}

test('a statement with too many values is answered with the error of SQLite, and nothing stays open', async (t) => {
  const db = await openFile(t);
  await db.execute(SCHEMA);
  const app = new web.Application({ middlewares: [transactions] });
  app.set(DB, db);
  app.addRoutes([
    web.post('/post', async () => {
      await db.execute('INSERT INTO posts (title) VALUES (?)', ['lost']);
      await db.execute('INSERT INTO posts (title, text) VALUES (?, ?, ?, ?)', ['a', 'b']);
      return new web.Response();
    }),
  ]);
  const server = new TestServer(app);
  await server.start();
  t.after(() => server.close());
  const [body] = await pipelined(server.port!, [post('a', 'b')]);
  assert.match((JSON.parse(body!) as { error: string }).error, /4 values for 2 columns/);
  assert.deepEqual(await db.fetchall('SELECT * FROM posts'), []);
  await db.execute('INSERT INTO posts (title) VALUES (?)', ['after']);
});

test('a request that leaves its transaction open does not keep the others from writing', async (t) => {
  const db = await openFile(t, { idleTransactionTimeout: 20, busyTimeout: 60_000 });
  await db.execute(SCHEMA);
  const app = new web.Application();
  app.set(DB, db);
  app.addRoutes([
    web.post('/leak', async () => {
      await db.execute('BEGIN');
      await db.execute("INSERT INTO posts (title) VALUES ('lost')");
      return new web.Response({ text: 'left open' });
    }),
    web.post('/post', newPost),
  ]);
  const server = new TestServer(app);
  await server.start();
  t.after(() => server.close());
  const warned = abandoned();
  const [first, second] = await pipelined(server.port!, [
    'POST /leak HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
    post('kept', 'text'),
  ]);
  assert.equal(first, 'left open');
  assert.equal((JSON.parse(second!) as { owner: string }).owner, 'kept');
  await warned;
  assert.deepEqual(await db.fetchall('SELECT title FROM posts'), [{ title: 'kept' }]);
});

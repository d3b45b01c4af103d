// The right way beside middleware-transaction.ts. What that one leaves open:
//
// - it locks the database for every request, also for those that never write, and for as long as they take;
// - it answers an error with its text, which is for the log and not for strangers;
// - a redirect that is thrown after a write undoes the write; a stream is sent before COMMIT, and a client that leaves is not noticed.
//
// transactionMiddleware begins with the first write, commits before the answer is sent, and rolls back whatever ends otherwise. The same
// program runs on PostgreSQL: DATABASE_URL=postgres://…

import { migrate, open, transactionMiddleware } from 'aiohttp-ts/database';
import { type Database, sql } from 'aiohttp-ts/sql';
import * as web from 'aiohttp-ts/web';
import { fromCommandLine } from '../command-line.ts';
import { getDbPath } from '../posts-database.ts';

const DB = new web.AppKey<Database>('DB');
const router = new web.RouteTableDef();

router.get('/', async (_request) => {
  return new web.Response({ text: 'Hello world' });
});

router.post('/post', async function newPost(request) {
  const post = await request.json<{ title?: unknown; text?: unknown } | null>();
  if (typeof post?.title !== 'string' || typeof post.text !== 'string')
    throw new web.HTTPBadRequest({ text: "The JSON must be an object with the texts 'title' and 'text'" });
  const db = request.configDict.get(DB);
  const row = await db.fetchone<{ id: number }>(
    sql`INSERT INTO posts (title, text) VALUES (${post.title}, ${post.text}) RETURNING id`,
  );
  return web.jsonResponse({ new_post: row?.id });
});

async function* initDb(app: web.Application): AsyncGenerator<void> {
  const db = await open(process.env['DATABASE_URL'] ?? `sqlite:${encodeURI(getDbPath())}`);
  try {
    await migrate(db, [
      {
        version: 1,
        name: 'posts',
        sql: {
          sqlite:
            'CREATE TABLE IF NOT EXISTS posts (id INTEGER PRIMARY KEY, title TEXT, text TEXT, owner TEXT, editor TEXT)',
          postgres:
            'CREATE TABLE posts (id INTEGER PRIMARY KEY GENERATED ALWAYS AS IDENTITY, title TEXT, text TEXT, owner TEXT, editor TEXT)',
        },
      },
    ]);
    app.set(DB, db);
    yield;
  } finally {
    await db.close();
  }
}

async function initApp(): Promise<web.Application> {
  const app = new web.Application({ middlewares: [transactionMiddleware(DB)] });
  app.addRoutes(router);
  app.cleanupCtx.append(initDb);
  return app;
}

await web.runApp(initApp(), fromCommandLine());

// Each request in a transaction, as the post prints it: four marks for two values, so every new post is an error, and the middleware
// says which. middleware-transaction-fixed.ts mends that; middleware-transaction-right.ts is how one writes it here.

import * as sqlite from 'aiohttp-ts/sqlite';
import * as web from 'aiohttp-ts/web';
import { fromCommandLine } from '../command-line.ts';
import { getDbPath, tryMakeDb } from '../posts-database.ts';

const DB = new web.AppKey<sqlite.Connection>('DB');
const router = new web.RouteTableDef();

router.get('/', async (_request) => {
  return new web.Response({ text: 'Hello world' });
});

router.post('/post', async function newPost(request) {
  const post = await request.json<{ title: string; text: string }>();
  const db = request.configDict.get(DB);
  await using cursor = await db.execute('INSERT INTO posts (title, text) VALUES(?, ?, ?, ?)', [
    post.title,
    post.text,
  ]);
  const postId = cursor.lastrowid;
  return web.jsonResponse({ new_post: postId });
});

const middleware = web.middleware(async (request, handler) => {
  const db = request.configDict.get(DB);
  // aiosqlite's connection has one transaction for all, so there the second request at a time fails here. This one is the request's own.
  await db.execute('BEGIN');
  console.log('begin');
  try {
    const response = await handler(request);
    await db.execute('COMMIT');
    return response;
  } catch (error) {
    await db.execute('ROLLBACK');
    return web.jsonResponse({ error: error instanceof Error ? error.message : String(error) });
  }
});

async function* initDb(app: web.Application): AsyncGenerator<void> {
  const db = await sqlite.connect(getDbPath());
  app.set(DB, db);
  yield;
  await db.close();
}

async function initApp(): Promise<web.Application> {
  const app = new web.Application({ middlewares: [middleware] });
  app.addRoutes(router);
  app.cleanupCtx.append(initDb);
  return app;
}

await tryMakeDb();

await web.runApp(initApp(), fromCommandLine());

// A database that is opened when the server starts and closed when it ends: a cleanup context.

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
  const post = await request.json<{ title?: unknown; text?: unknown } | null>();
  if (typeof post?.title !== 'string' || typeof post.text !== 'string')
    throw new web.HTTPBadRequest({ text: "The JSON must be an object with the texts 'title' and 'text'" });
  console.log('post', post);
  const db = request.configDict.get(DB);
  await using cursor = await db.execute('INSERT INTO posts (title, text) VALUES(?, ?)', [
    post.title,
    post.text,
  ]);
  const postId = cursor.lastrowid;
  await db.commit(); // as in the post; outside of a transaction a statement has committed by itself
  return web.jsonResponse({ new_post: postId });
});

async function* initDb(app: web.Application): AsyncGenerator<void> {
  const db = await sqlite.connect(getDbPath());
  app.set(DB, db);
  yield;
  await db.close();
}

async function initApp(): Promise<web.Application> {
  const app = new web.Application();
  app.addRoutes(router);
  app.cleanupCtx.append(initDb);
  return app;
}

await tryMakeDb();

await web.runApp(initApp(), fromCommandLine());

// middleware-transaction.ts with its two obvious slips mended: as many marks as values, and an error is answered with the status of one,
// which a post without title or text is now, too.

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
    throw new web.HTTPBadRequest({ reason: "The JSON must be an object with the texts 'title' and 'text'" });
  const db = request.configDict.get(DB);
  await using cursor = await db.execute('INSERT INTO posts (title, text) VALUES(?, ?)', [
    post.title,
    post.text,
  ]);
  const postId = cursor.lastrowid;
  return web.jsonResponse({ new_post: postId });
});

const middleware = web.middleware(async (request, handler) => {
  const db = request.configDict.get(DB);
  await db.execute('BEGIN');
  try {
    const response = await handler(request);
    await db.execute('COMMIT');
    return response;
  } catch (error) {
    await db.execute('ROLLBACK');
    const status = error instanceof web.HTTPException ? error.status : 500;
    return web.jsonResponse({ error: error instanceof Error ? error.message : String(error) }, { status });
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

// A page that uploads files, and the server behind it: npm run --silent example -- upload/server --dir uploads --port 8080

import { mkdir, readdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as web from 'aiohttp-ts/web';
import { fromCommandLine } from '../command-line.ts';
import { Folder } from './folder.ts';

const { values } = parseArgs({
  options: { dir: { type: 'string' }, limit: { type: 'string' } },
  strict: false,
});
const dir = typeof values['dir'] === 'string' ? values['dir'] : 'uploads';
/** Bytes that one file may have. */
const limit = typeof values['limit'] === 'string' ? Number(values['limit']) : 2 ** 30;

const FOLDER = new web.AppKey<Folder>('folder');
const router = new web.RouteTableDef();

// Only what comes from here runs in the page, whatever the names of files are.
const page = {
  headers: { 'Content-Security-Policy': "default-src 'self'", 'X-Content-Type-Options': 'nosniff' },
};
for (const [path, file] of [
  ['/', 'page.html'],
  ['/page.css', 'page.css'],
  ['/page.js', 'page.js'],
] as const) {
  const asset = fileURLToPath(new URL(file, import.meta.url));
  router.get(path, () => new web.FileResponse(asset, page));
}

router.get('/files', async (request) =>
  web.jsonResponse({ limit, files: await request.app.get(FOLDER).list() }),
);

router.post('/files', async (request) => {
  const saved = [];
  for await (const part of await request.multipart({ maxPartSize: limit })) {
    // Fields that are no files are passed over, and so is a file input in which nothing was chosen.
    if (part instanceof web.MultipartReader || part.filename === undefined || part.filename === '') continue;
    saved.push(await request.app.get(FOLDER).save(part.filename, part));
  }
  if (saved.length === 0) throw new web.HTTPBadRequest({ text: 'There is no file in the form' });
  return web.jsonResponse({ files: saved }, { status: 201 });
});

router.get('/files/{name}', async (request) => {
  const { name } = request.matchInfo;
  const path = request.app.get(FOLDER).pathOf(name);
  if (path === undefined) throw new web.HTTPNotFound();
  // Saved, never shown: an HTML page that somebody uploaded must not run as one of ours.
  return new web.FileResponse(path, { ...page, contentType: 'application/octet-stream', downloadName: name });
});

async function initApp(): Promise<web.Application> {
  const app = new web.Application();
  await mkdir(dir, { recursive: true });
  app.set(FOLDER, new Folder(dir));
  app.addRoutes(router);
  // What an upload left behind that was cut when the server was killed.
  for (const name of await readdir(dir)) {
    if (Folder.isUnfinished(name)) await rm(`${dir}/${name}`, { force: true });
  }
  return app;
}

// Whoever reaches it may fill the disk: nobody but this machine, unless --host says otherwise.
await web.runApp(initApp(), { host: '127.0.0.1', ...fromCommandLine() });

// A server for outside test-suites: npm run --silent conformance:server -- --host H --port P [--static DIR]
// [--headers-timeout MS] [--keepalive-timeout MS] [--normalize]. It prints a line that holds `listening` once it accepts
// connections. All limits but those two keep the package's defaults.

import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import * as asyncio from 'aiohttp-ts/asyncio';
import * as web from 'aiohttp-ts/web';

const redirects: ReadonlyMap<number, new (location: string) => web.HTTPException> = new Map(
  [
    web.HTTPMultipleChoices,
    web.HTTPMovedPermanently,
    web.HTTPFound,
    web.HTTPSeeOther,
    web.HTTPTemporaryRedirect,
    web.HTTPPermanentRedirect,
  ].map((redirect) => [redirect.status, redirect]),
);

/** A whole number from the query. */
function numberOf(request: web.Request, name: string, fallback: number): number {
  const text = request.query.get(name) ?? String(fallback);
  if (!/^\d{1,10}$/.test(text)) throw new web.HTTPBadRequest({ text: `${name} must be a number` });
  return Number(text);
}

/** The body's length and digest, chunk by chunk, so that its size does not matter. */
async function digest(request: web.Request): Promise<web.Response> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of request.content) {
    hash.update(chunk);
    length += chunk.length;
  }
  return web.jsonResponse({ length, sha256: hash.digest('hex') });
}

const routes = new web.RouteTableDef();

routes.route('*', '/', async (request) => {
  const body = await request.content.read();
  return body.length === 0
    ? new web.Response({ text: 'OK' })
    : new web.Response({ body, contentType: 'text/plain' });
});

routes.route('*', '/echo', (request) => {
  const lines = [...request.headers].map(([name, value]) => `${name}: ${value}\n`);
  return new web.Response({ body: Buffer.from(lines.join(''), 'latin1'), contentType: 'text/plain' });
});

routes.route('*', '/cookie', (request) => {
  const lines = [...request.cookies].map(([name, value]) => `${name}=${value}\n`);
  return new web.Response({ text: lines.join('') });
});

routes.route('*', '/upload', digest);

routes.route('*', '/limited', async (request) => {
  const body = await request.read();
  return web.jsonResponse({ length: body.length, sha256: createHash('sha256').update(body).digest('hex') });
});

routes.get('/stream', async (request) => {
  const chunks = numberOf(request, 'chunks', 1);
  const chunk = Buffer.alloc(numberOf(request, 'size', 1), 'x');
  const response = new web.StreamResponse();
  response.contentType = 'text/plain';
  await response.prepare(request);
  for (let i = 0; i < chunks; i++) await response.write(chunk);
  await response.writeEof();
  return response;
});

const piece = Buffer.alloc(65_536, 'x');

routes.get('/large', async (request) => {
  let left = numberOf(request, 'size', 0);
  const response = new web.StreamResponse();
  response.contentType = 'text/plain';
  response.contentLength = left;
  await response.prepare(request);
  for (; left > 0; left -= piece.length) await response.write(piece.subarray(0, left));
  await response.writeEof();
  return response;
});

routes.get('/slow', async (request) => {
  await asyncio.sleep(numberOf(request, 'ms', 0));
  return new web.Response({ text: 'slow' });
});

routes.route('*', '/status/{status:\\d{3}}', (request) => {
  const status = Number(request.matchInfo.status);
  if (status < 200 || status > 599)
    throw new web.HTTPBadRequest({ text: `${status} is not the status of an answer` });
  if (status === 204 || status === 304) return new web.Response({ status });
  return new web.Response({ status, text: `status ${status}` });
});

routes.route('*', '/error', () => {
  throw new Error('boom-secret-4711');
});

routes.route('*', '/redirect', (request) => {
  const Redirect = redirects.get(numberOf(request, 'code', 302));
  const to = request.query.get('to');
  if (Redirect === undefined || to === undefined) throw new web.HTTPBadRequest();
  try {
    return new Redirect(to);
  } catch (cause) {
    throw new web.HTTPBadRequest({ text: 'not a location', cause });
  }
});

routes.get('/ws', async (request) => {
  const ws = new web.WebSocketResponse({ maxMsgSize: 16_777_216 });
  await ws.prepare(request);
  for await (const message of ws) {
    if (message.type === web.WSMsgType.TEXT) await ws.sendStr(message.data);
    else if (message.type === web.WSMsgType.BINARY) await ws.sendBytes(message.data);
  }
  return ws;
});

routes.post('/form', async (request) => {
  return web.jsonResponse({ fields: [...(await request.post())] });
});

/** A part as the suites want it: the reader and not post(), because that drops the type of a field. */
async function describePart(part: web.BodyPartReader): Promise<object> {
  const { name, filename, contentDisposition } = part;
  if (name === undefined || contentDisposition?.type !== 'form-data') {
    throw new web.HTTPBadRequest({ text: 'a part is no field of a form' });
  }
  const type = part.headers.get('Content-Type') ?? null;
  if (filename === undefined) return { name, content_type: type, value: await part.text() };
  const data = Buffer.from(await part.read({ decode: true })).toString('base64');
  return { name, content_type: type, filename, data };
}

routes.post('/multipart', async (request) => {
  const reader = await request.multipart();
  if (reader.subtype !== 'form-data') throw new web.HTTPBadRequest({ text: 'no form' });
  const parts: object[] = [];
  for await (const part of reader) {
    if (part instanceof web.MultipartReader) throw new web.HTTPBadRequest({ text: 'a nested multipart' });
    parts.push(await describePart(part));
  }
  return web.jsonResponse({ parts });
});

routes.post('/trailers', async (request) => {
  await request.release();
  return web.jsonResponse({ trailers: [...(request.trailers ?? [])] });
});

/** Describes what no route serves: other paths, other methods, `*` and the rest. */
const describe: web.Middleware = async (request, handler) => {
  const status = request.match.httpException?.status;
  if (status !== 404 && status !== 405) return await handler(request);
  const body = await request.content.read();
  return web.jsonResponse({
    method: request.method,
    target: request.rawPath,
    version: `${request.version.major}.${request.version.minor}`,
    headers: [...request.headers],
    length: body.length,
    body: Buffer.from(body).toString('base64'),
  });
};

function everythingApp(): web.Application {
  const app = new web.Application({ middlewares: [describe] });
  app.addRoutes(routes);
  if (options.static !== undefined) app.router.addStatic('/static', options.static);
  return app;
}

function normalizingApp(): web.Application {
  const app = new web.Application({ middlewares: [web.normalizePathMiddleware()] });
  const ok: web.Handler = () => new web.Response({ text: 'ok' });
  app.addRoutes([web.get('/', ok), web.get('/{a}/', ok), web.get('/{a}/{b}/', ok)]);
  return app;
}

const { values: options } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '8080' },
    static: { type: 'string' },
    'headers-timeout': { type: 'string' },
    'keepalive-timeout': { type: 'string' },
    normalize: { type: 'boolean', default: false },
  },
});

const milliseconds = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text);
const headersTimeout = milliseconds(options['headers-timeout']);
const keepAliveTimeout = milliseconds(options['keepalive-timeout']);

await web.runApp(options.normalize ? normalizingApp() : everythingApp(), {
  host: options.host,
  port: Number(options.port),
  ...(headersTimeout !== undefined && { headersTimeout }),
  ...(keepAliveTimeout !== undefined && { keepAliveTimeout }),
  print: (message) => console.log(message.replace('Running', 'listening')),
});

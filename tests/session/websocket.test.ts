import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WebSocket } from 'ws';
import * as session from '../../src/session/index.ts';
import { TestServer } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';
import { collectingLogger } from '../web/collecting-logger.ts';
import { Visitor } from './visitor.ts';

type Data = Record<string, number>;
type Handler = (data: session.Session<Data>, ws: web.WebSocketResponse, request: web.Request) => unknown;

/** A site whose /ws opens a WebSocket with `before`, and goes on with `after`. */
async function serving(
  storage: session.Storage,
  before: (data: session.Session<Data>) => unknown,
  after: Handler,
  middleware: boolean,
): Promise<{ server: TestServer; errors: string[]; url: string }> {
  const logger = collectingLogger();
  const app = new web.Application({ logger });
  if (middleware) app.middlewares.append(session.sessionMiddleware(storage));
  else session.setup(app, storage);
  app.router.addGet('/show', async (request) =>
    web.jsonResponse((await session.getSession(request)).toJSON()),
  );
  app.router.addGet('/begin', async (request) => {
    (await session.getSession<Data>(request)).set('begun', 1);
    return new web.Response({ text: 'ok' });
  });
  app.router.addGet('/ws', async (request) => {
    const data = await session.getSession<Data>(request);
    before(data);
    const ws = new web.WebSocketResponse();
    await ws.prepare(request);
    await after(data, ws, request);
    return ws;
  });
  const server = await new TestServer(app, { logger }).start();
  return { server, errors: logger.errors, url: server.makeUrl('/').replace(/\/$/, '') };
}

interface Opened {
  readonly socket: WebSocket;
  readonly setCookies: readonly string[];
  readonly first: Promise<string>;
  readonly closed: Promise<number>;
}

/** Opens /ws with the visitor's cookies, and keeps those that the 101 brings. */
function open(url: string, visitor: Visitor): Promise<Opened> {
  const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, {
    headers: cookie === '' ? {} : { cookie },
  });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    const first = new Promise<string>((told) => socket.on('message', (message) => told(String(message))));
    const closed = new Promise<number>((told) => socket.on('close', told));
    socket.on('upgrade', ({ headers }) => {
      const setCookies = headers['set-cookie'] ?? [];
      for (const line of setCookies) {
        const pair = line.split(';')[0]!;
        visitor.cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
      }
      resolve({ socket, setCookies, first, closed });
    });
  });
}

const ignore = (): void => {};

describe('a session and a WebSocket', () => {
  for (const [name, storage] of [
    ['memory', () => new session.MemoryStorage()],
    ['cookie', () => new session.EncryptedCookieStorage('x'.repeat(43))],
  ] as const) {
    test(`what is put in before prepare() comes with the 101 (${name})`, async () => {
      const { server, errors, url } = await serving(
        storage(),
        (data) => data.update('opened', (count = 0) => count + 1),
        async (_data, ws) => {
          await ws.sendStr('hello');
          await ws.receive();
        },
        false,
      );
      await using _ = server;
      const visitor = new Visitor(url);
      const { socket, setCookies, first, closed } = await open(url, visitor);
      assert.equal(setCookies.length, 1);
      assert.match(setCookies[0]!, /^AIOHTTP_SESSION=.*HttpOnly/);
      await first;
      // It is saved before the client hears anything, while the WebSocket is open.
      assert.equal((await visitor.get('/show')).text, '{"opened":1}');
      socket.close();
      await closed;
      assert.deepEqual(errors, []);
    });
  }

  for (const middleware of [false, true]) {
    test(`a change after the head is saved when the handler ends (${middleware ? 'middleware' : 'setup'})`, async () => {
      const { server, errors, url } = await serving(
        new session.MemoryStorage(),
        ignore,
        async (data, ws) => {
          for await (const message of ws) {
            if (message.type !== web.WSMsgType.TEXT) continue;
            data.update('messages', (count = 0) => count + 1);
            await ws.sendStr('counted');
          }
        },
        middleware,
      );
      await using _ = server;
      const visitor = new Visitor(url);
      await visitor.get('/begin');
      const { socket, setCookies, first, closed } = await open(url, visitor);
      assert.deepEqual(setCookies, []);
      socket.send('x');
      await first;
      assert.equal((await visitor.get('/show')).text, '{"begun":1}');
      socket.close(1000);
      await closed;
      // The handler ends after its client has gone.
      let shown = '';
      while (!shown.includes('messages')) shown = (await visitor.get('/show')).text;
      assert.equal(shown, '{"begun":1,"messages":1}');
      assert.deepEqual(errors, []);
    });
  }

  test('a change is saved too when the client vanishes, and when the handler fails', async () => {
    for (const fail of [false, true]) {
      const { server, errors, url } = await serving(
        new session.MemoryStorage(),
        ignore,
        async (data, ws) => {
          await ws.receive();
          data.set('late', 1);
          if (fail) throw new Error('a defect');
        },
        false,
      );
      await using _ = server;
      const visitor = new Visitor(url);
      await visitor.get('/begin');
      const { socket, closed } = await open(url, visitor);
      if (fail) socket.send('go');
      else socket.terminate();
      assert.equal(await closed, fail ? 1011 : 1006);
      let shown = '';
      while (!shown.includes('late')) shown = (await visitor.get('/show')).text;
      assert.equal(errors.length, fail ? 1 : 0);
    }
  });

  test('what would need a cookie after the head is a clear error', async () => {
    const { server, errors, url } = await serving(
      new session.MemoryStorage(),
      ignore,
      async (data, ws, request) => {
        const codes: string[] = [];
        for (const attempt of [
          () => data.set('late', 1),
          () => data.renew(),
          () => session.newSession(request),
        ]) {
          try {
            await attempt();
            codes.push('ok');
          } catch (error) {
            codes.push((error as { code: string }).code);
          }
        }
        await ws.sendStr(codes.join());
      },
      false,
    );
    await using _ = server;
    const late = 'AIO_SESSION_TOO_LATE';
    const stranger = await open(url, new Visitor(url));
    assert.deepEqual(stranger.setCookies, []);
    assert.equal(await stranger.first, [late, late, late].join());
    assert.equal(await stranger.closed, 1000);
    const visitor = new Visitor(url);
    await visitor.get('/begin');
    const known = await open(url, visitor);
    assert.equal(await known.first, ['ok', late, late].join());
    assert.equal(await known.closed, 1000);
    assert.deepEqual(errors, []);
  });

  test('with a cookie storage every change after the head is one', async () => {
    const { server, url } = await serving(
      new session.EncryptedCookieStorage('x'.repeat(43)),
      ignore,
      async (data, ws) => {
        try {
          data.set('late', 1);
        } catch (error) {
          await ws.sendStr((error as { code: string }).code);
        }
      },
      false,
    );
    await using _ = server;
    const visitor = new Visitor(url);
    await visitor.get('/begin');
    const { first, closed } = await open(url, visitor);
    assert.equal(await first, 'AIO_SESSION_TOO_LATE');
    await closed;
  });

  test('a session that could not be saved is told before the 101', async () => {
    class BrokenStorage extends session.MemoryStorage {
      override async create(): Promise<never> {
        throw new session.SessionUnavailableError('down');
      }
    }
    const { server, url } = await serving(
      new BrokenStorage(),
      (data) => data.set('a', 1),
      () => assert.fail('it was opened'),
      false,
    );
    await using _ = server;
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
    const status = await new Promise((resolve) => {
      socket.on('unexpected-response', (request, response) => {
        resolve(response.statusCode);
        request.destroy();
      });
      socket.on('error', ignore);
    });
    assert.equal(status, 503);
  });
});

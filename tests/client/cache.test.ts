import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  type CacheOptions,
  ClientConnectionError,
  ClientSession,
  cacheMiddleware,
  MemoryCacheStore,
  type RequestOptions,
  type StoredPolicy,
} from '../../src/client/index.ts';
import { type MockCall, MockConnector, type MockReply } from '../../src/testing/index.ts';
import { handshaker, switching } from './websocket-servers.ts';

const URL_ = 'http://api.example/thing';

async function isInstalled(library: string): Promise<boolean> {
  return await import(library).then(
    () => true,
    () => false,
  );
}

const installed = await isInstalled('http-cache-semantics');
const CACHED = { 'Cache-Control': 'max-age=100' };

/** Asks `times` for the thing; what came, and how often the server was asked. */
async function withCache(
  reply: MockReply,
  work: (
    get: (options?: RequestOptions) => Promise<string>,
    server: MockConnector,
    session: ClientSession,
  ) => Promise<void>,
  options: CacheOptions = {},
): Promise<void> {
  const server = new MockConnector();
  server.get(/./, reply, { times: Infinity });
  const session = new ClientSession({ connector: server, middlewares: [cacheMiddleware(options)] });
  const get = async (requestOptions?: RequestOptions): Promise<string> => {
    const response = await session.get(URL_, requestOptions);
    return `${response.status} ${await response.text()}`;
  };
  try {
    await work(get, server, session);
  } finally {
    await session.close();
  }
}

/** Each answer says the how manieth it is. */
function counted(headers: Record<string, string | string[]>): MockReply {
  let count = 0;
  return (call) => ({
    headers,
    body: `${++count}`,
    status: call.headers['if-none-match'] === '"1"' ? 304 : 200,
  });
}

test('without its library the cache says what to install', {
  skip: installed && 'it is installed',
}, async () => {
  await withCache({}, async (get) => {
    await assert.rejects(get(), { code: 'AIO_CACHE_LIBRARY', message: /npm install http-cache-semantics/ });
  });
});

describe('cacheMiddleware', { skip: !installed && 'http-cache-semantics is not installed' }, () => {
  test('a fresh response is given again, with its age and without its cookies', async () => {
    await withCache(
      counted({ 'Cache-Control': 'max-age=60', 'Set-Cookie': 'a=1' }),
      async (get, server, session) => {
        assert.equal(await get(), '200 1');
        assert.equal(session.cookieJar.size, 1);
        session.cookieJar.clear();
        const again = await session.get(URL_);
        assert.deepEqual([again.status, again.reason, await again.text()], [200, 'OK', '1']);
        assert.equal(again.headers.get('age'), '0');
        assert.equal(session.cookieJar.size, 0);
        assert.equal(again.closed, true);
        assert.equal(server.calls.length, 1);
      },
    );
  });

  for (const [what, headers] of [
    ['no-store', { 'Cache-Control': 'no-store' }],
    ['nothing said', {}],
    ['already stale', { 'Cache-Control': 'max-age=0' }],
    ['Vary: *', { 'Cache-Control': 'max-age=60', Vary: '*' }],
  ] as const) {
    test(`${what}: not kept`, async () => {
      await withCache(counted(headers), async (get) =>
        assert.deepEqual([await get(), await get()], ['200 1', '200 2']),
      );
    });
  }

  test('private responses are kept, but not in a shared cache', async () => {
    const headers = { 'Cache-Control': 'private, max-age=60' };
    await withCache(counted(headers), async (get) =>
      assert.deepEqual([await get(), await get()], ['200 1', '200 1']),
    );
    await withCache(
      counted(headers),
      async (get) => assert.deepEqual([await get(), await get()], ['200 1', '200 2']),
      { shared: true },
    );
  });

  test('a coded body was kept without its Content-Encoding', async () => {
    const coded = gzipSync('text');
    const reply: MockReply = (call) =>
      call.url.search === '?unknown'
        ? { headers: { ...CACHED, 'Content-Encoding': 'unknown' }, body: 'coded' }
        : { headers: { ...CACHED, 'Content-Encoding': 'gzip' }, body: coded };
    await withCache(reply, async (_get, server, session) => {
      for (let i = 0; i < 2; i++) {
        const unknown = await session.get(`${URL_}?unknown`);
        assert.deepEqual([unknown.header('content-encoding'), await unknown.text()], ['unknown', 'coded']);
        const bytes = await session.get(URL_, { autoDecompress: false });
        assert.equal(bytes.header('content-encoding'), 'gzip');
        assert.deepEqual(Buffer.from(await bytes.read()), coded);
        const text = await session.get(URL_);
        assert.deepEqual([text.header('content-encoding'), await text.text()], [undefined, 'text']);
      }
      assert.equal(server.calls.length, 5);
    });
  });

  test('what was kept for one user was given to another', async () => {
    const reply: MockReply = ({ headers }) => ({
      headers: CACHED,
      body: `${headers['authorization']} ${headers['cookie']}`,
    });
    await withCache(reply, async (get, server) => {
      const users: [RequestOptions, string][] = [
        [{ headers: { Authorization: 'a' } }, 'a undefined'],
        [{ headers: { Authorization: 'b' } }, 'b undefined'],
        [{ headers: { Cookie: 'id=1' } }, 'undefined id=1'],
        [{ cookies: { id: '2' } }, 'undefined id=2'],
        [{}, 'undefined undefined'],
      ];
      for (let i = 0; i < 2; i++) {
        for (const [options, expected] of users) assert.equal(await get(options), `200 ${expected}`);
      }
      assert.equal(server.calls.length, users.length);
    });
  });

  test('a stale response is asked about, and given again when it holds', async () => {
    mock.timers.enable({ apis: ['Date'], now: Date.UTC(2030, 0, 1) });
    try {
      await withCache(counted({ 'Cache-Control': 'max-age=60', ETag: '"1"' }), async (get, server) => {
        assert.equal(await get(), '200 1');
        mock.timers.setTime(Date.UTC(2030, 0, 1) + 61_000);
        assert.equal(await get(), '200 1');
        assert.deepEqual(
          server.calls.map(({ headers }) => headers['if-none-match']),
          [undefined, '"1"'],
        );
        assert.equal(await get(), '200 1');
        assert.equal(server.calls.length, 2);
      });
    } finally {
      mock.timers.reset();
    }
  });

  test('a stale response that changed is replaced', async () => {
    let version = 1;
    const reply = (): object => ({
      headers: { 'Cache-Control': 'no-cache', ETag: `"v${version}"` },
      body: `v${version}`,
    });
    await withCache(reply, async (get) => {
      assert.equal(await get(), '200 v1');
      version = 2;
      assert.equal(await get(), '200 v2');
    });
  });

  test('stale-if-error holds when the server cannot be reached', async () => {
    let failure: Error | undefined;
    const reply = (): object => ({
      headers: { 'Cache-Control': 'max-age=0, stale-if-error=60', ETag: '"x"' },
      body: 'old',
      error: failure,
    });
    await withCache(reply, async (get) => {
      assert.equal(await get(), '200 old');
      failure = new ClientConnectionError('gone');
      assert.equal(await get(), '200 old');
    });
    failure = undefined;
    const strict = (): object => ({
      headers: { 'Cache-Control': 'max-age=0', ETag: '"x"' },
      body: 'old',
      error: failure,
    });
    await withCache(strict, async (get) => {
      await get();
      failure = new ClientConnectionError('gone');
      await assert.rejects(get(), failure);
    });
  });

  test('what Vary names tells variants apart', async () => {
    const reply = (call: MockCall): object => ({
      headers: { 'Cache-Control': 'max-age=60', Vary: 'Accept-Language' },
      body: call.headers['accept-language'] ?? 'none',
    });
    await withCache(reply, async (get, server) => {
      for (const language of ['de', 'en', 'de', 'en']) {
        assert.equal(await get({ headers: { 'Accept-Language': language } }), `200 ${language}`);
      }
      assert.equal(await get(), '200 none');
      assert.equal(server.calls.length, 3);
    });
  });

  test('compressed bodies are kept unpacked', async () => {
    const reply = {
      headers: { 'Cache-Control': 'max-age=60', 'Content-Encoding': 'gzip' },
      body: gzipSync('hello'),
    };
    await withCache(reply, async (get) =>
      assert.deepEqual([await get(), await get()], ['200 hello', '200 hello']),
    );
  });

  test('a body that is too large is read and not kept', async () => {
    const reply = { headers: { 'Cache-Control': 'max-age=60' }, body: gzipSync('x') };
    const large = {
      ...reply,
      headers: { ...reply.headers, 'Content-Encoding': 'gzip' },
      body: gzipSync('x'.repeat(2_000)),
    };
    await withCache(
      large,
      async (get, server) => {
        assert.equal((await get()).length, 2_004);
        assert.equal((await get()).length, 2_004);
        assert.equal(server.calls.length, 2);
      },
      { maxEntrySize: 1_000 },
    );
  });

  test('a change makes what is kept void', async () => {
    await withCache(counted({ 'Cache-Control': 'max-age=60' }), async (get, server, session) => {
      server.post(URL_, { status: 500 }).post(URL_, { status: 200 });
      server.post('http://api.example/other', { headers: { Location: '/thing' } });
      assert.equal(await get(), '200 1');
      await session.post(URL_);
      assert.equal(await get(), '200 1');
      await session.post(URL_);
      assert.equal(await get(), '200 2');
      await session.post('http://api.example/other');
      assert.equal(await get(), '200 3');
    });
  });

  test("the request's own wishes count", async () => {
    await withCache(counted({ 'Cache-Control': 'max-age=60' }), async (get) => {
      assert.equal(await get({ headers: { 'Cache-Control': 'only-if-cached' } }), '504 ');
      assert.equal(await get(), '200 1');
      assert.equal(await get({ headers: { 'Cache-Control': 'only-if-cached' } }), '200 1');
      assert.equal(await get({ headers: { 'Cache-Control': 'no-cache' } }), '200 2');
      assert.equal(await get({ headers: { 'If-None-Match': '"1"' } }), '304 ');
    });
  });

  test('the handshake of a WebSocket is left to the server', async () => {
    await using server = await handshaker((head) =>
      /upgrade: websocket/i.test(head)
        ? switching(head)
        : 'HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 4\r\n\r\nkept',
    );
    await using session = new ClientSession({ middlewares: [cacheMiddleware()] });
    for (let i = 0; i < 2; i++) assert.equal(await (await session.get(server.url)).text(), 'kept');
    assert.equal(server.requests.length, 1);
    const ws = await session.wsConnect(server.url);
    assert.deepEqual([ws.closed, server.requests.length], [false, 2]);
  });
});

describe('MemoryCacheStore', () => {
  const kept = (size: number): { policy: StoredPolicy; body: Uint8Array; reason: string } => ({
    policy: {} as StoredPolicy,
    body: new Uint8Array(size),
    reason: '',
  });

  test('what was not used for longest goes first', () => {
    const store = new MemoryCacheStore({ maxSize: 30_000 });
    for (const url of ['a', 'b', 'c']) store.set(url, [kept(7_000)]);
    store.get('a');
    store.set('d', [kept(7_000)]);
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((url) => store.get(url).length),
      [1, 0, 1, 1],
    );
    store.set('a', []);
    store.set('c', []);
    store.set('d', []);
    assert.equal(store.size, 0);
    store.set('e', [kept(40_000)]);
    assert.equal(store.size, 0);
    store.set('f', [kept(1)]);
    store.clear();
    assert.equal(store.size, 0);
  });
});

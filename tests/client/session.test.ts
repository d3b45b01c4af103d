import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as asyncio from '../../src/asyncio/index.ts';
import {
  ClientConnectionError,
  ClientError,
  ClientResponseError,
  ClientSession,
  CookieJar,
  NonHttpUrlClientError,
  request,
  ServerDisconnectedError,
  TCPConnector,
} from '../../src/client/index.ts';
import { HttpVersion10, type StreamReader } from '../../src/message/index.ts';
import { ok, RawServer } from './raw-server.ts';

const agent = /User-Agent: Node\.js\/[\d.]+ aiohttp-ts\/[\d.]+\r\n/;

describe('ClientSession', () => {
  test('a plain GET has the fields of aiohttp in its order', async () => {
    await using server = await RawServer.start(() => ok('hello'));
    await using session = new ClientSession({ headers: { 'X-Session': 's' } });
    const response = await session.get(`${server.url}/a?b=c#d`, { headers: { 'X-Request': 'r' } });
    assert.equal(await response.text(), 'hello');
    const { head } = server.requests[0]!;
    assert.match(
      head.replace(agent, 'UA\r\n'),
      /^GET \/a\?b=c HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\nX-Session: s\r\nX-Request: r\r\nAccept: \*\/\*\r\nAccept-Encoding: gzip, deflate, br(?:, zstd)?\r\nUA\r\n\r\n$/,
    );
    assert.equal(response.status, 200);
    assert.equal(response.reason, 'OK');
    assert.equal(response.realUrl.hash, '#d');
    assert.equal(response.url.hash, '');
    assert.equal(response.host, '127.0.0.1');
    assert.ok(response.closed);
  });

  test("the head of a plain GET follows the session's headers when they change", async () => {
    await using server = await RawServer.start(() => ok());
    await using session = new ClientSession();
    await session.get(server.url);
    session.headers.set('X-Later', '1');
    await session.get(server.url);
    session.headers.delete('X-Later');
    await session.get(server.url);
    assert.deepEqual(
      server.requests.map(({ head }) => head.includes('X-Later: 1')),
      [false, true, false],
    );
    assert.equal(server.connections, 1);
  });

  test("a request's headers take the place of the session's, whatever their case", async () => {
    await using server = await RawServer.start(() => ok());
    await using session = new ClientSession({ headers: { Accept: 'a/b', 'X-A': '1' } });
    await session.get(server.url, {
      headers: [
        ['accept', 'c/d'],
        ['x-a', '2'],
        ['x-a', '3'],
        ['HOST', 'h.test'],
      ],
    });
    const { head } = server.requests[0]!;
    assert.ok(head.startsWith('GET / HTTP/1.1\r\nHost: h.test\r\n'), head);
    assert.equal(head.match(/^accept:/gim)?.length, 1);
    assert.deepEqual(head.match(/^x-a: .*$/gim), ['x-a: 2', 'x-a: 3']);
  });

  test('skipAutoHeaders', async () => {
    await using server = await RawServer.start(() => ok());
    await using session = new ClientSession({ skipAutoHeaders: ['User-Agent'] });
    await session.post(server.url, { data: 'x', skipAutoHeaders: ['accept-encoding', 'Content-Type'] });
    assert.equal(
      server.requests[0]!.head.replace(/Host: .*\r\n/, ''),
      'POST / HTTP/1.1\r\nAccept: */*\r\nContent-Length: 1\r\n\r\n',
    );
  });

  const injections: readonly (readonly [string, object])[] = [
    ['a header value', { headers: { 'X-A': 'a\r\nX-B: c' } }],
    ['a header name', { headers: { 'X-A\r\nX-B': 'c' } }],
    ['a header that is no text', { headers: { 'X-A': 1 } }],
    ['a cookie', { cookies: { a: 'b\r\nc' } }],
    ['a cookie name', { cookies: { 'a\r\n': 'b' } }],
    ['NUL', { headers: { 'X-A': 'a\0b' } }],
    ['text beyond latin1', { headers: { 'X-A': '\u4e00' } }],
  ];
  for (const [what, options] of injections) {
    test(`${what} cannot split the head`, async () => {
      await using server = await RawServer.start(() => ok());
      await using session = new ClientSession();
      await assert.rejects(session.get(server.url, options), (error: unknown) => {
        assert.ok(error instanceof TypeError || error instanceof RangeError);
        return true;
      });
      assert.equal(server.requests.length, 0);
    });
  }

  test('a method is a token', async () => {
    await using session = new ClientSession();
    await assert.rejects(session.request('GE T', 'http://h/'), {
      name: 'RangeError',
      code: 'AIO_METHOD',
      message: `Method cannot contain non-token characters "GE T" (found at least " ")`,
    });
    await using server = await RawServer.start(() => ok());
    await session.request('propfind', server.url);
    assert.match(server.requests[0]!.head, /^PROPFIND \/ /);
  });

  test('params go behind those of the URL', async () => {
    await using server = await RawServer.start(() => ok());
    await using session = new ClientSession();
    await session.get(`${server.url}/?a=1`, { params: { b: ['x y', 'é&'], c: 2 } });
    await session.get(server.url, { params: 'already=%20this' });
    assert.match(server.requests[0]!.head, /^GET \/\?a=1&b=x\+y&b=%C3%A9%26&c=2 HTTP/);
    assert.match(server.requests[1]!.head, /^GET \/\?already=%20this HTTP/);
    // @ts-expect-error a boolean is neither text nor number
    await assert.rejects(session.get(server.url, { params: { a: true } }), TypeError);
  });

  test('a base URL', async () => {
    await using server = await RawServer.start(() => ok());
    assert.throws(() => new ClientSession({ baseUrl: 'http://h/t' }), { code: 'AIO_BASE_URL' });
    await using session = new ClientSession({
      baseUrl: `${server.url}/t1/`,
      headers: { Authorization: 'secret' },
    });
    await session.get('t2?q=foo#bar');
    await session.get('/t3');
    await session.get(`http://localhost:${server.port}/t4`);
    assert.deepEqual(
      server.requests.map(({ head }) => [head.split(' ')[1], head.includes('Authorization: secret')]),
      [
        ['/t1/t2?q=foo', true],
        ['/t3', true],
        ['/t4', false],
      ],
    );
    await assert.rejects(session.get('ftp://h/'), NonHttpUrlClientError);
  });

  test('a relative URL needs a base', async () => {
    await using session = new ClientSession();
    await assert.rejects(session.get('/x'), { code: 'AIO_INVALID_REQUEST_URL' });
  });

  test('credentials of the URL are sent, and not together with others', async () => {
    await using server = await RawServer.start(() => ok());
    await using session = new ClientSession();
    const url = server.url.replace('//', '//user:pass@');
    const response = await session.get(url);
    assert.match(server.requests[0]!.head, /\r\nAuthorization: Basic dXNlcjpwYXNz\r\n/);
    assert.ok(!response.realUrl.href.includes('pass'));
    await assert.rejects(session.get(url, { headers: { Authorization: 'x' } }), {
      code: 'AIO_URL_CREDENTIALS',
    });
  });

  test('cookies of the jar, of the request and of a header are sent as one field', async () => {
    await using server = await RawServer.start(() =>
      ok('', 'Set-Cookie: a=1\r\nSet-Cookie: b=2; Path=/other\r\n'),
    );
    const cookieJar = new CookieJar({ unsafe: true });
    await using session = new ClientSession({ cookieJar, cookies: { z: '0' } });
    const first = await session.get(server.url);
    assert.deepEqual(
      [...first.cookies],
      [
        ['a', '1'],
        ['b', '2'],
      ],
    );
    await session.get(server.url);
    await session.get(server.url, { cookies: { a: '3', c: 'x y' }, headers: { Cookie: 'h=5' } });
    assert.match(server.requests[0]!.head, /\r\nCookie: z=0\r\n/);
    assert.match(server.requests[1]!.head, /\r\nCookie: z=0; a=1\r\n/);
    assert.match(server.requests[2]!.head, /\r\nCookie: h=5; z=0; a=3; c="x y"\r\n/);
  });

  test('HEAD does not follow redirects by its own method only', async () => {
    await using server = await RawServer.start(({ number }) =>
      number < 3
        ? 'HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 9\r\n\r\n'
        : 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n',
    );
    await using session = new ClientSession();
    assert.equal((await session.head(server.url)).status, 302);
    assert.equal((await session.request('HEAD', server.url)).status, 200);
    assert.equal(server.connections, 1, 'a HEAD response leaves the connection usable');
  });

  test('HTTP/1.0', async () => {
    await using server = await RawServer.start(() => ok());
    await using session = new ClientSession({ version: HttpVersion10 });
    await session.get(server.url);
    assert.match(server.requests[0]!.head, /^GET \/ HTTP\/1\.0\r\n[\s\S]*\r\nConnection: keep-alive\r\n/);
    await assert.rejects(session.post(server.url, { data: 'x', chunked: true }), {
      code: 'AIO_REQUEST_FRAMING',
    });
    // @ts-expect-error something that would split the head
    await assert.rejects(session.get(server.url, { version: { major: 1, minor: '1\r\nX: y' } }), RangeError);
  });

  test('a closed session makes no requests', async () => {
    const session = new ClientSession();
    assert.equal(session.closed, false);
    await session.close();
    await session.close();
    assert.ok(session.closed);
    await assert.rejects(session.get('http://h/'), {
      name: 'InvalidStateError',
      message: 'Session is closed',
    });
  });

  test('closing a session ends what is under way', async () => {
    const arrived = asyncio.withResolvers<void>();
    await using server = await RawServer.start(() => {
      arrived.resolve();
      return undefined;
    });
    const session = new ClientSession();
    const waiting = assert.rejects(session.get(server.url), ClientConnectionError);
    await arrived.promise;
    await session.close();
    await waiting;
  });

  test('a connector that is not owned stays open', async () => {
    await using server = await RawServer.start(() => ok());
    await using connector = new TCPConnector();
    const session = new ClientSession({ connector, connectorOwner: false });
    await session.get(server.url);
    await session.close();
    assert.equal(connector.closed, false);
    const other = new ClientSession({ connector });
    other.detach();
    assert.ok(other.closed);
    assert.equal(connector.closed, false);
  });

  test('options are own properties, and their names are checked', async () => {
    await using server = await RawServer.start(() => ok());
    const polluted = Object.prototype as { proxy?: string; headers?: object };
    polluted.proxy = 'http://127.0.0.1:1';
    polluted.headers = { 'X-Polluted': '1' };
    try {
      await using session = new ClientSession({});
      await session.get(server.url, {});
      await session.get(server.url, { timeout: {} });
      assert.ok(server.requests.every(({ head }) => !head.includes('Polluted')));
    } finally {
      delete polluted.proxy;
      delete polluted.headers;
    }
    await using session = new ClientSession();
    // @ts-expect-error there is no such option
    await assert.rejects(session.get(server.url, { param: {} }), { code: 'AIO_REQUEST_OPTION' });
    // @ts-expect-error there is no such option
    assert.throws(() => new ClientSession({ header: {} }), { code: 'AIO_SESSION_OPTION' });
    await assert.rejects(session.get(server.url, { data: 'a', json: 1 }), { code: 'AIO_REQUEST_OPTION' });
  });

  test('stats', async () => {
    await using server = await RawServer.start(() => ok());
    await using session = new ClientSession();
    await session.get(server.url);
    await session.get(server.url);
    const { idle, busy, waiting, opened, reused } = session.stats();
    assert.deepEqual(
      { idle, busy, waiting, opened, reused },
      { idle: 1, busy: 0, waiting: 0, opened: 1, reused: 1 },
    );
  });

  test('raiseForStatus of the session, and of the request over it', async () => {
    await using server = await RawServer.start(() => ok('gone', '', '404 Nope'));
    await using session = new ClientSession({ raiseForStatus: true });
    await assert.rejects(session.get(`${server.url}/x`), (error: unknown) => {
      assert.ok(error instanceof ClientResponseError);
      assert.equal(error.message, `404, message='Nope', url='${server.url}/x'`);
      assert.equal(error.requestInfo.method, 'GET');
      return true;
    });
    assert.equal((await session.get(server.url, { raiseForStatus: false })).status, 404);
    const refusal = new Error('mine');
    const raise = async (): Promise<void> => {
      throw refusal;
    };
    await assert.rejects(session.get(server.url, { raiseForStatus: raise }), refusal);
    const response = await session.get(server.url, { raiseForStatus: false });
    assert.throws(() => response.raiseForStatus(), ClientResponseError);
    assert.equal(await response.text(), 'gone', 'a body that came with the head can still be read');
  });

  test('request() ends its session with the response', async () => {
    await using server = await RawServer.start(({ number }) =>
      number === 1 ? ok('whole') : 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf',
    );
    const whole = await request('GET', server.url);
    assert.equal(await whole.text(), 'whole');
    assert.ok(whole.request.session.closed);
    const half = await request('GET', server.url);
    assert.equal(half.request.session.closed, false);
    half.close();
    assert.ok(half.request.session.closed);
    await assert.rejects(request('GET', 'http://127.0.0.1:1/'), ClientError);
  });

  test('a stale connection is tried again once, for methods that may be repeated', async () => {
    await using server = await RawServer.start(({ number, socket, head }) => {
      // Every connection answers one request; the next one on it meets a closed door.
      if (number === 1 || head.includes('X-Answer')) return ok(String(number));
      if (number === 2 || number === 4) {
        socket.destroy();
        return undefined;
      }
      return ok(String(number));
    });
    await using session = new ClientSession();
    await session.get(server.url);
    assert.equal(await (await session.get(server.url)).text(), '3');
    await assert.rejects(session.post(server.url, { data: 'x' }), ServerDisconnectedError);
    assert.equal(server.requests.length, 4);
  });

  test('when all idle connections were stale the second try met another stale one', async () => {
    let stale: Set<unknown> | undefined;
    const waiting: ((answer: string) => void)[] = [];
    await using server = await RawServer.start(({ socket }) => {
      if (stale?.has(socket) === true) socket.destroy();
      if (stale !== undefined) return ok('again');
      return new Promise((resolve) => {
        waiting.push(resolve);
        if (waiting.length === 3) for (const answer of waiting) answer(ok('first'));
      });
    });
    await using session = new ClientSession();
    await Promise.all([1, 2, 3].map(async () => await (await session.get(server.url)).text()));
    assert.equal(session.stats().idle, 3);
    stale = new Set(server.sockets);
    assert.equal(await (await session.get(server.url)).text(), 'again');
    assert.equal(server.requests.length, 5);
    assert.equal(session.stats().idle, 1);
  });

  test('a part was asked for in codings that only the whole can be decoded from', async () => {
    await using server = await RawServer.start(() => ok());
    await using session = new ClientSession();
    const headers = { Range: 'bytes=5-9' };
    await session.get(server.url, { headers });
    await session.get(server.url, { headers: { ...headers, 'Accept-Encoding': 'br' } });
    await session.get(server.url, { headers, skipAutoHeaders: ['Accept-Encoding'] });
    await session.get(server.url, {
      headers,
      middlewares: [
        async (request, handler) => {
          assert.equal(request.headers.get('accept-encoding'), 'identity');
          return await handler(request);
        },
      ],
    });
    const asked = server.requests.map(({ head }) => /^Accept-Encoding: (.*)\r$/m.exec(head)?.[1]);
    assert.deepEqual(asked, ['identity', 'br', undefined, 'identity']);
  });

  test('errors about a header or cookie showed its value', async () => {
    await using session = new ClientSession();
    const token = 'secret\n'; // read from a file
    for (const options of [
      { headers: { Authorization: `Bearer ${token}` } },
      { headers: { Cookie: token } },
      { cookies: { sid: token } },
    ]) {
      await assert.rejects(session.get('http://127.0.0.1:1/', options), ({ message }: Error) => {
        assert.doesNotMatch(message, /secret/);
        assert.match(message, /"\\n"/);
        return true;
      });
    }
    const jar = new CookieJar({ quoteCookie: false });
    assert.throws(
      () => jar.updateCookies({ sid: token }),
      ({ message }: Error) => !message.includes('secret'),
    );
  });

  test('what is no URL and no signal was found out by accident', async () => {
    await using session = new ClientSession();
    for (const url of [undefined, null, 5, {}, ['http://a/']] as unknown as string[]) {
      await assert.rejects(session.get(url), { code: 'AIO_INVALID_REQUEST_URL' });
    }
    for (const signal of [null, 'x', {}] as unknown as AbortSignal[]) {
      await assert.rejects(session.get('http://127.0.0.1:1/', { signal }), { code: 'AIO_REQUEST_OPTION' });
    }
    await assert.rejects(session.get('localhost:8080/x'), /none of http, https/);
  });

  test('connectors and jars took options from a polluted prototype', async () => {
    await using server = await RawServer.start(() => ok());
    const polluted = Object.prototype as Record<string, unknown>;
    Object.assign(polluted, {
      limit: -1,
      ssl: 'no',
      unsafe: true,
      connector: {},
      attempts: 0,
      preemptive: 1,
    });
    try {
      assert.equal(new TCPConnector().limit, 100);
      assert.equal(new CookieJar().unsafe, false);
      await (await request('GET', server.url)).text();
    } finally {
      for (const name of ['limit', 'ssl', 'unsafe', 'connector', 'attempts', 'preemptive'])
        delete polluted[name];
    }
  });

  test('a fresh connection that is closed is no stale one', async () => {
    await using server = await RawServer.start(({ socket }) => void socket.destroy());
    await using session = new ClientSession();
    await assert.rejects(session.get(server.url), ServerDisconnectedError);
    assert.equal(server.requests.length, 1);
  });

  test('a body that can be sent once is not sent again to a stale connection', async () => {
    await using server = await RawServer.start(({ number, socket }) => {
      if (number === 1) return ok();
      socket.destroy();
      return undefined;
    });
    await using session = new ClientSession();
    await session.get(server.url);
    async function* body(): AsyncGenerator<string> {
      yield 'x';
    }
    await assert.rejects(session.put(server.url, { data: body() }), ClientError);
    assert.equal(server.connections, 1);
  });

  test("the caller's line is in the stack of what goes wrong while waiting", async () => {
    await using server = await RawServer.start(({ socket }) => void socket.destroy());
    await using session = new ClientSession();
    async function theCaller(): Promise<void> {
      await session.get(server.url);
    }
    await assert.rejects(theCaller(), (error: Error) => /theCaller/.test(error.stack!));
    async function theOtherCaller(): Promise<void> {
      await session.get('http://127.0.0.1:1/');
    }
    await assert.rejects(theOtherCaller(), (error: Error) => /theOtherCaller/.test(error.stack!));
  });

  test("the caller's line is in the stack of a read of the content that fails, however it reads", async () => {
    await using server = await RawServer.start(({ socket }) => {
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
      return undefined;
    });
    await using session = new ClientSession();
    const reads: Record<string, (content: StreamReader) => Promise<unknown>> = {
      read: (content) => content.read(),
      readExactly: (content) => content.readExactly(10),
      readLine: async (content) => {
        while ((await content.readLine()) !== undefined);
      },
      iteration: async (content) => {
        for await (const _ of content);
      },
      waitEof: (content) => content.waitEof(),
    };
    for (const [name, read] of Object.entries(reads)) {
      await using response = await session.get(server.url);
      async function theReader(): Promise<void> {
        await read(response.content);
      }
      await assert.rejects(
        theReader(),
        (error: Error) => /theReader/.test(error.stack!),
        `${name} lost its caller`,
      );
    }
  });

  test('cancelling the task closes the connection', async () => {
    await using server = await RawServer.start(() => undefined);
    await using session = new ClientSession();
    const task = asyncio.createTask(() => session.get(server.url));
    while (server.requests.length === 0) await asyncio.sleep(1);
    task.cancel();
    await assert.rejects(async () => await task, asyncio.CancelledError);
    assert.equal(session.stats().busy, 0);
    assert.equal(session.stats().idle, 0);
  });
});

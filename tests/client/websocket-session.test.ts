// The handshake is a request like any other: what a session does for requests it does for WebSockets.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import {
  BlockedAddressError,
  basicAuth,
  ClientConnectorCertificateError,
  ClientHttpProxyError,
  ClientSession,
  type ClientSessionOptions,
  ConnectionTimeoutError,
  CookieJar,
  DigestAuthMiddleware,
  Fingerprint,
  NonHttpUrlClientError,
  retryMiddleware,
  TCPConnector,
  TooManyRedirects,
  TotalTimeoutError,
  TraceConfig,
  UnixConnector,
  type WSConnectOptions,
  WSServerHandshakeError,
} from '../../src/client/index.ts';
import { requestChannel } from '../../src/client/tracing.ts';
import { HttpVersion10 } from '../../src/message/index.ts';
import { makeCertificate } from '../net/certificates.ts';
import { httpProxy, socksProxy } from '../net/proxy-server.ts';
import { until } from '../net/raw-server.ts';
import { RawServer, redirect } from './raw-server.ts';
import { handshaker, Oracle, switching } from './websocket-servers.ts';

const authority = makeCertificate({ name: 'test authority', altNames: ['a.test'], isAuthority: true });
const certificate = makeCertificate({ issuer: authority, altNames: ['127.0.0.1', 'server.test'] });
const tls = { cert: certificate.cert, key: certificate.key };
const trusted = { ca: authority.cert };

/** Says something to a server that sends it back, and closes. */
async function echoed(
  session: ClientSession,
  url: string | URL,
  options?: WSConnectOptions,
): Promise<string> {
  await using ws = await session.wsConnect(url, options);
  await ws.sendStr('hello');
  return await ws.receiveStr();
}

async function echoes(
  url: string | URL,
  options: WSConnectOptions = {},
  sessionOptions: ClientSessionOptions = {},
): Promise<void> {
  await using session = new ClientSession(sessionOptions);
  assert.equal(await echoed(session, url, options), 'hello');
  await until(() => session.stats().busy === 0);
  assert.equal(session.stats().idle, 0);
}

describe('URLs', () => {
  test('ws, http and URL objects', async () => {
    await using oracle = await Oracle.start();
    await echoes(oracle.url);
    await echoes(oracle.url.replace('ws', 'http'));
    await echoes(new URL('/a?b=c', oracle.url));
    await echoes(oracle.url.toUpperCase());
  });

  test('relative to a base of http or ws', async () => {
    await using oracle = await Oracle.start();
    for (const scheme of ['http', 'ws']) {
      const baseUrl = `${scheme}://127.0.0.1:${oracle.port}/api/`;
      await echoes('chat', { params: { room: 1 } }, { baseUrl });
      await echoes('/other', {}, { baseUrl });
    }
    assert.deepEqual(
      oracle.requests.map(({ url }) => url),
      ['/api/chat?room=1', '/other', '/api/chat?room=1', '/other'],
    );
  });

  test('others are refused', async () => {
    await using session = new ClientSession();
    await assert.rejects(session.wsConnect('ftp://127.0.0.1/'), NonHttpUrlClientError);
    await assert.rejects(session.wsConnect('/relative'), { code: 'AIO_INVALID_REQUEST_URL' });
    await session.close();
    await assert.rejects(session.wsConnect('ws://127.0.0.1/'), /Session is closed/);
  });

  test('credentials of a session are for its base URL, by ws too', async () => {
    await using oracle = await Oracle.start();
    const session = new ClientSession({
      baseUrl: `http://127.0.0.1:${oracle.port}/`,
      headers: { Authorization: 'Bearer secret' },
    });
    await using _ = session;
    await echoed(session, `ws://127.0.0.1:${oracle.port}/a`);
    await using other = await Oracle.start();
    await echoed(session, other.url);
    assert.equal(oracle.requests[0]!.headers.authorization, 'Bearer secret');
    assert.equal(other.requests[0]!.headers.authorization, undefined);
  });
});

describe('TLS', () => {
  test('wss and https, by name and address', async () => {
    await using oracle = await Oracle.start({ tls });
    const resolve = { 'server.test': '127.0.0.1' };
    for (const url of [
      `wss://127.0.0.1:${oracle.port}`,
      `https://127.0.0.1:${oracle.port}`,
      `wss://server.test:${oracle.port}`,
    ]) {
      await echoes(url, { ssl: trusted }, { connector: new TCPConnector({ resolve }) });
    }
    await echoes(`wss://127.0.0.1:${oracle.port}`, { ssl: new Fingerprint(certificate.fingerprint) });
    await echoes(`wss://127.0.0.1:${oracle.port}`, { ssl: trusted, serverHostname: 'server.test' });
    await echoes(`wss://127.0.0.1:${oracle.port}`, {}, { ssl: false });
  });

  test('a certificate that is not trusted', async () => {
    await using oracle = await Oracle.start({ tls });
    await using session = new ClientSession();
    await assert.rejects(
      session.wsConnect(`wss://127.0.0.1:${oracle.port}`),
      ClientConnectorCertificateError,
    );
  });
});

describe('credentials', () => {
  test('of the URL, and of a middleware', async () => {
    await using oracle = await Oracle.start();
    await using session = new ClientSession({ middlewares: [basicAuth('a', 'b')] });
    await echoed(session, oracle.url.replace('//', '//user:pass@'), { middlewares: [] });
    await echoed(session, oracle.url);
    assert.deepEqual(
      oracle.requests.map(({ headers }) => headers.authorization),
      ['user:pass', 'a:b'].map((login) => `Basic ${Buffer.from(login).toString('base64')}`),
    );
  });

  test('a digest answers the challenge of the handshake', async () => {
    await using server = await handshaker((head) =>
      /^authorization: digest .*username="ada"/im.test(head)
        ? switching(head)
        : 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm="r", nonce="n", qop="auth"\r\nContent-Length: 0\r\n\r\n',
    );
    const digest = new DigestAuthMiddleware('ada', 'secret', { origin: server.url });
    await using session = new ClientSession({ middlewares: [digest] });
    const ws = await session.wsConnect(server.url.replace('http', 'ws'));
    assert.deepEqual([ws.closed, server.requests.length], [false, 2]);
  });
});

describe('cookies', () => {
  test('of the jar and of the call go out, and those of the 101 are kept', async () => {
    await using server = await handshaker((head) =>
      switching(head, 'Set-Cookie: sid=abc; Path=/\r\nSet-Cookie: seen=1; Path=/\r\n'),
    );
    await using session = new ClientSession({ cookieJar: new CookieJar({ unsafe: true }) });
    const ws = await session.wsConnect(server.url.replace('http', 'ws'), { cookies: { own: '1' } });
    assert.equal(ws.response.cookies.get('sid'), 'abc');
    await session.wsConnect(server.url);
    const [first, second] = server.requests.map(({ head }) => /^cookie: (.*)\r$/im.exec(head)?.[1]);
    assert.deepEqual([first, second], ['own=1', 'sid=abc; seen=1']);
  });

  test('secure ones go by wss, not by ws unless the origin counts as secure', async () => {
    await using oracle = await Oracle.start({ tls });
    await using plain = await Oracle.start();
    const cookieJar = new CookieJar({
      unsafe: true,
      treatAsSecureOrigin: `http://127.0.0.1:${plain.port}`,
    });
    cookieJar.updateCookiesFromHeaders(['s=1; Secure; Path=/'], 'https://127.0.0.1/');
    await using session = new ClientSession({ cookieJar, ssl: trusted });
    await echoed(session, `wss://127.0.0.1:${oracle.port}`);
    await echoed(session, plain.url);
    await using other = await Oracle.start();
    await echoed(session, other.url);
    assert.deepEqual(
      [oracle, plain, other].map(({ requests }) => requests[0]!.headers.cookie),
      ['s=1', 's=1', undefined],
    );
  });
});

describe('what looks on', () => {
  test('middlewares see the handshake and its answer, and may change the one and refuse the other', async () => {
    await using oracle = await Oracle.start();
    const seen: (string | number | undefined)[] = [];
    await using session = new ClientSession({
      middlewares: [
        async (request, handler) => {
          request.headers.set('X-Added', 'yes');
          const response = await handler(request);
          seen.push(request.method, request.headers.get('upgrade'), response.status);
          if (request.url.pathname === '/no') {
            response.close();
            throw new Error('not this one');
          }
          return response;
        },
      ],
    });
    assert.equal(await echoed(session, oracle.url), 'hello');
    assert.deepEqual(seen, ['GET', 'websocket', 101]);
    assert.equal(oracle.requests[0]!.headers['x-added'], 'yes');
    await assert.rejects(session.wsConnect(`${oracle.url}/no`), /not this one/);
    await until(() => session.stats().busy === 0 && oracle.connections.size === 0);
  });

  test('a middleware that tries again', async () => {
    await using server = await handshaker((head) =>
      server.requests.length === 1
        ? 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n'
        : switching(head),
    );
    await using session = new ClientSession({ middlewares: [retryMiddleware({ delay: 0 })] });
    const ws = await session.wsConnect(server.url);
    assert.deepEqual([ws.closed, server.requests.length], [false, 2]);
  });

  test('traces', async () => {
    await using oracle = await Oracle.start();
    const trace = new TraceConfig();
    const seen: string[] = [];
    for (const name of [
      'onRequestStart',
      'onConnectionCreateStart',
      'onConnectionCreateEnd',
      'onRequestHeadersSent',
      'onRequestEnd',
      'onRequestException',
    ] as const) {
      trace[name].append(() => void seen.push(name));
    }
    await using session = new ClientSession({ traceConfigs: [trace] });
    await echoed(session, oracle.url, { traceRequestCtx: 1 });
    assert.deepEqual(seen, [
      'onRequestStart',
      'onConnectionCreateStart',
      'onConnectionCreateEnd',
      'onRequestHeadersSent',
      'onRequestEnd',
    ]);
  });

  test('a trace that throws behind the answer leaves nothing open', async () => {
    await using oracle = await Oracle.start();
    const trace = new TraceConfig();
    trace.onRequestEnd.append(() => {
      throw new Error('from the trace');
    });
    await using session = new ClientSession({ traceConfigs: [trace] });
    await assert.rejects(session.wsConnect(oracle.url), /from the trace/);
    await until(() => session.stats().busy === 0 && oracle.connections.size === 0);
  });

  test('diagnostics', async () => {
    await using oracle = await Oracle.start();
    const seen: unknown[] = [];
    const subscriber = {
      start: ({ request }: { request: { url: URL } }) => void seen.push(request.url.protocol),
      end: () => {},
      asyncStart: () => {},
      asyncEnd: ({ response }: { response?: { status: number } }) => void seen.push(response?.status),
      error: () => {},
    };
    requestChannel.subscribe(subscriber as never);
    try {
      await echoes(oracle.url);
    } finally {
      requestChannel.unsubscribe(subscriber as never);
    }
    assert.deepEqual(seen, ['ws:', 101]);
  });
});

describe('a session that speaks HTTP/1.0 and closes its connections', () => {
  test('asks by HTTP/1.1 for an upgrade all the same', async () => {
    await using server = await handshaker((head) => switching(head));
    await using session = new ClientSession({
      version: HttpVersion10,
      connector: new TCPConnector({ forceClose: true }),
    });
    const ws = await session.wsConnect(server.url);
    assert.equal(ws.closed, false);
    const { head } = server.requests[0]!;
    assert.match(head, /^GET \/ HTTP\/1\.1\r\n/);
    assert.deepEqual(head.match(/^connection: .*$/gim), ['Connection: Upgrade']);
  });
});

describe('redirects', () => {
  test('are followed, by ws, http and relative, and end in the history', async () => {
    await using oracle = await Oracle.start();
    for (const location of [
      `${oracle.url}/end`,
      `http://127.0.0.1:${oracle.port}/end`,
      `//127.0.0.1:${oracle.port}/end`,
    ]) {
      await using server = await RawServer.start(({ number }) =>
        number === 1 ? redirect('/next') : redirect(location, 307),
      );
      await using session = new ClientSession();
      await using ws = await session.wsConnect(server.url.replace('http', 'ws'));
      await ws.sendStr('hello');
      assert.equal(await ws.receiveStr(), 'hello');
      assert.deepEqual(
        ws.response.history.map(({ status }) => status),
        [302, 307],
      );
      assert.match(server.requests[1]!.head, /^GET \/next /);
    }
  });

  test('credentials stay at their origin', async () => {
    await using oracle = await Oracle.start();
    await using server = await RawServer.start(() => redirect(oracle.url));
    await using session = new ClientSession({ headers: { Authorization: 'Bearer secret', Cookie: 'a=1' } });
    await echoed(session, server.url, { cookies: { b: '2' } });
    const { headers } = oracle.requests[0]!;
    assert.deepEqual([headers.authorization, headers.cookie], [undefined, undefined]);
  });

  test('from ws to http at the same host is the same origin', async () => {
    await using server = await handshaker((head) =>
      head.startsWith('GET /end ') ? switching(head) : redirect(`http://127.0.0.1:${server.port}/end`),
    );
    await using session = new ClientSession();
    await session.wsConnect(server.url.replace('http', 'ws'), { headers: { Authorization: 'x' } });
    assert.match(server.requests[1]!.head, /\r\nAuthorization: x\r\n/);
  });

  test('may be refused, and have an end', async () => {
    await using server = await RawServer.start(() => redirect('/again'));
    await using session = new ClientSession();
    await assert.rejects(session.wsConnect(server.url, { allowRedirects: false }), WSServerHandshakeError);
    await assert.rejects(session.wsConnect(server.url, { maxRedirects: 2 }), TooManyRedirects);
    assert.equal(session.stats().busy, 0);
  });

  test('lead to no other scheme', async () => {
    await using server = await RawServer.start(() => redirect('ftp://127.0.0.1/'));
    await using session = new ClientSession();
    await assert.rejects(session.wsConnect(server.url), { code: 'AIO_NON_HTTP_REDIRECT_URL' });
    // What asks for a page is not led to a WebSocket.
    await using toSocket = await RawServer.start(() => redirect('ws://127.0.0.1/'));
    await assert.rejects(session.get(toSocket.url), { code: 'AIO_NON_HTTP_REDIRECT_URL' });
  });
});

describe('proxies', () => {
  test('an HTTP proxy makes a tunnel, for ws too', async () => {
    await using oracle = await Oracle.start();
    await using secure = await Oracle.start({ tls });
    const { server, seen } = await httpProxy({ authorization: 'Proxy-Authorization: Basic' });
    await using _ = server;
    const proxy = `http://user:secret@127.0.0.1:${server.port}`;
    await echoes(oracle.url, { proxy, proxyHeaders: { 'X-Via': '1' } });
    await echoes(`wss://127.0.0.1:${secure.port}`, { proxy, ssl: trusted });
    await echoes(oracle.url, {}, { proxy });
    assert.deepEqual(
      seen.map((head) => head.split(' HTTP/')[0]),
      [oracle.port, secure.port, oracle.port].map((port) => `CONNECT 127.0.0.1:${port}`),
    );
    assert.match(seen[0]!, /\r\nX-Via: 1\r\n/);
    for (const { headers } of [...oracle.requests, ...secure.requests]) {
      assert.deepEqual([headers['proxy-authorization'], headers['x-via']], [undefined, undefined]);
    }
  });

  test('a connection for requests by a proxy is not used for a WebSocket, and the other way round', async () => {
    await using oracle = await Oracle.start();
    await using proxy = await RawServer.start(({ head, socket }) => {
      if (!head.startsWith('CONNECT')) return 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
      socket.end('HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n');
      return undefined;
    });
    await using session = new ClientSession({ proxy: proxy.url });
    await (await session.get(`http://127.0.0.1:${oracle.port}/`)).read();
    assert.equal(session.stats().idle, 1);
    await assert.rejects(session.wsConnect(oracle.url), (error) => {
      assert.ok(error instanceof ClientHttpProxyError);
      assert.equal(error.status, 502);
      return true;
    });
    await (await session.get(`http://127.0.0.1:${oracle.port}/`)).read();
    assert.deepEqual(
      proxy.requests.map(({ head }) => head.split(' ')[0]),
      ['GET', 'CONNECT', 'GET'],
    );
  });

  test('SOCKS', async () => {
    await using oracle = await Oracle.start();
    await using secure = await Oracle.start({ tls });
    const { server, seen } = await socksProxy();
    await using _ = server;
    const proxy = `socks5h://127.0.0.1:${server.port}`;
    await echoes(`ws://target.test:${oracle.port}`, { proxy });
    await echoes(`wss://target.test:${secure.port}`, { proxy, ssl: trusted, serverHostname: 'server.test' });
    assert.deepEqual(seen, [`3 target.test ${oracle.port}`, `3 target.test ${secure.port}`]);
  });

  test('of the environment: WS_PROXY', async () => {
    await using oracle = await Oracle.start();
    const { server, seen } = await httpProxy();
    await using _ = server;
    const { WS_PROXY, ws_proxy, NO_PROXY, no_proxy } = process.env;
    Object.assign(process.env, { WS_PROXY: `http://127.0.0.1:${server.port}`, NO_PROXY: '' });
    delete process.env['ws_proxy'];
    delete process.env['no_proxy'];
    try {
      await echoes(oracle.url, {}, { trustEnv: true });
    } finally {
      for (const [name, value] of Object.entries({ WS_PROXY, ws_proxy, NO_PROXY, no_proxy })) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
    assert.equal(seen.length, 1);
  });
});

describe('connections', () => {
  test('a Unix socket', { skip: process.platform === 'win32' }, async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'aio-ws-'));
    try {
      const socketPath = path.join(folder, 's');
      await using _ = await Oracle.start({ socketPath });
      await echoes('ws://anything/chat', {}, { connector: new UnixConnector(socketPath) });
      await echoes('http+unix://anything/chat', {}, { connector: new UnixConnector(socketPath) });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('addresses that are not public', async () => {
    await using oracle = await Oracle.start();
    await using session = new ClientSession({ connector: new TCPConnector({ ssrfGuard: true }) });
    await assert.rejects(session.wsConnect(oracle.url), BlockedAddressError);
    await using server = await RawServer.start(() => redirect(oracle.url));
    await assert.rejects(session.wsConnect(server.url), BlockedAddressError);
    assert.equal(oracle.requests.length, 0);
  });

  test('an open one counts in the limit until it is closed, and is not used again', async () => {
    await using oracle = await Oracle.start();
    await using session = new ClientSession({ connector: new TCPConnector({ limit: 1 }) });
    const first = await session.wsConnect(oracle.url);
    let isOpen = false;
    const second = session.wsConnect(oracle.url).then((ws) => {
      isOpen = true;
      return ws;
    });
    await first.sendStr('a');
    assert.equal(await first.receiveStr(), 'a');
    assert.deepEqual([isOpen, session.stats().busy, session.stats().waiting], [false, 1, 1]);
    await first.close();
    await using ws = await second;
    assert.equal(ws.closed, false);
    assert.deepEqual([session.stats().opened, session.stats().reused], [2, 0]);
  });

  test('an idle connection is taken for the handshake; one that was closed meanwhile is replaced', async () => {
    await using server = await handshaker((head) =>
      /upgrade/i.test(head) ? switching(head) : 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    );
    await using session = new ClientSession();
    await (await session.get(server.url)).read();
    await session.wsConnect(server.url);
    assert.equal(server.connections, 1);
    await (await session.get(server.url)).read();
    assert.equal(server.connections, 2);
  });
});

describe('time limits', () => {
  test('of the session end a slow handshake, and do not end an open WebSocket', async () => {
    await using server = await handshaker(() => undefined);
    await using session = new ClientSession({ timeout: { total: 30 } });
    await assert.rejects(session.wsConnect(server.url), TotalTimeoutError);
    await until(() => session.stats().busy === 0 && server.sockets.size === 0);

    await using oracle = await Oracle.start();
    const timeout = { total: 60_000, sockRead: 60_000, connect: 60_000, sockConnect: 60_000 };
    await using other = new ClientSession({ timeout });
    await using ws = await other.wsConnect(oracle.url);
    const { lease, request } = ws.response;
    // Neither the connection nor the call is in the wheel that would end it.
    assert.deepEqual([lease?.connection.slot, request.guard.deadline], [-1, Infinity]);
  });

  test('for making a connection', async () => {
    await using session = new ClientSession({
      connector: new TCPConnector({
        resolve: { 'slow.test': '192.0.2.1' },
        socketFactory: () => Object.assign(new Socket(), { connecting: true }),
      }),
      timeout: { sockConnect: 20 },
    });
    await assert.rejects(session.wsConnect('ws://slow.test/'), ConnectionTimeoutError);
    assert.equal(session.stats().connecting, 0);
  });

  test('the wait for the pool', async () => {
    await using oracle = await Oracle.start();
    await using session = new ClientSession({
      connector: new TCPConnector({ limit: 1 }),
      timeout: { poolWait: 20 },
    });
    await using _ = await session.wsConnect(oracle.url);
    await assert.rejects(session.wsConnect(oracle.url), ConnectionTimeoutError);
    assert.equal(session.stats().waiting, 0);
  });
});

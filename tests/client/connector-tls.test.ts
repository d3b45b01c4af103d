import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { ConnectionKey } from '../../src/client/connection-key.ts';
import {
  BlockedAddressError,
  ClientConnectionError,
  ClientConnectorCertificateError,
  ClientConnectorError,
  ClientConnectorSSLError,
  ClientHttpProxyError,
  ClientOSError,
  ClientProxyConnectionError,
  ClientSSLError,
  ServerFingerprintMismatch,
} from '../../src/client/errors.ts';
import { Fingerprint } from '../../src/client/fingerprint.ts';
import { ProxyServer } from '../../src/client/proxy-server.ts';
import { TCPConnector } from '../../src/client/tcp-connector.ts';
import { makeCertificate } from '../net/certificates.ts';
import { httpProxy, socksProxy } from '../net/proxy-server.ts';
import { answer, RawServer, until } from '../net/raw-server.ts';
import { get, requestTo } from './exchange.ts';

const authority = makeCertificate({
  name: 'test authority',
  altNames: ['authority.test'],
  isAuthority: true,
});
const certificate = makeCertificate({
  issuer: authority,
  altNames: ['localhost', '127.0.0.1', 'server.test'],
});
const tls = { cert: certificate.cert, key: certificate.key };
const trusted = { ca: authority.cert };
const resolve = { 'server.test': '127.0.0.1', 'server.test.': '127.0.0.1', 'other.test': '127.0.0.1' };

/** Answers with the name that was asked for, the protocol, and whether the session was resumed. */
const secureServer = (options = {}): Promise<RawServer> =>
  RawServer.answering(
    (socket) => {
      const { servername, alpnProtocol } = socket as TLSSocket & { servername: string | false };
      socket.write(answer(`${servername} ${alpnProtocol}`));
    },
    { tls: { ...tls, ALPNProtocols: ['http/1.1'], ...options } },
  );

describe('TLS', () => {
  test('by name, with SNI and ALPN', async () => {
    await using server = await secureServer();
    await using connector = new TCPConnector({ ssl: trusted, resolve });
    const request = requestTo(server.port, { host: 'server.test', secure: true });
    assert.equal(await get(connector, request), 'server.test http/1.1');
    assert.equal(await get(connector, request), 'server.test http/1.1');
    assert.equal(server.accepted, 1);
  });

  test('a dot at the end of a name is not part of SNI', async () => {
    await using server = await secureServer();
    await using connector = new TCPConnector({ ssl: trusted, resolve });
    const request = requestTo(server.port, { host: 'server.test.', secure: true });
    assert.equal(await get(connector, request), 'server.test http/1.1');
  });

  test('by address, without SNI', async () => {
    await using server = await secureServer();
    await using connector = new TCPConnector({ ssl: trusted });
    assert.equal(await get(connector, requestTo(server.port, { secure: true })), 'false http/1.1');
  });

  test('with another name than the host', async () => {
    await using server = await secureServer();
    await using connector = new TCPConnector({ ssl: trusted });
    const request = requestTo(server.port, { secure: true, serverHostname: 'server.test' });
    assert.equal(await get(connector, request), 'server.test http/1.1');
  });

  test('big bodies', async () => {
    const body = 'x'.repeat(1_000_000);
    await using server = await RawServer.answering((socket) => socket.write(answer(body)), { tls });
    await using connector = new TCPConnector({ ssl: trusted });
    for (let round = 0; round < 3; round++) {
      assert.equal(await get(connector, requestTo(server.port, { secure: true })), body);
    }
    assert.equal(server.accepted, 1);
  });

  test('the next connection resumes the session', async () => {
    const reused: boolean[] = [];
    await using server = await RawServer.answering(
      (socket) => {
        reused.push((socket as TLSSocket).isSessionReused());
        socket.write(answer('x'));
      },
      { tls },
    );
    await using connector = new TCPConnector({ ssl: trusted, forceClose: true });
    const request = requestTo(server.port, { secure: true });
    await get(connector, request);
    await get(connector, request);
    assert.deepEqual(reused, [false, true]);
  });

  test('certificates that are not trusted are refused', async () => {
    await using server = await secureServer();
    await using connector = new TCPConnector();
    await assert.rejects(connector.connect(requestTo(server.port, { secure: true })), (error: Error) => {
      assert.ok(error instanceof ClientConnectorCertificateError);
      assert.ok(error instanceof ClientSSLError && error instanceof ClientConnectorError);
      assert.ok(error instanceof ClientOSError && error instanceof ClientConnectionError);
      assert.equal(error.osCode, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
      assert.match(error.message, /^Cannot connect to host 127\.0\.0\.1:\d+ ssl:default \[unable to verify/);
      return true;
    });
    assert.equal(connector.stats.connecting, 0);
    await until(() => server.sockets.size === 0);
  });

  test('certificates for another name are refused', async () => {
    await using server = await secureServer();
    await using connector = new TCPConnector({ ssl: trusted, resolve });
    await assert.rejects(
      connector.connect(requestTo(server.port, { host: 'other.test', secure: true })),
      (error: Error) =>
        error instanceof ClientConnectorCertificateError && error.osCode === 'ERR_TLS_CERT_ALTNAME_INVALID',
    );
  });

  test('expired certificates are refused', async () => {
    const old = makeCertificate({ issuer: authority, notAfter: new Date(Date.now() - 1_000) });
    await using server = await secureServer({ cert: old.cert, key: old.key });
    await using connector = new TCPConnector({ ssl: trusted });
    await assert.rejects(
      connector.connect(requestTo(server.port, { secure: true })),
      (error: Error) =>
        error instanceof ClientConnectorCertificateError && error.osCode === 'CERT_HAS_EXPIRED',
    );
  });

  test('ssl: false takes any certificate, for this request or for all', async () => {
    await using server = await secureServer();
    await using strict = new TCPConnector();
    await get(strict, requestTo(server.port, { secure: true, ssl: false }));
    await using lax = new TCPConnector({ ssl: false });
    await get(lax, requestTo(server.port, { secure: true }));
    assert.equal(server.accepted, 2);
  });

  test('a server that speaks no TLS', async () => {
    await using server = await RawServer.start((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await using connector = new TCPConnector();
    await assert.rejects(
      connector.connect(requestTo(server.port, { secure: true })),
      (error: Error) => error instanceof ClientConnectorSSLError && error.code === 'AIO_TLS_HANDSHAKE',
    );
  });

  test('a server that hangs up in the handshake', async () => {
    await using server = await RawServer.start((socket) => socket.destroy());
    await using connector = new TCPConnector();
    await assert.rejects(connector.connect(requestTo(server.port, { secure: true })), (error: Error) => {
      assert.ok(error instanceof ClientConnectorError && !(error instanceof ClientSSLError));
      return error.osCode === 'ECONNRESET';
    });
  });

  test('a handshake without end is ended by the limit', async () => {
    await using server = await RawServer.start((socket) => socket.resume());
    await using connector = new TCPConnector();
    const request = requestTo(server.port, { secure: true }, { sockConnect: 20 });
    await assert.rejects(connector.connect(request), /after 20 ms \(sockConnect\)/);
    await until(() => server.accepted === 1 && server.sockets.size === 0);
  });

  test('a client certificate', async () => {
    const mine = makeCertificate({ name: 'client', issuer: authority, altNames: ['client.test'] });
    await using server = await RawServer.answering(
      (socket) => socket.write(answer((socket as TLSSocket).getPeerCertificate().subject.CN as string)),
      { tls: { ...tls, requestCert: true, rejectUnauthorized: true, ca: authority.cert } },
    );
    await using connector = new TCPConnector({ ssl: { ...trusted, cert: mine.cert, key: mine.key } });
    assert.equal(await get(connector, requestTo(server.port, { secure: true })), 'client');
  });
});

describe('a pinned certificate', () => {
  test('takes the place of the usual check', async () => {
    await using server = await secureServer();
    await using connector = new TCPConnector();
    const ssl = new Fingerprint(certificate.fingerprint);
    assert.equal(await get(connector, requestTo(server.port, { secure: true, ssl })), 'false http/1.1');
    await using pinning = new TCPConnector({ ssl: new Fingerprint(certificate.fingerprint.toString('hex')) });
    await get(pinning, requestTo(server.port, { secure: true }));
  });

  test('another certificate is refused, even a trusted one', async () => {
    await using server = await secureServer();
    await using connector = new TCPConnector();
    const ssl = new Fingerprint(Buffer.alloc(32, 1));
    const request = requestTo(server.port, { secure: true, ssl });
    await assert.rejects(connector.connect(request), (error: Error) => {
      assert.ok(error instanceof ServerFingerprintMismatch);
      assert.deepEqual(Buffer.from(error.got), certificate.fingerprint);
      assert.deepEqual([error.host, error.port, error.code], ['127.0.0.1', server.port, 'AIO_FINGERPRINT']);
      return true;
    });
    await until(() => server.sockets.size === 0);
  });

  test('is SHA-256', () => {
    assert.throws(() => new Fingerprint(Buffer.alloc(16)), /MD5 is insecure/);
    assert.throws(() => new Fingerprint(Buffer.alloc(20)), /SHA-1 is insecure/);
    assert.throws(() => new Fingerprint('xyz'), RangeError);
    const pin = new Fingerprint(`${'AB:'.repeat(31)}ab`);
    assert.deepEqual(pin, new Fingerprint(Buffer.alloc(32, 0xab)));
  });
});

test('ssl is one of what is allowed', () => {
  for (const ssl of ['yes', 5, null, []]) {
    assert.throws(
      () => new ConnectionKey({ host: 'a', port: 1, secure: true, ssl: ssl as unknown as boolean }),
      (error: Error & { code?: string }) => error instanceof TypeError && error.code === 'AIO_SSL_OPTION',
    );
  }
});

describe('proxies', () => {
  const plain = (): Promise<RawServer> => RawServer.answering((socket) => socket.write(answer('plain')));
  const via = (text: string): { proxy: ProxyServer } => ({ proxy: ProxyServer.parse(text) });

  test('an HTTPS target by an HTTP proxy, with credentials', async () => {
    await using server = await secureServer();
    const { server: proxy, seen } = await httpProxy({ authorization: 'Basic bsOkbWU6cDpX' });
    await using _proxy = proxy;
    await using connector = new TCPConnector({ ssl: trusted, resolve });
    const request = requestTo(server.port, {
      host: '127.0.0.1',
      secure: true,
      ...via(`http://n%C3%A4me:p%3AW@127.0.0.1:${proxy.port}`),
      proxyHeaders: ['X-Client', 'me'],
    });
    assert.equal(await get(connector, request), 'false http/1.1');
    assert.equal(await get(connector, request), 'false http/1.1');
    assert.equal(seen.length, 1);
    assert.match(
      seen[0]!,
      /^CONNECT 127\.0\.0\.1:\d+ HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\nX-Client: me\r\nProxy-Authorization: Basic bsOkbWU6cDpX\r\n\r\n$/,
    );
  });

  test('a name goes to the proxy as it is, and is checked in the certificate', async () => {
    await using server = await secureServer();
    const { server: proxy, seen } = await httpProxy();
    await using _proxy = proxy;
    await using connector = new TCPConnector({ ssl: trusted });
    const request = requestTo(server.port, {
      host: 'target.test',
      secure: true,
      serverHostname: 'server.test',
      ...via(`http://127.0.0.1:${proxy.port}`),
    });
    assert.equal(await get(connector, request), 'server.test http/1.1');
    assert.match(seen[0]!, /^CONNECT target\.test:\d+ /);
  });

  test('an HTTPS target by an HTTPS proxy', async () => {
    await using server = await secureServer();
    const { server: proxy } = await httpProxy({ tls });
    await using _proxy = proxy;
    await using connector = new TCPConnector({ ssl: trusted });
    const request = requestTo(server.port, { secure: true, ...via(`https://127.0.0.1:${proxy.port}`) });
    assert.equal(await get(connector, request), 'false http/1.1');
  });

  test('an HTTP target goes to the proxy itself', async () => {
    await using server = await plain();
    await using connector = new TCPConnector();
    const request = requestTo(1, { host: 'target.test', ...via(`http://127.0.0.1:${server.port}`) });
    assert.equal(await get(connector, request), 'plain');
  });

  test('SOCKS5, plain and TLS, resolved here or there', async () => {
    await using open = await plain();
    await using secure = await secureServer();
    const { server: proxy, seen } = await socksProxy({ login: ['me', 'secret'] });
    await using _proxy = proxy;
    await using connector = new TCPConnector({ ssl: trusted, resolve: { 'target.test': '127.0.0.1' } });
    const here = via(`socks5://me:secret@127.0.0.1:${proxy.port}`);
    const there = via(`socks5h://me:secret@127.0.0.1:${proxy.port}`);
    assert.equal(await get(connector, requestTo(open.port, { host: 'target.test', ...here })), 'plain');
    assert.equal(await get(connector, requestTo(open.port, { host: 'target.test', ...there })), 'plain');
    const request = requestTo(secure.port, {
      host: 'target.test',
      secure: true,
      serverHostname: 'server.test',
      ...there,
    });
    assert.equal(await get(connector, request), 'server.test http/1.1');
    assert.deepEqual(seen, [
      `1 127.0.0.1 ${open.port}`,
      `3 target.test ${open.port}`,
      `3 target.test ${secure.port}`,
    ]);
  });

  test('a proxy that refuses', async () => {
    const { server: proxy } = await httpProxy({ authorization: 'Basic other' });
    await using _proxy = proxy;
    await using connector = new TCPConnector();
    const request = requestTo(443, {
      host: 'target.test',
      secure: true,
      ...via(`http://me:secret@127.0.0.1:${proxy.port}`),
    });
    await assert.rejects(connector.connect(request), (error: Error) => {
      assert.ok(error instanceof ClientHttpProxyError);
      assert.deepEqual([error.status, error.reason], [407, 'Proxy Authentication Required']);
      assert.equal(error.headers?.get('proxy-authenticate'), 'Basic realm="test"');
      assert.equal(error.requestInfo.method, 'CONNECT');
      assert.equal(error.message, "407, message='Proxy Authentication Required', url='https://target.test/'");
      return true;
    });
    assert.equal(connector.stats.connecting, 0);
  });

  const unreachable: readonly string[] = [
    'http://me:secret@127.0.0.1:1',
    'https://127.0.0.1:1',
    'socks5://127.0.0.1:1',
  ];
  for (const url of unreachable) {
    test(`${url} that cannot be reached`, async () => {
      await using connector = new TCPConnector();
      const request = requestTo(443, { secure: true, ...via(url) });
      await assert.rejects(connector.connect(request), (error: Error) => {
        assert.ok(error instanceof ClientProxyConnectionError);
        assert.equal(error.osCode, 'ECONNREFUSED');
        assert.doesNotMatch(String(error.stack), /secret/);
        return true;
      });
    });
  }

  test('a SOCKS proxy that refuses', async () => {
    const { server: proxy } = await socksProxy({ reply: 2 });
    await using _proxy = proxy;
    await using connector = new TCPConnector();
    const request = requestTo(80, via(`socks5://127.0.0.1:${proxy.port}`));
    await assert.rejects(
      connector.connect(request),
      (error: Error) =>
        error instanceof ClientProxyConnectionError && /not allowed by its rules/.test(error.message),
    );
  });

  test('a target whose certificate is not trusted', async () => {
    await using server = await secureServer();
    const { server: proxy } = await httpProxy();
    await using _proxy = proxy;
    await using connector = new TCPConnector();
    const request = requestTo(server.port, { secure: true, ...via(`http://127.0.0.1:${proxy.port}`) });
    await assert.rejects(connector.connect(request), ClientConnectorCertificateError);
    await until(() => proxy.sockets.size === 0);
  });

  test('a proxy that never answers is ended by the limit', async () => {
    await using proxy = await RawServer.start((socket) => socket.resume());
    await using connector = new TCPConnector();
    for (const scheme of ['http', 'socks5h']) {
      const request = requestTo(
        443,
        { secure: true, ...via(`${scheme}://127.0.0.1:${proxy.port}`) },
        { connect: 20 },
      );
      await assert.rejects(connector.connect(request), /after 20 ms \(connect\)/);
    }
    await until(() => proxy.accepted === 2 && proxy.sockets.size === 0);
  });

  test('the guard looks at the target, not at the proxy', async () => {
    await using server = await plain();
    const { server: proxy } = await socksProxy();
    await using _proxy = proxy;
    await using connector = new TCPConnector({ ssrfGuard: true });
    for (const [scheme, host] of [
      ['socks5', '127.0.0.1'],
      ['socks5h', 'localhost'],
      ['socks5h', 'a.localhost.'],
      ['http', '10.0.0.1'],
    ] as const) {
      const request = requestTo(server.port, { host, ...via(`${scheme}://127.0.0.1:${proxy.port}`) });
      await assert.rejects(connector.connect(request), BlockedAddressError);
    }
    const request = requestTo(1, { host: 'public.test', ...via(`http://127.0.0.1:${server.port}`) });
    assert.equal(await get(connector, request), 'plain');
  });

  test("a proxy's URL", () => {
    const cases: Readonly<Record<string, string>> = {
      'http://proxy.test': 'http://proxy.test:80',
      'https://proxy.test': 'https://proxy.test:443',
      'socks5://proxy.test': 'socks5://proxy.test:1080',
      'socks://proxy.test:9': 'socks5h://proxy.test:9',
      'http://user:pw@[::1]:8080/ignored': 'http://[::1]:8080',
    };
    for (const [url, expected] of Object.entries(cases))
      assert.equal(ProxyServer.parse(url).toString(), expected);
    for (const url of ['ftp://proxy.test', 'proxy.test:80', 'not a url', 'http://']) {
      assert.throws(() => ProxyServer.parse(url), { code: 'AIO_PROXY_URL' });
    }
    assert.throws(
      () => ProxyServer.parse('nonsense with :secret@'),
      (error: Error) => !/secret/.test(String(error.stack)),
    );
  });
});

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as netConnect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, mock, test } from 'node:test';
import { createTask, isCancelled, sleep, TimeoutError } from '../../src/asyncio/index.ts';
import type { ConnectTrace } from '../../src/client/connect-request.ts';
import {
  BlockedAddressError,
  ClientConnectionError,
  ClientConnectorCertificateError,
  ClientConnectorDNSError,
  ClientConnectorError,
  ConnectionTimeoutError,
  UnixClientConnectorError,
} from '../../src/client/errors.ts';
import { Fingerprint } from '../../src/client/fingerprint.ts';
import { SSRFGuard } from '../../src/client/ssrf-guard.ts';
import { TCPConnector, type TCPConnectorOptions } from '../../src/client/tcp-connector.ts';
import { UnixConnector } from '../../src/client/unix-connector.ts';
import { AbstractResolver, type ResolvedHost } from '../../src/net/index.ts';
import { makeCertificate } from '../net/certificates.ts';
import { answer, RawServer, until } from '../net/raw-server.ts';
import { exchangeOn, get, requestTo } from './exchange.ts';

const hello = (): Promise<RawServer> => RawServer.answering((socket) => socket.write(answer('hello')));

/** A resolver that counts. */
class CountingResolver extends AbstractResolver {
  calls = 0;
  closed = false;
  readonly addresses: readonly string[];

  constructor(...addresses: string[]) {
    super();
    this.addresses = addresses;
  }

  override async resolve(hostname: string, port = 0): Promise<ResolvedHost[]> {
    this.calls++;
    await sleep(0);
    if (this.addresses.length === 0)
      throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' });
    return this.addresses.map((host) => ({ hostname, host, port, family: host.includes(':') ? 6 : 4 }));
  }

  override async close(): Promise<void> {
    this.closed = true;
  }
}

describe('keeping connections', () => {
  test('one after the other share one', async () => {
    await using server = await hello();
    await using connector = new TCPConnector();
    const request = requestTo(server.port);
    for (let round = 0; round < 3; round++) assert.equal(await get(connector, request), 'hello');
    assert.equal(server.accepted, 1);
    assert.deepEqual(connector.stats, { idle: 1, busy: 0, connecting: 0, waiting: 0, opened: 1, reused: 2 });
  });

  test('the one that was used last is used first', async () => {
    await using server = await RawServer.answering((socket) =>
      socket.write(answer(String(socket.remotePort))),
    );
    await using connector = new TCPConnector();
    const request = requestTo(server.port);
    const both = [await connector.connect(request), await connector.connect(request)];
    await exchangeOn(both[0]!);
    const last = await exchangeOn(both[1]!);
    assert.equal(await get(connector, request), last);
  });

  test('requests that differ in what makes a connection do not share one', async () => {
    await using server = await hello();
    await using connector = new TCPConnector();
    await get(connector, requestTo(server.port));
    await get(connector, requestTo(server.port, { serverHostname: 'other.test' }));
    await get(connector, requestTo(server.port, { ssl: false }));
    assert.equal(server.accepted, 3);
    await get(connector, requestTo(server.port));
    assert.equal(server.accepted, 3);
  });

  test('with forceClose none is kept', async () => {
    await using server = await hello();
    await using connector = new TCPConnector({ forceClose: true });
    for (let round = 0; round < 2; round++) await get(connector, requestTo(server.port));
    assert.equal(server.accepted, 2);
    assert.equal(connector.stats.idle, 0);
  });

  test('idle ones are closed when their time is over', async () => {
    await using server = await hello();
    await using connector = new TCPConnector({ keepaliveTimeout: 50 });
    await get(connector, requestTo(server.port));
    await until(() => server.sockets.size === 0);
    assert.equal(connector.stats.idle, 0);
  });

  test('idle ones that the server closes are forgotten', async () => {
    await using server = await hello();
    await using connector = new TCPConnector();
    await get(connector, requestTo(server.port));
    for (const socket of server.sockets) socket.end();
    await until(() => connector.stats.idle === 0);
    assert.equal(await get(connector, requestTo(server.port)), 'hello');
  });

  test('one is given back exactly once', async () => {
    await using server = await hello();
    await using connector = new TCPConnector();
    const request = requestTo(server.port);
    const pooled = await connector.connect(request);
    let released = 0;
    pooled.onReleased = () => void released++;
    await exchangeOn(pooled);
    assert.equal(pooled.released, true);
    const next = connector.reuse(request.key);
    assert.ok(next !== undefined);
    // The first owner has no power over it any more.
    pooled.release();
    pooled.close();
    assert.deepEqual([released, next.released, next.connection.closed], [1, false, false]);
    next.release();
    next.release();
    assert.equal(connector.stats.idle, 1);
  });

  test('one that is given back in the middle of an answer is closed', async () => {
    await using server = await RawServer.answering((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'),
    );
    await using connector = new TCPConnector();
    const pooled = await connector.connect(requestTo(server.port));
    pooled.connection.begin('GET');
    pooled.connection.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
    pooled.connection.flush();
    pooled.connection.endRequest();
    await pooled.connection.response();
    pooled.release();
    assert.deepEqual(connector.stats, { idle: 0, busy: 0, connecting: 0, waiting: 0, opened: 1, reused: 0 });
    await until(() => server.sockets.size === 0);
  });

  test('one that was not used goes back', async () => {
    await using server = await hello();
    await using connector = new TCPConnector();
    const pooled = await connector.connect(requestTo(server.port));
    pooled.release();
    assert.equal(connector.stats.idle, 1);
  });

  test('one that dies before it is used gives its place back', async () => {
    await using server = await RawServer.start((socket) => socket.destroy());
    await using connector = new TCPConnector({ limit: 1 });
    const pooled = await connector.connect(requestTo(server.port));
    await until(() => pooled.released);
    await assert.rejects(exchangeOn(pooled), ClientConnectionError);
    assert.equal(connector.stats.busy, 0);
  });

  test('an upgraded one counts until it is closed', async () => {
    await using server = await RawServer.answering((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    );
    await using connector = new TCPConnector({ limit: 1 });
    const pooled = await connector.connect(requestTo(server.port));
    pooled.connection.begin('GET');
    pooled.connection.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
    pooled.connection.flush();
    pooled.connection.endRequest();
    await pooled.connection.response();
    const { socket } = pooled.connection.upgrade();
    assert.equal(connector.stats.busy, 1);
    const second = connector.connect(requestTo(server.port));
    assert.equal(connector.stats.waiting, 1);
    socket.destroy();
    (await second).close();
    assert.equal(pooled.released, true);
  });
});

describe('limits', () => {
  const bad: readonly [TCPConnectorOptions, RegExp][] = [
    [{ limit: -1 }, /limit is a whole number/],
    [{ limit: 1.5 }, /limit is a whole number/],
    [{ limitPerHost: Number.NaN }, /limitPerHost/],
    [{ keepaliveTimeout: 0 }, /keepaliveTimeout/],
    [{ forceClose: true, keepaliveTimeout: 5 }, /cannot be set if forceClose/],
    [{ happyEyeballsDelay: -1 }, /happyEyeballsDelay/],
    [{ resolve: { a: 'b' } }, /not an IP address/],
  ];
  for (const [options, message] of bad) {
    test(`${JSON.stringify(options)} is refused`, () => {
      assert.throws(
        () => new TCPConnector(options),
        (error: Error) => error instanceof RangeError && message.test(error.message),
      );
    });
  }

  test('those who wait are served in their order', async () => {
    await using server = await hello();
    await using connector = new TCPConnector({ limit: 1 });
    const request = requestTo(server.port);
    const first = await connector.connect(request);
    const order: number[] = [];
    const others = [1, 2, 3].map(async (number) => {
      const pooled = await connector.connect(request);
      order.push(number);
      await exchangeOn(pooled);
    });
    assert.equal(connector.stats.waiting, 3);
    await exchangeOn(first);
    await Promise.all(others);
    assert.deepEqual(order, [1, 2, 3]);
    assert.equal(server.accepted, 1);
  });

  test('a cancelled wait frees its place in the queue', async () => {
    await using server = await hello();
    await using connector = new TCPConnector({ limit: 1 });
    const request = requestTo(server.port);
    const first = await connector.connect(request);
    const cancelled = createTask(() => connector.connect(request));
    await sleep(0);
    const third = connector.connect(request);
    assert.equal(connector.stats.waiting, 2);
    cancelled.cancel();
    await assert.rejects(Promise.resolve(cancelled), (error) => isCancelled(error));
    assert.equal(connector.stats.waiting, 1);
    first.release();
    (await third).release();
    assert.deepEqual(connector.stats, { idle: 1, busy: 0, connecting: 0, waiting: 0, opened: 1, reused: 1 });
  });

  test('the wait for a place has a limit', async () => {
    await using server = await hello();
    await using connector = new TCPConnector({ limit: 1 });
    const held = await connector.connect(requestTo(server.port));
    await assert.rejects(connector.connect(requestTo(server.port, {}, { poolWait: 10 })), (error: Error) => {
      assert.ok(error instanceof ConnectionTimeoutError && error instanceof TimeoutError);
      assert.ok(error instanceof ClientConnectionError);
      assert.equal(error.phase, 'poolWait');
      assert.match(error.message, /within 10 ms \(limit 1, per host 0\)/);
      return true;
    });
    await assert.rejects(
      connector.connect(requestTo(server.port, {}, { connect: 10 })),
      /after 10 ms \(connect\)/,
    );
    assert.equal(connector.stats.waiting, 0);
    held.release();
  });

  test('per host and in total go together', async () => {
    await using one = await hello();
    await using two = await hello();
    await using connector = new TCPConnector({ limit: 3, limitPerHost: 2 });
    const atOne = [
      await connector.connect(requestTo(one.port)),
      await connector.connect(requestTo(one.port)),
    ];
    const third = connector.connect(requestTo(one.port));
    assert.equal(connector.stats.waiting, 1);
    // The other host is not held up.
    const atTwo = await connector.connect(requestTo(two.port));
    const last = connector.connect(requestTo(two.port));
    assert.equal(connector.stats.waiting, 2);
    atOne[0]!.release();
    (await third).release();
    assert.deepEqual([one.most, connector.stats.opened], [2, 3]);
    // An idle connection makes room.
    (await last).release();
    assert.equal(connector.stats.opened, 4);
    atOne[1]!.release();
    atTwo.release();
  });

  test('an idle connection gives way to a request for another host, the oldest first', async () => {
    await using one = await hello();
    await using two = await hello();
    await using three = await hello();
    await using connector = new TCPConnector({ limit: 2 });
    await get(connector, requestTo(one.port));
    await get(connector, requestTo(two.port));
    await get(connector, requestTo(three.port));
    await until(() => one.sockets.size === 0);
    assert.deepEqual([two.sockets.size, three.sockets.size, connector.stats.idle], [1, 1, 2]);
  });

  test('one busy host cannot keep another one waiting for ever', async () => {
    await using busy = await hello();
    await using other = await hello();
    await using connector = new TCPConnector({ limit: 1 });
    const first = await connector.connect(requestTo(busy.port));
    let served = 0;
    const endless = async (): Promise<void> => {
      while (!done) {
        await get(connector, requestTo(busy.port));
        served++;
      }
    };
    let done = false;
    const loops = [endless(), endless(), endless()];
    const waiting = connector.connect(requestTo(other.port));
    await exchangeOn(first);
    const pooled = await waiting;
    assert.ok(served >= 1 && served <= 20, `${served} were served before`);
    done = true;
    await exchangeOn(pooled);
    await Promise.all(loops);
  });

  test('a connection that cannot be made gives its place to the next', async () => {
    await using server = await hello();
    await using connector = new TCPConnector({ limit: 1 });
    const failing = connector.connect(requestTo(1));
    const next = connector.connect(requestTo(server.port));
    await assert.rejects(failing, ClientConnectorError);
    (await next).release();
  });
});

describe('closing', () => {
  test('ends waits, attempts and connections, idle and busy', async () => {
    await using server = await RawServer.answering(() => {});
    const resolver = new CountingResolver('127.0.0.1');
    const connector = new TCPConnector({ limit: 2, resolver });
    const request = requestTo(server.port);
    const busy = await connector.connect(request);
    const answerless = exchangeOn(busy);
    const looking = connector.connect(requestTo(server.port, { host: 'slow.test' }));
    const waiting = connector.connect(request);
    const closed = connector.close();
    for (const promise of [answerless, looking, waiting]) {
      await assert.rejects(promise, (error: Error) => {
        assert.ok(error instanceof ClientConnectionError);
        assert.equal(error.message, 'Connector is closed');
        return true;
      });
    }
    await closed;
    await connector.close();
    assert.equal(connector.closed, true);
    assert.deepEqual(connector.stats, { idle: 0, busy: 0, connecting: 0, waiting: 0, opened: 1, reused: 0 });
    await assert.rejects(connector.connect(request), /Connector is closed/);
    assert.equal(connector.reuse(request.key), undefined);
    await until(() => server.sockets.size === 0);
    // A resolver that was given belongs to the one who gave it.
    assert.equal(resolver.closed, false);
  });

  test('is what `await using` does', async () => {
    await using server = await hello();
    let kept: TCPConnector;
    {
      await using connector = new TCPConnector();
      await get(connector, requestTo(server.port));
      kept = connector;
    }
    assert.equal(kept.closed, true);
  });
});

describe('making connections', () => {
  test('refused', async () => {
    await using connector = new TCPConnector();
    await assert.rejects(connector.connect(requestTo(1)), (error: Error) => {
      assert.ok(error instanceof ClientConnectorError);
      assert.equal(
        error.message,
        'Cannot connect to host 127.0.0.1:1 ssl:default [connect ECONNREFUSED 127.0.0.1:1]',
      );
      assert.deepEqual(
        [error.code, error.osCode, error.host, error.port, error.ssl],
        ['AIO_CONNECT', 'ECONNREFUSED', '127.0.0.1', 1, 'default'],
      );
      assert.equal(error.cause, error.osError);
      return true;
    });
  });

  test('cancelled while connecting', async () => {
    await using connector = new TCPConnector({
      limit: 1,
      socketFactory: () => hanging(),
    });
    const task = createTask(() => connector.connect(requestTo(1)));
    await until(() => connector.stats.connecting === 1);
    await sleep(0);
    task.cancel();
    await assert.rejects(Promise.resolve(task), (error) => isCancelled(error));
    assert.equal(connector.stats.connecting, 0);
  });

  test('too slow', async () => {
    await using connector = new TCPConnector({ socketFactory: () => hanging() });
    for (const phase of ['sockConnect', 'connect'] as const) {
      await assert.rejects(connector.connect(requestTo(1, {}, { [phase]: 10 })), (error: Error) => {
        assert.ok(error instanceof ConnectionTimeoutError);
        assert.equal(error.phase, phase);
        assert.match(error.message, /Connection timeout to host http:\/\/127\.0\.0\.1:1 after 10 ms/);
        return true;
      });
    }
    assert.equal(connector.stats.connecting, 0);
  });

  test('the phases are timed', async () => {
    await using server = await hello();
    await using connector = new TCPConnector({ resolver: new CountingResolver('127.0.0.1') });
    const pooled = await connector.connect(requestTo(server.port, { host: 'named.test' }));
    const { timings } = pooled;
    assert.ok(timings?.dns !== undefined && timings.connect !== undefined);
    assert.deepEqual([timings.proxy, timings.tls], [undefined, undefined]);
    pooled.release();
  });

  test('traced', async () => {
    await using server = await hello();
    await using connector = new TCPConnector({ limit: 1, resolver: new CountingResolver('127.0.0.1') });
    const log: string[] = [];
    const trace = new Proxy({} as ConnectTrace, {
      get: (_target, name) => async (host?: string) => {
        await sleep(0);
        log.push(host === undefined ? String(name) : `${String(name)} ${host}`);
      },
    });
    const request = requestTo(server.port, { host: 'named.test' }, {}, [trace]);
    const first = await connector.connect(request);
    const second = connector.connect(request);
    await until(() => connector.stats.waiting === 1);
    first.close();
    (await second).release();
    (await connector.connect(request)).release();
    assert.deepEqual(log, [
      'connectionCreateStart',
      'dnsCacheMiss named.test',
      'dnsResolvehostStart named.test',
      'dnsResolvehostEnd named.test',
      'connectionCreateEnd',
      'connectionQueuedStart',
      'connectionQueuedEnd',
      'connectionCreateStart',
      'dnsCacheHit named.test',
      'connectionCreateEnd',
      'connectionReuseconn',
    ]);
  });

  test('a trace that throws loses no place', async () => {
    await using server = await hello();
    await using connector = new TCPConnector({ limit: 1 });
    for (const failing of ['connectionCreateStart', 'connectionCreateEnd', 'connectionReuseconn']) {
      const trace = new Proxy({} as ConnectTrace, {
        get: (_target, name) => () => {
          if (name === failing) throw new Error(`${failing} failed`);
        },
      });
      await assert.rejects(connector.connect(requestTo(server.port, {}, {}, [trace])), /failed/);
      (await connector.connect(requestTo(server.port))).release();
      if (failing === 'connectionCreateStart') (await connector.connect(requestTo(server.port))).close();
    }
    assert.equal(connector.stats.busy, 0);
  });

  test('an address that does not answer is passed over', async () => {
    await using server = await hello();
    await using connector = new TCPConnector({
      resolve: { 'both.test': ['127.0.0.2', '127.0.0.1'] },
      happyEyeballsDelay: 1,
      socketFactory: ({ address }, port) => (address === '127.0.0.2' ? hanging() : netConnect(port, address)),
    });
    assert.equal(await get(connector, requestTo(server.port, { host: 'both.test' })), 'hello');
  });

  test('from a local address', async () => {
    const from: (string | undefined)[] = [];
    await using server = await RawServer.start((socket) => void from.push(socket.remoteAddress));
    await using connector = new TCPConnector({ localAddr: { host: '127.0.0.3' } });
    (await connector.connect(requestTo(server.port))).release();
    await until(() => from.length === 1);
    assert.deepEqual(from, ['127.0.0.3']);
  });
});

describe('names', () => {
  test('are looked up once, and again after clearDnsCache', async () => {
    await using server = await hello();
    const resolver = new CountingResolver('127.0.0.1');
    await using connector = new TCPConnector({ resolver, forceClose: true });
    const request = requestTo(server.port, { host: 'named.test' });
    await Promise.all([get(connector, request), get(connector, request), get(connector, request)]);
    await get(connector, request);
    assert.equal(resolver.calls, 1);
    connector.clearDnsCache('named.test');
    await get(connector, request);
    assert.equal(resolver.calls, 2);
  });

  test('without a cache are looked up each time', async () => {
    await using server = await hello();
    const resolver = new CountingResolver('127.0.0.1');
    await using connector = new TCPConnector({ resolver, forceClose: true, useDnsCache: false });
    const request = requestTo(server.port, { host: 'named.test' });
    await get(connector, request);
    await get(connector, request);
    assert.equal(resolver.calls, 2);
  });

  test('that do not exist', async () => {
    await using connector = new TCPConnector({ resolver: new CountingResolver() });
    await assert.rejects(connector.connect(requestTo(80, { host: 'nope.invalid' })), (error: Error) => {
      assert.ok(error instanceof ClientConnectorDNSError);
      assert.equal(
        error.message,
        'Cannot connect to host nope.invalid:80 ssl:default [getaddrinfo ENOTFOUND nope.invalid]',
      );
      return error.osCode === 'ENOTFOUND';
    });
  });

  test('of another family have no address', async () => {
    await using connector = new TCPConnector({ resolver: new CountingResolver('127.0.0.1'), family: 6 });
    await assert.rejects(connector.connect(requestTo(80, { host: 'four.test' })), /has no IPv6 address/);
  });

  test('can be given: with a port before without', async () => {
    await using server = await hello();
    const resolver = new CountingResolver();
    await using connector = new TCPConnector({
      resolver,
      resolve: { 'Given.test': '127.0.0.9', [`given.test:${server.port}`]: '127.0.0.1' },
    });
    assert.equal(await get(connector, requestTo(server.port, { host: 'given.test' })), 'hello');
    assert.equal(resolver.calls, 0);
  });
});

describe('the guard', () => {
  test('refuses addresses of the own network, resolved, given or literal', async () => {
    await using server = await hello();
    await using connector = new TCPConnector({
      ssrfGuard: true,
      resolver: new CountingResolver('10.0.0.1', '127.0.0.1', '::ffff:127.0.0.1'),
      resolve: { 'given.test': '127.0.0.1' },
    });
    for (const host of ['named.test', 'given.test', '127.0.0.1', '::1', '::ffff:7f00:1']) {
      await assert.rejects(connector.connect(requestTo(server.port, { host })), (error: Error) => {
        assert.ok(error instanceof BlockedAddressError);
        assert.match(error.message, /the address is not public/);
        return true;
      });
    }
    assert.equal(server.accepted, 0);
    assert.equal(connector.stats.connecting, 0);
  });

  test('lets through what is allowed, and connects to that only', async () => {
    await using server = await hello();
    const tried: string[] = [];
    await using connector = new TCPConnector({
      ssrfGuard: new SSRFGuard({ allow: ['127.0.0.1'] }),
      resolver: new CountingResolver('127.0.0.2', '127.0.0.1'),
      socketFactory: ({ address }, port) => {
        tried.push(address);
        return netConnect(port, address);
      },
    });
    assert.equal(await get(connector, requestTo(server.port, { host: 'named.test' })), 'hello');
    assert.deepEqual(tried, ['127.0.0.1']);
  });
});

describe('Unix sockets', { skip: process.platform === 'win32' }, () => {
  test('TLS over a Unix socket', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'aiohttp-ts-'));
    const file = path.join(directory, 'server.sock');
    const { cert, key, fingerprint } = makeCertificate();
    const body = 'x'.repeat(300_000);
    {
      await using _server = await RawServer.answering((socket) => socket.write(answer(body)), {
        path: file,
        tls: { cert, key },
      });
      await using connector = new UnixConnector(file);
      const secure = { host: 'localhost', secure: true };
      for (let round = 0; round < 2; round++) {
        assert.equal(await get(connector, requestTo(443, { ...secure, ssl: { ca: cert } })), body);
      }
      await get(connector, requestTo(443, { ...secure, ssl: new Fingerprint(fingerprint) }));
      await assert.rejects(
        get(connector, requestTo(443, secure)),
        (error: Error) =>
          error instanceof ClientConnectorCertificateError && /self.signed/.test(error.message),
      );
    }
    await rm(directory, { recursive: true });
  });

  test('any host leads to the socket', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'aiohttp-ts-'));
    const file = path.join(directory, 'server.sock');
    {
      await using server = await RawServer.answering((socket) => socket.write(answer('unix')), {
        path: file,
      });
      await using connector = new UnixConnector(file);
      assert.equal(await get(connector, requestTo(80, { host: 'one.test' })), 'unix');
      assert.equal(await get(connector, requestTo(80, { host: 'one.test' })), 'unix');
      assert.equal(await get(connector, requestTo(80, { host: 'two.test' })), 'unix');
      assert.equal(server.accepted, 2);
      assert.ok(connector.allowedProtocolSchemas.has('http+unix'));
    }
    await using connector = new UnixConnector(file);
    await assert.rejects(connector.connect(requestTo(80)), (error: Error) => {
      assert.ok(error instanceof UnixClientConnectorError);
      assert.equal(error.path, file);
      assert.match(
        error.message,
        /^Cannot connect to unix socket .*server\.sock ssl:default \[connect ENOENT/,
      );
      return true;
    });
    await rm(directory, { recursive: true });
  });
});

test('an idle connection does not keep the process alive, one in use does', async () => {
  await using server = await hello();
  await using connector = new TCPConnector();
  const pooled = await connector.connect(requestTo(server.port));
  const { socket } = pooled.connection;
  const unref = mock.method(socket, 'unref');
  const ref = mock.method(socket, 'ref');
  pooled.release();
  assert.equal(unref.mock.callCount(), 1);
  const again = connector.reuse(requestTo(server.port).key);
  assert.equal(ref.mock.callCount(), 1);
  again!.close();
});

/** A socket that never connects: its name is never found. */
function hanging(): Socket {
  return netConnect({ port: 1, host: 'hangs.test', lookup: () => {} });
}

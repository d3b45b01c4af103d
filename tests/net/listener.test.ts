import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { Listener, Server } from '../../src/net/index.ts';
import { deferred, echo, echoed, headOf, NetServer } from './net-server.ts';
import { RawClient } from './raw-client.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const ANSWER = echoed('GET /', 'Connection: close\r\n');

function addressOf(listener: Listener): AddressInfo {
  return listener.address as AddressInfo;
}

/** The error that `start` rejects with. */
async function failure(listener: Listener): Promise<{ code?: string; message: string }> {
  try {
    await listener.start();
  } catch (error) {
    return error as Error;
  }
  await listener.stop();
  throw new Error('It listens');
}

describe('on TCP', () => {
  test('port 0 takes a free one, and says which', async () => {
    const listener = new Listener(new Server(echo), { host: '127.0.0.1', port: 0 });
    assert.equal(listener.address, null);
    await listener.start();
    assert.equal(addressOf(listener).address, '127.0.0.1');
    assert.ok(addressOf(listener).port > 0);
    await listener.stop();
    assert.equal(listener.address, null);
  });

  test('on IPv6, where the machine has it', async (t) => {
    const listener = new Listener(new Server(echo), { host: '::1', port: 0, ipv6Only: true });
    try {
      await listener.start();
    } catch {
      t.skip('no IPv6 here');
      return;
    }
    assert.equal(addressOf(listener).family, 'IPv6');
    await listener.stop();
  });

  test('a port in use is the system’s error, and another start may be tried', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const listener = new Listener(new Server(echo), { host: '127.0.0.1', port });
    assert.equal((await failure(listener)).code, 'EADDRINUSE');
    assert.equal(listener.address, null);
    other.close();
    await once(other, 'close');
    await listener.start();
    await listener.stop();
  });

  test('a port that is none, and then a second start', async () => {
    const listener = new Listener(new Server(echo), { host: '127.0.0.1', port: 70_000 });
    assert.equal((await failure(listener)).code, 'ERR_SOCKET_BAD_PORT');
    assert.equal((await failure(listener)).code, 'ERR_SOCKET_BAD_PORT');
  });

  test('cannot be started twice', async () => {
    const listener = new Listener(new Server(echo), { host: '127.0.0.1', port: 0 });
    await listener.start();
    await assert.rejects(listener.start(), { message: 'This listener was started already' });
    await listener.stop();
    await listener.start();
    await listener.stop();
    await listener.stop();
  });

  test('stopped while it starts: the start does not wait for ever', async () => {
    const listener = new Listener(new Server(echo), { host: 'localhost', port: 0 });
    const started = listener.start();
    await listener.stop();
    await assert.rejects(started, { message: 'This listener was stopped before it could listen' });
  });

  test('stop frees the port at once, and leaves the connections', async () => {
    const go = deferred();
    await using running = await NetServer.start(async (exchange) => {
      await go.promise;
      echo(exchange);
    });
    const { port } = running;
    const client = await running.connect();
    await client.send(GET);
    while (running.server.requestsCount === 0) await new Promise(setImmediate);
    await running.listener.stop();
    await assert.rejects(RawClient.connect(port), { code: 'ECONNREFUSED' });
    go.resolve();
    await client.until('GET /');
  });

  test('several listeners share a server', async () => {
    await using running = await NetServer.start(echo);
    const second = new Listener(running.server, { host: '127.0.0.1', port: 0 });
    await second.start();
    const client = await RawClient.connect(addressOf(second).port);
    assert.equal(await client.exchange(GET), ANSWER);
    assert.equal(await running.exchange(GET), ANSWER);
    assert.equal(running.server.requestsCount, 2);
    await second.stop();
  });
});

describe('on a Unix socket', { skip: process.platform === 'win32' }, () => {
  const withFolder = async (use: (file: string) => Promise<void>): Promise<void> => {
    const folder = mkdtempSync(path.join(tmpdir(), 'listener-'));
    try {
      await use(path.join(folder, 'socket'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  test('serves, has no addresses, and takes its file away', () =>
    withFolder(async (file) => {
      const seen: unknown[] = [];
      {
        await using running = await NetServer.start(
          (exchange) => {
            seen.push(exchange.remote, exchange.local, exchange.secure);
            echo(exchange);
          },
          {},
          { path: file },
        );
        assert.equal(running.listener.address, file);
        assert.equal(await running.exchange(GET), ANSWER);
      }
      assert.deepEqual(seen, [undefined, undefined, false]);
      assert.equal(existsSync(file), false);
    }));

  test('a path in use is the system’s error', () =>
    withFolder(async (file) => {
      await using running = await NetServer.start(echo, {}, { path: file });
      assert.equal((await failure(new Listener(running.server, { path: file }))).code, 'EADDRINUSE');
    }));

  test('an answer that is cut, where a reset does not exist', () =>
    withFolder(async (file) => {
      const seen = deferred();
      await using running = await NetServer.start(
        async (exchange) => {
          exchange.start(headOf(), undefined);
          exchange.write('part');
          await seen.promise;
          exchange.abort();
        },
        {},
        { path: file },
      );
      const client = await running.connect();
      await client.send('GET / HTTP/1.0\r\n\r\n');
      await client.until('part');
      seen.resolve();
      await client.closed;
      await running.quiet();
    }));
});

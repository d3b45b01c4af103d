import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { createTask, isCancelled, sleep } from '../../src/asyncio/index.ts';
import { HeadError } from '../../src/http1/index.ts';
import {
  openTunnel,
  SocksError,
  socksConnect,
  TunnelDataError,
  TunnelRefusedError,
} from '../../src/net/index.ts';
import { httpProxy, socksProxy } from './proxy-server.ts';
import { RawServer, until } from './raw-server.ts';

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** What an echo server says to `text`. */
async function echoed(socket: Socket, text: string): Promise<string> {
  let got = '';
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString();
  });
  socket.resume();
  socket.write(text);
  await until(() => got.length >= text.length);
  return got;
}

const echo = (): Promise<RawServer> => RawServer.start((socket) => void socket.pipe(socket));

describe('SOCKS5', () => {
  test('by address, by name, with and without a login', async () => {
    await using target = await echo();
    const { server, seen } = await socksProxy();
    const guarded = await socksProxy({ login: ['näme', 'pass:word'] });
    try {
      for (const [proxy, host, credentials] of [
        [server, '127.0.0.1', undefined],
        [server, 'target.test', { username: 'unused', password: '' }],
        [guarded.server, '127.0.0.1', { username: 'näme', password: 'pass:word' }],
      ] as const) {
        const socket = await connected(proxy.port);
        await socksConnect(socket, { host, port: target.port }, credentials);
        assert.equal(await echoed(socket, 'hello'), 'hello');
        socket.destroy();
      }
      assert.deepEqual(seen, [`1 127.0.0.1 ${target.port}`, `3 target.test ${target.port}`]);
    } finally {
      await server[Symbol.asyncDispose]();
      await guarded.server[Symbol.asyncDispose]();
    }
  });

  test('IPv6 addresses are sent as 16 bytes', async () => {
    const { server, seen } = await socksProxy({ reply: 4 });
    await using _server = server;
    for (const host of ['::1', '2001:db8::ff00:42:8329', '::ffff:1.2.3.4', 'fe80::1%lo']) {
      const socket = await connected(server.port);
      await assert.rejects(socksConnect(socket, { host, port: 80 }, undefined), /host unreachable/);
      socket.destroy();
    }
    assert.deepEqual(seen, [
      '4 0000:0000:0000:0000:0000:0000:0000:0001 80',
      '4 2001:0db8:0000:0000:0000:ff00:0042:8329 80',
      '4 0000:0000:0000:0000:0000:ffff:0102:0304 80',
      '4 fe80:0000:0000:0000:0000:0000:0000:0001 80',
    ]);
  });

  const refusals: readonly (readonly [
    name: string,
    options: Parameters<typeof socksProxy>[0],
    error: RegExp,
  ])[] = [
    ['refused by the target', { reply: 5 }, /connection refused/],
    ['an unknown reply', { reply: 99 }, /reply 99/],
    ['a login that is missing', { login: ['a', 'b'] }, /accepts none of the ways to authenticate/],
    ['another version', { raw: Buffer.from([4, 0]) }, /version 4/],
    ['a method that was not offered', { raw: Buffer.from([5, 1]) }, /method 1, which was not offered/],
    ['the end', { raw: Buffer.alloc(0) }, /closed the connection/],
    ['more than asked for', { raw: Buffer.from([5, 0, 9]) }, /closed|version|sent more/],
  ];
  for (const [name, options, error] of refusals) {
    test(`${name} is an error`, async () => {
      const { server } = await socksProxy(options);
      await using _server = server;
      const socket = await connected(server.port);
      await assert.rejects(
        socksConnect(socket, { host: 'target.test', port: 80 }, undefined),
        (caught: Error) => {
          assert.ok(caught instanceof SocksError);
          assert.match(caught.message, error);
          return true;
        },
      );
      socket.destroy();
    });
  }

  test('a wrong login is an error that does not show it', async () => {
    const { server } = await socksProxy({ login: ['me', 'right'] });
    await using _server = server;
    const socket = await connected(server.port);
    const credentials = { username: 'me', password: 'wrong-secret' };
    await assert.rejects(
      socksConnect(socket, { host: 'target.test', port: 80 }, credentials),
      (error: Error) => {
        assert.match(error.message, /was refused/);
        assert.doesNotMatch(String(error.stack), /wrong-secret/);
        return true;
      },
    );
    socket.destroy();
  });

  test('names and logins that cannot be sent are refused before anything is sent', async () => {
    await using server = await RawServer.start(() => {});
    const socket = await connected(server.port);
    const target = { host: 'a', port: 1 };
    await assert.rejects(socksConnect(socket, { host: 'a'.repeat(256), port: 1 }, undefined), SocksError);
    await assert.rejects(
      socksConnect(socket, target, { username: 'x'.repeat(256), password: '' }),
      SocksError,
    );
    await assert.rejects(socksConnect(socket, target, { username: '', password: '' }), SocksError);
    assert.equal(socket.bytesWritten, 0);
    socket.destroy();
  });

  test('a cancelled handshake closes the connection', async () => {
    await using server = await RawServer.start((socket) => socket.resume());
    const socket = await connected(server.port);
    const task = createTask(() => socksConnect(socket, { host: 'a', port: 1 }, undefined));
    await sleep(0);
    task.cancel();
    await assert.rejects(Promise.resolve(task), (error) => isCancelled(error));
    assert.ok(socket.destroyed);
    await until(() => server.accepted === 1 && server.sockets.size === 0);
  });
});

describe('a tunnel by CONNECT', () => {
  test('carries bytes', async () => {
    await using target = await echo();
    const { server, seen } = await httpProxy();
    await using _server = server;
    const socket = await connected(server.port);
    const tunnel = await openTunnel(socket, { host: '127.0.0.1', port: target.port }, [
      'X-Trace',
      'a',
      'Host',
      'no',
    ]);
    assert.equal(await echoed(tunnel, 'hello'), 'hello');
    const authority = `127.0.0.1:${target.port}`;
    assert.deepEqual(seen, [`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\nX-Trace: a\r\n\r\n`]);
    socket.destroy();
  });

  test('refused is an error with the answer', async () => {
    const { server } = await httpProxy({ authorization: 'Basic abc' });
    await using _server = server;
    const socket = await connected(server.port);
    await assert.rejects(openTunnel(socket, { host: 'a.test', port: 443 }, []), (error: Error) => {
      assert.ok(error instanceof TunnelRefusedError);
      assert.equal(error.status, 407);
      assert.equal(error.headers.get('proxy-authenticate'), 'Basic realm="test"');
      return true;
    });
    assert.ok(socket.destroyed);
  });

  test('with bytes in front of the first one is an error', async () => {
    const { server } = await httpProxy({ answer: 'HTTP/1.1 200 OK\r\n\r\n\x16\x03' });
    await using _server = server;
    const socket = await connected(server.port);
    await assert.rejects(openTunnel(socket, { host: 'a.test', port: 443 }, []), TunnelDataError);
    assert.ok(socket.destroyed);
  });

  test('the answer may have informational ones in front, and a length that means nothing', async () => {
    await using target = await echo();
    const { server } = await httpProxy({
      answer: 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    });
    await using _server = server;
    const socket = await connected(server.port);
    assert.equal(await openTunnel(socket, { host: 'a.test', port: target.port }, []), socket);
    socket.destroy();
  });

  test('garbage and the end are errors', async () => {
    for (const answer of ['garbage\r\n\r\n', 'HTTP/1.1 20']) {
      await using server = await RawServer.start((peer) => peer.once('data', () => peer.end(answer)));
      const socket = await connected(server.port);
      await assert.rejects(openTunnel(socket, { host: 'a.test', port: 443 }, []));
      assert.ok(socket.destroyed);
    }
  });

  test('fields that would split the request are refused', async () => {
    await using server = await RawServer.start(() => {});
    const socket = await connected(server.port);
    assert.throws(() => openTunnel(socket, { host: 'a', port: 1 }, ['X', 'a\r\nY: b']), HeadError);
    socket.destroy();
  });

  test('a cancelled one closes the connection', async () => {
    await using server = await RawServer.start((socket) => socket.resume());
    const socket = await connected(server.port);
    const task = createTask(() => openTunnel(socket, { host: 'a', port: 1 }, []));
    await sleep(0);
    task.cancel();
    await assert.rejects(Promise.resolve(task), (error) => isCancelled(error));
    await until(() => socket.destroyed);
  });
});

import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { Listener, Server } from '../../src/net/index.ts';
import { makeCertificate } from './certificates.ts';
import { deferred, echo, echoed, headOf, NetServer, type Reply } from './net-server.ts';

const { key, cert } = makeCertificate();
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const trusting = { ca: cert, servername: 'localhost' };

const start = (reply: Reply = echo): Promise<NetServer> => NetServer.start(reply, {}, { tls: { key, cert } });

describe('over TLS', () => {
  test('one request after the other, and pipelined', async () => {
    const seen: unknown[] = [];
    await using running = await start((exchange) => {
      seen.push(exchange.secure, exchange.remote?.address, (exchange.socket as TLSSocket).encrypted);
      echo(exchange);
    });
    const client = await running.connect(trusting);
    await client.send(GET);
    await client.until('GET /');
    assert.equal(client.take(), echoed('GET /'));
    await client.send(GET.repeat(200));
    await client.until((received) => received.split('GET /').length === 201);
    assert.equal(client.take(), echoed('GET /').repeat(200));
    assert.deepEqual(seen.slice(0, 3), [true, '127.0.0.1', true]);
  });

  test('a client that ends its side still gets its answer', async () => {
    const go = deferred();
    await using running = await start(async (exchange, owner) => {
      await owner.ended;
      await go.promise;
      echo(exchange);
    });
    const client = await running.connect(trusting);
    await client.send(GET);
    client.end();
    go.resolve();
    assert.equal(await client.all(), echoed('GET /', 'Connection: close\r\n'));
  });

  test('large bodies in both directions', async () => {
    const size = 5_000_000;
    await using running = await start(async (exchange) => {
      const { body } = exchange;
      const bytes = body === undefined ? undefined : 'read' in body ? await body.read() : body;
      exchange.respond(headOf(), bytes);
    });
    const client = await running.connect(trusting);
    const body = Buffer.from(Uint8Array.from({ length: size }, (_, index) => (index * 7) ^ (index >> 8)));
    await client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    await client.send(body);
    await client.until((received) => received.length > size);
    assert.ok(Buffer.from(client.received, 'latin1').subarray(-size).equals(body));
  });

  test('an answer that is cut', async () => {
    for (const request of [GET, 'GET / HTTP/1.0\r\n\r\n']) {
      const seen = deferred();
      await using running = await start(async (exchange) => {
        exchange.start(headOf(), undefined);
        exchange.write('part');
        await seen.promise;
        exchange.abort();
      });
      const client = await running.connect(trusting);
      await client.send(request);
      await client.until('part');
      seen.resolve();
      await client.closed;
      assert.ok(!client.received.endsWith('0\r\n\r\n'));
    }
  });

  test('an upgrade', async () => {
    await using running = await start((exchange) => {
      const { socket, buffered } = exchange.upgrade(headOf(101));
      socket.write(buffered);
      socket.pipe(socket);
    });
    const client = await running.connect(trusting);
    await client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nfirst');
    await client.until('first');
    await client.send('second');
    await client.until('second');
  });
});

describe('around the handshake', () => {
  test('bytes that are no TLS end their connection, and no other', async () => {
    await using running = await start();
    const stranger = connectTcp(running.port, '127.0.0.1');
    stranger.on('error', () => {});
    stranger.write(GET);
    await new Promise((resolve) => stranger.once('close', resolve));
    assert.equal(running.server.requestsCount, 0);
    const client = await running.connect(trusting);
    await client.send(GET);
    await client.until('GET /');
    assert.equal(client.take(), echoed('GET /'));
  });

  test('TLS bytes on a plain port are answered with 400 that says so', async () => {
    await using running = await NetServer.start((exchange) =>
      exchange.respond(headOf(exchange.error?.status), exchange.error?.message),
    );
    const client = await running.connect();
    await client.send('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03');
    assert.match(
      await client.all(),
      /^HTTP\/1\.1 400 [\s\S]*\r\n\r\nReceived HTTPS traffic on an HTTP port$/,
    );
  });

  test('stop cuts those that are still shaking hands, and no connection', async () => {
    await using running = await start();
    const client = await running.connect(trusting);
    await client.send(GET);
    await client.until('GET /');
    const silent = connectTcp(running.port, '127.0.0.1');
    await new Promise((resolve) => silent.once('connect', resolve));
    // The system tells of connections in their order: when this one is served, the silent one is known.
    const last = await running.connect(trusting);
    await last.send(GET);
    await last.until('GET /');
    await running.listener.stop();
    await new Promise((resolve) => silent.once('close', resolve));
    client.take();
    await client.send(GET);
    await client.until('GET /');
  });

  test('a key that is none is told by start', async () => {
    const listener = new Listener(new Server(echo), {
      host: '127.0.0.1',
      port: 0,
      tls: { key: 'no key', cert },
    });
    await assert.rejects(listener.start());
    assert.equal(listener.address, null);
  });
});

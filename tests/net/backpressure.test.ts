import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deferred, headOf, NetServer } from './net-server.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('a client that is slower than the handler', () => {
  test('the handler waits: what is written and not read is bounded', async () => {
    const piece = Buffer.alloc(65_536, 'x');
    const count = 800; // 50 MB
    let written = 0;
    await using running = await NetServer.start(async (exchange) => {
      exchange.start(headOf(), count * piece.length);
      for (; written < count; written++) await exchange.write(piece);
      exchange.end();
    });
    const client = await running.connect();
    client.socket.pause();
    await client.send(GET);
    const [connection] = running.server.connections;
    while (!connection?.socket.writableNeedDrain) await new Promise(setImmediate);
    assert.ok(written < count, 'everything was written although nothing was read');
    assert.ok(connection.socket.writableLength < 1_000_000);
    let size = 0;
    client.socket.on('data', (data: Buffer) => {
      size += data.length;
      client.received = '';
    });
    client.socket.resume();
    while (size < count * piece.length) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(written, count);
  });

  test('a large body goes out in pieces, byte for byte', async () => {
    const body = Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, index) => index * 31));
    const text = Array.from({ length: 300_000 }, (_, index) => `${index}€`).join('');
    await using running = await NetServer.start((exchange) =>
      exchange.respond(headOf(), exchange.head.target === '/text' ? text : body),
    );
    const client = await running.connect();
    await client.send(
      'GET /bytes HTTP/1.1\r\nHost: a\r\n\r\nGET /text HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    await client.closed;
    const received = Buffer.from(client.received, 'latin1');
    const start = received.indexOf('\r\n\r\n') + 4;
    assert.ok(received.subarray(start, start + body.length).equals(body));
    assert.ok(received.subarray(-Buffer.byteLength(text)).equals(Buffer.from(text)));
  });

  test('a write that waits ends when the client leaves; who did not wait for it is not harmed', async () => {
    const outcome = deferred<unknown>();
    await using running = await NetServer.start(async (exchange, owner) => {
      exchange.start(headOf(), undefined);
      const piece = Buffer.alloc(16_000_000);
      void exchange.write(piece);
      void exchange.write(piece);
      await Promise.resolve(exchange.write(piece)).catch(outcome.resolve);
      outcome.resolve('the write came to an end');
      assert.equal(((await owner.done) as { code?: string }).code, 'AIO_CLIENT_DISCONNECTED');
    });
    const client = await running.connect();
    client.socket.pause();
    await client.send(GET);
    const [connection] = running.server.connections;
    while (!connection?.socket.writableNeedDrain) await new Promise(setImmediate);
    client.reset();
    assert.equal(((await outcome.promise) as { code?: string }).code, 'AIO_CLIENT_DISCONNECTED');
  });

  test('a write that waits behind the end of a closing answer is not told that the client left', async () => {
    const outcome = deferred<unknown>();
    await using running = await NetServer.start((exchange) => {
      exchange.keepAlive = false;
      exchange.start(headOf(), undefined);
      const wait = exchange.write(Buffer.alloc(8_000_000));
      exchange.end();
      Promise.resolve(wait).then(() => outcome.resolve('written'), outcome.resolve);
    });
    const client = await running.connect();
    client.socket.pause();
    await client.send(GET);
    await new Promise(setImmediate);
    client.socket.resume();
    assert.equal(await outcome.promise, 'written');
  });
});

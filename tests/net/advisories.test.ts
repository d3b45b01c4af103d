import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StreamReader } from '../../src/message/index.ts';
import { deferred, echo, echoed, headOf, NetServer } from './net-server.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** What was found in aiohttp and concerns connections; what concerns the wire is in `tests/http1/advisories.test.ts`. */
describe('advisories that concern the connection', () => {
  test('CVE-2026-54273: 100 000 pipelined requests are not queued: the socket is paused', async () => {
    const go = deferred();
    await using running = await NetServer.start(async (exchange) => {
      await go.promise;
      echo(exchange);
    });
    const client = await running.connect();
    const sent = client.send(GET.repeat(100_000)); // 2.6 MB
    while (running.server.requestsCount === 0) await new Promise(setImmediate);
    const [connection] = running.server.connections;
    while (!connection!.socket.isPaused()) await new Promise(setImmediate);
    assert.equal(running.server.requestsCount, 1);
    assert.ok(connection!.socket.bytesRead < 300_000, `${connection!.socket.bytesRead} bytes were taken`);
    client.socket.on('data', () => {
      client.received = client.received.slice(-100);
    });
    go.resolve();
    await sent;
    while (running.server.requestsCount < 100_000) await new Promise(setImmediate);
  });

  test('CVE-2026-54278: an unread compressed body is dropped as it comes, never undone', async () => {
    await using running = await NetServer.start(echo);
    const client = await running.connect();
    const bomb = Buffer.alloc(1_000_000);
    await client.send(
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`,
    );
    await client.until('POST /');
    client.take();
    await client.send(bomb);
    await client.send(GET);
    await client.until('GET /');
    assert.equal(client.take(), echoed('GET /'));
  });

  test('CVE-2026-59881, CVE-2026-69243: the body behind a declined upgrade is consumed, not parsed as a request', async () => {
    await using running = await NetServer.start(echo);
    const client = await running.connect();
    const body = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
    await client.send(
      `GET /up HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: ${body.length}\r\n\r\n${body}${GET}`,
    );
    await client.until(`${GET.slice(0, 5)}`);
    await client.until((received) => received.endsWith('GET /'));
    assert.equal(running.server.requestsCount, 2);
  });

  test('CVE-2025-53643: a request in the trailer section of an unread body is not served', async () => {
    const targets: string[] = [];
    await using running = await NetServer.start((exchange) => {
      targets.push(exchange.head.target);
      echo(exchange);
    });
    const client = await running.connect();
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.until('POST /');
    await client.send('0\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.closed;
    assert.deepEqual(targets, ['/']);
  });

  test('aiohttp #13348: a paused parser and the end of the connection: nothing that was sent is lost', async () => {
    const go = deferred();
    let size = 0;
    await using running = await NetServer.start(async (exchange) => {
      assert.ok(exchange.body instanceof StreamReader);
      await go.promise;
      for await (const piece of exchange.body) size += piece.length;
      echo(exchange);
    });
    const client = await running.connect();
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n');
    const sent = client.send(Buffer.alloc(3_000_000));
    client.end();
    while (running.server.connections.size === 0) await new Promise(setImmediate);
    const [connection] = running.server.connections;
    while (!connection!.socket.isPaused()) await new Promise(setImmediate);
    go.resolve();
    await sent;
    assert.match(await client.all(), /POST \/$/);
    assert.equal(size, 3_000_000);
  });

  test('aiohttp #13431: Content-Length and Transfer-Encoding are never both sent', async () => {
    await using running = await NetServer.start((exchange) => {
      const both = headOf(200, { 'Content-Length': '5', 'Transfer-Encoding': 'chunked' });
      assert.throws(() => exchange.start(both, undefined), { code: 'AIO_RESPONSE_STATE' });
      assert.throws(() => exchange.respond(both, 'hello'), { code: 'AIO_RESPONSE_STATE' });
      exchange.respond(headOf(200, { 'Transfer-Encoding': 'chunked' }), 'hello');
    });
    const received = await running.exchange(GET);
    assert.ok(!(received.includes('Content-Length') && received.includes('Transfer-Encoding')), received);
    assert.match(received, /hello/);
  });

  test('aiohttp weakness 10: a head that never ends does not hold a connection', async () => {
    await using running = await NetServer.start(echo, { headersTimeout: 2_000 });
    const clients = await Promise.all(Array.from({ length: 20 }, () => running.connect()));
    for (const client of clients) await client.send('GET / HTTP/1.1\r\nX-Slow: ');
    for (const client of clients) assert.match(await client.all(), /^HTTP\/1\.1 408 /);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deferred, echo, echoed, headOf, NetServer, type Reply } from './net-server.ts';

const requests = (count: number): string =>
  Array.from({ length: count }, (_, index) => `GET /${index} HTTP/1.1\r\nHost: a\r\n\r\n`).join('');
const answers = (count: number): string =>
  Array.from({ length: count }, (_, index) => echoed(`GET /${index}`)).join('');

describe('a thousand pipelined requests are answered in order', () => {
  const handlers: [name: string, reply: Reply][] = [
    ['at once', echo],
    ['in a microtask', (exchange) => Promise.resolve().then(() => echo(exchange))],
    ['in another turn', (exchange) => void setImmediate(() => echo(exchange))],
    [
      'now at once and now later',
      (exchange) =>
        /[13579]$/.test(exchange.head.target) ? echo(exchange) : void setImmediate(() => echo(exchange)),
    ],
    [
      'in pieces',
      (exchange) => {
        const { target } = exchange.head;
        exchange.start(headOf(), 4 + target.length);
        exchange.write('GET ');
        setImmediate(() => {
          exchange.write(target);
          exchange.end();
        });
      },
    ],
  ];
  for (const [name, reply] of handlers) {
    test(name, async () => {
      await using running = await NetServer.start(reply);
      const client = await running.connect();
      await client.send(requests(1000));
      await client.until((received) => received.endsWith('GET /999'));
      assert.equal(client.take(), answers(1000));
      await client.send(requests(1));
      await client.until('GET /0');
    });
  }

  test('with bodies between them', async () => {
    await using running = await NetServer.start((exchange) => void setImmediate(() => echo(exchange)));
    const client = await running.connect();
    const posts = Array.from({ length: 500 }, (_, index) =>
      index % 2 === 0
        ? `POST /${index} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /`
        : `POST /${index} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nGET\r\n2\r\n /\r\n0\r\n\r\n`,
    );
    // Each in its own piece of the stream, so that every body is there with its head.
    for (const post of posts) await client.send(post);
    await client.until((received) => received.endsWith('POST /499 GET /'));
    const expected = posts.map((_, index) => echoed(`POST /${index} GET /`)).join('');
    assert.equal(client.take(), expected);
  });
});

test('a request is not begun before the one in front of it is answered', async () => {
  const begun: string[] = [];
  const first = deferred();
  await using running = await NetServer.start(async (exchange) => {
    begun.push(exchange.head.target);
    if (exchange.head.target === '/0') await first.promise;
    echo(exchange);
  });
  const client = await running.connect();
  await client.send(requests(3));
  while (begun.length === 0) await new Promise(setImmediate);
  assert.deepEqual(begun, ['/0']);
  assert.equal(client.received, '');
  first.resolve();
  await client.until('GET /2');
  assert.deepEqual(begun, ['/0', '/1', '/2']);
});

test('answers that are ready together leave in few writes', async () => {
  await using running = await NetServer.start(echo);
  const client = await running.connect();
  let reads = 0;
  client.socket.on('data', () => reads++);
  await client.send(requests(500));
  await client.until((received) => received.endsWith('GET /499'));
  assert.ok(reads < 50, `${reads} pieces for 500 answers`);
});

describe('what a client sends early is bounded', () => {
  test('requests behind one that is not answered: the socket is paused, and goes on afterwards', async () => {
    const first = deferred();
    await using running = await NetServer.start(async (exchange) => {
      if (exchange.head.target === '/0') await first.promise;
      echo(exchange);
    });
    const client = await running.connect();
    const count = 60_000; // 2 MB
    await client.send(requests(1));
    const sent = client.send(requests(count));
    const [connection] = running.server.connections;
    while (!connection!.socket.isPaused()) await new Promise(setImmediate);
    const { bytesRead } = connection!.socket;
    assert.ok(bytesRead < 300_000, `${bytesRead} bytes were read before a request was answered`);
    first.resolve();
    await sent;
    await client.until((received) => received.endsWith(`GET /${count - 1}`));
    assert.equal(running.server.requestsCount, count + 1);
  });

  test('answers that nobody reads: no more requests are taken', async () => {
    const body = Buffer.alloc(50_000, 'x');
    await using running = await NetServer.start((exchange) => exchange.respond(headOf(), body));
    const client = await running.connect();
    client.socket.pause();
    const count = 2000; // 100 MB of answers
    void client.send(requests(count));
    const [connection] = running.server.connections;
    while (!connection!.socket.isPaused()) await new Promise(setImmediate);
    const { requestsCount } = running.server;
    assert.ok(requestsCount < count, 'all requests were taken although no answer was read');
    assert.ok(
      connection!.socket.writableLength < 1_000_000,
      `${connection!.socket.writableLength} bytes wait`,
    );
    let size = 0;
    client.socket.on('data', (data: Buffer) => {
      size += data.length;
      client.received = '';
    });
    client.socket.resume();
    while (size < count * 50_000) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(running.server.requestsCount, count);
  });
});

test('after an answer that closes, nothing behind it is served', async () => {
  const served: string[] = [];
  await using running = await NetServer.start((exchange) => {
    served.push(exchange.head.target);
    echo(exchange);
  });
  const client = await running.connect();
  await client.send(`GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${requests(100)}`);
  assert.equal(await client.all(), echoed('GET /a', 'Connection: close\r\n'));
  assert.deepEqual(served, ['/a']);
});

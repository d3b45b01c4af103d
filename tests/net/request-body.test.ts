import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StreamReader } from '../../src/message/index.ts';
import type { Exchange } from '../../src/net/index.ts';
import { deferred, echo, echoed, headOf, NetServer } from './net-server.ts';

const post = (size: number, more = ''): string =>
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n${more}\r\n`;
const CHUNKED = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
const FULL_CHUNK = `ffff\r\n${'x'.repeat(65_535)}\r\n`;
const NEXT = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n';

function streamOf(exchange: Exchange): StreamReader {
  assert.ok(exchange.body instanceof StreamReader, 'the body is no stream');
  return exchange.body;
}

/** Reads a body to its end, whatever it is. */
async function readBody({ body }: Exchange): Promise<string> {
  if (body === undefined) return 'none';
  const bytes = body instanceof StreamReader ? await body.read() : body;
  return Buffer.from(bytes).toString('latin1');
}

describe('a body that is here with its head', () => {
  for (const [name, request, body] of [
    ['none', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', undefined],
    ['length 0', post(0), undefined],
    ['by length', `${post(5)}hello`, 'hello'],
    ['one chunk', `${CHUNKED}5\r\nhello\r\n0\r\n\r\n`, 'hello'],
    ['several chunks', `${CHUNKED}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`, 'hello'],
    ['no chunk', `${CHUNKED}0\r\n\r\n`, ''],
  ] as const) {
    test(`${name}: bytes, not a stream`, async () => {
      const seen: unknown[] = [];
      await using running = await NetServer.start((exchange) => {
        seen.push(
          exchange.body instanceof Uint8Array ? Buffer.from(exchange.body).toString() : exchange.body,
        );
        echo(exchange);
      });
      const client = await running.connect();
      await client.send(request + NEXT);
      await client.until('GET /next');
      assert.deepEqual(seen, [body, undefined]);
    });
  }
});

describe('a body that comes later', () => {
  for (const [name, head, pieces, body] of [
    ['by length', post(11), ['hello', ' wor', 'ld'], 'hello world'],
    ['by length, a part with the head', `${post(11)}hel`, ['lo', ' world'], 'hello world'],
    ['in chunks', CHUNKED, ['5\r\nhel', 'lo\r\n', '6\r\n world\r\n0\r\n', '\r\n'], 'hello world'],
    ['in chunks, a part with the head', `${CHUNKED}2\r\nhe\r\n3\r\nl`, ['lo\r\n0\r\n\r\n'], 'hello'],
  ] as const) {
    test(`${name}: a stream`, async () => {
      const begun = deferred();
      const seen: string[] = [];
      await using running = await NetServer.start(async (exchange) => {
        if (exchange.head.method === 'POST') {
          streamOf(exchange);
          begun.resolve();
          seen.push(await readBody(exchange));
        }
        echo(exchange);
      });
      const client = await running.connect();
      await client.send(head);
      await begun.promise;
      for (const piece of pieces) await client.send(piece);
      await client.send(NEXT);
      await client.until('GET /next');
      assert.deepEqual(seen, [body]);
    });
  }

  test('its trailers are there when it was read', async () => {
    const begun = deferred();
    await using running = await NetServer.start(async (exchange) => {
      const trailers = (): string[][] => [...(exchange.trailers ?? [])];
      assert.deepEqual(trailers(), []);
      begun.resolve();
      await readBody(exchange);
      assert.deepEqual(trailers(), [['X-Sum', '1']]);
      echo(exchange);
    });
    const client = await running.connect();
    await client.send(CHUNKED);
    await begun.promise;
    await client.send('1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n');
    await client.until('POST /');
  });

  test('nobody reads it: the socket is paused, and what waits is bounded', async () => {
    const size = 50_000_000;
    const go = deferred();
    let read = 0;
    await using running = await NetServer.start(async (exchange) => {
      const stream = streamOf(exchange);
      await go.promise;
      for await (const piece of stream) read += piece.length;
      echo(exchange);
    });
    const client = await running.connect();
    await client.send(post(size));
    const sent = client.send(Buffer.alloc(size));
    while (running.server.connections.size === 0) await new Promise(setImmediate);
    const [connection] = running.server.connections;
    while (!connection!.socket.isPaused()) await new Promise(setImmediate);
    const { bytesRead } = connection!.socket;
    assert.ok(bytesRead < 2_000_000, `${bytesRead} bytes were read for nobody`);
    go.resolve();
    await sent;
    await client.until('POST /');
    assert.equal(read, size);
  });

  test('a body that is complete but not read does not keep the socket paused', async () => {
    const ended = deferred();
    await using running = await NetServer.start(async (exchange, owner) => {
      await owner.ended;
      ended.resolve();
      assert.equal((await readBody(exchange)).length, 530_000);
      echo(exchange);
    });
    const client = await running.connect();
    await client.send(post(530_000) + 'x'.repeat(500_000));
    const [connection] = running.server.connections;
    while (connection!.socket.bytesRead < 500_000) await new Promise(setImmediate);
    await client.send('x'.repeat(30_000)); // with these the stream is full, and complete
    client.end();
    await ended.promise;
    assert.match(await client.all(), /POST \/$/);
  });

  for (const [name, rest, code] of [
    ['a bad chunk', '5\r\nhelloX', 'AIO_REQUEST_PAYLOAD'],
    ['an end in the middle', undefined, 'AIO_REQUEST_PAYLOAD'],
  ] as const) {
    test(`${name}: the handler hears of it when it reads, and may answer`, async () => {
      const begun = deferred();
      await using running = await NetServer.start(async (exchange) => {
        begun.resolve();
        const error = await readBody(exchange).then(
          () => undefined,
          (reason: { code: string; status: number }) => reason,
        );
        exchange.respond(headOf(error?.status), error?.code);
      });
      const client = await running.connect();
      await client.send(`${CHUNKED}2\r\nhe`);
      await begun.promise;
      if (rest === undefined) client.end();
      else await client.send(rest.slice(5));
      const received = await client.all();
      assert.match(received, /^HTTP\/1\.1 400 /);
      assert.match(received, new RegExp(`Connection: close\r\n\r\n${code}$`));
    });
  }

  test('the client leaves: the handler hears of it when it reads', async () => {
    const begun = deferred();
    const failure = deferred<{ code?: string }>();
    await using running = await NetServer.start(async (exchange) => {
      begun.resolve();
      await readBody(exchange).catch(failure.resolve);
    });
    const client = await running.connect();
    await client.send(`${post(10)}hel`);
    await begun.promise;
    client.reset();
    assert.equal((await failure.promise).code, 'AIO_CLIENT_DISCONNECTED');
  });
});

describe('Expect: 100-continue', () => {
  const expecting = post(5, 'Expect: 100-continue\r\n');

  test('is answered when the handler wants the body', async () => {
    await using running = await NetServer.start(async (exchange) => {
      if (exchange.head.method === 'GET') return echo(exchange);
      exchange.sendContinue();
      exchange.sendContinue();
      exchange.respond(headOf(), await readBody(exchange));
    });
    const client = await running.connect();
    await client.send(expecting);
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    assert.equal(client.take(), 'HTTP/1.1 100 Continue\r\n\r\n');
    await client.send(`hello${NEXT}`);
    await client.until('GET /next');
    assert.equal(client.take(), echoed('hello') + echoed('GET /next'));
  });

  test('is not answered to who does not wait for it', async () => {
    await using running = await NetServer.start(async (exchange) => {
      exchange.sendContinue();
      exchange.respond(headOf(), await readBody(exchange));
    });
    for (const request of [
      `${expecting}hello`,
      `${expecting}hel`,
      'POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello',
      'GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n',
    ]) {
      const client = await running.connect();
      await client.send(request);
      if (request.endsWith('\r\n\r\nhel')) await client.send('lo');
      client.end();
      assert.match(await client.all(), /^HTTP\/1\.1 200 /, request);
    }
  });

  test('a body that comes in spite of it is read', async () => {
    const begun = deferred();
    await using running = await NetServer.start(async (exchange) => {
      begun.resolve();
      exchange.respond(headOf(), await readBody(exchange));
    });
    const client = await running.connect();
    await client.send(expecting);
    await begun.promise;
    await client.send('hello');
    await client.until('hello');
    assert.equal(client.take(), echoed('hello'));
  });

  test('an answer instead of it ends the connection: nobody knows whether the body follows', async () => {
    await using running = await NetServer.start((exchange) => exchange.respond(headOf(417), undefined));
    const client = await running.connect();
    await client.send(expecting);
    assert.equal(
      await client.all(),
      'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    );
  });
});

describe('an answer that does not wait for the body', () => {
  for (const [name, head, body] of [
    ['by length', post(1_000_000), Buffer.alloc(1_000_000)],
    ['in chunks', CHUNKED, Buffer.from(`${FULL_CHUNK.repeat(20)}0\r\n\r\n`)],
  ] as const) {
    test(`${name}: the rest is read and dropped, and the connection goes on`, async () => {
      const answered = deferred();
      await using running = await NetServer.start((exchange) => {
        echo(exchange);
        answered.resolve();
      });
      const client = await running.connect();
      await client.send(head);
      await answered.promise;
      await client.send(body);
      await client.send(NEXT);
      await client.until('GET /next');
      assert.equal(client.take(), echoed('POST /') + echoed('GET /next'));
      assert.equal(running.server.requestsCount, 2);
    });
  }

  test('whoever still reads the body hears that it is over', async () => {
    const reading = deferred<string | undefined>();
    await using running = await NetServer.start((exchange) => {
      if (exchange.body instanceof StreamReader) {
        exchange.body.read().then(undefined, (error: { code?: string }) => reading.resolve(error.code));
      }
      echo(exchange);
    });
    const client = await running.connect();
    await client.send(post(10));
    assert.equal(await reading.promise, 'AIO_REQUEST_PAYLOAD');
    await client.send(`0123456789${NEXT}`);
    await client.until('GET /next');
  });

  test('a body too large to be dropped: Connection: close, and the answer is not lost', async () => {
    await using running = await NetServer.start((exchange) => exchange.respond(headOf(413), 'too large'));
    const client = await running.connect();
    await client.send(post(50_000_000));
    // The client sends on without looking, as many do.
    const pieces = (async () => {
      for (let sent = 0; sent < 50_000_000 && !client.socket.destroyed; sent += 1_000_000)
        await client.send(Buffer.alloc(1_000_000));
      client.end();
    })();
    assert.equal(
      await client.all(),
      'HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\nConnection: close\r\n\r\ntoo large',
    );
    await pieces;
  });

  test('a chunked body that turns out too large ends the connection', async () => {
    await using running = await NetServer.start(echo);
    const client = await running.connect();
    await client.send(CHUNKED);
    for (let count = 0; count < 100; count++) await client.send(FULL_CHUNK);
    assert.equal(await client.all(), echoed('POST /'));
    assert.equal(running.server.requestsCount, 1);
  });

  test('a rest with bad framing ends the connection, and is never taken for a request', async () => {
    await using running = await NetServer.start(echo);
    const client = await running.connect();
    await client.send(CHUNKED);
    await client.until('POST /');
    await client.send(`nonsense\r\n${NEXT}`);
    assert.equal(await client.all(), echoed('POST /'));
    assert.equal(running.server.requestsCount, 1);
  });
});

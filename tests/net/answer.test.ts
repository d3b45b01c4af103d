import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CIMultiDict } from '../../src/message/index.ts';
import type { Exchange, ResponseHead } from '../../src/net/index.ts';
import { deferred, echo, headOf, NetServer, type Reply } from './net-server.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const OLD = 'GET / HTTP/1.0\r\n\r\n';
const HEAD = 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n';

/** What comes back for the request; our side ends behind it, so the answer ends the connection too. */
async function answerTo(request: string, reply: Reply): Promise<string> {
  await using running = await NetServer.start(reply);
  const client = await running.connect();
  await client.send(request);
  const received = await client.until((text) => text.includes('\r\n\r\n'));
  client.end();
  await client.closed;
  return (received.length > client.received.length ? received : client.received).replace(
    /Date: [^\r\n]*\r\n/,
    '',
  );
}

describe('respond: the head says what follows', () => {
  const cases: [
    name: string,
    head: ResponseHead,
    body: Uint8Array | string | undefined,
    answer: string,
    request?: string,
  ][] = [
    [
      'text',
      headOf(200, undefined, 'text/plain'),
      'hi',
      'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi',
    ],
    [
      'bytes',
      headOf(),
      Buffer.from('\0\xff', 'latin1'),
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\0\xff',
    ],
    [
      'text beyond ASCII, counted in bytes',
      headOf(),
      'äö€😀',
      `HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n${Buffer.from('äö€😀').toString('latin1')}`,
    ],
    ['nothing', headOf(), undefined, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['an empty text', headOf(404), '', 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'],
    [
      'own headers',
      headOf(200, { 'X-A': 'b', 'Set-Cookie': ['c', 'd'] }, 'a/b'),
      'x',
      'HTTP/1.1 200 OK\r\nX-A: b\r\nSet-Cookie: c\r\nSet-Cookie: d\r\nContent-Type: a/b\r\nContent-Length: 1\r\n\r\nx',
    ],
    [
      'an own Content-Type',
      headOf(200, { 'content-type': 'c/d' }, 'a/b'),
      'x',
      'HTTP/1.1 200 OK\r\ncontent-type: c/d\r\nContent-Length: 1\r\n\r\nx',
    ],
    [
      'an own Content-Length',
      headOf(200, { 'Content-Length': '1' }),
      'x',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
    ],
    [
      'an own reason',
      { ...headOf(), reason: 'Fine' },
      'x',
      'HTTP/1.1 200 Fine\r\nContent-Length: 1\r\n\r\nx',
    ],
    [
      '204 has no body and no length',
      headOf(204, undefined, 'a/b'),
      'x',
      'HTTP/1.1 204 No Content\r\nContent-Type: a/b\r\n\r\n',
    ],
    [
      '204 with own headers',
      headOf(204, { 'Content-Length': '5' }),
      undefined,
      'HTTP/1.1 204 No Content\r\n\r\n',
    ],
    ['304 has no body', headOf(304), undefined, 'HTTP/1.1 304 Not Modified\r\n\r\n'],
    [
      '304 may have the length of the 200',
      headOf(304, { 'Content-Length': '5', ETag: '"e"' }),
      undefined,
      'HTTP/1.1 304 Not Modified\r\nETag: "e"\r\nContent-Length: 5\r\n\r\n',
    ],
    [
      'HEAD has the head of GET',
      headOf(200, undefined, 'a/b'),
      'hello',
      'HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\n',
      HEAD,
    ],
    [
      'HEAD with own headers',
      headOf(200, { X: 'y' }),
      'hello',
      'HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\n',
      HEAD,
    ],
    [
      'HEAD with a declared length',
      headOf(200, { 'Content-Length': '7' }),
      undefined,
      'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n',
      HEAD,
    ],
    [
      'HEAD of a large body',
      headOf(),
      Buffer.alloc(1_000_000),
      'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n',
      HEAD,
    ],
    ['1.0', headOf(), 'x', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx', OLD],
  ];
  for (const [name, head, body, answer, request = GET] of cases) {
    test(name, async () =>
      assert.equal(await answerTo(request, (exchange) => exchange.respond(head, body)), answer),
    );
  }

  test('Date and Server are added, unless the sender set them or took them away', async () => {
    const dateOf = async (head: ResponseHead): Promise<string> => {
      await using running = await NetServer.start((exchange) => exchange.respond(head, ''), {
        serverHeader: 'engine/1',
      });
      const client = await running.connect();
      await client.send(GET);
      client.end();
      await client.closed;
      return client.received;
    };
    assert.match(
      await dateOf(headOf()),
      /\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\nServer: engine\/1\r\n/,
    );
    const own = await dateOf(headOf(200, { Date: 'mine', Server: 'also mine' }));
    assert.equal(own.match(/\r\nDate: mine\r\nServer: also mine\r\n/)?.length, 1);
    assert.equal(own.match(/Date:|Server:/g)?.length, 2);
    const none = await dateOf({ ...headOf(200, { X: 'y' }), defaultsSet: true });
    assert.equal(none.match(/Date:|Server:/g), null);
  });

  test('bytesSent counts the head too', async () => {
    const sent = deferred<number>();
    const received = await answerTo(GET, (exchange, owner) => {
      void owner.done.then(() => sent.resolve(exchange.bytesSent));
      exchange.respond(headOf(), Buffer.alloc(300_000));
    });
    assert.ok((await sent.promise) > 300_000);
    assert.match(received, /Content-Length: 300000/);
  });
});

describe('start, write, end', () => {
  const stream =
    (length: number | undefined, head = headOf(), trailers?: CIMultiDict): Reply =>
    (exchange) => {
      exchange.start(head, length);
      exchange.write('hel');
      exchange.write(new Uint8Array(0));
      exchange.write(Buffer.from('lo'));
      exchange.end(trailers);
    };
  const cases: [name: string, request: string, reply: Reply, answer: string][] = [
    ['of known length', GET, stream(5), 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
    [
      'of unknown length',
      GET,
      stream(undefined),
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n',
    ],
    ['of unknown length to 1.0: until close', OLD, stream(undefined), 'HTTP/1.1 200 OK\r\n\r\nhello'],
    [
      'of unknown length to 1.0 with keep-alive: until close all the same',
      'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
      stream(undefined),
      'HTTP/1.1 200 OK\r\n\r\nhello',
    ],
    [
      'of declared length',
      GET,
      stream(undefined, headOf(200, { 'Content-Length': '5' })),
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    ],
    [
      'chunked on demand',
      GET,
      stream(5, headOf(200, { 'Transfer-Encoding': 'chunked' })),
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n',
    ],
    [
      'with trailers',
      GET,
      stream(undefined, headOf(), new CIMultiDict({ 'X-Sum': '1' })),
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n',
    ],
    [
      'HEAD: the head alone',
      HEAD,
      stream(undefined),
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
    ['HEAD of known length', HEAD, stream(5), 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'],
    ['204: nothing', GET, stream(undefined, headOf(204)), 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['304: nothing', GET, stream(undefined, headOf(304)), 'HTTP/1.1 304 Not Modified\r\n\r\n'],
  ];
  for (const [name, request, reply, answer] of cases) {
    test(name, async () => assert.equal(await answerTo(request, reply), answer));
  }

  test('aiohttp weakness 1: HEAD on a handler that writes does not desynchronise the connection', async () => {
    await using running = await NetServer.start((exchange) => {
      exchange.start(headOf(), undefined);
      exchange.write(`body of ${exchange.head.target}`);
      exchange.end();
    });
    const client = await running.connect();
    await client.send(
      'HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    await client.until('body of /3');
    assert.equal(client.take().match(/body/g)?.length, 1);
  });

  test('the head leaves before the first piece, and each piece when it is written', async () => {
    const go = deferred();
    await using running = await NetServer.start(async (exchange) => {
      exchange.start(headOf(), undefined);
      await go.promise;
      exchange.write('piece');
      await new Promise(setImmediate);
      exchange.end();
    });
    const client = await running.connect();
    await client.send(GET);
    await client.until('\r\n\r\n');
    go.resolve();
    await client.until('piece\r\n');
    await client.until('0\r\n\r\n');
  });
});

describe('what a handler gets wrong', () => {
  const throws = async (use: (exchange: Exchange) => void): Promise<{ error: unknown; received: string }> => {
    const thrown = deferred<unknown>();
    await using running = await NetServer.start((exchange) => {
      try {
        use(exchange);
        thrown.resolve(undefined);
      } catch (error) {
        thrown.resolve(error);
      }
    });
    const client = await running.connect();
    await client.send(GET + GET);
    const error = await thrown.promise;
    if (error === undefined) return { error, received: '' };
    if ((error as { code?: string }).code !== 'AIO_BAD_HEAD') await client.closed;
    return { error, received: client.take() };
  };

  test('more bytes than Content-Length: an error, and the connection is cut', async () => {
    const { error, received } = await throws((exchange) => {
      exchange.start(headOf(), 5);
      exchange.write('hel');
      exchange.write('lo!');
    });
    assert.equal(
      (error as Error).message,
      'Content-Length is 5, but 6 bytes were written: the connection was cut',
    );
    assert.equal((error as { code?: string }).code, 'AIO_RESPONSE_STATE');
    assert.ok(!received.includes('lo!'));
  });

  test('aiohttp weakness 2: fewer bytes than Content-Length: an error, and the client sees the truncation', async () => {
    const { error, received } = await throws((exchange) => {
      exchange.start(headOf(), 5);
      exchange.write('hel');
      exchange.end();
    });
    assert.equal(
      (error as Error).message,
      'Content-Length is 5, but only 3 bytes were written: the connection was cut',
    );
    assert.ok(received === '' || received.endsWith('hel'), received);
  });

  test('aiohttp weakness 3: a second head is never written', async () => {
    await using running = await NetServer.start((exchange) => {
      exchange.start(headOf(), undefined);
      exchange.write('first');
      assert.throws(() => exchange.respond(headOf(500), 'second'), { code: 'AIO_RESPONSE_STATE' });
      assert.throws(() => exchange.start(headOf(500), 3), { code: 'AIO_RESPONSE_STATE' });
      assert.throws(() => exchange.upgrade(headOf(101)), { code: 'AIO_RESPONSE_STATE' });
      exchange.end();
    });
    const received = await running.exchange(GET);
    assert.equal(received, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n');
  });

  test('write and end in the wrong order', async () => {
    await using running = await NetServer.start((exchange) => {
      assert.throws(() => exchange.write('x'), {
        code: 'AIO_RESPONSE_STATE',
        message: 'write() comes before the head of the answer',
      });
      assert.throws(() => exchange.end(), {
        code: 'AIO_RESPONSE_STATE',
        message: 'end() comes before the head of the answer',
      });
      exchange.keepAlive = false;
      exchange.respond(headOf(), 'x');
      assert.throws(() => exchange.write('x'), {
        code: 'AIO_RESPONSE_STATE',
        message: 'write() comes after the end of the answer',
      });
      assert.throws(() => exchange.end(), {
        code: 'AIO_RESPONSE_STATE',
        message: 'end() comes after the end of the answer',
      });
      assert.throws(() => exchange.respond(headOf(), 'x'), { code: 'AIO_RESPONSE_STATE' });
    });
    assert.match(await running.exchange(GET), /\r\n\r\nx$/);
  });

  const badHeads: [name: string, head: ResponseHead, length?: number][] = [
    ['CRLF in a value', headOf(200, { X: 'a\r\nY: b' })],
    ['a name that is no token', headOf(200, { 'X Y': 'a' })],
    ['CRLF in the content type', headOf(200, undefined, 'a/b\r\nY: b')],
    ['CRLF in the reason', { ...headOf(), reason: 'OK\r\nY: b' }],
    ['a status that is none', headOf(42)],
    ['a length that is none', headOf(200, { 'Content-Length': '1e3' })],
    ['an unknown coding', headOf(200, { 'Transfer-Encoding': 'gzip' })],
  ];
  for (const [name, head] of badHeads) {
    test(`${name}: nothing is sent, and another answer can be`, async () => {
      await using running = await NetServer.start((exchange) => {
        assert.throws(() => exchange.respond(head, 'x'), { code: 'AIO_BAD_HEAD' });
        assert.throws(() => exchange.start(head, undefined), { code: 'AIO_BAD_HEAD' });
        assert.equal(exchange.started, false);
        echo(exchange);
      });
      assert.equal(
        await running.exchange(GET).then((text) => text.replace('Connection: close\r\n', '')),
        'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nGET /',
      );
    });
  }

  test('a Content-Length that is not the body’s, or together with chunked', async () => {
    await using running = await NetServer.start((exchange) => {
      assert.throws(() => exchange.respond(headOf(200, { 'Content-Length': '5' }), 'hell'), {
        code: 'AIO_RESPONSE_STATE',
        message: 'Content-Length is set to 5, but the body has 4 bytes',
      });
      assert.throws(
        () =>
          exchange.start(headOf(200, { 'Content-Length': '5', 'Transfer-Encoding': 'chunked' }), undefined),
        {
          code: 'AIO_RESPONSE_STATE',
        },
      );
      echo(exchange);
    });
    assert.match(await running.exchange(GET), /GET \/$/);
  });

  test('forbidden trailers', async () => {
    await using running = await NetServer.start((exchange) => {
      exchange.start(headOf(), undefined);
      assert.throws(() => exchange.end(new CIMultiDict({ 'Content-Length': '5' })), { code: 'AIO_BAD_HEAD' });
      assert.throws(() => exchange.end(new CIMultiDict({ X: '\r\n' })), { code: 'AIO_BAD_HEAD' });
      exchange.end();
    });
    assert.match(await running.exchange(GET), /\r\n\r\n0\r\n\r\n$/);
  });
});

describe('abort: the client can see that the answer is not complete', () => {
  test('of known length: the connection ends too early', async () => {
    const client = await abortAfter(GET, 10);
    assert.match(client, /Content-Length: 10\r\n\r\npart$/);
  });

  test('chunked: the last chunk is missing', async () => {
    const client = await abortAfter(GET, undefined);
    assert.match(client, /\r\n\r\n4\r\npart\r\n$/);
  });

  test('until close: the connection is reset', async () => {
    const seen = deferred();
    await using running = await NetServer.start(async (exchange) => {
      exchange.start(headOf(), undefined);
      exchange.write('part');
      await seen.promise; // libuv tells of data and a reset together as of data and an end
      exchange.abort();
    });
    const client = await running.connect();
    await client.send(OLD);
    await client.until('part');
    seen.resolve();
    assert.equal(await client.closed, 'reset');
  });

  test('before the head: the connection ends', async () => {
    await using running = await NetServer.start((exchange) => exchange.abort());
    const client = await running.connect();
    await client.send(GET + GET);
    await client.closed;
    assert.equal(client.received, '');
    assert.equal(running.server.requestsCount, 1);
  });

  async function abortAfter(request: string, length: number | undefined): Promise<string> {
    const seen = deferred();
    await using running = await NetServer.start(async (exchange) => {
      exchange.start(headOf(), length);
      exchange.write('part');
      await seen.promise;
      exchange.abort();
      assert.throws(() => exchange.write('more'), { code: 'AIO_CLIENT_DISCONNECTED' });
    });
    const client = await running.connect();
    await client.send(request);
    await client.until('part');
    seen.resolve();
    return client.all();
  }
});

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

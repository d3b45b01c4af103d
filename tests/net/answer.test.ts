import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CIMultiDict } from '../../src/message/index.ts';
import type { ResponseHead } from '../../src/net/index.ts';
import { deferred, headOf, NetServer, type Reply } from './net-server.ts';

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

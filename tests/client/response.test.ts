import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import * as zlib from 'node:zlib';
import {
  ClientConnectionError,
  ClientPayloadError,
  ClientResponseError,
  ClientSession,
  ContentTypeError,
} from '../../src/client/index.ts';
import { ok, RawServer } from './raw-server.ts';

const bytesOf = (head: string, body: Buffer): Buffer => Buffer.concat([Buffer.from(head, 'latin1'), body]);

/** A response with these bytes in a coding, whole or cut in two. */
function coded(coding: string, body: Buffer): Buffer {
  return bytesOf(
    `HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${body.length}\r\n\r\n`,
    body,
  );
}

describe('ClientResponse', () => {
  test('read() of a body that came with the head and cannot be decoded threw instead of rejecting', async () => {
    await using server = await RawServer.start(() => coded('gzip', Buffer.from('no gzip')));
    await using session = new ClientSession();
    const response = await session.get(server.url);
    const reading = response.read();
    await assert.rejects(reading, ClientPayloadError);
    await assert.rejects(response.read(), ClientPayloadError);
  });

  test('a body of another type than JSON was lost', async () => {
    await using server = await RawServer.start(({ head, socket }) => {
      if (head.startsWith('GET /whole')) return ok('<b>why</b>', 'Content-Type: text/html\r\n');
      socket.write(
        'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n<b>\r\n',
      );
      setImmediate(() => socket.write('7\r\nwhy</b>\r\n0\r\n\r\n'));
      return undefined;
    });
    await using session = new ClientSession();
    for (const path of ['/whole', '/chunked']) {
      const response = await session.get(server.url + path);
      await assert.rejects(response.json(), ContentTypeError);
      assert.equal(await response.text(), '<b>why</b>');
    }
    assert.equal(session.stats().idle, 1);
  });

  for (const type of ['model/gltf+json', 'application/problem+json', 'image/svg+JSON; charset=utf-8']) {
    test(`${type} was not taken for JSON`, async () => {
      await using server = await RawServer.start(() => ok('{"a":1}', `Content-Type: ${type}\r\n`));
      await using session = new ClientSession();
      assert.deepEqual(await (await session.get(server.url)).json(), { a: 1 });
    });
  }

  test('console.log and JSON of a response, its request and its session showed credentials', async () => {
    await using server = await RawServer.start(() => ok('', 'Set-Cookie: sid=secret\r\n', '404 Not Found'));
    await using session = new ClientSession({
      headers: { Authorization: 'Bearer secret' },
      proxy: `http://me:secret@127.0.0.1:${server.port}`,
    });
    const response = await session.get('http://a.test/secret?secret=1', { cookies: { a: 'secret' } });
    for (const value of [response, response.request, session]) {
      const shown = inspect(value, { depth: 10 }) + JSON.stringify(value);
      assert.ok(!shown.includes('secret'), shown);
    }
    assert.equal(inspect(response), '<ClientResponse [404 Not Found] GET http://a.test>');
    assert.equal(inspect(session), '<ClientSession>');
    assert.throws(
      () => response.raiseForStatus(),
      (error: ClientResponseError) => {
        assert.equal(error.headers?.get('set-cookie'), 'sid=secret');
        // The URL belongs to the message, as in aiohttp.
        const shown = (inspect(error, { depth: 10 }) + JSON.stringify(error)).replaceAll(error.message, '');
        assert.ok(!shown.includes('secret'), shown);
        return true;
      },
    );
  });

  test('what its head says', async () => {
    await using server = await RawServer.start(() =>
      ok('é', 'Content-Type: Text/HTML; Charset="ISO-8859-1"\r\nX-A: 1\r\nx-a: 2\r\n', '201 Made it'),
    );
    await using session = new ClientSession();
    const response = await session.get(server.url);
    assert.deepEqual(
      [response.status, response.reason, response.version.minor, response.contentType, response.charset],
      [201, 'Made it', 1, 'text/html', 'iso-8859-1'],
    );
    assert.equal(response.headers.get('X-A'), '1, 2');
    assert.equal(response.header('x-a'), '1, 2');
    assert.equal(response.contentLength, 1);
    assert.equal(await response.text(), 'é');
    assert.equal(response.method, 'GET');
    assert.deepEqual(response.rawHeaders.slice(2, 6), ['X-A', '1', 'x-a', '2']);
  });

  test('text: charset, fallback, strictness', async () => {
    const answers = [
      ok('\xc3\xa9'),
      ok('\xe9', 'Content-Type: text/plain; charset=nonsense\r\n'),
      ok('\xe9'),
      ok('\xe9'),
      ok('\xe9'),
    ];
    await using server = await RawServer.start(({ number }) => answers[number - 1]);
    await using session = new ClientSession();
    assert.equal(await (await session.get(server.url)).text(), 'é');
    await using latin = new ClientSession({
      fallbackCharsetResolver: (_response, body) => (body[0] === 0xe9 ? 'latin1' : 'utf-8'),
    });
    assert.equal(await (await latin.get(server.url)).text(), 'é');
    await assert.rejects((await session.get(server.url)).text(), { code: 'AIO_UNDECODABLE_TEXT' });
    assert.equal(await (await session.get(server.url)).text({ errors: 'replace' }), '\ufffd');
    assert.equal(await (await session.get(server.url)).text({ encoding: 'latin1' }), 'é');
  });

  test('json checks the content type', async () => {
    const type = (value: string, body = '{"a":1}'): string => ok(body, `Content-Type: ${value}\r\n`);
    const answers = [
      type('application/json'),
      type('application/problem+json; charset=utf-8'),
      type('text/html'),
      type('text/html'),
      type('application/json', ''),
      type('application/json', '{'),
      type('text/x-mine'),
    ];
    await using server = await RawServer.start(({ number }) => answers[number - 1]);
    await using session = new ClientSession();
    const get = () => session.get(server.url);
    assert.deepEqual(await (await get()).json(), { a: 1 });
    assert.deepEqual(await (await get()).json<{ a: number }>(), { a: 1 });
    await assert.rejects((await get()).json(), (error: unknown) => {
      assert.ok(error instanceof ContentTypeError);
      assert.equal(
        error.message,
        `200, message='Attempt to decode JSON with unexpected mimetype: text/html', url='${server.url}/'`,
      );
      return true;
    });
    assert.deepEqual(await (await get()).json({ contentType: undefined }), { a: 1 });
    assert.equal(await (await get()).json(), undefined);
    await assert.rejects((await get()).json(), SyntaxError);
    assert.equal(await (await get()).json({ contentType: 'text/x-mine', loads: () => 'loaded' }), 'loaded');
  });

  test('read is kept, and a released response gives nothing', async () => {
    await using server = await RawServer.start(() => ok('body'));
    await using session = new ClientSession();
    const response = await session.get(server.url);
    assert.equal(await response.read(), await response.read());
    const released = await session.get(server.url);
    released.release();
    await assert.rejects(released.read(), { name: 'ClientConnectionError', message: 'Connection closed' });
    await assert.rejects(released.content.read(), ClientConnectionError);
  });

  test('await using gives an unread connection up and keeps a finished one', async () => {
    await using server = await RawServer.start(({ number }) =>
      number === 1 ? ok('whole') : 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf',
    );
    await using session = new ClientSession();
    {
      await using response = await session.get(server.url);
      assert.ok(response.ok);
    }
    assert.equal(session.stats().idle, 1);
    {
      await using response = await session.get(server.url);
      assert.equal(response.closed, false);
    }
    assert.deepEqual([session.stats().idle, session.stats().busy], [0, 0]);
  });

  test('statuses without a body leave the connection usable', async () => {
    await using server = await RawServer.start(({ number }) =>
      number === 1
        ? 'HTTP/1.1 204 No Content\r\n\r\n'
        : number === 2
          ? 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'
          : ok('x'),
    );
    await using session = new ClientSession();
    for (const status of [204, 304, 200]) {
      const response = await session.get(server.url);
      assert.equal(response.status, status);
      assert.equal((await response.read()).length, status === 200 ? 1 : 0);
    }
    assert.equal(server.connections, 1);
  });

  test('informational answers are passed over', async () => {
    await using server = await RawServer.start(
      () => `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok('final')}`,
    );
    await using session = new ClientSession();
    assert.equal(await (await session.get(server.url)).text(), 'final');
  });

  test('a body until the end of the connection, and none with readUntilEof: false', async () => {
    await using server = await RawServer.start(
      ({ socket }) => void socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end'),
    );
    await using session = new ClientSession();
    assert.equal(await (await session.get(server.url)).text(), 'until the end');
    assert.equal(await (await session.get(server.url, { readUntilEof: false })).text(), '');
  });

  const broken: readonly (readonly [string, string, RegExp])[] = [
    [
      'a short body',
      'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc',
      /^Response payload is not completed: .*received 3 of 10 bytes/,
    ],
    [
      'a cut chunk',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab',
      /Not enough data to satisfy transfer length/,
    ],
    ['a bad chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n', /not completed/],
  ];
  for (const [what, answer, message] of broken) {
    test(`${what} is a ClientPayloadError`, async () => {
      await using server = await RawServer.start(({ socket }) => void socket.end(answer));
      await using session = new ClientSession();
      const response = await session.get(server.url);
      await assert.rejects(response.read(), (error: unknown) => {
        assert.ok(error instanceof ClientPayloadError, String(error));
        assert.match(error.message, message);
        return true;
      });
      assert.equal(session.stats().busy, 0);
    });
  }

  for (const answer of [
    'nonsense\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: \0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n',
  ]) {
    test(`${JSON.stringify(answer)} is a ClientResponseError`, async () => {
      await using server = await RawServer.start(() => answer);
      await using session = new ClientSession();
      await assert.rejects(session.get(server.url), (error: unknown) => {
        assert.ok(error instanceof ClientResponseError, String(error));
        assert.equal(error.status, 400);
        return true;
      });
    });
  }

  test('101 that nobody asked for is refused; one that was asked for hands the socket over', async () => {
    await using server = await RawServer.start(
      () => 'HTTP/1.1 101 Switch\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nmore',
    );
    await using session = new ClientSession();
    await assert.rejects(session.get(server.url), { status: 101 });
    const response = await session.get(server.url, { headers: { Connection: 'upgrade', Upgrade: 'x' } });
    const { socket, buffered } = response.upgrade();
    assert.equal(Buffer.from(buffered).toString(), 'more');
    socket.destroy();
    await once(socket, 'close');
    assert.throws(() => response.upgrade(), { code: 'AIO_NOT_UPGRADED' });
    assert.equal(session.stats().busy, 0);
  });

  test('trailers', async () => {
    await using server = await RawServer.start(
      () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 7\r\n\r\n',
    );
    await using session = new ClientSession();
    const response = await session.get(server.url);
    await response.read();
    assert.equal(response.trailers?.get('x-sum'), '7');
  });

  test('content can be read in every way', async () => {
    const body = 'line one\nline two\nend';
    await using server = await RawServer.start(() => ok(body));
    await using session = new ClientSession();
    const lines: string[] = [];
    for await (const line of (await session.get(server.url)).content.iterLines())
      lines.push(Buffer.from(line).toString());
    assert.deepEqual(lines, ['line one\n', 'line two\n', 'end']);
    const { content } = await session.get(server.url);
    assert.equal(Buffer.from((await content.read(4))!).toString(), 'line');
    assert.equal(Buffer.from(await content.read()).toString(), body.slice(4));
    const sizes: number[] = [];
    for await (const piece of (await session.get(server.url)).content.iterChunked(8))
      sizes.push(piece.length);
    assert.deepEqual(sizes, [8, 8, 5]);
    assert.equal(await new Response((await session.get(server.url)).content.toWeb() as never).text(), body);
  });

  test('maxBodySize bounds what is gathered', async () => {
    await using server = await RawServer.start(({ number, socket }) => {
      if (number === 1) return ok('x'.repeat(100));
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      setTimeout(() => socket.write(`64\r\n${'x'.repeat(100)}\r\n0\r\n\r\n`), 5);
      return undefined;
    });
    await using session = new ClientSession({ maxBodySize: 99 });
    for (let i = 0; i < 2; i++) {
      const response = await session.get(server.url);
      await assert.rejects(async () => await response.read(), ClientPayloadError);
    }
    const response = await session.get(server.url, { maxBodySize: 100 });
    assert.equal((await response.read()).length, 100);
  });
});

describe('decompression', () => {
  const text = 'compress me '.repeat(20_000);
  const plain = Buffer.from(text);
  const codings: [string, Buffer][] = [
    ['gzip', zlib.gzipSync(plain)],
    ['x-gzip', zlib.gzipSync(plain)],
    ['deflate', zlib.deflateSync(plain)],
    ['deflate', zlib.deflateRawSync(plain)],
    ['br', zlib.brotliCompressSync(plain)],
    ['gzip, br', zlib.brotliCompressSync(zlib.gzipSync(plain))],
    ['identity', plain],
    ['gzip', Buffer.concat([zlib.gzipSync(plain.subarray(0, 100)), zlib.gzipSync(plain.subarray(100))])],
  ];
  if ('zstdCompressSync' in zlib) codings.push(['zstd', zlib.zstdCompressSync(plain)]);
  for (const [index, [coding, body]] of codings.entries()) {
    test(`${coding} (${index}), whole and in pieces`, async () => {
      await using server = await RawServer.start(async ({ number, socket }) => {
        const answer = coded(coding, body);
        if (number === 1) return answer;
        const cut = answer.length - Math.floor(body.length / 2);
        socket.write(answer.subarray(0, cut));
        await new Promise((resolve) => setTimeout(resolve, 5));
        return answer.subarray(cut);
      });
      await using session = new ClientSession();
      for (let i = 0; i < 2; i++) {
        const response = await session.get(server.url);
        assert.equal(await response.text(), text);
        assert.equal(response.header('content-encoding'), coding);
      }
      const raw = await session.get(server.url, { autoDecompress: false });
      assert.deepEqual(Buffer.from(await raw.read()), body);
      assert.equal(server.connections, 1);
    });
  }

  test('an unknown coding is left as it is, an empty body is empty', async () => {
    await using server = await RawServer.start(({ number }) =>
      number === 1 ? coded('mine', Buffer.from('abc')) : coded('gzip', Buffer.alloc(0)),
    );
    await using session = new ClientSession();
    assert.equal(await (await session.get(server.url)).text(), 'abc');
    assert.equal(await (await session.get(server.url)).text(), '');
  });

  for (const [coding, body] of [
    ['gzip', Buffer.from('this is no gzip')],
    ['gzip', zlib.gzipSync(plain).subarray(0, 50)],
    ['br', Buffer.from('\xff\xff\xff\xff', 'latin1')],
    ['deflate', Buffer.from('\xff\xff\xff', 'latin1')],
  ] as const) {
    test(`${coding} that is broken (${body.length} bytes)`, async () => {
      await using server = await RawServer.start(() => coded(coding, body));
      await using session = new ClientSession();
      const response = await session.get(server.url);
      await assert.rejects(
        async () => await response.text(),
        (error: unknown) => {
          assert.ok(error instanceof ClientPayloadError);
          assert.equal(error.message, `400, message: Can not decode content-encoding: ${coding}`);
          return true;
        },
      );
      await assert.rejects((await session.get(server.url)).content.read(), ClientPayloadError);
    });
  }

  test('a bomb is not gathered, and is read in bounded pieces', async () => {
    const bomb = zlib.gzipSync(zlib.gzipSync(Buffer.alloc(100_000_000)));
    assert.ok(bomb.length < 10_000, String(bomb.length));
    await using server = await RawServer.start(() => coded('gzip, gzip', bomb));
    await using session = new ClientSession();
    await assert.rejects((await session.get(server.url)).read(), ClientPayloadError);
    const { content } = await session.get(server.url);
    let size = 0;
    for await (const piece of content.iterAny()) {
      assert.ok(piece.length <= 1_000_000, `${piece.length} at once`);
      size += piece.length;
    }
    assert.equal(size, 100_000_000);
  });
});

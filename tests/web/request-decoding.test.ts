import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import * as zlib from 'node:zlib';
import { web } from '../../src/index.ts';
import { TestServer } from '../../src/testing/index.ts';
import { split } from './answer.ts';
import { rawRequest } from './raw-request.ts';

const HAS_ZSTD = 'createZstdCompress' in zlib;
const TEXT = 'the body of a request, äöü. '.repeat(40);

const ENCODERS: Readonly<Record<string, (bytes: Uint8Array) => Buffer>> = {
  gzip: (bytes) => zlib.gzipSync(bytes),
  'x-gzip': (bytes) => zlib.gzipSync(bytes),
  deflate: (bytes) => zlib.deflateSync(bytes),
  br: (bytes) => zlib.brotliCompressSync(bytes),
  ...(HAS_ZSTD ? { zstd: (bytes: Uint8Array) => zlib.zstdCompressSync(bytes) } : {}),
};

function app(
  handler: web.Handler,
  options?: web.DecompressionOptions,
  rest: web.ApplicationOptions = {},
): web.Application {
  const made = new web.Application({ middlewares: [web.decompressionMiddleware(options)], ...rest });
  made.router.addPost('/', handler);
  return made;
}

const echo: web.Handler = async (request) => new web.Response({ text: await request.text() });

async function post(
  target: web.Application,
  coding: string,
  body: Uint8Array | readonly Uint8Array[],
  extra = '',
): Promise<{ status: number; lines: string[]; body: string }> {
  await using server = await new TestServer(target).start();
  const pieces = body instanceof Uint8Array ? [body] : body;
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const field = coding === '' ? '' : `Content-Encoding: ${coding}\r\n`;
  const head = `POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${field}${extra}Content-Length: ${size}\r\n\r\n`;
  const answer = split(
    await rawRequest(server.port, [head, ...pieces.map((piece) => Buffer.from(piece).toString('latin1'))]),
  );
  return {
    ...answer,
    status: Number(answer.lines[0]!.split(' ')[1]),
    body: Buffer.from(answer.body, 'latin1').toString(),
  };
}

describe('bodies with Content-Encoding', () => {
  for (const [coding, encode] of Object.entries(ENCODERS)) {
    test(`${coding} is decoded`, async () => {
      assert.equal((await post(app(echo), coding, encode(Buffer.from(TEXT)))).body, TEXT);
      assert.equal((await post(app(echo), coding.toUpperCase(), encode(Buffer.from(TEXT)))).body, TEXT);
    });

    test(`${coding} that comes byte by byte`, async () => {
      const bytes = encode(Buffer.from('short, but byte by byte'));
      const pieces = [...bytes].map((byte) => Uint8Array.of(byte));
      const { status, body } = await post(app(echo), coding, pieces);
      assert.deepEqual([status, body], [200, 'short, but byte by byte']);
    });

    test(`${coding} that is broken or cut is 400`, async () => {
      const bytes = encode(Buffer.from(TEXT));
      assert.equal((await post(app(echo), coding, Buffer.from('no such thing'))).status, 400);
      // Node 22 does not tell that a zstd frame is not complete.
      if (coding !== 'zstd' || Number.parseInt(process.versions.node, 10) >= 24)
        assert.equal((await post(app(echo), coding, bytes.subarray(0, -9))).status, 400);
      const half = Math.floor(bytes.length / 2);
      assert.equal((await post(app(echo), coding, [bytes.subarray(0, half), Buffer.alloc(40)])).status, 400);
    });

    test(`${coding} is decoded into request.content`, async () => {
      const large = Buffer.from(TEXT.repeat(100));
      const streamed = app(async (request) => {
        let size = 0;
        for await (const piece of request.content) size += piece.length;
        return new web.Response({ text: String(size) });
      });
      assert.equal((await post(streamed, coding, encode(large))).body, String(large.length));
    });
  }

  test('raw DEFLATE is taken for deflate', async () => {
    assert.equal((await post(app(echo), 'deflate', zlib.deflateRawSync(TEXT))).body, TEXT);
  });

  test('several members of gzip are one body', async () => {
    const bytes = Buffer.concat([zlib.gzipSync('one '), zlib.gzipSync('two')]);
    assert.equal((await post(app(echo), 'gzip', bytes)).body, 'one two');
  });

  test('two codings are undone from the last to the first', async () => {
    const bytes = zlib.brotliCompressSync(zlib.gzipSync(TEXT));
    assert.equal((await post(app(echo), 'gzip, br', bytes)).body, TEXT);
  });

  test('identity, an empty field and none leave the body alone', async () => {
    for (const coding of ['identity', '', ' ,']) {
      assert.equal((await post(app(echo), coding, Buffer.from('plain'))).body, 'plain');
    }
  });

  test('an empty body is empty', async () => {
    assert.deepEqual((await post(app(echo), 'gzip', new Uint8Array(0))).body, '');
  });

  test('JSON and its errors', async () => {
    const json = app(async (request) => web.jsonResponse(await request.json()));
    assert.equal((await post(json, 'gzip', zlib.gzipSync('{"a":1}'))).body, '{"a":1}');
    assert.equal((await post(json, 'gzip', zlib.gzipSync('{"a"'))).status, 400);
  });

  test('without the middleware the bytes come as they are', async () => {
    const plain = new web.Application();
    plain.router.addPost(
      '/',
      async (request) => new web.Response({ text: String((await request.read()).length) }),
    );
    const bytes = zlib.gzipSync(TEXT);
    assert.equal((await post(plain, 'gzip', bytes)).body, String(bytes.length));
  });

  test('a clone reads the decoded body as well', async () => {
    const cloning: web.Middleware = (request, handler) => handler(request.clone({ scheme: 'https' }));
    const target = app(echo, {}, { middlewares: [web.decompressionMiddleware(), cloning] });
    assert.equal((await post(target, 'gzip', zlib.gzipSync(TEXT))).body, TEXT);
  });
});

describe('what is refused', () => {
  const unknown = ['compress', 'gzip, exi', 'aes128gcm', 'gzip, gzip, gzip'];
  for (const coding of unknown) {
    test(`${coding} is 415 with the codings that are known`, async () => {
      const { status, lines } = await post(app(echo), coding, Buffer.from('x'));
      assert.equal(status, 415);
      const codings = HAS_ZSTD ? 'zstd, br, gzip, deflate' : 'br, gzip, deflate';
      assert.ok(lines.includes(`Accept-Encoding: ${codings}`), lines.join('\n'));
    });
  }

  test('codings can be limited', async () => {
    const { status, lines } = await post(
      app(echo, { codings: ['gzip'] }),
      'br',
      zlib.brotliCompressSync('x'),
    );
    assert.equal(status, 415);
    assert.ok(lines.includes('Accept-Encoding: gzip'));
  });

  test('wrong options', () => {
    assert.throws(() => web.decompressionMiddleware({ maxRatio: 0 }), { code: 'AIO_COMPRESSION' });
    assert.throws(() => web.decompressionMiddleware({ codings: ['lzw' as 'gzip'] }), {
      code: 'AIO_CONTENT_CODING',
    });
  });
});

describe('bombs', () => {
  test('clientMaxSize counts decoded bytes', async () => {
    const exactly = zlib.gzipSync(Buffer.alloc(10_000, 'a'));
    const limited = (): web.Application =>
      app(echo, {}, { middlewares: [web.decompressionMiddleware()], clientMaxSize: 10_000 });
    assert.equal((await post(limited(), 'gzip', exactly)).status, 200);
    const more = await post(limited(), 'gzip', zlib.gzipSync(Buffer.alloc(10_001, 'a')));
    assert.equal(more.status, 413);
    assert.match(more.body, /10000/);
  });

  for (const coding of ['gzip', 'br']) {
    test(`a ${coding} bomb is stopped while it comes, read whole or as a stream`, async () => {
      const zeros = Buffer.alloc(60_000_000);
      const bomb =
        coding === 'gzip'
          ? zlib.gzipSync(zeros)
          : zlib.brotliCompressSync(zeros, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } });
      assert.equal((await post(app(echo), coding, bomb)).status, 413);
      let most = 0;
      const streamed = app(async (request) => {
        for await (const piece of request.content) most += piece.length;
        return new web.Response();
      });
      const before = process.memoryUsage().rss;
      const { status, body } = await post(streamed, coding, bomb);
      assert.equal(status, 413, body);
      assert.ok(most <= 20_000_000, `${most} bytes came through`);
      assert.ok(process.memoryUsage().rss - before < 150_000_000);
    });
  }

  test('a bomb in a bomb', async () => {
    const inner = zlib.gzipSync(Buffer.alloc(50_000_000));
    const outer = zlib.gzipSync(inner);
    assert.equal((await post(app(echo), 'gzip, gzip', outer)).status, 413);
  });

  test('a ratio that is allowed', async () => {
    const body = zlib.gzipSync(Buffer.alloc(3_000_000));
    const target = app(
      async (request) => new web.Response({ text: String((await request.read()).length) }),
      { maxRatio: 2000 },
      { middlewares: [web.decompressionMiddleware({ maxRatio: 2000 })], clientMaxSize: 0 },
    );
    assert.equal((await post(target, 'gzip', body)).body, '3000000');
  });

  test('an endless row of empty members is stopped', async () => {
    const empty = zlib.gzipSync('');
    const members = Buffer.concat(Array.from({ length: 200_000 }, () => empty));
    const target = app(
      async (request) => new web.Response({ text: String((await request.read()).length) }),
      {},
      { middlewares: [web.decompressionMiddleware()], clientMaxSize: 0 },
    );
    assert.equal((await post(target, 'gzip', members)).status, 400);
  });
});

describe('the end of an exchange', () => {
  test('a body that nobody reads is not decoded', async () => {
    const target = app(() => new web.Response({ text: 'not read' }));
    assert.equal((await post(target, 'gzip', Buffer.from('not gzip at all'))).body, 'not read');
  });

  test('a body of which a part was read is let go', async () => {
    const target = app(async (request) => {
      const first = await request.content.readAny();
      return new web.Response({ text: String(first !== undefined) });
    });
    assert.equal((await post(target, 'gzip', zlib.gzipSync(Buffer.from(TEXT.repeat(5000))))).body, 'true');
  });

  test('reading behind the answer fails instead of waiting', async () => {
    let late: Promise<unknown> | undefined;
    const target = app((request) => {
      const { content } = request;
      request.onDone(() => {
        late = content.read().then(
          () => undefined,
          (error: unknown) => error,
        );
      });
      return new web.Response();
    });
    await post(target, 'gzip', zlib.gzipSync(TEXT));
    assert.equal(((await late) as { code?: string } | undefined)?.code, 'AIO_PAYLOAD_ACCESS');
  });

  test('a client that leaves in the middle ends the read', async () => {
    let reading!: () => void;
    const begun = new Promise<void>((resolve) => {
      reading = resolve;
    });
    let report!: (error: unknown) => void;
    const failure = new Promise<unknown>((resolve) => {
      report = resolve;
    });
    const target = app(async (request) => {
      reading();
      await request.read().catch((error: unknown) => {
        report(error);
        throw error;
      });
      return new web.Response();
    });
    await using server = await new TestServer(target).start();
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    const bytes = zlib.gzipSync(TEXT);
    socket.write(
      `POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: ${bytes.length}\r\n\r\n`,
    );
    socket.write(bytes.subarray(0, 20));
    await begun;
    socket.destroy();
    const error = (await failure) as Error & { status?: number };
    assert.ok(error instanceof Error);
    assert.notEqual(error.status, 500);
  });

  test('memory stays flat over many bodies', async () => {
    const target = app(async (request) => {
      if (request.query.has('part')) await request.content.readAny();
      else await request.read();
      return new web.Response();
    });
    await using server = await new TestServer(target).start();
    const bytes = zlib.gzipSync(Buffer.from(TEXT.repeat(800)), { level: 1 }).toString('latin1');
    const round = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const path = i % 2 === 0 ? '/' : '/?part';
        const head = `POST ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: ${bytes.length}\r\n\r\n`;
        const answer = await rawRequest(server.port, [head, bytes]);
        assert.match(answer, /^HTTP\/1\.1 200/);
      }
    };
    await round(60);
    const before = process.memoryUsage().rss;
    await round(250);
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown < 100_000_000, `${grown} bytes more`);
  });
});

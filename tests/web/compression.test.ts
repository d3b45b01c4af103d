import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { expectTypeOf } from 'expect-type';
import { web } from '../../src/index.ts';
import { TestServer } from '../../src/testing/index.ts';
import { rawRequest } from './raw-request.ts';

const HAS_ZSTD = 'createZstdCompress' in zlib;
const CODINGS = HAS_ZSTD ? ['zstd', 'br', 'gzip', 'deflate'] : ['br', 'gzip', 'deflate'];
const TEXT = 'compressible text, over and over. '.repeat(100);

function decode(coding: string, bytes: Uint8Array): string {
  if (coding === 'gzip') return zlib.gunzipSync(bytes).toString();
  if (coding === 'deflate') return zlib.inflateSync(bytes).toString();
  if (coding === 'br') return zlib.brotliDecompressSync(bytes).toString();
  if (coding === 'zstd') return zlib.zstdDecompressSync(bytes).toString();
  throw new Error(coding);
}

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly headers: Map<string, string>;
  readonly body: Buffer;
}

/** An answer as it is on the wire: nothing decodes it on the way. */
async function ask(app: web.Application, lines: string, path = '/', method = 'GET'): Promise<Answer> {
  await using server = await new TestServer(app).start();
  const text = await rawRequest(
    server.port,
    `${method} ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${lines}\r\n`,
  );
  return parse(text);
}

function parse(text: string): Answer {
  const end = text.indexOf('\r\n\r\n');
  const head = text.slice(0, end);
  const lines = head.split('\r\n');
  const headers = new Map(
    lines.slice(1).map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  let body: Buffer = Buffer.from(text.slice(end + 4), 'latin1');
  if (headers.get('transfer-encoding') === 'chunked' && body.length > 0) body = dechunked(body);
  return { status: Number(lines[0]!.split(' ')[1]), head, headers, body };
}

function dechunked(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (size === 0) return Buffer.concat(pieces);
    pieces.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}

function serving(handler: web.Handler, options?: web.CompressionOptions): web.Application {
  const app = new web.Application({ middlewares: [web.compressionMiddleware(options)] });
  app.addRoutes([web.get('/', handler)]);
  return app;
}

const text = (body = TEXT, options: web.ResponseOptions = {}) => new web.Response({ text: body, ...options });

describe('the coding that is chosen', () => {
  const cases: [string, string | undefined][] = [
    ['', undefined],
    ['Accept-Encoding: \r\n', undefined],
    ['Accept-Encoding: gzip\r\n', 'gzip'],
    ['Accept-Encoding: x-gzip\r\n', 'gzip'],
    ['Accept-Encoding: deflate\r\n', 'deflate'],
    ['Accept-Encoding: br\r\n', 'br'],
    ['Accept-Encoding: gzip, deflate, br\r\n', 'br'],
    ['Accept-Encoding: gzip, deflate, br, zstd\r\n', CODINGS[0]],
    ['Accept-Encoding: *\r\n', CODINGS[0]],
    ['Accept-Encoding: br;q=0.5, gzip;q=0.9\r\n', 'gzip'],
    ['Accept-Encoding: gzip;q=0\r\n', undefined],
    ['Accept-Encoding: gzip;q=0, deflate;q=0.1\r\n', 'deflate'],
    ['Accept-Encoding: identity\r\n', undefined],
    ['Accept-Encoding: identity;q=1, gzip;q=0.5\r\n', undefined],
    ['Accept-Encoding: *;q=0\r\n', undefined],
    ['Accept-Encoding: gzipped, xbr\r\n', undefined],
    ['Accept-Encoding: gzip\r\nAccept-Encoding: br\r\n', 'br'],
  ];
  for (const [field, coding] of cases) {
    test(`${JSON.stringify(field)} is answered with ${coding ?? 'the body as it is'}`, async () => {
      const { status, headers, body } = await ask(
        serving(() => text()),
        field,
      );
      assert.equal(status, 200);
      assert.equal(headers.get('content-encoding'), coding);
      assert.equal(headers.get('vary'), 'Accept-Encoding');
      assert.equal(headers.get('content-length'), String(body.length));
      assert.equal(coding === undefined ? body.toString() : decode(coding, body), TEXT);
    });
  }

  test('the order is that of the server among those the client likes equally', async () => {
    const app = serving(() => text(), { codings: ['gzip', 'br'] });
    const { headers } = await ask(app, 'Accept-Encoding: br, gzip, zstd\r\n');
    assert.equal(headers.get('content-encoding'), 'gzip');
  });
});

describe('what is left as it is', () => {
  const left: [string, () => web.StreamResponse][] = [
    ['a body below 1 KB', () => text('x'.repeat(1023))],
    ['no body', () => new web.Response()],
    ['an image', () => new web.Response({ body: Buffer.alloc(4096), contentType: 'image/png' })],
    ['a video', () => new web.Response({ body: Buffer.alloc(4096), contentType: 'video/mp4' })],
    ['a zip', () => new web.Response({ body: Buffer.alloc(4096), contentType: 'application/zip' })],
    [
      'a font that is compressed',
      () => new web.Response({ body: Buffer.alloc(4096), contentType: 'font/woff2' }),
    ],
    ['bytes of unknown kind', () => new web.Response({ body: Buffer.alloc(4096) })],
    ['what is coded already', () => text(TEXT, { headers: { 'Content-Encoding': 'x-own' } })],
    [
      'what must not be transformed',
      () => text(TEXT, { headers: { 'Cache-Control': 'public, No-Transform' } }),
    ],
    ['a part', () => text(TEXT, { status: 206, headers: { 'Content-Range': 'bytes 0-3399/9999' } })],
    ['what a digest was made of', () => text(TEXT, { headers: { 'Content-Digest': 'sha-256=:YQ==:' } })],
    ['204', () => new web.Response({ status: 204 })],
    ['304', () => new web.Response({ status: 304, headers: { ETag: '"a"' } })],
  ];
  for (const [name, make] of left) {
    test(name, async () => {
      const plain = new web.Application();
      plain.addRoutes([web.get('/', make)]);
      const expected = await ask(plain, 'Accept-Encoding: gzip\r\n');
      const { head, body, status } = await ask(serving(make), 'Accept-Encoding: gzip\r\n');
      // A part and a 304 stand for a whole answer that may be compressed, and say so.
      const vary = status === 206 || status === 304 ? 'Vary: Accept-Encoding\r\n' : '';
      assert.ok(head.includes(vary));
      assert.equal(head.replace(vary, '').replace(/Date:.*/, ''), expected.head.replace(/Date:.*/, ''));
      assert.deepEqual(body, expected.body);
    });
  }

  test('a response whose handler says identity', async () => {
    const app = serving(() => {
      const response = text();
      response.enableCompression('identity');
      return response;
    });
    const { headers } = await ask(app, 'Accept-Encoding: gzip\r\n');
    assert.equal(headers.has('content-encoding'), false);
    assert.equal(headers.has('vary'), false);
  });

  test('what the filter refuses', async () => {
    const app = serving(() => text(), { filter: (request) => request.query.get('zip') !== '0' });
    const none = await ask(app, 'Accept-Encoding: gzip\r\n', '/?zip=0');
    assert.equal(none.headers.has('content-encoding'), false);
  });
});

test('a 304 of a response that compresses itself repeats the weak tag of the client', async () => {
  const app = new web.Application();
  const make = (): web.Response => {
    const response = new web.Response({ status: 304, headers: { ETag: '"a"' } });
    response.enableCompression('gzip');
    return response;
  };
  app.addRoutes([web.get('/', make)]);
  const weak = await ask(app, 'If-None-Match: W/"a"\r\n');
  assert.equal(weak.headers.get('etag'), 'W/"a"');
  assert.equal(weak.headers.has('vary'), false);
  const strong = await ask(app, 'If-None-Match: "a"\r\n');
  assert.equal(strong.headers.get('etag'), '"a"');
});

describe('what is compressed', () => {
  for (const type of [
    'text/html; charset=utf-8',
    'application/json',
    'application/problem+json',
    'image/svg+xml',
    'application/wasm',
    'TEXT/CSS',
    'application/vnd.api+json; v=1',
  ]) {
    test(type, async () => {
      const body = Buffer.from(TEXT);
      const app = serving(() => new web.Response({ body, headers: { 'Content-Type': type } }));
      const { headers } = await ask(app, 'Accept-Encoding: gzip\r\n');
      assert.equal(headers.get('content-encoding'), 'gzip');
      assert.equal(headers.get('content-type'), type);
    });
  }

  test('the answer of an HTTP exception', async () => {
    const app = serving(() => {
      throw new web.HTTPNotFound({ text: TEXT });
    });
    const { status, headers, body } = await ask(app, 'Accept-Encoding: gzip\r\n');
    assert.equal(status, 404);
    assert.equal(decode('gzip', body), TEXT);
    assert.equal(headers.get('content-encoding'), 'gzip');
  });

  test('a strong ETag becomes weak, a weak one stays', async () => {
    const strong = await ask(
      serving(() => text(TEXT, { headers: { ETag: '"v1"' } })),
      'Accept-Encoding: br\r\n',
    );
    assert.equal(strong.headers.get('etag'), 'W/"v1"');
    const weak = await ask(
      serving(() => text(TEXT, { headers: { ETag: 'W/"v1"' } })),
      'Accept-Encoding: br\r\n',
    );
    assert.equal(weak.headers.get('etag'), 'W/"v1"');
    const plain = await ask(
      serving(() => text(TEXT, { headers: { ETag: '"v1"' } })),
      '',
    );
    assert.equal(plain.headers.get('etag'), '"v1"');
  });

  test('Vary is added to what is there', async () => {
    const { headers } = await ask(
      serving(() => text(TEXT, { headers: { Vary: 'Cookie' } })),
      '',
    );
    assert.equal(headers.get('vary'), 'Cookie, Accept-Encoding');
  });

  test('HEAD has the fields of GET but a length that nobody has counted', async () => {
    const { head, headers, body } = await ask(
      serving(() => text()),
      'Accept-Encoding: gzip\r\n',
      '/',
      'HEAD',
    );
    assert.equal(headers.get('content-encoding'), 'gzip');
    assert.equal(headers.has('content-length'), false, head);
    assert.equal(body.length, 0);
  });

  for (const size of [1024, 8192, 8193, 32_768, 32_769, 300_000]) {
    for (const coding of CODINGS) {
      test(`${size} bytes as ${coding}`, async () => {
        const body = 'äbc'.repeat(size / 2).slice(0, size);
        const { headers, body: sent } = await ask(
          serving(() => text(body)),
          `Accept-Encoding: ${coding}\r\n`,
        );
        assert.equal(decode(coding, sent), body);
        assert.equal(headers.get('content-length'), String(sent.length));
      });
    }
  }

  test('a body that comes piece by piece', async () => {
    async function* source(): AsyncGenerator<string> {
      for (let i = 0; i < 200; i++) yield `line ${i}\n`.repeat(10);
    }
    const app = serving(() => new web.Response({ body: source(), contentType: 'text/plain' }));
    const { headers, body } = await ask(app, 'Accept-Encoding: gzip\r\n');
    assert.equal(headers.get('transfer-encoding'), 'chunked');
    assert.equal(decode('gzip', body).split('\n').length, 2001);
  });

  test('a stream that its handler prepared, with a Content-Length that is not true any more', async () => {
    const app = serving(async (request) => {
      const response = new web.StreamResponse({ headers: { 'Content-Type': 'text/plain' } });
      response.contentLength = TEXT.length;
      await response.prepare(request);
      await response.write(Buffer.from(TEXT.slice(0, 100)));
      await response.writeEof(Buffer.from(TEXT.slice(100)));
      assert.equal(response.bodyLength, TEXT.length);
      return response;
    });
    for (const coding of CODINGS) {
      const { headers, body } = await ask(app, `Accept-Encoding: ${coding}\r\n`);
      assert.equal(headers.has('content-length'), false);
      assert.equal(decode(coding, body), TEXT);
    }
  });

  test('a client of HTTP/1.0', async () => {
    await using server = new TestServer(serving(() => text()));
    await server.start();
    const answer = parse(await rawRequest(server.port, 'GET / HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n'));
    assert.equal(decode('gzip', answer.body), TEXT);
  });

  test('through app.fetch', async () => {
    const app = serving(() => text());
    const response = await app.fetch(new Request('http://h/', { headers: { 'Accept-Encoding': 'gzip' } }));
    assert.equal(decode('gzip', new Uint8Array(await response.arrayBuffer())), TEXT);
    await app.cleanup();
  });

  test('signals see the coding and no length', async () => {
    const app = serving(() => text());
    const seen: unknown[] = [];
    app.onResponsePrepare.append((_, response) => {
      seen.push(
        response.headers.get('Content-Encoding'),
        response.headers.get('Content-Length'),
        response.compression,
      );
      assert.throws(() => response.enableCompression(), { code: 'AIO_RESPONSE_PREPARED' });
    });
    const { headers, body } = await ask(app, 'Accept-Encoding: gzip\r\n');
    assert.deepEqual(seen, ['gzip', undefined, 'gzip']);
    assert.equal(headers.get('content-length'), String(body.length));
    assert.equal(decode('gzip', body), TEXT);
  });
});

describe('enableCompression', () => {
  async function answer(prepare: (response: web.Response) => void, fields = ''): Promise<Answer> {
    const app = new web.Application();
    app.addRoutes([
      web.get('/', () => {
        const response = text('short');
        prepare(response);
        return response;
      }),
    ]);
    return ask(app, fields);
  }

  test('negotiates, whatever the size and type', async () => {
    const zipped = await answer((response) => response.enableCompression(), 'Accept-Encoding: gzip\r\n');
    assert.equal(decode('gzip', zipped.body), 'short');
    assert.equal(zipped.headers.get('vary'), 'Accept-Encoding');
    const plain = await answer((response) => response.enableCompression());
    assert.equal(plain.body.toString(), 'short');
    assert.equal(plain.headers.get('vary'), 'Accept-Encoding');
  });

  test('uses a coding that was named, whatever the client says', async () => {
    const { headers, body } = await answer((response) =>
      response.enableCompression(web.ContentCoding.deflate, { level: 9 }),
    );
    assert.equal(decode('deflate', body), 'short');
    assert.equal(headers.has('vary'), false);
  });

  test('does nothing to what has a Content-Encoding', async () => {
    const { body } = await answer((response) => {
      response.headers.set('Content-Encoding', 'gzip');
      response.enableCompression('gzip');
    });
    assert.equal(body.toString(), 'short');
  });

  test('refuses what cannot be done', () => {
    const response = new web.Response();
    assert.throws(() => response.enableCompression('lzma' as web.ContentCoding), {
      code: 'AIO_CONTENT_CODING',
    });
    assert.throws(() => response.enableCompression('gzip', { level: 10 }), { code: 'AIO_COMPRESSION_LEVEL' });
    assert.throws(() => web.compressionMiddleware({ codings: ['lzma' as 'gzip'] }), {
      code: 'AIO_CONTENT_CODING',
    });
    assert.throws(() => web.compressionMiddleware({ levels: { br: 12 } }), { code: 'AIO_COMPRESSION_LEVEL' });
    assert.throws(() => web.compressionMiddleware({ minSize: -1 }), { code: 'AIO_COMPRESSION' });
    assert.throws(() => web.compressionMiddleware({ types: /x/g }), { code: 'AIO_COMPRESSION' });
  });

  test('is too late behind the head', async () => {
    const app = new web.Application();
    app.addRoutes([
      web.get('/', async (request) => {
        const response = new web.StreamResponse();
        await response.prepare(request);
        assert.throws(() => response.enableCompression(), { code: 'AIO_RESPONSE_PREPARED' });
        return response;
      }),
    ]);
    assert.equal((await ask(app, '')).status, 200);
  });

  test('types', () => {
    expectTypeOf(web.ContentCoding.gzip).toEqualTypeOf<'gzip'>();
    expectTypeOf<web.ContentCoding>().toEqualTypeOf<'deflate' | 'gzip' | 'br' | 'zstd' | 'identity'>();
    expectTypeOf<web.CompressionOptions['minSize']>().toEqualTypeOf<number | undefined>();
  });
});

describe('streams', () => {
  /** Reads decoded text from a socket as it comes. */
  async function reader(port: number, coding: string): Promise<{ next(): Promise<string>; close(): void }> {
    const { connect } = await import('node:net');
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: ${coding}\r\n\r\n`);
    const decoder =
      coding === 'gzip'
        ? zlib.createGunzip()
        : coding === 'br'
          ? zlib.createBrotliDecompress()
          : zlib.createZstdDecompress();
    let head = '';
    let rest = Buffer.alloc(0);
    socket.on('data', (data: Buffer) => {
      let piece = data;
      if (!head.includes('\r\n\r\n')) {
        head += data.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end === -1) return;
        piece = Buffer.from(head.slice(end + 4), 'latin1');
        head = head.slice(0, end + 4);
      }
      rest = Buffer.concat([rest, piece]);
      for (;;) {
        const line = rest.indexOf('\r\n');
        if (line === -1) return;
        const size = Number.parseInt(rest.toString('latin1', 0, line), 16);
        if (rest.length < line + 2 + size + 2) return;
        if (size > 0) decoder.write(rest.subarray(line + 2, line + 2 + size));
        rest = rest.subarray(line + 2 + size + 2);
      }
    });
    const pieces = decoder[Symbol.asyncIterator]();
    return {
      next: async () => String((await pieces.next()).value),
      close: () => {
        socket.destroy();
        decoder.destroy();
      },
    };
  }

  for (const coding of CODINGS.filter((name) => name !== 'deflate')) {
    test(`each event of an event stream is there when it was written: ${coding}`, async () => {
      const steps: (() => void)[] = [];
      const step = () => new Promise<void>((resolve) => steps.push(resolve));
      const gates = [step(), step(), step()];
      const app = serving(async (request) => {
        const response = new web.StreamResponse({ headers: { 'Content-Type': 'text/event-stream' } });
        await response.prepare(request);
        for (let i = 0; i < 3; i++) {
          await response.write(Buffer.from(`data: ${i}\n\n`));
          await gates[i];
        }
        return response;
      });
      await using server = new TestServer(app);
      await server.start();
      const client = await reader(server.port, coding);
      for (let i = 0; i < 3; i++) {
        assert.equal(await client.next(), `data: ${i}\n\n`);
        steps[i]!();
      }
      client.close();
    });
  }

  test('drain() sends what was held back', async () => {
    let go!: () => void;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const app = serving(async (request) => {
      const response = new web.StreamResponse({ headers: { 'Content-Type': 'text/plain' } });
      await response.prepare(request);
      await response.write(Buffer.from('one '));
      await response.write(Buffer.from('two '));
      await response.drain();
      await gate;
      return response;
    });
    await using server = await new TestServer(app).start();
    const client = await reader(server.port, 'gzip');
    assert.equal(await client.next(), 'one two ');
    go();
    client.close();
  });

  test('drain() without compression needs a started response and does nothing', async () => {
    const app = new web.Application();
    app.addRoutes([
      web.get('/', async (request) => {
        const response = new web.StreamResponse();
        await assert.rejects(response.drain(), { code: 'AIO_RESPONSE_NOT_PREPARED' });
        await response.prepare(request);
        await response.drain();
        await response.writeEof(Buffer.from('x'));
        await assert.rejects(response.drain(), { code: 'AIO_RESPONSE_ENDED' });
        return response;
      }),
    ]);
    assert.equal((await ask(app, '')).status, 200);
  });

  test('a client that reads slowly slows the handler down', async () => {
    let written = 0;
    let failed!: (error: unknown) => void;
    const failure = new Promise<unknown>((resolve) => {
      failed = resolve;
    });
    // Noise, so that as much goes out as comes in.
    const noise = Buffer.from((await import('node:crypto')).randomBytes(262_144));
    const app = serving(async (request) => {
      const response = new web.StreamResponse({ headers: { 'Content-Type': 'text/plain' } });
      await response.prepare(request);
      try {
        for (let i = 0; i < 400; i++) {
          await response.write(noise);
          written += noise.length;
        }
      } catch (error) {
        failed(error);
        throw error;
      }
      return response;
    });
    await using server = await new TestServer(app).start();
    const { connect } = await import('node:net');
    const socket = connect(server.port, '127.0.0.1');
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n');
    // Nothing more is written once the buffers between the two are full.
    let before = -1;
    for (let quiet = 0; quiet < 5; ) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      quiet = written === before && written > 0 ? quiet + 1 : 0;
      before = written;
    }
    assert.ok(written < 50_000_000, `${written} bytes were taken`);
    socket.destroy();
    assert.equal(((await failure) as { code?: string }).code, 'AIO_CLIENT_DISCONNECTED');
  });

  test('a client that leaves releases the encoder', async () => {
    const left = new Promise<unknown>((resolve) => {
      const app = serving(async (request) => {
        const response = new web.StreamResponse({ headers: { 'Content-Type': 'text/event-stream' } });
        await response.prepare(request);
        try {
          for (;;) await response.write(Buffer.from('data: x\n\n'));
        } catch (error) {
          resolve(error);
          throw error;
        }
      });
      const server = new TestServer(app);
      void server.start().then(async () => {
        const client = await reader(server.port, 'gzip');
        await client.next();
        client.close();
        await left;
        await server.close();
      });
    });
    assert.equal(((await left) as { code?: string }).code, 'AIO_CLIENT_DISCONNECTED');
  });

  test('a handler that fails in the middle cuts the connection', async () => {
    const app = new web.Application({
      middlewares: [web.compressionMiddleware()],
      logger: { ...console, error() {} },
    });
    app.addRoutes([
      web.get('/', async (request) => {
        const response = new web.StreamResponse({ headers: { 'Content-Type': 'text/plain' } });
        await response.prepare(request);
        await response.write(Buffer.from(TEXT));
        throw new Error('in the middle');
      }),
    ]);
    await using server = await new TestServer(app).start();
    const answer = await rawRequest(
      server.port,
      'GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n',
    );
    assert.equal(answer.endsWith('0\r\n\r\n'), false);
  });

  test('memory stays flat over many answers', async () => {
    const app = serving(async (request) => {
      const response = new web.StreamResponse({ headers: { 'Content-Type': 'text/plain' } });
      await response.prepare(request);
      await response.write(Buffer.from(TEXT));
      return response;
    });
    app.router.addGet('/whole', () => text('abc'.repeat(20_000)));
    await using server = await new TestServer(app).start();
    const round = async (count: number): Promise<void> => {
      const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n`;
      await rawRequest(
        server.port,
        `${`${request('/')}\r\n${request('/whole')}\r\n`.repeat(count)}${request('/')}Connection: close\r\n\r\n`,
      );
    };
    await round(200);
    const before = process.memoryUsage().rss;
    await round(1000);
    await promisify(setImmediate)();
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown < 100_000_000, `${grown} bytes more`);
  });
});

describe('files', () => {
  test('a file without a compressed sibling is compressed, small and large', async () => {
    const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
    const { tmpdir } = await import('node:os');
    const path = await import('node:path');
    const folder = await mkdtemp(path.join(tmpdir(), 'aio-compress-'));
    try {
      await writeFile(path.join(folder, 'small.txt'), TEXT);
      await writeFile(path.join(folder, 'large.txt'), TEXT.repeat(200));
      const app = new web.Application({ middlewares: [web.compressionMiddleware()] });
      app.router.addGet(
        '/{name}',
        ({ matchInfo }) => new web.FileResponse(path.join(folder, matchInfo.name ?? '')),
      );
      await using server = await new TestServer(app).start();
      for (const [name, expected] of [
        ['small.txt', TEXT],
        ['large.txt', TEXT.repeat(200)],
      ] as const) {
        const request = `GET /${name} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAccept-Encoding: gzip\r\n\r\n`;
        const { headers, body } = parse(await rawRequest(server.port, request));
        assert.equal(headers.get('content-encoding'), 'gzip', name);
        assert.match(headers.get('etag') ?? '', /^W\//);
        assert.equal(headers.has('accept-ranges'), false);
        assert.equal(decode('gzip', body), expected);
        const head = parse(await rawRequest(server.port, request.replace('GET', 'HEAD')));
        assert.equal(head.headers.get('content-encoding'), 'gzip');
        assert.equal(head.headers.has('content-length'), false);
        const part = parse(
          await rawRequest(server.port, request.replace('\r\n', '\r\nRange: bytes=0-9\r\n')),
        );
        assert.deepEqual([part.status, part.headers.get('content-encoding')], [206, undefined]);
        assert.equal(part.body.toString(), TEXT.slice(0, 10));
        const again = parse(
          await rawRequest(
            server.port,
            request.replace('\r\n', `\r\nIf-None-Match: ${headers.get('etag')}\r\n`),
          ),
        );
        assert.equal(again.status, 304);
        const varies = [headers, head.headers, part.headers, again.headers].map((fields) =>
          fields.get('vary'),
        );
        assert.deepEqual(
          varies,
          Array(4).fill('Accept-Encoding'),
          'a part or a 304 without Vary spoils caches',
        );
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

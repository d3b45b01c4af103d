import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import { web } from '../../src/index.ts';
import { answer, CLOSE, split, wire } from './answer.ts';

const GET = `GET / HTTP/1.1\r\n${CLOSE}\r\n`;
const HEAD = `HEAD / HTTP/1.1\r\n${CLOSE}\r\n`;

/** Status line and fields without what every answer has. */
function own(text: string): string[] {
  return split(text).lines.filter((line) => !/^(Date|Server|Connection): /.test(line));
}

describe('Response', () => {
  const cases: readonly [
    name: string,
    options: web.ResponseOptions | undefined,
    lines: string[],
    body: string,
  ][] = [
    ['nothing', undefined, ['HTTP/1.1 200 OK', 'Content-Length: 0'], ''],
    [
      'text',
      { text: 'héy' },
      ['HTTP/1.1 200 OK', 'Content-Type: text/plain; charset=utf-8', 'Content-Length: 4'],
      'h\xc3\xa9y',
    ],
    [
      'text of another type',
      { text: '<p>', contentType: 'text/html' },
      ['HTTP/1.1 200 OK', 'Content-Type: text/html; charset=utf-8', 'Content-Length: 3'],
      '<p>',
    ],
    [
      'text in another charset',
      { text: 'é', charset: 'ISO-8859-1' },
      ['HTTP/1.1 200 OK', 'Content-Type: text/plain; charset=ISO-8859-1', 'Content-Length: 1'],
      '\xe9',
    ],
    [
      'text with a Content-Type among the headers',
      { text: 'x', headers: { 'content-type': 'text/csv' } },
      ['HTTP/1.1 200 OK', 'content-type: text/csv', 'Content-Length: 1'],
      'x',
    ],
    [
      'bytes',
      { body: new Uint8Array([1, 255]) },
      ['HTTP/1.1 200 OK', 'Content-Type: application/octet-stream', 'Content-Length: 2'],
      '\x01\xff',
    ],
    [
      'an ArrayBuffer',
      { body: new Uint8Array([65]).buffer, contentType: 'image/x' },
      ['HTTP/1.1 200 OK', 'Content-Type: image/x', 'Content-Length: 1'],
      'A',
    ],
    [
      'another view',
      { body: new DataView(new Uint8Array([65, 66, 67]).buffer, 1, 1) },
      ['HTTP/1.1 200 OK', 'Content-Type: application/octet-stream', 'Content-Length: 1'],
      'B',
    ],
    [
      'text as body',
      { body: 'x' },
      ['HTTP/1.1 200 OK', 'Content-Type: text/plain; charset=utf-8', 'Content-Length: 1'],
      'x',
    ],
    [
      'a Blob',
      { body: new Blob(['a', 'b'], { type: 'image/svg+xml' }) },
      ['HTTP/1.1 200 OK', 'Content-Type: image/svg+xml', 'Content-Length: 2'],
      'ab',
    ],
    ['status and reason', { status: 299, reason: 'Odd' }, ['HTTP/1.1 299 Odd', 'Content-Length: 0'], ''],
    ['204', { status: 204 }, ['HTTP/1.1 204 No Content'], ''],
    [
      '304 with headers',
      { status: 304, headers: { ETag: '"a"' } },
      ['HTTP/1.1 304 Not Modified', 'ETag: "a"'],
      '',
    ],
    [
      'headers in the order they were set',
      {
        text: 'x',
        headers: [
          ['X-B', '1'],
          ['X-A', '2'],
          ['X-B', '3'],
        ],
      },
      [
        'HTTP/1.1 200 OK',
        'X-B: 1',
        'X-A: 2',
        'X-B: 3',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Length: 1',
      ],
      'x',
    ],
  ];
  for (const [name, options, lines, body] of cases) {
    test(name, async () => {
      const text = await wire(() => new web.Response(options), GET);
      assert.deepEqual(own(text), lines);
      assert.equal(split(text).body, body);
      const platform = await answer(() => new web.Response(options));
      assert.equal(Buffer.from(await platform.arrayBuffer()).toString('latin1'), body);
    });
    test(`${name}: HEAD has the head of GET and no body`, async () => {
      const text = await wire(() => new web.Response(options), HEAD);
      assert.deepEqual(
        own(text),
        lines.filter((line) => line !== 'Content-Length: 0'),
      );
      assert.equal(split(text).body, '');
      const platform = await answer(() => new web.Response(options), '/', { method: 'HEAD' });
      assert.equal(await platform.text(), '');
    });
  }

  test('Date, Server and Connection of the handler win', async () => {
    const text = await wire(
      () => new web.Response({ headers: { Date: 'then', Server: 'mine', Connection: 'close' } }),
      'GET / HTTP/1.1\r\nHost: h\r\n\r\n',
    );
    const { lines } = split(text);
    assert.deepEqual(
      lines.filter((line) => /^(Date|Server|Connection)/.test(line)),
      ['Date: then', 'Server: mine', 'Connection: close'],
    );
  });

  test('wrong arguments are refused where they are given', () => {
    const refused: readonly [web.ResponseOptions, string][] = [
      [{ text: 'x', body: 'y' }, 'AIO_BODY'],
      [{ body: { a: 1 } as unknown as string }, 'AIO_BODY'],
      [{ body: 7 as unknown as string }, 'AIO_BODY'],
      [{ text: 'x', contentType: 'text/html; charset=utf-8' }, 'AIO_CONTENT_TYPE'],
      [{ text: 'x', contentType: 'text/html', headers: { 'content-type': 'a/b' } }, 'AIO_CONTENT_TYPE'],
      [{ text: 'x', charset: 'utf-8', headers: { 'content-type': 'a/b' } }, 'AIO_CONTENT_TYPE'],
      [{ text: 'x', contentType: 'nonsense' }, 'AIO_MEDIA_TYPE'],
      [{ text: 'x', contentType: 'a/b\r\nX: y' }, 'AIO_MEDIA_TYPE'],
      [{ text: 'x', charset: 'klingon' }, 'AIO_UNKNOWN_CHARSET'],
      [{ text: '€', charset: 'latin1' }, 'AIO_UNENCODABLE_TEXT'],
      [{ text: 'é', charset: 'us-ascii' }, 'AIO_UNENCODABLE_TEXT'],
      [{ status: 99 }, 'AIO_STATUS'],
      [{ status: 600 }, 'AIO_STATUS'],
      [{ status: 200.5 }, 'AIO_STATUS'],
      [{ reason: 'a\r\nb' }, 'AIO_REASON'],
      [{ reason: '\u20ac' }, 'AIO_REASON'],
    ];
    for (const [options, code] of refused) {
      assert.throws(() => new web.Response(options), { code }, JSON.stringify(options));
    }
  });

  for (const headers of [
    { 'X-A': 'a\r\nX-B: b' },
    { 'X A': 'b' },
    { 'X-A': '\0' },
    { 'X-A': '\u20ac' },
    { '': 'x' },
  ]) {
    test(`a header that could split the answer becomes a 500: ${JSON.stringify(headers)}`, async () => {
      const text = await wire(() => new web.Response({ text: 'secret', headers }), GET);
      assert.match(text, /^HTTP\/1\.1 500 /);
      assert.ok(!text.includes('secret') && !text.includes('X-B'));
      assert.equal((await answer(() => new web.Response({ text: 'secret', headers }))).status, 500);
    });
  }

  test('a Content-Length that the body does not have becomes a 500', async () => {
    const handler = () => new web.Response({ text: 'abcdefgh', headers: { 'Content-Length': '5' } });
    assert.match(await wire(handler, GET), /^HTTP\/1\.1 500 /);
    assert.equal((await answer(handler)).status, 500);
  });

  test('HEAD may declare the length of a body that is not made', async () => {
    const handler = () => new web.Response({ headers: { 'Content-Length': '123' } });
    assert.ok(own(await wire(handler, HEAD)).includes('Content-Length: 123'));
    assert.equal((await answer(handler, '/', { method: 'HEAD' })).headers.get('content-length'), '123');
  });

  test('text and body can be read and replaced until it is sent', async () => {
    const response = new web.Response({ text: 'a' });
    assert.equal(response.text, 'a');
    assert.deepEqual(response.body, Buffer.from('a'));
    assert.equal(response.contentLength, 1);
    response.text = 'éé';
    assert.equal(response.contentLength, 4);
    response.body = new Uint8Array([0xc3, 0xa9]);
    assert.equal(response.text, 'é');
    assert.equal(response.contentType, 'text/plain');
    response.body = undefined;
    assert.equal(response.text, undefined);
    assert.equal(response.contentLength, 0);
    response.text = 'end';
    assert.throws(
      () => {
        response.contentLength = 3;
      },
      { code: 'AIO_RESPONSE_FRAMING' },
    );
    assert.equal(await (await answer(() => response)).text(), 'end');
    assert.throws(
      () => {
        response.text = 'late';
      },
      { code: 'AIO_RESPONSE_PREPARED' },
    );
    assert.throws(() => response.setStatus(404), { code: 'AIO_RESPONSE_PREPARED' });
  });

  test('the headers are made on first touch and take the content type over', () => {
    const response = new web.Response({ text: 'x' });
    assert.equal(response.ownHeaders, undefined);
    assert.equal(response.contentType, 'text/plain');
    assert.equal(response.charset, 'utf-8');
    assert.equal(response.ownHeaders, undefined);
    assert.equal(response.headers.get('Content-Type'), 'text/plain; charset=utf-8');
    assert.equal(response.contentTypeField, undefined);
    response.contentType = 'text/html';
    assert.equal(response.headers.get('Content-Type'), 'text/html; charset=utf-8');
    response.charset = undefined;
    assert.equal(response.headers.get('Content-Type'), 'text/html');
    assert.throws(
      () => {
        new web.Response({ body: new Uint8Array(1) }).charset = 'utf-8';
      },
      { code: 'AIO_CONTENT_TYPE' },
    );
  });

  test('headers given are copied', () => {
    const shared = { 'X-A': '1' };
    const first = new web.Response({ headers: shared });
    const second = new web.Response({ headers: first.headers });
    first.headers.set('X-A', '2');
    assert.equal(second.headers.get('X-A'), '1');
  });

  test('etag and lastModified', () => {
    const response = new web.Response();
    response.etag = 'abc';
    assert.equal(response.headers.get('ETag'), '"abc"');
    assert.equal(response.etag?.value, 'abc');
    assert.throws(
      () => {
        response.etag = 'a"b';
      },
      { code: 'AIO_ETAG' },
    );
    response.etag = undefined;
    assert.equal(response.headers.has('ETag'), false);
    response.lastModified = 784_111_777_001;
    assert.equal(response.headers.get('Last-Modified'), 'Sun, 06 Nov 1994 08:49:38 GMT', 'rounded up');
    response.lastModified = new Date(784_111_777_000);
    assert.equal(response.lastModified?.getTime(), 784_111_777_000);
    response.lastModified = 'Sun, 06 Nov 1994 08:49:37 GMT';
    assert.throws(
      () => {
        response.lastModified = 'yesterday';
      },
      { code: 'AIO_HTTP_DATE' },
    );
    assert.throws(
      () => {
        response.lastModified = new Date(Number.NaN);
      },
      { code: 'AIO_HTTP_DATE' },
    );
    response.lastModified = undefined;
    assert.equal(response.lastModified, undefined);
  });

  test('one object cannot answer two requests', async () => {
    const shared = new web.Response({ text: 'x' });
    assert.equal((await answer(() => shared)).status, 200);
    assert.equal((await answer(() => shared)).status, 500);
  });

  test('may be prepared and ended by the handler', async () => {
    const text = await wire(async (request) => {
      const response = new web.Response({ text: 'body' });
      await response.prepare(request);
      assert.equal(response.prepared, true);
      await response.writeEof();
      await response.writeEof();
      return response;
    }, GET);
    assert.ok(own(text).includes('Content-Length: 4'));
    assert.equal(split(text).body, 'body');
  });

  test('forceClose closes a connection that could stay', async () => {
    const text = await wire(() => {
      const response = new web.Response({ text: 'x' });
      response.forceClose();
      return response;
    }, 'GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    assert.ok(split(text).lines.includes('Connection: close'));
  });

  test('enableChunkedEncoding', async () => {
    const text = await wire(() => {
      const response = new web.Response({ text: 'abc' });
      response.enableChunkedEncoding();
      return response;
    }, GET);
    assert.ok(own(text).includes('Transfer-Encoding: chunked'));
    assert.equal(split(text).body, '3\r\nabc\r\n0\r\n\r\n');
  });

  test('keeps values by key', () => {
    const response = new web.Response();
    const KEY = new web.ResponseKey<number>('n');
    assert.equal(response.has(KEY), false);
    response.set(KEY, 7);
    expectTypeOf(response.get(KEY)).toEqualTypeOf<number | undefined>();
    assert.equal(response.get(KEY), 7);
    assert.equal(response.delete(KEY), true);
    assert.equal(response.get('other'), undefined);
  });
});

describe('a body that comes piece by piece', () => {
  async function* pieces(): AsyncGenerator<Uint8Array | string> {
    yield 'a';
    yield new Uint8Array(0);
    yield Buffer.from('é');
  }
  const chunked = '1\r\na\r\n2\r\n\xc3\xa9\r\n0\r\n\r\n';
  const sources: readonly [string, () => web.ResponseBody][] = [
    ['an async generator', pieces],
    ['a web stream', () => new Blob(['aé']).stream()],
    ['a Node stream', () => Readable.from(['a', Buffer.from('é')], { objectMode: true })],
  ];
  for (const [name, make] of sources) {
    test(`${name} is sent chunked`, async () => {
      const text = await wire(() => new web.Response({ body: make() }), GET);
      assert.ok(own(text).includes('Transfer-Encoding: chunked'));
      assert.ok(own(text).includes('Content-Type: application/octet-stream'));
      assert.match(split(text).body, /0\r\n\r\n$/);
      if (name !== 'a web stream') assert.equal(split(text).body, chunked);
      assert.equal(await (await answer(() => new web.Response({ body: make() }))).text(), 'aé');
    });
    test(`${name} is delimited by the end of an HTTP/1.0 connection`, async () => {
      const text = await wire(() => new web.Response({ body: make() }), 'GET / HTTP/1.0\r\n\r\n');
      assert.equal(split(text).body, 'a\xc3\xa9');
      assert.ok(!/transfer-encoding|content-length/i.test(text));
    });
    test(`${name} is sent with the length that was declared`, async () => {
      const text = await wire(
        () => new web.Response({ body: make(), headers: { 'Content-Length': '3' } }),
        GET,
      );
      assert.ok(own(text).includes('Content-Length: 3'));
      assert.equal(split(text).body, 'a\xc3\xa9');
    });
  }

  test('HEAD does not read the source, and releases it', async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>(
      {
        pull: () => assert.fail('read'),
        cancel: () => {
          cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    const text = await wire(() => new web.Response({ body }), HEAD);
    assert.equal(split(text).body, '');
    assert.equal(cancelled, true);
  });

  test('a source that fails cuts the answer visibly', async () => {
    async function* failing(): AsyncGenerator<string> {
      yield 'a';
      throw new Error('disk');
    }
    const text = await wire(() => new web.Response({ body: failing() }), 'GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    assert.equal(split(text).body.includes('0\r\n\r\n'), false);
    await assert.rejects((await answer(() => new web.Response({ body: failing() }))).text());
  });

  for (const declared of ['2', '4']) {
    test(`a source of 3 bytes for a Content-Length of ${declared} cuts the connection`, async () => {
      const handler = () => new web.Response({ body: pieces(), headers: { 'Content-Length': declared } });
      const text = await wire(
        handler,
        'GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /second HTTP/1.1\r\nHost: h\r\n\r\n',
      );
      assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1);
      await assert.rejects((await answer(handler)).text());
    });
  }

  test('a source that waits for ever is released when the client goes away', async () => {
    const source = new Readable({ read: () => {} });
    source.push('first');
    const closed = once(source, 'close');
    const platform = await answer(() => new web.Response({ body: source }));
    const reader = platform.body?.getReader();
    assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), 'first');
    await reader?.cancel();
    await closed;
    assert.equal(source.destroyed, true);
  });

  test('a generator that waits for ever does not keep the answer waiting', async () => {
    let released = false;
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    async function* waiting(): AsyncGenerator<string> {
      try {
        yield 'first';
        await gate;
      } finally {
        released = true;
      }
    }
    const platform = await answer(() => new web.Response({ body: waiting() }));
    const reader = platform.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    open();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(released, true);
  });

  test('a slow reader slows the source', async () => {
    let produced = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (; produced < 100 * 1_048_576; produced += 16_384) yield new Uint8Array(16_384);
    }
    const platform = await answer(() => new web.Response({ body: endless() }));
    const reader = platform.body?.getReader();
    await reader?.read();
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(produced <= 262_144, `${produced} bytes were made while nobody read`);
    await reader?.cancel();
  });
});

describe('jsonResponse', () => {
  test('is compact JSON', async () => {
    const text = await wire(() => web.jsonResponse({ a: [1, 'é'], b: null }), GET);
    assert.deepEqual(own(text), [
      'HTTP/1.1 200 OK',
      'Content-Type: application/json; charset=utf-8',
      'Content-Length: 23',
    ]);
    assert.equal(Buffer.from(split(text).body, 'latin1').toString(), '{"a":[1,"é"],"b":null}');
  });

  test('options', () => {
    const response = web.jsonResponse([1], {
      status: 201,
      reason: 'Made',
      headers: { 'X-A': '1' },
      dumps: (data) => `<${JSON.stringify(data)}>`,
      contentType: 'application/problem+json',
    });
    assert.equal(response.status, 201);
    assert.equal(response.reason, 'Made');
    assert.equal(response.text, '<[1]>');
    assert.equal(response.headers.get('X-A'), '1');
    assert.equal(response.headers.get('Content-Type'), 'application/problem+json; charset=utf-8');
    assert.equal(web.jsonResponse(null).text, 'null');
    assert.equal(
      web.jsonResponse(1, { headers: { 'Content-Type': 'a/b' } }).headers.get('Content-Type'),
      'a/b',
    );
  });

  test('what has no JSON form is a clear error', () => {
    for (const data of [undefined, () => {}, Symbol('x')]) {
      assert.throws(() => web.jsonResponse(data), { name: 'TypeError', code: 'AIO_JSON_DATA' });
    }
    assert.throws(() => web.jsonResponse(1n), TypeError);
    assert.throws(() => web.jsonResponse(1, { dumps: () => undefined as unknown as string }), {
      code: 'AIO_JSON_DATA',
    });
  });

  test('bytes', () => {
    const response = web.jsonBytesResponse(
      { a: 1 },
      { dumps: (data) => Buffer.from(JSON.stringify(data)), status: 202 },
    );
    assert.equal(response.contentType, 'application/json');
    assert.equal(response.status, 202);
    assert.deepEqual(response.body, Buffer.from('{"a":1}'));
    assert.throws(() => web.jsonBytesResponse(1, { dumps: () => 'x' as unknown as Uint8Array }), {
      code: 'AIO_JSON_DATA',
    });
  });
});

describe('a platform Response from a handler', () => {
  test('keeps status, reason, fields and several cookies', async () => {
    const make = () =>
      new globalThis.Response('hello', {
        status: 201,
        statusText: 'Made',
        headers: [
          ['X-A', '1'],
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
          ['Connection', 'upgrade'],
        ],
      });
    const text = await wire(make, GET);
    assert.deepEqual(own(text).slice(0, 1), ['HTTP/1.1 201 Made']);
    assert.deepEqual(
      own(text).filter((line) => /^set-cookie/i.test(line)),
      ['set-cookie: a=1', 'set-cookie: b=2'],
    );
    assert.ok(!/upgrade/i.test(text));
    const platform = await answer(make);
    assert.deepEqual(platform.headers.getSetCookie(), ['a=1', 'b=2']);
    assert.equal(platform.headers.get('content-type'), 'text/plain;charset=UTF-8');
    assert.equal(await platform.text(), 'hello');
  });

  test('without a body', async () => {
    assert.deepEqual(own(await wire(() => new globalThis.Response(null, { status: 204 }), GET)), [
      'HTTP/1.1 204 No Content',
    ]);
  });

  test('an answer of fetch is passed on decoded', async () => {
    const upstream = new globalThis.Response('plain', {
      headers: { 'Content-Encoding': 'gzip', 'Content-Length': '3', 'X-A': '1' },
    });
    Object.defineProperty(upstream, 'url', { value: 'http://upstream.example/' });
    const platform = await answer(() => upstream);
    assert.equal(platform.headers.get('content-encoding'), null);
    assert.equal(platform.headers.get('content-length'), null);
    assert.equal(platform.headers.get('x-a'), '1');
    assert.equal(await platform.text(), 'plain');
  });

  test('one that was read or is an error becomes a 500', async () => {
    const used = new globalThis.Response('x');
    await used.text();
    assert.equal((await answer(() => used)).status, 500);
    assert.equal((await answer(() => globalThis.Response.error())).status, 500);
  });
});

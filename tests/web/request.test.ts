import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import { web } from '../../src/index.ts';
import { ETag } from '../../src/message/index.ts';
import { Listener } from '../../src/net/index.ts';
import { FetchExchange } from '../../src/web/fetch-exchange.ts';
import { answer, CLOSE, makeRequest, split, wire } from './answer.ts';

/** What a handler sees of a request that came over a socket. */
async function seen<T>(head: string, look: (request: web.BaseRequest) => T | Promise<T>): Promise<T> {
  let value: T | undefined;
  let error: unknown = new Error('the handler was not called');
  await wire(async (request) => {
    try {
      value = await look(request);
      error = undefined;
    } catch (caught) {
      error = caught;
    }
    return new web.Response();
  }, head);
  if (error !== undefined) throw error;
  return value as T;
}

function post(body: string | Uint8Array<ArrayBuffer>, type?: string): web.Request {
  return makeRequest('/', {
    method: 'POST',
    body,
    headers: type === undefined ? {} : { 'Content-Type': type },
  });
}

async function rejection(promise: Promise<unknown>): Promise<web.HTTPException> {
  const error = await promise.then(
    () => assert.fail('did not reject'),
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof web.HTTPException, String(error));
  return error;
}

describe('head of a request', () => {
  test('method, version and raw path are as received', async () => {
    const value = await seen(`BREW /a%2fb?x=%41 HTTP/1.1\r\n${CLOSE}\r\n`, (request) => [
      request.method,
      request.version.major,
      request.version.minor,
      request.rawPath,
      request.keepAlive,
      request.scheme,
      request.secure,
      request.remote,
      request.getExtraInfo('peername')?.address,
      request.getExtraInfo('socket') === request.transport,
      request.getExtraInfo('cipher'),
    ]);
    assert.deepEqual(value, [
      'BREW',
      1,
      1,
      '/a%2fb?x=%41',
      false,
      'http',
      false,
      '127.0.0.1',
      '127.0.0.1',
      true,
      undefined,
    ]);
  });

  const targets: readonly [
    target: string,
    path: string,
    routePath: string,
    pathQs: string,
    queryString: string,
    host: string,
    url: string,
  ][] = [
    ['/', '/', '/', '/', '', 'h', 'http://h/'],
    [
      '/caf%C3%A9?q=%C3%A9',
      '/café',
      '/café',
      '/caf%C3%A9?q=%C3%A9',
      'q=é',
      'h',
      'http://h/caf%C3%A9?q=%C3%A9',
    ],
    ['/a%2Fb/%25c', '/a/b/%c', '/a%2Fb/%25c', '/a%2Fb/%25c', '', 'h', 'http://h/a%2Fb/%25c'],
    [
      '//evil.example/x',
      '//evil.example/x',
      '//evil.example/x',
      '//evil.example/x',
      '',
      'h',
      'http://h//evil.example/x',
    ],
    ['/x?', '/x', '/x', '/x', '', 'h', 'http://h/x?'],
    [
      'http://other.example:99/info?q',
      '/info',
      '/info',
      '/info?q',
      'q',
      'other.example:99',
      'http://other.example:99/info?q',
    ],
    ['HTTP://other.example', '/', '/', '/', '', 'other.example', 'http://other.example/'],
    ['http://other.example?q=1', '/', '/', '/?q=1', 'q=1', 'other.example', 'http://other.example/?q=1'],
  ];
  for (const [target, path, routePath, pathQs, queryString, host, url] of targets) {
    test(`target ${target}`, async () => {
      // Host equals the target's authority: a server may refuse others (RFC 9112 §3.2.2).
      const value = await seen(`GET ${target} HTTP/1.1\r\n${CLOSE}\r\n`, (r) => [
        r.path,
        r.routePath,
        r.pathQs,
        r.queryString,
        r.host,
        r.url.href,
      ]);
      assert.deepEqual(value, [path, routePath, pathQs, queryString, host, url]);
    });
  }

  test('asterisk-form and authority-form', async () => {
    const look = (r: web.BaseRequest) => [r.rawPath, r.routePath, r.host];
    assert.deepEqual(await seen(`OPTIONS * HTTP/1.1\r\n${CLOSE}\r\n`, look), ['*', '*', 'h']);
    assert.deepEqual(await seen('CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n', look), ['h:80', '', 'h:80']);
  });

  test('without Host the host is the address of the server', async () => {
    const host = await seen('GET / HTTP/1.0\r\n\r\n', (r) => r.host);
    assert.match(host, /^127\.0\.0\.1:\d+$/);
  });

  test('the query keeps order and repeats', () => {
    const request = makeRequest('/?a=1&a=2&b&c=%20+%2B&=x;y&d=%E9');
    assert.deepEqual(
      [...request.query],
      [
        ['a', '1'],
        ['a', '2'],
        ['b', ''],
        ['c', '  +'],
        ['', 'x;y'],
        ['d', '\ufffd'],
      ],
    );
    assert.equal(request.query, request.query);
    assert.equal(makeRequest('/').query.size, 0);
    assert.equal(request.relUrl.query.get('a'), '1');
  });

  test('headers', async () => {
    const value = await seen(`GET / HTTP/1.1\r\nX-A: 1\r\nx-a: 2\r\nX-Latin: \xe9\r\n${CLOSE}\r\n`, (r) => [
      r.headers.get('x-A'),
      r.headers.getAll('X-A'),
      r.headers.get('x-latin'),
      r.rawHeaders.slice(0, 4),
      r.headers.has('nope'),
    ]);
    assert.deepEqual(value, ['1, 2', ['1', '2'], 'é', ['X-A', '1', 'x-a', '2'], false]);
  });

  const types: readonly [field: string | undefined, type: string, charset: string | undefined][] = [
    [undefined, 'application/octet-stream', undefined],
    ['text/HTML; Charset="UTF-8"', 'text/html', 'UTF-8'],
    ['application/json', 'application/json', undefined],
    ['nonsense', 'application/octet-stream', undefined],
  ];
  for (const [field, type, charset] of types) {
    test(`content type ${field}`, () => {
      const request = makeRequest('/', field === undefined ? {} : { headers: { 'Content-Type': field } });
      assert.equal(request.contentType, type);
      assert.equal(request.charset, charset);
    });
  }

  test('conditional fields', () => {
    const date = 'Sun, 06 Nov 1994 08:49:37 GMT';
    const request = makeRequest('/', {
      headers: {
        'If-Modified-Since': date,
        'If-Unmodified-Since': 'tomorrow',
        'If-Match': '*',
        'If-None-Match': 'W/"a", "b"',
        'If-Range': '"c"',
      },
    });
    assert.equal(request.ifModifiedSince?.getTime(), 784_111_777_000);
    assert.equal(request.ifUnmodifiedSince, undefined);
    assert.deepEqual(
      request.ifMatch?.map((tag) => tag.value),
      ['*'],
    );
    assert.deepEqual(
      request.ifNoneMatch?.map((tag) => [tag.value, tag.isWeak]),
      [
        ['a', true],
        ['b', false],
      ],
    );
    assert.ok(request.ifRange instanceof ETag);
    assert.ok(makeRequest('/', { headers: { 'If-Range': date } }).ifRange instanceof Date);
    assert.equal(makeRequest('/').ifMatch, undefined);
    assert.equal(makeRequest('/').ifRange, undefined);
  });

  const ranges: readonly [field: string | undefined, start: number | undefined, stop: number | undefined][] =
    [
      [undefined, undefined, undefined],
      ['bytes=0-4', 0, 5],
      ['bytes=7-', 7, undefined],
      ['bytes=-5', -5, undefined],
      ['bytes=0-1,3-4', undefined, undefined],
      ['items=0-4', undefined, undefined],
    ];
  for (const [field, start, stop] of ranges) {
    test(`range ${field}`, () => {
      const request = makeRequest('/', field === undefined ? {} : { headers: { Range: field } });
      assert.deepEqual({ ...request.httpRange }, { start, stop });
    });
  }
  for (const field of ['bytes=-0', 'bytes=4-2', 'bytes', 'bytes=\u0661-'.replace('\u0661', 'x')]) {
    test(`range ${field} is refused with 416`, () => {
      assert.throws(
        () => makeRequest('/', { headers: { Range: field } }).httpRange,
        web.HTTPRequestRangeNotSatisfiable,
      );
    });
  }

  test('forwarded is read, and trusted by nothing', () => {
    const request = makeRequest('/', {
      headers: { Forwarded: 'for=1.2.3.4;proto=https;host=evil', 'X-Forwarded-Proto': 'https' },
    });
    assert.equal(request.forwarded[0]?.for, '1.2.3.4');
    assert.equal(request.scheme, 'http');
    assert.equal(request.host, 'example.test');
    assert.equal(request.remote, undefined);
  });
});

describe('body of a request', () => {
  test('is read once and kept', async () => {
    const request = post('héllo', 'text/plain; charset=utf-8');
    assert.equal(request.bodyExists, true);
    assert.equal(request.canReadBody, true);
    assert.equal(await request.text(), 'héllo');
    assert.equal(request.canReadBody, false);
    assert.equal(request.bodyExists, true);
    assert.equal(Buffer.from(await request.read()).toString(), 'héllo');
    assert.equal(await request.read(), await request.read());
  });

  test('two reads at once share the work', async () => {
    const request = post('{"a":1}');
    const [text, data] = await Promise.all([request.text(), request.json()]);
    assert.equal(text, '{"a":1}');
    assert.deepEqual(data, { a: 1 });
  });

  test('is empty when there is none', async () => {
    const request = makeRequest('/');
    assert.equal(request.bodyExists, false);
    assert.equal(request.canReadBody, false);
    assert.equal((await request.read()).byteLength, 0);
    assert.equal(await request.text(), '');
    assert.equal(request.content.atEof(), true);
  });

  const charsets: readonly [bytes: number[], charset: string, text: string][] = [
    [[0xc3, 0xa9], 'utf-8', 'é'],
    [[0xef, 0xbb, 0xbf, 0x61], 'UTF8', 'a'],
    [[0xe9, 0x80], 'iso-8859-1', 'é\x80'],
    [[0x80], 'windows-1252', '€'],
    [[0x41], 'us-ascii', 'A'],
    [[0x41, 0], 'utf-16le', 'A'],
    [[0x82, 0xa0], 'shift_jis', 'あ'],
  ];
  for (const [bytes, charset, text] of charsets) {
    test(`text in ${charset}`, async () => {
      assert.equal(await post(new Uint8Array(bytes), `text/plain; charset=${charset}`).text(), text);
    });
  }
  test('bytes that are not text in their charset are 400, an unknown charset is 415', async () => {
    const bad = await rejection(post(new Uint8Array([0xff, 0xfe]), 'text/plain').text());
    assert.ok(bad instanceof web.HTTPBadRequest);
    assert.ok(bad.cause instanceof TypeError);
    assert.ok(
      (await rejection(post(new Uint8Array([0x80]), 'text/plain; charset=ascii').text())) instanceof
        web.HTTPBadRequest,
    );
    assert.ok(
      (await rejection(post(new Uint8Array([0x61]), 'text/plain; charset=utf-16be').text())) instanceof
        web.HTTPBadRequest,
    );
    const unknown = await rejection(post('x', 'text/plain; charset=klingon').text());
    assert.ok(unknown instanceof web.HTTPUnsupportedMediaType);
    assert.ok(!unknown.text?.includes('klingon'));
  });

  test('JSON', async () => {
    assert.deepEqual(await post('{"a":[1,null,"\\u00e9"]}', 'application/json').json(), {
      a: [1, null, 'é'],
    });
    assert.deepEqual(await post('[]', 'text/plain').json(), []);
    assert.deepEqual(await post('7').json({ loads: (text) => Number(text) + 1 }), 8);
    expectTypeOf(post('').json).toBeCallableWith();
    expectTypeOf<Awaited<ReturnType<typeof request.json>>>().toEqualTypeOf<unknown>();
    const request = post('{"n":1}');
    const data = await request.json<{ n: number }>();
    expectTypeOf(data).toEqualTypeOf<{ n: number }>();
    assert.equal(data.n, 1);
  });

  for (const text of ['', '{', '{"a":1,}', "{'a':1}", 'NaN', '{"a":1} x']) {
    test(`malformed JSON ${JSON.stringify(text)} is 400, with the parser's error as cause`, async () => {
      const error = await rejection(post(text).json());
      assert.ok(error instanceof web.HTTPBadRequest);
      assert.ok(error.cause instanceof SyntaxError);
    });
  }

  const prototypes: readonly [text: string, refused: boolean][] = [
    ['{"__proto__":{"admin":true}}', true],
    ['{"a":[{"__proto__" : 1}]}', true],
    ['{"\\u005f_proto_\\u005F":1}', true],
    ['{"__pr\\u006fto__":1}', true],
    ['{"a":"__proto__"}', false],
    ['["__proto__"]', false],
    ['{"a":"{\\"__proto__\\":1}"}', false],
    ['{"proto":1,"__proto":2}', false],
  ];
  for (const [text, refused] of prototypes) {
    test(`${text} is ${refused ? 'refused' : 'taken'}`, async () => {
      if (refused) assert.ok((await rejection(post(text).json())) instanceof web.HTTPBadRequest);
      else await post(text).json();
      await post(text).json({ loads: JSON.parse });
    });
  }

  test('a wanted content type is demanded when asked for', async () => {
    assert.ok(
      (await rejection(post('{}', 'text/plain').json({ contentType: 'application/json' }))) instanceof
        web.HTTPBadRequest,
    );
    assert.deepEqual(
      await post('{}', 'Application/JSON; charset=utf-8').json({ contentType: 'application/json' }),
      {},
    );
  });

  test('malformed data that a handler does not catch is answered with 400 and 415', async () => {
    const json = await answer(async (r) => web.jsonResponse(await r.json()), '/', {
      method: 'POST',
      body: '{',
    });
    assert.equal(json.status, 400);
    const text = await answer(async (r) => new web.Response({ text: await r.text() }), '/', {
      method: 'POST',
      body: 'x',
      headers: { 'Content-Type': 'text/plain; charset=x-none' },
    });
    assert.equal(text.status, 415);
  });

  test('content streams it, and read takes the rest', async () => {
    const request = post('hello world');
    const { content } = request;
    assert.equal(Buffer.from(await content.readExactly(6)).toString(), 'hello ');
    assert.equal(request.canReadBody, true);
    assert.equal(Buffer.from(await request.read()).toString(), 'world');
  });

  test('release drops it', async () => {
    const request = post('hello');
    await request.release();
    assert.equal((await request.read()).byteLength, 0);
  });

  for (const chunked of [false, true]) {
    test(`a body that came with the head and one that comes later are the same (${chunked ? 'chunked' : 'length'})`, async () => {
      const body = chunked ? '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n' : 'hello world';
      const framing = chunked ? 'Transfer-Encoding: chunked' : 'Content-Length: 11';
      const head = `POST / HTTP/1.1\r\n${framing}\r\n${CLOSE}\r\n`;
      const echo = async (r: web.BaseRequest) =>
        new web.Response({ text: `${r.contentLength} ${await r.text()}` });
      const expected = `${chunked ? undefined : 11} hello world`;
      assert.equal(split(await wire(echo, head + body)).body, expected);
      assert.equal(split(await wire(echo, [...(head + body)])).body, expected);
      assert.equal(split(await wire(echo, [head, body])).body, expected);
    });
  }

  test('Expect: 100-continue is answered when the body is asked for', async () => {
    const server = new web.Server(async (r) => new web.Response({ text: await r.text() }));
    const listener = new Listener(server, { host: '127.0.0.1', port: 0 });
    await listener.start();
    const socket = connect((listener.address as AddressInfo).port, '127.0.0.1');
    socket.write(`POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n${CLOSE}\r\n`);
    const [first] = await once(socket, 'data');
    assert.equal(String(first), 'HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('hi');
    const [second] = await once(socket, 'data');
    assert.match(String(second), /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nhi$/);
    socket.destroy();
    await listener.stop();
    await server.shutdown(0);
  });

  test('trailers are there after the body', async () => {
    const value = await seen(
      `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${CLOSE}\r\n1\r\nx\r\n0\r\nX-Sum: 7\r\n\r\n`,
      async (r) => {
        await r.read();
        return r.trailers?.get('x-sum');
      },
    );
    assert.equal(value, '7');
  });
});

describe('clientMaxSize', () => {
  const limit = 1_048_576;
  const size = async (r: web.BaseRequest) => new web.Response({ text: String((await r.read()).byteLength) });

  test('exactly 1 MiB is taken, one byte more is 413', async () => {
    const fits = await answer(size, '/', { method: 'POST', body: new Uint8Array(limit) });
    assert.equal(await fits.text(), String(limit));
    const large = await answer(size, '/', { method: 'POST', body: new Uint8Array(limit + 1) });
    assert.equal(large.status, 413);
    assert.equal(await large.text(), 'Maximum request body size 1048576 exceeded.');
  });

  test('is checked while the body streams in, and no more than the limit is kept', async () => {
    let produced = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        produced += 65_536;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const response = await answer(size, '/', { method: 'POST', body, duplex: 'half' });
    assert.equal(response.status, 413);
    assert.ok(produced < 4 * limit, `${produced} bytes were taken`);
  });

  test('a declared length above it is refused before anything is read', async () => {
    const text = await wire(size, `POST / HTTP/1.1\r\nContent-Length: ${limit + 1}\r\n${CLOSE}\r\nabc`);
    assert.match(text, /^HTTP\/1\.1 413 /);
  });

  test('is changed with clone, 0 switches it off, content is not limited', async () => {
    const body = new Uint8Array(10);
    const make = () => makeRequest('/', { method: 'POST', body });
    assert.equal(make().clientMaxSize, limit);
    await assert.rejects(make().clone({ clientMaxSize: 9 }).read(), web.HTTPRequestEntityTooLarge);
    assert.equal((await make().clone({ clientMaxSize: 10 }).read()).byteLength, 10);
    assert.equal((await make().clone({ clientMaxSize: 0 }).read()).byteLength, 10);
    assert.equal((await make().clone({ clientMaxSize: 1 }).content.read()).byteLength, 10);
    assert.throws(() => make().clone({ clientMaxSize: -1 }), { code: 'AIO_CLIENT_MAX_SIZE' });
  });
});

describe('clone', () => {
  test('replaces what is given and keeps the rest', async () => {
    const request = makeRequest('/a?b=1', { method: 'POST', body: 'x', headers: { 'X-A': '1' } });
    request.set('user', 7);
    const copy = request.clone({
      method: 'PUT',
      relUrl: '/c?d=2',
      scheme: 'https',
      host: 'proxy.example',
      remote: '9.9.9.9',
    });
    expectTypeOf(copy).toEqualTypeOf<web.Request>();
    assert.ok(copy instanceof web.Request);
    assert.deepEqual(
      [
        copy.method,
        copy.path,
        copy.routePath,
        copy.query.get('d'),
        copy.scheme,
        copy.secure,
        copy.host,
        copy.remote,
      ],
      ['PUT', '/c', '/c', '2', 'https', true, 'proxy.example', '9.9.9.9'],
    );
    assert.equal(copy.url.href, 'https://proxy.example/c?d=2');
    assert.equal(copy.headers.get('X-A'), '1');
    assert.equal(copy.get('user'), 7);
    copy.set('user', 8);
    assert.equal(request.get('user'), 7);
    const again = copy.clone({ headers: { 'Content-Type': 'text/html', Cookie: 'k=v' } });
    assert.deepEqual(
      [again.method, again.path, again.scheme, again.contentType],
      ['PUT', '/c', 'https', 'text/html'],
    );
    assert.equal(again.headers.get('X-A'), undefined);
    assert.equal(again.cookies.get('k'), 'v');
    assert.equal(await again.text(), 'x');
    assert.deepEqual([request.method, request.path, request.scheme], ['POST', '/a', 'http']);
  });

  test('is refused after the body was read', async () => {
    const request = makeRequest('/', { method: 'POST', body: 'x' });
    await request.read();
    assert.throws(() => request.clone(), { code: 'AIO_REQUEST_ALREADY_READ' });
  });

  test('ends with the original', async () => {
    let copy: web.BaseRequest | undefined;
    await answer((request) => {
      copy = request.clone();
      return new web.Response();
    });
    await assert.rejects(copy!.read(), { code: 'AIO_PAYLOAD_ACCESS' });
  });

  test('a response may be prepared with a clone and returned for the original', async () => {
    for (const ended of [false, true]) {
      const text = await wire(async (request) => {
        const response = new web.StreamResponse();
        await response.prepare(request.clone({ remote: '1.1.1.1' }));
        await response.write(Buffer.from('ok'));
        if (ended) await response.writeEof();
        assert.equal(request._response, response);
        return response;
      }, `GET / HTTP/1.1\r\n${CLOSE}\r\n`);
      assert.equal(split(text).body, '2\r\nok\r\n0\r\n\r\n');
    }
  });
});

describe('what is kept on a request', () => {
  test('by typed keys and by strings', () => {
    const request = makeRequest('/');
    const KEY = new web.RequestKey<{ id: number }>('user');
    const OTHER = new web.RequestKey<{ id: number }>('user');
    assert.equal(request.get(KEY), undefined);
    assert.equal(request.has(KEY), false);
    assert.equal(request.delete(KEY), false);
    request.set(KEY, { id: 1 });
    request.set('plain', 'x');
    expectTypeOf(request.get(KEY)).toEqualTypeOf<{ id: number } | undefined>();
    expectTypeOf(request.get('plain')).toEqualTypeOf<unknown>();
    assert.deepEqual(request.get(KEY), { id: 1 });
    assert.equal(request.has(OTHER), false);
    assert.equal(request.get('plain'), 'x');
    assert.equal(request.delete(KEY), true);
    assert.equal(request.has(KEY), false);
    assert.equal(String(KEY), '<RequestKey(user)>');
    // @ts-expect-error a value of another type
    request.set(KEY, 'text');
    // @ts-expect-error a key of responses
    request.set(new web.ResponseKey<number>('n'), 1);
  });
});

describe('the end of an exchange', () => {
  test('signal is made on first touch and does not abort on success', async () => {
    let signal: AbortSignal | undefined;
    await answer((request) => {
      signal = request.signal;
      assert.equal(request.signal, signal);
      return new web.Response();
    });
    assert.equal(signal?.aborted, false);
  });

  test('signal aborts when the client goes away, for clones too', async () => {
    const controller = new AbortController();
    const exchange = new FetchExchange(new globalThis.Request('http://h/', { signal: controller.signal }));
    const request = new web.Request(exchange);
    const { signal } = request.clone();
    assert.equal(signal, request.signal);
    controller.abort();
    await assert.rejects(exchange.response, { code: 'AIO_CLIENT_DISCONNECTED' });
    assert.equal(signal.aborted, true);
    assert.equal(signal.reason.code, 'AIO_CLIENT_DISCONNECTED');
    assert.equal(
      new web.Request(new FetchExchange(new globalThis.Request('http://h/'))).signal.aborted,
      false,
    );
  });

  test('a signal that is asked for too late is aborted already', () => {
    const request = makeRequest('/');
    request.exchangeTimedOut();
    assert.equal(request.signal.aborted, true);
    assert.equal(request.signal.reason.name, 'TimeoutError');
  });

  test('a request that was kept tells that it is over, and keeps its head', async () => {
    let request: web.BaseRequest | undefined;
    await wire((r) => {
      request = r;
      return new web.Response();
    }, `POST /x?y=1 HTTP/1.1\r\nX-A: 1\r\nContent-Length: 2\r\n${CLOSE}\r\nhi`);
    assert.ok(request);
    assert.equal(request.method, 'POST');
    assert.equal(request.path, '/x');
    assert.equal(request.query.get('y'), '1');
    assert.equal(request.headers.get('X-A'), '1');
    await assert.rejects(request.read(), web.PayloadAccessError);
    assert.throws(() => request?.content, { code: 'AIO_PAYLOAD_ACCESS' });
    assert.throws(() => request?.remote, { code: 'AIO_REQUEST_OVER' });
    assert.throws(() => request?.clone(), { code: 'AIO_REQUEST_OVER' });
    assert.equal(request.signal.aborted, false);
  });

  test('match, app and matchInfo exist only inside an application', () => {
    const request = makeRequest('/');
    assert.throws(() => request.app, { code: 'AIO_REQUEST_OVER' });
    assert.throws(() => request.matchInfo, { code: 'AIO_REQUEST_OVER' });
  });

  test('a request of narrower parameters may be passed for one of wider', () => {
    expectTypeOf<web.Request<{ readonly id: string }>>().toMatchTypeOf<web.Request>();
    expectTypeOf<web.Request<{ readonly id: string; readonly b: string }>>().toMatchTypeOf<
      web.Request<{ readonly id: string }>
    >();
  });
});

import assert from 'node:assert/strict';
import { Blob, File } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { gunzipSync, inflateSync } from 'node:zlib';
import { sleep } from '../../src/asyncio/index.ts';
import {
  ClientPayloadError,
  ClientSession,
  FormData,
  type Progress,
  type RequestData,
  type RequestOptions,
} from '../../src/client/index.ts';
import { MultiDict, StreamReader } from '../../src/message/index.ts';
import * as testing from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';
import { ok, RawServer } from './raw-server.ts';

/** What is sent: the lines about the body, and the body. */
async function sent(method: string, options: RequestOptions): Promise<string> {
  await using server = await RawServer.start(() => ok());
  await using session = new ClientSession();
  await session.request(method, server.url, options);
  const { head, body } = server.requests[0]!;
  const lines = head.split('\r\n').filter((line) => /^(?:content|transfer|expect)/i.test(line));
  return [...lines, body].join('\n');
}

test('a call that fails before there is a request ends the stream that it was given', async () => {
  const session = new ClientSession();
  const calls: ((data: RequestData) => Promise<unknown>)[] = [
    (data) => session.post('ftp://127.0.0.1/', { data }),
    (data) => session.post('http://127.0.0.1/', { data, json: {} }),
    (data) => session.post('http://127.0.0.1/', { data, timeout: 5 as never }),
    (data) => session.post('http://127.0.0.1/', { data, headers: { 'bad name': 'x' } }),
    (data) => session.request('BAD METHOD', 'http://127.0.0.1/', { data }),
  ];
  for (const call of calls) {
    const alone = Readable.from(['x']);
    await assert.rejects(call(alone));
    assert.equal(alone.destroyed, true, call.toString());
    const inForm = Readable.from(['x']);
    await assert.rejects(call(new FormData([['file', inForm]])));
    assert.equal(inForm.destroyed, true, call.toString());
  }
  await session.close();
  const late = Readable.from(['x']);
  await assert.rejects(session.post('http://127.0.0.1/', { data: late }));
  assert.equal(late.destroyed, true);
});

describe('bodies of requests', () => {
  const octets = 'Content-Type: application/octet-stream\n';
  const chunkedHello = `${octets}Transfer-Encoding: chunked\n5\r\nhello\r\n0\r\n\r\n`;
  const cases: readonly (readonly [string, string, () => RequestOptions, string])[] = [
    ['nothing', 'GET', () => ({}), ''],
    ['nothing', 'OPTIONS', () => ({}), ''],
    ['nothing', 'DELETE', () => ({}), 'Content-Length: 0\n'],
    ['nothing', 'POST', () => ({}), `${octets}Content-Length: 0\n`],
    ['nothing', 'PUT', () => ({}), `${octets}Content-Length: 0\n`],
    ['nothing', 'PATCH', () => ({}), `${octets}Content-Length: 0\n`],
    ['bytes', 'POST', () => ({ data: Buffer.from('hello') }), `${octets}Content-Length: 5\nhello`],
    [
      'an ArrayBuffer',
      'POST',
      () => ({ data: new Uint8Array([65, 66]).buffer }),
      `${octets}Content-Length: 2\nAB`,
    ],
    ['a view', 'POST', () => ({ data: new Uint16Array([0x4241]) }), `${octets}Content-Length: 2\nAB`],
    [
      'text',
      'POST',
      () => ({ data: 'hello' }),
      'Content-Type: text/plain; charset=utf-8\nContent-Length: 5\nhello',
    ],
    [
      'text beyond ASCII',
      'POST',
      () => ({ data: 'é' }),
      'Content-Type: text/plain; charset=utf-8\nContent-Length: 2\nÃ©',
    ],
    [
      'empty text',
      'POST',
      () => ({ data: '' }),
      'Content-Type: text/plain; charset=utf-8\nContent-Length: 0\n',
    ],
    [
      'text with GET',
      'GET',
      () => ({ data: 'x' }),
      'Content-Type: text/plain; charset=utf-8\nContent-Length: 1\nx',
    ],
    [
      'JSON',
      'POST',
      () => ({ json: { a: [1, null] } }),
      'Content-Type: application/json\nContent-Length: 14\n{"a":[1,null]}',
    ],
    [
      'null as JSON',
      'POST',
      () => ({ json: null }),
      'Content-Type: application/json\nContent-Length: 4\nnull',
    ],
    [
      'a plain object',
      'POST',
      () => ({ data: { a: '1 2', b: ['é', 3] } }),
      'Content-Type: application/x-www-form-urlencoded\nContent-Length: 18\na=1+2&b=%C3%A9&b=3',
    ],
    [
      'pairs',
      'POST',
      () => ({
        data: [
          ['a', '1'],
          ['a', '2'],
        ],
      }),
      'Content-Type: application/x-www-form-urlencoded\nContent-Length: 7\na=1&a=2',
    ],
    [
      'URLSearchParams',
      'POST',
      () => ({ data: new URLSearchParams('a=1') }),
      'Content-Type: application/x-www-form-urlencoded\nContent-Length: 3\na=1',
    ],
    [
      'a multidict',
      'POST',
      () => ({ data: new MultiDict([['a', '1']]) }),
      'Content-Type: application/x-www-form-urlencoded\nContent-Length: 3\na=1',
    ],
    [
      'a Blob',
      'POST',
      () => ({ data: new Blob(['hello'], { type: 'a/b' }) }),
      'Content-Type: a/b\nContent-Length: 5\nhello',
    ],
    [
      'a File',
      'POST',
      () => ({ data: new File(['hello'], 'né "x".txt') }),
      `${octets}Content-Disposition: attachment; filename="n_ \\"x\\".txt"; filename*=UTF-8''n%C3%A9%20%22x%22.txt\nContent-Length: 5\nhello`,
    ],
    ['a Node stream', 'POST', () => ({ data: Readable.from(['hello']) }), chunkedHello],
    ['a web stream', 'POST', () => ({ data: new Blob(['hello']).stream() as never }), chunkedHello],
    ['a StreamReader', 'POST', () => ({ data: StreamReader.from(Buffer.from('hello')) }), chunkedHello],
    [
      'a function that opens a source',
      'POST',
      () => ({ data: () => Readable.from(['hello']) }),
      chunkedHello,
    ],
    [
      'text in chunks',
      'POST',
      () => ({ data: 'hello', chunked: true }),
      'Content-Type: text/plain; charset=utf-8\nTransfer-Encoding: chunked\n5\r\nhello\r\n0\r\n\r\n',
    ],
    [
      'a header that asks for chunks',
      'POST',
      () => ({ data: 'hello', headers: { 'Transfer-Encoding': 'chunked' } }),
      'Content-Type: text/plain; charset=utf-8\nTransfer-Encoding: chunked\n5\r\nhello\r\n0\r\n\r\n',
    ],
    [
      'a type of its own',
      'POST',
      () => ({ data: 'x', headers: { 'content-type': 'a/b' } }),
      'content-type: a/b\nContent-Length: 1\nx',
    ],
    [
      'a Content-Length that cuts text',
      'POST',
      () => ({ data: 'hello', headers: { 'Content-Length': '2' } }),
      'Content-Type: text/plain; charset=utf-8\nContent-Length: 2\nhe',
    ],
    [
      'a Content-Length that cuts a source',
      'POST',
      () => ({ data: Readable.from(['hel', 'lo']), headers: { 'Content-Length': '4' } }),
      `${octets}Content-Length: 4\nhell`,
    ],
  ];
  for (const [what, method, options, expected] of cases) {
    test(`${method} with ${what}`, async () => assert.equal(await sent(method, options()), expected));
  }

  test('compressed', async () => {
    const gzip = await sent('POST', { data: 'hello', compress: 'gzip' });
    assert.match(
      gzip,
      /^Content-Encoding: gzip\nContent-Type: text\/plain; charset=utf-8\nTransfer-Encoding: chunked\n/,
    );
    await using server = await new testing.TestServer(echo()).start();
    await using session = new ClientSession();
    for (const [compress, decode] of [
      ['gzip', gunzipSync],
      ['deflate', inflateSync],
      [true, inflateSync],
    ] as const) {
      const response = await session.post(server.makeUrl('/raw'), {
        data: 'hello '.repeat(10_000),
        compress,
      });
      assert.equal(decode(await response.read()).toString(), 'hello '.repeat(10_000));
    }
  });

  const contradictions: readonly (readonly [string, RequestOptions])[] = [
    ['compress with Content-Encoding', { data: 'x', compress: true, headers: { 'Content-Encoding': 'br' } }],
    ['chunked with Content-Length', { data: 'x', chunked: true, headers: { 'Content-Length': '1' } }],
    [
      'Content-Length with Transfer-Encoding',
      { data: 'x', headers: { 'Content-Length': '1', 'Transfer-Encoding': 'chunked' } },
    ],
    ['another Transfer-Encoding', { data: 'x', headers: { 'Transfer-Encoding': 'gzip, chunked' } }],
    ['a Content-Length that is no number', { data: 'x', headers: { 'Content-Length': '+1' } }],
    ['a Content-Length without body', { headers: { 'Content-Length': '1' } }],
  ];
  for (const [what, options] of contradictions) {
    test(`${what} is refused`, async () => {
      await using session = new ClientSession();
      await assert.rejects(session.post('http://127.0.0.1:1/', options), { code: 'AIO_REQUEST_FRAMING' });
    });
  }

  test('what cannot be sent is refused', async () => {
    await using session = new ClientSession();
    for (const data of [5, true, Symbol('s'), new (class Thing {})()]) {
      await assert.rejects(session.post('http://127.0.0.1:1/', { data: data as RequestData }), TypeError);
    }
    await assert.rejects(session.post('http://127.0.0.1:1/', { json: () => 1 }), {
      code: 'AIO_REQUEST_JSON',
    });
    await assert.rejects(
      session.post('http://127.0.0.1:1/', { data: 'x', compress: 'lzw' as never }),
      RangeError,
    );
  });

  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'client-body-'));
  });
  after(() => rm(folder, { recursive: true }));

  test('files', async () => {
    const name = path.join(folder, 'big');
    const bytes = Buffer.alloc(1_000_000, 'abcdefg');
    await writeFile(name, bytes);
    await using server = await new testing.TestServer(echo()).start();
    await using session = new ClientSession();
    const file = await open(name);
    for (let i = 0; i < 2; i++) {
      const response = await session.put(server.makeUrl('/raw'), { data: file });
      assert.equal(response.header('x-length'), '1000000');
      assert.deepEqual(Buffer.from(await response.read()), bytes);
    }
    await file.close();
    const response = await session.put(server.makeUrl('/raw'), { data: createReadStream(name) });
    assert.equal(response.header('x-length'), 'undefined');
    assert.deepEqual(Buffer.from(await response.read()), bytes);
  });

  test('large bytes arrive whole, and progress is told', async () => {
    await using server = await new testing.TestServer(echo()).start();
    await using session = new ClientSession();
    const bytes = Buffer.alloc(3_000_000, '0123456789');
    const up: Progress[] = [];
    const down: Progress[] = [];
    const response = await session.post(server.makeUrl('/raw'), {
      data: bytes,
      onUploadProgress: (progress) => up.push(progress),
      onDownloadProgress: (progress) => down.push(progress),
    });
    assert.deepEqual(Buffer.from(await response.read()), bytes);
    for (const told of [up, down]) {
      assert.ok(told.length > 1);
      assert.equal(told.at(-1)!.loaded, 3_000_000);
    }
    assert.equal(up[0]!.total, 3_000_000);
  });

  test('an error of the source fails the request', async () => {
    await using server = await RawServer.start(() => ok());
    await using session = new ClientSession();
    const mine = new Error('mine');
    async function* failing(): AsyncGenerator<string> {
      yield 'x';
      throw mine;
    }
    await assert.rejects(session.post(server.url, { data: failing() }), mine);
    await assert.rejects(session.post(server.url, { data: () => Promise.reject(mine) }), mine);
    await assert.rejects(
      session.post(server.url, { data: Readable.from(['a']), headers: { 'Content-Length': '5' } }),
      ClientPayloadError,
    );
    assert.equal(session.stats().busy, 0);
    assert.equal(session.stats().idle, 0);
  });

  test('an answer before the end of the upload stops it, releases the source and does not reuse the connection', async () => {
    await using server = await RawServer.start(() => undefined);
    await using session = new ClientSession();
    let released = false;
    async function* endless(): AsyncGenerator<string> {
      try {
        yield 'first';
        for (const socket of server.sockets) socket.write(ok('enough', '', '413 Too Large'));
        await new Promise(() => {});
      } finally {
        released = true;
      }
    }
    const response = await session.post(server.url, { data: endless() });
    assert.equal(response.status, 413);
    assert.equal(await response.text(), 'enough');
    assert.equal(session.stats().busy, 0);
    assert.equal(session.stats().idle, 0);
    void released; // a generator that waits cannot be ended from outside
    const readable = new Readable({ read() {} });
    readable.push('x');
    const before = new Set(server.sockets);
    const sending = session.post(server.url, { data: readable });
    const fresh = (): Socket | undefined =>
      [...server.sockets].find((socket) => !before.has(socket) && socket.bytesRead > 0);
    while (fresh() === undefined) await sleep(1);
    fresh()!.write(ok('enough'));
    await sending;
    assert.ok(readable.destroyed);
  });

  test('Expect: 100-continue sends the body when the server agrees, when it is silent, and not when it refuses', async () => {
    await using agreeing = await RawServer.start(({ head, socket }) => {
      if (!head.includes('Expect: 100-continue')) return undefined;
      socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      return undefined;
    });
    await using session = new ClientSession();
    const waiting = session.post(agreeing.url, { data: 'hello', expect100: true, timeout: { total: 300 } });
    await assert.rejects(waiting, { name: 'TotalTimeoutError' });
    await using server = await new testing.TestServer(echo()).start();
    const response = await session.post(server.makeUrl('/raw'), { data: 'hello', expect100: true });
    assert.equal(await response.text(), 'hello');

    await using refusing = await RawServer.start(({ head }) =>
      head.includes('Expect') ? ok('no', '', '417 No') : ok(),
    );
    let opened = false;
    const refused = await session.post(refusing.url, {
      data: () => {
        opened = true;
        return Readable.from(['x']);
      },
      expect100: true,
    });
    assert.equal(refused.status, 417);
    assert.equal(opened, false);
  });
});

function echo(): web.Application {
  const app = new web.Application({ clientMaxSize: 0 });
  app.addRoutes([
    web.route('*', '/raw', async (request) => {
      const body = await request.content.read();
      return new web.Response({
        body,
        headers: { 'X-Length': String(request.headers.get('content-length')) },
      });
    }),
  ]);
  return app;
}

import assert from 'node:assert/strict';
import { Blob, File } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import {
  ClientPayloadError,
  ClientSession,
  FormData,
  JsonPayload,
  MultipartWriter,
  type Progress,
  type RequestData,
  registerPayload,
  retryMiddleware,
} from '../../src/client/index.ts';
import { ok, RawServer, redirect } from './raw-server.ts';

/** The fields about the body, and the body, with `B` for the boundary. */
async function sent(data: RequestData): Promise<string> {
  await using server = await RawServer.start(() => ok());
  await using session = new ClientSession();
  await session.post(server.url, { data });
  return shown(server.requests[0]!);
}

function shown({ head, body }: { head: string; body: string }): string {
  const boundary = /boundary=([^\r]*)/.exec(head)?.[1] ?? 'none';
  const fields = head.split('\r\n').filter((line) => /^(?:content-type|transfer)/i.test(line));
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  // The length is of the boundary as it was.
  if (length !== undefined) assert.equal(Number(length), body.length);
  const all = [...fields, length === undefined ? 'chunked' : 'length', body].join('\n');
  return all.replaceAll(boundary, 'B');
}

const aFile =
  '--B\r\nContent-Disposition: form-data; name="f"; filename="n.txt"\r\nContent-Type: a/b\r\n\r\nhello\r\n';
const aField = '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1 2\r\n';
const file = (): File => new File(['hello'], 'n.txt', { type: 'a/b' });

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'client-forms-'));
});
after(() => rm(folder, { recursive: true }));

describe('forms as data', () => {
  const platform = (): globalThis.FormData => {
    const form = new globalThis.FormData();
    form.append('a', '1 2');
    form.append('f', file() as never);
    return form;
  };
  const writer = (): MultipartWriter => {
    const mixed = new MultipartWriter('mixed', 'BOUND');
    mixed.append('x', { 'Content-Type': 'a/b' });
    return mixed;
  };
  const cases: readonly (readonly [string, () => RequestData, string])[] = [
    [
      'a FormData of text',
      () => new FormData({ a: '1 2' }),
      'application/x-www-form-urlencoded\nlength\na=1+2',
    ],
    [
      'a FormData',
      () =>
        new FormData([
          ['a', '1 2'],
          ['f', file()],
        ]),
      `multipart/form-data; boundary=B\nlength\n${aField}${aFile}--B--\r\n`,
    ],
    [
      'a FormData of the platform',
      platform,
      `multipart/form-data; boundary=B\nlength\n${aField}${aFile}--B--\r\n`,
    ],
    [
      'an object with a file',
      () => ({ a: '1 2', f: file() }),
      `multipart/form-data; boundary=B\nlength\n${aField}${aFile}--B--\r\n`,
    ],
    [
      'pairs with a file',
      () => [['f', file()]],
      `multipart/form-data; boundary=B\nlength\n${aFile}--B--\r\n`,
    ],
    ['text with line ends', () => ({ a: '1\n2' }), 'application/x-www-form-urlencoded\nlength\na=1%0A2'],
    [
      'a MultipartWriter',
      writer,
      'multipart/mixed; boundary=B\nlength\n--B\r\nContent-Type: a/b\r\nContent-Length: 1\r\n\r\nx\r\n--B--\r\n',
    ],
    ['a payload', () => new JsonPayload([1]), 'application/json\nlength\n[1]'],
  ];
  for (const [what, make, expected] of cases) {
    test(what, async () => assert.equal(await sent(make()), `Content-Type: ${expected}`));
  }

  test('a stream among the fields makes it chunked', async () => {
    const text = await sent({ s: Readable.from(['x']) });
    assert.match(
      text,
      /^Content-Type: multipart\/form-data; boundary=B\nTransfer-Encoding: chunked\nchunked\n/,
    );
    assert.match(text, /name="s"; filename="blob"/);
  });

  test('a registered type', async () => {
    class Point {
      x = 1;
    }
    const remove = registerPayload(Point, (point) => new JsonPayload(point));
    try {
      assert.equal(await sent(new Point() as never), 'Content-Type: application/json\nlength\n{"x":1}');
    } finally {
      remove();
    }
  });

  test('a part that cannot be sent fails before a connection is made', async () => {
    await using session = new ClientSession();
    const data = new FormData([['a', 'x', { contentType: 'a/b\r\nX: y' }]]);
    await assert.rejects(session.post('http://127.0.0.1:1/', { data }), { code: 'AIO_PART_HEADER' });
  });

  test('large ones go out piece by piece, with progress', async () => {
    const name = path.join(folder, 'big');
    await writeFile(name, Buffer.alloc(3_000_000, 'x'));
    const handle = await open(name);
    await using server = await RawServer.start(() => ok());
    await using session = new ClientSession();
    const told: Progress[] = [];
    await session.post(server.url, {
      data: new FormData([['f', handle, { filename: 'big' }]]),
      onUploadProgress: (progress) => told.push(progress),
    });
    await handle.close();
    const { body } = server.requests[0]!;
    assert.ok(told.length > 3);
    assert.deepEqual(told.at(-1), { loaded: body.length, total: body.length });
    assert.ok(body.length > 3_000_000);
  });
});

describe('sending again', () => {
  test('a redirect that keeps the body sends a form again, with the same boundary', async () => {
    const name = path.join(folder, 'again');
    await writeFile(name, 'hello');
    const handle = await open(name);
    await using server = await RawServer.start(({ number }) => (number === 1 ? redirect('/b', 307) : ok()));
    await using session = new ClientSession();
    await session.post(server.url, { data: { a: '1', f: handle } });
    await handle.close();
    const [first, second] = server.requests;
    assert.equal(second!.body, first!.body);
    assert.match(second!.body, /hello/);
    assert.equal(/boundary=.*/.exec(second!.head)![0], /boundary=.*/.exec(first!.head)![0]);
  });

  test('a form with a stream cannot follow such a redirect', async () => {
    await using server = await RawServer.start(() => redirect('/b', 308));
    await using session = new ClientSession();
    const data = new FormData({ a: '1', s: Readable.from(['x']) });
    await assert.rejects(session.post(server.url, { data }), ClientPayloadError);
    assert.equal(server.requests.length, 1);
  });

  test('one with a function can', async () => {
    await using server = await RawServer.start(({ number }) => (number === 1 ? redirect('/b', 307) : ok()));
    await using session = new ClientSession();
    await session.post(server.url, { data: { s: () => Readable.from(['x']) } });
    assert.equal(server.requests[1]!.body, server.requests[0]!.body);
  });

  test('a FormData can be sent several times, and by a retry', async () => {
    await using server = await RawServer.start(({ number }) =>
      number === 1 ? ok('', '', '503 Service Unavailable') : ok(),
    );
    await using session = new ClientSession({
      middlewares: [retryMiddleware({ delay: 1, methods: ['POST'] })],
    });
    const form = new FormData({ f: new Blob(['x']) });
    await session.post(server.url, { data: form });
    form.addField('g', 'later');
    await session.post(server.url, { data: form });
    const bodies = server.requests.map(({ body }) => body);
    assert.equal(bodies.length, 3);
    assert.equal(bodies[0], bodies[1]);
    assert.match(bodies[2]!, /name="g"\r\n\r\nlater\r\n/);
  });
});

describe('what is not sent is let go of', () => {
  test('when there is no connection', async () => {
    await using session = new ClientSession();
    const name = path.join(folder, 'unsent');
    await writeFile(name, 'x');
    const one = createReadStream(name);
    const two = createReadStream(name);
    await assert.rejects(session.post('http://127.0.0.1:1/', { data: one }));
    await assert.rejects(session.post('http://127.0.0.1:1/', { data: { two } }));
    assert.deepEqual([one.destroyed, two.destroyed], [true, true]);
  });

  test('when the server does not want it', async () => {
    await using server = await RawServer.start(({ head }) =>
      head.includes('Expect') ? ok('no', '', '417 Expectation Failed') : ok(),
    );
    await using session = new ClientSession();
    const data = Readable.from(['x']);
    const response = await session.post(server.url, { data, expect100: true });
    assert.equal(response.status, 417);
    assert.equal(data.destroyed, true);
  });
});

import assert from 'node:assert/strict';
import { Blob, File } from 'node:buffer';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import {
  ClientSession,
  FormData,
  JsonPayload,
  MultipartWriter,
  registerPayload,
} from '../../src/client/index.ts';
import { TestServer } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';

let folder: string;
let name: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'response-payload-'));
  name = path.join(folder, 'a');
  await writeFile(name, 'file!');
});
after(() => rm(folder, { recursive: true }));

interface Answer {
  readonly type: string | undefined;
  readonly length: string | undefined;
  readonly disposition: string | undefined;
  readonly body: string;
}

async function answer(handler: () => web.Response | Promise<web.Response>, method = 'GET'): Promise<Answer> {
  const app = new web.Application();
  app.addRoutes([web.route('*', '/', handler)]);
  await using server = await new TestServer(app).start();
  await using session = new ClientSession();
  const response = await session.request(method, server.makeUrl('/'));
  const body = await response.text();
  // The connection is good for another request.
  assert.equal((await session.request(method, server.makeUrl('/missing'))).status, 404);
  return {
    type: response.header('content-type'),
    length: response.header('content-length'),
    disposition: response.header('content-disposition'),
    body,
  };
}

function mixed(): MultipartWriter {
  const writer = new MultipartWriter('mixed', 'b');
  writer.append('x', { 'Content-Type': 'a/b' });
  return writer;
}
const mixedBody = '--b\r\nContent-Type: a/b\r\nContent-Length: 1\r\n\r\nx\r\n--b--\r\n';

const cases: readonly (readonly [string, () => web.ResponseBody, Answer])[] = [
  [
    'a MultipartWriter',
    mixed,
    {
      type: 'multipart/mixed; boundary=b',
      length: String(mixedBody.length),
      disposition: undefined,
      body: mixedBody,
    },
  ],
  [
    'a JSON payload',
    () => new JsonPayload(['é']),
    { type: 'application/json', length: '6', disposition: undefined, body: '["é"]' },
  ],
  [
    'a Blob',
    () => new Blob(['x'], { type: 'a/b' }),
    { type: 'a/b', length: '1', disposition: undefined, body: 'x' },
  ],
  [
    'a File',
    () => new File(['x'], 'n.txt'),
    { type: 'application/octet-stream', length: '1', disposition: 'attachment; filename="n.txt"', body: 'x' },
  ],
  [
    'a form',
    () => new FormData({ a: '1 2' }),
    { type: 'application/x-www-form-urlencoded', length: '5', disposition: undefined, body: 'a=1+2' },
  ],
  [
    'a function that opens a source',
    () => () => Readable.from(['x']),
    { type: 'application/octet-stream', length: undefined, disposition: undefined, body: 'x' },
  ],
];
for (const [what, body, expected] of cases) {
  test(`${what} is answered`, async () => {
    assert.deepEqual(await answer(() => new web.Response({ body: body() })), expected);
    assert.deepEqual(await answer(() => new web.Response({ body: body() }), 'HEAD'), {
      ...expected,
      body: '',
    });
  });
}

test('an open file is answered with its length', async () => {
  const file = await open(name);
  const expected = { type: 'application/octet-stream', length: '5', disposition: undefined, body: 'file!' };
  assert.deepEqual(await answer(() => new web.Response({ body: file })), expected);
  const typed = await answer(() => new web.Response({ body: file, contentType: 'text/plain' }));
  assert.deepEqual(typed, { ...expected, type: 'text/plain' });
  await file.close();
});

test('a signal may give the response an open file', async () => {
  const file = await open(name);
  const app = new web.Application();
  app.addRoutes([web.get('/', () => new web.Response({ text: 'text' }))]);
  app.onResponsePrepare.append((_request, response) => {
    (response as web.Response).body = file;
  });
  await using server = await new TestServer(app).start();
  await using session = new ClientSession();
  const response = await session.get(server.makeUrl('/'));
  assert.deepEqual([response.header('content-length'), await response.text()], ['5', 'file!']);
  await file.close();
});

test('a registered type is answered', async () => {
  class Point {
    x = 1;
  }
  const remove = registerPayload(Point, (point) => new JsonPayload(point));
  try {
    const { type, body } = await answer(() => new web.Response({ body: new Point() as never }));
    assert.deepEqual([type, body], ['application/json', '{"x":1}']);
  } finally {
    remove();
  }
});

test('fields of the response come before those of the payload', async () => {
  const headers = { 'Content-Type': 'a/c', 'Content-Disposition': 'inline' };
  const { type, disposition } = await answer(
    () => new web.Response({ body: new File(['x'], 'n.txt', { type: 'a/b' }), headers }),
  );
  assert.deepEqual([type, disposition], ['a/c', 'inline']);
});

test('HEAD lets go of a stream in a multipart body', async () => {
  const stream = createReadStream(name);
  const closed = once(stream, 'close');
  await answer(() => {
    const writer = mixed();
    writer.append(stream);
    return new web.Response({ body: writer });
  }, 'HEAD');
  await closed;
});

test('a client that leaves ends the parts of a multipart body', async () => {
  const stream = new Readable({
    read() {
      setImmediate(() => this.push('x'));
    },
  });
  const app = new web.Application();
  app.addRoutes([
    web.get('/', () => {
      const writer = mixed();
      writer.append(stream);
      return new web.Response({ body: writer });
    }),
  ]);
  await using server = await new TestServer(app).start();
  await using session = new ClientSession();
  const closed = once(stream, 'close');
  const response = await session.get(server.makeUrl('/'));
  await response.content.readAny();
  response.close();
  await closed;
});

for (const [what, replace] of [
  ['answers with something else', () => new web.Response({ text: 'other' })],
  [
    'throws',
    () => {
      throw new web.HTTPForbidden();
    },
  ],
  [
    'gives the response another body',
    (response) => {
      (response as web.Response).text = 'other';
      return response;
    },
  ],
] as [string, (response: web.StreamResponse) => web.StreamResponse][]) {
  test(`a middleware that ${what} leaves no stream open`, async () => {
    const streams: Readable[] = [];
    const stream = (): Readable => {
      const made = createReadStream(name);
      streams.push(made);
      return made;
    };
    const app = new web.Application({
      middlewares: [async (request, handler) => replace(await handler(request))],
    });
    app.router.addGet('/stream', () => new web.Response({ body: stream() }));
    app.router.addGet('/parts', () => {
      const parts = new MultipartWriter();
      parts.append(stream());
      parts.append(stream());
      return new web.Response({ body: parts });
    });
    await using server = await new TestServer(app).start();
    await using session = new ClientSession();
    for (const path of ['stream', 'parts']) {
      await using response = await session.get(server.makeUrl(`/${path}`));
      assert.notEqual(await response.text(), 'file!');
    }
    assert.equal(streams.length, 3);
    for (const made of streams) if (!made.closed) await once(made, 'close');
  });
}

test('what cannot be sent is refused', () => {
  for (const body of [5, null, {}, [], new Date(), true]) {
    assert.throws(() => new web.Response({ body: body as never }), { name: 'TypeError', code: 'AIO_BODY' });
  }
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expectTypeOf } from 'expect-type';
import { web } from '../../src/index.ts';
import { TestServer } from '../../src/testing/index.ts';
import { makeCertificate } from '../net/certificates.ts';
import { rawRequest } from './raw-request.ts';
import { FileTree, openFilesBelow, parseAnswer, RunningApp } from './static-site.ts';

async function withApp(
  files: Readonly<Record<string, string | Uint8Array>>,
  handler: (tree: FileTree, request: web.Request) => web.HandlerResult | Promise<web.HandlerResult>,
  use: (app: RunningApp, tree: FileTree) => Promise<void>,
  middlewares: web.Middleware[] = [],
): Promise<void> {
  const tree = new FileTree(files);
  const app = await RunningApp.start([web.get('/', (request) => handler(tree, request))], middlewares);
  try {
    await use(app, tree);
  } finally {
    await app[Symbol.asyncDispose]();
    tree[Symbol.dispose]();
  }
}

/** Waits until none of the tree's files is open. */
async function allClosed(tree: FileTree): Promise<void> {
  let open = openFilesBelow(tree.base) ?? [];
  for (let turn = 0; turn < 2_000 && open.length > 0; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    open = openFilesBelow(tree.base) ?? [];
  }
  assert.deepEqual(open, []);
}

describe('FileResponse', () => {
  test('options: status, reason, headers, type, download name', async () => {
    await withApp(
      { 'a.bin': 'x' },
      (tree) =>
        new web.FileResponse(pathToFileURL(tree.path('a.bin')), {
          status: 201,
          reason: 'Made',
          headers: { 'X-A': 'b' },
          contentType: 'application/x-own',
          downloadName: 'März "1".txt',
          maxAge: 1_000,
        }),
      async (app) => {
        const answer = await app.request('/');
        assert.equal(answer.status, 201);
        assert.equal(answer.body, 'x');
        assert.equal(answer.headers.get('x-a'), 'b');
        assert.equal(answer.headers.get('content-type'), 'application/x-own');
        assert.equal(answer.headers.get('cache-control'), 'public, max-age=1');
        assert.match(
          answer.headers.get('content-disposition') ?? '',
          /^attachment; filename=.*filename\*=UTF-8''M%C3%A4rz/,
        );
      },
    );
  });

  test('content types by extension', async () => {
    const types: Record<string, string> = {
      'a.html': 'text/html; charset=utf-8',
      'a.JS': 'text/javascript; charset=utf-8',
      'a.mjs': 'text/javascript; charset=utf-8',
      'a.json': 'application/json',
      'a.svg': 'image/svg+xml',
      'a.woff2': 'font/woff2',
      'a.wasm': 'application/wasm',
      'a.tar.gz': 'application/gzip',
      'a.unknown': 'application/octet-stream',
      noextension: 'application/octet-stream',
      'dir.html/x': 'application/octet-stream',
      '.html': 'text/html; charset=utf-8',
    };
    using tree = new FileTree(Object.fromEntries(Object.keys(types).map((name) => [name, 'x'])));
    const app = new web.Application();
    app.router.addGet('/', (request) => new web.FileResponse(tree.path(request.query.get('n') ?? '')));
    for (const [name, type] of Object.entries(types)) {
      const answer = await app.fetch(new Request(`http://h/?n=${encodeURIComponent(name)}`));
      assert.equal(answer.headers.get('content-type'), type, name);
      await answer.text();
    }
  });

  test('what cannot be sent is 404 or 403', async () => {
    using tree = new FileTree({ 'a.txt': 'x' });
    mkdirSync(tree.path('dir'));
    const app = new web.Application();
    app.router.addGet('/', (request) => new web.FileResponse(request.query.get('n') ?? ''));
    for (const [name, status] of [
      [tree.path('none'), 404],
      [tree.path('a.txt/x'), 404],
      [`${tree.path('a.txt')}\0`, 404],
      [tree.path('n'.repeat(300)), 404],
      [tree.path('dir'), 403],
      [path.relative(process.cwd(), tree.path('a.txt')), 200],
    ] as const) {
      const answer = await app.fetch(new Request(`http://h/?n=${encodeURIComponent(name)}`));
      assert.equal(answer.status, status, name);
      await answer.text();
    }
  });

  test('a wrong path or option is refused at once', () => {
    assert.throws(() => new web.FileResponse(''), { name: 'TypeError', code: 'AIO_FILE_PATH' });
    assert.throws(() => new web.FileResponse(new URL('http://h/a')), { code: 'AIO_FILE_PATH' });
    assert.throws(() => new web.FileResponse(5 as unknown as string), { code: 'AIO_FILE_PATH' });
    assert.throws(() => new web.FileResponse('a', { chunkSize: 1.5 }), {
      name: 'RangeError',
      code: 'AIO_FILE_OPTION',
    });
    assert.throws(
      () => new web.FileResponse('a', { contentType: 'a/b', headers: { 'Content-Type': 'c/d' } }),
      { code: 'AIO_CONTENT_TYPE' },
    );
    expectTypeOf<web.FileResponse>().toExtend<web.StreamResponse>();
  });

  test('prepare() throws in the handler, or sends the head that the file has', async () => {
    await withApp(
      { 'a.txt': 'hello' },
      async (tree, request) => {
        const missing = new web.FileResponse(tree.path('none'));
        await assert.rejects(missing.prepare(request), web.HTTPNotFound);
        const response = new web.FileResponse(tree.path('a.txt'));
        await response.prepare(request);
        assert.equal(response.contentLength, 5);
        await response.prepare(request);
        if (request.query.has('eof')) await response.writeEof();
        return response;
      },
      async (app) => {
        assert.equal((await app.request('/')).body, 'hello');
        assert.equal((await app.request('/?eof')).body, 'hello');
      },
    );
  });

  test('a response is for one request', async () => {
    let shared: web.FileResponse | undefined;
    await withApp(
      { 'a.txt': 'hello' },
      (tree) => (shared ??= new web.FileResponse(tree.path('a.txt'))),
      async (app, tree) => {
        assert.equal((await app.request('/')).body, 'hello');
        assert.equal((await app.request('/')).status, 500);
        await allClosed(tree);
      },
    );
  });

  test('onResponsePrepare sees the head and may change it', async () => {
    using tree = new FileTree({ 'a.txt': 'hello' });
    const app = new web.Application();
    let seen: (string | undefined)[] = [];
    app.onResponsePrepare.append((_request, response) => {
      seen = ['Content-Length', 'Content-Type', 'ETag'].map((name) => response.headers.get(name));
      response.headers.set('X-Signal', 'yes');
    });
    app.router.addGet('/', () => new web.FileResponse(tree.path('a.txt')));
    const answer = await app.fetch(new Request('http://h/'));
    assert.equal(answer.headers.get('x-signal'), 'yes');
    assert.equal(await answer.text(), 'hello');
    assert.deepEqual(seen.slice(0, 2), ['5', 'text/plain; charset=utf-8']);
    assert.match(seen[2] ?? '', /^"/);
  });

  test('a Content-Encoding of the application keeps siblings away', async () => {
    const content = gzipSync('hello');
    await withApp(
      { 'a.txt': content, 'a.txt.gz': 'never' },
      (tree) => new web.FileResponse(tree.path('a.txt'), { headers: { 'Content-Encoding': 'gzip' } }),
      async (app) => {
        const answer = await app.request('/', { 'Accept-Encoding': 'gzip' });
        assert.equal(answer.body, content.toString('latin1'));
      },
    );
  });

  test('compression on the way: no siblings, no length, whatever the size', async () => {
    for (const size of [1_000, 500_000]) {
      using tree = new FileTree({ 'a.txt': 'x'.repeat(size), 'a.txt.gz': 'never' });
      const app = new web.Application();
      app.router.addGet('/', () => {
        const response = new web.FileResponse(tree.path('a.txt'));
        response.enableCompression('gzip');
        return response;
      });
      const answer = await app.fetch(new Request('http://h/', { headers: { 'Accept-Encoding': 'gzip' } }));
      assert.equal(answer.headers.get('content-encoding'), 'gzip');
      assert.equal(answer.headers.get('accept-ranges'), null);
      assert.match(answer.headers.get('etag') ?? '', /^W\//);
      const { gunzipSync } = await import('node:zlib');
      assert.equal(gunzipSync(Buffer.from(await answer.arrayBuffer())).toString(), 'x'.repeat(size));
      assert.deepEqual(openFilesBelow(tree.base) ?? [], []);
    }
  });

  test('one response for two requests: the second is 500, the first gets its file', async () => {
    const size = 8_000_000;
    let response: web.FileResponse | undefined;
    await withApp(
      { 'a.bin': Buffer.alloc(size, 'a') },
      (tree) => {
        response ??= new web.FileResponse(tree.path('a.bin'));
        return response;
      },
      async (app, tree) => {
        const socket = connect(app.port, '127.0.0.1');
        socket.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
        // Not read any further yet: the file stays open.
        await once(socket, 'readable');
        assert.equal((await app.request('/')).status, 500);
        let received = 0;
        for await (const piece of socket) received += (piece as Buffer).length;
        assert.ok(received > size, `${received}`);
        await allClosed(tree);
      },
    );
  });

  test('a date in the future is not sent', async () => {
    await withApp(
      { 'a.txt': 'x' },
      (tree) => new web.FileResponse(tree.path('a.txt')),
      async (app, tree) => {
        const { utimesSync } = await import('node:fs');
        utimesSync(tree.path('a.txt'), 4_000_000_000, 4_000_000_000);
        const { headers } = await app.request('/');
        const time = (name: string): number => Date.parse(headers.get(name) ?? '');
        assert.ok(time('last-modified') <= time('date'));
      },
    );
  });

  test('Last-Modified of a file that has just changed is not later than a Date that is a tick old', async (t) => {
    await withApp(
      { 'a.txt': 'x' },
      (tree) => new web.FileResponse(tree.path('a.txt')),
      async (app, tree) => {
        const { utimesSync } = await import('node:fs');
        await app.request('/');
        const now = Math.ceil(Date.now() / 1000) * 1000 + 4_000;
        t.mock.method(Date, 'now', () => now);
        utimesSync(tree.path('a.txt'), now / 1000, now / 1000);
        const { headers } = await app.request('/');
        assert.equal(Date.parse(headers.get('last-modified') ?? ''), now);
        assert.equal(Date.parse(headers.get('date') ?? ''), now);
      },
    );
  });

  test('many at once, pipelined, HTTP/1.0', async () => {
    await withApp(
      { 'a.txt': 'hello', 'b.bin': Buffer.alloc(300_000, 'b') },
      (tree, request) => new web.FileResponse(tree.path(request.query.get('n') ?? 'a.txt')),
      async (app, tree) => {
        const answers = await Promise.all(
          Array.from({ length: 60 }, (_, index) => app.request(index % 3 === 0 ? '/?n=b.bin' : '/')),
        );
        for (const [index, { body }] of answers.entries())
          assert.equal(body.length, index % 3 === 0 ? 300_000 : 5);
        const get = 'GET /?n=b.bin HTTP/1.1\r\nHost: h\r\n\r\nHEAD / HTTP/1.1\r\nHost: h\r\n\r\n';
        const text = await rawRequest(app.port, `${get.repeat(3)}GET / HTTP/1.0\r\n\r\n`);
        assert.equal(text.split('HTTP/1.1 200 OK').length, 8);
        assert.ok(text.endsWith('hello'));
        await allClosed(tree);
      },
    );
  });
});

describe('large files to slow clients', () => {
  for (const isSecure of [false, true]) {
    test(`${isSecure ? 'TLS' : 'TCP'}: each gets its own bytes, though chunks are used again`, async () => {
      const contents = [randomBytes(3_000_001), randomBytes(2_000_003), randomBytes(1_500_000)];
      using tree = new FileTree(
        Object.fromEntries(contents.map((content, index) => [`${index}.bin`, content])),
      );
      const app = new web.Application();
      app.addRoutes([web.static('/', tree.root)]);
      const { cert, key } = makeCertificate();
      const options = isSecure ? { sslContext: { cert, key } } : {};
      await using server = await new TestServer(app, options).start();
      const download = async (index: number): Promise<Buffer> => {
        const address = { port: server.port, host: '127.0.0.1' };
        const socket = isSecure ? connectTls({ ...address, rejectUnauthorized: false }) : connect(address);
        socket.write(`GET /${index}.bin HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
        const chunks: Buffer[] = [];
        for await (const chunk of socket) {
          chunks.push(chunk as Buffer);
          if (chunks.length % 7 === index) await new Promise((resolve) => setTimeout(resolve, 1));
        }
        const answer = Buffer.concat(chunks);
        return answer.subarray(answer.indexOf('\r\n\r\n') + 4);
      };
      const indexes = [0, 1, 2, 0, 1, 2, 0];
      const bodies = await Promise.all(indexes.map(download));
      for (const [at, body] of bodies.entries())
        assert.ok(body.equals(contents[indexes[at]!]!), `download ${at}`);
      await allClosed(tree);
    });
  }
});

describe('files that change while they are sent', () => {
  const size = 8_000_000;

  /** Asks for a file, waits for its head, runs `meanwhile`, then reads to the end. */
  async function slowly(app: RunningApp, meanwhile: () => void): Promise<string> {
    const socket = connect(app.port, '127.0.0.1');
    socket.setEncoding('latin1');
    socket.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    let text = '';
    socket.on('error', () => {});
    await once(socket, 'readable');
    text += socket.read();
    meanwhile();
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    await once(socket, 'close');
    return text;
  }

  const serve = (tree: FileTree): web.FileResponse => new web.FileResponse(tree.path('a.bin'));

  test('one that grows is sent to the announced length', async () => {
    await withApp({ 'a.bin': Buffer.alloc(size, 'x') }, serve, async (app, tree) => {
      const answer = parseAnswer(
        await slowly(app, () => appendFileSync(tree.path('a.bin'), 'y'.repeat(1_000))),
      );
      assert.equal(answer.headers.get('content-length'), String(size));
      assert.equal(answer.body.length, size);
      assert.doesNotMatch(answer.body, /y/);
    });
  });

  test('one that shrinks ends the connection, nothing is padded', async () => {
    await withApp({ 'a.bin': Buffer.alloc(size, 'x') }, serve, async (app, tree) => {
      const answer = parseAnswer(await slowly(app, () => truncateSync(tree.path('a.bin'), 100)));
      assert.ok(answer.body.length < size);
      assert.match(answer.body, /^x*$/);
      assert.match(JSON.stringify(app.logger), /AIO_FILE_CHANGED|FileChangedError/);
      await allClosed(tree);
    });
  });

  test('one that is removed is sent whole: it is open', async () => {
    await withApp({ 'a.bin': Buffer.alloc(size, 'x') }, serve, async (app, tree) => {
      const { rmSync } = await import('node:fs');
      const answer = parseAnswer(await slowly(app, () => rmSync(tree.path('a.bin'))));
      assert.equal(answer.body.length, size);
    });
  });

  test('one that is shorter than it says is 500 before anything is sent', {
    skip: process.platform !== 'linux',
  }, async () => {
    // Files of /proc have a size of 0 or of a page and less in them.
    const app = await RunningApp.start([
      web.get('/', () => new web.FileResponse('/sys/kernel/mm/transparent_hugepage/enabled')),
    ]);
    try {
      const { status } = await app.request('/');
      assert.ok(status === 500 || status === 404);
    } finally {
      await app[Symbol.asyncDispose]();
    }
  });
});

describe('no file stays open', () => {
  const big = Buffer.alloc(20_000_000, 'x');
  const cases: [
    string,
    (tree: FileTree, request: web.Request) => web.HandlerResult | Promise<web.HandlerResult>,
  ][] = [
    ['FileResponse', (tree) => new web.FileResponse(tree.path('a.bin'))],
    [
      'a handler that throws after prepare()',
      async (tree, request) => {
        const response = new web.FileResponse(tree.path('a.bin'));
        await response.prepare(request);
        throw new Error('boom');
      },
    ],
    [
      'a response that is prepared and replaced',
      async (tree, request) => {
        await new web.FileResponse(tree.path('a.bin')).prepare(request);
        return new web.Response({ text: 'other' });
      },
    ],
  ];
  for (const [name, handler] of cases) {
    test(`${name}: when the client leaves in the middle`, async () => {
      await withApp({ 'a.bin': big }, handler, async (app, tree) => {
        for (let turn = 0; turn < 5; turn++) {
          const socket = connect(app.port, '127.0.0.1');
          socket.on('error', () => {});
          socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
          await once(socket, 'readable');
          socket.destroy();
          await once(socket, 'close');
        }
        await allClosed(tree);
      });
    });
  }

  test('static files: client gone, HEAD, 304, 412, 416, ranges', async () => {
    using tree = new FileTree({ 'a.bin': big, 'b.txt': 'b' });
    writeFileSync(tree.path('a.bin.gz'), big);
    const app = await RunningApp.start([web.static('/static', tree.root)]);
    try {
      for (const name of ['a.bin', 'b.txt']) {
        for (const [headers, method] of [
          [{}, 'HEAD'],
          [{ 'If-None-Match': '*' }, 'GET'],
          [{ 'If-Match': '"x"' }, 'GET'],
          [{ Range: 'bytes=99999999-' }, 'GET'],
          [{ Range: 'bytes=0-0,9-9' }, 'GET'],
          [{ 'Accept-Encoding': 'gzip' }, 'HEAD'],
        ] as const) {
          await app.request(`/static/${name}`, headers, method);
        }
      }
      for (let turn = 0; turn < 10; turn++) {
        const socket = connect(app.port, '127.0.0.1');
        socket.on('error', () => {});
        socket.write('GET /static/a.bin HTTP/1.1\r\nHost: h\r\n\r\n');
        if (turn % 2 === 0) await once(socket, 'readable');
        else await new Promise(setImmediate);
        socket.destroy();
        await once(socket, 'close');
      }
      await allClosed(tree);
      assert.doesNotMatch(JSON.stringify(app.logger), /Error handling/);
    } finally {
      await app[Symbol.asyncDispose]();
    }
  });
});

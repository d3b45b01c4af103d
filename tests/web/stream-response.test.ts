import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { web } from '../../src/index.ts';
import { Listener } from '../../src/net/index.ts';
import { answer, CLOSE, split, wire } from './answer.ts';
import { collectingLogger } from './collecting-logger.ts';
import { rawRequest } from './raw-request.ts';

const GET = `GET / HTTP/1.1\r\n${CLOSE}\r\n`;
const KEEP = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

/** A handler that streams these pieces. */
function streaming(pieces: readonly string[], options?: web.StreamResponseOptions): web.RawHandler {
  return async (request) => {
    const response = new web.StreamResponse(options);
    await response.prepare(request);
    for (const piece of pieces) await response.write(Buffer.from(piece));
    return response;
  };
}

/** What an application with a signal sends over a socket. */
async function withSignals(
  prepare: web.ResponsePrepareHandler,
  handler: web.Handler,
  bytes: string,
): Promise<{ text: string; errors: string[] }> {
  const logger = collectingLogger();
  const app = new web.Application({ logger });
  app.onResponsePrepare.append(prepare);
  app.router.addRoute('*', '/{tail:.*}', handler);
  const runner = new web.AppRunner(app, { logger });
  await runner.setup();
  const site = new web.TCPSite(runner, '127.0.0.1', 0);
  await site.start();
  try {
    return { text: await rawRequest(site.port ?? 0, bytes), errors: logger.errors };
  } finally {
    await runner.cleanup();
  }
}

describe('StreamResponse', () => {
  test('is chunked on HTTP/1.1', async () => {
    const text = await wire(streaming(['ab', '', 'c']), GET);
    const { lines, body } = split(text);
    assert.ok(lines.includes('Transfer-Encoding: chunked'));
    assert.ok(lines.includes('Content-Type: application/octet-stream'));
    assert.equal(body, '2\r\nab\r\n1\r\nc\r\n0\r\n\r\n', 'an empty piece does not end it');
  });

  test('is ended by the connection on HTTP/1.0', async () => {
    const { head, body } = split(await wire(streaming(['ab', 'c']), 'GET / HTTP/1.0\r\n\r\n'));
    assert.ok(!/transfer-encoding|content-length/i.test(head));
    assert.equal(body, 'abc');
  });

  test('has the length that is declared', async () => {
    const handler: web.RawHandler = async (request) => {
      const response = new web.StreamResponse({ headers: { 'Content-Type': 'text/plain' } });
      response.contentLength = 3;
      await response.prepare(request);
      await response.write(Buffer.from('ab'));
      await response.writeEof(Buffer.from('c'));
      assert.equal(response.bodyLength, 3);
      return response;
    };
    const { lines, body } = split(await wire(handler, GET));
    assert.ok(lines.includes('Content-Length: 3'));
    assert.equal(body, 'abc');
    const platform = await answer(handler);
    assert.equal(platform.headers.get('content-length'), '3');
    assert.equal(await platform.text(), 'abc');
  });

  test('HEAD never sends bytes, and the connection goes on', async () => {
    const text = await wire(
      streaming(['secret']),
      `HEAD / HTTP/1.1\r\nHost: h\r\n\r\nHEAD / HTTP/1.1\r\n${CLOSE}\r\n`,
    );
    assert.equal(text.match(/HTTP\/1\.1 200 OK/g)?.length, 2);
    assert.ok(!text.includes('secret') && !text.includes('0\r\n\r\n'));
    assert.equal(await (await answer(streaming(['secret']), '/', { method: 'HEAD' })).text(), '');
  });

  for (const status of [204, 304]) {
    test(`${status} never sends bytes`, async () => {
      const { lines, body } = split(await wire(streaming(['secret'], { status }), GET));
      assert.equal(body, '');
      assert.ok(!lines.some((line) => /^(content-length|transfer-encoding|content-type)/i.test(line)));
      assert.equal(await (await answer(streaming(['secret'], { status }))).text(), '');
    });
  }

  for (const length of ['2', '9']) {
    test(`3 bytes for a declared length of ${length} cut the connection`, async () => {
      const logger = collectingLogger();
      const handler = streaming(['abc'], { headers: { 'Content-Length': length } });
      const text = await wire(handler, KEEP + KEEP, { logger });
      assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1, 'no second answer on the connection');
      assert.equal(logger.errors.length, 1);
      assert.match(logger.errors[0] ?? '', new RegExp(`Content-Length is ${length}`));
      await assert.rejects((await answer(handler)).text());
    });
  }

  test('an HTTP exception after the head cuts the connection instead of sending a second head', async () => {
    const handler: web.RawHandler = async (request) => {
      const response = new web.StreamResponse();
      await response.prepare(request);
      await response.write(Buffer.from('part'));
      throw new web.HTTPForbidden();
    };
    const text = await wire(handler, KEEP);
    assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1);
    assert.ok(!text.includes('403') && !text.endsWith('0\r\n\r\n'));
    await assert.rejects((await answer(handler)).text());
  });

  test('another response after the head cuts the connection', async () => {
    const logger = collectingLogger();
    const handler: web.RawHandler = async (request) => {
      await new web.StreamResponse().prepare(request);
      return new web.Response({ text: 'other' });
    };
    const text = await wire(handler, KEEP, { logger });
    assert.ok(!text.includes('other'));
    assert.match(logger.errors.join('\n'), /AIO_RESPONSE_STARTED/);
  });

  test('calls in the wrong order are errors that say what to do', async () => {
    const fresh = new web.StreamResponse();
    await assert.rejects(fresh.write(Buffer.from('x')), { code: 'AIO_RESPONSE_NOT_PREPARED' });
    await assert.rejects(fresh.writeEof(), { code: 'AIO_RESPONSE_NOT_PREPARED' });
    await answer(async (request) => {
      const response = new web.StreamResponse();
      assert.equal(response.prepared, false);
      await response.prepare(request);
      await response.prepare(request);
      assert.equal(response.prepared, true);
      await assert.rejects(response.write('text' as unknown as Uint8Array), {
        name: 'TypeError',
        code: 'AIO_BODY',
      });
      assert.throws(() => response.setStatus(404), { code: 'AIO_RESPONSE_PREPARED' });
      assert.throws(() => response.enableChunkedEncoding(), { code: 'AIO_RESPONSE_PREPARED' });
      await response.writeEof();
      await response.writeEof();
      await assert.rejects(response.write(Buffer.from('x')), { code: 'AIO_RESPONSE_ENDED' });
      return response;
    });
  });

  test('chunked and Content-Length exclude each other, HTTP/1.0 has no chunks', async () => {
    const response = new web.StreamResponse();
    response.contentLength = 3;
    assert.throws(() => response.enableChunkedEncoding(), { code: 'AIO_RESPONSE_FRAMING' });
    response.contentLength = undefined;
    response.enableChunkedEncoding();
    assert.equal(response.chunked, true);
    assert.throws(
      () => {
        response.contentLength = 3;
      },
      { code: 'AIO_RESPONSE_FRAMING' },
    );
    assert.throws(
      () => {
        new web.StreamResponse().contentLength = -1;
      },
      { code: 'AIO_CONTENT_LENGTH' },
    );
    const text = await wire(async (request) => {
      const chunked = new web.StreamResponse();
      chunked.enableChunkedEncoding();
      await assert.rejects(chunked.prepare(request), { code: 'AIO_RESPONSE_FRAMING' });
      return new web.Response({ text: 'instead' });
    }, 'GET / HTTP/1.0\r\n\r\n');
    assert.equal(split(text).body, 'instead');
  });

  test('a bad header is an error of prepare, and another response can follow', async () => {
    const text = await wire(async (request) => {
      const bad = new web.StreamResponse({ headers: { 'X-A': 'a\r\nb' } });
      await assert.rejects(bad.prepare(request), TypeError);
      return new web.Response({ text: 'instead' });
    }, GET);
    assert.equal(split(text).body, 'instead');
  });

  test('keepAlive and forceClose', async () => {
    const text = await wire(async (request) => {
      const response = new web.StreamResponse();
      assert.equal(response.keepAlive, undefined);
      await response.prepare(request);
      assert.equal(response.keepAlive, true);
      response.forceClose();
      assert.equal(response.keepAlive, false);
      return response;
    }, KEEP);
    assert.ok(text.endsWith('0\r\n\r\n'));
  });

  test('a client that went away is an error of write', async () => {
    const { promise, reject, resolve } = deferred<unknown>();
    const server = new web.Server(
      async (request) => {
        const response = new web.StreamResponse();
        await response.prepare(request);
        try {
          for (;;) await response.write(new Uint8Array(65_536));
        } catch (error) {
          await response.write(new Uint8Array(1)).catch(reject);
          assert.equal(request.signal.aborted, true);
          resolve(error);
          throw error;
        }
      },
      { logger: collectingLogger() },
    );
    const listener = new Listener(server, { host: '127.0.0.1', port: 0 });
    await listener.start();
    const { connect } = await import('node:net');
    const address = listener.address;
    assert.ok(address !== null && typeof address === 'object');
    const socket = connect(address.port, '127.0.0.1', () => socket.write(KEEP));
    socket.once('data', () => socket.destroy());
    await assert.rejects(promise, { code: 'AIO_CLIENT_DISCONNECTED' });
    await listener.stop();
    await server.shutdown(0);
  });

  for (const coding of [undefined, 'gzip'] as const) {
    test(`a write that nobody awaits${coding === undefined ? '' : ', compressed,'} ended the process when the client left`, async () => {
      const unhandled: unknown[] = [];
      const note = (error: unknown): number => unhandled.push(error);
      process.on('unhandledRejection', note);
      const over = deferred<void>();
      const server = new web.Server(
        async (request) => {
          const response = new web.StreamResponse();
          if (coding !== undefined) response.enableCompression(coding, { flush: true });
          await response.prepare(request);
          const noise = randomBytes(65_536);
          const write = (): void => void response.write(noise);
          for (let piece = 0; piece < 300; piece++) write();
          request.onDone(() => {
            write();
            void response.drain();
            void response.writeEof(noise);
            over.resolve();
          });
          await over.promise;
          return response;
        },
        { logger: collectingLogger() },
      );
      const listener = new Listener(server, { host: '127.0.0.1', port: 0 });
      await listener.start();
      const { connect } = await import('node:net');
      const address = listener.address;
      assert.ok(address !== null && typeof address === 'object');
      const socket = connect(address.port, '127.0.0.1', () => socket.write(KEEP));
      socket.once('data', () => socket.destroy());
      await over.promise;
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      process.off('unhandledRejection', note);
      assert.deepEqual(unhandled, []);
      await listener.stop();
      await server.shutdown(0);
    });
  }
});

function deferred<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

describe('onResponsePrepare', () => {
  test('sees what will be sent, and may change and remove it', async () => {
    let names: string[] = [];
    const { text } = await withSignals(
      (_request, response) => {
        names = [...response.headers.keys()];
        response.headers.delete('Server');
        response.headers.set('Date', 'then');
        response.setCookie('late', '1');
      },
      () => {
        const response = new web.Response({ text: 'abc' });
        response.setCookie('early', '1');
        return response;
      },
      GET,
    );
    assert.deepEqual(names, ['Content-Type', 'Set-Cookie', 'Content-Length', 'Date', 'Server']);
    assert.deepEqual(split(text).lines, [
      'HTTP/1.1 200 OK',
      'Content-Type: text/plain; charset=utf-8',
      'Date: then',
      'Set-Cookie: early=1; Path=/',
      'Set-Cookie: late=1; Path=/',
      'Content-Length: 3',
      'Connection: close',
    ]);
  });

  test('runs for streams, platform responses, redirects and 404', async () => {
    const handlers: web.Handler[] = [
      async (request) => {
        const response = new web.StreamResponse();
        await response.prepare(request);
        return response;
      },
      () => new globalThis.Response('x'),
      () => {
        throw new web.HTTPFound('/x');
      },
      () => new web.HTTPNotFound(),
      () => new web.Response({ status: 204 }),
    ];
    for (const handler of handlers) {
      const { text } = await withSignals(
        (_request, response) => response.headers.set('X-Seen', 'yes'),
        handler,
        GET,
      );
      assert.ok(split(text).lines.includes('X-Seen: yes'), text);
    }
  });

  test('may replace the body', async () => {
    const { text } = await withSignals(
      async (_request, response) => {
        await null;
        if (response instanceof web.Response) response.text = 'longer than before';
      },
      () => new web.Response({ text: 'abc' }),
      GET,
    );
    assert.ok(split(text).lines.includes('Content-Length: 18'));
    assert.equal(split(text).body, 'longer than before');
  });

  test('one that fails aborts the answer', async () => {
    let calls = 0;
    const { text, errors } = await withSignals(
      () => {
        calls++;
        throw new Error('signal failed');
      },
      () => new web.Response({ text: 'secret' }),
      KEEP,
    );
    assert.ok(!text.includes('secret'));
    assert.ok(calls >= 1);
    assert.match(errors.join('\n'), /signal failed/);
  });
});

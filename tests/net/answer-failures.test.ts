import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CIMultiDict } from '../../src/message/index.ts';
import type { Exchange, ResponseHead } from '../../src/net/index.ts';
import { deferred, echo, headOf, NetServer } from './net-server.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const OLD = 'GET / HTTP/1.0\r\n\r\n';

describe('what a handler gets wrong', () => {
  const throws = async (use: (exchange: Exchange) => void): Promise<{ error: unknown; received: string }> => {
    const thrown = deferred<unknown>();
    await using running = await NetServer.start((exchange) => {
      try {
        use(exchange);
        thrown.resolve(undefined);
      } catch (error) {
        thrown.resolve(error);
      }
    });
    const client = await running.connect();
    await client.send(GET + GET);
    const error = await thrown.promise;
    if (error === undefined) return { error, received: '' };
    if ((error as { code?: string }).code !== 'AIO_BAD_HEAD') await client.closed;
    return { error, received: client.take() };
  };

  test('more bytes than Content-Length: an error, and the connection is cut', async () => {
    const { error, received } = await throws((exchange) => {
      exchange.start(headOf(), 5);
      exchange.write('hel');
      exchange.write('lo!');
    });
    assert.equal(
      (error as Error).message,
      'Content-Length is 5, but 6 bytes were written: the connection was cut',
    );
    assert.equal((error as { code?: string }).code, 'AIO_RESPONSE_STATE');
    assert.ok(!received.includes('lo!'));
  });

  test('aiohttp weakness 2: fewer bytes than Content-Length: an error, and the client sees the truncation', async () => {
    const { error, received } = await throws((exchange) => {
      exchange.start(headOf(), 5);
      exchange.write('hel');
      exchange.end();
    });
    assert.equal(
      (error as Error).message,
      'Content-Length is 5, but only 3 bytes were written: the connection was cut',
    );
    assert.ok(received === '' || received.endsWith('hel'), received);
  });

  test('aiohttp weakness 3: a second head is never written', async () => {
    await using running = await NetServer.start((exchange) => {
      exchange.start(headOf(), undefined);
      exchange.write('first');
      assert.throws(() => exchange.respond(headOf(500), 'second'), { code: 'AIO_RESPONSE_STATE' });
      assert.throws(() => exchange.start(headOf(500), 3), { code: 'AIO_RESPONSE_STATE' });
      assert.throws(() => exchange.upgrade(headOf(101)), { code: 'AIO_RESPONSE_STATE' });
      exchange.end();
    });
    const received = await running.exchange(GET);
    assert.equal(received, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n');
  });

  test('write and end in the wrong order', async () => {
    await using running = await NetServer.start((exchange) => {
      assert.throws(() => exchange.write('x'), {
        code: 'AIO_RESPONSE_STATE',
        message: 'write() comes before the head of the answer',
      });
      assert.throws(() => exchange.end(), {
        code: 'AIO_RESPONSE_STATE',
        message: 'end() comes before the head of the answer',
      });
      exchange.keepAlive = false;
      exchange.respond(headOf(), 'x');
      assert.throws(() => exchange.write('x'), {
        code: 'AIO_RESPONSE_STATE',
        message: 'write() comes after the end of the answer',
      });
      assert.throws(() => exchange.end(), {
        code: 'AIO_RESPONSE_STATE',
        message: 'end() comes after the end of the answer',
      });
      assert.throws(() => exchange.respond(headOf(), 'x'), { code: 'AIO_RESPONSE_STATE' });
    });
    assert.match(await running.exchange(GET), /\r\n\r\nx$/);
  });

  const badHeads: [name: string, head: ResponseHead, length?: number][] = [
    ['CRLF in a value', headOf(200, { X: 'a\r\nY: b' })],
    ['a name that is no token', headOf(200, { 'X Y': 'a' })],
    ['CRLF in the content type', headOf(200, undefined, 'a/b\r\nY: b')],
    ['CRLF in the reason', { ...headOf(), reason: 'OK\r\nY: b' }],
    ['a status that is none', headOf(42)],
    ['a length that is none', headOf(200, { 'Content-Length': '1e3' })],
    ['an unknown coding', headOf(200, { 'Transfer-Encoding': 'gzip' })],
  ];
  for (const [name, head] of badHeads) {
    test(`${name}: nothing is sent, and another answer can be`, async () => {
      await using running = await NetServer.start((exchange) => {
        assert.throws(() => exchange.respond(head, 'x'), { code: 'AIO_BAD_HEAD' });
        assert.throws(() => exchange.start(head, undefined), { code: 'AIO_BAD_HEAD' });
        assert.equal(exchange.started, false);
        echo(exchange);
      });
      assert.equal(
        await running.exchange(GET).then((text) => text.replace('Connection: close\r\n', '')),
        'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nGET /',
      );
    });
  }

  test('a Content-Length that is not the body’s, or together with chunked', async () => {
    await using running = await NetServer.start((exchange) => {
      assert.throws(() => exchange.respond(headOf(200, { 'Content-Length': '5' }), 'hell'), {
        code: 'AIO_RESPONSE_STATE',
        message: 'Content-Length is set to 5, but the body has 4 bytes',
      });
      assert.throws(
        () =>
          exchange.start(headOf(200, { 'Content-Length': '5', 'Transfer-Encoding': 'chunked' }), undefined),
        {
          code: 'AIO_RESPONSE_STATE',
        },
      );
      echo(exchange);
    });
    assert.match(await running.exchange(GET), /GET \/$/);
  });

  test('forbidden trailers', async () => {
    await using running = await NetServer.start((exchange) => {
      exchange.start(headOf(), undefined);
      assert.throws(() => exchange.end(new CIMultiDict({ 'Content-Length': '5' })), { code: 'AIO_BAD_HEAD' });
      assert.throws(() => exchange.end(new CIMultiDict({ X: '\r\n' })), { code: 'AIO_BAD_HEAD' });
      exchange.end();
    });
    assert.match(await running.exchange(GET), /\r\n\r\n0\r\n\r\n$/);
  });
});

describe('abort: the client can see that the answer is not complete', () => {
  test('of known length: the connection ends too early', async () => {
    const client = await abortAfter(GET, 10);
    assert.match(client, /Content-Length: 10\r\n\r\npart$/);
  });

  test('chunked: the last chunk is missing', async () => {
    const client = await abortAfter(GET, undefined);
    assert.match(client, /\r\n\r\n4\r\npart\r\n$/);
  });

  test('until close: the connection is reset', async () => {
    const seen = deferred();
    await using running = await NetServer.start(async (exchange) => {
      exchange.start(headOf(), undefined);
      exchange.write('part');
      await seen.promise; // libuv tells of data and a reset together as of data and an end
      exchange.abort();
    });
    const client = await running.connect();
    await client.send(OLD);
    await client.until('part');
    seen.resolve();
    assert.equal(await client.closed, 'reset');
  });

  test('before the head: the connection ends', async () => {
    await using running = await NetServer.start((exchange) => exchange.abort());
    const client = await running.connect();
    await client.send(GET + GET);
    await client.closed;
    assert.equal(client.received, '');
    assert.equal(running.server.requestsCount, 1);
  });

  async function abortAfter(request: string, length: number | undefined): Promise<string> {
    const seen = deferred();
    await using running = await NetServer.start(async (exchange) => {
      exchange.start(headOf(), length);
      exchange.write('part');
      await seen.promise;
      exchange.abort();
      assert.throws(() => exchange.write('more'), { code: 'AIO_CLIENT_DISCONNECTED' });
    });
    const client = await running.connect();
    await client.send(request);
    await client.until('part');
    seen.resolve();
    return client.all();
  }
});

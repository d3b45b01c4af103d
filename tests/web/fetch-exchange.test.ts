import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { web } from '../../src/index.ts';
import { CIMultiDict } from '../../src/message/index.ts';
import { FetchExchange } from '../../src/web/fetch-exchange.ts';
import { answer, makeRequest } from './answer.ts';

function exchangeFor(init?: RequestInit, url = 'http://h.example:81/a%20b?c=d'): FetchExchange {
  return new FetchExchange(new globalThis.Request(url, init));
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the exchange behind app.fetch', () => {
  test('gives the head of a platform request', () => {
    const request = new web.Request(
      exchangeFor({
        method: 'PUT',
        headers: [
          ['X-A', '1'],
          ['X-A', '2'],
        ],
      }),
    );
    assert.equal(request.method, 'PUT');
    assert.equal(request.rawPath, '/a%20b?c=d');
    assert.equal(request.host, 'h.example:81');
    assert.equal(request.headers.get('Host'), 'h.example:81');
    assert.equal(request.headers.get('x-a'), '1, 2');
    assert.equal(request.secure, false);
    assert.equal(new web.Request(exchangeFor({}, 'https://h/')).scheme, 'https');
    assert.equal(request.remote, undefined);
    assert.equal(request.transport, undefined);
    assert.equal(request.trailers, undefined);
    assert.equal(request.url.href, 'http://h.example:81/a%20b?c=d');
  });

  test('streams the body in, and stops reading when nobody takes it', async () => {
    let produced = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        produced += 65_536;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const request = makeRequest('/', { method: 'POST', body, duplex: 'half' });
    await request.content.readExactly(1);
    for (let i = 0; i < 100; i++) await turn();
    assert.ok(produced <= 1_048_576, `${produced} bytes were taken`);
    await request.content.readExactly(2 * 1_048_576);
    assert.ok(produced >= 2 * 1_048_576);
  });

  test('cancels a body that was not read when the answer is sent', async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(1024)),
      cancel: () => {
        cancelled = true;
      },
    });
    const response = await answer(() => new web.Response({ text: 'no' }), '/', {
      method: 'POST',
      body,
      duplex: 'half',
    });
    assert.equal(await response.text(), 'no');
    assert.equal(cancelled, true);
  });

  test('a body that fails is the error of the read, and 400', async () => {
    const body = new ReadableStream<Uint8Array>({
      pull: () => {
        throw new Error('torn');
      },
    });
    const response = await answer(async (r) => new web.Response({ text: await r.text() }), '/', {
      method: 'POST',
      body,
      duplex: 'half',
    });
    assert.equal(response.status, 400);
  });

  test('the response is there when the head is, the body streams', async () => {
    let go = (): void => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const response = await answer(async (request) => {
      const ours = new web.StreamResponse({ headers: { 'X-A': '1' } });
      await ours.prepare(request);
      await gate;
      await ours.write(Buffer.from('later'));
      return ours;
    });
    assert.equal(response.headers.get('x-a'), '1');
    go();
    assert.equal(await response.text(), 'later');
  });

  test('fields of the connection are left out', async () => {
    const response = await answer(
      () => new web.Response({ text: 'x', headers: { Connection: 'close', 'Keep-Alive': 'timeout=5' } }),
    );
    assert.deepEqual([...response.headers.keys()].sort(), ['content-length', 'content-type']);
  });

  test('a failure after the head errors the body', async () => {
    const response = await answer(async (request) => {
      const ours = new web.StreamResponse();
      await ours.prepare(request);
      await ours.write(Buffer.from('part'));
      throw new Error('late');
    });
    assert.equal(response.status, 200);
    await assert.rejects(response.text(), { code: 'AIO_EXCHANGE_ABORTED' });
  });

  test('a failure before the head is a 500 that reveals nothing', async () => {
    const response = await answer(() => {
      throw new Error('secret');
    });
    assert.equal(response.status, 500);
    assert.ok(!(await response.text()).includes('secret'));
  });

  test('a signal that aborts before the head rejects, and reaches the handler', async () => {
    const controller = new AbortController();
    let aborted: unknown;
    const response = answer(
      async (request) => {
        await new Promise<void>((resolve) => request.signal.addEventListener('abort', () => resolve()));
        aborted = request.signal.reason;
        return new web.Response();
      },
      '/',
      { signal: controller.signal },
    );
    controller.abort(new Error('enough'));
    await assert.rejects(response, (error: Error) => (error.cause as Error).message === 'enough');
    await turn();
    assert.ok(aborted instanceof web.ClientDisconnectedError);
  });

  test('a signal that had aborted before rejects as well', async () => {
    await assert.rejects(
      answer(async () => new Promise<web.Response>(() => {}), '/', { signal: AbortSignal.abort() }),
      { code: 'AIO_CLIENT_DISCONNECTED' },
    );
  });

  test('a signal that aborts in the middle errors the body with its reason', async () => {
    const controller = new AbortController();
    const response = await answer(
      async (request) => {
        const ours = new web.StreamResponse();
        await ours.prepare(request);
        await ours.write(Buffer.from('part'));
        await new Promise<void>((resolve) => request.signal.addEventListener('abort', () => resolve()));
        await assert.rejects(ours.write(Buffer.from('more')), { code: 'AIO_CLIENT_DISCONNECTED' });
        return ours;
      },
      '/',
      { signal: controller.signal },
    );
    controller.abort(new Error('enough'));
    await assert.rejects(response.text(), { message: 'enough' });
  });

  test('a write that waits ends when the reader cancels', async () => {
    let failure: unknown;
    const response = await answer(async (request) => {
      const ours = new web.StreamResponse();
      await ours.prepare(request);
      try {
        for (;;) await ours.write(new Uint8Array(65_536));
      } catch (error) {
        failure = error;
        throw error;
      }
    });
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel('bored');
    await turn();
    assert.ok(failure instanceof web.ClientDisconnectedError);
    assert.equal(failure.cause, 'bored');
  });

  test('upgrade is refused by name', () => {
    const exchange = exchangeFor();
    assert.throws(() => exchange.upgrade(), { code: 'AIO_UPGRADE_NOT_SUPPORTED', message: /app\.fetch/ });
  });

  test('refuses what the others refuse', () => {
    const head = { status: 200, reason: undefined, contentTypeField: undefined, defaultsSet: false };
    const started = exchangeFor();
    assert.throws(() => started.write('x'), { code: 'AIO_RESPONSE_STATE' });
    assert.throws(
      () => started.respond({ ...head, ownHeaders: new CIMultiDict({ 'Content-Length': 'x' }) }, ''),
      { code: 'AIO_BAD_HEAD' },
    );
    assert.throws(() => started.respond({ ...head, status: 101, ownHeaders: undefined }, ''), {
      code: 'AIO_BAD_HEAD',
    });
    assert.equal(started.started, false);
    started.start({ ...head, ownHeaders: undefined }, 2);
    assert.throws(() => started.respond({ ...head, ownHeaders: undefined }, ''), {
      code: 'AIO_RESPONSE_STATE',
    });
    started.write('ab');
    assert.equal(started.bytesSent, 2);
    started.end();
    assert.throws(() => started.end(), { code: 'AIO_CLIENT_DISCONNECTED' });
  });
});

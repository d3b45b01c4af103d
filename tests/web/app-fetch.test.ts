import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import { web } from '../../src/index.ts';

const { Application, Response } = web;

describe('app.fetch', () => {
  test('takes and gives what the platform has, and is bound', async () => {
    const app = new Application();
    app.addRoutes([
      web.post('/echo/{name}', async (request) =>
        web.jsonResponse({
          method: request.method,
          name: request.matchInfo.name,
          page: request.query.get('page'),
          body: await request.text(),
          type: request.contentType,
        }),
      ),
    ]);
    const { fetch } = app;
    expectTypeOf(fetch).toEqualTypeOf<(request: globalThis.Request) => Promise<globalThis.Response>>();
    const response = await fetch(
      new globalThis.Request('http://localhost/echo/%C3%A9?page=2', {
        method: 'POST',
        body: 'hello',
        headers: { 'content-type': 'text/plain' },
      }),
    );
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
    assert.deepEqual(await response.json(), {
      method: 'POST',
      name: 'é',
      page: '2',
      body: 'hello',
      type: 'text/plain',
    });
    await app.cleanup();
  });

  test('starts and freezes the application once, with its contexts', async () => {
    const log: string[] = [];
    const app = new Application();
    app.cleanupCtx.append(async function* () {
      log.push('enter');
      yield;
      log.push('exit');
    });
    app.addRoutes([web.get('/', () => new Response())]);
    const get = () => app.fetch(new globalThis.Request('http://localhost/'));
    await Promise.all([get(), get(), get()]);
    assert.equal(app.frozen, true);
    await app[Symbol.asyncDispose]();
    assert.deepEqual(log, ['enter', 'exit']);
  });

  test('rejects when the start fails', async () => {
    const app = new Application();
    app.onStartup.append(() => {
      throw new Error('no database');
    });
    await assert.rejects(app.fetch(new globalThis.Request('http://localhost/')), /no database/);
    await app.cleanup();
  });

  test('streams an answer', async () => {
    const app = new Application();
    app.addRoutes([
      web.get('/', async (request) => {
        const response = new web.StreamResponse();
        await response.prepare(request);
        for (const word of ['one ', 'two ', 'three']) await response.write(Buffer.from(word));
        await response.writeEof();
        return response;
      }),
    ]);
    const response = await app.fetch(new globalThis.Request('http://localhost/'));
    assert.equal(await response.text(), 'one two three');
    await app.cleanup();
  });

  test('HEAD has no body', async () => {
    const app = new Application();
    app.addRoutes([web.get('/', () => new Response({ text: 'hello' }))]);
    const response = await app.fetch(new globalThis.Request('http://localhost/', { method: 'HEAD' }));
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-length'), '5');
    assert.equal(await response.text(), '');
    await app.cleanup();
  });

  test('rejects when the signal of the request aborts, and tells the handler', async () => {
    const app = new Application();
    let aborted: Promise<void> | undefined;
    const entered = new Promise<void>((resolve) => {
      app.addRoutes([
        web.get('/', async (request) => {
          aborted = new Promise((done) => request.signal.addEventListener('abort', () => done()));
          resolve();
          await aborted;
          return new Response();
        }),
      ]);
    });
    const controller = new AbortController();
    const answer = app.fetch(new globalThis.Request('http://localhost/', { signal: controller.signal }));
    await entered;
    controller.abort();
    await assert.rejects(answer);
    await aborted;
    await app.cleanup();
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { testRequest } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';

const quiet = { ...console, error: () => {} };

function serving(handler: web.Handler, onResponsePrepare?: () => unknown): web.Application {
  const app = new web.Application({ logger: quiet });
  app.router.addRoute('*', '/', handler);
  if (onResponsePrepare !== undefined) app.onResponsePrepare.append(onResponsePrepare);
  return app;
}

describe('request.onPrepare', () => {
  test('is called with the response before its head, after the signal of the application, each in order', async () => {
    const calls: string[] = [];
    const app = serving(
      (request) => {
        request.onPrepare(async (response) => {
          await null;
          calls.push('first');
          response.headers.set('X-Late', 'yes');
        });
        request.onPrepare(() => calls.push('second'));
        return new web.Response({ text: 'ok' });
      },
      () => calls.push('application'),
    );
    const answer = await testRequest(app, '/');
    assert.equal(answer.headers.get('X-Late'), 'yes');
    assert.equal(await answer.text(), 'ok');
    assert.deepEqual(calls, ['application', 'first', 'second']);
  });

  test('is called by prepare() of a stream, and for the original when a clone was handed on', async () => {
    const calls: string[] = [];
    const app = serving(async (request) => {
      const clone = request.clone({ method: 'PUT' });
      clone.onPrepare(() => calls.push('called'));
      const response = new web.StreamResponse();
      await response.prepare(request);
      calls.push('prepared');
      return response;
    });
    await (await testRequest(app, '/')).text();
    assert.deepEqual(calls, ['called', 'prepared']);
  });

  test('what it throws ends the answer before a byte was sent; it is called for the one that takes its place', async () => {
    const app = serving((request) => {
      request.onPrepare(({ status }) => {
        if (status === 200) throw new Error('not yet');
      });
      return new web.Response({ text: 'never' });
    });
    const answer = await testRequest(app, '/');
    assert.equal(answer.status, 500);
    assert.doesNotMatch(await answer.text(), /never/);
  });
});

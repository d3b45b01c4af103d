import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { TestServer, testRequest } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';

/** What `onDone` told a handler's callbacks, and when it did. */
function watched(handler: web.Handler): { app: web.Application; done: Promise<Error | undefined> } {
  const app = new web.Application({ logger: { ...console, error: () => {} } });
  const { promise, resolve } = withResolvers<Error | undefined>();
  app.router.addRoute('*', '/', (request) => {
    request.onDone(resolve);
    return handler(request);
  });
  return { app, done: promise };
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

describe('request.onDone', () => {
  test('is called after the answer', async () => {
    const { app, done } = watched(() => new web.Response({ text: 'ok' }));
    await using server = await new TestServer(app).start();
    await (await fetch(server.makeUrl('/'))).text();
    assert.equal(await done, undefined);
  });

  test('is called when the handler throws', async () => {
    const { app, done } = watched(() => {
      throw new Error('no');
    });
    assert.equal((await testRequest(app, '/')).status, 500);
    await done;
  });

  test('is called with the error when the client leaves', async () => {
    const arrived = withResolvers<void>();
    const { app, done } = watched(() => {
      arrived.resolve();
      return new Promise<never>(() => {});
    });
    await using server = await new TestServer(app).start();
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await arrived.promise;
    socket.resetAndDestroy();
    assert.ok((await done) instanceof Error);
  });

  test('is called for the clone that it was registered on, and at once when all is over', async () => {
    const calls: string[] = [];
    let kept: web.Request | undefined;
    const { app, done } = watched((request) => {
      kept = request;
      request.clone({ method: 'PUT' }).onDone(() => calls.push('clone'));
      return new web.Response();
    });
    await testRequest(app, '/');
    await done;
    kept?.onDone(() => calls.push('late'));
    assert.deepEqual(calls, ['clone', 'late']);
  });
});

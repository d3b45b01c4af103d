import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { web } from '../../src/index.ts';
import { RawTestServer, TestServer } from '../../src/testing/index.ts';

function helloApp(log: string[] = []): web.Application {
  const app = new web.Application();
  app.addRoutes([
    web.get('/', () => new web.Response({ text: 'hello' })),
    web.get('/redirect', () => new web.HTTPFound('/')),
  ]);
  app.onStartup.append(() => void log.push('startup'));
  app.onCleanup.append(() => void log.push('cleanup'));
  return app;
}

describe('TestServer', () => {
  test('serves on a free port and cleans up when it is disposed of', async () => {
    const log: string[] = [];
    let url: string;
    {
      await using server = await new TestServer(helloApp(log)).start();
      url = server.makeUrl('/');
      assert.equal(url, `http://127.0.0.1:${server.port}/`);
      assert.deepEqual([server.scheme, server.host], ['http', '127.0.0.1']);
      const response = await server.fetch('/');
      assert.equal(await response.text(), 'hello');
      assert.deepEqual(log, ['startup']);
    }
    assert.deepEqual(log, ['startup', 'cleanup']);
    await assert.rejects(fetch(url));
  });

  test('shows redirects unless told to follow them', async () => {
    await using server = await new TestServer(helloApp()).start();
    assert.equal((await server.fetch('/redirect')).status, 302);
    assert.equal(await (await server.fetch('/redirect', { redirect: 'follow' })).text(), 'hello');
  });

  test('listens where it is told to', async () => {
    await using first = await new TestServer(helloApp(), { host: 'localhost' }).start();
    assert.match(first.makeUrl('/x?y=1'), /^http:\/\/localhost:\d+\/x\?y=1$/);
    assert.equal((await first.fetch('/')).status, 200);
  });

  test('a start that fails is thrown, and cleaned up', async () => {
    const log: string[] = [];
    const app = helloApp(log);
    app.cleanupCtx.append(async function* () {
      yield;
      log.push('exit');
    });
    app.onStartup.append(() => {
      throw new Error('no start');
    });
    await assert.rejects(new TestServer(app).start(), /no start/);
    assert.deepEqual(log, ['startup', 'exit']);
  });

  test('has no port before it is started', () => {
    assert.throws(() => new TestServer(helloApp()).port, /call await server\.start\(\) first/);
  });
});

test('RawTestServer serves one handler', async () => {
  await using server = await new RawTestServer((request) => new web.Response({ text: request.path })).start();
  assert.equal(await (await server.fetch('/any/path')).text(), '/any/path');
});

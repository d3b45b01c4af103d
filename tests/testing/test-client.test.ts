import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ClientError, WSServerHandshakeError } from '../../src/client/index.ts';
import { RawTestServer, TestClient, TestServer } from '../../src/testing/index.ts';
import { Application, type Request, Response, WebSocketResponse } from '../../src/web/index.ts';

function makeApp(): Application {
  const app = new Application();
  app.router.addRoute(
    '*',
    '/echo',
    async (request: Request) => new Response({ text: `${request.method} ${await request.text()}` }),
  );
  app.router.addGet('/login', () => {
    const response = new Response({ text: 'in' });
    response.setCookie('sid', 'abc');
    return response;
  });
  app.router.addGet(
    '/who',
    (request: Request) => new Response({ text: request.cookies.get('sid') ?? 'nobody' }),
  );
  return app;
}

describe('TestClient', () => {
  test('paths lead to the server, by all methods', async () => {
    const client = await new TestClient(makeApp()).start();
    try {
      assert.match(client.makeUrl('/echo'), new RegExp(`^http://127\\.0\\.0\\.1:${client.port}/echo$`));
      for (const method of ['post', 'put', 'patch', 'delete'] as const) {
        const response = await client[method]('/echo', { data: 'x' });
        assert.equal(await response.text(), `${method.toUpperCase()} x`);
      }
      assert.equal(await (await client.get('/echo')).text(), 'GET ');
      assert.equal(await (await client.options('/echo')).text(), 'OPTIONS ');
      assert.equal((await client.head('/echo')).contentLength, 5);
      assert.equal(await (await client.request('SEARCH', '/echo')).text(), 'SEARCH ');
    } finally {
      await client.close();
    }
  });

  test('opens WebSockets', async () => {
    const app = makeApp();
    app.router.addGet('/ws', async (request: Request) => {
      const ws = new WebSocketResponse();
      await ws.prepare(request);
      for await (const message of ws) await ws.sendStr(`${request.query.get('a')} ${String(message.data)}`);
      return ws;
    });
    await using client = await new TestClient(app).start();
    await using ws = await client.wsConnect('/ws?a=1', { decodeText: true });
    await ws.sendStr('hello');
    assert.equal(await ws.receiveStr(), '1 hello');
    await assert.rejects(client.wsConnect('/echo'), WSServerHandshakeError);
  });

  test('keeps the cookies of its server, though that is an address', async () => {
    const client = await new TestClient(makeApp()).start();
    try {
      await client.get('/login');
      assert.equal(await (await client.get('/who')).text(), 'abc');
    } finally {
      await client.close();
    }
  });

  test('takes a server, started or not, and options of the session', async () => {
    const server = await new TestServer(makeApp()).start();
    const client = await new TestClient(server, { headers: { 'X-A': 'b' } }).start();
    const raw = await new TestClient(
      new RawTestServer((request) => new Response({ text: request.path })),
    ).start();
    try {
      assert.equal(client.server, server);
      assert.equal(client.session.headers.get('x-a'), 'b');
      assert.equal(await (await raw.get('/any/path')).text(), '/any/path');
    } finally {
      await client.close();
      await raw.close();
    }
  });

  test('says that it was not started, and is closed when it is disposed', async () => {
    const client = new TestClient(makeApp());
    assert.throws(() => client.session, /start/);
    await client.start();
    const { session } = client;
    const url = client.makeUrl('/echo');
    await client[Symbol.asyncDispose]();
    assert.equal(session.closed, true);
    await assert.rejects(fetch(url));
    await assert.rejects(session.get(url), (error) => !(error instanceof ClientError));
  });
});

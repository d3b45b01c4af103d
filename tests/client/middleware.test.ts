import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ClientMiddleware, ClientSession } from '../../src/client/index.ts';
import { ok, RawServer, redirect } from './raw-server.ts';

describe('middlewares of the client', () => {
  test('the first is the outermost, and each sees every hop', async () => {
    await using server = await RawServer.start(({ number }) => (number === 1 ? redirect('/b') : ok('end')));
    const log: string[] = [];
    const named =
      (name: string): ClientMiddleware =>
      async (request, handler) => {
        log.push(`${name} ${request.url.pathname}`);
        const response = await handler(request);
        log.push(`${name} ${response.status}`);
        return response;
      };
    await using session = new ClientSession({ middlewares: [named('outer'), named('inner')] });
    await session.get(`${server.url}/a`);
    assert.deepEqual(log, [
      'outer /a',
      'inner /a',
      'inner 302',
      'outer 302',
      'outer /b',
      'inner /b',
      'inner 200',
      'outer 200',
    ]);
  });

  test('headers, URL and body can be changed', async () => {
    await using server = await RawServer.start(() => ok());
    const change: ClientMiddleware = async (request, handler) => {
      assert.equal(request.headers.get('content-type'), 'text/plain; charset=utf-8');
      assert.equal(Buffer.from(await request.body!.asBytes()).toString(), 'old');
      request.headers.set('X-Signed', 'yes');
      request.headers.delete('User-Agent');
      request.url = `http://localhost:${server.port}/elsewhere`;
      request.updateBody({ a: '1' });
      return await handler(request);
    };
    await using session = new ClientSession({ middlewares: [change] });
    const response = await session.post(`${server.url}/here`, { data: 'old' });
    const { head, body } = server.requests[0]!;
    assert.match(head, /^POST \/elsewhere HTTP\/1\.1\r\nHost: localhost:\d+\r\n/);
    assert.match(head, /\r\nX-Signed: yes\r\n/);
    assert.doesNotMatch(head, /User-Agent/);
    assert.match(head, /Content-Type: application\/x-www-form-urlencoded\r\n/);
    assert.equal(body, 'a=1');
    assert.equal(response.url.pathname, '/elsewhere');
  });

  test('a middleware may send several times, or not at all', async () => {
    await using server = await RawServer.start(({ number }) =>
      number === 1 ? ok('', '', '503 Busy') : ok('fine'),
    );
    const again: ClientMiddleware = async (request, handler) => {
      const first = await handler(request);
      if (first.status !== 503) return first;
      first.release();
      return await handler(request);
    };
    await using session = new ClientSession({ middlewares: [again] });
    assert.equal(await (await session.post(server.url, { data: 'x' })).text(), 'fine');
    const refusal = new Error('not allowed');
    const refuse: ClientMiddleware = async () => {
      throw refusal;
    };
    await assert.rejects(session.get(server.url, { middlewares: [refuse] }), refusal);
    assert.equal((await session.get(server.url, { middlewares: [] })).status, 200);
    assert.equal(server.requests.length, 3);
  });

  test('a retry on a stale connection passes the middlewares again', async () => {
    await using server = await RawServer.start(({ number, socket }) => {
      if (number === 2) socket.destroy();
      return number === 2 ? undefined : ok();
    });
    let seen = 0;
    const count: ClientMiddleware = (request, handler) => {
      seen++;
      return handler(request);
    };
    await using session = new ClientSession({ middlewares: [count] });
    await session.get(server.url);
    await session.get(server.url);
    assert.equal(seen, 3);
  });

  test('what is no function is refused', () => {
    assert.throws(() => new ClientSession({ middlewares: [{} as ClientMiddleware] }), {
      code: 'AIO_MIDDLEWARE',
    });
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ClientConnectionError,
  ClientResponseError,
  ClientSession,
  WSServerHandshakeError,
} from '../../src/client/index.ts';
import {
  MockConnector,
  type MockConnectorOptions,
  RawTestServer,
  UnexpectedRequestError,
} from '../../src/testing/index.ts';
import { Response } from '../../src/web/index.ts';

async function mocked(
  work: (mock: MockConnector, session: ClientSession) => Promise<void>,
  options?: MockConnectorOptions,
): Promise<void> {
  const mock = new MockConnector(options);
  const session = new ClientSession({ connector: mock });
  try {
    await work(mock, session);
  } finally {
    await session.close();
  }
}

describe('MockConnector', () => {
  test('asserts about a body that is no JSON, and with a global pattern, went wrong', async () => {
    await mocked(async (mock, session) => {
      mock.post(/./g, {}, { times: Infinity });
      mock.get('https://api.example/left', {});
      for (const data of ['text', 'again']) await session.post('https://api.example/', { data });
      assert.throws(() => mock.assertCalled('POST', 'https://api.example/', { json: {} }), {
        code: 'ERR_ASSERTION',
        message: 'the body of POST https://api.example/ is no JSON: "again"',
      });
      assert.equal(mock.callsTo('POST', /example/g).length, 2);
      assert.equal(mock.callsTo('POST', /^https:/y).length, 2);
      await assert.rejects(session.get('https://api.example/'), {
        message:
          'No answer is recorded for GET https://api.example/; there are answers for: GET https://api.example/left (1 left)',
      });
    });
  });

  test('answers by method and URL, in the order of recording', async () => {
    await mocked(async (mock, session) => {
      mock
        .get('https://api.example/a?x=1&y=2', { json: { n: 1 } })
        .get('https://api.example/a?x=1&y=2', {
          status: 404,
          reason: 'Gone fishing',
          body: 'no',
          headers: { 'X-A': ['1', '2'] },
        })
        .post('http://api.example:8080/a', { body: new Uint8Array([1, 2]) });
      const first = await session.get('https://api.example/a?y=2&x=1');
      assert.deepEqual(
        [first.status, first.contentType, await first.json()],
        [200, 'application/json', { n: 1 }],
      );
      const second = await session.get('https://api.example/a?x=1&y=2');
      assert.deepEqual([second.status, second.reason, await second.text()], [404, 'Gone fishing', 'no']);
      assert.deepEqual(second.headers.getAll('x-a'), ['1', '2']);
      assert.deepEqual([...(await (await session.post('http://api.example:8080/a')).read())], [1, 2]);
      mock.assertAllUsed();
    });
  });

  test('a request without answer fails and says which it was', async () => {
    await mocked(async (mock, session) => {
      mock.get('http://api.example/a', {});
      for (const send of [
        () => session.get('http://api.example/b'),
        () => session.post('http://api.example/a'),
        () => session.get('http://other.example/a'),
      ]) {
        await assert.rejects(send(), (error: Error) => {
          assert.ok(error instanceof UnexpectedRequestError && error instanceof ClientConnectionError);
          assert.match(error.message, /^No answer is recorded for (GET|POST) http:/);
          return true;
        });
      }
      await session.get('http://api.example/a');
      await assert.rejects(session.get('http://api.example/a'), UnexpectedRequestError);
      assert.equal(mock.calls.length, 5);
    });
  });

  test('patterns, functions and answers for many requests', async () => {
    await mocked(async (mock, session) => {
      mock.get(/\/users\/\d+$/, (call) => ({ body: call.url.pathname }), { times: Infinity });
      mock.put(/./, async (call) => ({ json: call.json, status: 201 }), { times: 2 });
      for (const id of ['1', '22']) {
        assert.equal(await (await session.get(`http://api.example/users/${id}`)).text(), `/users/${id}`);
      }
      const response = await session.put('http://api.example/x', { json: [1] });
      assert.deepEqual([response.status, await response.json()], [201, [1]]);
      assert.throws(() => mock.assertAllUsed(), /not called: PUT .* \(1 left\)/);
    });
  });

  test('errors come out as they were given', async () => {
    await mocked(async (mock, session) => {
      const error = new ClientConnectionError('cable cut');
      mock.get('http://api.example/', { error });
      await assert.rejects(session.get('http://api.example/'), (thrown) => thrown === error);
      mock.get('http://api.example/', { status: 500 });
      await assert.rejects(session.get('http://api.example/', { raiseForStatus: true }), ClientResponseError);
    });
  });

  test('redirects and cookies work as ever', async () => {
    await mocked(async (mock, session) => {
      mock.get('https://a.example/', {
        status: 302,
        headers: { Location: 'https://b.example/x', 'Set-Cookie': 'k=v; Secure' },
      });
      mock.get('https://b.example/x', { status: 302, headers: { Location: 'https://a.example/y' } });
      mock.get('https://a.example/y', { body: 'there' });
      const response = await session.get('https://a.example/');
      assert.equal(await response.text(), 'there');
      assert.equal(response.history.length, 2);
      assert.deepEqual(
        mock.calls.map((call) => [call.url.host, call.headers['cookie']]),
        [
          ['a.example', undefined],
          ['b.example', undefined],
          ['a.example', 'k=v'],
        ],
      );
    });
  });

  test('asserts', async () => {
    await mocked(async (mock, session) => {
      mock.post('http://api.example/a', {}, { times: Infinity });
      mock.assertNotCalled();
      await session.post('http://api.example/a', { json: { n: 1 }, headers: { 'X-A': '1' } });
      mock.assertCalledOnce('post', 'http://api.example/a', { json: { n: 1 }, headers: { 'x-a': '1' } });
      mock.assertCalled('POST', /a$/, { body: '{"n":1}' });
      assert.throws(() => mock.assertCalled('POST', /a$/, { json: { n: 2 } }), { name: 'AssertionError' });
      assert.throws(() => mock.assertCalled('GET', 'http://api.example/a'), /was not called; calls: POST/);
      assert.throws(() => mock.assertNotCalled('POST', /a/), /expected no call/);
      mock.assertNotCalled('GET', 'http://api.example/a');
      await session.post('http://api.example/a', { data: 'x' });
      assert.throws(() => mock.assertCalledOnce('POST', /a/), /2 times/);
      mock.clear();
      mock.assertNotCalled();
      await assert.rejects(session.post('http://api.example/a'), UnexpectedRequestError);
    });
  });

  test('passes others through: named origins, or all for which nothing is recorded', async () => {
    const server = await new RawTestServer(() => new Response({ text: 'real' })).start();
    try {
      await mocked(
        async (mock, session) => {
          mock.get('http://api.example/', { body: 'mocked' });
          assert.equal(await (await session.get(server.makeUrl('/x'))).text(), 'real');
          assert.equal(await (await session.get('http://api.example/')).text(), 'mocked');
          await assert.rejects(session.get('http://api.example/other'), UnexpectedRequestError);
        },
        { passThrough: true },
      );
      await mocked(
        async (mock, session) => {
          assert.equal(await (await session.get(server.makeUrl('/x'))).text(), 'real');
          mock.assertNotCalled();
          await assert.rejects(session.get('http://api.example/'), UnexpectedRequestError);
        },
        { passThrough: [server.makeUrl('/')] },
      );
    } finally {
      await server.close();
    }
  });

  test('many at once, all answered, nothing left open', async () => {
    await mocked(async (mock, session) => {
      mock.get(/./, (call) => ({ body: call.url.host }), { times: Infinity });
      const hosts = Array.from({ length: 50 }, (_, i) => `h${i % 10}.example`);
      const answers = await Promise.all(
        hosts.map(async (host) => await (await session.get(`http://${host}/`)).text()),
      );
      assert.deepEqual(answers, hosts);
      assert.equal(mock.stats.busy, 0);
    });
  });
});

describe('WebSockets by a MockConnector', () => {
  test('talk to what was recorded', async () => {
    await mocked(async (mock, session) => {
      mock.get(
        'wss://feed.example/prices?of=gold',
        {
          webSocket: async (ws, call) => {
            await ws.sendStr(`${call.url.href} ${call.headers['x-own']}`);
            for await (const message of ws) await ws.sendStr(`you said ${String(message.data)}`);
          },
        },
        { times: 2 },
      );
      for (const scheme of ['wss', 'https']) {
        await using ws = await session.wsConnect(`${scheme}://feed.example/prices?of=gold`, {
          headers: { 'X-Own': '1' },
        });
        assert.equal(await ws.receiveStr(), 'wss://feed.example/prices?of=gold 1');
        await ws.sendStr('hello');
        assert.equal(await ws.receiveStr(), 'you said hello');
      }
      mock.assertAllUsed();
      assert.equal(mock.callsTo('GET', 'https://feed.example/prices?of=gold').length, 2);
      assert.equal(mock.callsTo('GET', /^wss:/).length, 2);
    });
  });

  test('end with the function', async () => {
    await mocked(async (mock, session) => {
      mock.get('ws://feed.example/', { webSocket: (ws) => ws.sendStr('only this') });
      await using ws = await session.wsConnect('ws://feed.example/');
      const texts: unknown[] = [];
      for await (const message of ws) texts.push(message.data);
      assert.deepEqual([texts, ws.closeCode], [['only this'], 1000]);
    });
  });

  test('are refused as recorded, and when nothing is', async () => {
    await mocked(async (mock, session) => {
      mock.get('ws://feed.example/', { status: 403 });
      await assert.rejects(session.wsConnect('ws://feed.example/'), (error) => {
        assert.ok(error instanceof WSServerHandshakeError);
        assert.equal(error.status, 403);
        return true;
      });
      await assert.rejects(session.wsConnect('ws://feed.example/'), UnexpectedRequestError);
      mock.get('http://feed.example/', { webSocket: () => {} });
      await assert.rejects(session.get('http://feed.example/'), /does not ask for one/);
    });
  });
});

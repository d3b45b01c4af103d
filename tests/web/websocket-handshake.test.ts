import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { testRequest } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';
import {
  closing,
  deferred,
  echo,
  masked,
  SWITCHING,
  text,
  UPGRADE,
  WebSocketSite,
} from './websocket-site.ts';

/** The request with some fields replaced; `undefined` leaves one out. */
function asking(changes: Record<string, string | undefined>, start = 'GET / HTTP/1.1'): string {
  const fields: Record<string, string | undefined> = {
    Host: 'a',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...changes,
  };
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  return `${[start, ...lines].join('\r\n')}\r\n\r\n`;
}

describe('the head that opens a WebSocket', () => {
  test('has the fields in order, to the byte', async () => {
    await using site = await WebSocketSite.start(echo, { socket: { protocols: ['chat', 'soap'] } });
    const client = await site.connect();
    await client.send(UPGRADE);
    await client.until('\r\n\r\n');
    assert.match(client.received, /\r\nDate: [^\r\n]+ GMT\r\nServer: aiohttp-ts\r\n\r\n$/);
    assert.equal(client.take(), SWITCHING);
    client.reset();

    const full = await site.connect();
    await full.send(
      asking({
        'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
        'Sec-WebSocket-Protocol': 'soap, chat',
      }),
    );
    await full.until('\r\n\r\n');
    assert.deepEqual(
      full.received.split('\r\n').map((line) => line.split(':')[0]),
      [
        'HTTP/1.1 101 Switching Protocols',
        'Upgrade',
        'Connection',
        'Sec-WebSocket-Accept',
        'Sec-WebSocket-Extensions',
        'Sec-WebSocket-Protocol',
        'Date',
        'Server',
        '',
        '',
      ],
    );
    assert.match(full.received, /\r\nSec-WebSocket-Extensions: permessage-deflate; /);
    assert.match(full.received, /\r\nSec-WebSocket-Protocol: soap\r\n/);
    full.reset();
  });

  const refused: readonly (readonly [string, string, string])[] = [
    [
      'no Upgrade',
      asking({ Upgrade: undefined }),
      'No WebSocket UPGRADE hdr: None\n Can "Upgrade" only to "WebSocket".',
    ],
    [
      'another Upgrade',
      asking({ Upgrade: 'h2c' }),
      'No WebSocket UPGRADE hdr: h2c\n Can "Upgrade" only to "WebSocket".',
    ],
    ['no Connection', asking({ Connection: undefined }), 'No CONNECTION upgrade hdr: None'],
    [
      'Connection with another word',
      asking({ Connection: 'keep-alive, notupgrade' }),
      'No CONNECTION upgrade hdr: keep-alive, notupgrade',
    ],
    ['an old version', asking({ 'Sec-WebSocket-Version': '1' }), 'Unsupported version: 1'],
    ['a short key', asking({ 'Sec-WebSocket-Key': 'abc' }), "Handshake error: 'abc'"],
    ['another method', asking({}, 'HEAD / HTTP/1.1'), ''],
    [
      'HTTP/1.0',
      asking({}, 'GET / HTTP/1.0'),
      'No WebSocket UPGRADE hdr: None\n Can "Upgrade" only to "WebSocket".',
    ],
    ['a body', `${asking({ 'Content-Length': '4' })}body`, 'The request that opens a WebSocket has no body.'],
    [
      'a body that is to come',
      asking({ 'Content-Length': '4' }),
      'The request that opens a WebSocket has no body.',
    ],
    ['malformed extensions', asking({ 'Sec-WebSocket-Extensions': 'a; =' }), 'Sec-WebSocket-Extensions: '],
  ];
  for (const [what, head, message] of refused) {
    test(`is not sent for ${what}`, async () => {
      await using site = await WebSocketSite.start(echo);
      const client = await site.connect();
      await client.send(head);
      await client.until(head.startsWith('HEAD') ? '\r\n\r\n' : message);
      const answer = client.take();
      assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
      assert.match(answer, /\r\nSec-WebSocket-Version: 13\r\n/);
      const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
      if (message.endsWith(': ')) assert.ok(body.startsWith(message), body);
      else assert.equal(body, message);
      assert.deepEqual(site.logger.errors, []);
      client.reset();
    });
  }

  test('is not sent to app.fetch, which has no connection', async () => {
    const seen = deferred<unknown>();
    const app = new web.Application();
    app.router.addGet('/', async (request) => {
      const ws = new web.WebSocketResponse();
      await ws.prepare(request).catch(seen.resolve);
      assert.equal(ws.prepared, false);
      return new web.Response({ text: 'instead' });
    });
    const answer = await testRequest(app, '/', {
      headers: {
        Upgrade: 'websocket',
        Connection: 'upgrade',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      },
    });
    assert.equal(await answer.text(), 'instead');
    assert.equal(((await seen.promise) as { code?: string }).code, 'AIO_UPGRADE_NOT_SUPPORTED');
  });

  test('brings cookies, what signals set, and nothing of a body', async () => {
    const app = new web.Application({
      middlewares: [web.compressionMiddleware(), web.conditionalMiddleware({ autoETag: true })],
    });
    app.onResponsePrepare.append((_request, response) => {
      assert.equal(response.status, 101);
      response.headers.set('X-Signal', 'yes');
    });
    app.router.addGet('/', async (request) => {
      const ws = new web.WebSocketResponse();
      ws.setCookie('a', 'b');
      ws.headers.set('X-Own', 'me');
      request.onPrepare((response) => response.headers.set('X-Prepare', 'too'));
      await ws.prepare(request);
      assert.throws(() => ws.setCookie('c', 'd'), { code: 'AIO_RESPONSE_PREPARED' });
      return ws;
    });
    await using site = await WebSocketSite.start(echo, {
      setup: (outer) => outer.addSubapp('/sub', app),
    });
    const client = await site.connect();
    await client.send(asking({ 'Accept-Encoding': 'gzip', 'If-None-Match': '"a"' }, 'GET /sub/ HTTP/1.1'));
    await client.until('\r\n\r\n');
    const head = client.received.slice(0, client.received.indexOf('\r\n\r\n'));
    for (const field of ['Set-Cookie: a=b', 'X-Own: me', 'X-Signal: yes', 'X-Prepare: too'])
      assert.match(head, new RegExp(`\\r\\n${field}`));
    assert.doesNotMatch(head, /content-|transfer-|etag|vary/i);
    client.reset();
  });

  test('is not sent when a signal throws: the client gets the page of the error', async () => {
    await using site = await WebSocketSite.start(echo, {
      setup: (app) =>
        app.onResponsePrepare.append((_request, response) => {
          if (response.status === 101) throw new web.HTTPForbidden();
        }),
    });
    const client = await site.connect();
    await client.send(UPGRADE);
    await client.until('403: Forbidden');
    assert.doesNotMatch(client.take(), /101|Sec-WebSocket/);
    client.reset();
  });
});

describe('sub-protocols', () => {
  test('the first of the client that the server speaks', async () => {
    await using site = await WebSocketSite.start((ws) => ws.sendStr(String(ws.wsProtocol)), {
      socket: { protocols: ['b', 'c'] },
    });
    const client = await site.ws({}, ['a', 'c', 'b']);
    assert.equal(client.socket.protocol, 'c');
    assert.equal(await client.next(), 'c');
  });

  test('none in common is no error; the log says so', async () => {
    await using site = await WebSocketSite.start(echo, { socket: { protocols: ['b'] } });
    const peer = await site.open(asking({ 'Sec-WebSocket-Protocol': 'a' }));
    assert.deepEqual(site.logger.warnings, ['No sub-protocol in common: the client speaks a, the server b']);
    await peer.send(text('hi'));
    await peer.until('text hi');
    peer.client.reset();
  });
});

test('canPrepare tells without sending', async () => {
  const results: web.WebSocketReady[] = [];
  await using site = await WebSocketSite.start(echo, {
    setup: (app) =>
      app.router.addGet('/maybe', (request) => {
        const ws = new web.WebSocketResponse({ protocols: ['chat'] });
        assert.throws(() => ws[Symbol.asyncIterator](), { code: 'AIO_WS_NOT_PREPARED' });
        results.push(ws.canPrepare(request));
        return new web.Response({ text: 'page' });
      }),
  });
  const client = await site.connect();
  await client.send(asking({ 'Sec-WebSocket-Protocol': 'x, chat' }, 'GET /maybe HTTP/1.1'));
  await client.send('GET /maybe HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.until(/page[\s\S]*page/);
  assert.deepEqual(results, [
    { ok: true, protocol: 'chat' },
    { ok: false, protocol: undefined },
  ]);
  client.reset();
});

describe('a WebSocket that is declined', () => {
  test('leaves its body to its request, and what follows to the next', async () => {
    await using site = await WebSocketSite.start(echo);
    const client = await site.connect();
    const declined = asking({ 'Content-Length': '4' }, 'POST /other HTTP/1.1');
    await client.send(`${declined}bodyGET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.until('GET /next');
    const answer = client.take();
    assert.equal(answer.match(/HTTP\/1\.1 200 OK/g)?.length, 2);
    assert.match(answer, /POST \/other body/);
    client.reset();
  });

  test('by 400 keeps the connection', async () => {
    await using site = await WebSocketSite.start(echo);
    const client = await site.connect();
    await client.send(`${asking({ 'Sec-WebSocket-Version': '1' })}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.until('GET /next');
    client.reset();
  });
});

describe('bytes behind the head', () => {
  test('are the first frames, wherever the network cuts', async () => {
    const frames = masked(text('one'), { opcode: 9, payload: 'p' }, text('two'), closing(1000, 'bye'));
    const whole = Buffer.concat([Buffer.from(UPGRADE), frames]);
    await using site = await WebSocketSite.start(echo);
    const expected =
      SWITCHING +
      Buffer.concat([
        Buffer.from([0x8a, 1, 0x70]),
        Buffer.from([0x81, 3]),
        Buffer.from('one'),
        Buffer.from([0x81, 3]),
        Buffer.from('two'),
        Buffer.from([0x88, 2, 0x03, 0xe8]),
      ]).toString('latin1');
    const sorted = (answer: string): string => answer.replace('\x8a\x01p', '').concat('\x8a\x01p');
    // The cuts lie in the frames; those of a head are tests/http1's.
    const cuts = Array.from({ length: frames.length + 3 }, (_, index) => UPGRADE.length - 2 + index);
    await Promise.all(
      [whole.length, ...cuts].map(async (cut) => {
        using client = await site.connect();
        await client.send(whole.subarray(0, cut));
        await new Promise((resolve) => setImmediate(resolve));
        await client.send(whole.subarray(cut));
        // A pong may overtake a message that is being handled.
        assert.equal(sorted(await client.all()), sorted(expected), `cut at ${cut}`);
      }),
    );
    assert.deepEqual(site.logger.errors, []);
  });

  test('wait for a handler that takes its time, also when they are many', async () => {
    const go = deferred();
    await using site = await WebSocketSite.start(echo, {
      middlewares: [
        async (request, handler) => {
          await go.promise;
          return handler(request);
        },
      ],
    });
    const client = await site.connect();
    await client.send(UPGRADE);
    const frames = Array.from({ length: 300 }, (_, index) => text(`${index} ${'x'.repeat(1000)}`));
    const sent = client.send(masked(...frames, closing(1000)));
    const [connection] = site.server.runner.server!.connections;
    while (connection!.socket.bytesRead < UPGRADE.length + 65_536) await new Promise((r) => setTimeout(r, 2));
    go.resolve();
    await sent;
    const answer = await client.all();
    for (let index = 0; index < 300; index++) assert.ok(answer.includes(`${index} xxx`), String(index));
    assert.ok(answer.endsWith('\x88\x02\x03\xe8'));
  });
});

test('ws speaks with it, with and without compression', async () => {
  await using site = await WebSocketSite.start(echo);
  for (const perMessageDeflate of [false, true]) {
    const client = await site.ws({ perMessageDeflate });
    assert.equal(client.socket.extensions !== '', perMessageDeflate);
    const messages = ['', 'a', 'ß'.repeat(5000), 'b'.repeat(200_000)];
    for (const message of messages) client.socket.send(message);
    client.socket.send(Buffer.from([0, 255]));
    for (const message of [...messages, '00ff']) assert.equal(await client.next(), message);
    client.socket.close(4000, 'enough');
    assert.equal((await client.closed).code, 4000);
  }
});

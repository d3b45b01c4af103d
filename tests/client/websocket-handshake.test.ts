import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ClientConnectionError,
  ClientResponseError,
  ClientSession,
  ServerDisconnectedError,
  type WSConnectOptions,
  WSMsgType,
  WSServerHandshakeError,
} from '../../src/client/index.ts';
import { ACCEPT_ENCODING } from '../../src/client/user-agent.ts';
import { until } from '../net/raw-server.ts';
import { acceptFor, frame, handshaker, keyOf, switching } from './websocket-servers.ts';

/** What a server says wrong, and what comes of it. */
interface Refusal {
  readonly name: string;
  readonly answer: (head: string) => string;
  readonly message: RegExp | string;
  /** Default 101. */
  readonly status?: number;
  readonly options?: WSConnectOptions;
}

const head101 = (fields: Readonly<Record<string, string>>): string =>
  `HTTP/1.1 101 Switching Protocols\r\n${Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;

const right = (head: string): Record<string, string> => ({
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Accept': acceptFor(keyOf(head)),
});

const refusals: readonly Refusal[] = [
  {
    name: '404 without body',
    answer: () => 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
    message: 'Invalid response status',
    status: 404,
  },
  {
    name: '401 whose body never ends',
    answer: () => 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 1000\r\n\r\nno',
    message: 'Invalid response status',
    status: 401,
  },
  {
    name: '200 without length',
    answer: () => 'HTTP/1.1 200 OK\r\n\r\nhello',
    message: 'Invalid response status',
    status: 200,
  },
  {
    name: '426',
    answer: () => 'HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n',
    message: 'Invalid response status',
    status: 426,
  },
  {
    name: 'no Upgrade',
    answer: (head) => head101({ ...right(head), Upgrade: '' }),
    message: 'Invalid upgrade header',
  },
  {
    name: 'another protocol',
    answer: (head) => head101({ ...right(head), Upgrade: 'h2c' }),
    message: 'Invalid upgrade header',
  },
  {
    name: 'a look-alike of websocket',
    answer: (head) => head101({ ...right(head), Upgrade: 'websoc\u212aet' }),
    message: /Invalid upgrade header|./,
  },
  {
    name: 'Connection: close',
    answer: (head) => head101({ ...right(head), Connection: 'close' }),
    message: 'Invalid connection header',
  },
  {
    name: 'Connection: notupgrade',
    answer: (head) => head101({ ...right(head), Connection: 'notupgrade' }),
    message: 'Invalid connection header',
  },
  {
    name: 'no accept',
    answer: () => head101({ Upgrade: 'websocket', Connection: 'Upgrade' }),
    message: 'Invalid challenge response',
  },
  {
    name: 'the accept of another key',
    answer: (head) =>
      head101({ ...right(head), 'Sec-WebSocket-Accept': acceptFor('dGhlIHNhbXBsZSBub25jZQ==') }),
    message: 'Invalid challenge response',
  },
  {
    name: 'the key itself',
    answer: (head) => head101({ ...right(head), 'Sec-WebSocket-Accept': keyOf(head) }),
    message: 'Invalid challenge response',
  },
  {
    name: 'the accept twice',
    answer: (head) => switching(head, `Sec-WebSocket-Accept: ${acceptFor(keyOf(head))}\r\n`),
    message: 'Invalid challenge response',
  },
  {
    name: 'a sub-protocol where none was asked for',
    answer: (head) => switching(head, 'Sec-WebSocket-Protocol: chat\r\n'),
    message: /protocol/i,
  },
  {
    name: 'another sub-protocol than was asked for',
    answer: (head) => switching(head, 'Sec-WebSocket-Protocol: other\r\n'),
    message: /protocol/i,
    options: { protocols: ['chat', 'superchat'] },
  },
  {
    name: 'two sub-protocols',
    answer: (head) => switching(head, 'Sec-WebSocket-Protocol: chat, superchat\r\n'),
    message: /protocol/i,
    options: { protocols: ['chat', 'superchat'] },
  },
  {
    name: 'a sub-protocol in other case',
    answer: (head) => switching(head, 'Sec-WebSocket-Protocol: Chat\r\n'),
    message: /protocol/i,
    options: { protocols: ['chat'] },
  },
  {
    name: 'an extension that was not offered',
    answer: (head) => switching(head, 'Sec-WebSocket-Extensions: permessage-deflate\r\n'),
    message: /extension/i,
  },
  {
    name: 'an unknown extension',
    answer: (head) => switching(head, 'Sec-WebSocket-Extensions: permessage-zstd\r\n'),
    message: /extension/i,
    options: { compress: true },
  },
  {
    name: 'an unknown parameter',
    answer: (head) => switching(head, 'Sec-WebSocket-Extensions: permessage-deflate; turbo\r\n'),
    message: /turbo|parameter/i,
    options: { compress: true },
  },
  {
    name: 'a window of 20 bits',
    answer: (head) =>
      switching(head, 'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=20\r\n'),
    message: /window/i,
    options: { compress: true },
  },
  {
    name: 'the extension twice',
    answer: (head) => switching(head, 'Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate\r\n'),
    message: /extension|permessage-deflate/i,
    options: { compress: true },
  },
];

describe('a handshake that the server refuses or gets wrong', () => {
  for (const { name, answer, message, status = 101, options } of refusals) {
    test(name, async () => {
      await using server = await handshaker(answer);
      await using session = new ClientSession();
      const error: unknown = await session
        .wsConnect(`${server.url}/chat`, options)
        .catch((error: unknown) => error);
      assert.ok(error instanceof ClientResponseError, String(error));
      if (error instanceof WSServerHandshakeError) {
        if (typeof message === 'string') assert.equal(error.reason, message);
        else assert.match(error.reason, message);
        assert.deepEqual(
          [error.status, error.code, error.requestInfo.url.pathname],
          [status, 'AIO_WS_HANDSHAKE', '/chat'],
        );
      } else {
        // Not even a head of HTTP.
        assert.ok(message instanceof RegExp);
      }
      assert.match(error.stack ?? '', /websocket-handshake\.test\.ts/);
      assert.equal(session.stats().busy, 0);
      await until(() => server.sockets.size === session.stats().idle);
    });
  }

  test('a session that raises for every status raises the error of the handshake', async () => {
    await using server = await handshaker(() => 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
    await using session = new ClientSession({ raiseForStatus: true });
    await assert.rejects(session.wsConnect(server.url), (error) => {
      assert.ok(error instanceof WSServerHandshakeError);
      assert.deepEqual([error.status, error.reason], [403, 'Invalid response status']);
      return true;
    });
  });

  test('no HTTP at all, and nothing at all', async () => {
    for (const [answer, kind] of [
      ['SSH-2.0-OpenSSH_9.2\r\n\r\n', ClientResponseError],
      [undefined, ServerDisconnectedError],
      ['HTTP/1.1 101 Switching Pro', ServerDisconnectedError],
    ] as const) {
      await using server = await handshaker((_head, { socket }) => {
        if (answer === undefined) socket.destroy();
        else if (!answer.endsWith('\n')) socket.end(answer);
        else return answer;
        return undefined;
      });
      await using session = new ClientSession();
      await assert.rejects(session.wsConnect(server.url), kind);
      assert.equal(session.stats().busy, 0);
      await until(() => server.sockets.size === 0);
    }
  });

  test('a server that ends the connection right behind its answer', async () => {
    await using server = await handshaker((head, { socket }) => {
      socket.end(switching(head));
      return undefined;
    });
    await using session = new ClientSession();
    try {
      await using ws = await session.wsConnect(server.url);
      const { type } = await ws.receive();
      assert.equal(type, WSMsgType.CLOSED);
      assert.equal(ws.closeCode, 1006);
    } catch (error) {
      assert.ok(error instanceof ClientConnectionError, String(error));
    }
    await until(() => session.stats().busy === 0 && server.sockets.size === 0);
  });
});

describe('a handshake that is right', () => {
  test('is sent in the order of aiohttp', async () => {
    await using server = await handshaker((head) => switching(head));
    await using session = new ClientSession({
      headers: { 'X-Session': '1' },
      skipAutoHeaders: ['User-Agent'],
    });
    await session.wsConnect(`${server.url}/chat?a=1`, {
      headers: { 'X-Own': '2' },
      params: { b: 'é' },
      protocols: ['one', 'two'],
      origin: 'https://page.example',
    });
    const { head } = server.requests[0]!;
    const key = keyOf(head);
    assert.equal(Buffer.from(key, 'base64').length, 16);
    assert.equal(
      head,
      `GET /chat?a=1&b=%C3%A9 HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nX-Session: 1\r\nX-Own: 2\r\n` +
        'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
        `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Protocol: one,two\r\nOrigin: https://page.example\r\n` +
        `Accept: */*\r\nAccept-Encoding: ${ACCEPT_ENCODING}\r\n\r\n`,
    );
  });

  test('each has a key of its own, whatever the caller gives', async () => {
    await using server = await handshaker((head) => switching(head));
    await using session = new ClientSession();
    for (let round = 0; round < 2; round++) {
      const ws = await session.wsConnect(server.url, { headers: { 'sec-websocket-key': 'mine' } });
      assert.equal(ws.closed, false);
    }
    const keys = server.requests.map(({ head }) => keyOf(head));
    assert.notEqual(keys[0], keys[1]);
    assert.ok(!keys.includes('mine'));
  });

  test('fields of the answer in other case, and among others', async () => {
    await using server = await handshaker(
      (head) =>
        `HTTP/1.1 101 \r\nUPGRADE: WebSocket\r\nconnection: keep-alive, upgrade\r\nsec-websocket-accept: ${acceptFor(keyOf(head))}\r\n\r\n`,
    );
    await using session = new ClientSession();
    const ws = await session.wsConnect(server.url);
    assert.deepEqual([ws.closed, ws.response.status], [false, 101]);
  });

  test('sub-protocols that stand in the fields of another handshake are asked for', async () => {
    await using server = await handshaker((head) => switching(head, 'Sec-WebSocket-Protocol: two\r\n'));
    await using session = new ClientSession();
    const ws = await session.wsConnect(server.url, {
      headers: { 'Sec-WebSocket-Protocol': 'one, two', 'Sec-WebSocket-Extensions': 'x-own' },
    });
    assert.equal(ws.protocol, 'two');
    assert.doesNotMatch(server.requests[0]!.head, /x-own/);
  });

  test('informational answers before it are passed over', async () => {
    await using server = await handshaker(
      (head) => `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${switching(head)}`,
    );
    await using session = new ClientSession();
    const ws = await session.wsConnect(server.url);
    assert.equal(ws.closed, false);
  });

  test('answer and first frames split at every byte', async () => {
    const size = switching('').length + frame(1, 'first').length + frame(2, Buffer.of(1, 2)).length;
    let split = 0;
    await using server = await handshaker((head, { socket }) => {
      const all = Buffer.concat([Buffer.from(switching(head)), frame(1, 'first'), frame(2, Buffer.of(1, 2))]);
      socket.setNoDelay(true);
      socket.write(all.subarray(0, split));
      setImmediate(() => setImmediate(() => socket.write(all.subarray(split))));
      return undefined;
    });
    await using session = new ClientSession();
    for (split = 1; split <= size; split++) {
      const ws = await session.wsConnect(server.url);
      assert.equal(await ws.receiveStr(), 'first');
      assert.deepEqual([...(await ws.receiveBytes())], [1, 2]);
      server.requests.at(-1)!.socket.end(frame(8, Buffer.of(3, 232)));
      const { type, data } = await ws.receive();
      assert.deepEqual([type, data], [WSMsgType.CLOSE, 1000]);
    }
    await until(() => session.stats().busy === 0);
  });
});

describe('options of wsConnect that cannot be', () => {
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [{ protocol: 'x' }, /there is no "protocol"/],
    ['x', /expected an object/],
    [{ protocols: 'chat' }, /protocols is a list/],
    [{ protocols: ['a b'] }, /"a b" is not a token/],
    [{ protocols: ['a', 'a'] }, /"a" is there twice/],
    [{ timeout: { total: 1 } }, /there is no "total", only wsReceive, wsClose/],
    [{ timeout: 5 }, /expected an object/],
    [{ timeout: { wsClose: 0 } }, /timeout\.wsClose is a positive number/],
    [{ receiveTimeout: -1 }, /receiveTimeout is a positive number/],
    [{ heartbeat: '1' }, /heartbeat is a positive number/],
    [{ compress: 8 }, /windowBits is a whole number, 9 to 15; got 8/],
    [{ compress: { windowBits: 16 } }, /9 to 15; got 16/],
    [{ compress: { level: 0 } }, /level is a whole number, 1 to 9; got 0/],
    [{ compress: { bits: 9 } }, /there is no "bits"/],
    [{ maxMsgSize: -1 }, /maxMsgSize is a whole number/],
    [{ writerLimit: 1.5 }, /writerLimit is a whole number/],
    [{ maxRedirects: -1 }, /maxRedirects/],
  ];
  for (const [options, message] of wrong) {
    test(JSON.stringify(options), async () => {
      await using session = new ClientSession();
      const error: unknown = await session
        .wsConnect('ws://127.0.0.1:1/', options as WSConnectOptions)
        .catch((error: unknown) => error);
      assert.ok(error instanceof TypeError || error instanceof RangeError, String(error));
      assert.match(error.message, message);
    });
  }
});

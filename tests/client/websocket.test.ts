// The client against `ws`, which is not ours.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { expectTypeOf } from 'expect-type';
import type { WebSocket } from 'ws';
import { TimeoutError } from '../../src/asyncio/index.ts';
import {
  ClientConnectionResetError,
  ClientSession,
  type ClientWebSocketResponse,
  WebSocketError,
  WebSocketStateError,
  type WSConnectOptions,
  WSMessageTypeError,
  WSMsgType,
} from '../../src/client/index.ts';
import { until } from '../net/raw-server.ts';
import { frame, handshaker, Oracle, type OracleOptions, switching } from './websocket-servers.ts';

/** A WebSocket and its other end. */
interface Pair {
  readonly ws: ClientWebSocketResponse;
  readonly peer: WebSocket;
  readonly oracle: Oracle;
  readonly session: ClientSession;
}

async function connected(
  work: (pair: Pair) => Promise<void>,
  options: WSConnectOptions = {},
  oracleOptions: OracleOptions = {},
): Promise<void> {
  await using oracle = await Oracle.start({ onConnection: () => {}, ...oracleOptions });
  await using session = new ClientSession();
  await using ws = await session.wsConnect(oracle.url, options);
  const [peer] = oracle.server.clients;
  assert.ok(peer !== undefined);
  await work({ ws, peer, oracle, session });
}

/** The next message that the other end gets. */
async function heard(peer: WebSocket): Promise<string | Buffer> {
  const [data, isBinary] = (await once(peer, 'message')) as [Buffer, boolean];
  return isBinary ? data : data.toString();
}

describe('messages', () => {
  test('texts, bytes and JSON go both ways', async () => {
    await connected(async ({ ws, peer }) => {
      let came = heard(peer);
      await ws.sendStr('Grüße 🙂');
      assert.equal(await came, 'Grüße 🙂');
      came = heard(peer);
      await ws.sendBytes(Uint8Array.of(0, 255));
      assert.deepEqual(await came, Buffer.of(0, 255));
      came = heard(peer);
      await ws.sendJson({ a: [1] });
      assert.equal(await came, '{"a":[1]}');
      came = heard(peer);
      await ws.sendFrame('as a frame', WSMsgType.TEXT);
      assert.equal(await came, 'as a frame');
      peer.send('text');
      peer.send(Buffer.of(1, 2));
      peer.send('{"b":2}');
      assert.equal(await ws.receiveStr(), 'text');
      assert.deepEqual([...(await ws.receiveBytes())], [1, 2]);
      assert.deepEqual(await ws.receiveJson<{ b: number }>(), { b: 2 });
    });
  });

  test('of every size around the lengths of a header, compressed and not', async () => {
    for (const compress of [false, true, 9, { contextTakeover: true }, { threshold: 0, level: 1 }] as const) {
      const perMessageDeflate = compress === false ? false : { threshold: 0 };
      await connected(
        async ({ ws }) => {
          assert.equal(ws.compress, compress !== false);
          for (const size of [0, 1, 125, 126, 127, 1023, 1024, 65_535, 65_536, 300_000]) {
            const text = 'lorem ipsum '.repeat(size / 12 + 1).slice(0, size);
            void ws.sendStr(text);
            assert.equal(await ws.receiveStr(), text);
            const bytes = Buffer.alloc(size, text);
            void ws.sendBytes(bytes, { compress: size % 2 === 0 });
            assert.ok(bytes.equals(await ws.receiveBytes()));
          }
        },
        { compress },
        {
          perMessageDeflate,
          onConnection: (peer) => peer.on('message', (data, binary) => peer.send(data, { binary })),
        },
      );
    }
  });

  test('compression that the server does not want is not used', async () => {
    await connected(
      async ({ ws, peer }) => {
        assert.deepEqual([ws.compress, ws.clientNotakeover], [false, false]);
        const came = heard(peer);
        await ws.sendStr('x'.repeat(5000));
        assert.equal((await came).length, 5000);
      },
      { compress: true },
    );
  });

  test('compression that both ends agree on', async () => {
    await connected(
      async ({ ws, peer }) => {
        assert.deepEqual([ws.compress, ws.clientNotakeover], [true, true]);
        assert.match(peer.extensions, /permessage-deflate/);
      },
      { compress: true },
      { perMessageDeflate: true },
    );
  });

  test('fragments are put together', async () => {
    await connected(async ({ ws, peer }) => {
      peer.send('one ', { fin: false });
      peer.ping();
      peer.send('two ', { fin: false });
      peer.send('three', { fin: true });
      assert.equal(await ws.receiveStr(), 'one two three');
    });
  });

  test('thousands of small ones, in their order', async () => {
    await connected(
      async ({ ws }) => {
        const count = 5_000;
        void (async () => {
          for (let i = 0; i < count; i++) await ws.sendStr(String(i));
        })();
        for (let i = 0; i < count; i++) assert.equal(await ws.receiveStr(), String(i));
      },
      {},
      { onConnection: (peer) => peer.on('message', (data) => peer.send(String(data))) },
    );
  });

  test('texts as bytes', async () => {
    await using oracle = await Oracle.start();
    await using session = new ClientSession();
    await using ws = await session.wsConnect(oracle.url, { decodeText: false });
    expectTypeOf(ws).toEqualTypeOf<ClientWebSocketResponse<false>>();
    await ws.sendStr('é');
    const message = await ws.receive();
    assert.equal(message.type, WSMsgType.TEXT);
    if (message.type === WSMsgType.TEXT) {
      expectTypeOf(message.data).toEqualTypeOf<Uint8Array>();
      assert.deepEqual([...message.data], [0xc3, 0xa9]);
    }
    await ws.sendJson([1]);
    assert.deepEqual(await ws.receiveJson(), [1]);
  });

  test('are typed', () => {
    const open = (session: ClientSession) => session.wsConnect('ws://a.test/', { heartbeat: 1 });
    expectTypeOf(open).returns.resolves.toEqualTypeOf<ClientWebSocketResponse>();
    expectTypeOf<ClientWebSocketResponse['receiveStr']>().returns.resolves.toEqualTypeOf<string>();
  });

  test('of another type than was asked for', async () => {
    await connected(async ({ ws, peer }) => {
      peer.send('text');
      await assert.rejects(ws.receiveBytes(), (error: Error) => {
        assert.ok(error instanceof WSMessageTypeError);
        assert.match(error.message, /1:'text' is not WSMsgType\.BINARY/);
        return true;
      });
      await assert.rejects(ws.sendStr(Buffer.of(1) as never), { code: 'AIO_WS_DATA' });
      await assert.rejects(ws.sendBytes('text' as never), { code: 'AIO_WS_DATA' });
    });
  });

  test('larger than maxMsgSize close the connection', async () => {
    await connected(
      async ({ ws, peer }) => {
        const closed = once(peer, 'close');
        peer.send('x'.repeat(1001));
        const message = await ws.receive();
        assert.equal(message.type, WSMsgType.ERROR);
        if (message.type === WSMsgType.ERROR) {
          assert.ok(message.data instanceof WebSocketError);
          assert.equal(ws.exception(), message.data);
        }
        assert.equal(ws.closeCode, 1009);
        assert.equal((await closed)[0], 1009);
      },
      { maxMsgSize: 1000 },
    );
  });

  test('a compressed frame that nobody agreed on is an error', async () => {
    await using server = await handshaker((head) => switching(head) + frame(1, 'x', 0xc0).toString('latin1'));
    await using session = new ClientSession();
    const ws = await session.wsConnect(server.url);
    const { type } = await ws.receive();
    assert.deepEqual([type, ws.closeCode], [WSMsgType.ERROR, 1002]);
  });
});

describe('pings', () => {
  test('are answered, and ours are', async () => {
    await connected(async ({ ws, peer }) => {
      const ponged = once(peer, 'pong');
      peer.ping('are you there');
      const waiting = ws.receive();
      assert.equal(String((await ponged)[0]), 'are you there');
      const pinged = once(peer, 'ping');
      await ws.ping('and you');
      assert.equal(String((await pinged)[0]), 'and you');
      peer.send('done');
      assert.equal((await waiting).data, 'done');
      const unasked = once(peer, 'pong');
      await ws.pong('by myself');
      assert.equal(String((await unasked)[0]), 'by myself');
      await assert.rejects(ws.ping('x'.repeat(126)), RangeError);
    });
  });

  test('are seen without autoping', async () => {
    await connected(
      async ({ ws, peer }) => {
        peer.ping('a');
        const message = await ws.receive();
        assert.equal(message.type, WSMsgType.PING);
        await ws.ping('b');
        const answer = await ws.receive();
        assert.deepEqual([answer.type, String(answer.data)], [WSMsgType.PONG, 'b']);
      },
      { autoping: false },
    );
  });

  test('a heartbeat sends them, and ends a connection that does not answer', async () => {
    await connected(
      async ({ peer }) => {
        await once(peer, 'ping');
      },
      { heartbeat: 20 },
    );
    await connected(
      async ({ ws, session }) => {
        const message = await ws.receive();
        assert.equal(message.type, WSMsgType.ERROR);
        assert.ok(message.data instanceof TimeoutError);
        assert.deepEqual([ws.closed, ws.closeCode], [true, 1006]);
        await until(() => session.stats().busy === 0);
      },
      { heartbeat: 20 },
      { autoPong: false },
    );
  });
});

describe('the end', () => {
  test('by this end', async () => {
    await connected(async ({ ws, peer, session }) => {
      const closed = once(peer, 'close');
      assert.equal(ws.closeCode, undefined);
      assert.equal(await ws.close({ code: 4001, message: 'enough' }), true);
      const [code, reason] = (await closed) as [number, Buffer];
      assert.deepEqual([code, String(reason), ws.closed, ws.closeCode], [4001, 'enough', true, 4001]);
      assert.equal(await ws.close(), false);
      await assert.rejects(ws.sendStr('late'), WebSocketStateError);
      for (let i = 0; i < 4; i++) assert.equal((await ws.receive()).type, WSMsgType.CLOSED);
      await assert.rejects(ws.receive(), /WebSocket connection is closed/);
      await until(() => session.stats().busy === 0);
    });
  });

  test('by the server', async () => {
    await connected(async ({ ws, peer, session }) => {
      peer.send('last');
      peer.close(4002, 'bye');
      assert.equal(await ws.receiveStr(), 'last');
      const message = await ws.receive();
      assert.deepEqual([message.type, message.data, message.extra], [WSMsgType.CLOSE, 4002, 'bye']);
      assert.deepEqual([ws.closed, ws.closeCode], [true, 4002]);
      assert.equal((await ws.receive()).type, WSMsgType.CLOSED);
      await assert.rejects(ws.sendStr('late'), { code: 'AIO_CONNECTION_RESET' });
      await until(() => session.stats().busy === 0);
    });
  });

  test('by the server, which says no code', async () => {
    await connected(async ({ ws, peer }) => {
      peer.close();
      const { type, data } = await ws.receive();
      assert.deepEqual([type, data], [WSMsgType.CLOSE, 0]);
    });
  });

  test('an iteration ends with it', async () => {
    await connected(async ({ ws, peer }) => {
      for (const text of ['a', 'b']) peer.send(text);
      peer.close(1001);
      const texts: string[] = [];
      for await (const message of ws) if (message.type === WSMsgType.TEXT) texts.push(message.data);
      assert.deepEqual([texts, ws.closeCode], [['a', 'b'], 1001]);
    });
  });

  test('of the connection without a word', async () => {
    await connected(async ({ ws, peer, session }) => {
      peer.terminate();
      const { type } = await ws.receive();
      assert.deepEqual([type, ws.closed, ws.closeCode], [WSMsgType.CLOSED, true, 1006]);
      // Who does not look at the result learns it by receiving: no unhandled rejection.
      void ws.sendStr('late');
      void ws.ping();
      await assert.rejects(ws.sendStr('late'), (error: Error) => {
        assert.ok(error instanceof ClientConnectionResetError);
        assert.match(error.stack ?? '', /websocket\.test\.ts/);
        return true;
      });
      await until(() => session.stats().busy === 0);
    });
  });

  test('of the connection in the middle of a message', async () => {
    await using server = await handshaker((head, { socket }) => {
      socket.end(Buffer.concat([Buffer.from(switching(head)), frame(1, 'half').subarray(0, 4)]));
      return undefined;
    });
    await using session = new ClientSession();
    await using ws = await session.wsConnect(server.url);
    assert.equal((await ws.receive()).type, WSMsgType.CLOSED);
    assert.equal(ws.closeCode, 1006);
  });

  test('a server that never answers the close', async () => {
    await using server = await handshaker((head) => switching(head));
    await using session = new ClientSession();
    await using ws = await session.wsConnect(server.url, { timeout: { wsClose: 20 } });
    assert.equal(await ws.close(), true);
    assert.equal(ws.closeCode, 1006);
    await until(() => server.sockets.size === 0 && session.stats().busy === 0);
  });

  test('a second receive beside one that waits', async () => {
    await connected(async ({ ws, peer }) => {
      const first = ws.receive();
      await assert.rejects(ws.receive(), /Concurrent call to receive\(\) is not allowed/);
      peer.send('x');
      assert.equal((await first).data, 'x');
    });
  });

  test('a receive that takes too long keeps the connection', async () => {
    await connected(
      async ({ ws, peer }) => {
        await assert.rejects(ws.receive(), (error: Error) => {
          assert.ok(error instanceof TimeoutError);
          assert.match(error.stack ?? '', /websocket\.test\.ts/);
          return true;
        });
        await assert.rejects(ws.receive({ timeout: 5 }), TimeoutError);
        peer.send('x');
        assert.equal(await ws.receiveStr({ timeout: Infinity }), 'x');
      },
      { timeout: { wsReceive: 10 } },
    );
  });

  test('a receive that is aborted keeps the connection', async () => {
    await connected(async ({ ws, peer }) => {
      const controller = new AbortController();
      const waiting = ws.receive({ signal: controller.signal });
      controller.abort(new Error('enough'));
      await assert.rejects(waiting, /enough/);
      peer.send('x');
      assert.equal(await ws.receiveStr(), 'x');
    });
  });
});

describe('what is told of it', () => {
  test('protocol, fields, addresses', async () => {
    await connected(
      async ({ ws, oracle }) => {
        assert.equal(ws.protocol, 'v2');
        assert.equal(ws.response.status, 101);
        const { address, port } = ws.getExtraInfo('peername') ?? {};
        assert.deepEqual([address, port], ['127.0.0.1', oracle.port]);
        assert.equal(ws.getExtraInfo('peercert'), undefined);
        assert.equal(ws.exception(), undefined);
      },
      { protocols: ['v2', 'v1'] },
    );
  });

  test('for people to read', async () => {
    await connected(async ({ ws, oracle }) => {
      const { origin } = new URL(oracle.url);
      assert.equal(String(ws), `<ClientWebSocketResponse [open] ${origin}>`);
      assert.equal(inspect({ ws }), `{ ws: <ClientWebSocketResponse [open] ${origin}> }`);
      await ws.close();
      assert.equal(JSON.stringify(ws), `"<ClientWebSocketResponse [closed 1000] ${origin}>"`);
    });
  });
});

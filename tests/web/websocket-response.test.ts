import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import * as asyncio from '../../src/asyncio/index.ts';
import * as web from '../../src/web/index.ts';
import { closing, deferred, echo, masked, text, UPGRADE, WebSocketSite } from './websocket-site.ts';

const { WSMsgType } = web;

describe('receive', () => {
  test('gives each kind of message, then CLOSE, CLOSED four times, and then throws', async () => {
    const seen: unknown[] = [];
    await using site = await WebSocketSite.start(
      async (ws) => {
        for (let count = 0; count < 9; count++) {
          const { type, data, extra } = await ws.receive();
          seen.push([type, data instanceof Uint8Array ? [...data] : data, extra]);
        }
        await ws.receive();
      },
      { socket: { autoping: false } },
    );
    const peer = await site.open();
    await peer.send(text('ä'), { opcode: 2, payload: '\x01' }, { opcode: 9, payload: 'p' }, { opcode: 10 });
    await peer.send(closing(3000, 'why'));
    assert.deepEqual(await peer.ended(), ['close 3000']);
    await site.handled;
    assert.deepEqual(seen, [
      [WSMsgType.TEXT, 'ä', undefined],
      [WSMsgType.BINARY, [1], undefined],
      [WSMsgType.PING, [0x70], undefined],
      [WSMsgType.PONG, [], undefined],
      [WSMsgType.CLOSE, 3000, 'why'],
      ...Array(4).fill([WSMsgType.CLOSED, undefined, undefined]),
    ]);
    // Nothing is left to be told to the client, so the log is not either.
    assert.deepEqual(site.logger.errors, []);
  });

  test('a close frame without a code is answered in kind', async () => {
    await using site = await WebSocketSite.start(async (ws) => {
      const message = await ws.receive();
      assert.deepEqual([message.type, message.data, ws.closeCode], [WSMsgType.CLOSE, 0, 0]);
    });
    const peer = await site.open();
    await peer.send(closing());
    assert.deepEqual(await peer.ended(), ['close 0']);
    assert.deepEqual(site.logger.errors, []);
  });

  test('receiveStr, receiveBytes and receiveJson want their type', async () => {
    const errors: unknown[] = [];
    await using site = await WebSocketSite.start(async (ws) => {
      assert.equal(await ws.receiveStr(), 'a');
      assert.deepEqual([...(await ws.receiveBytes())], [98]);
      const value = await ws.receiveJson<{ c: number }>();
      expectTypeOf(value).toEqualTypeOf<{ c: number }>();
      assert.deepEqual(value, { c: 1 });
      assert.equal(await ws.receiveJson({ loads: (json) => json.length }), 2);
      for (const receive of ['receiveStr', 'receiveBytes', 'receiveJson', 'receiveStr'] as const) {
        await ws[receive]().catch((error: unknown) => errors.push(error));
      }
    });
    const peer = await site.open();
    const bytes = { opcode: 2, payload: 'b' };
    await peer.send(text('a'), bytes, text('{"c":1}'), text('[]'), bytes, text('x'), text('{'), closing());
    await peer.ended();
    await site.handled;
    assert.deepEqual(
      errors.map((error) => [(error as Error).name, (error as Error).message.slice(0, 60)]),
      [
        ['WSMessageTypeError', 'Received message 2:<Buffer 62> is not WSMsgType.TEXT'],
        ['WSMessageTypeError', "Received message 1:'x' is not WSMsgType.BINARY"],
        ['SyntaxError', (errors[2] as Error).message.slice(0, 60)],
        ['WSMessageTypeError', 'Received message 8:0 is not WSMsgType.TEXT'],
      ],
    );
    assert.equal((errors[0] as { code?: string }).code, 'AIO_WS_MESSAGE_TYPE');
  });

  test('one at a time', async () => {
    await using site = await WebSocketSite.start(async (ws) => {
      const first = ws.receive();
      await assert.rejects(ws.receive(), {
        code: 'AIO_WS_RECEIVING',
        message: 'Concurrent call to receive() is not allowed',
      });
      await ws.sendStr('now');
      assert.equal((await first).data, 'one');
      assert.equal(await ws.receiveStr(), 'two');
    });
    const peer = await site.open();
    await peer.until('text now');
    await peer.send(text('one'), text('two'));
    assert.deepEqual(await peer.ended(), ['text now', 'close 1000']);
    assert.deepEqual(site.logger.errors, []);
  });

  test('a timeout, a signal or a cancelled task loses no message', async () => {
    await using site = await WebSocketSite.start(
      async (ws) => {
        await assert.rejects(ws.receive({ timeout: 1 }), { name: 'TimeoutError' });
        await assert.rejects(ws.receive(), { name: 'TimeoutError' }, 'receiveTimeout');
        await assert.rejects(ws.receive({ timeout: -1 }), { code: 'AIO_WS_OPTION' });
        await assert.rejects(ws.receive({ signal: AbortSignal.abort(new Error('early')) }), /early/);
        const controller = new AbortController();
        const waiting = ws.receive({ signal: controller.signal, timeout: Infinity });
        controller.abort(new Error('late'));
        await assert.rejects(waiting, /late/);
        await assert.rejects(
          asyncio.timeout(1, () => ws.receive({ timeout: 60_000 })),
          {
            name: 'TimeoutError',
          },
        );
        const task = asyncio.createTask(() => ws.receive({ timeout: Infinity }));
        await asyncio.sleep(0);
        task.cancel();
        await assert.rejects(async () => await task, { code: 'AIO_CANCELLED' });
        assert.deepEqual([ws.closed, ws.closeCode], [false, undefined]);
        await ws.sendStr('now');
        for (const expected of ['one', 'two'])
          assert.equal(await ws.receiveStr({ timeout: 60_000 }), expected);
      },
      { socket: { receiveTimeout: 2 } },
    );
    const peer = await site.open();
    await peer.until('text now');
    await peer.send(text('one'), text('two'));
    assert.deepEqual(await peer.ended(), ['text now', 'close 1000']);
    assert.deepEqual(site.logger.errors, []);
  });

  test('a task that is cancelled when its message is here already keeps it for itself', async () => {
    const got: string[] = [];
    await using site = await WebSocketSite.start(async (ws) => {
      for (let round = 0; round < 50; round++) {
        const task = asyncio.createTask(() => ws.receiveStr());
        await ws.sendStr('go');
        // Some of these meet the wait, some the message.
        for (let turns = 0; turns < round % 5; turns++) await new Promise(setImmediate);
        task.cancel();
        const [result] = await Promise.allSettled([task]);
        if (result.status === 'fulfilled') got.push(result.value);
      }
      while (got.length < 50) got.push(await ws.receiveStr());
    });
    const client = await site.ws();
    for (let round = 0; round < 50; round++) {
      await client.next();
      client.socket.send(String(round));
    }
    assert.equal((await client.closed).code, 1000);
    assert.deepEqual(
      got,
      Array.from({ length: 50 }, (_, round) => String(round)),
    );
  });

  test('with decodeText: false texts are bytes', async () => {
    const done = deferred<unknown>();
    await using site = await WebSocketSite.start(echo, {
      setup: (app) =>
        app.router.addGet('/bytes', async (request) => {
          const ws = new web.WebSocketResponse({ decodeText: false });
          await ws.prepare(request);
          const message = await ws.receive();
          if (message.type === WSMsgType.TEXT) expectTypeOf(message.data).toEqualTypeOf<Uint8Array>();
          done.resolve([message.type, message.data]);
          assert.equal(await ws.receiveStr(), 'ß');
          return ws;
        }),
    });
    const peer = await site.open(UPGRADE.replace('GET / ', 'GET /bytes '));
    await peer.send(text('ß'), text('ß'));
    assert.deepEqual(await done.promise, [WSMsgType.TEXT, Buffer.from('ß')]);
    assert.deepEqual(await peer.ended(), ['close 1000']);
  });
});

describe('send', () => {
  test('each kind of message, and what cannot be sent', async () => {
    await using site = await WebSocketSite.start(async (ws) => {
      await ws.sendStr('a');
      await ws.sendBytes(new Uint8Array([1, 2]));
      await ws.sendJson({ b: 1 });
      await ws.sendJson({ b: 1 }, { dumps: () => 'own' });
      await ws.sendJsonBytes({ b: 1 }, { dumps: (value) => Buffer.from(JSON.stringify(value)) });
      await ws.sendFrame('c', WSMsgType.TEXT);
      await ws.sendFrame('c', WSMsgType.BINARY);
      await ws.sendFrame('c', WSMsgType.PING);
      await ws.sendFrame(Buffer.from('c'), WSMsgType.PONG);
      await ws.ping();
      await ws.pong('d');
      const wrong = { code: 'AIO_WS_DATA', name: 'TypeError' };
      await assert.rejects(ws.sendStr(Buffer.from('x') as never), wrong);
      await assert.rejects(ws.sendBytes('x' as never), {
        ...wrong,
        message: /Uint8Array or Buffer, got string/,
      });
      await assert.rejects(ws.sendFrame(1 as never, WSMsgType.TEXT), wrong);
      await assert.rejects(ws.ping(1 as never), wrong);
      await assert.rejects(ws.ping('x'.repeat(126)), { code: 'AIO_WS_CONTROL_TOO_LONG' });
      await assert.rejects(ws.sendFrame('', WSMsgType.CLOSE), { code: 'AIO_WS_OPCODE' });
      await assert.rejects(ws.sendJson(1n), TypeError);
      await assert.rejects(ws.sendJson(undefined), wrong);
      await assert.rejects(ws.write(), { code: 'AIO_WS_NO_BODY' });
      await assert.rejects(ws.close({ code: 1006 }), { code: 'AIO_WS_CLOSE_CODE' });
      await assert.rejects(ws.close({ message: 'x'.repeat(124) }), { code: 'AIO_WS_CLOSE_REASON' });
      assert.equal(ws.closed, false);
      await ws.writeEof();
    });
    const peer = await site.open();
    await peer.until('close 1000');
    await peer.send(closing(1000));
    assert.deepEqual(await peer.ended(), [
      'text a',
      'binary 0102',
      'text {"b":1}',
      'text own',
      `binary ${Buffer.from('{"b":1}').toString('hex')}`,
      'text c',
      'binary 63',
      'ping 63',
      'pong 63',
      'ping ',
      'pong 64',
      'close 1000',
    ]);
    assert.deepEqual(site.logger.errors, []);
  });

  test('before prepare() everything says what is missing', async () => {
    const ws = new web.WebSocketResponse();
    assert.deepEqual(
      [ws.closed, ws.closeCode, ws.compress, ws.exception()],
      [false, undefined, false, undefined],
    );
    for (const call of [() => ws.receive(), () => ws.sendStr('x'), () => ws.close(), () => ws.ping()]) {
      await assert.rejects(call, { code: 'AIO_WS_NOT_PREPARED', name: 'WebSocketStateError' });
    }
    await ws[Symbol.asyncDispose]();
    assert.throws(() => new web.WebSocketResponse({ heartbeat: -1 }), { code: 'AIO_WS_OPTION' });
    assert.throws(
      () => new web.WebSocketResponse({ maxMsgSize: Number.NaN }),
      /maxMsgSize is a number of bytes/,
    );
  });

  test('frames of one turn leave in one write', async () => {
    await using site = await WebSocketSite.start(async (ws) => {
      const socket = ws.getExtraInfo('socket')!;
      const { write } = socket;
      let writes = 0;
      socket.write = (...args: unknown[]) => {
        writes++;
        return (write as (...rest: unknown[]) => boolean).apply(socket, args);
      };
      for (let count = 0; count < 100; count++) await ws.sendStr('x');
      await new Promise(setImmediate);
      assert.equal(writes, 1);
    });
    const peer = await site.open();
    await peer.until('close 1000');
    assert.equal(peer.lines.length, 101);
    peer.client.reset();
    assert.deepEqual(site.logger.errors, []);
  });

  test('bytes may be changed when they are sent', async () => {
    await using site = await WebSocketSite.start(async (ws) => {
      const bytes = Buffer.alloc(300_000);
      for (let count = 1; count <= 20; count++) {
        bytes.fill(count);
        await ws.sendBytes(bytes);
      }
    });
    const client = await site.ws({ perMessageDeflate: false });
    for (let count = 1; count <= 20; count++) {
      const message = Buffer.from(await client.next(), 'hex');
      assert.equal(message.length, 300_000);
      assert.ok(message.every((byte) => byte === count));
    }
  });

  test('to a client that is gone is no failure of the handler, and nobody has to catch it', async () => {
    const codes: unknown[] = [];
    await using site = await WebSocketSite.start(async (ws) => {
      await ws.receive();
      assert.deepEqual([ws.closed, ws.closeCode], [true, 1006]);
      void ws.sendStr('nobody looks');
      await ws.sendStr('x').catch((error: { code?: string }) => codes.push(error.code));
      assert.equal(await ws.close(), false);
      await ws.sendStr('y');
    });
    const peer = await site.open();
    peer.client.reset();
    await site.handled;
    assert.deepEqual(codes, ['AIO_CLIENT_DISCONNECTED']);
    await new Promise(setImmediate);
    assert.deepEqual(site.logger.errors, []);
  });

  test('after close() of the handler itself is its mistake', async () => {
    const codes: unknown[] = [];
    await using site = await WebSocketSite.start(async (ws) => {
      assert.equal(await ws.close({ code: 4000, message: 'done' }), true);
      assert.deepEqual([ws.closed, ws.closeCode], [true, 4000]);
      assert.equal((await ws.receive()).type, WSMsgType.CLOSED);
      await ws.sendStr('x').catch((error: { code?: string }) => codes.push(error.code));
      assert.equal(await ws.close(), false);
    });
    const client = await site.ws();
    assert.deepEqual(await client.closed, { code: 4000, reason: 'done' });
    await site.handled;
    assert.deepEqual(codes, ['AIO_WS_CLOSED']);
  });
});

describe('the end', () => {
  test('a handler that returns closes with 1000, one that throws with 1011 and a line in the log', async () => {
    for (const [fail, code] of [
      [false, 1000],
      [true, 1011],
    ] as const) {
      await using site = await WebSocketSite.start(() => {
        if (fail) throw new Error('a defect');
      });
      const client = await site.ws();
      assert.equal((await client.closed).code, code);
      assert.equal(site.logger.errors.length, fail ? 1 : 0);
      if (fail)
        assert.match(site.logger.errors[0]!, /Error handling GET \/ on its WebSocket\nError: a defect/);
    }
  });

  test('an HTTP exception comes too late, and so does another response', async () => {
    await using site = await WebSocketSite.start(echo, {
      setup: (app) => {
        app.router.addGet('/exception', async (request) => {
          await new web.WebSocketResponse().prepare(request);
          throw new web.HTTPNotFound();
        });
        app.router.addGet('/other', async (request) => {
          await new web.WebSocketResponse().prepare(request);
          return new web.Response({ text: 'page' });
        });
      },
    });
    const peer = await site.open(UPGRADE.replace('GET / ', 'GET /exception '));
    assert.deepEqual(await peer.ended(), ['close 1011']);
    const other = await site.open(UPGRADE.replace('GET / ', 'GET /other '));
    await other.ended();
    assert.match(site.logger.errors[0]!, /HTTPNotFound/);
    assert.match(site.logger.errors[1]!, /AIO_RESPONSE_STARTED/);
    assert.equal(site.logger.errors.length, 2);
  });

  test('an error of another WebSocket is a failure of the handler that lets it through', async () => {
    const sockets: web.WebSocketResponse[] = [];
    await using site = await WebSocketSite.start(async (ws) => {
      sockets.push(ws);
      await ws.receive();
      if (sockets[0] !== ws) await sockets[0]!.sendStr('to one that left');
    });
    const first = await site.open();
    const second = await site.open();
    first.client.reset();
    await site.handled;
    await second.send(text('go'));
    assert.deepEqual(await second.ended(), ['close 1011']);
    assert.match(site.logger.errors[0]!, /ClientDisconnectedError/);
  });

  test('a peer that ends without a word: CLOSED and 1006, what came before is still received', async () => {
    for (const how of ['end', 'reset'] as const) {
      const seen: unknown[] = [];
      const go = deferred();
      await using site = await WebSocketSite.start(async (ws) => {
        await go.promise;
        for (;;) {
          const message = await ws.receive();
          if (message.type === WSMsgType.CLOSED) break;
          seen.push(message.data);
        }
        seen.push(ws.closeCode);
      });
      const peer = await site.open();
      await peer.send(text('one'), text('two'));
      const [connection] = site.server.runner.server!.connections;
      while (connection!.socket.bytesRead < UPGRADE.length + masked(text('one'), text('two')).length)
        await new Promise(setImmediate);
      peer.client[how]();
      while (site.server.runner.server!.connections.size > 0) await new Promise((r) => setTimeout(r, 1));
      go.resolve();
      await site.handled;
      assert.deepEqual(seen, ['one', 'two', 1006], how);
    }
  });

  test('close() does not wait for ever', async () => {
    const results: unknown[] = [];
    await using site = await WebSocketSite.start(
      async (ws) => {
        results.push(await ws.close(), ws.closeCode, ws.exception()?.name);
      },
      { socket: { timeout: 5 } },
    );
    const peer = await site.open();
    await peer.client.closed;
    await site.handled;
    assert.deepEqual(results, [true, 1006, 'TimeoutError']);
  });

  test('close() from elsewhere ends a receive that waits; messages before the answer are dropped', async () => {
    const seen: unknown[] = [];
    const opened = deferred<web.WebSocketResponse>();
    await using site = await WebSocketSite.start(async (ws) => {
      opened.resolve(ws);
      for await (const message of ws) seen.push(message.data);
      seen.push((await ws.receive()).type, ws.closed);
    });
    const peer = await site.open();
    const ws = await opened.promise;
    const closed = ws.close({ code: web.WSCloseCode.GOING_AWAY, message: 'shutdown' });
    await peer.until('close 1001 shutdown');
    await peer.send(text('too late'), closing(1001));
    assert.equal(await closed, true);
    assert.equal(ws.closeCode, 1001);
    await site.handled;
    assert.deepEqual(seen, [WSMsgType.CLOSED, true]);
    await peer.ended();
  });

  test('cancelling close() cuts the connection', async () => {
    const done = deferred<unknown>();
    await using site = await WebSocketSite.start(async (ws) => {
      const task = asyncio.createTask(() => ws.close());
      while (!ws.closed) await asyncio.sleep(0);
      task.cancel();
      await assert.rejects(async () => await task, { code: 'AIO_CANCELLED' });
      done.resolve(ws.closeCode);
    });
    const peer = await site.open();
    await peer.client.closed;
    assert.deepEqual(peer.lines, ['close 1000']);
    assert.equal(await done.promise, 1006);
  });

  test('with autoclose: false the handler closes', async () => {
    await using site = await WebSocketSite.start(
      async (ws) => {
        assert.equal((await ws.receive()).type, WSMsgType.CLOSE);
        assert.equal((await ws.receive()).type, WSMsgType.CLOSING);
        assert.equal((await ws.receive()).type, WSMsgType.CLOSING);
        assert.equal(ws.closed, false);
        await ws.sendStr('last words');
        assert.equal(await ws.close({ code: 4321 }), true);
        assert.equal(ws.closeCode, 4001);
      },
      { socket: { autoclose: false } },
    );
    const peer = await site.open();
    await peer.send(closing(4001));
    assert.deepEqual(await peer.ended(), ['text last words', 'close 4321']);
    await site.handled;
    assert.deepEqual(site.logger.errors, []);
  });

  test('a client that closes is answered also when nobody receives, after what came before', async () => {
    const go = deferred();
    const codes: unknown[] = [];
    await using site = await WebSocketSite.start(async (ws, request) => {
      const aborted = new Promise((resolve) => request.signal.addEventListener('abort', resolve));
      await ws.receive();
      await aborted;
      await ws.sendStr('x').catch((error: { code?: string }) => codes.push(error.code));
      codes.push(ws.closeCode, request.remote, request.headers.get('Host'));
      go.resolve();
    });
    const peer = await site.open();
    await peer.send(text('work'), closing(1001));
    assert.deepEqual(await peer.ended(), ['close 1001']);
    await go.promise;
    assert.deepEqual(codes, ['AIO_CLIENT_DISCONNECTED', 1001, '127.0.0.1', 'a']);
    assert.deepEqual(site.logger.errors, []);
  });

  const mistakes: readonly (readonly [string, Buffer, number, string])[] = [
    ['an opcode that does not exist', masked({ opcode: 3 }), 1002, 'AIO_WS_PROTOCOL'],
    ['a frame without a mask', masked({ opcode: 1, payload: 'x', key: undefined }), 1002, 'AIO_WS_PROTOCOL'],
    ['a reserved bit', masked({ opcode: 1, rsv: 4 }), 1002, 'AIO_WS_PROTOCOL'],
    ['text that is not UTF-8', masked({ opcode: 1, payload: Buffer.of(0xff) }), 1007, 'AIO_WS_INVALID_DATA'],
    ['a message too big', masked(text('x'.repeat(101))), 1009, 'AIO_WS_MESSAGE_TOO_BIG'],
    ['a close code that does not exist', masked(closing(1005)), 1002, 'AIO_WS_PROTOCOL'],
  ];
  for (const [what, bytes, code, name] of mistakes) {
    test(`${what} is answered with ${code}, after what came before it`, async () => {
      const seen: unknown[] = [];
      await using site = await WebSocketSite.start(
        async (ws, request) => {
          for await (const message of ws) {
            if (message.type === WSMsgType.TEXT) await ws.sendStr(message.data);
            else if (message.type === WSMsgType.ERROR)
              seen.push((message.data as { code?: string }).code, message.data === ws.exception());
          }
          seen.push(ws.closeCode, request.signal.aborted);
        },
        { socket: { maxMsgSize: 100 } },
      );
      const peer = await site.open();
      await peer.client.send(Buffer.concat([masked(text('before')), bytes, masked(text('behind'))]));
      assert.deepEqual(await peer.ended(), ['text before', `close ${code}`]);
      await site.handled;
      assert.deepEqual(seen, [name, true, code, false]);
      assert.deepEqual(site.logger.errors, []);
    });
  }
});

describe('the request', () => {
  test('is done when the connection is closed, and its signal aborts when the client was cut off', async () => {
    const done = deferred<unknown>();
    const reason = deferred<unknown>();
    await using site = await WebSocketSite.start(async (ws, request) => {
      request.onDone((error) => done.resolve(error?.message));
      request.signal.addEventListener('abort', () => reason.resolve(request.signal.reason.code));
      await ws.receive();
      assert.equal(ws.closeCode, 1006);
      assert.equal(request.remote, '127.0.0.1');
      assert.equal(request.path, '/');
      assert.equal(ws.getExtraInfo('peername')?.address, '127.0.0.1');
    });
    const peer = await site.open();
    peer.client.reset();
    assert.equal(await done.promise, 'The WebSocket was cut.');
    assert.equal(await reason.promise, 'AIO_CLIENT_DISCONNECTED');
    await site.handled;
    assert.deepEqual(site.logger.errors, []);
  });

  test('is in the access log once, when it is over', async () => {
    const records: string[] = [];
    const accessLog = { ...console, info: (line: string) => void records.push(line) };
    await using site = await WebSocketSite.start(echo, { accessLog, accessLogFormat: '%r %s' });
    const client = await site.ws();
    client.socket.send('x');
    await client.next();
    assert.deepEqual(records, []);
    client.socket.close(1000);
    await client.closed;
    while (records.length === 0) await new Promise(setImmediate);
    assert.deepEqual(records, ['GET / HTTP/1.1 101']);
  });

  test('cancels its handler when the client is cut off, with handlerCancellation only', async () => {
    for (const handlerCancellation of [false, true]) {
      const seen = deferred<string>();
      await using site = await WebSocketSite.start(
        async (ws, request) => {
          const aborted = new Promise((resolve) => request.signal.addEventListener('abort', resolve));
          try {
            await asyncio.cancellable(aborted);
            await asyncio.sleep(1);
            seen.resolve(`went on, ${ws.closeCode}`);
          } catch (error) {
            seen.resolve(asyncio.isCancelled(error) ? 'cancelled' : String(error));
            throw error;
          }
        },
        { handlerCancellation },
      );
      const peer = await site.open();
      peer.client.reset();
      assert.equal(await seen.promise, handlerCancellation ? 'cancelled' : 'went on, 1006');
      assert.deepEqual(site.logger.errors, []);
    }
  });

  test('has no time limits of HTTP any more', async () => {
    await using site = await WebSocketSite.start(echo, {
      keepAliveTimeout: 20,
      headersTimeout: 20,
      handlerTimeout: 20,
      lingerTimeout: 20,
    });
    const peer = await site.open();
    for (let round = 0; round < 6; round++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await peer.send(text(String(round)));
      await peer.until(`text ${round}`);
    }
    await peer.send(closing(1000));
    assert.equal((await peer.ended()).length, 7);
  });
});

describe('a shutdown of the server', () => {
  test('closes what onShutdown left open with 1001, and waits for the handlers', async () => {
    const order: string[] = [];
    const site = await WebSocketSite.start(
      async (ws, request) => {
        try {
          for await (const _ of ws);
          order.push(`received, ${ws.closed}`);
          await asyncio.sleep(5);
          assert.equal(request.signal.aborted, false);
          order.push('handler ended');
        } catch (error) {
          order.push(String(error));
        }
      },
      {
        setup: (app) => {
          app.onShutdown.append(() => void order.push('onShutdown'));
          app.onCleanup.append(() => void order.push('onCleanup'));
        },
      },
    );
    const client = await site.ws();
    await site.server.close();
    assert.equal((await client.closed).code, 1001);
    assert.deepEqual(order, ['onShutdown', 'received, true', 'handler ended', 'onCleanup']);
    assert.deepEqual(site.logger.errors, []);
  });

  test('finds those closed that onShutdown closes', async () => {
    const sockets = new Set<web.WebSocketResponse>();
    const site = await WebSocketSite.start(
      async (ws) => {
        sockets.add(ws);
        await echo(ws);
        sockets.delete(ws);
      },
      {
        setup: (app) =>
          app.onShutdown.append(async () => {
            for (const ws of [...sockets]) await ws.close({ code: 1012, message: 'restart' });
          }),
      },
    );
    const clients = [await site.ws(), await site.ws()];
    await site.server.close();
    for (const client of clients) assert.deepEqual(await client.closed, { code: 1012, reason: 'restart' });
    assert.equal(sockets.size, 0);
  });

  test('cuts what does not end in time', async () => {
    const left = deferred();
    const site = await WebSocketSite.start(
      async (ws) => {
        const message = await ws.receive();
        assert.equal(message.type, WSMsgType.CLOSING);
        await left.promise;
      },
      { shutdownTimeout: 20 },
    );
    const peer = await site.open();
    await site.server.close();
    assert.deepEqual(await peer.ended(), ['close 1001']);
    left.resolve();
    await site.handled;
    assert.deepEqual(site.logger.errors, []);
  });

  test('reaches a WebSocket that opens while it is under way', async () => {
    const go = deferred();
    const asked = deferred();
    const site = await WebSocketSite.start(echo, {
      middlewares: [
        async (request, handler) => {
          asked.resolve();
          await go.promise;
          return handler(request);
        },
      ],
    });
    const client = await site.connect();
    await client.send(UPGRADE);
    await asked.promise;
    const closed = site.server.close();
    while (site.server.runner.server?.ending !== true) await new Promise(setImmediate);
    go.resolve();
    await client.until('\x88\x02\x03\xe9');
    await client.send(masked(closing(1001)));
    await closed;
    assert.deepEqual(site.logger.errors, []);
  });

  test('a handler that fails because of it is not reported', async () => {
    const site = await WebSocketSite.start(async (ws) => {
      for (;;) await ws.sendStr(await ws.receiveStr());
    });
    const client = await site.ws();
    await site.server.close();
    assert.equal((await client.closed).code, 1001);
    assert.deepEqual(site.logger.errors, []);
  });
});

test('two responses to one request, one response to two', async () => {
  const codes: unknown[] = [];
  const shared = new web.WebSocketResponse();
  await using site = await WebSocketSite.start(async (ws, request) => {
    await ws.prepare(request); // does nothing
    await shared.prepare(request).catch((error: { code?: string }) => codes.push(error.code));
  }, {});
  const peer = await site.open();
  await peer.ended();
  await site.handled;
  assert.deepEqual(codes, ['AIO_RESPONSE_STARTED']);
});

// Nothing of a WebSocket stays open, whenever and however it is given up.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createTask, isCancelled, type Task, TimeoutError, timeout } from '../../src/asyncio/index.ts';
import {
  ClientConnectionError,
  ClientSession,
  type ClientWebSocketResponse,
  TCPConnector,
  WSMsgType,
} from '../../src/client/index.ts';
import { until } from '../net/raw-server.ts';
import { RawServer } from './raw-server.ts';
import { frame, handshaker, Oracle, switching } from './websocket-servers.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Collects garbage and lets finalizers run, until something is so. */
async function collecting(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000 && !condition(); turn++) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function cancelled(task: Task<unknown>): Promise<void> {
  task.cancel();
  await assert.rejects(Promise.resolve(task), (error) => isCancelled(error));
}

function nothingLeft(session: ClientSession): void {
  const { busy, idle, connecting, waiting } = session.stats();
  assert.deepEqual([busy, idle, connecting, waiting], [0, 0, 0, 0]);
}

describe('a task that is cancelled', () => {
  test('while it connects', async () => {
    await using session = new ClientSession({
      connector: new TCPConnector({ socketFactory: () => Object.assign(new Socket(), { connecting: true }) }),
    });
    const task = createTask(() => session.wsConnect('ws://127.0.0.1:1/'));
    await until(() => session.stats().connecting === 1);
    await cancelled(task);
    nothingLeft(session);
  });

  test('while it waits for the pool', async () => {
    await using oracle = await Oracle.start();
    await using session = new ClientSession({ connector: new TCPConnector({ limit: 1 }) });
    await using first = await session.wsConnect(oracle.url);
    const task = createTask(() => session.wsConnect(oracle.url));
    await until(() => session.stats().waiting === 1);
    await cancelled(task);
    assert.deepEqual([session.stats().waiting, first.closed], [0, false]);
  });

  test('while the server makes up its mind', async () => {
    await using server = await handshaker(() => undefined);
    await using session = new ClientSession();
    const task = createTask(() => session.wsConnect(server.url));
    await until(() => server.requests.length === 1);
    await cancelled(task);
    await until(() => server.sockets.size === 0);
    nothingLeft(session);
  });

  test('at every turn of a handshake', async () => {
    await using oracle = await Oracle.start();
    await using session = new ClientSession();
    for (let turns = 0; turns < 40; turns++) {
      const task = createTask(() => session.wsConnect(oracle.url));
      for (let turn = 0; turn < turns; turn++) {
        if (turns % 2 === 0) await Promise.resolve();
        else await new Promise((resolve) => setImmediate(resolve));
      }
      task.cancel();
      try {
        await (await task).close();
      } catch (error) {
        assert.ok(isCancelled(error));
      }
    }
    await until(() => session.stats().busy === 0 && oracle.connections.size === 0);
    nothingLeft(session);
  });

  test('while it receives: the next message is not lost', async () => {
    await using oracle = await Oracle.start();
    await using session = new ClientSession();
    await using ws = await session.wsConnect(oracle.url);
    const task = createTask(() => ws.receive());
    await Promise.resolve();
    await cancelled(task);
    await assert.rejects(
      timeout(5, () => ws.receive()),
      TimeoutError,
    );
    await ws.sendStr('still here');
    assert.equal(await ws.receiveStr(), 'still here');
  });

  test('while it iterates', async () => {
    await using oracle = await Oracle.start();
    await using session = new ClientSession();
    await using ws = await session.wsConnect(oracle.url);
    const task = createTask(async () => {
      for await (const message of ws) assert.fail(String(message.type));
    });
    await Promise.resolve();
    await cancelled(task);
    await ws.sendStr('x');
    for await (const message of ws) {
      assert.equal(message.data, 'x');
      break;
    }
    assert.equal(ws.closed, false);
  });

  test('while it sends to a server that does not read', async () => {
    await using server = await handshaker((head, { socket }) => {
      socket.pause();
      return switching(head);
    });
    await using session = new ClientSession();
    const ws = await session.wsConnect(server.url, { timeout: { wsClose: 10 } });
    let sent = 0;
    const task = createTask(async () => {
      for (;;) {
        await ws.sendBytes(new Uint8Array(65_536));
        sent++;
      }
    });
    let seen = -1;
    while (seen !== sent) {
      seen = sent;
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    await cancelled(task);
    await ws.close();
    await until(() => session.stats().busy === 0);
  });

  test('while it closes', async () => {
    await using server = await handshaker((head) => switching(head));
    await using session = new ClientSession();
    const ws = await session.wsConnect(server.url);
    const task = createTask(async () => {
      await using closing = ws;
      void closing;
    });
    await until(() => ws.closed);
    await cancelled(task);
    assert.equal(ws.closeCode, 1006);
    await until(() => session.stats().busy === 0 && server.sockets.size === 0);
  });

  test('leaves its block by way of close()', async () => {
    await using oracle = await Oracle.start();
    await using session = new ClientSession();
    const [connection] = await Promise.all([
      once(oracle.server, 'connection'),
      (async () => {
        const task = createTask(async () => {
          await using ws = await session.wsConnect(oracle.url);
          await ws.receive();
        });
        await until(() => oracle.requests.length === 1);
        await until(() => session.stats().busy === 1);
        await cancelled(task);
      })(),
    ]);
    void connection;
    await until(() => session.stats().busy === 0 && oracle.connections.size === 0);
  });
});

describe('a signal', () => {
  test('that is aborted already', async () => {
    await using session = new ClientSession();
    const signal = AbortSignal.abort(new Error('before'));
    await assert.rejects(session.wsConnect('ws://127.0.0.1:1/', { signal }), /before/);
  });

  test('ends a handshake', async () => {
    await using server = await handshaker(() => undefined);
    await using session = new ClientSession();
    const controller = new AbortController();
    const opening = session.wsConnect(server.url, { signal: controller.signal });
    await until(() => server.requests.length === 1);
    controller.abort(new Error('too slow'));
    await assert.rejects(opening, /too slow/);
    await until(() => server.sockets.size === 0);
    nothingLeft(session);
  });

  test('does nothing to an open WebSocket', async () => {
    await using oracle = await Oracle.start();
    await using session = new ClientSession();
    const controller = new AbortController();
    await using ws = await session.wsConnect(oracle.url, { signal: controller.signal });
    controller.abort();
    await ws.sendStr('x');
    assert.equal(await ws.receiveStr(), 'x');
  });
});

describe('the session', () => {
  test('closes its WebSockets; who receives learns it', async () => {
    await using oracle = await Oracle.start();
    const session = new ClientSession();
    const sockets = await Promise.all([1, 2, 3].map(() => session.wsConnect(oracle.url)));
    const waiting = sockets.map((ws) => ws.receive());
    await session.close();
    for (const { type } of await Promise.all(waiting)) assert.equal(type, WSMsgType.CLOSED);
    for (const ws of sockets) {
      assert.deepEqual([ws.closed, ws.closeCode], [true, 1006]);
      assert.equal(await ws.close(), false);
      await assert.rejects(ws.sendStr('late'), ClientConnectionError);
    }
    await until(() => oracle.connections.size === 0);
  });

  test('that is closed during a handshake', async () => {
    await using server = await handshaker(() => undefined);
    const session = new ClientSession();
    const opening = assert.rejects(session.wsConnect(server.url), ClientConnectionError);
    await until(() => server.requests.length === 1);
    await session.close();
    await opening;
    await until(() => server.sockets.size === 0);
  });

  test('leaves those of a connector that others own', async () => {
    await using oracle = await Oracle.start();
    await using connector = new TCPConnector();
    const session = new ClientSession({ connector, connectorOwner: false });
    const ws = await session.wsConnect(oracle.url);
    await session.close();
    await ws.sendStr('x');
    assert.equal(await ws.receiveStr(), 'x');
    await ws.close();
    await until(() => connector.stats.busy === 0);
  });
});

describe('many', () => {
  test('a thousand leave nothing behind', async () => {
    await using oracle = await Oracle.start();
    await using session = new ClientSession();
    const run = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round += 20) {
        await Promise.all(
          Array.from({ length: 20 }, async (_, number) => {
            await using ws = await session.wsConnect(oracle.url, {
              heartbeat: 60_000,
              compress: number % 2 === 0,
            });
            await ws.sendStr('x');
            await ws.receiveStr();
          }),
        );
      }
      await until(() => session.stats().busy === 0 && oracle.connections.size === 0);
      oracle.requests.length = 0;
    };
    const heap = async (): Promise<number> => {
      for (let turn = 0; turn < 5; turn++) {
        collectGarbage();
        await new Promise((resolve) => setImmediate(resolve));
      }
      return process.memoryUsage().heapUsed;
    };
    await run(200);
    const before = await heap();
    await run(1000);
    const grown = (await heap()) - before;
    assert.ok(grown < 3_000_000, `${grown} bytes for 1000 WebSockets`);
    nothingLeft(session);
  });

  test('a hundred at once', async () => {
    await using oracle = await Oracle.start();
    await using session = new ClientSession({ connector: new TCPConnector({ limit: 25 }) });
    await Promise.all(
      Array.from({ length: 100 }, async (_, number) => {
        await using ws = await session.wsConnect(oracle.url);
        await ws.sendStr(String(number));
        assert.equal(await ws.receiveStr(), String(number));
      }),
    );
    await until(() => session.stats().busy === 0 && oracle.connections.size === 0);
    nothingLeft(session);
  });
});

describe('one that nobody holds any more', () => {
  test('warns with where it was made, and is cut', async () => {
    await using oracle = await Oracle.start();
    await using session = new ClientSession();
    const warnings: (Error & { code?: string; detail?: string })[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    try {
      await (async function dropsIt(): Promise<void> {
        await session.wsConnect(oracle.url);
      })();
      await collecting(() => warnings.length > 0);
      const [warning] = warnings;
      assert.deepEqual(
        [warnings.length, warning?.message, warning?.code, warning?.name],
        [1, `Unclosed WebSocket to ${oracle.url}`, 'AIO_UNCLOSED', 'ResourceWarning'],
      );
      assert.match(warning?.detail ?? '', /dropsIt/);
      await until(() => session.stats().busy === 0 && oracle.connections.size === 0);
    } finally {
      process.off('warning', onWarning);
    }
  });

  test('does not warn when it was closed', async () => {
    await using oracle = await Oracle.start();
    await using session = new ClientSession();
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    try {
      let isGone = false;
      const registry = new FinalizationRegistry<void>(() => {
        isGone = true;
      });
      await (async () => {
        const ws = await session.wsConnect(oracle.url);
        registry.register(ws, undefined);
        await ws.close();
      })();
      await collecting(() => isGone);
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual([isGone, warnings], [true, []]);
    } finally {
      process.off('warning', onWarning);
    }
  });

  test('stays open while its messages are waited for', async () => {
    for (const listen of [
      async (ws: Promise<ClientWebSocketResponse>): Promise<unknown> => (await ws).receiveStr(),
      async (ws: Promise<ClientWebSocketResponse>): Promise<unknown> => {
        for await (const message of await ws) return message.data;
        return undefined;
      },
    ]) {
      const server = await RawServer.start(({ head }) => switching(head));
      const session = new ClientSession();
      try {
        const message = listen(session.wsConnect(server.url));
        await until(() => server.requests.length === 1);
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
        for (let turn = 0; turn < 5; turn++) {
          collectGarbage();
          await new Promise((resolve) => setImmediate(resolve));
        }
        server.requests[0]!.socket.write(frame(1, 'hello'));
        assert.equal(await message, 'hello');
      } finally {
        await session.close();
        await server[Symbol.asyncDispose]();
      }
    }
  });
});

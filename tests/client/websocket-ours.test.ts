// Both ends are ours.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTask, gather, isCancelled } from '../../src/asyncio/index.ts';
import { ClientSession, type WSConnectOptions, WSMsgType } from '../../src/client/index.ts';
import { TestClient, TestServer } from '../../src/testing/index.ts';
import {
  Application,
  type Logger,
  type Request,
  WebSocketResponse,
  type WebSocketResponseOptions,
} from '../../src/web/index.ts';
import { makeCertificate } from '../net/certificates.ts';
import { httpProxy } from '../net/proxy-server.ts';
import { until } from '../net/raw-server.ts';

const ignore = (): void => {};
/** Handlers here fail on purpose. */
const quiet: Logger = { info: ignore, warn: ignore, error: ignore };

type Handler = (ws: WebSocketResponse, request: Request) => Promise<void>;

async function echo(ws: WebSocketResponse): Promise<void> {
  for await (const message of ws) {
    if (message.type === WSMsgType.TEXT) await ws.sendStr(message.data);
    else if (message.type === WSMsgType.BINARY) await ws.sendBytes(message.data);
  }
}

function applicationOf(handler: Handler = echo, options: WebSocketResponseOptions<true> = {}): Application {
  const app = new Application({ logger: quiet });
  app.router.addGet('/ws', async (request: Request) => {
    const ws = new WebSocketResponse(options);
    await ws.prepare(request);
    await handler(ws, request);
    return ws;
  });
  return app;
}

const compressions: readonly (readonly [WSConnectOptions, WebSocketResponseOptions<true>])[] = [
  [{}, {}],
  [{ compress: true }, {}],
  [{ compress: 9 }, {}],
  [{ compress: true }, { compress: { contextTakeover: true } }],
  [{ compress: { contextTakeover: true } }, { compress: { contextTakeover: true } }],
  [{ compress: { contextTakeover: true, windowBits: 10, threshold: 0 } }, { compress: { threshold: 0 } }],
  [{ compress: true }, { compress: false }],
];

describe('both ends', () => {
  for (const [options, serverOptions] of compressions) {
    test(`${JSON.stringify(options)} and ${JSON.stringify(serverOptions)}`, async () => {
      await using client = await new TestClient(applicationOf(echo, serverOptions)).start();
      await using ws = await client.wsConnect('/ws', options);
      assert.equal(ws.compress, options.compress !== undefined && serverOptions.compress !== false);
      for (const size of [0, 1, 125, 126, 1024, 65_535, 65_536, 1_000_000]) {
        const text = 'ein Satz, der sich wiederholt; '.repeat(size / 31 + 1).slice(0, size);
        for (const data of [text, Buffer.from(text)]) {
          if (typeof data === 'string') {
            void ws.sendStr(data);
            assert.equal(await ws.receiveStr(), data);
          } else {
            void ws.sendBytes(data);
            assert.ok(data.equals(await ws.receiveBytes()));
          }
        }
      }
      assert.equal(await ws.close({ code: 3000, message: 'done' }), true);
      assert.equal(ws.closeCode, 3000);
    });
  }

  test('many at once, and in both directions at once', async () => {
    await using client = await new TestClient(applicationOf()).start();
    await gather(
      Array.from({ length: 50 }, async (_, number) => {
        await using ws = await client.wsConnect('/ws', { compress: number % 2 === 0 });
        const count = 100;
        const sending = (async () => {
          for (let i = 0; i < count; i++) await ws.sendJson({ number, i, text: 'x'.repeat(i * 20) });
        })();
        for (let i = 0; i < count; i++) {
          const value = await ws.receiveJson<{ number: number; i: number; text: string }>();
          assert.deepEqual([value.number, value.i, value.text.length], [number, i, i * 20]);
        }
        await sending;
      }),
    );
    await until(() => client.session.stats().busy === 0);
  });

  test('a server that sends much waits for a client that reads slowly', async () => {
    let sent = 0;
    await using client = await new TestClient(
      applicationOf(async (ws) => {
        for (; sent < 400; sent++) await ws.sendBytes(new Uint8Array(65_536));
      }),
    ).start();
    await using ws = await client.wsConnect('/ws');
    let seen = -1;
    while (seen !== sent) {
      seen = sent;
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(sent < 400, `${sent} messages of 64 KiB were taken by nobody`);
    let received = 0;
    for await (const { data } of ws) received += (data as Uint8Array).length;
    assert.deepEqual([received, ws.closeCode], [400 * 65_536, 1000]);
  });
});

describe('ends', () => {
  test('a handler that returns, and one that throws', async () => {
    for (const [code, work] of [
      [1000, () => Promise.resolve()],
      [1011, () => Promise.reject(new Error('of the handler'))],
    ] as const) {
      await using client = await new TestClient(applicationOf(work)).start();
      await using ws = await client.wsConnect('/ws');
      const message = await ws.receive();
      assert.deepEqual([message.type, message.data, ws.closeCode], [WSMsgType.CLOSE, code, code]);
    }
  });

  test('a client that is cancelled ends the handler', async () => {
    let ended: number | undefined;
    await using client = await new TestClient(
      applicationOf(async (ws) => {
        await echo(ws);
        ended = ws.closeCode;
      }),
    ).start();
    let isEchoed = false;
    const task = createTask(async () => {
      await using ws = await client.wsConnect('/ws');
      await ws.sendStr('hello');
      await ws.receive();
      isEchoed = true;
      await ws.receive();
    });
    await until(() => isEchoed);
    task.cancel();
    await assert.rejects(Promise.resolve(task), (error) => isCancelled(error));
    await until(() => ended !== undefined && client.session.stats().busy === 0);
    assert.equal(ended, 1000);
  });

  test('a session that closes ends the handler, and a server that ends the client', async () => {
    let ended: number | undefined;
    const server = await new TestServer(
      applicationOf(async (ws) => {
        await echo(ws);
        ended = ws.closeCode;
      }),
    ).start();
    try {
      const session = new ClientSession();
      await session.wsConnect(server.makeUrl('/ws'));
      await session.close();
      await until(() => ended !== undefined);
      assert.equal(ended, 1006);

      await using other = new ClientSession();
      const ws = await other.wsConnect(server.makeUrl('/ws'));
      const last = ws.receive();
      await server.close();
      const { type, data } = await last;
      assert.deepEqual([type, data, ws.closed], [WSMsgType.CLOSE, 1001, true]);
    } finally {
      await server.close();
    }
  });
});

describe('by other ways', () => {
  test('TLS, and a proxy', async () => {
    const certificate = makeCertificate();
    const sslContext = { cert: certificate.cert, key: certificate.key };
    await using server = await new TestServer(applicationOf(), { sslContext }).start();
    const { server: proxyServer, seen } = await httpProxy();
    await using _ = proxyServer;
    await using session = new ClientSession({ ssl: { ca: certificate.cert } });
    for (const proxy of [undefined, `http://127.0.0.1:${proxyServer.port}`]) {
      await using ws = await session.wsConnect(server.makeUrl('/ws').replace('https', 'wss'), {
        proxy,
        compress: true,
      });
      const text = 'by TLS '.repeat(100_000);
      void ws.sendStr(text);
      assert.equal(await ws.receiveStr(), text);
    }
    assert.equal(seen.length, 1);
  });
});

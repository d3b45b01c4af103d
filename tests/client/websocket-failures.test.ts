import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { createTask, isCancelled, TimeoutError } from '../../src/asyncio/index.ts';
import { ClientError, ClientSession, TCPConnector, WebSocketStateError } from '../../src/client/index.ts';
import { until } from '../net/raw-server.ts';
import { RawServer, redirect } from './raw-server.ts';
import { frame, switching } from './websocket-servers.ts';

const COUNT = 600;

/** The same numbers on every run. */
function* randomNumbers(seed: string): Generator<number, never> {
  for (let round = 0; ; round++) {
    const bytes = createHash('sha256').update(`${seed} ${round}`).digest();
    for (let at = 0; at < 32; at += 4) yield bytes.readUInt32LE(at);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a server may do with a handshake and behind it. */
const misdeeds: readonly ((socket: Socket, head: string) => string | Buffer | undefined)[] = [
  (_, head) => switching(head),
  (_, head) => Buffer.concat([Buffer.from(switching(head)), frame(1, 'a'), frame(2, 'b'), frame(9, 'c')]),
  (_, head) => Buffer.concat([Buffer.from(switching(head)), frame(1, 'a'), frame(8, Buffer.of(3, 233))]),
  // Frames that must not be: masked, reserved bits, an unknown opcode, a long ping, a close code of 1, text that is none.
  (_, head) => Buffer.concat([Buffer.from(switching(head)), Buffer.of(0x81, 0x81, 1, 2, 3, 4, 5)]),
  (_, head) => Buffer.concat([Buffer.from(switching(head)), frame(1, 'a', 0xc0)]),
  (_, head) => Buffer.concat([Buffer.from(switching(head)), frame(3)]),
  (_, head) => Buffer.concat([Buffer.from(switching(head)), frame(9, 'x', 0)]),
  (_, head) => Buffer.concat([Buffer.from(switching(head)), frame(8, Buffer.of(0, 1))]),
  (_, head) => Buffer.concat([Buffer.from(switching(head)), frame(1, Buffer.of(0xff))]),
  (socket, head) => void socket.end(switching(head)),
  (socket, head) =>
    void socket.end(Buffer.concat([Buffer.from(switching(head)), frame(1, 'half').subarray(0, 3)])),
  (socket, head) => void socket.write(switching(head), () => socket.resetAndDestroy()),
  (socket, head) => void socket.end(switching(head).slice(0, 60)),
  (socket) => void socket.destroy(),
  (socket) => void socket.resetAndDestroy(),
  () => 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n',
  () => 'HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nno',
  () => redirect('/again'),
  () => 'this is not HTTP\r\n\r\n',
  () => undefined,
];

test('WebSockets that fail in every way leave no connection, timer or listener', {
  timeout: 300_000,
}, async () => {
  const numbers = randomNumbers('websockets');
  const picks = Array.from({ length: 997 }, () => numbers.next().value);
  const server = await RawServer.start(({ number, socket, head }) =>
    misdeeds[picks[number % picks.length]! % misdeeds.length]!(socket, head),
  );
  const session = new ClientSession({
    connector: new TCPConnector({ limit: 20 }),
    timeout: { total: 2_000, sockRead: 100 },
  });
  const ends = new Map<string, number>();
  const count = (end: string): void => void ends.set(end, (ends.get(end) ?? 0) + 1);
  const one = async (patience: number, style: number): Promise<void> => {
    const task = createTask(async () => {
      await using ws = await session.wsConnect(server.url, {
        compress: style % 3 === 0,
        heartbeat: style % 2 === 0 ? 50 : undefined,
        timeout: { wsReceive: 50, wsClose: 20 },
      });
      await ws.sendStr('hello');
      if (style % 5 === 0) return 'left';
      for await (const message of ws) count(String(message.type));
      return `closed ${ws.closeCode}`;
    });
    if (patience < 30) {
      for (let i = 0; i < patience; i++) await turn();
      task.cancel();
    }
    try {
      count(await task);
    } catch (error) {
      // Cancelled while it closed what had failed before.
      const { name, error: last } = error as Error & { error?: unknown };
      assert.ok(
        isCancelled(error) ||
          (name === 'SuppressedError' && isCancelled(last)) ||
          error instanceof ClientError ||
          error instanceof TimeoutError ||
          error instanceof WebSocketStateError,
        String(error),
      );
      count(name);
    }
  };
  try {
    for (let done = 0; done < COUNT; done += 30) {
      await Promise.all(
        Array.from({ length: 30 }, () => one(numbers.next().value % 60, numbers.next().value % 30)),
      );
    }
    await until(() => session.stats().busy === 0);
    const { busy, connecting, waiting } = session.stats();
    assert.deepEqual([busy, connecting, waiting], [0, 0, 0]);
    // It did meet what it should.
    for (const end of [
      'CancelledError',
      'WSServerHandshakeError',
      'ServerDisconnectedError',
      'closed 1006',
    ]) {
      assert.ok(ends.has(end), `${end} among ${[...ends.keys()].join(', ')}`);
    }
  } finally {
    await session.close();
    await until(() => server.sockets.size === 0);
    await server[Symbol.asyncDispose]();
  }
});

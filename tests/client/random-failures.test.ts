import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { sleep } from '../../src/asyncio/index.ts';
import { ClientError, ClientSession, TCPConnector } from '../../src/client/index.ts';
import { ok, RawServer, redirect } from './raw-server.ts';

const COUNT = 10_000;

/** The same numbers on every run. */
function* randomNumbers(seed: string): Generator<number, never> {
  for (let round = 0; ; round++) {
    const bytes = createHash('sha256').update(`${seed} ${round}`).digest();
    for (let at = 0; at < 32; at += 4) yield bytes.readUInt32LE(at);
  }
}

const squeezed = gzipSync(Buffer.alloc(50_000, 'a'));

/** What a server may do to a request. */
const misdeeds: readonly ((socket: Socket) => string | Buffer | undefined | Promise<string>)[] = [
  () => ok('fine'),
  () => ok('x'.repeat(200_000)),
  () => ok('closing', 'Connection: close\r\n'),
  () => redirect('/again'),
  () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  () =>
    Buffer.concat([
      Buffer.from(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${squeezed.length}\r\n\r\n`),
      squeezed,
    ]),
  () => `${ok('twice')}${ok('twice')}`,
  () => 'this is not HTTP\r\n\r\n',
  () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  () => 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\noops',
  (socket) => void socket.destroy(),
  (socket) => void socket.resetAndDestroy(),
  (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf'),
  (socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\nto the end'),
  () => undefined,
  async () => {
    await sleep(5);
    return ok('slow');
  },
];

test('thousands of requests of which many fail leave no connection, timer or listener', {
  timeout: 300_000,
}, async () => {
  const server = await RawServer.start(({ number, socket }) => {
    const deed = misdeeds[picks[number % picks.length]! % misdeeds.length]!;
    return deed(socket);
  });
  const picks = Array.from({ length: 997 }, (_, i) => i).map(() => numbers.next().value);
  const session = new ClientSession({
    connector: new TCPConnector({ limit: 20 }),
    timeout: { total: 10_000, sockRead: 100 },
  });
  const choices = Array.from({ length: COUNT }, () => numbers.next().value);
  const outcomes = { read: 0, failed: 0, dropped: 0 };
  const { signal } = new AbortController();

  async function one(choice: number): Promise<void> {
    try {
      const body = choice % 3 === 0 ? { data: 'x'.repeat(choice % 100_000) } : {};
      await using response = await session.request(choice % 3 === 0 ? 'POST' : 'GET', server.url, {
        ...body,
        signal,
      });
      if (choice % 7 === 0) {
        outcomes.dropped++;
        return;
      }
      await response.read();
      outcomes.read++;
    } catch (error) {
      assert.ok(error instanceof ClientError, String(error));
      outcomes.failed++;
    }
  }

  let next = 0;
  await Promise.all(
    Array.from({ length: 40 }, async () => {
      while (next < COUNT) await one(choices[next++]!);
    }),
  );
  assert.equal(outcomes.read + outcomes.failed + outcomes.dropped, COUNT);
  for (const [name, count] of Object.entries(outcomes)) assert.ok(count > COUNT / 20, `${name}: ${count}`);
  const { busy, connecting, waiting } = session.stats();
  assert.deepEqual({ busy, connecting, waiting }, { busy: 0, connecting: 0, waiting: 0 });
  await session.close();
  for (const socket of server.sockets) if (!socket.destroyed) await once(socket, 'close');
  await server[Symbol.asyncDispose]();
  const left = (): string[] => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'));
  for (let i = 0; i < 2_000 && left().length > 0; i++) await sleep(5);
  assert.deepEqual(left(), []);
});

const numbers = randomNumbers('random failures');

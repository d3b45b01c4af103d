import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { CancelledError, createTask, sleep } from '../../src/asyncio/index.ts';
import { ClientError, ServerTimeoutError } from '../../src/client/errors.ts';
import { TCPConnector } from '../../src/client/tcp-connector.ts';
import { ProtocolError } from '../../src/http1/index.ts';
import { StreamReader } from '../../src/message/index.ts';
import { DEFAULT_MESSAGE_OPTIONS } from '../../src/net/index.ts';
import { makeCertificate } from '../net/certificates.ts';
import { answer, RawServer, until } from '../net/raw-server.ts';
import { requestTo } from './exchange.ts';

/** A small generator with a seed (mulberry32): the same faults in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What can happen to a request; most of them are answered. */
const faults: readonly ((socket: Socket) => void)[] = [
  (socket) => (socket instanceof TLSSocket ? socket.destroy() : socket.resetAndDestroy()),
  (socket) => socket.destroy(),
  (socket) => socket.end(),
  (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it'),
  (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal'),
  (socket) => void socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n'),
  (socket) => void socket.write('\x16\x03\x01 this is not HTTP\r\n\r\n'),
  (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'),
  (socket) => void socket.write(`${answer('hello')}${answer('twice')}`),
  (socket) => void socket.write(answer('bye', 'Connection: close\r\n')),
  (socket) => void socket.write('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n'),
  (socket) => void socket.write(`HTTP/1.1 100 Continue\r\n\r\n${answer('x'.repeat(200_000))}`),
  (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    setImmediate(() => socket.write('Content-Length: 2\r\n\r\nok'));
  },
  (socket) => {
    socket.write(answer('ok'));
    setImmediate(() => socket.write('unasked'));
  },
  () => {
    // Silence.
  },
];

function counted(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) {
    if (/^(?:TCP|Pipe|TLS|Timeout|Immediate|GetAddrInfo)/.test(name)) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

async function storm(requests: number, tls: boolean): Promise<void> {
  const next = random(requests);
  const certificate = tls ? makeCertificate() : undefined;
  const listenersBefore = process.listenerCount('exit') + process.listenerCount('beforeExit');
  await until(() => !('TCPSocketWrap' in counted()));
  const before = counted();
  let answered = 0;
  let failed = 0;
  let cancelled = 0;
  let mostListeners = 0;
  {
    await using server = await RawServer.answering(
      (socket) => {
        const chance = next();
        if (chance < 0.8) socket.write(answer('hello'));
        else faults[Math.floor(next() * faults.length)]!(socket);
      },
      certificate === undefined ? {} : { tls: { cert: certificate.cert, key: certificate.key } },
    );
    const connector = new TCPConnector({ limit: 20, keepaliveTimeout: 1_000 });
    const request = requestTo(server.port, { secure: tls, ssl: false });
    // Silent servers are given up soon; the wheel is coarse.
    const options = { ...DEFAULT_MESSAGE_OPTIONS, sockRead: 1 };
    const one = async (): Promise<void> => {
      const pooled = connector.reuse(request.key) ?? (await connector.connect(request));
      const { connection } = pooled;
      try {
        connection.begin('GET', options);
        connection.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
        const sent = connection.flush();
        connection.endRequest();
        if (sent !== undefined) await sent;
        let message = await connection.response();
        while (message.head.status < 200) message = await connection.response();
        if (message.body instanceof StreamReader) await message.body.read();
      } finally {
        pooled.release();
        const { socket } = connection;
        const listeners = socket.eventNames().map((name) => socket.listenerCount(name));
        mostListeners = Math.max(mostListeners, ...listeners);
      }
    };
    let left = requests;
    const worker = async (): Promise<void> => {
      while (left-- > 0) {
        const impatient = next() < 0.02;
        try {
          if (impatient) {
            const task = createTask(one);
            await sleep(0);
            task.cancel();
            await task;
          } else {
            await one();
          }
          answered++;
        } catch (error) {
          if (error instanceof CancelledError) {
            cancelled++;
            continue;
          }
          const isKnown =
            error instanceof ClientError ||
            error instanceof ServerTimeoutError ||
            error instanceof ProtocolError;
          assert.ok(isKnown, String(error));
          failed++;
        }
        const { idle, busy, connecting } = connector.stats;
        assert.ok(idle + busy + connecting <= 20);
      }
    };
    await Promise.all(Array.from({ length: 40 }, worker));
    const { busy, connecting, waiting } = connector.stats;
    assert.deepEqual([busy, connecting, waiting], [0, 0, 0]);
    await connector.close();
    await until(() => server.sockets.size === 0);
  }
  assert.equal(answered + failed + cancelled, requests);
  assert.ok(
    answered > requests / 2 && failed > requests / 20 && cancelled > 0,
    `${answered} ${failed} ${cancelled}`,
  );
  assert.ok(mostListeners <= 5, `${mostListeners} listeners of one event`);
  await until(() => JSON.stringify(counted()) === JSON.stringify(before));
  assert.equal(process.listenerCount('exit') + process.listenerCount('beforeExit'), listenersBefore);
}

describe('requests to a server that fails at random leave nothing behind', { timeout: 300_000 }, () => {
  test('10,000 of them', () => storm(10_000, false));
  test('over TLS', () => storm(1_500, true));
});

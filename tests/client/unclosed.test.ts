import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { sleep } from '../../src/asyncio/index.ts';
import { ClientSession } from '../../src/client/index.ts';
import { ok, RawServer } from './raw-server.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

interface Warning extends Error {
  readonly code: string;
  readonly detail: string;
}

/** The next warning of something unclosed, while garbage is collected again and again. */
async function nextWarning(): Promise<Warning> {
  let warning: Warning | undefined;
  const listen = (told: Error & { code?: string }): void => {
    if (told.code === 'AIO_UNCLOSED') warning ??= told as Warning;
  };
  process.on('warning', listen);
  try {
    for (let i = 0; i < 1_000 && warning === undefined; i++) {
      collect();
      await sleep(10);
    }
  } finally {
    process.off('warning', listen);
  }
  assert.ok(warning !== undefined, 'no warning came');
  return warning;
}

describe('what is dropped unclosed', () => {
  test('a session warns with where it was made, and its connections are closed', async () => {
    await using server = await RawServer.start(() => ok());
    const warned = nextWarning();
    await (async function makesASession(): Promise<void> {
      const session = new ClientSession();
      await session.get(server.url);
    })();
    const { name, code, message, detail } = await warned;
    assert.deepEqual([name, code, message], ['ResourceWarning', 'AIO_UNCLOSED', 'Unclosed client session']);
    assert.match(detail, /makesASession/);
    for (const socket of server.sockets) if (!socket.destroyed) await once(socket, 'close');
  });

  test('a response warns, and its connection is closed', async () => {
    await using server = await RawServer.start(() => 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
    await using session = new ClientSession();
    const warned = nextWarning();
    await (async function makesARequest(): Promise<void> {
      await session.get(server.url);
    })();
    const { message, detail } = await warned;
    assert.equal(message, `Unclosed response to GET ${server.url}`);
    assert.match(detail, /makesARequest/);
    assert.equal(session.stats().busy, 0);
  });
});

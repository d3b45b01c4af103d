import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import * as asyncio from '../../src/asyncio/index.ts';
import {
  ClientError,
  type ClientMiddleware,
  ClientSession,
  ConnectionTimeoutError,
  ServerTimeoutError,
  SocketTimeoutError,
  TCPConnector,
  TotalTimeoutError,
} from '../../src/client/index.ts';
import { DEFAULT_TIMEOUT, resolveTimeout } from '../../src/client/timeouts.ts';
import { ok, RawServer } from './raw-server.ts';

describe('timeouts', () => {
  test('setting one limit keeps the others', () => {
    assert.deepEqual(resolveTimeout({ sockRead: 5 }, DEFAULT_TIMEOUT), { ...DEFAULT_TIMEOUT, sockRead: 5 });
    assert.equal(resolveTimeout({ total: Infinity }, DEFAULT_TIMEOUT).total, 0);
    assert.equal(resolveTimeout({ sockRead: 600_000 }, DEFAULT_TIMEOUT).total, 600_000);
    assert.equal(resolveTimeout({ sockRead: 600_000, total: 5 }, DEFAULT_TIMEOUT).total, 5);
    const session = resolveTimeout({ total: 7 }, DEFAULT_TIMEOUT);
    assert.equal(resolveTimeout({ connect: 9 }, session).total, 7);
  });

  test('limits are positive numbers of known names', () => {
    for (const total of [0, -1, Number.NaN]) {
      assert.throws(() => resolveTimeout({ total }, DEFAULT_TIMEOUT), { code: 'AIO_TIMEOUT_OPTION' });
    }
    // @ts-expect-error seconds as a plain number
    assert.throws(() => resolveTimeout(5, DEFAULT_TIMEOUT), { code: 'AIO_TIMEOUT_OPTION' });
    // @ts-expect-error aiohttp's name
    assert.throws(() => resolveTimeout({ sock_read: 5 }, DEFAULT_TIMEOUT), { code: 'AIO_TIMEOUT_OPTION' });
  });

  test('total ends the wait for a head', async () => {
    await using server = await RawServer.start(() => undefined);
    await using session = new ClientSession();
    await assert.rejects(
      session.get(`${server.url}/?secret`, { timeout: { total: 30 } }),
      (error: unknown) => {
        assert.ok(error instanceof TotalTimeoutError);
        assert.ok(error instanceof ServerTimeoutError);
        assert.ok(error instanceof asyncio.TimeoutError);
        assert.ok(error instanceof ClientError);
        assert.equal(
          error.message,
          `GET ${server.url} took longer than the total timeout of 30 ms; it was waiting for the head of the response`,
        );
        return true;
      },
    );
    assert.deepEqual([session.stats().busy, session.stats().idle], [0, 0]);
  });

  test('total ends the reading of a body', async () => {
    await using server = await RawServer.start(() => 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    await using session = new ClientSession({ timeout: { total: 30 } });
    const response = await session.get(server.url);
    await assert.rejects(response.read(), { name: 'TotalTimeoutError', phase: 'body' });
    assert.equal(session.stats().busy, 0);
  });

  test('total ends the wait for a connection and the sending', async () => {
    await using server = await RawServer.start(() => undefined);
    await using session = new ClientSession({ connector: new TCPConnector({ limit: 1 }) });
    const holding = session.get(server.url, { timeout: { total: 300 } });
    holding.catch(() => {});
    await assert.rejects(session.get(server.url, { timeout: { total: 30 } }), { phase: 'connect' });
    await assert.rejects(holding, { phase: 'head' });
    async function* endless(): AsyncGenerator<string> {
      yield 'x';
      await new Promise(() => {});
    }
    await assert.rejects(session.post(server.url, { data: endless(), timeout: { total: 30 } }), {
      phase: 'send',
    });
    assert.equal(session.stats().waiting, 0);
  });

  test('total ends what a middleware waits for', async () => {
    await using server = await RawServer.start(() => undefined);
    const never: ClientMiddleware = () => new Promise(() => {});
    await using session = new ClientSession({ middlewares: [never] });
    await assert.rejects(session.get(server.url, { timeout: { total: 20 } }), TotalTimeoutError);
  });

  test('a deadline does not outlive its request', async () => {
    await using server = await RawServer.start(({ number, socket }) => {
      if (number === 1) return ok('a');
      setTimeout(() => socket.write(ok('b')), 300);
      return undefined;
    });
    await using session = new ClientSession();
    await session.get(server.url, { timeout: { total: 100 } });
    assert.equal(await (await session.get(server.url, { timeout: { total: Infinity } })).text(), 'b');
  });

  test('sockRead limits silence, in the head and in the body', async () => {
    await using server = await RawServer.start(({ number }) =>
      number === 1 ? undefined : 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf',
    );
    await using session = new ClientSession({ timeout: { sockRead: 30 } });
    await assert.rejects(session.get(server.url), SocketTimeoutError);
    const response = await session.get(server.url);
    await assert.rejects(response.read(), SocketTimeoutError);
  });

  test('sockRead does not stay armed on an idle connection', async () => {
    await using server = await RawServer.start(() => ok());
    await using session = new ClientSession();
    await session.get(server.url, { timeout: { sockRead: 50 } });
    await asyncio.sleep(300);
    await session.get(server.url);
    assert.equal(server.connections, 1);
  });

  test('poolWait and connect limit the wait for the pool', async () => {
    await using server = await RawServer.start(() => undefined);
    await using session = new ClientSession({ connector: new TCPConnector({ limit: 1 }) });
    const holding = session.get(server.url);
    holding.catch(() => {});
    await assert.rejects(session.get(server.url, { timeout: { poolWait: 20 } }), (error: unknown) => {
      assert.ok(error instanceof ConnectionTimeoutError);
      return error.phase === 'poolWait';
    });
    await assert.rejects(session.get(server.url, { timeout: { connect: 20 } }), { phase: 'connect' });
  });

  test('a signal ends a request at any time, with what it was aborted with', async () => {
    await using server = await RawServer.start(({ number }) =>
      number === 1 ? undefined : 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf',
    );
    await using session = new ClientSession();
    await assert.rejects(session.get(server.url, { signal: AbortSignal.abort() }), { name: 'AbortError' });
    assert.equal(server.connections, 0);

    const reason = new Error('enough');
    const controller = new AbortController();
    const waiting = session.get(server.url, { signal: controller.signal });
    while (server.requests.length === 0) await asyncio.sleep(1);
    controller.abort(reason);
    await assert.rejects(waiting, reason);

    const second = new AbortController();
    const response = await session.get(server.url, { signal: second.signal });
    const reading = response.text();
    second.abort(reason);
    await assert.rejects(reading, reason);
    assert.equal(session.stats().busy, 0);
  });

  test('a signal that is kept has no listeners of finished requests', async () => {
    await using server = await RawServer.start(() => ok('x'));
    await using session = new ClientSession();
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>): void => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>): void => {
      listeners--;
      remove(...args);
    };
    for (let i = 0; i < 5; i++) await (await session.get(server.url, { signal })).text();
    assert.equal(listeners, 0);
  });

  test('cancelling the task while the body is read closes the connection', async () => {
    await using server = await RawServer.start(() => 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    await using session = new ClientSession();
    const response = await session.get(server.url);
    await assert.rejects(
      asyncio.timeout(20, () => response.read()),
      asyncio.TimeoutError,
    );
    assert.equal(session.stats().busy, 0);
    for (const socket of server.sockets) if (!socket.destroyed) await once(socket, 'close');
    await assert.rejects(async () => await response.read());
  });
});

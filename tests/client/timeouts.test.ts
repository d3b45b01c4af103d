import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import * as asyncio from '../../src/asyncio/index.ts';
import {
  AbstractResolver,
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
import { until } from '../net/raw-server.ts';
import { ok, RawServer } from './raw-server.ts';

/** The clock of the connections' time limits, which goes on as the test says; their timer is the real one. */
function stoppedClock(t: TestContext): { pass(time: number): void } {
  let now = performance.now();
  t.mock.method(performance, 'now', () => now);
  return {
    pass(time) {
      now += time;
    },
  };
}

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

  test('total ends the wait for a head', async (t) => {
    await using server = await RawServer.start(() => undefined);
    await using session = new ClientSession();
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const waiting = session.get(`${server.url}/?secret`, { timeout: { total: 30 } });
    waiting.catch(() => {});
    await until(() => server.requests.length === 1);
    t.mock.timers.tick(30);
    await assert.rejects(waiting, (error: unknown) => {
      assert.ok(error instanceof TotalTimeoutError);
      assert.ok(error instanceof ServerTimeoutError);
      assert.ok(error instanceof asyncio.TimeoutError);
      assert.ok(error instanceof ClientError);
      assert.equal(
        error.message,
        `GET ${server.url} took longer than the total timeout of 30 ms; it was waiting for the head of the response`,
      );
      return true;
    });
    assert.deepEqual([session.stats().busy, session.stats().idle], [0, 0]);
  });

  test('total ends the reading of a body', async (t) => {
    await using server = await RawServer.start(() => 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    await using session = new ClientSession({ timeout: { total: 30 } });
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const response = await session.get(server.url);
    const reading = response.read();
    t.mock.timers.tick(30);
    await assert.rejects(reading, { name: 'TotalTimeoutError', phase: 'body' });
    assert.equal(session.stats().busy, 0);
  });

  test('total ends the wait for a connection and the sending', async (t) => {
    await using server = await RawServer.start(() => undefined);
    await using session = new ClientSession({ connector: new TCPConnector({ limit: 1 }) });
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const holding = session.get(server.url, { timeout: { total: 300 } });
    holding.catch(() => {});
    const behind = session.get(server.url, { timeout: { total: 30 } });
    behind.catch(() => {});
    await until(() => server.requests.length === 1 && session.stats().waiting === 1);
    t.mock.timers.tick(30);
    await assert.rejects(behind, { phase: 'connect' });
    t.mock.timers.tick(270);
    await assert.rejects(holding, { phase: 'head' });
    let begun = false;
    async function* endless(): AsyncGenerator<string> {
      yield 'x';
      begun = true;
      await new Promise(() => {});
    }
    const sending = session.post(server.url, { data: endless(), timeout: { total: 30 } });
    sending.catch(() => {});
    await until(() => begun);
    t.mock.timers.tick(30);
    await assert.rejects(sending, { phase: 'send' });
    assert.equal(session.stats().waiting, 0);
  });

  test('total ends what a middleware waits for', async () => {
    await using server = await RawServer.start(() => undefined);
    const never: ClientMiddleware = () => new Promise(() => {});
    await using session = new ClientSession({ middlewares: [never] });
    await assert.rejects(session.get(server.url, { timeout: { total: 20 } }), TotalTimeoutError);
  });

  test('a deadline does not outlive its request', async (t) => {
    let answer = (_answer: string): void => {};
    await using server = await RawServer.start(({ number }) =>
      number === 1
        ? ok('a')
        : new Promise((resolve) => {
            answer = resolve;
          }),
    );
    await using session = new ClientSession();
    t.mock.timers.enable({ apis: ['setTimeout'] });
    await session.get(server.url, { timeout: { total: 100 } });
    const second = session.get(server.url, { timeout: { total: Infinity } });
    second.catch(() => {});
    await until(() => server.requests.length === 2);
    t.mock.timers.tick(1_000);
    answer(ok('b'));
    assert.equal(await (await second).text(), 'b');
  });

  test('sockRead limits silence, in the head and in the body', async (t) => {
    await using server = await RawServer.start(({ number }) =>
      number === 1 ? undefined : 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf',
    );
    await using session = new ClientSession({ timeout: { sockRead: 30 } });
    const clock = stoppedClock(t);
    const waiting = session.get(server.url);
    waiting.catch(() => {});
    await until(() => server.requests.length === 1);
    clock.pass(1_000);
    await assert.rejects(waiting, SocketTimeoutError);
    const response = await session.get(server.url);
    const reading = response.read();
    clock.pass(1_000);
    await assert.rejects(reading, SocketTimeoutError);
  });

  test('sockRead does not stay armed on an idle connection', async (t) => {
    await using server = await RawServer.start(() => ok());
    await using session = new ClientSession();
    const clock = stoppedClock(t);
    await session.get(server.url, { timeout: { sockRead: 50 } });
    clock.pass(1_000);
    await asyncio.sleep(400); // several ticks of the wheel
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

  test('a server that does not read was said to be silent', async () => {
    await using server = await RawServer.start(() => undefined);
    await using session = new ClientSession({ timeout: { sockRead: 50 } });
    const sent = session.post(server.url, { data: Buffer.alloc(50_000_000) });
    sent.catch(() => {});
    while (server.sockets.size === 0) await asyncio.sleep(1);
    for (const socket of server.sockets) socket.pause();
    await assert.rejects(sent, (error: Error) => {
      assert.ok(error instanceof SocketTimeoutError);
      assert.match(error.message, /^Timeout on writing data to socket: the server took nothing for 50 ms$/);
      return true;
    });
  });

  test('who iterates over a body was not told what the signal was aborted with', async () => {
    await using server = await RawServer.start(() => 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    await using session = new ClientSession();
    for (const reason of [new Error('enough'), new DOMException('enough', 'AbortError')]) {
      for (const read of ['content', 'read'] as const) {
        const controller = new AbortController();
        const response = await session.get(server.url, { signal: controller.signal });
        const iterate = async (): Promise<void> => {
          if (read === 'read') await response.read();
          else for await (const piece of response.content) assert.equal(piece.length, 4);
        };
        const reading = iterate();
        setImmediate(() => controller.abort(reason));
        await assert.rejects(reading, (error: unknown) => error === reason);
      }
    }
    assert.equal(session.stats().busy, 0);
  });

  test('a reason that is no error was thrown as it is, in the body only', async () => {
    await using server = await RawServer.start(() => 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    await using session = new ClientSession();
    const controller = new AbortController();
    const response = await session.get(server.url, { signal: controller.signal });
    controller.abort('enough');
    await assert.rejects(response.read(), { message: 'The request was aborted', cause: 'enough' });
  });

  for (const what of ['name look-up', 'proxy'] as const) {
    test(`a signal that was aborted during the ${what} looked like a failure of it`, async () => {
      await using silent = await RawServer.start(() => undefined);
      const resolver = new (class extends AbstractResolver {
        override resolve(): Promise<never> {
          setImmediate(() => controller.abort(reason));
          return new Promise(() => {});
        }
        override async close(): Promise<void> {}
      })();
      await using session = new ClientSession({ connector: new TCPConnector({ resolver }) });
      const controller = new AbortController();
      const reason = new Error('enough');
      const proxy = what === 'proxy' ? `http://127.0.0.1:${silent.port}` : undefined;
      const asked = session.get('https://a.test/', { signal: controller.signal, proxy });
      asked.catch(() => {});
      while (what === 'proxy' && silent.requests.length === 0) await asyncio.sleep(1);
      if (what === 'proxy') controller.abort(reason);
      await assert.rejects(asked, (error: unknown) => error === reason);
      assert.deepEqual([session.stats().connecting, session.stats().busy], [0, 0]);
    });
  }

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

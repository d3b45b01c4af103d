import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StreamReader } from '../../src/message/index.ts';
import type { Exchange } from '../../src/net/index.ts';
import { deferred, echo, echoed, headOf, NetServer } from './net-server.ts';
import type { RawClient } from './raw-client.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
/** Short, but long enough for a busy machine to send what has to be sent within it. */
const ENOUGH = 1_000;

const pause = (time: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, time));

/** Sends one byte after another until the server has had enough. */
async function trickle(client: RawClient, byte = 'x'): Promise<void> {
  let isOver = false;
  void client.closed.then(() => {
    isOver = true;
  });
  while (!isOver && client.socket.writable) {
    client.socket.write(byte);
    await pause(10);
  }
}

describe('headersTimeout', () => {
  test('a head that does not come to its end is answered with 408', async () => {
    const codes: (string | undefined)[] = [];
    await using running = await NetServer.start(
      (exchange) => {
        codes.push(exchange.error?.code);
        echo(exchange);
      },
      { headersTimeout: ENOUGH },
    );
    const client = await running.connect();
    await client.send(GET.slice(0, -2));
    const received = await client.all();
    assert.match(received, /^HTTP\/1\.1 408 Request Timeout\r\nContent-Length: 9\r\nConnection: close\r\n/);
    assert.deepEqual(codes, ['AIO_HEAD_TIMEOUT']);
  });

  test('a head that trickles in does not move it', async () => {
    await using running = await NetServer.start(echo, { headersTimeout: ENOUGH });
    const client = await running.connect();
    await client.send(`${GET.slice(0, -2)}X: `);
    await trickle(client);
    assert.match(client.received, /^HTTP\/1\.1 408 /);
  });

  test('it holds for every head of a connection', async () => {
    await using running = await NetServer.start(echo, { headersTimeout: ENOUGH, keepAliveTimeout: 60_000 });
    const client = await running.connect();
    await client.send(GET + GET.slice(0, 10));
    assert.match(await client.all(), /^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 408 /);
  });

  test('a connection on which nothing comes ends without an answer', async () => {
    await using running = await NetServer.start(echo, { headersTimeout: 40 });
    const client = await running.connect();
    assert.equal(await client.all(), '');
    assert.equal(running.server.requestsCount, 0);
  });

  test('a head that begins on an idle connection has all its time, not what was left of the idle one', async () => {
    await using running = await NetServer.start(echo, { headersTimeout: 60_000, keepAliveTimeout: 5_000 });
    const client = await running.connect();
    await client.send(GET);
    await client.until('GET /');
    const [connection] = running.server.connections;
    while (connection!.deadline === Infinity) await new Promise(setImmediate);
    await client.send(GET.slice(0, 10));
    const { wheel } = running.server;
    while (connection!.deadline < wheel.now + 50_000) await new Promise(setImmediate);
    await client.send(GET.slice(10));
    await client.until((received) => received.split('GET /').length === 3);
  });
});

describe('keepAliveTimeout', () => {
  test('ends an idle connection', async () => {
    await using running = await NetServer.start(echo, { keepAliveTimeout: 40 });
    const client = await running.connect();
    await client.send(GET);
    assert.equal(await client.all(), echoed('GET /'));
    assert.equal(await client.closed, 'end');
  });

  test('0 keeps it', async () => {
    await using running = await NetServer.start(echo, { keepAliveTimeout: 0 });
    const client = await running.connect();
    await client.send(GET);
    await client.until('GET /');
    const [connection] = running.server.connections;
    while (connection!.busy) await new Promise(setImmediate);
    assert.equal(connection!.deadline, Infinity);
  });

  test('a request that crosses the end gets a whole answer or a clean end, never a reset', async () => {
    await using running = await NetServer.start(echo, { keepAliveTimeout: 40 });
    const rounds = Array.from({ length: 60 }, async (_, index) => {
      const client = await running.connect();
      await client.send(GET);
      await client.until('GET /');
      client.take();
      await pause(20 + index);
      await client.send(GET);
      client.end();
      assert.equal(await client.closed, 'end');
      assert.match(
        client.take(),
        /^(HTTP\/1\.1 200 OK\r\nContent-Length: 5\r\n(Connection: close\r\n)?\r\nGET \/)?$/,
      );
    });
    await Promise.all(rounds);
  });
});

describe('bodyMinRate', () => {
  const read = async (exchange: Exchange): Promise<void> => {
    assert.ok(exchange.body instanceof StreamReader);
    try {
      await exchange.body.read();
      echo(exchange);
    } catch (error) {
      const { status, cause } = error as { status: number; cause: { code: string } };
      exchange.respond(headOf(status), cause.code);
    }
  };
  const TOO_SLOW =
    'HTTP/1.1 408 Request Timeout\r\nContent-Length: 17\r\nConnection: close\r\n\r\nAIO_BODY_TOO_SLOW';
  const post = (size: number): string => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`;
  const options = { bodyMinRate: 10_000, bodyGracePeriod: 40 };

  test('a body that stays away fails, and can be answered with 408', async () => {
    await using running = await NetServer.start(read, options);
    const client = await running.connect();
    await client.send(post(5));
    assert.equal(await client.all(), TOO_SLOW);
  });

  test('so does one that trickles in', async () => {
    await using running = await NetServer.start(read, options);
    const client = await running.connect();
    await client.send(post(1_000_000));
    await trickle(client);
    assert.equal(await client.all(), TOO_SLOW);
  });

  test('and one that came fast and then stops', async () => {
    await using running = await NetServer.start(read, options);
    const client = await running.connect();
    await client.send(post(100_000_000));
    await client.send(Buffer.alloc(10_000_000));
    assert.equal(await client.all(), TOO_SLOW);
  });

  test('time in which the handler does not read is not the client’s', async () => {
    const go = deferred();
    await using running = await NetServer.start(
      async (exchange) => {
        await go.promise;
        await read(exchange);
      },
      { ...options, bodyGracePeriod: ENOUGH },
    );
    const client = await running.connect();
    await client.send(post(2_000_000));
    const sent = client.send(Buffer.alloc(2_000_000));
    const [connection] = running.server.connections;
    // Two looks at the body.
    for (let round = 0, last = 0; round < 3; ) {
      await pause(5);
      if (connection!.deadline === last || !connection!.socket.isPaused()) continue;
      last = connection!.deadline;
      round++;
    }
    go.resolve();
    await sent;
    await client.until('POST /');
  });
});

describe('handlerTimeout', () => {
  test('tells the owner once that it is time for 504', async () => {
    await using running = await NetServer.start(
      async (exchange, owner) => {
        await owner.timedOut;
        exchange.respond(headOf(504), undefined);
      },
      { handlerTimeout: 40 },
    );
    const client = await running.connect();
    await client.send(GET);
    await client.until('HTTP/1.1 504 Gateway Timeout');
    await client.send(GET);
    await client.until((received) => received.split('504').length === 3);
  });

  test('is over when the answer has begun', async () => {
    let timedOut = 0;
    const go = deferred();
    await using running = await NetServer.start(
      async (exchange, owner) => {
        void owner.timedOut.then(() => timedOut++);
        if (exchange.head.target === '/') {
          exchange.start(headOf(), undefined);
          exchange.write('x');
          await go.promise;
          exchange.end();
        } else {
          await owner.timedOut;
          exchange.respond(headOf(504), undefined);
        }
      },
      { handlerTimeout: 40 },
    );
    const client = await running.connect();
    await client.send(GET);
    await client.until('x');
    // Another connection's handler runs out of time meanwhile.
    const other = await running.connect();
    for (let round = 0; round < 2; round++) {
      await other.send('GET /other HTTP/1.1\r\nHost: a\r\n\r\n');
      await other.until((received) => received.split('504').length === round + 2);
    }
    assert.equal(timedOut, 2);
    go.resolve();
    await client.until('0\r\n\r\n');
  });
});

describe('lingerTimeout', () => {
  test('a body whose rest stays away after an early answer ends the connection', async () => {
    await using running = await NetServer.start(echo, { lingerTimeout: 40 });
    const client = await running.connect();
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n');
    assert.equal(await client.all(), echoed('POST /'));
  });

  test('a client that does not end its side is cut', async () => {
    await using running = await NetServer.start(echo, { lingerTimeout: 40 });
    const client = await running.connect();
    await client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.closed;
    await running.quiet();
    assert.equal(client.socket.writableEnded, false);
  });

  test('0: an answer to an unread body closes', async () => {
    await using running = await NetServer.start(echo, { lingerTimeout: 0 });
    const client = await running.connect();
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n');
    assert.equal(await client.all(), echoed('POST /', 'Connection: close\r\n'));
    await running.quiet();
  });
});

describe('sendTimeout: a peer that takes nothing is cut', () => {
  const options = { sendTimeout: 100 };
  const body = Buffer.alloc(30_000_000);

  test('while the handler writes', async () => {
    const failed = deferred<Error | undefined>();
    await using running = await NetServer.start(async (exchange, owner) => {
      void owner.done.then(failed.resolve);
      exchange.start(headOf(), undefined);
      await assert.rejects(Promise.resolve(exchange.write(body)), { code: 'AIO_CLIENT_DISCONNECTED' });
    }, options);
    const client = await running.connect();
    client.socket.pause();
    await client.send(GET);
    assert.equal(((await failed.promise) as { code?: string }).code, 'AIO_CLIENT_DISCONNECTED');
    await running.quiet();
  });

  for (const [name, request] of [
    ['while a long answer is on its way', GET],
    ['while answers to pipelined requests wait', GET.repeat(100)],
    ['while the last answer waits', 'GET / HTTP/1.0\r\n\r\n'],
  ] as const) {
    test(name, async () => {
      await using running = await NetServer.start((exchange) => exchange.respond(headOf(), body), options);
      const client = await running.connect();
      client.socket.pause();
      await client.send(request);
      while (running.server.requestsCount === 0) await new Promise(setImmediate);
      await running.quiet();
    });
  }

  test('also when it goes on sending', async () => {
    for (const request of [GET, 'GET / HTTP/1.0\r\n\r\n']) {
      await using running = await NetServer.start((exchange) => exchange.respond(headOf(), body), {
        ...options,
        lingerTimeout: 40,
      });
      const client = await running.connect();
      client.socket.pause();
      await client.send(request);
      await trickle(client, request.includes('1.0') ? 'x' : '\r\n');
      await running.quiet();
    }
  });

  test('one that takes its time with a long write is not', async (t) => {
    // Time passes with what the client has taken: half of the limit for every tenth of the body.
    let now = performance.now();
    t.mock.method(performance, 'now', () => now);
    await using running = await NetServer.start(
      async (exchange) => {
        exchange.start(headOf(), body.length);
        await exchange.write(body);
        exchange.end();
      },
      { sendTimeout: 1000 },
    );
    const client = await running.connect();
    let size = 0;
    let taken = 0;
    client.socket.on('data', (data: Buffer) => {
      size += data.length;
      client.received = '';
      if (size < taken + body.length / 10) return;
      taken = size;
      now += 500;
      running.server.wheel.advance();
    });
    await client.send(GET);
    while (size < body.length) {
      assert.equal(running.server.connections.size, 1, `only ${size} bytes came`);
      await pause(2);
    }
  });
});

describe('maxConnections', () => {
  test('more are refused at once, until one has ended', async () => {
    await using running = await NetServer.start(echo, { maxConnections: 2 });
    const first = await running.connect();
    const second = await running.connect();
    await first.send(GET);
    await first.until('GET /');
    await second.send(GET);
    await second.until('GET /');
    const third = await running.connect();
    await third.closed;
    assert.equal(third.received, '');
    assert.equal(running.server.connections.size, 2);
    first.end();
    await first.closed;
    while (running.server.connections.size === 2) await pause(2);
    const fourth = await running.connect();
    await fourth.send(GET);
    await fourth.until('GET /');
  });
});

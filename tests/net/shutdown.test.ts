import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deferred, echo, echoed, headOf, NetServer, type Reply } from './net-server.ts';
import type { RawClient } from './raw-client.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const CLOSE = 'Connection: close\r\n';
const LONG = 60_000;

async function serving(
  reply: Reply,
  use: (running: NetServer, client: RawClient) => Promise<void>,
): Promise<void> {
  await using running = await NetServer.start(reply);
  const client = await running.connect();
  await use(running, client);
}

async function taken(running: NetServer, requests: number): Promise<void> {
  while (running.server.requestsCount < requests) await new Promise(setImmediate);
}

describe('shutdown', () => {
  test('with nothing to wait for does not wait', async () => {
    await using running = await NetServer.start(echo);
    await running.server.shutdown(LONG);
    assert.equal(running.server.accepting, false);
  });

  test('ends idle connections at once: fresh, kept alive, and in the middle of a head', () =>
    serving(echo, async (running, client) => {
      await client.send(GET);
      await client.until('GET /');
      const fresh = await running.connect();
      const partial = await running.connect();
      await partial.send(GET.slice(0, 10));
      while (running.server.connections.size < 3) await new Promise(setImmediate);
      await running.server.shutdown(LONG);
      assert.deepEqual(await Promise.all([client.closed, fresh.closed, partial.closed]), [
        'end',
        'end',
        'end',
      ]);
      assert.equal(fresh.received + partial.received, '');
      await running.quiet();
    }));

  test('lets a busy connection finish, and tells it that it ends', async () => {
    const go = deferred();
    await serving(
      async (exchange) => {
        await go.promise;
        echo(exchange);
      },
      async (running, client) => {
        await client.send(GET + GET);
        await taken(running, 1);
        const shutdown = running.server.shutdown(LONG);
        go.resolve();
        await shutdown;
        assert.equal(await client.all(), echoed('GET /', CLOSE));
        assert.equal(running.server.requestsCount, 1);
      },
    );
  });

  test('an answer whose head was sent before goes to its end', async () => {
    const go = deferred();
    await serving(
      async (exchange) => {
        exchange.start(headOf(), undefined);
        exchange.write('first');
        await go.promise;
        exchange.write('last');
        exchange.end();
      },
      async (running, client) => {
        await client.send(GET);
        await client.until('first');
        const shutdown = running.server.shutdown(LONG);
        go.resolve();
        await shutdown;
        assert.match(await client.all(), /5\r\nfirst\r\n4\r\nlast\r\n0\r\n\r\n$/);
      },
    );
  });

  test('an answer that is on its way is not cut off', () =>
    serving(
      (exchange) => exchange.respond(headOf(), Buffer.alloc(20_000_000)),
      async (running, client) => {
        client.socket.pause();
        await client.send(GET);
        await taken(running, 1);
        const shutdown = running.server.shutdown(LONG);
        client.socket.resume();
        await shutdown;
        const received = await client.all();
        assert.equal(received.length - received.indexOf('\r\n\r\n') - 4, 20_000_000);
      },
    ));

  test('cuts what does not end in time', async () => {
    const done = deferred<Error | undefined>();
    await serving(
      (_exchange, owner) => void owner.done.then(done.resolve),
      async (running, client) => {
        await client.send(GET);
        await taken(running, 1);
        await running.server.shutdown(30);
        await client.closed;
        assert.equal(client.received, '');
        assert.equal(((await done.promise) as { code?: string }).code, 'AIO_CLIENT_DISCONNECTED');
        await running.quiet();
      },
    );
  });

  test('0 cuts at once', async () => {
    await serving(
      () => {},
      async (running, client) => {
        await client.send(GET);
        await taken(running, 1);
        await running.server.shutdown(0);
        await client.closed;
      },
    );
  });

  test('waits for upgraded connections too', async () => {
    const go = deferred();
    await serving(
      async (exchange) => {
        const { socket } = exchange.upgrade(headOf(101));
        await go.promise;
        socket.end('bye');
        socket.resume();
      },
      async (running, client) => {
        await client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
        await client.until('101');
        const shutdown = running.server.shutdown(LONG);
        go.resolve();
        await client.closed;
        client.end();
        await shutdown;
        assert.match(client.received, /bye$/);
      },
    );
  });

  test('called twice, both wait', async () => {
    const go = deferred();
    await serving(
      async (exchange) => {
        await go.promise;
        echo(exchange);
      },
      async (running, client) => {
        await client.send(GET);
        await taken(running, 1);
        const both = Promise.all([running.server.shutdown(LONG), running.server.shutdown(LONG)]);
        go.resolve();
        await both;
        assert.equal(await client.all(), echoed('GET /', CLOSE));
      },
    );
  });
});

describe('preShutdown', () => {
  test('a connection that is busy takes no other request, one that drains a body ends', async () => {
    const go = deferred();
    await serving(
      async (exchange) => {
        if (exchange.head.method === 'GET') await go.promise;
        echo(exchange);
      },
      async (running, client) => {
        const draining = await running.connect();
        await draining.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n');
        await draining.until('POST /');
        await client.send(GET);
        await taken(running, 2);
        running.server.preShutdown();
        assert.equal(await draining.closed, 'end');
        await client.send(GET);
        go.resolve();
        assert.equal(await client.all(), echoed('GET /', CLOSE));
        assert.equal(running.server.requestsCount, 2);
      },
    );
  });

  test('from inside a handler, before and after its answer', async () => {
    for (const isBefore of [true, false]) {
      const started = deferred<NetServer>();
      await serving(
        async (exchange) => {
          const { server } = await started.promise;
          if (isBefore) server.preShutdown();
          echo(exchange);
          if (!isBefore) server.preShutdown();
        },
        async (running, client) => {
          started.resolve(running);
          await client.send(GET);
          assert.equal((await client.all()).replace(CLOSE, ''), echoed('GET /'));
        },
      );
    }
  });

  test('from inside a synchronous handler', async () => {
    let running: NetServer | undefined;
    await serving(
      (exchange) => {
        echo(exchange);
        running?.server.preShutdown();
      },
      async (server, client) => {
        running = server;
        await client.send(GET + GET);
        assert.equal(await client.all(), echoed('GET /'));
      },
    );
  });

  test('new connections are refused', async () => {
    await serving(echo, async (running) => {
      running.server.preShutdown();
      const client = await running.connect();
      await client.closed;
      assert.equal(client.received, '');
    });
  });
});

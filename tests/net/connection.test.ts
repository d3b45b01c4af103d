import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deferred, echo, echoed, headOf, NetServer } from './net-server.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const CLOSE = 'Connection: close\r\n';

describe('one connection, several requests', () => {
  test('a connection is kept and serves one request after the other', async () => {
    await using running = await NetServer.start(echo);
    const client = await running.connect();
    for (let round = 0; round < 20; round++) {
      await client.send(`GET /${round} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await client.until(`GET /${round}`);
      assert.equal(client.take(), echoed(`GET /${round}`));
    }
    assert.equal(running.server.connections.size, 1);
    assert.equal(running.server.requestsCount, 20);
  });

  test('however its bytes are split', async () => {
    await using running = await NetServer.start(echo);
    const client = await running.connect();
    for (const byte of GET.repeat(3)) await client.send(byte);
    await client.until((received) => received.split('GET /').length === 4);
    assert.equal(client.take(), echoed('GET /').repeat(3));
  });

  test('several connections take turns with the exchanges of the server', async () => {
    await using running = await NetServer.start(async (exchange) => {
      await new Promise(setImmediate);
      echo(exchange);
    });
    const clients = await Promise.all(Array.from({ length: 20 }, () => running.connect()));
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        clients.map(async (client, index) => {
          const target = `/${round}/${index}`;
          await client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
          await client.until(`GET ${target}`);
          assert.equal(client.take(), echoed(`GET ${target}`));
        }),
      );
    }
  });

  for (const [name, request, ends] of [
    ['1.1', GET, false],
    ['1.1 with close', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', true],
    ['1.0', 'GET / HTTP/1.0\r\n\r\n', true],
    ['1.0 with keep-alive', 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', false],
    ['1.0 with both', 'GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n', true],
  ] as const) {
    test(`what ${name} says about the connection is done, and told where it has to be`, async () => {
      await using running = await NetServer.start(echo);
      const client = await running.connect();
      await client.send(request);
      await client.until('GET /');
      const is10 = request.includes('1.0');
      const line = ends ? (is10 ? '' : CLOSE) : is10 ? 'Connection: keep-alive\r\n' : '';
      assert.equal(client.take(), echoed('GET /', line));
      if (ends) {
        assert.equal(await client.closed, 'end');
      } else {
        await client.send('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
        await client.until('GET /2');
      }
    });
  }

  test('a handler may end the connection after its answer', async () => {
    await using running = await NetServer.start((exchange) => {
      exchange.keepAlive = false;
      echo(exchange);
    });
    const client = await running.connect();
    await client.send(GET + GET);
    assert.equal(await client.all(), echoed('GET /', CLOSE));
  });

  test('so may its header', async () => {
    await using running = await NetServer.start((exchange) =>
      exchange.respond(headOf(200, { Connection: 'close' }), 'x'),
    );
    const client = await running.connect();
    await client.send(GET + GET);
    assert.equal(await client.all(), `HTTP/1.1 200 OK\r\nContent-Length: 1\r\n${CLOSE}\r\nx`);
  });
});

describe('a client that ends its side', () => {
  test('still gets its answer', async () => {
    const answer = deferred();
    await using running = await NetServer.start(async (exchange, owner) => {
      await owner.ended;
      await answer.promise;
      echo(exchange);
    });
    const client = await running.connect();
    await client.send(GET);
    client.end();
    answer.resolve();
    assert.equal(await client.all(), echoed('GET /', CLOSE));
  });

  test('and the answers to several requests, however they are made', async () => {
    for (const isAsync of [false, true]) {
      await using running = await NetServer.start((exchange) => {
        if (isAsync) setImmediate(() => echo(exchange));
        else echo(exchange);
      });
      const targets = Array.from({ length: 50 }, (_, index) => `/${index}`);
      const received = await running.exchange(
        targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''),
      );
      // Only the last one can tell that the connection ends, and only if the end was known by then.
      assert.equal(received.replace(CLOSE, ''), targets.map((target) => echoed(`GET ${target}`)).join(''));
    }
  });

  test('and all of them although it reads late: requests behind answers that wait are no incomplete message', async () => {
    const body = 'x'.repeat(100_000);
    await using running = await NetServer.start((exchange) =>
      exchange.respond(headOf(exchange.error?.status), body),
    );
    const client = await running.connect();
    client.socket.pause();
    await client.send(GET.repeat(200));
    client.end();
    const [connection] = running.server.connections;
    while (connection!.socket.readableEnded === false) await new Promise((resolve) => setTimeout(resolve, 2));
    client.socket.resume();
    const received = await client.all();
    assert.equal(received.split('HTTP/1.1 200 OK').length - 1, 200);
    assert.ok(!received.includes('HTTP/1.1 400'), 'a request that was complete was refused');
  });

  test('gets no answer to nothing, and 400 for a part of a request', async () => {
    await using running = await NetServer.start(echo);
    assert.equal(await running.exchange(''), '');
    assert.equal(await running.exchange('\r\n'), '');
    assert.match(await running.exchange(GET.slice(0, 20)), /^HTTP\/1\.1 400 Bad Request\r\n/);
    const both = await running.exchange(GET + GET.slice(0, 20));
    assert.match(both, /^HTTP\/1\.1 200 OK\r\n[\s\S]*HTTP\/1\.1 400 Bad Request\r\n/);
  });

  test('gets 400 for a part of a request behind one that is still answered', async () => {
    const answer = deferred();
    await using running = await NetServer.start(async (exchange) => {
      if (exchange.error === undefined) await answer.promise;
      echo(exchange);
    });
    const client = await running.connect();
    await client.send(GET + GET.slice(0, 20));
    client.end();
    const [connection] = running.server.connections;
    while (connection!.socket.readableEnded === false) await new Promise((resolve) => setTimeout(resolve, 2));
    answer.resolve();
    assert.match(await client.all(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*HTTP\/1\.1 400 Bad Request\r\n/);
  });
});

describe('a request that breaks the protocol', () => {
  test('is answered by the handler with its status, and the connection ends', async () => {
    await using running = await NetServer.start(echo);
    for (const [request, status] of [
      ['GET  / HTTP/1.1\r\n\r\n', 400],
      ['GET / HTTP/1.1\r\n\r\n', 400],
      ['GET / HTTP/2.0\r\n\r\n', 505],
      [`GET /${'x'.repeat(9000)} HTTP/1.1\r\n\r\n`, 414],
      [`GET / HTTP/1.1\r\nX: ${'x'.repeat(9000)}\r\n\r\n`, 431],
      ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 501],
    ] as const) {
      const client = await running.connect();
      await client.send(request);
      const received = await client.all();
      assert.match(received, new RegExp(`^HTTP/1\\.1 ${status} `), request.slice(0, 50));
      assert.match(received, /Connection: close\r\n/);
      assert.match(received, /UNKNOWN \/$/, 'nothing of the request is shown to the handler');
    }
  });

  test('comes after the answers to those before it', async () => {
    await using running = await NetServer.start(async (exchange) => {
      await new Promise(setImmediate);
      echo(exchange);
    });
    const client = await running.connect();
    await client.send(`${GET}${GET}\0${GET}`);
    assert.match(
      await client.all(),
      /^(HTTP\/1\.1 200 OK[\s\S]*?GET \/){2}HTTP\/1\.1 400 Bad Request\r\n[\s\S]*UNKNOWN \/$/,
    );
  });

  test('the handler is called once for it, also when it answers later and the fault is in the body', async () => {
    const errors: (string | undefined)[] = [];
    await using running = await NetServer.start(async (exchange) => {
      errors.push(exchange.error?.code);
      await new Promise(setImmediate);
      echo(exchange);
    });
    const client = await running.connect();
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n');
    assert.match(await client.all(), /^HTTP\/1\.1 400 /);
    assert.deepEqual(errors, ['AIO_BAD_CHUNK_SIZE']);
    assert.equal(running.server.requestsCount, 1);
  });

  test('what arrives behind it is dropped, and does not take the answer away', async () => {
    await using running = await NetServer.start(echo, { lingerTimeout: 60_000 });
    const client = await running.connect();
    await client.send('BAD\0');
    for (let round = 0; round < 50; round++) await client.send('x'.repeat(65_536));
    client.end();
    assert.match(await client.all(), /^HTTP\/1\.1 400 /);
  });
});

describe('a handler that breaks its promise and throws', () => {
  test('ends its own connection only, and is told of in the log', async () => {
    await using running = await NetServer.start((exchange) => {
      if (exchange.head.target === '/throw') throw new Error('from the handler');
      echo(exchange);
    });
    const other = await running.connect();
    await other.send(GET);
    await other.until('GET /');
    const client = await running.connect();
    await client.send(`GET /throw HTTP/1.1\r\nHost: a\r\n\r\n${GET}`);
    await client.closed;
    assert.equal(client.received, '');
    await other.send('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    await other.until('GET /2');
    assert.equal(running.logged.length, 1);
    assert.match(running.logged[0]!, /from the handler/);
  });
});

describe('what an exchange knows', () => {
  test('of its ends, its head and its trailers', async () => {
    const seen: unknown[] = [];
    await using running = await NetServer.start(
      (exchange) => {
        const { head, remote, local, secure, socket, serverHeader } = exchange;
        seen.push([
          head.method,
          head.target,
          head.version.minor,
          head.header('x'),
          [...head.headers],
          secure,
          serverHeader,
        ]);
        seen.push([
          remote?.address,
          typeof remote?.port,
          local?.address,
          local?.port,
          socket?.remotePort === remote?.port,
        ]);
        seen.push([...(exchange.trailers ?? [])]);
        echo(exchange);
      },
      { serverHeader: 'test' },
    );
    const received = await running.exchange(
      'PUT /a HTTP/1.1\r\nHost: a\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nT: u\r\n\r\n',
    );
    assert.match(received, /\r\nServer: test\r\n/);
    assert.deepEqual(seen, [
      [
        'PUT',
        '/a',
        1,
        'y',
        [
          ['Host', 'a'],
          ['X', 'y'],
          ['Transfer-Encoding', 'chunked'],
        ],
        false,
        'test',
      ],
      ['127.0.0.1', 'number', '127.0.0.1', running.port, true],
      [['T', 'u']],
    ]);
  });

  test('it is told once how it ended', async () => {
    const owners: Promise<Error | undefined>[] = [];
    await using running = await NetServer.start((exchange, owner) => {
      owners.push(owner.done);
      if (exchange.head.target === '/') echo(exchange);
    });
    const client = await running.connect();
    await client.send(`${GET}GET /never HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.until('GET /');
    client.reset();
    const [first, second] = await Promise.all(owners);
    assert.equal(first, undefined);
    assert.equal((second as { code?: string }).code, 'AIO_CLIENT_DISCONNECTED');
  });
});

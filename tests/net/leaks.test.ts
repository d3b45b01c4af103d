import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { StreamReader } from '../../src/message/index.ts';
import { echo, headOf, NetServer, type Reply } from './net-server.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n';

/** What keeps the process alive, without what the test runner itself holds. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) {
    if (/Pipe|TTY|FSReq|Immediate|MessagePort|Worker/.test(name)) continue;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** What there is more of than before. */
function added(before: Record<string, number>): string[] {
  return Object.entries(resources()).flatMap(([name, count]) =>
    count > (before[name] ?? 0) ? [`${name}: ${count}, before ${before[name] ?? 0}`] : [],
  );
}

/** A handler that does what the target says. */
const reply: Reply = async (exchange, owner) => {
  switch (exchange.head.target) {
    case '/':
      if (exchange.body instanceof StreamReader) await exchange.body.read().catch(() => {});
      if ((exchange.socket?.destroyed ?? true) === false && !exchange.started) echo(exchange);
      return;
    case '/later':
      await new Promise((resolve) => setTimeout(resolve, 2));
      break;
    case '/never':
      await Promise.race([owner.done, owner.ended]);
      if (owner.doneCount === 0) exchange.abort();
      return;
    case '/stream':
      exchange.start(headOf(), undefined);
      for (let count = 0; count < 20; count++) await exchange.write(Buffer.alloc(100_000));
      exchange.end();
      return;
    case '/abort':
      exchange.start(headOf(), 10);
      exchange.write('x');
      exchange.abort();
      return;
    default:
  }
  if (exchange.socket?.destroyed === false) echo(exchange);
};

const quietly =
  (handler: Reply): Reply =>
  async (exchange, owner) => {
    try {
      await handler(exchange, owner);
    } catch (error) {
      if ((error as { code?: string }).code !== 'AIO_CLIENT_DISCONNECTED') throw error;
    }
  };

const sends: readonly string[] = [
  '',
  GET,
  GET.slice(0, 15),
  GET + GET.slice(0, 30),
  POST,
  `${POST}hello`,
  `${POST}helloworld`,
  'garbage\r\n\r\n',
  '\0\0\0',
  '\x16\x03\x01',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense',
  'GET /later HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3),
  'GET /never HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /stream HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2),
  'GET /abort HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET / HTTP/1.0\r\n\r\n',
  'POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n',
];

describe('nothing stays open', () => {
  test('after resets, truncations and garbage', async () => {
    const before = resources();
    {
      await using running = await NetServer.start(quietly(reply), {
        lingerTimeout: 50,
        keepAliveTimeout: 50,
        headersTimeout: 50,
      });
      for (let round = 0; round < 10; round++) {
        await Promise.all(
          sends.flatMap((text) =>
            ['reset', 'end', 'destroy', 'stay'].map(async (how) => {
              const client = await running.connect();
              client.socket.on('data', () => {
                client.received = '';
              });
              if (round % 2 === 0) await client.send(text);
              else client.socket.write(Buffer.from(text, 'latin1'));
              if (how === 'reset') client.reset();
              else if (how === 'end') client.end();
              else if (how === 'destroy') client.socket.destroy();
              else if (text.includes('/never')) client.end();
              if (how !== 'stay') return;
              await Promise.race([client.closed, new Promise((resolve) => setTimeout(resolve, 20))]);
              client.socket.destroy();
            }),
          ),
        );
      }
      await running.quiet();
      assert.equal(running.server.connections.size, 0);
    }
    // What was closed is told of in the next turns of the loop.
    for (let turn = 0; turn < 2_000 && added(before).length > 0; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.deepEqual(added(before), []);
  });

  test('a server without connections has no timer, not even one that lets the process end', async (t) => {
    const live = new Set<unknown>();
    const { setInterval: set, clearInterval: clear } = globalThis;
    t.mock.method(globalThis, 'setInterval', (...args: Parameters<typeof set>) => {
      const timer = set(...args);
      live.add(timer);
      return timer;
    });
    t.mock.method(globalThis, 'clearInterval', (timer: Parameters<typeof clear>[0]) => {
      live.delete(timer);
      clear(timer);
    });
    await using running = await NetServer.start(echo);
    for (let round = 0; round < 3; round++) {
      const clients = await Promise.all([running.connect(), running.connect()]);
      for (const client of clients) {
        await client.send(GET);
        await client.until('GET /');
      }
      assert.equal(live.size, 1);
      for (const client of clients) client.end();
      await running.quiet();
      assert.equal(live.size, 0);
    }
  });
});

describe('memory is flat', () => {
  /** Bytes in use after `work` in excess of those after the same work before. */
  async function growth(work: () => Promise<void>): Promise<number> {
    const measure = async (): Promise<number> => {
      await work();
      await new Promise((resolve) => setTimeout(resolve, 20));
      collect();
      collect();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    await measure();
    const before = await measure();
    return (await measure()) - before;
  }

  test('over thousands of requests on one connection', async () => {
    await using running = await NetServer.start(echo);
    const client = await running.connect();
    let answers = 0;
    client.socket.on('data', () => {
      answers += client.received.split('HTTP/1.1 200').length - 1;
      client.received = '';
    });
    const grown = await growth(async () => {
      const wanted = answers + 20_000;
      for (let sent = 0; sent < 200; sent++) {
        await client.send(
          `POST /${'x'.repeat(sent)} HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(500)}\r\nContent-Length: 3\r\n\r\nabc`.repeat(
            100,
          ),
        );
      }
      while (answers < wanted - 200) await new Promise((resolve) => setTimeout(resolve, 5));
    });
    assert.ok(grown < 1_000_000, `${grown} bytes more`);
  });

  test('over thousands of connections', async () => {
    await using running = await NetServer.start(quietly(reply), { lingerTimeout: 50 });
    const grown = await growth(async () => {
      for (let round = 0; round < 20; round++) {
        await Promise.all(
          Array.from({ length: 50 }, async (_, index) => {
            const client = await running.connect();
            await client.send(index % 5 === 0 ? `${POST}hel` : GET);
            if (index % 3 === 0) client.reset();
            else client.end();
            await client.closed;
            client.socket.destroy();
          }),
        );
      }
      running.forgetClients();
      await running.quiet();
    });
    assert.ok(grown < 2_000_000, `${grown} bytes more`);
  });

  test('over a body of any size, up and down', async () => {
    await using running = await NetServer.start(async (exchange) => {
      if (exchange.body instanceof StreamReader) for await (const piece of exchange.body) void piece;
      exchange.start(headOf(), undefined);
      const piece = Buffer.alloc(65_536);
      for (let count = 0; count < 500; count++) await exchange.write(piece);
      exchange.end();
    });
    const client = await running.connect();
    let ends = 0;
    client.socket.on('data', () => {
      if (client.received.endsWith('\r\n0\r\n\r\n')) ends++;
      client.received = '';
    });
    const piece = Buffer.alloc(65_536);
    const grown = await growth(async () => {
      const wanted = ends + 1;
      await client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${500 * piece.length}\r\n\r\n`);
      for (let count = 0; count < 500; count++) await client.send(piece);
      while (ends < wanted) await new Promise((resolve) => setTimeout(resolve, 5));
    });
    assert.ok(grown < 2_000_000, `${grown} bytes more`);
  });
});

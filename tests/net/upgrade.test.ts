import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import type { UpgradedConnection } from '../../src/net/index.ts';
import { deferred, echo, echoed, headOf, NetServer } from './net-server.ts';

const UPGRADE = 'GET /up HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n';
const SWITCHING = headOf(101, { Connection: 'upgrade', Upgrade: 'echo' });
const ANSWER = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n';

/** Sends back what comes, in capitals. */
function shout({ socket, buffered }: UpgradedConnection): void {
  const say = (data: Uint8Array): void =>
    void socket.write(Buffer.from(data).toString('latin1').toUpperCase());
  if (buffered.length > 0) say(buffered);
  socket.on('data', say);
  socket.on('end', () => socket.end());
  socket.resume();
}

describe('upgrade', () => {
  test('sends the head and hands the socket over', async () => {
    await using running = await NetServer.start((exchange) => shout(exchange.upgrade(SWITCHING)));
    const client = await running.connect();
    await client.send(UPGRADE);
    await client.until('\r\n\r\n');
    assert.equal(client.take(), ANSWER);
    await client.send('hello');
    await client.until('HELLO');
    client.end();
    assert.equal(await client.closed, 'end');
  });

  test('bytes behind the request are handed over, whenever they came', async () => {
    const go = deferred();
    await using running = await NetServer.start(async (exchange) => {
      await go.promise;
      shout(exchange.upgrade(SWITCHING));
    });
    const client = await running.connect();
    await client.send(`${UPGRADE}first `);
    await client.send('second ');
    const [connection] = running.server.connections;
    while (connection!.socket.bytesRead < UPGRADE.length + 13)
      await new Promise((resolve) => setTimeout(resolve, 2));
    go.resolve();
    await client.until('FIRST SECOND ');
    await client.send('third');
    await client.until('FIRST SECOND THIRD');
    assert.equal(client.take(), `${ANSWER}FIRST SECOND THIRD`);
  });

  test('behind a body too, and behind answers to requests before it', async () => {
    await using running = await NetServer.start((exchange) => {
      if (exchange.head.target === '/up') shout(exchange.upgrade(SWITCHING));
      else echo(exchange);
    });
    const client = await running.connect();
    const withBody = UPGRADE.replace('\r\n\r\n', '\r\nContent-Length: 4\r\n\r\nbody');
    await client.send(`GET /1 HTTP/1.1\r\nHost: a\r\n\r\n${withBody}rest`);
    await client.until('REST');
    assert.equal(client.take(), `${echoed('GET /1')}${ANSWER}REST`);
  });

  test('CONNECT: 200, and a tunnel', async () => {
    await using running = await NetServer.start((exchange) => {
      assert.equal(exchange.head.method, 'CONNECT');
      assert.equal(exchange.head.target, 'example.org:443');
      shout(exchange.upgrade(headOf(200)));
    });
    const client = await running.connect();
    await client.send('CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\nhi');
    await client.until('HI');
    assert.equal(client.take(), 'HTTP/1.1 200 OK\r\n\r\nHI');
  });

  test('CONNECT that is refused ends the connection: what follows was meant for the tunnel', async () => {
    await using running = await NetServer.start(echo);
    const client = await running.connect();
    await client.send('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.equal(await client.all(), echoed('CONNECT a:1', 'Connection: close\r\n'));
  });

  test('an offer that is declined is a request like any other', async () => {
    await using running = await NetServer.start(echo);
    const client = await running.connect();
    await client.send(`${UPGRADE}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.until('GET /next');
    assert.equal(client.take(), echoed('GET /up') + echoed('GET /next'));
  });

  test('not before the body was read, nor after an answer', async () => {
    const begun = deferred();
    await using running = await NetServer.start((exchange) => {
      if (exchange.head.method === 'POST') {
        assert.throws(() => exchange.upgrade(SWITCHING), { code: 'AIO_RESPONSE_STATE' });
        exchange.keepAlive = false;
      }
      echo(exchange);
      assert.throws(() => exchange.upgrade(SWITCHING), { code: 'AIO_RESPONSE_STATE' });
      begun.resolve();
    });
    const client = await running.connect();
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n');
    await begun.promise;
    assert.match(await client.all(), /^HTTP\/1\.1 200 /);
  });

  test('not when the client has left', async () => {
    const tried = deferred<unknown>();
    await using running = await NetServer.start(async (exchange, owner) => {
      await owner.done;
      try {
        exchange.upgrade(SWITCHING);
      } catch (error) {
        tried.resolve(error);
      }
    });
    const client = await running.connect();
    await client.send(UPGRADE);
    while (running.server.requestsCount === 0) await new Promise(setImmediate);
    client.reset();
    assert.equal(((await tried.promise) as { code?: string }).code, 'AIO_CLIENT_DISCONNECTED');
  });

  test('a head that cannot stand leaves the request to be answered', async () => {
    await using running = await NetServer.start((exchange) => {
      assert.throws(() => exchange.upgrade(headOf(101, { Upgrade: 'a\r\nb' })), { code: 'AIO_BAD_HEAD' });
      echo(exchange);
    });
    const client = await running.connect();
    await client.send(UPGRADE);
    await client.until('GET /up');
  });

  test('the exchange is done when the socket closes, and the connection counts until then', async () => {
    const upgraded = deferred<UpgradedConnection>();
    const done = deferred<Error | undefined>();
    await using running = await NetServer.start((exchange, owner) => {
      void owner.done.then(done.resolve);
      upgraded.resolve(exchange.upgrade(SWITCHING));
    });
    const client = await running.connect();
    await client.send(UPGRADE);
    const { socket } = await upgraded.promise;
    assert.equal(running.server.connections.size, 1);
    socket.destroy();
    await once(socket, 'close');
    assert.equal(await done.promise, undefined);
    assert.equal(running.server.connections.size, 0);
  });
});

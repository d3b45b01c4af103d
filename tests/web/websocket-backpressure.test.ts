import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import * as asyncio from '../../src/asyncio/index.ts';
import * as web from '../../src/web/index.ts';
import { deferred, masked, type RawPeer, text, UPGRADE, WebSocketSite } from './websocket-site.ts';

const DEFLATE = UPGRADE.replace('\r\n\r\n', '\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n');

/** Waits until `value` has not changed for some time. */
async function settled(value: () => number): Promise<number> {
  for (let last = value(), same = 0; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const now = value();
    same = now === last ? same + 1 : 0;
    last = now;
    if (same === 20) return now;
  }
}

/** A peer that sends, and reads nothing. */
async function deaf(site: WebSocketSite, head?: string): Promise<RawPeer> {
  const peer = await site.open(head);
  peer.client.socket.pause();
  return peer;
}

function bytesRead(site: WebSocketSite): number {
  const [connection] = site.server.runner.server!.connections;
  return connection?.socket.bytesRead ?? 0;
}

describe('a client that does not read', () => {
  test('makes who sends to it wait; a cancelled wait leaves the WebSocket as it was', async () => {
    const blocked = deferred<number>();
    const total = deferred<number>();
    await using site = await WebSocketSite.start(
      async (ws) => {
        const socket = ws.getExtraInfo('socket')!;
        let sent = 0;
        let waits: Promise<void> | undefined;
        while (waits === undefined) {
          let done = false;
          const sending = ws.sendStr('x'.repeat(10_000)).then(() => {
            done = true;
          });
          sent++;
          for (let turn = 0; turn < 200 && !done; turn++) await asyncio.sleep(1);
          if (!done) waits = sending;
        }
        const task = asyncio.createTask(() => ws.sendStr('also waits'));
        await asyncio.sleep(0);
        task.cancel();
        await assert.rejects(async () => await task, { code: 'AIO_CANCELLED' });
        blocked.resolve(socket.writableLength);
        await waits;
        total.resolve(sent);
      },
      { socket: { writerLimit: 100_000, compress: false } },
    );
    const peer = await deaf(site);
    const waiting = await blocked.promise;
    assert.ok(waiting <= 130_000, `${waiting} bytes wait in the server`);
    peer.client.socket.resume();
    const sent = await total.promise;
    const lines = await peer.ended();
    assert.equal(lines.length, sent + 2, 'messages, the one whose wait was cancelled, and the close');
    assert.equal(lines.at(-1), 'close 1000');
    assert.deepEqual(site.logger.errors, []);
  });

  test('is cut after sendTimeout', async () => {
    const ended = deferred<unknown>();
    await using site = await WebSocketSite.start(
      async (ws) => {
        try {
          for (;;) await ws.sendBytes(Buffer.alloc(1_000_000));
        } catch (error) {
          ended.resolve([(error as { code?: string }).code, ws.closeCode]);
          throw error;
        }
      },
      { sendTimeout: 40 },
    );
    const peer = await deaf(site);
    assert.deepEqual(await ended.promise, ['AIO_CLIENT_DISCONNECTED', 1006]);
    assert.deepEqual(site.logger.errors, []);
    peer.client.reset();
  });

  test('gets no more pongs than it takes: its pings wait in its own network', async () => {
    await using site = await WebSocketSite.start(async (ws) => {
      for await (const _ of ws);
    });
    const peer = await deaf(site);
    const ping = masked({ opcode: 9, payload: 'p'.repeat(125) });
    const pings = Buffer.concat(Array.from({ length: 1000 }, () => ping));
    let asked = 0;
    // Until it cannot send any more.
    while (!peer.client.socket.writableNeedDrain || (await settled(() => bytesRead(site))) === 0) {
      peer.client.socket.write(pings);
      asked += 1000;
      await new Promise(setImmediate);
    }
    const [connection] = site.server.runner.server!.connections;
    await settled(() => bytesRead(site));
    assert.ok(
      connection!.socket.writableLength < 600_000,
      `${connection!.socket.writableLength} bytes of pongs wait`,
    );
    peer.client.socket.resume();
    await peer.client.until((received) => received.length >= asked * 127);
    assert.equal(peer.client.received.length, asked * 127);
    peer.client.reset();
  });
});

describe('a handler that does not receive', () => {
  test('stops the client, whatever it sends, and loses nothing', async () => {
    const go = deferred();
    const got: number[] = [];
    await using site = await WebSocketSite.start(async (ws) => {
      await go.promise;
      for await (const message of ws) {
        if (message.type === web.WSMsgType.TEXT) got.push(message.data.length);
      }
    });
    const peer = await site.open();
    const sizes = Array.from({ length: 6000 }, (_, index) => (index * 7919) % 4000);
    const sent = peer.client.send(masked(...sizes.map((size) => text('x'.repeat(size)))));
    const read = await settled(() => bytesRead(site));
    assert.ok(read > 0 && read < 500_000, `${read} bytes were read`);
    go.resolve();
    await sent;
    while (got.length < sizes.length) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.deepEqual(got, sizes);
    peer.client.reset();
    await site.handled;
  });

  test('is not filled with what many small compressed messages become', async () => {
    const go = deferred();
    let got = 0;
    await using site = await WebSocketSite.start(async (ws) => {
      await go.promise;
      for await (const message of ws) {
        if (message.type === web.WSMsgType.BINARY) got += message.data.length;
      }
    });
    const peer = await site.open(DEFLATE);
    const size = 3_000_000;
    const compressed = deflateRawSync(Buffer.alloc(size));
    const count = 15;
    const before = process.memoryUsage().arrayBuffers;
    await peer.send(...Array.from({ length: count }, () => ({ opcode: 2, rsv: 4, payload: compressed })));
    await settled(() => process.memoryUsage().arrayBuffers);
    const held = process.memoryUsage().arrayBuffers - before;
    assert.ok(held < 4 * size, `${held} bytes are held`);
    go.resolve();
    while (got < count * size) await new Promise((resolve) => setTimeout(resolve, 1));
    peer.client.reset();
    await site.handled;
    assert.equal(got, count * size);
  });
});

test('large compressed messages go out in order, before the close frame', async () => {
  await using site = await WebSocketSite.start(async (ws) => {
    for (let index = 0; index < 20; index++) {
      void ws.sendStr(`${index} ${'x'.repeat(index % 2 === 0 ? 100_000 : 10)}`);
    }
    await ws.ping();
  });
  const client = await site.ws({ perMessageDeflate: true });
  for (let index = 0; index < 20; index++) {
    assert.equal((await client.next()).slice(0, 3).trim(), `${index}${index < 10 ? ' x' : ''}`);
  }
  assert.equal((await client.closed).code, 1000);
  assert.deepEqual(site.logger.errors, []);
});

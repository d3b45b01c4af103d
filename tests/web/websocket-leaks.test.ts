import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { closing, echo, masked, text, WebSocketSite } from './websocket-site.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What keeps the process alive, without what the test runner itself holds. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) {
    if (/Pipe|TTY|FSReq|Immediate|MessagePort|Worker/.test(name)) continue;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

async function open(site: WebSocketSite, index: number): Promise<void> {
  using peer = await site.open();
  await peer.send(text('hello'));
  await peer.until('text hello');
  switch (index % 4) {
    case 0:
      await peer.send(closing(1000));
      await peer.client.closed;
      break;
    case 1:
      peer.client.end();
      await peer.client.closed;
      break;
    case 2:
      await peer.send({ opcode: 3 });
      await peer.ended();
      break;
    default:
      peer.client.reset();
  }
}

describe('a WebSocket leaves nothing behind', () => {
  test('opened, and closed or cut, a thousand times', async () => {
    await using site = await WebSocketSite.start(echo, {
      socket: { heartbeat: 60_000, receiveTimeout: 60_000 },
    });
    const { server } = site.server.runner;
    const round = async (count: number): Promise<void> => {
      await Promise.all(Array.from({ length: count }, (_, index) => open(site, index)));
      while (server!.connections.size > 0) await new Promise((resolve) => setTimeout(resolve, 2));
    };
    await round(40);
    const before = resources();
    for (let count = 0; count < 25; count++) await round(40);
    // What a client has just closed may take a turn to go.
    for (let turn = 0; turn < 500; turn++) {
      const now = resources();
      if (Object.entries(now).every(([name, count]) => count <= (before[name] ?? 0))) break;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    for (const [name, count] of Object.entries(resources())) {
      assert.ok(count <= (before[name] ?? 0), `${name}: ${count}, before ${before[name] ?? 0}`);
    }
    assert.deepEqual(site.logger.errors, []);
  });

  test('twenty thousand messages on one', async () => {
    await using site = await WebSocketSite.start(echo);
    const peer = await site.open();
    const burst = masked(...Array.from({ length: 100 }, () => text('x'.repeat(200))));
    const wanted = 100 * 204;
    let after = 0;
    for (let round = 0; round < 200; round++) {
      await peer.client.send(burst);
      await peer.client.until((received) => received.length >= wanted);
      assert.equal(peer.client.take().length, wanted);
      if (round === 40) {
        collect();
        after = process.memoryUsage().heapUsed;
      }
    }
    const [connection] = site.server.runner.server!.connections;
    const listeners = connection!.socket.eventNames().map((name) => connection!.socket.listenerCount(name));
    assert.ok(
      listeners.every((count) => count <= 3),
      String(listeners),
    );
    collect();
    const grown = process.memoryUsage().heapUsed - after;
    assert.ok(grown < 2_000_000, `${grown} bytes more than after 4,000 messages`);
    peer.client.reset();
  });
});

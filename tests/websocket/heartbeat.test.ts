import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import * as web from '../../src/web/index.ts';
import { Heartbeat } from '../../src/websocket/heartbeat.ts';
import { deferred, echo, WebSocketSite } from '../web/websocket-site.ts';

class Owner {
  inputHeld: boolean = false;
  readonly events: string[] = [];
  sendPing(): void {
    this.events.push('ping');
  }
  pongMissed(): void {
    this.events.push('missed');
  }
}

/** Millisecond by millisecond: a timer that another one starts begins at its own time. */
async function pass(ms: number): Promise<void> {
  for (let count = 0; count < ms; count++) {
    mock.timers.tick(1);
    await new Promise(setImmediate);
  }
}

describe('the clock of a heartbeat', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'] }));
  afterEach(() => mock.timers.reset());

  test('a silent peer is pinged, and given up after half the time', async () => {
    const owner = new Owner();
    new Heartbeat(100, owner);
    await pass(99);
    assert.deepEqual(owner.events, []);
    await pass(1);
    assert.deepEqual(owner.events, ['ping']);
    await pass(49);
    assert.deepEqual(owner.events, ['ping']);
    await pass(1);
    assert.deepEqual(owner.events, ['ping', 'missed']);
    await pass(1000);
    assert.deepEqual(owner.events, ['ping', 'missed'], 'once');
  });

  test('a pong that was not read yet counts', async () => {
    const owner = new Owner();
    const heartbeat = new Heartbeat(100, owner);
    mock.timers.tick(100);
    mock.timers.tick(50);
    heartbeat.seen(); // read in the turn in which the time was up
    await pass(99);
    assert.deepEqual(owner.events, ['ping']);
    await pass(1);
    assert.deepEqual(owner.events, ['ping', 'ping']);
    heartbeat.stop();
    await pass(100);
    assert.deepEqual(owner.events, ['ping', 'ping']);
  });

  test('whatever comes is a sign of life', async () => {
    const owner = new Owner();
    const heartbeat = new Heartbeat(100, owner);
    for (let round = 0; round < 20; round++) {
      await pass(60);
      heartbeat.seen();
    }
    assert.deepEqual(owner.events, []);
    await pass(100);
    assert.deepEqual(owner.events, ['ping']);
    await pass(40);
    heartbeat.seen();
    await pass(99);
    assert.deepEqual(owner.events, ['ping']);
    await pass(1);
    assert.deepEqual(owner.events, ['ping', 'ping']);
    heartbeat.stop();
    await pass(1000);
    assert.deepEqual(owner.events, ['ping', 'ping']);
  });

  test('a peer that nobody reads is not to blame', async () => {
    const owner = new Owner();
    new Heartbeat(100, owner);
    await pass(100);
    owner.inputHeld = true;
    await pass(1000);
    assert.deepEqual(owner.events, ['ping']);
    owner.inputHeld = false;
    await pass(150);
    assert.deepEqual(owner.events, ['ping', 'ping', 'missed']);
  });
});

describe('the heartbeat of a WebSocket', () => {
  test('ends one whose client vanished: ERROR, then CLOSED, 1006', async () => {
    const seen = deferred<unknown>();
    await using site = await WebSocketSite.start(
      async (ws) => {
        const error = await ws.receive();
        const types = [error.type, (await ws.receive()).type];
        seen.resolve([types, (error.data as Error).name, ws.exception() === error.data, ws.closeCode]);
      },
      { socket: { heartbeat: 10 } },
    );
    const peer = await site.open(); // pings reach it, and it does not care
    assert.deepEqual(await seen.promise, [
      [web.WSMsgType.ERROR, web.WSMsgType.CLOSED],
      'TimeoutError',
      true,
      1006,
    ]);
    await peer.client.closed;
    assert.equal(peer.lines[0], 'ping ');
    assert.deepEqual(site.logger.errors, []);
  });

  test('keeps one whose client answers', async () => {
    await using site = await WebSocketSite.start(echo, { socket: { heartbeat: 1000 } });
    const client = await site.ws();
    for (let count = 0; count < 2; count++) {
      await new Promise((resolve) => client.socket.once('ping', resolve));
    }
    client.socket.send('still here');
    assert.equal(await client.next(), 'still here');
    client.socket.close(1000);
    assert.equal((await client.closed).code, 1000);
  });
});

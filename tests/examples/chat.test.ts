import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { WsClient } from '../web/websocket-site.ts';
import { RunningExample } from './running-example.ts';

async function join(example: RunningExample, name: string, origin?: string): Promise<WsClient> {
  const url = `${example.url.replace('http', 'ws')}/room?name=${encodeURIComponent(name)}`;
  const client = new WsClient(new WebSocket(url, origin === undefined ? {} : { origin }));
  await client.opened;
  return client;
}

test('two talk in a room, a third hears what was said before, and the shutdown tells them', async () => {
  const example = await RunningExample.start('examples/chat/server.ts');
  try {
    const page = await example.fetch('/');
    assert.match(await page.text(), /<title>Chat/);
    assert.equal((await example.fetch('/room?name=x')).status, 400);
    await assert.rejects(join(example, ''), /400/);
    await assert.rejects(join(example, 'eve', 'https://evil.example'), /403/);

    const ann = await join(example, 'Ann', example.url);
    assert.equal(await ann.next(), '{"kind":"joined","name":"Ann","people":["Ann"]}');
    const bob = await join(example, 'Bob');
    const joined = '{"kind":"joined","name":"Bob","people":["Ann","Bob"]}';
    assert.equal(await bob.next(), joined);
    assert.equal(await ann.next(), joined);
    ann.socket.send('hello');
    for (const client of [ann, bob]) {
      assert.equal(await client.next(), '{"kind":"said","name":"Ann","text":"hello"}');
    }
    bob.socket.terminate();
    assert.equal(await ann.next(), '{"kind":"left","name":"Bob","people":["Ann"]}');
    const cem = await join(example, 'Cem');
    assert.equal(await cem.next(), '{"kind":"said","name":"Ann","text":"hello"}');
    assert.equal(await cem.next(), '{"kind":"joined","name":"Cem","people":["Ann","Cem"]}');

    const closed = Promise.all([ann.closed, cem.closed]);
    assert.equal(await example.stop(), 0, example.stderr);
    for (const end of await closed) assert.deepEqual(end, { code: 1001, reason: 'The server goes down' });
  } finally {
    await example.kill();
  }
});

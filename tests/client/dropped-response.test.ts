import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ClientSession } from '../../src/client/index.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Lets finalizers run, which need a turn of the loop after the collection. */
async function collected(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a response that nobody holds any more', () => {
  test('stays open while its stream is read', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const session = new ClientSession();
    try {
      const pending = session.get(`http://127.0.0.1:${port}/`).then(({ content }) => content.iterAny());
      const [socket] = await accepted;
      await once(socket, 'data');
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc');
      const pieces = await pending;
      let text = '';
      for await (const piece of pieces) {
        text += Buffer.from(piece).toString();
        if (text === 'abc') {
          await collected();
          socket.write('def');
        }
      }
      assert.equal(text, 'abcdef');
    } finally {
      await session.close();
      server.close();
    }
  });
});

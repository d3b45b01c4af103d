// A bare socket that sends the same frame again and again. It is what servers are measured with.

import { once } from 'node:events';
import { connect } from 'node:net';
import { inflateRawSync } from 'node:zlib';
import { extension, Frames, frame, payloadOf, task } from '../messages.mjs';
import { check, measured } from './control.mjs';

const { program, compress, port } = task();
const isText = program !== 'binary';
const outgoing = frame((compress ? 0xc0 : 0x80) | (isText ? 1 : 2), payloadOf(program, compress), true);

await measured(async () => {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  socket.on('close', () => {
    throw new Error('the server closed the connection');
  });
  socket.write(
    `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${
      compress ? `Sec-WebSocket-Extensions: ${extension}\r\n` : ''
    }\r\n`,
  );
  const [head] = await once(socket, 'data');
  if (!String(head).startsWith('HTTP/1.1 101 ')) throw new Error(`the handshake failed: ${head}`);

  let until = 0;
  let count = 0;
  /** @type {(count: number) => void} */
  let done = () => {};
  const frames = new Frames((first, payload) => {
    if (count === 0) {
      const data =
        (first & 0x40) === 0
          ? payload
          : inflateRawSync(Buffer.concat([payload, Buffer.of(0, 0, 255, 255, 1, 0, 0, 255, 255)]));
      check(isText ? data.toString() : data);
      if (compress && (first & 0x40) === 0) throw new Error('the echo is not compressed');
    }
    count++;
    if (performance.now() < until) socket.write(outgoing);
    else done(count);
  });
  socket.on('data', (chunk) => frames.push(chunk));
  return {
    run(end) {
      until = end;
      count = 0;
      socket.write(outgoing);
      return new Promise((resolve) => {
        done = resolve;
      });
    },
  };
});

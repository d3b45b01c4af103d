// A bare socket that knows nothing but frames: what the kernel and Node cost. Clients that are measured talk to it too.

import { createServer } from 'node:net';
import { acceptOf, extension, Frames, frame, unmasked } from '../messages.mjs';
import { ready } from './control.mjs';

const server = createServer({ noDelay: true }, (socket) => {
  let head = '';
  const frames = new Frames((first, payload, key) => {
    if ((first & 0x0f) === 8) socket.end(frame(first, unmasked(payload, key), false));
    else socket.write(frame(first, unmasked(payload, key), false));
  });
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    if (head === 'done') {
      frames.push(chunk);
      return;
    }
    head += chunk.toString('latin1');
    if (!head.endsWith('\r\n\r\n')) return;
    const key = /^sec-websocket-key: (.*)$/im.exec(head)?.[1] ?? '';
    const compress = /^sec-websocket-extensions: permessage-deflate/im.test(head);
    head = 'done';
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(key)}\r\n${
        compress ? `Sec-WebSocket-Extensions: ${extension}\r\n` : ''
      }\r\n`,
    );
  });
});
server.listen(0, '127.0.0.1', () =>
  ready(/** @type {import('node:net').AddressInfo} */ (server.address()).port),
);

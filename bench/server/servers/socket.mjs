// The floor: a bare socket that parses nothing. It counts the ends of heads and answers each with the same bytes.

import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { ready, task, text } from './control.mjs';

const { program, tls } = task();
const bodies = {
  text,
  json: '{"user":"ada","id":42,"tags":["a","b"]}',
  post: '{"value":"number one"}',
  browser: 'de,en;q=0.7',
};
const type = program === 'text' || program === 'browser' ? 'text/plain; charset=utf-8' : 'application/json';
const extra =
  program === 'json' ? 'X-Served-By: bench\r\n' : program === 'browser' ? 'Cache-Control: no-store\r\n' : '';
const body = bodies[program];
const answer = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n${extra}Content-Length: ${body.length}\r\nDate: ${new Date().toUTCString()}\r\n\r\n${body}`;

/** @param {import('node:net').Socket} socket */
function serve(socket) {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (/** @type {Buffer} */ chunk) => {
    let answers = '';
    for (let at = chunk.indexOf('\r\n\r\n'); at !== -1; at = chunk.indexOf('\r\n\r\n', at + 4))
      answers += answer;
    if (answers !== '') socket.write(answers, 'latin1');
  });
}

const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
server.listen(0, '127.0.0.1', () =>
  ready(/** @type {import('node:net').AddressInfo} */ (server.address()).port),
);

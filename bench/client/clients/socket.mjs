// The floor: bare keep-alive sockets. They know how long the answer is and parse nothing of it.

import { connect } from 'node:net';
import { measured, message, pieces, size, task } from './control.mjs';

const { port } = task();
const host = `Host: 127.0.0.1:${port}\r\n`;
const json = JSON.stringify(message);
const getText = `GET / HTTP/1.1\r\n${host}\r\n`;
const postText = `POST /json HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`;

class Connection {
  constructor() {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    /** @type {(chunk: Buffer) => void} */
    this.take = () => {};
    this.socket.on('data', (/** @type {Buffer} */ chunk) => this.take(chunk));
    this.socket.on('error', (error) => {
      throw error;
    });
  }
}

/** @type {Connection[]} */
const idle = [];

/**
 * Sends a text and takes the answer, which comes in one piece.
 * @param {string} text
 * @returns {Promise<string>}
 */
function exchange(text) {
  const connection = idle.pop() ?? new Connection();
  return new Promise((resolve) => {
    connection.take = (chunk) => {
      idle.push(connection);
      resolve(chunk.latin1Slice(chunk.indexOf('\r\n\r\n') + 4));
    };
    connection.socket.write(text, 'latin1');
  });
}

measured({
  get: () => exchange(getText),
  post: async () => String(JSON.parse(await exchange(postText)).ok),
  down: () => {
    const connection = idle.pop() ?? new Connection();
    return new Promise((resolve) => {
      let received = -1;
      connection.take = (chunk) => {
        received += received === -1 ? 1 + chunk.length - (chunk.indexOf('\r\n\r\n') + 4) : chunk.length;
        if (received < size) return;
        idle.push(connection);
        resolve(received);
      };
      connection.socket.write(`GET /down HTTP/1.1\r\n${host}\r\n`, 'latin1');
    });
  },
  up: async () => {
    const connection = idle.pop() ?? new Connection();
    const { socket } = connection;
    /** @type {Promise<string>} */
    const answer = new Promise((resolve) => {
      connection.take = (chunk) => resolve(chunk.latin1Slice(chunk.indexOf('\r\n\r\n') + 4));
    });
    socket.write(`PUT /up HTTP/1.1\r\n${host}Content-Length: ${size}\r\n\r\n`, 'latin1');
    for await (const piece of pieces()) {
      if (!socket.write(piece))
        await new Promise((resolve) => socket.once('drain', () => resolve(undefined)));
    }
    const text = await answer;
    idle.push(connection);
    return text;
  },
});

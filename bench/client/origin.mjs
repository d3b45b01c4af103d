// The server that the clients ask: bare sockets and prepared bytes, so that it is never what is waited for.

import { createServer } from 'node:net';
import { size } from './clients/control.mjs';

/** @param {string} type @param {string} body */
function answer(type, body) {
  return `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nDate: ${new Date().toUTCString()}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

const hello = answer('text/plain; charset=utf-8', 'Hello world');
const ok = answer('application/json', '{"ok":true}');
const received = answer('text/plain; charset=utf-8', 'received');
const downHead = `HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${size}\r\n\r\n`;
const piece = Buffer.alloc(1_048_576, 'x');
const lastChunk = Buffer.from('0\r\n\r\n');

/** One connection. Requests come one after the other, a head never split: its clients are ours. */
class Peer {
  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.socket = socket;
    /** Bytes of the request's body that are still to come; Infinity: until the last chunk. */
    this.missing = 0;
    this.reply = '';
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('data', (/** @type {Buffer} */ chunk) => this.take(chunk));
  }

  /** @param {Buffer} chunk */
  take(chunk) {
    if (this.missing > 0) {
      this.takeBody(chunk);
      return;
    }
    const end = chunk.indexOf('\r\n\r\n') + 4;
    const head = chunk.latin1Slice(0, end);
    if (head.startsWith('GET /down')) {
      this.socket.write(downHead, 'latin1');
      this.sendDown(0);
      return;
    }
    if (head.startsWith('GET')) {
      this.socket.write(hello, 'latin1');
      return;
    }
    this.reply = head.startsWith('PUT') ? received : ok;
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    this.missing = length === null ? Infinity : Number(length[1]);
    this.takeBody(chunk.subarray(end));
  }

  /** @param {Buffer} chunk */
  takeBody(chunk) {
    this.missing -= chunk.length;
    if (this.missing === Infinity ? chunk.subarray(-5).equals(lastChunk) : this.missing <= 0) {
      this.missing = 0;
      this.socket.write(this.reply, 'latin1');
    }
  }

  /** @param {number} sent */
  sendDown(sent) {
    for (let at = sent; at < size; ) {
      const isFull = !this.socket.write(piece);
      at += piece.length;
      if (isFull && at < size) {
        this.socket.once('drain', () => this.sendDown(at));
        return;
      }
    }
  }
}

const server = createServer((socket) => void new Peer(socket));
server.listen(0, '127.0.0.1', () =>
  process.send?.({ port: /** @type {import('node:net').AddressInfo} */ (server.address()).port }),
);
process.on('disconnect', () => process.exit(0));

import { Agent, request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { measured, message, pieces, task } from './control.mjs';

const { port } = task();
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/**
 * @param {string} method
 * @param {string} path
 * @param {(outgoing: import('node:http').ClientRequest) => void} send
 * @returns {Promise<import('node:http').IncomingMessage>}
 */
function ask(method, path, send) {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, method, agent }, resolve);
    outgoing.on('error', reject);
    send(outgoing);
  });
}

/** @param {import('node:http').IncomingMessage} response @returns {Promise<string>} */
function textOf(response) {
  return new Promise((resolve, reject) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk) => {
      text += chunk;
    });
    response.on('end', () => resolve(text));
    response.on('error', reject);
  });
}

measured({
  get: async () => textOf(await ask('GET', '/', (outgoing) => outgoing.end())),
  async post() {
    const response = await ask('POST', '/json', (outgoing) => {
      const body = JSON.stringify(message);
      outgoing.setHeader('Content-Type', 'application/json');
      outgoing.setHeader('Content-Length', Buffer.byteLength(body));
      outgoing.end(body);
    });
    return String(JSON.parse(await textOf(response)).ok);
  },
  async down() {
    let received = 0;
    for await (const piece of await ask('GET', '/down', (outgoing) => outgoing.end()))
      received += piece.length;
    return received;
  },
  async up() {
    /** @type {Promise<void> | undefined} */
    let sent;
    const response = await ask('PUT', '/up', (outgoing) => {
      sent = pipeline(Readable.from(pieces()), outgoing);
    });
    await sent;
    return await textOf(response);
  },
});

// node:http as it is used by hand: no framework, the head written at once. The variant `optimized` turns on
// optimizeEmptyRequests (Node 24.12 and later).

import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { keepAliveTimeout, ready, task, text } from './control.mjs';

const { program, tls, variant } = task();
const options = { keepAliveTimeout, ...(variant === 'optimized' && { optimizeEmptyRequests: true }), ...tls };

/**
 * @param {import('node:http').ServerResponse} response
 * @param {string} type
 * @param {string} body
 * @param {Record<string, string>} [headers]
 */
function send(response, type, body, headers) {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), ...headers });
  response.end(body);
}

const plain = 'text/plain; charset=utf-8';

/** @type {Record<string, import('node:http').RequestListener>} */
const programs = {
  text(_request, response) {
    send(response, plain, text);
  },

  json(request, response) {
    const startedAt = performance.now();
    if (request.headers['x-blocked'] !== undefined) {
      response.writeHead(403).end();
      return;
    }
    const [, , user = '', , id = ''] = (request.url ?? '').split('/');
    const body = JSON.stringify({ user: decodeURIComponent(user), id: Number(id), tags: ['a', 'b'] });
    send(response, 'application/json', body, { 'X-Served-By': startedAt > 0 ? 'bench' : '' });
  },

  post(request, response) {
    /** @type {Buffer[]} */
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const args = JSON.parse(Buffer.concat(chunks).toString());
      send(response, 'application/json', JSON.stringify({ value: args.key }));
    });
  },

  browser(request, response) {
    send(response, plain, request.headers['accept-language'] ?? '', { 'Cache-Control': 'no-store' });
  },
};

const listener = programs[program];
const server = tls === undefined ? createServer(options, listener) : createTlsServer(options, listener);
server.listen(0, '127.0.0.1', () =>
  ready(/** @type {import('node:net').AddressInfo} */ (server.address()).port),
);

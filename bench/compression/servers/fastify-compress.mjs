// Fastify with @fastify/compress, and the levels that the middleware of aiohttp-ts has.

import { constants } from 'node:zlib';
import compress from '@fastify/compress';
import Fastify from 'fastify';
import { keepAliveTimeout, ready, task } from '../../server/servers/control.mjs';
import { documents } from './documents.mjs';

const { variant = 'gzip' } = task();
const app = Fastify({ keepAliveTimeout });
await app.register(compress, {
  encodings: [/** @type {'gzip' | 'br'} */ (variant)],
  zlibOptions: { level: 6 },
  brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } },
});
app.get('/:size', (request, reply) => {
  reply.send(documents[/** @type {{ size: string }} */ (request.params).size]);
});
await app.listen({ port: 0, host: '127.0.0.1' });
ready(/** @type {import('node:net').AddressInfo} */ (app.server.address()).port);

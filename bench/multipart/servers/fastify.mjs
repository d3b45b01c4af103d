// Fastify with @fastify/multipart, which stands on a busboy of its own.

import multipart from '@fastify/multipart';
import Fastify from 'fastify';
import { ready } from '../../server/servers/control.mjs';

const app = Fastify({ bodyLimit: Number.MAX_SAFE_INTEGER });
await app.register(multipart, {
  limits: { fileSize: Number.MAX_SAFE_INTEGER, parts: 10_000, fields: 10_000 },
});

app.post('/fields', async (request) => {
  let fields = 0;
  for await (const part of request.parts()) if (part.type === 'field') fields++;
  return String(fields);
});

app.post('/stream', async (request) => {
  let size = 0;
  for await (const part of request.parts()) {
    if (part.type === 'file') for await (const piece of part.file) size += piece.length;
  }
  return String(size);
});

app.post('/disk', async (request) => {
  let size = 0;
  const { files } = await request.saveRequestFiles();
  for (const file of files) size += file.file.bytesRead;
  return String(size);
});

await app.listen({ port: 0, host: '127.0.0.1' });
ready(/** @type {import('node:net').AddressInfo} */ (app.server.address()).port);

// busboy on node:http, as its documentation does it.

import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import busboy from 'busboy';
import { ready } from '../../server/servers/control.mjs';

const server = createServer((request, response) => {
  const parser = busboy({ headers: request.headers, limits: { fileSize: Number.POSITIVE_INFINITY } });
  let result = 0;
  /** @type {Promise<void>[]} */
  const writing = [];
  /** @type {[string, string][]} */
  const fields = [];
  parser.on('field', (name, value) => {
    fields.push([name, value]);
    result++;
  });
  parser.on('file', (_name, file) => {
    if (request.url !== '/disk') {
      file.on('data', (piece) => {
        result += piece.length;
      });
      return;
    }
    const target = path.join(tmpdir(), `bench-${randomUUID()}`);
    file.on('data', (piece) => {
      result += piece.length;
    });
    writing.push(
      pipeline(file, createWriteStream(target, { flags: 'wx', mode: 0o600 })).then(() => unlink(target)),
    );
  });
  parser.on('close', async () => {
    await Promise.all(writing);
    response.end(String(result));
  });
  request.pipe(parser);
});
server.listen(0, '127.0.0.1', () =>
  ready(/** @type {import('node:net').AddressInfo} */ (server.address()).port),
);

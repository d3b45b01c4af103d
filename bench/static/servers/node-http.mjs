// The least that node:http needs for a file: no check of the path, no type, no condition.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream';
import { ready, task } from './control.mjs';

const { directory } = task();
const server = createServer(async (request, response) => {
  const file = path.join(directory, request.url ?? '');
  const { size, mtime } = await stat(file);
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': size,
    'Last-Modified': mtime.toUTCString(),
  });
  pipeline(createReadStream(file), response, () => {});
});
server.listen(0, '127.0.0.1', () => ready(server.address().port));

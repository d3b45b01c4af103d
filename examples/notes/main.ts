// A small site to try and to copy: notes of several people, with pages and a JSON API.
//
//   npm start [-- --host 127.0.0.1 --port 8080 --data DIR]
//
// It keeps everything in a sqlite file in DIR (a temporary folder, unless it is given), or in DATABASE_URL=postgres://…, and its sessions in
// REDIS_URL=redis://… if there is one.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { runApp } from 'aiohttp-ts/web';
import { fromCommandLine } from '../command-line.ts';
import { makeApp } from './app.ts';

const { values } = parseArgs({ options: { data: { type: 'string' } }, strict: false });
const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = process.env;

const temporary = values['data'] === undefined && databaseUrl === undefined;
const folder = temporary
  ? mkdtempSync(path.join(tmpdir(), 'notes-'))
  : path.resolve(String(values['data'] ?? '.'));
if (databaseUrl === undefined) mkdirSync(folder, { recursive: true });
const file = pathToFileURL(path.join(folder, 'notes.db')).href.replace(/^file:/, 'sqlite:');

const options = fromCommandLine();
try {
  await runApp(() => makeApp({ database: databaseUrl ?? file, redis: redisUrl }), {
    host: '127.0.0.1',
    ...options,
    print: (message) => {
      options.print(message);
      const url = /https?:\/\/[^\s,]+/.exec(message)?.[0] ?? '';
      console.log(`Open ${url} in a browser, register, and write a note. The same from a terminal:
  curl ${url}/api/notes
  curl ${url}/api/token --json '{"name": "YOU", "password": "YOUR PASSWORD"}'
  curl ${url}/api/notes -H 'Authorization: Bearer TOKEN' --json '{"title": "Hello", "body": "from curl"}'
Notes are kept in ${databaseUrl === undefined ? file : 'DATABASE_URL'}${temporary ? ', which is removed at the end: --data DIR keeps them' : ''}.`);
    },
  });
} finally {
  if (temporary) rmSync(folder, { recursive: true, force: true });
}

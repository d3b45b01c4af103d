import { Agent } from 'node:http';
import { Readable } from 'node:stream';
import got from 'got';
import { measured, message, pieces, task } from './control.mjs';

const client = got.extend({
  prefixUrl: task().origin,
  agent: { http: new Agent({ keepAlive: true, maxSockets: 64 }) },
  retry: { limit: 0 },
});

measured({
  get: () => client.get('').text(),
  async post() {
    return String(/** @type {{ ok: boolean }} */ (await client.post('json', { json: message }).json()).ok);
  },
  async down() {
    let received = 0;
    for await (const piece of client.stream('down')) received += piece.length;
    return received;
  },
  up: () => client.put('up', { body: Readable.from(pieces(), { objectMode: false }) }).text(),
});

import { Agent } from 'node:http';
import { Readable } from 'node:stream';
import axios from 'axios';
import { measured, message, pieces, task } from './control.mjs';

const client = axios.create({
  baseURL: task().origin,
  httpAgent: new Agent({ keepAlive: true, maxSockets: 64 }),
  maxRedirects: 0,
  maxBodyLength: Infinity,
  proxy: false,
});

measured({
  get: async () => (await client.get('/', { responseType: 'text' })).data,
  post: async () => String((await client.post('/json', message)).data.ok),
  async down() {
    const { data } = await client.get('/down', { responseType: 'stream' });
    let received = 0;
    for await (const piece of data) received += piece.length;
    return received;
  },
  up: async () =>
    (await client.put('/up', Readable.from(pieces(), { objectMode: false }), { responseType: 'text' })).data,
});

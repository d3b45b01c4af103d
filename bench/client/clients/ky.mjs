import ky from 'ky';
import { measured, message, pieces, task } from './control.mjs';

const client = ky.create({ prefixUrl: task().origin, retry: 0, timeout: false });

measured({
  get: () => client.get('').text(),
  async post() {
    return String(/** @type {{ ok: boolean }} */ (await client.post('json', { json: message }).json()).ok);
  },
  async down() {
    const { body } = await client.get('down');
    let received = 0;
    for await (const piece of /** @type {ReadableStream<Uint8Array>} */ (body)) received += piece.length;
    return received;
  },
  async up() {
    const options = /** @type {import('ky').Options} */ ({
      body: ReadableStream.from(pieces()),
      duplex: 'half',
    });
    return await client.put('up', options).text();
  },
});

// The fetch that Node has, which is undici's with the platform's objects around it.

import { measured, message, pieces, task } from './control.mjs';

const { origin } = task();
const headers = { 'Content-Type': 'application/json' };

measured({
  async get() {
    const response = await fetch(`${origin}/`);
    return await response.text();
  },
  async post() {
    const response = await fetch(`${origin}/json`, {
      method: 'POST',
      headers,
      body: JSON.stringify(message),
    });
    return String((await response.json()).ok);
  },
  async down() {
    const { body } = await fetch(`${origin}/down`);
    let received = 0;
    for await (const piece of /** @type {ReadableStream<Uint8Array>} */ (body)) received += piece.length;
    return received;
  },
  async up() {
    const body = ReadableStream.from(pieces());
    const init = /** @type {RequestInit} */ ({ method: 'PUT', body, duplex: 'half' });
    const response = await fetch(`${origin}/up`, init);
    return await response.text();
  },
});

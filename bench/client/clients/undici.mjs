import { Pool } from 'undici';
import { measured, message, pieces, task } from './control.mjs';

const pool = new Pool(task().origin, { connections: 64, pipelining: 1 });
const headers = { 'content-type': 'application/json' };

measured({
  async get() {
    const { body } = await pool.request({ path: '/', method: 'GET' });
    return await body.text();
  },
  async post() {
    const { body } = await pool.request({
      path: '/json',
      method: 'POST',
      headers,
      body: JSON.stringify(message),
    });
    return String(/** @type {{ ok: boolean }} */ (await body.json()).ok);
  },
  async down() {
    const { body } = await pool.request({ path: '/down', method: 'GET' });
    let received = 0;
    for await (const piece of body) received += piece.length;
    return received;
  },
  async up() {
    const { body } = await pool.request({ path: '/up', method: 'PUT', body: pieces() });
    return await body.text();
  },
});

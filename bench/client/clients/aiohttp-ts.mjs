import { ClientSession, CookieJar, TCPConnector } from 'aiohttp-ts/client';
import { measured, message, pieces, task } from './control.mjs';

const { origin, variant } = task();

/** What a program that talks to an API sets: fields, cookies, limits of its own. */
function fullSession() {
  const cookieJar = new CookieJar({ unsafe: true });
  cookieJar.updateCookies({ session: '8f1c0d6e5b7a4932', theme: 'dark' }, origin);
  return new ClientSession({
    cookieJar,
    headers: { Authorization: 'Bearer 1234567890', 'X-Client': 'bench', 'Accept-Language': 'de' },
    timeout: { total: 60_000, sockRead: 20_000 },
  });
}

const session =
  variant === 'full' ? fullSession() : new ClientSession({ connector: new TCPConnector({ limit: 64 }) });

measured({
  async get() {
    const response = await session.get(`${origin}/`);
    return await response.text();
  },
  async post() {
    const response = await session.post(`${origin}/json`, { json: message });
    const answer = /** @type {{ ok: boolean }} */ (await response.json());
    return String(answer.ok);
  },
  async down() {
    const response = await session.get(`${origin}/down`);
    let received = 0;
    for await (const piece of response.content.iterAny()) received += piece.length;
    return received;
  },
  async up() {
    const response = await session.put(`${origin}/up`, { data: pieces() });
    return await response.text();
  },
});

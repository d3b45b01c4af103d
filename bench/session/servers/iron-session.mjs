// iron-session on node:http, without a framework around it.

import { createServer } from 'node:http';
import { getIronSession } from 'iron-session';
import { ready } from '../../server/servers/control.mjs';
import { contents, secret } from './visit.mjs';

const options = { password: secret, cookieName: 'iron', cookieOptions: { secure: false } };

const server = createServer(async (request, response) => {
  const session = await getIronSession(request, response, options);
  if (request.url === '/begin') {
    Object.assign(session, contents);
    await session.save();
  } else if (request.url === '/write') {
    session.count = (session.count ?? 0) + 1;
    await session.save();
  }
  response.setHeader('Content-Type', 'text/plain');
  const text = request.url === '/begin' ? 'ok' : String(session.user);
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
});
server.listen(0, '127.0.0.1', () => ready(server.address().port));

import { RedisStore } from 'connect-redis';
import express from 'express';
import expressSession from 'express-session';
import { ready } from '../../server/servers/control.mjs';
import { connectRedis } from './redis-client.mjs';
import { contents, secret, sessionTask } from './visit.mjs';

const { store, redisUrl } = sessionTask();
const app = express();
app.use(
  expressSession({
    secret,
    resave: false,
    saveUninitialized: false,
    ...(store === 'redis' && { store: new RedisStore({ client: await connectRedis(redisUrl) }) }),
  }),
);
app.get('/begin', (request, response) => {
  Object.assign(request.session, contents);
  response.type('text/plain').send('ok');
});
app.get('/read', (request, response) => {
  response.type('text/plain').send(String(request.session.user));
});
app.get('/write', (request, response) => {
  request.session.count = (request.session.count ?? 0) + 1;
  response.type('text/plain').send(String(request.session.user));
});
const server = app.listen(0, '127.0.0.1', () => ready(server.address().port));

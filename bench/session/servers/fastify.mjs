import cookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import { RedisStore } from 'connect-redis';
import Fastify from 'fastify';
import { ready } from '../../server/servers/control.mjs';
import { connectRedis } from './redis-client.mjs';
import { contents, secret, sessionTask } from './visit.mjs';

const { store, redisUrl } = sessionTask();
const app = Fastify();
await app.register(cookie);
await app.register(fastifySession, {
  secret,
  saveUninitialized: false,
  cookie: { secure: false },
  ...(store === 'redis' && { store: new RedisStore({ client: await connectRedis(redisUrl) }) }),
});
app.get('/begin', (request, reply) => {
  for (const [key, value] of Object.entries(contents)) request.session.set(key, value);
  reply.type('text/plain').send('ok');
});
app.get('/read', (request, reply) => {
  reply.type('text/plain').send(String(request.session.get('user')));
});
app.get('/write', (request, reply) => {
  request.session.set('count', (request.session.get('count') ?? 0) + 1);
  reply.type('text/plain').send(String(request.session.get('user')));
});
await app.listen({ port: 0, host: '127.0.0.1' });
ready(app.server.address().port);

// Fastify with its logger off, as its own benchmarks run it. The three middlewares are hooks, Fastify's own form.

import Fastify from 'fastify';
import { keepAliveTimeout, ready, task, text } from './control.mjs';

const { program, tls } = task();
const app = Fastify({ keepAliveTimeout, ...(tls !== undefined && { https: tls }) });

/** @type {Record<string, () => void>} */
const programs = {
  text() {
    app.get('/', (_request, reply) => {
      reply.type('text/plain; charset=utf-8').send(text);
    });
  },

  json() {
    app.decorateRequest('startedAt', 0);
    app.addHook('onRequest', (request, _reply, done) => {
      request.startedAt = performance.now();
      done();
    });
    app.addHook('onRequest', (request, reply, done) => {
      if (request.headers['x-blocked'] === undefined) done();
      else reply.code(403).send();
    });
    app.addHook('onSend', (request, reply, payload, done) => {
      reply.header('X-Served-By', request.startedAt > 0 ? 'bench' : '');
      done(null, payload);
    });
    app.get('/api/:user/posts/:id', (request, reply) => {
      const { user, id } = request.params;
      reply.send({ user, id: Number(id), tags: ['a', 'b'] });
    });
  },

  post() {
    app.post('/json', (request, reply) => {
      reply.send({ value: request.body.key });
    });
  },

  browser() {
    app.get('/browser', (request, reply) => {
      reply.type('text/plain; charset=utf-8').header('Cache-Control', 'no-store');
      reply.send(request.headers['accept-language'] ?? '');
    });
  },
};

programs[program]?.();
await app.listen({ port: 0, host: '127.0.0.1' });
ready(app.server.address().port);

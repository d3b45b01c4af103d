// Express 5 with its usual production settings.

import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import express from 'express';
import { keepAliveTimeout, ready, task, text } from './control.mjs';

const { program, tls } = task();
const app = express();

/** @type {Record<string, () => void>} */
const programs = {
  text() {
    app.get('/', (_request, response) => {
      response.type('text/plain').send(text);
    });
  },

  json() {
    app.use((_request, response, next) => {
      response.locals.startedAt = performance.now();
      next();
    });
    app.use((request, response, next) => {
      if (request.get('x-blocked') === undefined) next();
      else response.sendStatus(403);
    });
    app.use((_request, response, next) => {
      response.set('X-Served-By', response.locals.startedAt > 0 ? 'bench' : '');
      next();
    });
    app.get('/api/:user/posts/:id', (request, response) => {
      response.json({ user: request.params.user, id: Number(request.params.id), tags: ['a', 'b'] });
    });
  },

  post() {
    app.use(express.json());
    app.post('/json', (request, response) => {
      response.json({ value: request.body.key });
    });
  },

  browser() {
    app.get('/browser', (request, response) => {
      response
        .set('Cache-Control', 'no-store')
        .type('text/plain')
        .send(request.get('accept-language') ?? '');
    });
  },
};

programs[program]?.();
const options = { keepAliveTimeout, ...tls };
const server = tls === undefined ? createServer(options, app) : createTlsServer(options, app);
server.listen(0, '127.0.0.1', () =>
  ready(/** @type {import('node:net').AddressInfo} */ (server.address()).port),
);

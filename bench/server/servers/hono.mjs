// Hono on @hono/node-server.

import { createServer } from 'node:https';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { keepAliveTimeout, ready, task, text } from './control.mjs';

const { program, tls } = task();
const app = new Hono();

/** @type {Record<string, () => void>} */
const programs = {
  text() {
    app.get('/', (c) => c.text(text));
  },

  json() {
    app.use(async (c, next) => {
      c.set('startedAt', performance.now());
      await next();
    });
    app.use(async (c, next) => {
      if (c.req.header('x-blocked') !== undefined) return c.body(null, 403);
      await next();
    });
    app.use(async (c, next) => {
      await next();
      c.header('X-Served-By', c.get('startedAt') > 0 ? 'bench' : '');
    });
    app.get('/api/:user/posts/:id', (c) =>
      c.json({ user: c.req.param('user'), id: Number(c.req.param('id')), tags: ['a', 'b'] }),
    );
  },

  post() {
    app.post('/json', async (c) => {
      const args = await c.req.json();
      return c.json({ value: args.key });
    });
  },

  browser() {
    app.get('/browser', (c) =>
      c.text(c.req.header('accept-language') ?? '', 200, { 'Cache-Control': 'no-store' }),
    );
  },
};

programs[program]?.();
serve(
  {
    fetch: app.fetch,
    port: 0,
    hostname: '127.0.0.1',
    ...(tls === undefined
      ? { serverOptions: { keepAliveTimeout } }
      : { createServer, serverOptions: { keepAliveTimeout, ...tls } }),
  },
  ({ port }) => ready(port),
);

import fastifyStatic from '@fastify/static';
import fastify from 'fastify';
import { ready, task } from './control.mjs';

const { directory } = task();
const app = fastify();
await app.register(fastifyStatic, { root: directory });
await app.listen({ host: '127.0.0.1', port: 0 });
ready(app.server.address().port);

// JSON compressed by the middleware.

import { web } from 'aiohttp-ts';
import { keepAliveTimeout, ready, task } from '../../server/servers/control.mjs';
import { documents } from './documents.mjs';

const { variant = 'gzip' } = task();
const coding = /** @type {'gzip' | 'br'} */ (variant);
const app = new web.Application({ middlewares: [web.compressionMiddleware({ codings: [coding] })] });
app.router.addGet('/{size}', ({ matchInfo }) => web.jsonResponse(documents[matchInfo['size'] ?? '']));

const runner = new web.AppRunner(app, { keepAliveTimeout });
await runner.setup();
const site = new web.TCPSite(runner, '127.0.0.1', 0);
await site.start();
ready(site.port);

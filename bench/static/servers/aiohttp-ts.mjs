// aiohttp-ts, from the built package, as a user has it.

import * as web from 'aiohttp-ts/web';
import { ready, task } from './control.mjs';

const { directory, variant } = task();
const app = new web.Application();
app.addRoutes([web.static('/', directory, { cache: variant === 'cache' })]);
const runner = new web.AppRunner(app);
await runner.setup();
const site = new web.TCPSite(runner, '127.0.0.1', 0);
await site.start();
ready(site.port);

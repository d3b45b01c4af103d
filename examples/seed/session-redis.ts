// A session in Redis: the cookie has its key only. Start a Redis, or say where one is: REDIS_URL=redis://127.0.0.1:6379
// It makes keys that begin with AIOHTTP_SESSION_, to be seen with: redis-cli KEYS 'AIOHTTP_SESSION_*'

import { createClient } from '@redis/client';
import * as session from 'aiohttp-ts/session';
import * as web from 'aiohttp-ts/web';
import { fromCommandLine } from '../command-line.ts';

const router = new web.RouteTableDef();

interface Visits {
  last_visit?: number;
}

router.get('/', async function handler(request) {
  const visits = await session.getSession<Visits>(request);
  const lastVisit = visits.get('last_visit') ?? 'None';
  visits.set('last_visit', Date.now() / 1000);
  const text = `Last visited: ${lastVisit}`;
  return new web.Response({ text });
});

async function initApp(): Promise<web.Application> {
  const app = new web.Application();
  const redis = createClient({
    url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379',
    // The storage has a deadline of its own; waiting here would only add to it.
    disableOfflineQueue: true,
    commandOptions: { timeout: 0 },
  });
  // The client connects again by itself. Until then visitors get 503.
  redis.on('error', (error: Error) => console.error(`Redis: ${error.message}`));
  app.cleanupCtx.append(async function* connection() {
    void redis.connect().catch(() => {});
    yield;
    redis.destroy();
  });
  // The post finds its sessions by their identities. Without plainKeys the keys hold hashes, which open no session.
  session.setup(app, new session.RedisStorage(redis, { plainKeys: true }));
  app.addRoutes(router);
  return app;
}

await web.runApp(initApp(), fromCommandLine());

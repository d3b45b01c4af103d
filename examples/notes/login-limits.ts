// How often somebody may try a password: from one address, and for one name from everywhere.

import { type RateLimitStore, rateLimitMiddleware } from 'aiohttp-ts/rate-limit';
import type * as web from 'aiohttp-ts/web';
import { formOf } from './input.ts';

const attempts: ReadonlySet<string> = new Set(['/login', '/register', '/api/token']);

function skip(request: web.Request): boolean {
  return request.method !== 'POST' || !attempts.has(request.path);
}

/** @param store - that all machines of the site share; each counts for itself without one */
export function loginLimits(store: RateLimitStore | undefined): readonly web.Middleware[] {
  return [
    rateLimitMiddleware({ name: 'address', limit: 30, window: 60_000, store, skip }),
    rateLimitMiddleware({ name: 'name', limit: 10, window: 60_000, store, skip, key: nameIn }),
  ];
}

async function nameIn(request: web.Request): Promise<string> {
  const fields =
    request.contentType === 'application/json'
      ? await request.json<{ name?: unknown } | null>()
      : await formOf(request);
  const name = fields?.name;
  return (typeof name === 'string' ? name : '').normalize('NFKC').toLowerCase().slice(0, 100);
}

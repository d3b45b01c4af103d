import type { Application } from '../web/index.ts';

/** Stands in URLs for an application that is reached without a socket. */
const ORIGIN = 'http://localhost';

/**
 * Makes a request against an application without a socket and gives back the platform `Response`. The first request starts the
 * application; end it with `await using app = …` or `await app.cleanup()`. Redirects are not followed.
 *
 * @param path - path and query, `/users?page=2`, or a whole URL when host or scheme matter
 * @param init - as for the platform's `fetch`
 * @throws whatever the start of the application throws
 *
 * @example
 * ```ts
 * await using app = makeApp();
 * const response = await testRequest(app, '/users', { method: 'POST', body: JSON.stringify({ name: 'ada' }) });
 * assert.equal(response.status, 201);
 * ```
 */
export function testRequest(app: Application, path: string, init?: RequestInit): Promise<Response> {
  return app.fetch(new Request(new URL(path, ORIGIN), { redirect: 'manual', ...init }));
}

import type * as web from '../web/index.ts';
import { cspNonce } from './content-security-policy.ts';
import { csrfToken } from './csrf-token.ts';

/**
 * A context processor for templates: `csp_nonce()` for `<script nonce="…">`, and `csrf_token()` for the hidden field of a form. Nothing is made, and no
 * session begins, before a template calls them.
 *
 * `csrf_token()` waits for the session, so the environment must render asynchronously (`enableAsync: true`). Where it does not, give the
 * token to the template: `{ csrf_token: await csrfToken(request) }`.
 *
 * @example
 * ```ts
 * import * as jinja2 from 'aiohttp-ts/jinja2';
 * import { securityProcessor } from 'aiohttp-ts/security';
 * import * as web from 'aiohttp-ts/web';
 * const app = new web.Application();
 * jinja2.setup(app, {
 *   loader: new jinja2.FileSystemLoader('templates'),
 *   enableAsync: true,
 *   contextProcessors: [securityProcessor],
 * });
 * ```
 */
export function securityProcessor(request: web.Request): Readonly<Record<string, unknown>> {
  return { csp_nonce: () => cspNonce(request), csrf_token: () => csrfToken(request) };
}

import { randomBytes, timingSafeEqual } from 'node:crypto';
import { getSession } from '../session/index.ts';
import type * as web from '../web/index.ts';

const size = 32;

/** Where the secret of a session is kept in it. */
export const CSRF_KEY = '_csrf';

/**
 * The token that forms of this visitor's session carry in a hidden field, for {@link csrfMiddleware}. Each call gives another text for the same secret, so that a
 * compressed page does not betray it bit by bit (BREACH). The first call begins a session if there is none.
 *
 * @throws Error when the application has no sessions
 * @example
 * ```ts
 * const form = async (request: web.Request) =>
 *   new web.Response({
 *     contentType: 'text/html',
 *     text: `<form method="post"><input type="hidden" name="csrf_token" value="${await csrfToken(request)}"> … </form>`,
 *   });
 * ```
 */
export async function csrfToken(request: web.Request): Promise<string> {
  const session = await getSession<Record<string, unknown>>(request);
  let secret = secretOf(session.get(CSRF_KEY));
  if (secret === undefined) {
    secret = randomBytes(size);
    session.set(CSRF_KEY, secret.toString('base64url'));
  }
  const mask = randomBytes(size);
  return Buffer.concat([mask, xor(mask, secret)]).toString('base64url');
}

/**
 * Whether a token is one of this visitor's session. For handlers that read their body themselves, such as uploads; everything else has
 * {@link csrfMiddleware}.
 *
 * @throws Error when the application has no sessions
 * @example
 * ```ts
 * if (!(await isCsrfToken(request, request.query.get('token')))) throw new web.HTTPForbidden();
 * ```
 */
export async function isCsrfToken(request: web.Request, token: string | undefined): Promise<boolean> {
  if (typeof token !== 'string' || !/^[\w-]{86}$/.test(token)) return false;
  const session = await getSession<Record<string, unknown>>(request);
  const secret = secretOf(session.get(CSRF_KEY));
  if (secret === undefined) return false;
  const bytes = Buffer.from(token, 'base64url');
  return timingSafeEqual(xor(bytes.subarray(0, size), bytes.subarray(size)), secret);
}

function secretOf(stored: unknown): Buffer | undefined {
  if (typeof stored !== 'string') return undefined;
  const bytes = Buffer.from(stored, 'base64url');
  return bytes.length === size ? bytes : undefined;
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  const out = Buffer.alloc(size);
  for (let index = 0; index < size; index++) out[index] = (a[index] ?? 0) ^ (b[index] ?? 0);
  return out;
}

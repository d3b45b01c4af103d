import { createHmac, type KeyObject } from 'node:crypto';
import type * as web from '../web/index.ts';
import { wrongValue } from './errors.ts';
import { AbstractIdentityPolicy, type Answer, type RememberOptions } from './policies.ts';
import { isSignedBy, keyOf, type Secret } from './secret-key.ts';

/** Options of {@link CookiesIdentityPolicy}. */
export interface CookiesIdentityOptions {
  /** Default `'AIOHTTP_SECURITY'`; `__Host-` stands before it where the cookie is `Secure` without `domain` and for all paths. */
  readonly cookieName?: string | undefined;
  /** Milliseconds after which a cookie counts no more, whoever sends it. Default 30 days. */
  readonly maxAge?: number | undefined;
  readonly domain?: string | undefined;
  /** Default `'/'`. */
  readonly path?: string | undefined;
  /** Default: whether the request came over TLS. `true` behind a proxy that ends it. */
  readonly secure?: boolean | undefined;
  /** Default `'Lax'`. */
  readonly sameSite?: 'Strict' | 'Lax' | 'None' | undefined;
}

const month = 30 * 24 * 3600 * 1000;
const purpose = 'aiohttp-ts cookie identity';

/**
 * The identity in a cookie of its own, without anything stored on the server. The cookie is signed and says itself when it ends: aiohttp_security's has the
 * identity in clear text, so that everybody can be whoever they want.
 *
 * What the signature cannot do: `forget` deletes the cookie of this browser, but a copy of it counts until its end. Where that matters, and
 * for users it does, take {@link SessionIdentityPolicy}.
 *
 * aiohttp_security: `CookiesIdentityPolicy`.
 *
 * @example
 * ```ts
 * const policy = new CookiesIdentityPolicy(process.env['COOKIE_SECRET'] ?? 'only for development: 32 bytes of it');
 * ```
 */
export class CookiesIdentityPolicy extends AbstractIdentityPolicy {
  readonly #keys: readonly [KeyObject, ...KeyObject[]];
  readonly #options: CookiesIdentityOptions;
  readonly #name: string;
  readonly #maxAge: number;

  /**
   * @param secrets one, or several: the first signs, all are accepted, so that a secret can be replaced
   * @throws TypeError or RangeError `AIO_SECURITY_SECRET` for a secret of fewer than 32 bytes, RangeError `AIO_SECURITY_POLICY` for a wrong `maxAge`
   */
  constructor(secrets: Secret | readonly [Secret, ...Secret[]], options: CookiesIdentityOptions = {}) {
    super();
    const [first, ...others] = (Array.isArray(secrets) ? secrets : [secrets]) as [Secret, ...Secret[]];
    this.#keys = [keyOf(first), ...others.map((secret) => keyOf(secret))];
    this.#options = options;
    this.#name = options.cookieName ?? 'AIOHTTP_SECURITY';
    this.#maxAge = positive(options.maxAge ?? month);
  }

  identify(request: web.Request): string | undefined {
    const name = this.#nameFor(request);
    const value = request.cookies.get(name);
    if (value === undefined || value.length > 4096) return undefined;
    const [encoded = '', ends = '', signature = '', ...more] = value.split('.');
    if (more.length > 0 || !/^[0-9]{1,15}$/.test(ends)) return undefined;
    const text = signedText(name, encoded, ends);
    if (!this.#keys.some((key) => isSignedBy('sha256', key, text, signature))) return undefined;
    return Number(ends) > Date.now() ? Buffer.from(encoded, 'base64url').toString() : undefined;
  }

  remember(request: web.Request, response: Answer, identity: string, options: RememberOptions): void {
    const name = this.#nameFor(request);
    const maxAge = options.maxAge === undefined ? this.#maxAge : positive(options.maxAge);
    const encoded = Buffer.from(identity).toString('base64url');
    const ends = String(Math.ceil(Date.now() + maxAge));
    const signature = createHmac('sha256', this.#keys[0])
      .update(signedText(name, encoded, ends))
      .digest('base64url');
    response.setCookie(name, `${encoded}.${ends}.${signature}`, {
      ...this.#attributes(request),
      maxAge: Math.ceil(maxAge / 1000),
    });
    keepPrivate(response);
  }

  forget(request: web.Request, response: Answer): void {
    response.delCookie(this.#nameFor(request), this.#attributes(request));
    keepPrivate(response);
  }

  #attributes(request: web.Request): web.DeleteCookieOptions {
    const { domain, path = '/', sameSite = 'Lax' } = this.#options;
    return { domain, path, sameSite, secure: this.#isSecure(request), httpOnly: true };
  }

  #isSecure(request: web.Request): boolean {
    return this.#options.secure ?? request.secure;
  }

  #nameFor(request: web.Request): string {
    const { domain, path = '/' } = this.#options;
    return this.#isSecure(request) && domain === undefined && path === '/'
      ? `__Host-${this.#name}`
      : this.#name;
  }
}

/** Bound to the cookie's name: a value signed for another purpose, by the same secret, is no identity. */
function signedText(name: string, encoded: string, ends: string): string {
  return `${purpose}\n${name}\n${encoded}.${ends}`;
}

/** No cache may hand one user's cookie to another: `public` or nothing at all becomes `no-store`. */
function keepPrivate(response: Answer): void {
  const said = response.headers.getAll('Cache-Control').join(',');
  if (!/\b(?:private|no-store)\b/i.test(said)) response.headers.set('Cache-Control', 'no-store');
}

function positive(maxAge: number): number {
  if (Number.isFinite(maxAge) && maxAge > 0) return maxAge;
  throw wrongValue(
    'AIO_SECURITY_POLICY',
    `maxAge is a number of milliseconds above 0, got ${String(maxAge)}.`,
  );
}

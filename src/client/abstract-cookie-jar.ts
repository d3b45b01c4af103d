import type { MultiDictInit, MultiDictProxy, SetCookieAttributes } from '../message/index.ts';
import type { CookieUrl } from './cookie-domain.ts';
import type { Cookie } from './stored-cookie.ts';

/** A cookie's value, alone or with attributes. */
export type CookieInit = string | (SetCookieAttributes & { readonly value: string });

/**
 * What a session asks of its jar. Derive from it to keep cookies elsewhere.
 *
 * Source: `aiohttp.abc.AbstractCookieJar`.
 */
export abstract class AbstractCookieJar implements Iterable<Cookie> {
  /** Number of cookies, expired ones included that nobody asked for since. */
  abstract get size(): number;

  /** No cookies at all: a session then does not ask for any. */
  get isEmpty(): boolean {
    return this.size === 0;
  }

  /** All cookies that are not expired. */
  abstract [Symbol.iterator](): IterableIterator<Cookie>;

  /**
   * Takes over cookies that the program has. Without `responseUrl` they go to every host, unless they name a domain.
   *
   * @throws RangeError `AIO_COOKIE_NAME`, `AIO_COOKIE_VALUE`, `AIO_COOKIE_ATTRIBUTE` for what can be no cookie
   */
  abstract updateCookies(cookies: MultiDictInit<CookieInit>, responseUrl?: string | URL | CookieUrl): void;

  /** Takes over the Set-Cookie lines of a response. What a browser would not take is ignored. */
  abstract updateCookiesFromHeaders(lines: readonly string[], responseUrl: string | URL | CookieUrl): void;

  /** Cookies for a request to this URL, values as they are sent, the ones that are sent first in front. */
  abstract filterCookies(requestUrl: string | URL | CookieUrl): MultiDictProxy<string>;

  /** Removes those cookies for which `predicate` is true; without it, all. */
  abstract clear(predicate?: (cookie: Cookie) => boolean): void;

  /** Removes the cookies of a domain and of those below it. */
  abstract clearDomain(domain: string): void;

  /** The Cookie field of a request to this URL; `undefined` when there is nothing to send. */
  cookieHeader(requestUrl: string | URL | CookieUrl): string | undefined {
    const cookies = this.filterCookies(requestUrl);
    if (cookies.size === 0) return undefined;
    return Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; ');
  }
}

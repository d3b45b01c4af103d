import { MultiDict, type MultiDictProxy } from '../message/index.ts';
import { AbstractCookieJar } from './abstract-cookie-jar.ts';
import type { Cookie } from './stored-cookie.ts';

/**
 * A jar that keeps nothing: for programs that want no cookies.
 *
 * Source: `aiohttp.DummyCookieJar`.
 *
 * @example
 * ```ts
 * import { ClientSession, DummyCookieJar } from 'aiohttp-ts/client';
 * await using session = new ClientSession({ cookieJar: new DummyCookieJar() });
 * ```
 */
export class DummyCookieJar extends AbstractCookieJar {
  override get size(): number {
    return 0;
  }

  override *[Symbol.iterator](): IterableIterator<Cookie> {}

  override updateCookies(): void {}

  override updateCookiesFromHeaders(): void {}

  override filterCookies(): MultiDictProxy<string> {
    return new MultiDict<string>();
  }

  override clear(): void {}

  override clearDomain(): void {}

  override cookieHeader(): undefined {
    return undefined;
  }
}

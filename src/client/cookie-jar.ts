import { isIP } from 'node:net';
import {
  codedRangeError,
  isToken,
  MAX_COOKIE_SIZE,
  MultiDict,
  type MultiDictInit,
  type MultiDictProxy,
  quoteCookieValue,
  serializeSetCookie,
  shown,
} from '../message/index.ts';
import { AbstractCookieJar, type CookieInit } from './abstract-cookie-jar.ts';
import { httpOrigin } from './client-url.ts';
import {
  type CookieUrl,
  canonicalDomain,
  cookieUrlOf,
  defaultPath,
  domainMatches,
  pathMatches,
} from './cookie-domain.ts';
import { loadCookies, saveCookies } from './cookie-jar-file.ts';
import { CookieStore } from './cookie-store.ts';
import { ownOptions } from './own-options.ts';
import { isPublicSuffix } from './public-suffix.ts';
import { Cookie, keepsPromises, type ParsedSetCookie, parseSetCookie } from './stored-cookie.ts';

/** Options of {@link CookieJar}. */
export interface CookieJarOptions {
  /** Also keeps cookies of hosts that are IP addresses. Default `false`. */
  readonly unsafe?: boolean | undefined;
  /** Values given to `updateCookies` are quoted when they need it. Default `true`. */
  readonly quoteCookie?: boolean | undefined;
  /** Origins without TLS (`http://localhost:8080`) that may nevertheless set and get `Secure` cookies. */
  readonly treatAsSecureOrigin?: string | URL | readonly (string | URL)[] | undefined;
  /**
   * Whether cookies for a whole domain are to be refused. Default: by the list of publicsuffix.org, which is loaded when a cookie first
   * names a domain. `() => false` accepts all, as aiohttp does.
   */
  readonly isPublicSuffix?: ((domain: string) => boolean) | undefined;
}

/** No cookie is kept longer (RFC 6265bis §5.6.1). */
const MAX_AGE = 400 * 86_400_000;
/** Origins whose Cookie field is remembered, and paths for each. */
const MAX_ORIGINS = 1000;
const MAX_PATHS = 100;

/** What is sent to one origin, as long as the jar does not change. */
interface OriginCookies {
  readonly version: number;
  /** When the first of them expires; Infinity when none does. */
  readonly expires: number;
  readonly cookies: readonly Cookie[];
  /** The field when it is the same for all paths. */
  readonly header: string | undefined;
  /** Fields by path; `undefined` when it is the same for all. */
  readonly byPath: Map<string, string | undefined> | undefined;
}

/**
 * Keeps the cookies of a session as a browser does (RFC 6265bis): by domain and path, for names below a domain only when that is nobody's
 * public suffix, secure ones over TLS only. All cookies of a name are sent, the one with the longest path first. An empty jar
 * costs a request nothing, and what is sent to an origin is put together once.
 *
 * A cookie without name is ignored, `SameSite` is kept and plays no part: a program has no site of its own. At most 180 cookies are
 * kept for a domain and 3300 in all.
 *
 * Source: `aiohttp.CookieJar`.
 *
 * @example
 * ```ts
 * import { CookieJar } from 'aiohttp-ts/client';
 *
 * const jar = new CookieJar({ treatAsSecureOrigin: 'http://localhost:8080' });
 * jar.updateCookiesFromHeaders(['sid=abc; Path=/; HttpOnly'], 'https://example.org/login');
 * jar.filterCookies('https://example.org/').get('sid'); // 'abc'
 * await jar.save('cookies.json');
 * ```
 */
export class CookieJar extends AbstractCookieJar {
  readonly unsafe: boolean;
  readonly quoteCookie: boolean;
  readonly #store: CookieStore;
  readonly #secureOrigins: ReadonlySet<string>;
  readonly #isPublicSuffix: (domain: string) => boolean;
  readonly #origins: Map<string, OriginCookies>;

  /** @throws TypeError `ERR_INVALID_URL` for an origin that is no URL */
  constructor(options: CookieJarOptions = {}) {
    super();
    const own = ownOptions(options);
    const { treatAsSecureOrigin = [] } = own;
    const origins =
      typeof treatAsSecureOrigin === 'string' || treatAsSecureOrigin instanceof URL
        ? [treatAsSecureOrigin]
        : treatAsSecureOrigin;
    this.unsafe = own.unsafe ?? false;
    this.quoteCookie = own.quoteCookie ?? true;
    this.#store = new CookieStore();
    this.#secureOrigins = new Set(origins.map((origin) => httpOrigin(cookieUrlOf(origin).origin)));
    this.#isPublicSuffix = own.isPublicSuffix ?? isPublicSuffix;
    this.#origins = new Map();
  }

  override get size(): number {
    return this.#store.size;
  }

  override *[Symbol.iterator](): IterableIterator<Cookie> {
    const now = Date.now();
    for (const cookie of this.#store) {
      if (cookie.expires === undefined || cookie.expires > now) yield cookie;
    }
  }

  override updateCookies(cookies: MultiDictInit<CookieInit>, responseUrl?: string | URL | CookieUrl): void {
    const url = responseUrl === undefined ? undefined : cookieUrlOf(responseUrl);
    const parsed = Array.from(new MultiDict<CookieInit>(cookies), ([name, init]) => this.#parsed(name, init));
    for (const cookie of parsed) this.#take(cookie, url);
  }

  override updateCookiesFromHeaders(lines: readonly string[], responseUrl: string | URL | CookieUrl): void {
    const url = cookieUrlOf(responseUrl);
    for (const line of lines) {
      const cookie = parseSetCookie(line);
      if (cookie !== undefined) this.#take(cookie, url);
    }
  }

  override filterCookies(requestUrl: string | URL | CookieUrl): MultiDictProxy<string> {
    const found = new MultiDict<string>();
    if (this.isEmpty) return found;
    const url = cookieUrlOf(requestUrl);
    for (const cookie of this.#forOrigin(url).cookies) {
      if (pathMatches(url.path, cookie.path)) found.add(cookie.name, cookie.codedValue);
    }
    return found;
  }

  override cookieHeader(requestUrl: string | URL | CookieUrl): string | undefined {
    if (this.#store.size === 0) return undefined;
    const url = cookieUrlOf(requestUrl);
    const { byPath, header, cookies } = this.#forOrigin(url);
    if (byPath === undefined) return header;
    const { path } = url;
    let ofPath = byPath.get(path);
    if (ofPath === undefined && !byPath.has(path)) {
      ofPath = headerOf(cookies.filter((cookie) => pathMatches(path, cookie.path)));
      if (byPath.size >= MAX_PATHS) byPath.clear();
      byPath.set(path, ofPath);
    }
    return ofPath;
  }

  override clear(predicate?: (cookie: Cookie) => boolean): void {
    if (predicate === undefined) {
      this.#store.clear();
      return;
    }
    for (const cookie of this.#store) if (predicate(cookie)) this.#store.delete(cookie);
  }

  override clearDomain(domain: string): void {
    const canonical = canonicalDomain(domain.startsWith('.') ? domain.slice(1) : domain);
    if (canonical === undefined || canonical === '') return;
    this.clear((cookie) => domainMatches(cookie.domain, canonical));
  }

  /**
   * Writes all cookies, those without expiry too, to a file that only its owner may read. It is written beside and then renamed.
   *
   * @throws whatever the file system says
   */
  async save(file: string | URL): Promise<void> {
    const now = Date.now();
    const kept = this.#store.inOrder().filter(({ expires }) => expires === undefined || expires > now);
    await saveCookies(file, kept);
  }

  /**
   * Replaces the cookies by those of a file that `save` wrote.
   *
   * @throws RangeError `AIO_COOKIE_FILE` when it is no such file, and whatever the file system says; the jar then stays as it is
   */
  async load(file: string | URL): Promise<void> {
    const cookies = await loadCookies(file);
    const now = Date.now();
    this.#store.clear();
    for (const cookie of cookies) {
      if (cookie.expires === undefined || cookie.expires > now) this.#store.set(cookie, now);
    }
  }

  /** The storage model (RFC 6265bis §5.7). Without `url` the program itself sets the cookie, for every host or the domain it names. */
  #take(parsed: ParsedSetCookie, url: CookieUrl | undefined): void {
    const { name, codedValue, secure, httpOnly, partitioned, sameSite } = parsed;
    if (parsed.badDomain) return;
    let domain = parsed.domain ?? '';
    let hostOnly = false;
    const isSecureOrigin = url === undefined || this.#isSecure(url);
    if (url !== undefined) {
      const { host } = url;
      const isAddress = isIP(host) !== 0;
      if (isAddress && !this.unsafe) return;
      if (domain === '') hostOnly = true;
      else if (!domainMatches(host, domain)) return;
      else if (host === domain && (isAddress || this.#isPublicSuffix(domain))) hostOnly = true;
      else if (this.#isPublicSuffix(domain)) return;
      if (hostOnly) domain = host;
      if (secure && !isSecureOrigin) return;
    }
    const now = Date.now();
    const path = parsed.path ?? (url === undefined ? '/' : defaultPath(url.path));
    const until = parsed.maxAge === undefined ? parsed.expires : now + parsed.maxAge;
    const expires = until === undefined ? undefined : Math.min(until, now + MAX_AGE);
    const cookie = new Cookie({
      name,
      codedValue,
      domain,
      path,
      hostOnly,
      secure,
      httpOnly,
      partitioned,
      sameSite,
      expires,
    });
    if (url !== undefined && !keepsPromises(cookie, parsed.path !== undefined)) return;
    if (!isSecureOrigin && this.#store.hasSecureAbove(cookie)) return;
    if (expires !== undefined && expires <= now) this.#store.delete(cookie);
    else this.#store.set(cookie, now);
  }

  #forOrigin(url: CookieUrl): OriginCookies {
    const known = this.#origins.get(url.origin);
    if (
      known !== undefined &&
      known.version === this.#store.version &&
      (known.expires === Infinity || known.expires > Date.now())
    )
      return known;
    const isSecure = this.#isSecure(url);
    const cookies = this.#store
      .forHost(url.host, Date.now())
      .filter((cookie) => this.#goesTo(cookie, url, isSecure));
    const isSameEverywhere = cookies.every((cookie) => cookie.path === '/');
    const found: OriginCookies = {
      version: this.#store.version,
      expires: Math.min(...cookies.map((cookie) => cookie.expires ?? Infinity)),
      cookies,
      header: isSameEverywhere ? headerOf(cookies) : undefined,
      byPath: isSameEverywhere ? undefined : new Map(),
    };
    if (this.#origins.size >= MAX_ORIGINS) this.#origins.clear();
    this.#origins.set(url.origin, found);
    return found;
  }

  #goesTo(cookie: Cookie, url: CookieUrl, isSecure: boolean): boolean {
    if (cookie.secure && !isSecure) return false;
    return cookie.domain === '' || this.unsafe || isIP(url.host) === 0;
  }

  #isSecure({ secure, origin }: CookieUrl): boolean {
    return secure || this.#secureOrigins.has(httpOrigin(origin));
  }

  #parsed(name: string, init: CookieInit): ParsedSetCookie {
    const { value, ...attributes } = typeof init === 'string' ? { value: init } : init;
    // It says what is wrong with name and attributes; a value that is not to be quoted is looked at below.
    const line = serializeSetCookie(name, this.quoteCookie ? value : '', attributes);
    const codedValue = this.quoteCookie ? quoteCookieValue(value) : checkedValue(value);
    const parsed = parseSetCookie(line);
    if (parsed === undefined || !isToken(name) || name.length + codedValue.length > MAX_COOKIE_SIZE) {
      throw codedRangeError(
        'AIO_COOKIE_VALUE',
        `cookie ${shown(name)} is longer than ${MAX_COOKIE_SIZE} bytes, name and value together`,
      );
    }
    return { ...parsed, codedValue };
  }
}

function headerOf(cookies: readonly Cookie[]): string | undefined {
  return cookies.length === 0 ? undefined : cookies.join('; ');
}

/** @throws RangeError `AIO_COOKIE_VALUE` */
function checkedValue(value: string): string {
  if (typeof value === 'string' && /^[\x20-\x3a\x3c-\x7e\x80-\xff]*$/.test(value)) return value;
  throw codedRangeError(
    'AIO_COOKIE_VALUE',
    `a cookie's value holds a ; or a control character or one beyond U+00FF, and quoteCookie is false`,
  );
}

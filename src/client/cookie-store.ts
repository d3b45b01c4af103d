import { isIP } from 'node:net';
import { domainMatches, pathMatches } from './cookie-domain.ts';
import type { Cookie } from './stored-cookie.ts';

/** Cookies that are kept for one domain, as Chromium has it; the one that was set the longest ago goes first. */
export const MAX_COOKIES_PER_DOMAIN = 180;
/** Cookies that are kept altogether (RFC 6265bis §6.1 asks for 3000 at least); when there are more, as many go as to leave 3000. */
export const MAX_STORED_COOKIES = 3300;
const LEFT_AFTER_PURGE = 3000;

/** A cookie, and its place among the others. */
interface Entry {
  readonly cookie: Cookie;
  /** Counts creations: a cookie that is set again keeps its place in Cookie fields (RFC 6265bis §5.7). */
  readonly createdAt: number;
  /** Counts what was set: the lowest goes first when there are too many. */
  readonly setAt: number;
}

/** The cookies of one domain by name, path and whether they are for the host only; in the order in which they were set last. */
type DomainCookies = Map<string, Entry>;

/** Cookies by domain, bounded in number. */
export class CookieStore {
  readonly #domains: Map<string, DomainCookies>;
  #counter: number;
  size: number;
  /** Changes whenever what is sent may change. */
  version: number;

  constructor() {
    this.#domains = new Map();
    this.#counter = 0;
    this.size = 0;
    this.version = 0;
  }

  *[Symbol.iterator](): IterableIterator<Cookie> {
    for (const cookies of [...this.#domains.values()]) {
      for (const { cookie } of [...cookies.values()]) yield cookie;
    }
  }

  /** All cookies, those that were there first before the others. */
  inOrder(): Cookie[] {
    const entries = [...this.#domains.values()].flatMap((cookies) => [...cookies.values()]);
    return entries.sort((a, b) => a.createdAt - b.createdAt).map(({ cookie }) => cookie);
  }

  /** Stores a cookie in the place of the one with the same name, domain and path. */
  set(cookie: Cookie, now: number): void {
    let cookies = this.#domains.get(cookie.domain);
    if (cookies === undefined) this.#domains.set(cookie.domain, (cookies = new Map()));
    const id = identity(cookie);
    const old = cookies.get(id);
    if (old !== undefined) {
      cookies.delete(id); // and to the end: it was set last
      this.size--;
    }
    const setAt = this.#counter++;
    cookies.set(id, { cookie, createdAt: old?.createdAt ?? setAt, setAt });
    this.size++;
    if (old === undefined || !sendsTheSame(old.cookie, cookie)) this.version++;
    if (cookies.size > MAX_COOKIES_PER_DOMAIN) this.#evict(cookies, now);
    if (this.size > MAX_STORED_COOKIES) this.#purge(now);
  }

  delete(cookie: Cookie): void {
    const cookies = this.#domains.get(cookie.domain);
    if (cookies?.delete(identity(cookie)) !== true) return;
    this.size--;
    this.version++;
    if (cookies.size === 0) this.#domains.delete(cookie.domain);
  }

  clear(): void {
    this.#domains.clear();
    this.size = 0;
    this.version++;
  }

  /** A secure cookie that one of this name and path would hide from a secure page (RFC 6265bis §5.7 step 16). */
  hasSecureAbove(cookie: Cookie): boolean {
    for (const [domain, cookies] of this.#domains) {
      if (!domainMatches(domain, cookie.domain) && !domainMatches(cookie.domain, domain)) continue;
      for (const { cookie: other } of cookies.values()) {
        if (other.secure && other.name === cookie.name && pathMatches(cookie.path, other.path)) return true;
      }
    }
    return false;
  }

  /** Cookies whose domain a host is in, in the order in which they are sent: longer paths, then older ones first (RFC 6265bis §5.8.3). */
  forHost(host: string, now: number): Cookie[] {
    const found: Entry[] = [];
    const expired: Cookie[] = [];
    const collect = (domain: string, isHost: boolean): void => {
      const cookies = this.#domains.get(domain);
      if (cookies === undefined) return;
      for (const entry of cookies.values()) {
        const { expires, hostOnly } = entry.cookie;
        if (expires !== undefined && expires <= now) expired.push(entry.cookie);
        else if (isHost || !hostOnly) found.push(entry);
      }
    };
    collect('', true);
    collect(host, true);
    if (isIP(host) === 0) {
      for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
        collect(host.slice(dot + 1), false);
      }
    }
    for (const cookie of expired) this.delete(cookie);
    found.sort((a, b) => b.cookie.path.length - a.cookie.path.length || a.createdAt - b.createdAt);
    return found.map(({ cookie }) => cookie);
  }

  /** Makes room: expired cookies go, or else the one that was set the longest ago. */
  #evict(cookies: DomainCookies, now: number): void {
    const expired = [...cookies.values()].filter(({ cookie }) => isExpired(cookie, now));
    const [oldest] = cookies.values();
    for (const { cookie } of expired.length > 0 || oldest === undefined ? expired : [oldest])
      this.delete(cookie);
  }

  /** Makes room for some hundred, so that it is not done for every cookie. */
  #purge(now: number): void {
    const entries = [...this.#domains.values()].flatMap((cookies) => [...cookies.values()]);
    for (const { cookie } of entries) if (isExpired(cookie, now)) this.delete(cookie);
    entries.sort((a, b) => a.setAt - b.setAt);
    for (const { cookie } of entries) {
      if (this.size <= LEFT_AFTER_PURGE) return;
      this.delete(cookie);
    }
  }
}

function identity({ name, path, hostOnly }: Cookie): string {
  return `${hostOnly ? '=' : '.'}${path};${name}`;
}

function isExpired({ expires }: Cookie, now: number): boolean {
  return expires !== undefined && expires <= now;
}

function sendsTheSame(a: Cookie, b: Cookie): boolean {
  return a.codedValue === b.codedValue && a.secure === b.secure && a.expires === b.expires;
}

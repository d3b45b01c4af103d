import { MAX_COOKIE_SIZE, unquoteCookieValue } from '../message/index.ts';
import { parseCookieDate } from './cookie-date.ts';
import { canonicalDomain } from './cookie-domain.ts';

export type SameSite = 'Strict' | 'Lax' | 'None';

/** What a {@link Cookie} is made of. */
export interface CookieFields {
  readonly name: string;
  /** As it is sent. */
  readonly codedValue: string;
  readonly domain: string;
  readonly path: string;
  readonly hostOnly: boolean;
  readonly secure: boolean;
  readonly httpOnly: boolean;
  readonly partitioned: boolean;
  readonly sameSite: SameSite | undefined;
  readonly expires: number | undefined;
}

/** A cookie in a jar (aiohttp: a `Morsel`). Immutable. */
export class Cookie implements CookieFields {
  readonly name: string;
  readonly codedValue: string;
  /** Without leading dot; `''` for a cookie that goes to every host. */
  readonly domain: string;
  readonly path: string;
  /** It goes to `domain` itself and not to the names below it. */
  readonly hostOnly: boolean;
  readonly secure: boolean;
  readonly httpOnly: boolean;
  readonly partitioned: boolean;
  readonly sameSite: SameSite | undefined;
  /** Milliseconds since 1970; `undefined`: as long as the jar. */
  readonly expires: number | undefined;

  constructor(fields: CookieFields) {
    this.name = fields.name;
    this.codedValue = fields.codedValue;
    this.domain = fields.domain;
    this.path = fields.path;
    this.hostOnly = fields.hostOnly;
    this.secure = fields.secure;
    this.httpOnly = fields.httpOnly;
    this.partitioned = fields.partitioned;
    this.sameSite = fields.sameSite;
    this.expires = fields.expires;
  }

  /** The value without the quotes that it may be sent in. */
  get value(): string {
    return unquoteCookieValue(this.codedValue);
  }

  /** As a Cookie field holds it. */
  toString(): string {
    return `${this.name}=${this.codedValue}`;
  }
}

/** What a Set-Cookie line says. */
export interface ParsedSetCookie {
  readonly name: string;
  readonly codedValue: string;
  /** Canonical, without leading dot; `undefined`: none named. */
  domain: string | undefined;
  /** The domain named is no name at all. */
  badDomain: boolean;
  /** Begins with `/`; `undefined`: the default. */
  path: string | undefined;
  /** Milliseconds since 1970. */
  expires: number | undefined;
  /** Wins over `expires`. Milliseconds. */
  maxAge: number | undefined;
  secure: boolean;
  httpOnly: boolean;
  partitioned: boolean;
  sameSite: SameSite | undefined;
}

/** Browsers ignore longer attributes (RFC 6265bis §5.6). */
const MAX_ATTRIBUTE = 1024;
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;
const MAX_AGE = /^-?[0-9]+$/;
const WHITE = /^[ \t]+|[ \t]+$/g;
const SAME_SITES: ReadonlyMap<string, SameSite> = new Map<string, SameSite>([
  ['strict', 'Strict'],
  ['lax', 'Lax'],
  ['none', 'None'],
]);

/**
 * Takes a Set-Cookie line apart (RFC 6265bis §5.6): lenient, linear, never throws. `undefined` for what is no cookie: no name, a control
 * character, name and value longer than 4096 bytes together.
 */
export function parseSetCookie(line: string): ParsedSetCookie | undefined {
  if (CONTROL.test(line)) return undefined;
  let end = line.indexOf(';');
  if (end === -1) end = line.length;
  const equals = line.indexOf('=');
  if (equals === -1 || equals > end) return undefined;
  const name = trim(line.slice(0, equals));
  const codedValue = trim(line.slice(equals + 1, end));
  if (name === '' || name.length + codedValue.length > MAX_COOKIE_SIZE) return undefined;
  const cookie: ParsedSetCookie = {
    name,
    codedValue,
    domain: undefined,
    badDomain: false,
    path: undefined,
    expires: undefined,
    maxAge: undefined,
    secure: false,
    httpOnly: false,
    partitioned: false,
    sameSite: undefined,
  };
  while (end < line.length) {
    const start = end + 1;
    end = line.indexOf(';', start);
    if (end === -1) end = line.length;
    const attribute = line.slice(start, end);
    const split = attribute.indexOf('=');
    const key = trim(split === -1 ? attribute : attribute.slice(0, split));
    const value = split === -1 ? '' : trim(attribute.slice(split + 1));
    if (value.length <= MAX_ATTRIBUTE) readAttribute(cookie, key.toLowerCase(), value);
  }
  return cookie;
}

function readAttribute(cookie: ParsedSetCookie, name: string, value: string): void {
  switch (name) {
    case 'expires':
      cookie.expires = parseCookieDate(value) ?? cookie.expires;
      break;
    case 'max-age':
      if (MAX_AGE.test(value)) cookie.maxAge = Number(value) * 1000;
      break;
    case 'domain': {
      if (value === '') break;
      const domain = canonicalDomain(value.startsWith('.') ? value.slice(1) : value);
      cookie.domain = domain;
      cookie.badDomain = domain === undefined || domain === '';
      break;
    }
    case 'path':
      cookie.path = value.startsWith('/') ? value : undefined;
      break;
    case 'secure':
      cookie.secure = true;
      break;
    case 'httponly':
      cookie.httpOnly = true;
      break;
    case 'partitioned':
      cookie.partitioned = true;
      break;
    case 'samesite':
      cookie.sameSite = SAME_SITES.get(value.toLowerCase());
      break;
  }
}

/** Whether a cookie keeps what its name promises, whatever the name's case (RFC 6265bis §5.7). */
export function keepsPromises(cookie: CookieFields, pathGiven: boolean): boolean {
  const prefix = /^__(?:host-http|host|secure|http)-/i.exec(cookie.name)?.[0].toLowerCase();
  if (prefix === undefined) return true;
  if (!cookie.secure) return false;
  if (prefix.startsWith('__host-') && !(cookie.hostOnly && pathGiven && cookie.path === '/')) return false;
  return cookie.httpOnly || !prefix.endsWith('http-');
}

function trim(text: string): string {
  return text.replace(WHITE, '');
}

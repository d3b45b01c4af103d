import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { requotePath, requoteQuery, shown } from '../message/index.ts';
import type { ConnectionKey } from './connection-key.ts';
import { InvalidUrlClientError, NonHttpUrlClientError } from './errors.ts';

/** The five parts of a URL reference (RFC 3986 §3), undefined where absent. */
interface Parts {
  readonly scheme: string | undefined;
  readonly authority: string | undefined;
  readonly path: string;
  readonly query: string | undefined;
  readonly fragment: string | undefined;
}

// RFC 3986 appendix B, with a scheme that is one.
const REFERENCE = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#([\s\S]*))?$/;
const NAME = /^[a-z0-9._-]+$/;
const ESCAPE = /%[0-9A-Fa-f]{2}/g;
// What a path or query may hold and an escape of which says the same as the character itself (yarl requoting).
const PATH_PLAIN = /[A-Za-z0-9\-._~!$'()*,&;=:@]/;
const QUERY_PLAIN = /[A-Za-z0-9\-._~!$'()*,?/:@]/;
// What cannot stand in a request line at all.
const UNSENDABLE = /[^\x21-\x7e]+/u;

/** How the path and query of a URL are taken. */
export type Quoting =
  /** Escapes that are not needed are undone, needed ones are made; dot segments disappear. */
  | 'requote'
  /** Byte for byte; only what a request line cannot hold is escaped. */
  | 'exact';

/**
 * An absolute http URL taken apart as a request needs it. Strings are parsed by RFC 3986 and not by the lenient rules of browsers: what a
 * browser would guess (backslashes, `http:example.org`, `http://2130706433/`) is refused, because two readers of one URL must
 * not mean two hosts.
 */
export class ClientUrl {
  readonly scheme: string;
  readonly secure: boolean;
  /** Lower case, ASCII (punycode), IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Value of the Host field: brackets around IPv6, no default port. */
  readonly authority: string;
  readonly path: string;
  readonly query: string | undefined;
  /** Path and query as the request line holds them. */
  readonly target: string;
  fragment: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** `scheme://authority`. */
  readonly origin: string;
  /** Whom to connect to under a session's default settings: filled by the session. */
  key: ConnectionKey | undefined;
  /** The whole head of a GET with nothing but the session's defaults, and the version of those: filled by the session. */
  plainHead: string;
  plainHeadVersion: number;
  private whole: URL | undefined;

  constructor(parts: Parts, given: string, quoting: Quoting) {
    const scheme = parts.scheme!.toLowerCase();
    this.scheme = scheme;
    this.secure = scheme === 'https' || scheme === 'wss';
    const { userinfo, host, port } = splitAuthority(parts.authority!, given);
    this.host = asciiHost(host, given);
    const standard = this.secure ? 443 : 80;
    this.port = portNumber(port, given) ?? standard;
    const bracketed = this.host.includes(':') ? `[${this.host}]` : this.host;
    this.authority = this.port === standard ? bracketed : `${bracketed}:${this.port}`;
    if (quoting === 'exact') {
      this.path = parts.path === '' ? '/' : escapeUnsendable(parts.path);
      this.query = parts.query === undefined ? undefined : escapeUnsendable(parts.query);
    } else {
      this.path = parts.path === '' ? '/' : removeDotSegments(normalPath(parts.path));
      this.query = parts.query === undefined ? undefined : normalQuery(parts.query);
    }
    this.target = this.query === undefined ? this.path : `${this.path}?${this.query}`;
    this.fragment = parts.fragment;
    this.username = userinfo === undefined ? undefined : decodeUserinfo(userinfo.name);
    this.password = userinfo === undefined ? undefined : decodeUserinfo(userinfo.password);
    this.origin = `${scheme}://${this.authority}`;
    this.key = undefined;
    this.plainHead = '';
    this.plainHeadVersion = -1;
    this.whole = undefined;
  }

  /**
   * Parses an absolute URL. A `URL` is taken as it is, byte for byte, for its constructor has quoted it already.
   *
   * @throws InvalidUrlClientError, NonHttpUrlClientError
   */
  static parse(given: string | URL, schemes: ReadonlySet<string>, quoting: Quoting = 'requote'): ClientUrl {
    const isUrl = typeof given !== 'string';
    const text = isUrl ? hrefOf(given) : given;
    const parts = split(text);
    checkAbsolute(parts, text, schemes);
    return new ClientUrl(parts, text, isUrl ? 'exact' : quoting);
  }

  /** Resolves a reference against this URL (RFC 3986 §5.2). */
  resolve(reference: string, schemes: ReadonlySet<string>, quoting: Quoting = 'requote'): ClientUrl {
    const parts = split(reference);
    const resolved = resolveParts(this, parts);
    checkAbsolute(resolved, reference, schemes);
    return new ClientUrl(resolved, reference, quoting);
  }

  /** The same URL with more parameters behind those it has; `added` is written as a query already. */
  extendQuery(added: string): ClientUrl {
    const { scheme, authority, path, query, fragment } = this;
    const joined = query === undefined || query === '' ? added : `${query}&${added}`;
    return new ClientUrl({ scheme, authority, path, query: joined, fragment }, this.href, 'exact');
  }

  /** Without credentials and fragment. */
  get href(): string {
    return this.origin + this.target;
  }

  /** As a platform URL, without credentials and fragment. */
  get url(): URL {
    return (this.whole ??= new URL(this.href));
  }

  /** As a platform URL, without credentials. */
  get realUrl(): URL {
    return this.fragment === undefined ? this.url : new URL(`${this.href}#${this.fragment}`);
  }

  /** The same host and port, both with TLS or both without. `ws` and `http` are ways to speak with one server. */
  sameOrigin(other: ClientUrl): boolean {
    return this.secure === other.secure && this.authority === other.authority;
  }

  /** Value of Authorization for the credentials in the URL (RFC 7617); `undefined` without any. */
  get authorization(): string | undefined {
    if (this.username === undefined) return undefined;
    return `Basic ${Buffer.from(`${this.username}:${this.password ?? ''}`, 'utf8').toString('base64')}`;
  }
}

/** An origin as HTTP names it: `ws://a` is the server `http://a`, and `wss://a` is `https://a`. */
export function httpOrigin(origin: string): string {
  return origin.startsWith('ws') ? `http${origin.slice(2)}` : origin;
}

function hrefOf(url: URL): string {
  if (url instanceof URL) return url.href;
  throw new InvalidUrlClientError(shown(url), 'a URL is given as text or as a URL object');
}

function split(text: string): Parts {
  const match = REFERENCE.exec(text);
  // The pattern matches any text; only its type does not know.
  if (match === null) throw new InvalidUrlClientError(text);
  const [, scheme, authority, path = '', query, fragment] = match;
  return { scheme, authority, path, query, fragment };
}

function checkAbsolute(parts: Parts, given: string, schemes: ReadonlySet<string>): void {
  const { scheme, authority, path } = parts;
  if (scheme === undefined) {
    throw new InvalidUrlClientError(
      given,
      'the URL is relative and the session has no baseUrl, or it begins with //',
    );
  }
  if (!schemes.has(scheme.toLowerCase()))
    throw new NonHttpUrlClientError(given, `the scheme is none of ${[...schemes].join(', ')}`);
  if (authority === undefined || authority === '') throw new InvalidUrlClientError(given, 'no host');
  if (path !== '' && !path.startsWith('/')) throw new InvalidUrlClientError(given);
}

function resolveParts(base: ClientUrl, reference: Parts): Parts {
  if (reference.scheme !== undefined) return reference;
  const { scheme } = base;
  const { fragment } = reference;
  if (reference.authority !== undefined) return { ...reference, scheme };
  const { authority } = base;
  if (reference.path === '') {
    const query = reference.query ?? base.query;
    return { scheme, authority, path: base.path, query, fragment };
  }
  const path = reference.path.startsWith('/')
    ? reference.path
    : base.path.slice(0, base.path.lastIndexOf('/') + 1) + reference.path;
  return { scheme, authority, path: removeDotSegments(path), query: reference.query, fragment };
}

interface Authority {
  readonly userinfo: { readonly name: string; readonly password: string } | undefined;
  readonly host: string;
  readonly port: string;
}

function splitAuthority(authority: string, given: string): Authority {
  const at = authority.lastIndexOf('@');
  const userinfo = at === -1 ? undefined : authority.slice(0, at);
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::([0-9]*))?$/.exec(authority.slice(at + 1));
  if (match === null) throw new InvalidUrlClientError(given, 'host and port are malformed');
  const [, host = '', port = ''] = match;
  if (userinfo === undefined) return { userinfo: undefined, host, port };
  const colon = userinfo.indexOf(':');
  const name = colon === -1 ? userinfo : userinfo.slice(0, colon);
  const password = colon === -1 ? '' : userinfo.slice(colon + 1);
  // A second @ is the mark of a URL that two readers understand differently.
  if (userinfo.includes('@')) throw new InvalidUrlClientError(given, 'the credentials hold a bare @');
  return { userinfo: name === '' && password === '' ? undefined : { name, password }, host, port };
}

function portNumber(text: string, given: string): number | undefined {
  if (text === '') return undefined;
  const port = Number(text);
  if (text.length > 5 || port > 65_535) throw new InvalidUrlClientError(given, `${text} is not a port`);
  return port;
}

function asciiHost(host: string, given: string): string {
  if (host.startsWith('[')) {
    const address = host.slice(1, -1).toLowerCase();
    if (!isIPv6(address) || address.includes('%'))
      throw new InvalidUrlClientError(given, `${host} is not an IPv6 address`);
    return address;
  }
  if (host === '') throw new InvalidUrlClientError(given, 'no host');
  const lower = host.toLowerCase();
  if (NAME.test(lower)) {
    checkAddress(lower, given);
    return lower;
  }
  if (/[\x00-\x7f]/.test(host.replace(/[A-Za-z0-9._-]/g, ''))) {
    throw new InvalidUrlClientError(given, 'the host holds characters that no name has');
  }
  const ascii = domainToASCII(host);
  if (ascii === '' || !NAME.test(ascii)) throw new InvalidUrlClientError(given, 'the host is not a name');
  // Digits in another script: no address is written so.
  if (isIPv4(ascii)) throw new InvalidUrlClientError(given, `${host} is not a canonical IPv4 address`);
  checkAddress(ascii, given);
  return ascii;
}

/**
 * A name whose last label is a number is an IPv4 address to browsers (WHATWG URL §3.5), in any of a dozen spellings. Filters for private
 * addresses and resolvers disagree about those, so only the usual one is taken.
 */
function checkAddress(host: string, given: string): void {
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  const last = name.slice(name.lastIndexOf('.') + 1);
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(last) && !isIPv4(host)) {
    throw new InvalidUrlClientError(given, `${host} is not a canonical IPv4 address`);
  }
  if (name === '' || name.includes('..') || name.startsWith('.')) {
    throw new InvalidUrlClientError(given, 'the host has an empty label');
  }
}

function normalPath(path: string): string {
  const quoted = requotePath(path);
  return quoted.includes('%') ? normalEscapes(quoted, PATH_PLAIN) : quoted;
}

function normalQuery(query: string): string {
  const quoted = requoteQuery(query.includes(' ') ? query.replaceAll(' ', '+') : query);
  return quoted.includes('%') ? normalEscapes(quoted, QUERY_PLAIN) : quoted;
}

function normalEscapes(text: string, plain: RegExp): string {
  return text.replace(ESCAPE, (triplet) => {
    const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
    return plain.test(character) ? character : triplet.toUpperCase();
  });
}

function escapeUnsendable(text: string): string {
  return UNSENDABLE.test(text) ? text.replace(/[^\x21-\x7e]+/gu, requotePath) : text;
}

/** RFC 3986 §5.2.4, for a path that begins with a slash. */
function removeDotSegments(path: string): string {
  if (!path.includes('/.')) return path;
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment === '..') kept.pop();
    else if (segment !== '.') {
      kept.push(segment);
      continue;
    }
    if (isLast) kept.push('');
  }
  return `/${kept.join('/')}`;
}

function decodeUserinfo(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

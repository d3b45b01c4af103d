import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

/** Where a response came from or a request goes to, as cookies see it. What a session keeps of a URL fits. */
export interface CookieUrl {
  /** Lower case, ASCII, IPv6 without brackets. */
  readonly host: string;
  readonly path: string;
  /** `https` or `wss`. */
  readonly secure: boolean;
  /** `scheme://host`, and the port when it is not the usual one. */
  readonly origin: string;
}

/** The parts of a URL that cookies depend on. @throws TypeError `ERR_INVALID_URL` for a text that is no absolute URL */
export function cookieUrlOf(url: string | URL | CookieUrl): CookieUrl {
  if (typeof url !== 'string' && !(url instanceof URL)) return url;
  const { protocol, hostname, host, pathname } = typeof url === 'string' ? new URL(url) : url;
  return {
    host: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
    path: pathname,
    secure: protocol === 'https:' || protocol === 'wss:',
    origin: `${protocol}//${host}`,
  };
}

/** A host's name as it is compared (RFC 6265bis §5.1.2), `undefined` when it can be no name. */
export function canonicalDomain(text: string): string | undefined {
  const lower = text.toLowerCase();
  if (/^[\x21-\x7e]*$/.test(lower)) return lower;
  const ascii = domainToASCII(lower);
  return ascii === '' ? undefined : ascii;
}

/** `host` is `domain` or a name below it (RFC 6265bis §5.1.3). */
export function domainMatches(host: string, domain: string): boolean {
  if (host === domain) return true;
  return (
    host.endsWith(domain) && host.charCodeAt(host.length - domain.length - 1) === 0x2e && isIP(host) === 0
  );
}

/** `path` is `cookiePath` or lies below it (RFC 6265bis §5.1.4): `/a` and `/a/b`, not `/ab`. */
export function pathMatches(path: string, cookiePath: string): boolean {
  if (!path.startsWith(cookiePath)) return false;
  return (
    path.length === cookiePath.length ||
    cookiePath.endsWith('/') ||
    path.charCodeAt(cookiePath.length) === 0x2f
  );
}

/** The path of a cookie that names none: the directory of the request (RFC 6265bis §5.1.4). */
export function defaultPath(path: string): string {
  const last = path.lastIndexOf('/');
  return last <= 0 || !path.startsWith('/') ? '/' : path.slice(0, last);
}

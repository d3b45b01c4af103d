import { domainToASCII } from 'node:url';
import { codedRangeError } from '../message/index.ts';

/**
 * The URI reference that goes into a `Location` field: characters that a URI cannot hold are percent-encoded as UTF-8 (a space in the
 * query becomes `+`), what is encoded already stays, an internationalised host becomes its ASCII form (RFC 3986 §2.1, §3.2.2).
 *
 * A backslash is encoded, so that browsers, which read `/\evil.example` as another host, stay on this one. Control characters are refused.
 *
 * @throws RangeError when the location is empty or holds a control character, or its host is not one.
 */
export function quoteLocation(location: string): string {
  if (location === '')
    throw codedRangeError(
      'AIO_LOCATION',
      'The location of a redirect must not be empty; got an empty string.',
    );
  for (let i = 0; i < location.length; i++) {
    const code = location.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) {
      throw codedRangeError(
        'AIO_LOCATION',
        `The location of a redirect must not hold control characters; got ${JSON.stringify(location.slice(0, 200))}.`,
      );
    }
  }
  if (!UNSAFE.test(location)) return location;
  // A lone surrogate has no UTF-8.
  const plain = location.replace(LONE_SURROGATE, '\ufffd');
  const authority = AUTHORITY.exec(plain);
  if (authority === null) return quoteFrom(plain, 0);
  const head = (authority[1] ?? '') + quoteAuthority(authority[2] ?? '');
  return head + quoteFrom(plain, authority[0].length);
}

/** Anything that may have to be encoded; most locations hold nothing of it and are sent as they are. */
const UNSAFE: RegExp = /[^A-Za-z0-9\-._~:/?#@!$&'()*+,;=]|#[^#]*#/;
const LONE_SURROGATE: RegExp = /\p{Surrogate}/gu;
/** `scheme://authority` or `//authority`. */
const AUTHORITY: RegExp = /^((?:[A-Za-z][A-Za-z0-9+.-]*:)?\/\/)([^/?#\\]*)/;
const ALLOWED: RegExp = /[A-Za-z0-9\-._~:/?#@!$&'()*+,;=]/;
const HEX_PAIR: RegExp = /^[0-9A-Fa-f]{2}$/;

function quoteFrom(text: string, start: number): string {
  let quoted = '';
  let part: 'path' | 'query' | 'fragment' = 'path';
  for (let i = start; i < text.length; ) {
    const char = String.fromCodePoint(text.codePointAt(i) ?? 0);
    i += char.length;
    if (part === 'path' && char === '?') part = 'query';
    else if (char === '#') {
      // A second `#` cannot stand in a URI.
      quoted += part === 'fragment' ? '%23' : '#';
      part = 'fragment';
      continue;
    }
    if (char === '%') quoted += HEX_PAIR.test(text.slice(i, i + 2)) ? '%' : '%25';
    else if (char === ' ' && part === 'query') quoted += '+';
    else if (ALLOWED.test(char)) quoted += char;
    else quoted += encodeURIComponent(char);
  }
  return quoted;
}

function quoteAuthority(authority: string): string {
  const at = authority.lastIndexOf('@');
  const user = at < 0 ? '' : quoteFrom(authority.slice(0, at), 0);
  const rest = authority.slice(at + 1);
  const split = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]]*)(:\d*)?$/.exec(rest);
  const host = split?.[1] ?? '';
  const ascii = host.startsWith('[') || host === '' ? host : domainToASCII(host);
  if (split === null || (host !== '' && ascii === '')) {
    throw codedRangeError(
      'AIO_LOCATION',
      `The location of a redirect names no valid host: ${JSON.stringify(rest)}.`,
    );
  }
  return `${at < 0 ? '' : `${user}@`}${ascii}${split[2] ?? ''}`;
}

/**
 * Percent-encoding of URL parts (RFC 3986 §2). A text whose `%` already means an escape is *requoted*: valid escapes stay as they are and
 * everything that cannot stand in that part is encoded. A client's absolute URLs requote their parts with the same three functions.
 */

// pchar and `/`; a query and a fragment may hold `?` too (RFC 3986 §3.3–3.5). Testing before replacing is twice as fast for what needs
// no change, which is nearly everything.
const PATH_SAFE = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/]*$/;
const PATH_UNSAFE = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]+/gu;
const PATH_REQUOTED = /%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]+/gu;
const QUERY_SAFE = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/?]*$/;
const QUERY_REQUOTED = /%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]+/gu;

/**
 * Percent-encodes a text as a path: UTF-8, every character that cannot stand in a path and every `%`; `/` stays (yarl path quoting, what
 * `urlFor()` does to a parameter). A lone surrogate becomes U+FFFD.
 *
 * @example
 * ```ts
 * quotePath('é /100%'); // '%C3%A9%20/100%25'
 * ```
 */
export function quotePath(text: string): string {
  return PATH_SAFE.test(text) ? text : text.replace(PATH_UNSAFE, encode);
}

/**
 * Percent-encodes what cannot stand in a path, but leaves escapes that are there already.
 *
 * @example
 * ```ts
 * requotePath('/a b%2Fc%'); // '/a%20b%2Fc%25'
 * ```
 */
export function requotePath(text: string): string {
  return PATH_SAFE.test(text) ? text : text.replace(PATH_REQUOTED, encode);
}

/**
 * Percent-encodes what cannot stand in a query or a fragment, but leaves escapes that are there already.
 *
 * @example
 * ```ts
 * requoteQuery('a=b c&d=%20'); // 'a=b%20c&d=%20'
 * ```
 */
export function requoteQuery(text: string): string {
  return QUERY_SAFE.test(text) ? text : text.replace(QUERY_REQUOTED, encode);
}

/** Percent-encodes every character of a run as UTF-8; a lone surrogate, which has no UTF-8, as U+FFFD. */
export function encode(run: string): string {
  try {
    return encodeURIComponent(run);
  } catch {
    return encodeURIComponent(run.replace(/\p{Surrogate}/gu, '\ufffd'));
  }
}

/**
 * Decodes every escape of a path that is valid UTF-8; other escapes and stray `%` stay as they are (yarl `URL.path`). `+` is a plus.
 * Returns its argument when it holds no `%`. Never throws; linear.
 *
 * @example
 * ```ts
 * decodePath('/%D1%8F%2F+'); // '/я/+'
 * decodePath('/%E9'); // '/%E9'
 * ```
 */
export function decodePath(raw: string): string {
  const first = raw.indexOf('%');
  return first === -1 ? raw : decode(raw, first, KEEP_INVALID);
}

/**
 * Decodes a path for routing (yarl `URL.path_safe`): as {@link decodePath}, but `%2F` and `%25` stay, so that an encoded slash stays inside
 * its segment and decoding the parts once more cannot decode anything twice. Returns its argument when it holds no `%`.
 *
 * @example
 * ```ts
 * decodePathSafe('/a%2fb%25%20c'); // '/a%2Fb%25 c'
 * decodePath('a%2Fb%25 c'); // 'a/b% c', what a matched part is
 * ```
 */
export function decodePathSafe(raw: string): string {
  const first = raw.indexOf('%');
  return first === -1 ? raw : decode(raw, first, KEEP_SLASH);
}

/**
 * Decodes every escape; what is no valid UTF-8 becomes U+FFFD, stray `%` stay. For names and values of a query or a form, after `+`. Never throws;
 * linear.
 */
export function decodeReplacing(raw: string): string {
  const first = raw.indexOf('%');
  return first === -1 ? raw : decode(raw, first, REPLACE_INVALID);
}

// By hand, not decodeURIComponent: that throws on the first invalid escape, which costs microseconds that an attacker can ask for thousands of
// times in one query, and is slower for a few ASCII escapes too.

const KEEP_INVALID = 0;
const KEEP_SLASH = 1;
const REPLACE_INVALID = 2;
type Mode = typeof KEEP_INVALID | typeof KEEP_SLASH | typeof REPLACE_INVALID;

/** Value of a hexadecimal digit by its code, -1 for anything else. */
const HEX: Int8Array = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  HEX[digit.toString(16).charCodeAt(0)] = digit;
  HEX[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/** The byte that the escape at an index stands for, -1 when there is no escape. */
function escapeAt(text: string, index: number): number {
  if (index + 2 >= text.length || text.charCodeAt(index) !== 0x25) return -1;
  const high = text.charCodeAt(index + 1);
  const low = text.charCodeAt(index + 2);
  if (high > 0xff || low > 0xff || HEX[high]! < 0 || HEX[low]! < 0) return -1;
  return (HEX[high]! << 4) | HEX[low]!;
}

function decode(text: string, first: number, mode: Mode): string {
  let decoded = '';
  let from = 0;
  let at = first;
  while (at !== -1) {
    const byte = escapeAt(text, at);
    if (byte === -1) {
      at = text.indexOf('%', at + 1);
      continue;
    }
    if (at !== from) decoded += text.slice(from, at);
    if (byte >= 0x80) {
      let end = at + 3;
      while (escapeAt(text, end) >= 0x80) end += 3;
      decoded += decodeRun(text, at, end, mode === REPLACE_INVALID);
      from = end;
    } else {
      if (mode === KEEP_SLASH && byte === 0x2f) decoded += '%2F';
      else if (mode === KEEP_SLASH && byte === 0x25) decoded += '%25';
      else decoded += String.fromCharCode(byte);
      from = at + 3;
    }
    at = text.indexOf('%', from);
  }
  return from === 0 ? text : decoded + text.slice(from);
}

/**
 * Decodes a run of escapes of bytes above 0x7F as UTF-8 (RFC 3629 §4: no overlong forms, no surrogates). What is invalid stays escaped or
 * becomes U+FFFD, one for each maximal part of a sequence (as TextDecoder does).
 */
function decodeRun(text: string, start: number, end: number, replace: boolean): string {
  let decoded = '';
  let i = start;
  while (i < end) {
    const lead = escapeAt(text, i);
    const length = lead < 0xc2 || lead > 0xf4 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    let low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    let high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    let point = lead & (0x7f >> length);
    let seen = 1;
    while (seen < length) {
      const byte = i + seen * 3 < end ? escapeAt(text, i + seen * 3) : -1;
      if (byte < low || byte > high) break;
      point = (point << 6) | (byte & 0x3f);
      low = 0x80;
      high = 0xbf;
      seen++;
    }
    if (length > 1 && seen === length) {
      decoded += String.fromCodePoint(point);
      i += length * 3;
    } else if (replace) {
      decoded += '\ufffd';
      i += seen * 3;
    } else {
      decoded += text.slice(i, i + 3);
      i += 3;
    }
  }
  return decoded;
}

import { decodeText, MultiDict, parseQuery } from '../message/index.ts';

/**
 * Parses an `application/x-www-form-urlencoded` body: pairs as in a query. What they are in another charset than UTF-8 is decoded by it, strictly;
 * in UTF-8 escapes that are no text become U+FFFD, as in a query.
 *
 * @param text Turns bytes into text, or throws.
 */
export function parseUrlencoded<V>(
  bytes: Uint8Array,
  charset: string | undefined,
  text: (bytes: Uint8Array, charset: string | undefined) => string,
): MultiDict<string | V> {
  const whole = trimmed(bytes);
  const form = new MultiDict<string | V>();
  if (charset === undefined || /^utf-?8$/i.test(charset))
    return form.extend(parseQuery(text(whole, charset)));
  // Pairs of bytes, one character each: `&`, `=`, `+` and `%` mean the same in every charset that extends ASCII.
  for (const pair of decodeText(whole, 'iso-8859-1').split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = equals === -1 ? pair : pair.slice(0, equals);
    const value = equals === -1 ? '' : pair.slice(equals + 1);
    form.add(text(unescaped(name), charset), text(unescaped(value), charset));
  }
  return form;
}

/** Whether a body has more than so many pairs; it is not looked at further then. */
export function hasMorePairs(bytes: Uint8Array, most: number): boolean {
  let pairs = 0;
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(AMPERSAND, start);
    const end = found === -1 ? bytes.length : found;
    if (end !== start && ++pairs > most) return true;
    start = end + 1;
  }
  return false;
}

const AMPERSAND = 0x26;

function unescaped(text: string): Uint8Array {
  const bytes = text
    .replaceAll('+', ' ')
    .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1');
}

/** Without white space at the end: some clients send a line end behind the form. */
function trimmed(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && isSpace(bytes[end - 1]!)) end--;
  return bytes.subarray(0, end);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

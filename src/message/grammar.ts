import { codedTypeError, shown } from './errors.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Whether `text` is a token: a method, a field name, a coding, a cookie name (RFC 9110 §5.6.2).
 *
 * @example
 * ```ts
 * isToken('X-Name'); // true
 * isToken('X Name'); // false
 * ```
 */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/**
 * Whether `text` may be written as a field value: HTAB, visible characters, spaces and the bytes 0x80–0xFF, each
 * character standing for one byte (latin1). CR, LF, NUL and other controls could split a message (RFC 9110 §5.5).
 *
 * @example
 * ```ts
 * isFieldValue('text/html'); // true
 * isFieldValue('a\r\nSet-Cookie: b=c'); // false
 * ```
 */
export function isFieldValue(text: string): boolean {
  return FIELD_VALUE.test(text);
}

/**
 * Whether `text` may be written as the reason phrase of a status line (RFC 9112 §4). It may be empty.
 *
 * @example
 * ```ts
 * isReasonPhrase('Not Found'); // true
 * isReasonPhrase('OK\r\nX: y'); // false
 * ```
 */
export function isReasonPhrase(text: string): boolean {
  return isFieldValue(text);
}

/**
 * Writes `text` as a quoted-string, `"` and `\` escaped (RFC 9110 §5.6.4).
 *
 * @throws TypeError `AIO_QUOTED_STRING` when `text` holds a control character or one beyond U+00FF.
 * @example
 * ```ts
 * quoteString('say "hi"'); // '"say \\"hi\\""'
 * ```
 */
export function quoteString(text: string): string {
  if (!isFieldValue(text)) {
    throw codedTypeError(
      'AIO_QUOTED_STRING',
      `${shown(text)} cannot be a quoted-string: only HTAB and characters U+0020–U+00FF without controls are allowed`,
    );
  }
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/**
 * The text that a quoted-string stands for, or `undefined` when `text` is not exactly one quoted-string
 * (RFC 9110 §5.6.4). Never throws; linear.
 *
 * @example
 * ```ts
 * unquoteString('"a\\"b"'); // 'a"b'
 * unquoteString('ab'); // undefined
 * ```
 */
export function unquoteString(text: string): string | undefined {
  const last = text.length - 1;
  if (last < 1 || text.charCodeAt(0) !== 0x22 || quotedStringEnd(text, 0) !== last + 1) return undefined;
  const inner = text.slice(1, last);
  if (!isFieldValue(inner)) return undefined;
  return inner.includes('\\') ? inner.replace(/\\(.)/g, '$1') : inner;
}

/** Index after the closing quote of the quoted-string that begins at `start`, or -1 when it is never closed. */
export function quotedStringEnd(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x5c) i++;
    else if (code === 0x22) return i + 1;
  }
  return -1;
}

/**
 * Elements of a comma-separated list, without the white space around them; empty elements are left out and commas inside
 * quoted-strings don't separate (RFC 9110 §5.6.1). A quote that is never closed takes the rest. Never throws; linear.
 *
 * @example
 * ```ts
 * splitList('a, "b, c" , ,d'); // ['a', '"b, c"', 'd']
 * ```
 */
export function splitList(text: string): string[] {
  const elements: string[] = [];
  const length = text.length;
  let start = 0;
  let i = 0;
  while (i <= length) {
    const code = i < length ? text.charCodeAt(i) : 0x2c;
    if (code === 0x22) {
      const end = quotedStringEnd(text, i);
      i = end === -1 ? length : end;
      continue;
    }
    if (code === 0x2c) {
      const element = trimWhitespace(text, start, i);
      if (element !== '') elements.push(element);
      start = i + 1;
    }
    i++;
  }
  return elements;
}

/** `text` between two indexes without the optional white space (SP, HTAB; RFC 9110 §5.6.3) at its ends. */
export function trimWhitespace(text: string, start: number, end: number): string {
  while (start < end && isWhitespace(text.charCodeAt(start))) start++;
  while (end > start && isWhitespace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isWhitespace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

import { codedRangeError, codedTypeError, shown } from './errors.ts';
import { isToken, trimWhitespace } from './grammar.ts';
import { formatHttpDate, parseHttpDate } from './http-date.ts';
import type { MultiDictProxy } from './multidict.ts';
import { MultiDict } from './multidict.ts';

/** A Cookie field is read up to this many cookies; browsers keep fewer than 200 for a site. */
export const MAX_COOKIES = 1000;

/** Browsers ignore a cookie whose name and value are longer than this together, in bytes (RFC 6265bis §5.6). */
export const MAX_COOKIE_SIZE = 4096;

/**
 * Parses a Cookie field leniently: never throws, linear, at most {@link MAX_COOKIES} cookies. Quoted values are unquoted as
 * {@link quoteCookieValue} quoted them; a cookie without `=` has the value `''`, one without a name is left out. When a name is repeated
 * `get()` gives the first, which browsers send for the most specific path; all are kept.
 *
 * A `;` always ends a cookie (RFC 6265bis §5.8.3). Where a quoted value may hold one (aiohttp, Python), whoever can set one cookie
 * can swallow the cookies behind it into its value.
 *
 * @example
 * ```ts
 * const cookies = parseCookies('session=abc; note="a b"');
 * cookies.get('session'); // 'abc'
 * cookies.get('note'); // 'a b'
 * ```
 */
export function parseCookies(header: string): MultiDictProxy<string> {
  const cookies = new MultiDict<string>();
  const { length } = header;
  let start = 0;
  // Searched again only when passed, so that a field full of `;` stays linear.
  let equals = header.indexOf('=');
  while (start < length) {
    let end = header.indexOf(';', start);
    if (end === -1) end = length;
    if (equals !== -1 && equals < start) equals = header.indexOf('=', start);
    const hasValue = equals !== -1 && equals < end;
    const name = trimWhitespace(header, start, hasValue ? equals : end);
    if (name !== '') {
      cookies.add(name, hasValue ? unquoteCookieValue(trimWhitespace(header, equals + 1, end)) : '');
      if (cookies.size === MAX_COOKIES) break;
    }
    start = end + 1;
  }
  return cookies;
}

// What Python's http.cookies, and so aiohttp, leaves without quotes; and what it leaves unescaped inside them.
const PLAIN_VALUE = /^[A-Za-z0-9!#$%&'*+\-.^_`|~:]+$/;
const ESCAPED = /[^A-Za-z0-9!#$%&'*+\-.^_`|~: ()/<=>?@[\]{}]/g;
const ALLOWED_VALUE = /^[\x20-\x7e\x80-\xff]*$/;

/**
 * A cookie's value as aiohttp writes it: as it is when it is made of letters, digits and ``!#$%&'*+-.^_`|~:``, else in double quotes with
 * `"`, `\` and what could end the value (`;`, `,`, characters U+0080–U+00FF) escaped.
 *
 * @throws RangeError `AIO_COOKIE_VALUE` when it holds a control character or one beyond U+00FF: encode it first, for instance with
 *   `encodeURIComponent`.
 * @example
 * ```ts
 * quoteCookieValue('abc'); // 'abc'
 * quoteCookieValue('a b;c'); // '"a b\\073c"'
 * ```
 */
export function quoteCookieValue(value: string): string {
  if (PLAIN_VALUE.test(value)) return value;
  if (!ALLOWED_VALUE.test(value)) {
    throw codedRangeError(
      'AIO_COOKIE_VALUE',
      `a cookie's value holds ${shown(/[^\x20-\x7e\x80-\xff]/.exec(value)?.[0])}, a control character or one beyond U+00FF: encode it, for instance with encodeURIComponent()`,
    );
  }
  return `"${value.replace(ESCAPED, escaped)}"`;
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`;
}

/**
 * The value that {@link quoteCookieValue} quoted; anything that is not in double quotes is returned as it is. Never throws.
 *
 * @example
 * ```ts
 * unquoteCookieValue('"a b\\073c"'); // 'a b;c'
 * ```
 */
export function unquoteCookieValue(value: string): string {
  const last = value.length - 1;
  if (last < 1 || value.charCodeAt(0) !== 0x22 || value.charCodeAt(last) !== 0x22) return value;
  const inner = value.slice(1, last);
  if (!inner.includes('\\')) return inner;
  return inner.replace(/\\(?:([0-3][0-7][0-7])|(.))/g, (_, octal: string | undefined, character: string) =>
    octal === undefined ? character : String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

/** Attributes of a cookie that is set (RFC 6265bis §4.1). Absent ones are not written. */
export interface SetCookieAttributes {
  /** Host whose sub-domains get the cookie too; absent: only the host that sets it. */
  readonly domain?: string | undefined;
  /** A `Date`, milliseconds since 1970, or an HTTP-date. */
  readonly expires?: Date | number | string | undefined;
  readonly httpOnly?: boolean | undefined;
  /** Whole **seconds**, as the attribute counts them; 0 or less deletes the cookie. */
  readonly maxAge?: number | undefined;
  /** Kept apart by top-level site (CHIPS); needs `secure`. */
  readonly partitioned?: boolean | undefined;
  /** Begins with `/`. */
  readonly path?: string | undefined;
  /** `'None'` needs `secure`. */
  readonly sameSite?: 'Strict' | 'Lax' | 'None' | undefined;
  readonly secure?: boolean | undefined;
}

const DOMAIN =
  /^\.?[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*$/;
const PATH = /^\/[\x20-\x3a\x3c-\x7e]*$/;
const SAME_SITE = new Map([
  ['strict', 'Strict'],
  ['lax', 'Lax'],
  ['none', 'None'],
]);

/**
 * Writes a Set-Cookie value with its attributes in aiohttp's order. Refuses whatever could split or corrupt the field, and what browsers
 * would drop in silence: more than {@link MAX_COOKIE_SIZE} bytes, `SameSite=None` or `Partitioned` without `Secure`, a `__Host-` or `__Secure-` name without what it promises.
 *
 * @param name A token (RFC 6265bis §4.1.1).
 * @param value Quoted by {@link quoteCookieValue} when needed.
 * @throws TypeError `AIO_COOKIE_VALUE` when the value is no string.
 * @throws RangeError `AIO_COOKIE_NAME`, `AIO_COOKIE_VALUE`, `AIO_COOKIE_ATTRIBUTE` with what was given and what is allowed.
 * @example
 * ```ts
 * serializeSetCookie('sid', 'abc', { path: '/', httpOnly: true, secure: true, sameSite: 'Lax' });
 * // 'sid=abc; HttpOnly; Path=/; SameSite=Lax; Secure'
 * ```
 */
export function serializeSetCookie(
  name: string,
  value: string,
  attributes: SetCookieAttributes = {},
): string {
  if (!isToken(name)) {
    throw codedRangeError(
      'AIO_COOKIE_NAME',
      `cookie name ${shown(name)} is not a token: letters, digits and !#$%&'*+-.^_\`|~ are allowed`,
    );
  }
  if (typeof value !== 'string') {
    throw codedTypeError(
      'AIO_COOKIE_VALUE',
      `value of cookie ${shown(name)} is of type ${typeof value}, not a string`,
    );
  }
  checkPromises(name, attributes);
  const { domain, expires, maxAge, path } = attributes;
  const sameSite = sameSiteOf(attributes);
  let text = `${name}=${quoteCookieValue(value)}`;
  // What is escaped is ASCII: as many bytes as characters.
  if (text.length - 1 > MAX_COOKIE_SIZE) {
    throw codedRangeError(
      'AIO_COOKIE_VALUE',
      `cookie ${shown(name)} has ${text.length - 1} bytes, name and value together: browsers drop it above ${MAX_COOKIE_SIZE}`,
    );
  }
  if (domain !== undefined && domain !== '') {
    if (!DOMAIN.test(domain) || domain.length > 254)
      throw refused('Domain', domain, 'a host name (IDNA: its ASCII form)');
    text += `; Domain=${domain}`;
  }
  if (expires !== undefined) text += `; expires=${expiresText(expires)}`;
  if (attributes.httpOnly === true) text += '; HttpOnly';
  if (maxAge !== undefined) {
    if (!Number.isSafeInteger(maxAge)) throw refused('Max-Age', maxAge, 'a whole number of seconds');
    text += `; Max-Age=${maxAge}`;
  }
  if (attributes.partitioned === true) text += '; Partitioned';
  if (path !== undefined) {
    if (!PATH.test(path))
      throw refused('Path', path, 'a path that begins with / and holds neither ; nor controls nor non-ASCII');
    text += `; Path=${path}`;
  }
  if (sameSite !== undefined) text += `; SameSite=${sameSite}`;
  if (attributes.secure === true) text += '; Secure';
  return text;
}

/** What a name's prefix promises, whatever its case (RFC 6265bis §4.1.3), and what `SameSite=None` and `Partitioned` need. */
function checkPromises(name: string, attributes: SetCookieAttributes): void {
  const { domain, path, secure } = attributes;
  if (secure !== true) {
    if (attributes.partitioned === true)
      throw refused('Partitioned', true, 'used together with secure: true');
    if (sameSiteOf(attributes) === 'None')
      throw refused('SameSite', 'None', 'used together with secure: true');
  }
  const prefix = /^__(?:host-http|host|secure|http)-/i.exec(name)?.[0].toLowerCase();
  if (prefix === undefined) return;
  if (secure !== true) throw brokenPromise(name, 'secure: true');
  if (prefix.startsWith('__host-') && (path !== '/' || (domain !== undefined && domain !== ''))) {
    throw brokenPromise(name, "path: '/' and no domain");
  }
  if (prefix.endsWith('http-') && attributes.httpOnly !== true) throw brokenPromise(name, 'httpOnly: true');
}

function sameSiteOf(attributes: SetCookieAttributes): string | undefined {
  const { sameSite } = attributes;
  if (sameSite === undefined) return undefined;
  const canonical = typeof sameSite === 'string' ? SAME_SITE.get(sameSite.toLowerCase()) : undefined;
  if (canonical === undefined) throw refused('SameSite', sameSite, "'Strict', 'Lax' or 'None'");
  return canonical;
}

function expiresText(expires: Date | number | string): string {
  if (typeof expires !== 'string') return formatHttpDate(expires);
  const time = parseHttpDate(expires);
  if (time === undefined)
    throw refused('Expires', expires, 'a Date, milliseconds since 1970 or an HTTP-date');
  return formatHttpDate(time);
}

function refused(attribute: string, given: unknown, allowed: string): RangeError {
  return codedRangeError(
    'AIO_COOKIE_ATTRIBUTE',
    `cookie attribute ${attribute} is ${shown(given)}; it must be ${allowed}`,
  );
}

function brokenPromise(name: string, needed: string): RangeError {
  return codedRangeError(
    'AIO_COOKIE_ATTRIBUTE',
    `cookie name ${shown(name)} needs ${needed}: browsers drop it otherwise`,
  );
}

import { codedRangeError, codedTypeError, shown } from './errors.ts';
import type { MultiDictInit } from './multidict.ts';
import { MultiDict } from './multidict.ts';
import { decodeReplacing, encode, requoteQuery } from './percent.ts';

/** What a query parameter can be set to; numbers must be finite (yarl takes the same). */
export type QueryValue = string | number | bigint;

/** A query: parameters as a multidict takes them, or the text that follows `?`. */
export type QueryInit = string | MultiDictInit<QueryValue>;

/**
 * Parses the text that follows `?` (WHATWG URL §5.1, yarl `URL.query`): `+` is a space, invalid UTF-8 becomes U+FFFD, a parameter without `=`
 * has the value `''`, empty pieces are left out, only `&` separates. Never throws; linear.
 *
 * @example
 * ```ts
 * const query = parseQuery('a=1&a=2&b&c=%20+');
 * query.getAll('a'); // ['1', '2']
 * query.get('b'); // ''
 * query.get('c'); // '  '
 * ```
 */
export function parseQuery(text: string): MultiDict<string> {
  const query = new MultiDict<string>();
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  // A choice and no boolean: V8 computes that anew on each way round the loop (it takes `includes` for cheap), which is quadratic for a text full of `&`.
  const decode = spaced.includes('%') ? decodeReplacing : undefined;
  const { length } = spaced;
  let start = 0;
  // Searched again only when passed, so that a text full of `&` stays linear.
  let equals = spaced.indexOf('=');
  while (start < length) {
    let end = spaced.indexOf('&', start);
    if (end === -1) end = length;
    if (end !== start) {
      if (equals !== -1 && equals < start) equals = spaced.indexOf('=', start);
      const hasValue = equals !== -1 && equals < end;
      const name = spaced.slice(start, hasValue ? equals : end);
      const value = hasValue ? spaced.slice(equals + 1, end) : '';
      if (decode === undefined) query.add(name, value);
      else query.add(decode(name), decode(value));
    }
    start = end + 1;
  }
  return query;
}

const PART_SAFE = /^[A-Za-z0-9\-._~!$'()*,/?:@]*$/;
const PART_UNSAFE = /[^A-Za-z0-9\-._~!$'()*,/?:@]+/gu;

/**
 * Writes a query without its `?`. A string is taken as a query already written: only what cannot stand in one is encoded.
 *
 * @throws TypeError `AIO_QUERY_VALUE` for a value that is no string, number or bigint.
 * @throws RangeError `AIO_QUERY_VALUE` for NaN or an infinity.
 * @example
 * ```ts
 * formatQuery({ q: 'a b&c', page: 2 }); // 'q=a+b%26c&page=2'
 * formatQuery([['a', '1'], ['a', '2']]); // 'a=1&a=2'
 * formatQuery('q=a b'); // 'q=a%20b'
 * ```
 */
export function formatQuery(init: QueryInit): string {
  if (typeof init === 'string') return requoteQuery(init);
  let text = '';
  for (const [name, value] of new MultiDict<QueryValue>(init).entries()) {
    text += `${text === '' ? '' : '&'}${encodeQueryPart(name)}=${encodeQueryPart(queryText(name, value))}`;
  }
  return text;
}

/**
 * Writes a form as `application/x-www-form-urlencoded`, byte for byte as browsers do (WHATWG URL §5.2).
 *
 * @throws TypeError `AIO_QUERY_VALUE` for a value that is no string, number or bigint.
 * @throws RangeError `AIO_QUERY_VALUE` for NaN or an infinity.
 * @example
 * ```ts
 * formatForm({ q: 'a b&(c)', page: 2 }); // 'q=a+b%26%28c%29&page=2'
 * ```
 */
export function formatForm(init: MultiDictInit<QueryValue>): string {
  const form = new URLSearchParams();
  for (const [name, value] of new MultiDict<QueryValue>(init).entries()) {
    form.append(name, queryText(name, value));
  }
  return form.toString();
}

/** A value as text, checked. */
export function queryText(name: string, value: QueryValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return String(value);
    throw codedRangeError('AIO_QUERY_VALUE', `query parameter ${shown(name)} is ${value}; it must be finite`);
  }
  if (typeof value === 'bigint') return String(value);
  throw codedTypeError(
    'AIO_QUERY_VALUE',
    `query parameter ${shown(name)} is ${shown(value)}; a string, a number or a bigint is expected`,
  );
}

function encodeQueryPart(part: string): string {
  if (PART_SAFE.test(part)) return part;
  return part.replace(PART_UNSAFE, (run) => encode(run).replaceAll('%20', '+'));
}

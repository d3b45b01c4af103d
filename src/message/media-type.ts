import { codedRangeError, shown } from './errors.ts';
import { isToken, quotedStringEnd, quoteString, trimWhitespace, unquoteString } from './grammar.ts';

/** A media type and its parameters (RFC 9110 §8.3.1). Parsed ones are shared: treat them as frozen. */
export interface MediaType {
  /** `type/subtype` in lower case. */
  readonly type: string;
  /** Parameters by lower-case name, values as written but unquoted. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The `charset` parameter as written, `undefined` when absent. */
  readonly charset: string | undefined;
}

// Clients repeat a handful of values; what an attacker varies must not grow the cache.
const CACHE_ENTRIES = 256;
const CACHED_LENGTH = 128;
const cache = new Map<string, MediaType | undefined>();

/**
 * Parses a Content-Type value strictly: `undefined` when it is malformed or repeats a parameter (two boundaries or charsets would
 * mean different things to different readers). Never throws; linear; results for common values are cached.
 *
 * @example
 * ```ts
 * const type = parseMediaType('Text/HTML; charset="utf-8"');
 * type?.type; // 'text/html'
 * type?.charset; // 'utf-8'
 * parseMediaType('html'); // undefined
 * ```
 */
export function parseMediaType(value: string): MediaType | undefined {
  if (value.length > CACHED_LENGTH) return parse(value);
  let parsed = cache.get(value);
  if (parsed === undefined && !cache.has(value)) {
    parsed = parse(value);
    if (cache.size >= CACHE_ENTRIES) cache.clear();
    cache.set(value, parsed);
  }
  return parsed;
}

function parse(value: string): MediaType | undefined {
  const semicolon = value.indexOf(';');
  const type = trimWhitespace(value, 0, semicolon === -1 ? value.length : semicolon).toLowerCase();
  const slash = type.indexOf('/');
  if (slash === -1 || !isToken(type.slice(0, slash)) || !isToken(type.slice(slash + 1))) return undefined;
  const parameters = semicolon === -1 ? new Map<string, string>() : parseParameters(value, semicolon);
  if (parameters === undefined) return undefined;
  return { type, parameters, charset: parameters.get('charset') };
}

/**
 * Parses `*( OWS ";" OWS [ parameter ] )` (RFC 9110 §5.6.6) from the `;` at `start` to the end of `text`; `undefined` when it is
 * malformed or a name is repeated.
 */
export function parseParameters(text: string, start: number): Map<string, string> | undefined {
  const parameters = new Map<string, string>();
  let i = skipWhitespace(text, start);
  while (i < text.length) {
    if (text.charCodeAt(i) !== 0x3b) return undefined;
    i = skipWhitespace(text, i + 1);
    if (i >= text.length) break;
    if (text.charCodeAt(i) === 0x3b) continue;
    const equals = text.indexOf('=', i);
    if (equals === -1) return undefined;
    const name = text.slice(i, equals);
    if (!isToken(name)) return undefined;
    const quoted = text.charCodeAt(equals + 1) === 0x22;
    const end = quoted ? quotedStringEnd(text, equals + 1) : tokenEnd(text, equals + 1);
    if (end === -1) return undefined;
    const written = text.slice(equals + 1, end);
    const value = quoted ? unquoteString(written) : isToken(written) ? written : undefined;
    if (value === undefined || parameters.has(name.toLowerCase())) return undefined;
    parameters.set(name.toLowerCase(), value);
    i = skipWhitespace(text, end);
  }
  return parameters;
}

function skipWhitespace(text: string, start: number): number {
  let i = start;
  while (text.charCodeAt(i) === 0x20 || text.charCodeAt(i) === 0x09) i++;
  return i;
}

function tokenEnd(text: string, start: number): number {
  let i = start;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x3b || code === 0x20 || code === 0x09) break;
  }
  return i;
}

/**
 * Writes a media type with its parameters; values that are no tokens are quoted, `undefined` ones left out.
 *
 * @throws RangeError `AIO_MEDIA_TYPE` when the type or a parameter's name is malformed, `AIO_QUOTED_STRING` when a value cannot be
 *   quoted.
 * @example
 * ```ts
 * formatMediaType('text/html', { charset: 'utf-8' }); // 'text/html; charset=utf-8'
 * ```
 */
export function formatMediaType(
  type: string,
  parameters: Readonly<Record<string, string | undefined>> = {},
): string {
  const slash = type.indexOf('/');
  if (slash === -1 || !isToken(type.slice(0, slash)) || !isToken(type.slice(slash + 1))) {
    throw codedRangeError('AIO_MEDIA_TYPE', `${shown(type)} is not a media type: type/subtype is expected`);
  }
  let text = type;
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    if (!isToken(name)) {
      throw codedRangeError('AIO_MEDIA_TYPE', `${shown(name)} is not the name of a media type's parameter`);
    }
    text += `; ${name}=${isToken(value) ? value : quoteString(value)}`;
  }
  return text;
}

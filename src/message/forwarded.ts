import { isToken, quotedStringEnd, unquoteString } from './grammar.ts';

/** One element of a Forwarded field: what one proxy said, by lower-case parameter name (RFC 7239 §4). */
export interface ForwardedElement {
  readonly by?: string;
  readonly for?: string;
  readonly host?: string;
  readonly proto?: string;
  readonly [parameter: string]: string | undefined;
}

/**
 * Parses the Forwarded fields of a message, in order: the first element was added by the proxy nearest to the client. Anyone can send
 * the field: believe only what proxies of yours added. After a syntax error the rest of that element, up to the next comma, is ignored.
 * Elements have no prototype. Never throws; linear (aiohttp `request.forwarded`).
 *
 * @param values The field's values as received, one string per field line.
 * @example
 * ```ts
 * parseForwarded(['for=192.0.2.43, for="[2001:db8::1]:80";proto=https']);
 * // [{ for: '192.0.2.43' }, { for: '[2001:db8::1]:80', proto: 'https' }]
 * ```
 */
export function parseForwarded(values: Iterable<string>): ForwardedElement[] {
  const elements: ForwardedElement[] = [];
  for (const value of values) parseField(value, elements);
  return elements;
}

function parseField(text: string, elements: ForwardedElement[]): void {
  const { length } = text;
  let i = 0;
  while ((i = skipEmptyElements(text, i)) < length) {
    const element: Record<string, string> = Object.create(null);
    elements.push(element);
    // One pair, then `;` and another pair, or `,` and another element; an empty pair is skipped.
    for (;;) {
      i = skipWhitespace(text, i);
      const end = parsePair(text, i, element);
      if (end === -1) {
        const comma = text.indexOf(',', i);
        i = comma === -1 ? length : comma;
        break;
      }
      i = skipWhitespace(text, end);
      if (text.charCodeAt(i) !== 0x3b) break;
      i++;
    }
    if (i < length && text.charCodeAt(i) !== 0x2c) {
      const comma = text.indexOf(',', i);
      i = comma === -1 ? length : comma;
    }
    i++;
  }
}

/** Reads `token "=" value` at `start`; the index after it, `start` when there is nothing to read, -1 on a syntax error. */
function parsePair(text: string, start: number, element: Record<string, string>): number {
  let equals = start;
  while (equals < text.length && !isDelimiter(text.charCodeAt(equals))) equals++;
  if (equals === start && text.charCodeAt(start) !== 0x3d) return start;
  const name = text.slice(start, equals);
  if (text.charCodeAt(equals) !== 0x3d || !isToken(name)) return -1;
  const begin = equals + 1;
  if (text.charCodeAt(begin) === 0x22) {
    const end = quotedStringEnd(text, begin);
    const value = end === -1 ? undefined : unquoteString(text.slice(begin, end));
    if (value === undefined) return -1;
    element[name.toLowerCase()] = value;
    return end;
  }
  let end = begin;
  while (end < text.length && !isDelimiter(text.charCodeAt(end))) end++;
  const value = text.slice(begin, end);
  // Ports and IPv6 addresses must be quoted (RFC 7239 §4), but many proxies write `for=192.0.2.1:80`; aiohttp takes it too.
  if (!isToken(value.replaceAll(':', '')) || value === '') return -1;
  element[name.toLowerCase()] = value;
  return end;
}

function isDelimiter(code: number): boolean {
  return code === 0x3d || code === 0x3b || code === 0x2c || code === 0x20 || code === 0x09;
}

// Empty list elements count for nothing (RFC 9110 §5.6.1.2).
function skipEmptyElements(text: string, start: number): number {
  let i = skipWhitespace(text, start);
  while (text.charCodeAt(i) === 0x2c) i = skipWhitespace(text, i + 1);
  return i;
}

function skipWhitespace(text: string, start: number): number {
  let i = start;
  while (text.charCodeAt(i) === 0x20 || text.charCodeAt(i) === 0x09) i++;
  return i;
}

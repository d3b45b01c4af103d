import {
  type CIMultiDictProxy,
  MultiDict,
  type MultiDictProxy,
  splitList,
  unquoteString,
} from '../message/index.ts';

/** A link to another resource (RFC 8288). */
export interface Link {
  /** Resolved against the response's URL. */
  readonly url: URL;
  /** The relation type that this entry is for: `next`, `prev` …; `undefined` when none is given. */
  readonly rel: string | undefined;
  /** All parameters, names in lower case, values as text; the first of a name counts. */
  readonly params: MultiDictProxy<string>;
}

/** Links of one response that are looked at. */
const MAX_LINKS = 1000;

/**
 * The links in the Link fields of a response by relation type, or by URL for links without one. A link with several relation types is
 * there for each. What is no link is left out. Never throws.
 *
 * @param base where the response came from
 *
 * @example
 * ```ts
 * import { CIMultiDict } from 'aiohttp-ts';
 * import { parseLinks } from 'aiohttp-ts/client';
 *
 * const headers = new CIMultiDict({ Link: '</items?page=2>; rel="next"' });
 * parseLinks(headers, 'https://example.org/items').get('next')?.url.href; // 'https://example.org/items?page=2'
 * ```
 */
export function parseLinks(headers: CIMultiDictProxy, base: string | URL): MultiDictProxy<Link> {
  const links = new MultiDict<Link>();
  for (const field of headers.getAll('link')) {
    for (const element of linksIn(field)) {
      const link = parseLink(element, base);
      if (link === undefined) continue;
      const { url, params } = link;
      // Relation types are compared without regard to case (RFC 8288 §2.1.1).
      const types = (params.get('rel') ?? '')
        .toLowerCase()
        .split(/\s+/)
        .filter((type) => type !== '');
      if (types.length === 0) links.add(url.href, { url, rel: undefined, params });
      for (const rel of types) links.add(rel, { url, rel, params });
      if (links.size >= MAX_LINKS) return links;
    }
  }
  return links;
}

/** The elements of a field: commas inside `<…>` belong to the URL. */
function linksIn(field: string): string[] {
  if (!field.includes('<')) return [];
  const elements: string[] = [];
  let position = 0;
  while (elements.length < MAX_LINKS) {
    const open = field.indexOf('<', position);
    const close = open === -1 ? -1 : field.indexOf('>', open);
    if (close === -1) break;
    const [parameters = ''] = splitList(`;${field.slice(close + 1, endOfElement(field, close + 1))}`);
    elements.push(field.slice(open, close + 1) + parameters);
    position = endOfElement(field, close + 1);
  }
  return elements;
}

/** Where the comma is that ends an element, outside of quoted strings. */
function endOfElement(field: string, start: number): number {
  let quoted = false;
  for (let i = start; i < field.length; i++) {
    const code = field.charCodeAt(i);
    if (quoted && code === 0x5c) i++;
    else if (code === 0x22) quoted = !quoted;
    else if (code === 0x2c && !quoted) return i;
  }
  return field.length;
}

function parseLink(
  element: string,
  base: string | URL,
): { url: URL; params: MultiDictProxy<string> } | undefined {
  const close = element.indexOf('>');
  const params = new MultiDict<string>();
  for (const [, name = '', value] of element.slice(close + 1).matchAll(PARAMETER)) {
    const key = name.toLowerCase();
    if (params.has(key)) continue;
    params.add(key, value === undefined ? '' : (unquoteString(value) ?? value));
  }
  try {
    return { url: new URL(element.slice(1, close).trim(), base), params };
  } catch {
    return undefined;
  }
}

const PARAMETER = /;[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*(?:=[ \t]*("(?:[^"\\]|\\.)*"|[^;"\s]*))?/g;

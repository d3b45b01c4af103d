import type { MultiDictProxy } from './multidict.ts';
import { MultiDict } from './multidict.ts';
import { decodePath, quotePath, requotePath, requoteQuery } from './percent.ts';
import type { QueryInit } from './query.ts';
import { formatQuery, parseQuery, queryText } from './query.ts';

/**
 * A URL without scheme and host: what `request.relUrl` is and what `router.urlFor()` returns (a relative yarl `URL`). Immutable; its parts
 * are decoded on first use.
 *
 * @example
 * ```ts
 * import { RelURL } from 'aiohttp-ts';
 * const url = new RelURL('/caf%C3%A9?page=1');
 * url.path; // '/café'
 * url.query.get('page'); // '1'
 * url.updateQuery({ page: 2 }).toString(); // '/caf%C3%A9?page=2'
 * ```
 */
export class RelURL {
  /** Percent-encoded path. */
  readonly rawPath: string;
  /** Percent-encoded query without `?`, `''` when there is none. */
  readonly rawQueryString: string;
  /** Percent-encoded fragment without `#`, `''` when there is none. */
  readonly rawFragment: string;
  private parsedQuery: MultiDictProxy<string> | undefined;

  /** @param text A path, query and fragment. Escapes are left as they are; what cannot stand in a URL is percent-encoded. */
  constructor(text: string) {
    const hash = text.indexOf('#');
    const end = hash === -1 ? text.length : hash;
    const question = text.indexOf('?');
    const pathEnd = question === -1 || question > end ? end : question;
    this.rawPath = requotePath(text.slice(0, pathEnd));
    this.rawQueryString = pathEnd === end ? '' : requoteQuery(text.slice(pathEnd + 1, end));
    this.rawFragment = hash === -1 ? '' : requoteQuery(text.slice(hash + 1));
    this.parsedQuery = undefined;
  }

  /** Decoded path; what is not valid UTF-8 stays encoded. */
  get path(): string {
    return decodePath(this.rawPath);
  }

  /** Parameters of the query, decoded. */
  get query(): MultiDictProxy<string> {
    return (this.parsedQuery ??= parseQuery(this.rawQueryString));
  }

  /** Decoded query, except for the escapes of `&`, `=`, `+` and `;`, which would change its meaning. */
  get queryString(): string {
    const kept = this.rawQueryString.replace(/%(?=26|2[Bb]|3[BbDd])/g, '%25');
    return decodePath(kept.replaceAll('+', ' '));
  }

  /** Decoded fragment. */
  get fragment(): string {
    return decodePath(this.rawFragment);
  }

  /** Path and query as a request-target holds them. */
  get rawPathQs(): string {
    return this.rawQueryString === '' ? this.rawPath : `${this.rawPath}?${this.rawQueryString}`;
  }

  /** Decoded path and query, for people to read. */
  get pathQs(): string {
    return this.rawQueryString === '' ? this.path : `${this.path}?${this.queryString}`;
  }

  /** The same URL with another path, given decoded. */
  withPath(path: string): RelURL {
    return join(quotePath(path), this.rawQueryString, this.rawFragment);
  }

  /**
   * The same URL with another query, or without one.
   *
   * @throws TypeError, RangeError `AIO_QUERY_VALUE` for a value that cannot stand in a query.
   */
  withQuery(query: QueryInit | undefined): RelURL {
    return join(this.rawPath, query === undefined ? '' : formatQuery(query), this.rawFragment);
  }

  /** The same URL; parameters of `query` replace those with the same name and are added otherwise. */
  updateQuery(query: QueryInit): RelURL {
    return this.withQuery(new MultiDict(this.query).update(textual(query)));
  }

  /** The same URL; parameters of `query` are added at the end. */
  extendQuery(query: QueryInit): RelURL {
    return this.withQuery(new MultiDict(this.query).extend(textual(query)));
  }

  /** The same URL without the parameters of these names. */
  withoutQueryParams(...names: string[]): RelURL {
    const query = new MultiDict(this.query);
    for (const name of names) query.delete(name);
    return this.withQuery(query);
  }

  /** The same URL with another fragment, given decoded, or without one. */
  withFragment(fragment: string | undefined): RelURL {
    return join(
      this.rawPath,
      this.rawQueryString,
      fragment === undefined ? '' : requoteQuery(fragment.replaceAll('%', '%25')),
    );
  }

  /** Whether both are written the same. */
  equals(other: RelURL): boolean {
    return this.toString() === other.toString();
  }

  /**
   * The URL as a reference that stays on the same host wherever it is put: a path that begins with `//` would name a host and one with `:` in its
   * first segment a scheme, so they are written `/.//…` (WHATWG URL §4.5) and `./…` (RFC 3986 §4.2).
   */
  toString(): string {
    let text = this.rawPath;
    if (text.startsWith('//')) text = `/.${text}`;
    else if (/^[^/]*:/.test(text)) text = `./${text}`;
    if (this.rawQueryString !== '') text += `?${this.rawQueryString}`;
    return this.rawFragment === '' ? text : `${text}#${this.rawFragment}`;
  }

  /** {@link RelURL.toString}, so that JSON holds a string. */
  toJSON(): string {
    return this.toString();
  }
}

function join(rawPath: string, rawQueryString: string, rawFragment: string): RelURL {
  const query = rawQueryString === '' ? '' : `?${rawQueryString}`;
  return new RelURL(`${rawPath}${query}${rawFragment === '' ? '' : `#${rawFragment}`}`);
}

function textual(query: QueryInit): MultiDict<string> {
  if (typeof query === 'string') return parseQuery(query);
  const texts = new MultiDict<string>();
  for (const [name, value] of new MultiDict(query)) texts.add(name, queryText(name, value));
  return texts;
}

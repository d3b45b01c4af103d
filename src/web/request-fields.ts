import type { Socket } from 'node:net';
import {
  type CIMultiDictProxy,
  type ETag,
  type ForwardedElement,
  type HttpVersion,
  type MultiDictProxy,
  parseCookies,
  parseETags,
  parseForwarded,
  parseHttpDate,
  parseMediaType,
  parseQuery,
  RelURL,
} from '../message/index.ts';
import type { Exchange, ExchangeOwner, RequestHead } from '../net/index.ts';
import type { Application } from './application.ts';
import { HTTPBadRequest } from './http-exceptions.ts';
import type { Match } from './match.ts';
import { type ExtraInfo, extraInfo } from './request-extra-info.ts';
import { RequestExtras } from './request-extras.ts';
import { type HttpRange, parseHttpRange } from './request-range.ts';
import { targetAuthority, targetPath, targetReference } from './request-target.ts';
import type { StreamResponse } from './stream-response.ts';

/** What a request says before its body. Nothing is parsed before it is asked for. */
export abstract class RequestFields implements ExchangeOwner {
  /** The method as received, usually upper case. */
  readonly method: string;
  /** The request-target as received: path and query for most requests (RFC 9112 §3.2). */
  readonly rawPath: string;
  /** @internal */
  _exchange: Exchange;
  /** @internal */
  _head: RequestHead;
  /** @internal The application whose code runs now. */
  _app: Application | undefined;
  /** @internal Set once the request was routed. */
  _match: Match | undefined;
  /** @internal The response being sent. */
  _response: StreamResponse | undefined;
  /** @internal Why the exchange failed. */
  _failure: Error | undefined;
  /** @internal The whole body, once read. */
  _bytes: Uint8Array | undefined;
  /** @internal */
  _routePath: string | undefined;
  /** @internal */
  _query: MultiDictProxy | undefined;
  /** @internal What few requests need. */
  _extras: RequestExtras | undefined;

  /** Made by the application, not by handlers. */
  constructor(exchange: Exchange) {
    const head = exchange.head;
    this.method = head.method;
    this.rawPath = head.target;
    this._exchange = exchange;
    this._head = head;
    this._app = undefined;
    this._match = undefined;
    this._response = undefined;
    this._failure = undefined;
    this._bytes = undefined;
    this._routePath = undefined;
    this._query = undefined;
    this._extras = undefined;
    exchange.owner = this;
  }

  /** Version of HTTP that the client speaks. */
  get version(): HttpVersion {
    return this._head.version;
  }

  /** Header fields: case-insensitive, in order. */
  get headers(): CIMultiDictProxy {
    return this._extras?.headers ?? this._head.headers;
  }

  /** Names and values as received: `[name, value, name, value …]`. */
  get rawHeaders(): readonly string[] {
    return this.headers.raw;
  }

  /** @internal One field by its lower-case name, without building the container. */
  _header(name: string): string | undefined {
    const headers = this._extras?.headers;
    return headers === undefined ? this._head.header(name) : headers.get(name);
  }

  /** `'https'` when the connection is encrypted, else `'http'`. Proxies' fields are not trusted; see `clone()`. */
  get scheme(): string {
    return this._extras?.scheme ?? (this._exchange.secure ? 'https' : 'http');
  }

  /** Whether `scheme` is `'https'`. */
  get secure(): boolean {
    return this.scheme === 'https';
  }

  /**
   * Host, with the port where the client names one: from the target in absolute form, else from `Host`, else the address of
   * the server (RFC 9112 §3.2.2). It is the client's claim.
   */
  get host(): string {
    const { host, headers } = this._extras ?? {};
    if (host !== undefined) return host;
    const named =
      targetAuthority(this.rawPath) ?? (headers ? headers.get('host') : this._head.header('host'));
    if (named !== undefined && named !== '') return named;
    const local = this._exchange.local;
    if (local === undefined) return 'localhost';
    return `${local.address.includes(':') ? `[${local.address}]` : local.address}:${local.port}`;
  }

  /** Address of the peer, which may be a proxy; `undefined` where the transport has none. */
  get remote(): string | undefined {
    return this._extras?.remote ?? this._exchange.remote?.address;
  }

  /** The elements of `Forwarded` (RFC 7239), from the client's side to ours. Never trust them without knowing the proxy. */
  get forwarded(): readonly ForwardedElement[] {
    return parseForwarded(this.headers.getAll('Forwarded'));
  }

  /** Path and query, decoded on demand. */
  get relUrl(): RelURL {
    const extras = this._touchExtras();
    extras.relUrl ??= new RelURL(targetReference(this.rawPath));
    return extras.relUrl;
  }

  /**
   * The whole URL that was asked for.
   *
   * @throws HTTPBadRequest when the host that the client names cannot stand in a URL.
   */
  get url(): URL {
    const text = `${this.scheme}://${this.host}${targetReference(this.rawPath)}`;
    try {
      return new URL(text);
    } catch (cause) {
      throw new HTTPBadRequest({ text: 'The Host of the request is not valid.', cause });
    }
  }

  /** Decoded path. */
  get path(): string {
    return this.relUrl.path;
  }

  /** Path and query, percent-encoded. */
  get pathQs(): string {
    return this.relUrl.rawPathQs;
  }

  /** @internal The path as routes are matched with: decoded, but for `%2F` and `%25`. */
  get routePath(): string {
    this._routePath ??= targetPath(this.rawPath);
    return this._routePath;
  }

  /** Parameters of the query, decoded; repeats are kept. `?flag` is `''`. */
  get query(): MultiDictProxy {
    if (this._query === undefined) {
      const start = this.rawPath.indexOf('?');
      this._query = parseQuery(start < 0 ? '' : this.rawPath.slice(start + 1));
    }
    return this._query;
  }

  /** The query as text, decoded. */
  get queryString(): string {
    return this.relUrl.queryString;
  }

  /** Cookies by name. What is malformed is skipped. */
  get cookies(): MultiDictProxy {
    const extras = this._touchExtras();
    // Several Cookie fields are one list (RFC 9113 §8.2.3), which `'; '` joins and not `', '`.
    extras.cookies ??= parseCookies(this.headers.getAll('Cookie').join('; '));
    return extras.cookies;
  }

  /** Media type without parameters, in lower case; `'application/octet-stream'` when missing or malformed. */
  get contentType(): string {
    const value = this._header('content-type');
    return (value === undefined ? undefined : parseMediaType(value)?.type) ?? 'application/octet-stream';
  }

  /** The `charset` of Content-Type. */
  get charset(): string | undefined {
    const value = this._header('content-type');
    return value === undefined ? undefined : parseMediaType(value)?.charset;
  }

  /** Content-Length; `undefined` when the client did not tell. */
  get contentLength(): number | undefined {
    const value = this._header('content-length');
    return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
  }

  /** `If-Modified-Since`; `undefined` when absent or no date. */
  get ifModifiedSince(): Date | undefined {
    return toDate(this._header('if-modified-since'));
  }

  /** `If-Unmodified-Since`; `undefined` when absent or no date. */
  get ifUnmodifiedSince(): Date | undefined {
    return toDate(this._header('if-unmodified-since'));
  }

  /** `If-Range`: a tag or a date (RFC 9110 §13.1.5). */
  get ifRange(): ETag | Date | undefined {
    const value = this._header('if-range');
    if (value === undefined) return undefined;
    return /^(?:W\/)?"/.test(value) ? parseETags(value)[0] : toDate(value);
  }

  /** Tags of `If-Match`; `*` is the tag of value `'*'`. */
  get ifMatch(): readonly ETag[] | undefined {
    const value = this._header('if-match');
    return value === undefined ? undefined : parseETags(value);
  }

  /** Tags of `If-None-Match`; `*` is the tag of value `'*'`. */
  get ifNoneMatch(): readonly ETag[] | undefined {
    const value = this._header('if-none-match');
    return value === undefined ? undefined : parseETags(value);
  }

  /**
   * The part that `Range` asks for, as `bytes.subarray(start, stop)` takes it: `bytes=0-4` is `{ start: 0, stop: 5 }`, `bytes=-5` is
   * `{ start: -5 }`. Both are `undefined` when there is no range, several, or one of another unit: the whole is to be sent.
   *
   * @throws HTTPRequestRangeNotSatisfiable when the field is malformed or asks for the last 0 bytes.
   */
  get httpRange(): HttpRange {
    return parseHttpRange(this._header('range'));
  }

  /** Whether the connection may serve another request after this one. */
  get keepAlive(): boolean {
    return this._exchange.keepAlive;
  }

  /** The socket below, where the transport has one. Reading from it or writing to it breaks the exchange. */
  get transport(): Socket | undefined {
    return this._exchange.socket;
  }

  /**
   * What else the transport knows: `'peername'`, `'sockname'`, `'socket'`, and with TLS `'cipher'`, `'peercert'`, `'alpn'`.
   */
  getExtraInfo<K extends keyof ExtraInfo>(name: K): ExtraInfo[K] | undefined {
    return extraInfo(this._exchange, name);
  }

  /** @internal */
  _touchExtras(): RequestExtras {
    this._extras ??= new RequestExtras();
    return this._extras;
  }

  abstract exchangeDone(error: Error | undefined): void;
  abstract exchangeTimedOut(): void;
  abstract clientEnded(): void;
}

function toDate(value: string | undefined): Date | undefined {
  const time = value === undefined ? undefined : parseHttpDate(value);
  return time === undefined ? undefined : new Date(time);
}

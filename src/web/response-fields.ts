import {
  CIMultiDict,
  codedRangeError,
  ETag,
  formatETag,
  formatHttpDate,
  isReasonPhrase,
  type MediaType,
  parseETags,
  parseHttpDate,
  parseMediaType,
} from '../message/index.ts';
import type { ResponseHead } from '../net/index.ts';
import type { BaseRequest } from './base-request.ts';
import {
  type CookieOptions,
  type DeleteCookieOptions,
  deleteCookie,
  listCookies,
  setCookie,
} from './cookies.ts';
import { ExchangeStateError } from './exchange-errors.ts';
import type { ResponseKey } from './message-key.ts';
import { type ContentCoding, type EnableCompressionOptions, ResponseCoding } from './response-coding.ts';

/** What a container of headers can be made of: pairs, a plain object, a `Map`, platform `Headers`, another multidict. */
export type HeadersInput = NonNullable<ConstructorParameters<typeof CIMultiDict>[0]>;

/** What every response can be made with. */
export interface StreamResponseOptions {
  /** Status code, 100 to 599; 200 when left out. */
  readonly status?: number | undefined;
  /** Reason phrase; the standard one for the status when left out. */
  readonly reason?: string | undefined;
  /** The response's own header fields. They are copied. */
  readonly headers?: HeadersInput | undefined;
}

/** What a body is when nobody says it. */
export const OCTETS = 'application/octet-stream';

/** Nothing was sent yet. */
export const NEW = 0;
/** The head is being made: signals run. */
export const STARTING = 1;
/** The head was sent, pieces of the body may follow. */
export const STARTED = 2;
/** The answer is complete. */
export const ENDED = 3;

/** What a response says before its body, and what is kept on it. */
export abstract class ResponseFields implements ResponseHead {
  /** Status code. Changed with {@link setStatus}. */
  readonly status: number;
  /** The reason phrase that was given; `undefined` stands for the standard one. */
  readonly reason: string | undefined;
  /** For the transport: the fields set on this response, `undefined` while there are none: a plain answer never makes a container. */
  ownHeaders: CIMultiDict | undefined;
  /** For the transport: Content-Type of an answer whose headers nobody touched. */
  contentTypeField: string | undefined;
  /** For the transport: see {@link ResponseHead.defaultsSet}. */
  defaultsSet: boolean;
  /** @internal */
  _state: number;
  /** @internal The request that is answered, once `prepare` was called. */
  _request: BaseRequest | undefined;
  /** @internal */
  _closing: boolean;
  /** @internal */
  _chunked: boolean;
  /** @internal */
  _trailers: CIMultiDict | undefined;
  /** @internal How the body is compressed, or is to be. */
  _coding: ResponseCoding | undefined;
  /** @internal Bytes of the body written so far. */
  _written: number;
  /** @internal */
  _storage: Map<unknown, unknown> | undefined;

  /**
   * @throws RangeError when the status is not an integer from 100 to 599 or the reason could not stand in a status line.
   */
  constructor(options?: StreamResponseOptions) {
    this.status = 200;
    this.reason = undefined;
    this.ownHeaders = undefined;
    this.contentTypeField = undefined;
    this.defaultsSet = false;
    this._state = NEW;
    this._request = undefined;
    this._closing = false;
    this._chunked = false;
    this._trailers = undefined;
    this._coding = undefined;
    this._written = 0;
    this._storage = undefined;
    if (options !== undefined) {
      if (options.status !== undefined) this.status = checkStatus(options.status);
      if (options.reason !== undefined) this.reason = checkReason(options.reason);
      if (options.headers !== undefined) this.ownHeaders = new CIMultiDict(options.headers);
    }
  }

  /** Whether the head was sent, or is about to be: status and headers cannot change any more. */
  get prepared(): boolean {
    return this._state >= STARTED;
  }

  /**
   * Changes the status; the reason becomes the standard one unless given.
   *
   * @throws ExchangeStateError once the head was sent (`AIO_RESPONSE_PREPARED`).
   */
  setStatus(status: number, reason?: string): void {
    this._mustBeOpen('the status');
    const self = this as { status: number; reason: string | undefined };
    self.status = checkStatus(status);
    self.reason = reason === undefined ? undefined : checkReason(reason);
  }

  /** Header fields, made on first touch. What is set after the head was sent has no effect. */
  get headers(): CIMultiDict {
    return this.ownHeaders ?? this._makeHeaders();
  }

  /** @internal */
  _makeHeaders(): CIMultiDict {
    const headers = new CIMultiDict();
    if (this.contentTypeField !== undefined) {
      headers.set('Content-Type', this.contentTypeField);
      this.contentTypeField = undefined;
    }
    this.ownHeaders = headers;
    return headers;
  }

  /** The cookies that this response sets: name to the whole `Set-Cookie` line. */
  get cookies(): ReadonlyMap<string, string> {
    return listCookies(this.ownHeaders);
  }

  /**
   * Sets a cookie. A later call for the same name replaces the earlier one.
   *
   * @throws RangeError when name, value or an attribute cannot stand in a `Set-Cookie` line (RFC 6265bis §4.1).
   * @example
   * ```ts
   * response.setCookie('theme', 'dark', { httpOnly: true, sameSite: 'Lax' });
   * ```
   */
  setCookie(name: string, value: string, options?: CookieOptions): void {
    this._mustBeOpen('cookies');
    setCookie(this.headers, name, value, options);
  }

  /** Makes the client forget a cookie. `domain` and `path` must be those it was set with. */
  delCookie(name: string, options?: DeleteCookieOptions): void {
    this._mustBeOpen('cookies');
    deleteCookie(this.headers, name, options);
  }

  /** Media type without parameters; `'application/octet-stream'` when none was set. */
  get contentType(): string {
    return this._mediaType()?.type ?? OCTETS;
  }

  set contentType(value: string) {
    this._mustBeOpen('the content type');
    this._setMediaType(value, this.charset);
  }

  /** The `charset` parameter of Content-Type, in lower case. */
  get charset(): string | undefined {
    return this._mediaType()?.parameters.get('charset')?.toLowerCase();
  }

  set charset(value: string | undefined) {
    this._mustBeOpen('the charset');
    const type = this.contentType;
    if (value !== undefined && type === OCTETS) {
      throw codedRangeError(
        'AIO_CONTENT_TYPE',
        `A charset (${JSON.stringify(value)}) has no meaning for application/octet-stream: set contentType first, for example to 'text/plain'.`,
      );
    }
    this._setMediaType(type, value);
  }

  /** The declared number of bytes of the body; `undefined` when not declared. */
  get contentLength(): number | undefined {
    return this._declaredLength();
  }

  set contentLength(value: number | undefined) {
    this._mustBeOpen('Content-Length');
    if (value === undefined) {
      this.ownHeaders?.delete('Content-Length');
      return;
    }
    if (!Number.isSafeInteger(value) || value < 0) {
      throw codedRangeError(
        'AIO_CONTENT_LENGTH',
        `contentLength must be a whole number of bytes, 0 or more; got ${String(value)}.`,
      );
    }
    if (this._chunked) throw chunkedWithLength();
    this.headers.set('Content-Length', String(value));
  }

  /** `Last-Modified`. Fractions of a second are rounded up, so that a later comparison never finds the resource newer than it is. */
  get lastModified(): Date | undefined {
    const value = this.ownHeaders?.get('Last-Modified');
    const time = value === undefined ? undefined : parseHttpDate(value);
    return time === undefined ? undefined : new Date(time);
  }

  /** A date, milliseconds since 1970, or a finished field value. */
  set lastModified(value: Date | number | string | undefined) {
    this._mustBeOpen('Last-Modified');
    if (value === undefined) {
      this.ownHeaders?.delete('Last-Modified');
      return;
    }
    if (typeof value === 'string') {
      if (parseHttpDate(value) === undefined) {
        throw codedRangeError(
          'AIO_HTTP_DATE',
          `lastModified is not an HTTP date (RFC 9110 §5.6.7): ${JSON.stringify(value)}.`,
        );
      }
      this.headers.set('Last-Modified', value);
      return;
    }
    const time = typeof value === 'number' ? value : value.getTime();
    if (!Number.isFinite(time)) throw codedRangeError('AIO_HTTP_DATE', 'lastModified is not a valid date.');
    this.headers.set('Last-Modified', formatHttpDate(Math.ceil(time / 1000) * 1000));
  }

  /** The entity tag (RFC 9110 §8.8.3). */
  get etag(): ETag | undefined {
    const value = this.ownHeaders?.get('ETag');
    return value === undefined ? undefined : parseETags(value)[0];
  }

  /**
   * A tag, or its value without the quotes (a strong one then).
   *
   * @throws RangeError when the value holds a character that an entity tag cannot.
   */
  set etag(value: ETag | string | undefined) {
    this._mustBeOpen('ETag');
    if (value === undefined) this.ownHeaders?.delete('ETag');
    else this.headers.set('ETag', formatETag(typeof value === 'string' ? new ETag(value) : value));
  }

  /** Whether {@link enableChunkedEncoding} was called. */
  get chunked(): boolean {
    return this._chunked;
  }

  /**
   * Sends the body in pieces of unknown number, whatever is known of its length (RFC 9112 §7.1). Only HTTP/1.1 has
   * this coding; transports that frame by themselves ignore the wish.
   *
   * @throws ExchangeStateError when Content-Length was set (`AIO_RESPONSE_FRAMING`); `prepare` throws it for HTTP/1.0.
   */
  enableChunkedEncoding(): void {
    this._mustBeOpen('the framing');
    if (this.ownHeaders?.has('Content-Length') === true) throw chunkedWithLength();
    this._chunked = true;
  }

  /** The coding that {@link enableCompression} was called with, or that the body is sent in; `undefined`: none, or it is not chosen yet. */
  get compression(): ContentCoding | undefined {
    return this._coding?.name;
  }

  /**
   * Compresses the body. Without a coding the client's `Accept-Encoding` chooses one (RFC 9110 §12.5.3) and `Vary` says so; with one it is used
   * whatever the client says. `'identity'` keeps the body as it is, also behind a `compressionMiddleware`. Nothing happens to bodies that have a
   * Content-Encoding already, to parts (206) and where `Cache-Control: no-transform` is set.
   *
   * @throws RangeError when this Node does not know the coding (`AIO_CONTENT_CODING`) or the coding not the level (`AIO_COMPRESSION_LEVEL`)
   * @throws ExchangeStateError once the head was sent, or while `onResponsePrepare` runs (`AIO_RESPONSE_PREPARED`)
   * @example
   * ```ts
   * const report = new web.Response({ text: 'a long text' });
   * report.enableCompression();
   * ```
   */
  enableCompression(coding?: ContentCoding, options?: EnableCompressionOptions): void {
    if (this._state === STARTING) throw preparing();
    this._mustBeOpen('the content coding');
    this._coding = new ResponseCoding(coding, options);
  }

  /** A value kept on this response. */
  get<T>(key: ResponseKey<T>): T | undefined;
  get(key: string): unknown;
  get(key: unknown): unknown {
    return this._storage?.get(key);
  }

  /** Keeps a value on this response, for the middlewares and signals that see it later. */
  set<T>(key: ResponseKey<T>, value: NoInfer<T>): void;
  set(key: string, value: unknown): void;
  set(key: unknown, value: unknown): void {
    this._storage ??= new Map();
    this._storage.set(key, value);
  }

  /** Whether a value is kept under this key. */
  has(key: ResponseKey<unknown> | string): boolean;
  has(key: unknown): boolean {
    return this._storage?.has(key) ?? false;
  }

  /** Drops the value kept under this key; tells whether there was one. */
  delete(key: ResponseKey<unknown> | string): boolean;
  delete(key: unknown): boolean {
    return this._storage?.delete(key) ?? false;
  }

  /** @internal */
  _mustBeOpen(what: string): void {
    if (this._state < STARTED) return;
    throw new ExchangeStateError(
      'AIO_RESPONSE_PREPARED',
      `Cannot change ${what}: the head of this response was already sent. Change it before prepare() or before returning the response.`,
    );
  }

  /** @internal Content-Length as it was set. */
  _declaredLength(): number | undefined {
    const value = this.ownHeaders?.get('Content-Length');
    if (value === undefined) return undefined;
    return /^\d{1,15}$/.test(value) ? Number(value) : undefined;
  }

  /** @internal */
  _mediaType(): MediaType | undefined {
    const value = this.contentTypeField ?? this.ownHeaders?.get('Content-Type');
    return value === undefined ? undefined : parseMediaType(value);
  }

  /** @internal Content-Type of a body that brings its own; one that was set stays. */
  _defaultType(value: string): void {
    if (this.ownHeaders === undefined) this.contentTypeField ??= value;
    else if (!this.ownHeaders.has('Content-Type')) this.ownHeaders.set('Content-Type', value);
  }

  /** @internal */
  _setMediaType(type: string, charset: string | undefined): void {
    const value = contentTypeValue(type, charset);
    if (this.ownHeaders === undefined) this.contentTypeField = value;
    else this.ownHeaders.set('Content-Type', value);
  }
}

/** `type; charset=…`, refused when it would not be a media type. */
export function contentTypeValue(type: string, charset: string | undefined): string {
  const value = charset === undefined ? type : `${type}; charset=${charset}`;
  if (parseMediaType(value) === undefined) {
    throw codedRangeError(
      'AIO_MEDIA_TYPE',
      `Not a media type (RFC 9110 §8.3.1): ${JSON.stringify(value)}. An example of one is 'text/plain'.`,
    );
  }
  return value;
}

/** Statuses whose answer ends with the head (RFC 9112 §6.3, rule 1). */
export function hasNoBody(status: number): boolean {
  return status === 204 || status === 304 || status < 200;
}

/** Statuses that must not carry Content-Length (RFC 9110 §8.6). */
export function forbidsLength(status: number): boolean {
  return status === 204 || status < 200;
}

function checkStatus(status: number): number {
  if (!Number.isInteger(status) || status < 100 || status > 599) {
    throw codedRangeError('AIO_STATUS', `status must be an integer from 100 to 599, got ${String(status)}.`);
  }
  return status;
}

export function checkReason(reason: string): string {
  if (!isReasonPhrase(reason)) {
    throw codedRangeError(
      'AIO_REASON',
      `Not a reason phrase (RFC 9112 §4: no line breaks, no control characters, latin1 only): ${JSON.stringify(reason)}.`,
    );
  }
  return reason;
}

function preparing(): ExchangeStateError {
  return new ExchangeStateError(
    'AIO_RESPONSE_PREPARED',
    'The content coding is chosen before onResponsePrepare runs: call enableCompression() in the handler or in a middleware.',
  );
}

function chunkedWithLength(): ExchangeStateError {
  return new ExchangeStateError(
    'AIO_RESPONSE_FRAMING',
    'A body is either chunked or has a Content-Length, not both (RFC 9112 §6.2): remove one of them.',
  );
}

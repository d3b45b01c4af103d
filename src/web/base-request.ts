import {
  type CIMultiDictProxy,
  type MultiDictProxy,
  type MultipartLimitOptions,
  type MultipartReader,
  StreamReader,
} from '../message/index.ts';
import type { Exchange } from '../net/index.ts';
import { CLOSED_EXCHANGE, isClosed } from './closed-exchange.ts';
import { ClientDisconnectedError, ExchangeStateError } from './exchange-errors.ts';
import type { HTTPException } from './http-exceptions.ts';
import type { RequestKey } from './message-key.ts';
import { DEFAULT_CLIENT_MAX_SIZE, limitBody, parseJson, readWhole, strictText } from './request-body.ts';
import { applyOverrides, type CloneOverrides } from './request-extras.ts';
import { RequestFields } from './request-fields.ts';
import { type FormEntry, type PostOptions, readForm, readMultipart } from './request-form.ts';
import type { StreamResponse } from './stream-response.ts';

const NO_BYTES = new Uint8Array(0);

/** Options of `request.json()`. */
export interface JsonOptions<T> {
  /** Turns the text into data; `JSON.parse` when left out. What it throws is answered with 400. */
  readonly loads?: ((text: string) => T) | undefined;
  /** Media type that the request must have (400 otherwise); any when left out. */
  readonly contentType?: string | undefined;
}

/**
 * A request as it came, without an application around it: what the handler of a low-level `web.Server` gets.
 *
 * Nothing is parsed before it is asked for. After the answer was sent, what was not read yet is gone.
 *
 * aiohttp: `web.BaseRequest`.
 */
export class BaseRequest extends RequestFields {
  /**
   * Aborts when the client goes away before the answer is complete, and when the handler takes longer than `handlerTimeout`.
   * Give it to what the handler waits for. Made on first touch.
   *
   * @example
   * ```ts
   * const rows = await fetch(upstream, { signal: request.signal });
   * ```
   */
  get signal(): AbortSignal {
    const extras = this._touchExtras();
    if (extras.origin !== undefined) return extras.origin.signal;
    if (extras.controller === undefined) {
      extras.controller = new AbortController();
      const reason = this._failure ?? extras.abortReason;
      if (reason !== undefined) extras.controller.abort(reason);
    }
    return extras.controller.signal;
  }

  /** Largest body, in bytes, that `read`, `text` and `json` take; 0 means no limit. Changed with `clone()`. */
  get clientMaxSize(): number {
    return this._extras?.clientMaxSize ?? this._app?.clientMaxSize ?? DEFAULT_CLIENT_MAX_SIZE;
  }

  /** Whether the client sends a body. */
  get bodyExists(): boolean {
    return this._bytes !== undefined ? this._bytes.byteLength !== 0 : this._exchange.body !== undefined;
  }

  /** Whether something of the body is still to be read. */
  get canReadBody(): boolean {
    if (this._bytes !== undefined) return false;
    const body = this._extras?.content ?? this._exchange.body;
    return body instanceof Uint8Array ? body.byteLength !== 0 : body !== undefined && !body.atEof();
  }

  /**
   * The body as a stream, for bodies that are too large for memory; `clientMaxSize` does not apply to it. It pauses the client
   * when nobody reads.
   *
   * @example
   * ```ts
   * for await (const chunk of request.content) hash.update(chunk);
   * ```
   */
  get content(): StreamReader {
    const extras = this._touchExtras();
    if (extras.content === undefined) {
      const body = this._bytes === undefined ? this._exchange.body : NO_BYTES;
      if (body instanceof StreamReader) this._exchange.sendContinue();
      if (extras.decoding !== undefined && this._bytes === undefined) {
        extras.content = extras.decoding.stream(this, body ?? NO_BYTES);
      } else {
        extras.content = body instanceof StreamReader ? body : StreamReader.from(body ?? NO_BYTES);
      }
    }
    return extras.content;
  }

  /** Trailer fields (RFC 9110 §6.5); `undefined` when there are none or the body was not read to its end. */
  get trailers(): CIMultiDictProxy | undefined {
    return this._exchange.trailers;
  }

  /**
   * The whole body. Read once, kept for further calls.
   *
   * @throws HTTPRequestEntityTooLarge (413) when it is larger than `clientMaxSize`; no more than that is ever kept.
   * @throws PayloadAccessError when the answer was sent already.
   */
  read(): Promise<Uint8Array> {
    try {
      const bytes = this._readNow();
      return bytes === undefined ? this._readLater() : Promise.resolve(bytes);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The body as text, decoded by the charset of its Content-Type, or utf-8.
   *
   * @throws HTTPBadRequest (400) when the bytes are not text in that charset, HTTPUnsupportedMediaType (415) when it is unknown.
   */
  text(): Promise<string> {
    return this._parseBody((bytes) => strictText(bytes, this.charset));
  }

  /**
   * The body as JSON.
   *
   * A member called `__proto__` is refused: code that copies such data from object to object would change prototypes
   * (give `loads: JSON.parse` to have it). The type parameter is a promise of yours, nothing checks it.
   *
   * @throws HTTPBadRequest (400) when the body is not JSON; `cause` is the parser's error.
   * @example
   * ```ts
   * const { name } = await request.json<{ name: string }>();
   * ```
   */
  json<T = unknown>(options?: JsonOptions<T>): Promise<T> {
    return this._parseBody((bytes) => parseJson<T>(bytes, this, options));
  }

  /**
   * The form that the body is: `application/x-www-form-urlencoded` or `multipart/form-data`. Read once, kept for further calls (whose options say
   * nothing any more). Empty for other types, and for methods other than POST, PUT, PATCH, DELETE and TRACE.
   *
   * A field is a string; one with a file name is a {@link FileField}, which is gone when the answer was sent. The body may have
   * `clientMaxSize` bytes; {@link PostOptions} has limits for parts.
   *
   * @throws HTTPRequestEntityTooLarge (413) beyond a limit, HTTPBadRequest (400) for a malformed form, HTTPUnsupportedMediaType (415) for an
   *   unknown charset; `cause` tells more.
   * @example
   * ```ts
   * const form = await request.post();
   * const title = form.get('title');
   * const pictures = form.getAll('picture').filter((value) => value instanceof web.FileField);
   * ```
   */
  post(options: PostOptions = {}): Promise<MultiDictProxy<FormEntry>> {
    const extras = this._touchExtras();
    extras.form ??= readForm(this, options);
    return extras.form;
  }

  /**
   * A reader for the parts of a multipart body, for what is too large or too special for `post()`. `clientMaxSize` bounds what is gathered of one
   * part; reading a part piece by piece is not limited but by `maxPartSize` and `maxSize`.
   *
   * @throws HTTPBadRequest (400) when the body is no multipart. The reader throws 400 and 413 in place of `MultipartError`.
   * @example
   * ```ts
   * for await (const part of await request.multipart()) {
   *   if (part instanceof web.MultipartReader) continue;
   *   for await (const piece of part) hash.update(piece);
   * }
   * ```
   */
  multipart(options: MultipartLimitOptions = {}): Promise<MultipartReader> {
    return readMultipart(this, options);
  }

  /** Reads what is left of the body and forgets it, so that the connection can serve the next request soon. */
  async release(): Promise<void> {
    if (this._bytes !== undefined) return;
    const body = this._extras?.content ?? this._exchange.body;
    if (!(body instanceof StreamReader)) return;
    while ((await body.readAny()) !== undefined);
  }

  /** @internal The body if all of it is here. */
  _readNow(limit: number = this.clientMaxSize): Uint8Array | undefined {
    if (this._bytes !== undefined) return this._bytes;
    if (this._extras?.reading !== undefined) return undefined;
    let body = this._extras?.content ?? this._exchange.body;
    if (body === undefined) body = NO_BYTES;
    else if (!(body instanceof Uint8Array)) {
      body = body.readAllNow();
      if (body === undefined) return undefined;
    }
    if (this._extras?.decoding !== undefined && this._extras.content === undefined) {
      const decoded = this._extras.decoding.now(body);
      if (decoded === undefined) {
        this._extras.content = this._extras.decoding.stream(this, body);
        return undefined;
      }
      body = decoded;
    }
    limitBody(body.byteLength, limit);
    this._bytes = body;
    return body;
  }

  /** @internal */
  _readLater(limit: number = this.clientMaxSize): Promise<Uint8Array> {
    const extras = this._touchExtras();
    extras.reading ??= this._readStream(limit);
    return extras.reading;
  }

  /** @internal */
  async _readStream(limit: number): Promise<Uint8Array> {
    // The length of a body that is decoded is another one.
    if (this._extras?.decoding === undefined) limitBody(this.contentLength ?? 0, limit);
    this._bytes = await readWhole(this.content, limit);
    return this._bytes;
  }

  /** @internal One promise for a body that is here, one more for one that is not. */
  _parseBody<T>(parse: (bytes: Uint8Array) => T): Promise<T> {
    try {
      const bytes = this._readNow();
      return bytes === undefined ? this._readLater().then(parse) : Promise.resolve(parse(bytes));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** A value kept on this request. */
  get<T>(key: RequestKey<T>): T | undefined;
  get(key: string): unknown;
  get(key: unknown): unknown {
    return this._extras?.storage?.get(key);
  }

  /** Keeps a value on this request, for the middlewares, handlers and signals that see it later. */
  set<T>(key: RequestKey<T>, value: NoInfer<T>): void;
  set(key: string, value: unknown): void;
  set(key: unknown, value: unknown): void {
    const extras = this._touchExtras();
    extras.storage ??= new Map();
    extras.storage.set(key, value);
  }

  /** Whether a value is kept under this key. */
  has(key: RequestKey<unknown> | string): boolean {
    return this._extras?.storage?.has(key) ?? false;
  }

  /** Drops the value kept under this key; tells whether there was one. */
  delete(key: RequestKey<unknown> | string): boolean {
    return this._extras?.storage?.delete(key) ?? false;
  }

  /**
   * Calls `callback` once when the exchange is over: the answer was sent, or the error it gets ended it. At once when it is over already.
   * For what must be released however the request ends; what the callback throws is an uncaught exception.
   *
   * aiohttp: `request.task.add_done_callback`.
   *
   * @example
   * ```ts
   * const work = setInterval(() => console.log(request.path), 1_000);
   * request.onDone(() => clearInterval(work));
   * ```
   */
  onDone(callback: (error: Error | undefined) => void): void {
    const origin = this._origin;
    if (isClosed(origin._exchange)) {
      callback(origin._failure);
      return;
    }
    const extras = origin._touchExtras();
    extras.onDone ??= [];
    extras.onDone.push(callback);
  }

  /**
   * The same request with some parts replaced, for a middleware to hand on. It has a copy of the kept values.
   *
   * @throws ExchangeStateError `AIO_REQUEST_ALREADY_READ` after the body was read, `AIO_REQUEST_OVER` after the answer was sent.
   * @example
   * ```ts
   * const behindProxy = (request: web.Request) => request.clone({ scheme: 'https', remote: clientAddress });
   * ```
   */
  clone(overrides: CloneOverrides = {}): BaseRequest {
    return this._cloneInto((exchange) => new BaseRequest(exchange), overrides);
  }

  /** @internal */
  _cloneInto<R extends BaseRequest>(make: (exchange: Exchange) => R, overrides: CloneOverrides): R {
    const { reading, form } = this._extras ?? {};
    if (this._bytes !== undefined || reading !== undefined || form !== undefined) {
      throw new ExchangeStateError(
        'AIO_REQUEST_ALREADY_READ',
        'A request cannot be cloned after its body was read: clone it first.',
      );
    }
    const exchange = this._exchange;
    const owner = exchange.owner;
    const copy = make(exchange);
    exchange.owner = owner;
    copy._app = this._app;
    copy._match = this._match;
    applyOverrides(copy, this, overrides);
    const shared = this._origin._touchExtras();
    shared.clones ??= [];
    shared.clones.push(copy);
    return copy;
  }

  /** The request as it came: this one, or the one that it was cloned from. Values kept on it are found from every clone. */
  get original(): BaseRequest {
    return this._origin;
  }

  /** @internal The request that owns the exchange: this one, or what it was cloned from. */
  get _origin(): BaseRequest {
    return this._extras?.origin ?? this;
  }

  /** What was wrong with a request that could not be parsed; `undefined` for all that could. */
  get preHandlerError(): HTTPException | undefined {
    return this._extras?.preHandlerError;
  }

  /** @internal */
  set _preHandlerError(error: HTTPException) {
    this._touchExtras().preHandlerError = error;
  }

  /**
   * Calls `callback` just before the head of the answer is sent, after `app.onResponsePrepare`; what it returns is waited for, and what it throws
   * ends the answer; it is called again for the one that takes its place. For a middleware whose work must be done before the client hears anything, also when the handler sends its answer by itself.
   *
   * @example
   * ```ts
   * request.onPrepare((response) => response.headers.set('X-Request-Id', 'a1'));
   * ```
   */
  onPrepare(callback: (response: StreamResponse) => unknown): void {
    const extras = this._origin._touchExtras();
    extras.onPrepare ??= [];
    extras.onPrepare.push(callback);
  }

  /** @internal */
  get _hasPrepareSignal(): boolean {
    return this._origin._extras?.onPrepare !== undefined;
  }

  /** @internal */
  _runPrepareSignals(response: StreamResponse): Promise<void> | undefined {
    const callbacks = this._origin._extras?.onPrepare;
    return callbacks === undefined ? undefined : callEach(callbacks, response);
  }

  /** For the transport: the exchange ended; it belongs to the next request now. */
  exchangeDone(error: Error | undefined): void {
    this._exchange = CLOSED_EXCHANGE;
    const extras = this._extras;
    if (error !== undefined) {
      this._failure = error;
      this._response?._exchangeFailed(error);
      extras?.controller?.abort(error);
    }
    if (extras?.clones !== undefined) for (const clone of extras.clones) clone.exchangeDone(error);
    if (extras?.onDone !== undefined) {
      // Not in this turn: the transport is in the middle of its own end, and no callback may disturb it.
      for (const callback of extras.onDone) queueMicrotask(() => callback(error));
      extras.onDone = undefined;
    }
  }

  /** For the transport: the client ended its side: whoever waits on its behalf should stop. */
  clientEnded(): void {
    const extras = this._touchExtras();
    extras.abortReason = new ClientDisconnectedError('The client ended the connection.');
    extras.controller?.abort(extras.abortReason);
  }

  /** For the transport: the handler took longer than allowed. */
  exchangeTimedOut(): void {
    const extras = this._touchExtras();
    extras.abortReason = new DOMException('The handler took longer than handlerTimeout.', 'TimeoutError');
    extras.controller?.abort(extras.abortReason);
  }
}

async function callEach(
  callbacks: readonly ((response: StreamResponse) => unknown)[],
  response: StreamResponse,
): Promise<void> {
  for (const callback of callbacks) await callback(response);
}

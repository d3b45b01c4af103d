import { CIMultiDict, codedTypeError, formatHttpDate, type Payload } from '../message/index.ts';
import type { Exchange } from '../net/index.ts';
import type { BaseRequest } from './base-request.ts';
import type { BodyEncoder } from './body-encoder.ts';
import { ClientDisconnectedError, ExchangeStateError } from './exchange-errors.ts';
import { ResponseCoding } from './response-coding.ts';
import {
  ENDED,
  forbidsLength,
  hasNoBody,
  NEW,
  OCTETS,
  ResponseFields,
  STARTED,
  STARTING,
} from './response-fields.ts';

export type { HeadersInput, StreamResponseOptions } from './response-fields.ts';

/**
 * A response whose body is written piece by piece while the handler runs.
 *
 * Without `contentLength` the transport delimits the body itself (HTTP/1.1: chunked; HTTP/1.0: by closing). With it, exactly that
 * many bytes must be written: more or fewer is an error that cuts the connection, so that the client sees the truncation.
 * An answer to HEAD, and one with status 1xx, 204 or 304, has no body (RFC 9112 §6.3): what is written is dropped.
 *
 * aiohttp: `web.StreamResponse`.
 *
 * @example
 * ```ts
 * async function countdown(request: web.Request): Promise<web.StreamResponse> {
 *   const response = new web.StreamResponse({ headers: { 'Content-Type': 'text/plain' } });
 *   await response.prepare(request);
 *   for (let i = 3; i > 0; i--) await response.write(Buffer.from(`${i}\n`));
 *   await response.writeEof();
 *   return response;
 * }
 * ```
 */
export class StreamResponse extends ResponseFields {
  /** Whether the connection may serve another request after this answer; `undefined` before `prepare`. */
  get keepAlive(): boolean | undefined {
    if (this._closing) return false;
    return this._request?.keepAlive;
  }

  /** Closes the connection after this answer. */
  forceClose(): void {
    this._closing = true;
    if (this._state === STARTED) this._exchange().keepAlive = false;
  }

  /** Bytes of the body written so far. */
  get bodyLength(): number {
    return this._written;
  }

  /**
   * Fields that go behind the body, for what is known only then: a checksum, how a stream ended. Asking for them makes the body chunked; they
   * are written when the response ends. Clients of HTTP/1.0 and of `app.fetch` get the body without them. Name them in a `Trailer` header field, so
   * that the client knows what will come (RFC 9110 §6.6.2).
   *
   * @throws ExchangeStateError `AIO_RESPONSE_FRAMING` when the Content-Length is set or sent already: such a body has no place for them.
   * @example
   * ```ts
   * const report = new StreamResponse({ headers: { Trailer: 'Digest' } });
   * report.trailers.set('Digest', 'sha-256=…');
   * ```
   */
  get trailers(): CIMultiDict {
    if (this._trailers === undefined) {
      if (this._declaredLength() !== undefined || (this._state !== NEW && this._bodySize() !== undefined)) {
        throw new ExchangeStateError(
          'AIO_RESPONSE_FRAMING',
          'Trailers need a chunked body: ask for response.trailers before prepare(), and set no Content-Length.',
        );
      }
      this._trailers = new CIMultiDict();
    }
    return this._trailers;
  }

  /**
   * Sends the head. A second call for the same request does nothing.
   *
   * @throws ExchangeStateError when the response belongs to another request (`AIO_RESPONSE_ALREADY_SENT`), another
   *   response was started for this one (`AIO_RESPONSE_STARTED`), or the framing asked for is impossible.
   * @throws TypeError when a header, the status or the reason cannot stand in a head; nothing was sent then.
   */
  async prepare(request: BaseRequest): Promise<void> {
    if (this._state !== NEW && this._request === request._origin) return;
    const signals = this._begin(request);
    if (signals !== undefined) await this._waitForSignals(signals);
    this._start();
  }

  /**
   * Sends a piece of the body; wait for it before the next one, so that a slow client slows the handler and not the
   * memory down. An empty piece sends nothing. A client that leaves ends nothing but a handler that waits: a `write()` that nobody awaits, in a timer for
   * example, may fail with it unseen.
   *
   * @throws TypeError when the piece is not bytes.
   * @throws ExchangeStateError before `prepare` (`AIO_RESPONSE_NOT_PREPARED`) or after the end (`AIO_RESPONSE_ENDED`).
   * @throws ResponseStateError when more is written than Content-Length declares; the connection is cut.
   * @throws ClientDisconnectedError when the client went away.
   */
  write(chunk: Uint8Array): Promise<void> {
    try {
      if (!(chunk instanceof Uint8Array)) {
        throw codedTypeError(
          'AIO_BODY',
          `write() takes bytes (a Uint8Array or Buffer), got ${typeof chunk}; encode text with Buffer.from(text).`,
        );
      }
      this._mustBeStarted('write()');
      return this._writePiece(chunk) ?? DONE;
    } catch (error) {
      return rejected(error);
    }
  }

  /**
   * Ends the body, optionally with a last piece. Further calls do nothing. A handler that returns a prepared response need not call it.
   *
   * @throws ExchangeStateError before `prepare` (`AIO_RESPONSE_NOT_PREPARED`).
   * @throws ResponseStateError when less was written than Content-Length declares; the connection is cut.
   * @throws ClientDisconnectedError when the client went away.
   */
  writeEof(data?: Uint8Array): Promise<void> {
    return this._state === ENDED ? DONE : unwatched(this._writeLast(data));
  }

  /** @internal */
  async _writeLast(data: Uint8Array | undefined): Promise<void> {
    if (data !== undefined && data.byteLength !== 0) await this.write(data);
    this._mustBeStarted('writeEof()');
    await this._end();
  }

  /**
   * Sends what a compressor still holds back of the pieces written so far, for a client that waits for them. Without compression there is
   * nothing to do: `write()` holds nothing back.
   *
   * aiohttp: `StreamResponse.drain`.
   *
   * @throws ExchangeStateError before `prepare` (`AIO_RESPONSE_NOT_PREPARED`) or after the end (`AIO_RESPONSE_ENDED`).
   */
  drain(): Promise<void> {
    try {
      this._mustBeStarted('drain()');
      return this._coding?.encoder?.flush() ?? DONE;
    } catch (error) {
      return rejected(error);
    }
  }

  /**
   * @internal Sends whatever of this response was not sent yet. Called by the application with what the handler returned.
   */
  _send(request: BaseRequest): void | Promise<void> {
    if (this._state === ENDED && this._request === request._origin) return;
    return this._sendRest(request);
  }

  /** @internal */
  async _sendRest(request: BaseRequest): Promise<void> {
    await this.prepare(request);
    await this.writeEof();
  }

  /** @internal What the body is read from when it is not in memory. */
  _source(): Payload | undefined {
    return undefined;
  }

  /** @internal How many bytes the body will have, as far as this class knows. */
  _bodySize(): number | undefined {
    return this._chunked || this._trailers !== undefined ? undefined : this._declaredLength();
  }

  /**
   * @internal Binds the response to its request and fills what signals must see. Returns what to wait for before
   * the head may be sent.
   */
  _begin(request: BaseRequest): Promise<void> | undefined {
    if (request._failure !== undefined) throw disconnected(request._failure);
    if (this._state !== NEW) {
      throw new ExchangeStateError(
        'AIO_RESPONSE_ALREADY_SENT',
        'This response was already sent, for another request. Make a new response for every request.',
      );
    }
    const exchange = request._exchange;
    if (exchange.started) {
      // RFC 9112 §9.3: a second head inside the body of the first would be read as part of it.
      exchange.abort();
      throw new ExchangeStateError(
        'AIO_RESPONSE_STARTED',
        'Another response was already started for this request; the connection was cut. ' +
          'Return the response that you prepared, and throw HTTP exceptions before prepare().',
      );
    }
    if (this._chunked && request.version.major === 1 && request.version.minor === 0) {
      throw new ExchangeStateError(
        'AIO_RESPONSE_FRAMING',
        'Chunked encoding does not exist in HTTP/1.0 (RFC 9112 §6.1). Leave enableChunkedEncoding() out: the end of the connection ends the body.',
      );
    }
    // A middleware may have handed on a clone: the answer is the original's.
    this._request = request._origin;
    this._request._response = this;
    this._state = STARTING;
    if (this._coding !== undefined || this._request._extras !== undefined) this._settle(this._request);
    if (!request._hasPrepareSignal) return undefined;
    try {
      this._setDefaults(exchange);
      return request._runPrepareSignals(this);
    } catch (error) {
      this._unbind();
      throw error;
    }
  }

  /** @internal What the request makes of the answer: a coding, and no body at all when the client has it already. */
  _settle(request: BaseRequest): void {
    const extras = request._extras;
    const asked = this._coding;
    const tag = extras?.conditional === undefined ? undefined : this.ownHeaders?.get('ETag');
    try {
      if (asked !== undefined) {
        if (!asked.settle(this, request, undefined)) this._coding = undefined;
      } else if (extras?.compression !== undefined) {
        this._coding = ResponseCoding.byPolicy(this, request, extras.compression);
      }
      extras?.conditional?.apply(this, request, tag);
    } catch (error) {
      this._coding = asked;
      this._unbind();
      throw error;
    }
    if (hasNoBody(this.status)) this._coding = undefined;
  }

  /** @internal */
  async _waitForSignals(signals: Promise<void>): Promise<void> {
    try {
      await signals;
    } catch (error) {
      this._unbind();
      throw error;
    }
  }

  /** @internal The head failed before a byte was sent: the request may get another answer. */
  _unbind(): void {
    this._state = NEW;
    if (this._request !== undefined) this._request._response = undefined;
    this._request = undefined;
  }

  /** @internal What the transport would add by itself, set early so that signals see it and may change or remove it. */
  _setDefaults(exchange: Exchange): void {
    const headers = this.headers;
    const size = this._coding === undefined ? this._bodySize() : undefined;
    if (size !== undefined && !headers.has('Content-Length') && !this._hidesLength(size)) {
      headers.set('Content-Length', String(size));
    }
    if (size !== 0 && !headers.has('Content-Type') && !hasNoBody(this.status)) {
      headers.set('Content-Type', OCTETS);
    }
    if (!headers.has('Date')) headers.set('Date', formatHttpDate(Date.now()));
    const { serverHeader } = exchange;
    if (serverHeader !== undefined && !headers.has('Server')) headers.set('Server', serverHeader);
    this.defaultsSet = true;
  }

  /** @internal No Content-Length: where it must not be, and on a 304 that knows nothing of the body it stands for (RFC 9110 §8.6). */
  _hidesLength(size: number): boolean {
    return forbidsLength(this.status) || (this.status === 304 && size === 0);
  }

  /** @internal Sends the head of a body that is written piece by piece. */
  _start(): void {
    const exchange = this._exchange();
    if (this._closing) exchange.keepAlive = false;
    const size = this._coding === undefined ? this._bodySize() : undefined;
    if (size !== 0 && !this.defaultsSet && !hasNoBody(this.status)) this._defaultType(OCTETS);
    try {
      exchange.start(this, size);
    } catch (error) {
      if (!exchange.started) this._unbind();
      throw error;
    }
    this._state = STARTED;
    if (this._coding !== undefined && this._sendsBody()) {
      this._coding.open(this, (bytes) => this._exchange().write(bytes));
    }
  }

  /**
   * @internal Head and body in one write, or the head alone. A promise when the body is to be compressed and too large to be so at once.
   */
  _respondWhole(body: string | Uint8Array | undefined): void | Promise<void> {
    // With a coding HEAD gets the fields only: how long the body would be is not worth making it.
    if (this._coding === undefined) return this._respondNow(body);
    if (body === undefined || !this._sendsBody()) return this._respondNow(undefined);
    const encoded = this._coding.encode(typeof body === 'string' ? Buffer.from(body) : body);
    if (encoded instanceof Uint8Array) return this._respondNow(encoded);
    return encoded.then((bytes) => {
      // While it was made the client may have left, or was told that its time is over.
      if (this._state === STARTING && this._request?._response === this) this._respondNow(bytes);
    });
  }

  /** @internal */
  _respondNow(body: string | Uint8Array | undefined): void {
    const exchange = this._exchange();
    if (this._closing) exchange.keepAlive = false;
    try {
      exchange.respond(this, body);
    } catch (error) {
      if (!exchange.started) this._unbind();
      throw error;
    }
    this._state = ENDED;
  }

  /** @internal Whether this answer may carry content at all (RFC 9112 §6.3, RFC 9110 §9.3.2). */
  _sendsBody(): boolean {
    return this._request?.method !== 'HEAD' && !hasNoBody(this.status);
  }

  /** @internal */
  _writePiece(chunk: Uint8Array): Promise<void> | undefined {
    const size = chunk.byteLength;
    if (size === 0 || !this._sendsBody()) return undefined;
    this._written += size;
    const encoder = this._coding?.encoder;
    return encoder === undefined ? this._exchange().write(chunk) : encoder.write(chunk);
  }

  /** @internal */
  _end(): Promise<void> | undefined {
    this._state = ENDED;
    const encoder = this._coding?.encoder;
    if (encoder !== undefined) return this._endEncoded(encoder);
    return this._exchange().end(this._trailers);
  }

  /** @internal */
  async _endEncoded(encoder: BodyEncoder): Promise<void> {
    await encoder.end();
    await this._exchange().end(this._trailers);
  }

  /** @internal The exchange failed while this response was being sent: stop what still produces its body. */
  _exchangeFailed(error: Error): void {
    this._state = ENDED;
    this._coding?.encoder?.close(error);
  }

  /**
   * @internal The handler threw. Tells what is to be done about it, where the connection has left HTTP: `undefined` for any other.
   */
  _handlerFailed(_error: unknown): 'log' | 'ignore' | undefined {
    return undefined;
  }

  /** @internal */
  _exchange(): Exchange {
    const request = this._request;
    if (request === undefined) throw notPrepared('This');
    return request._exchange;
  }

  /** @internal */
  _mustBeStarted(what: string): void {
    if (this._state === STARTED) return;
    if (this._state < STARTED) throw notPrepared(what);
    const request = this._request;
    if (request?._failure !== undefined) throw disconnected(request._failure);
    throw new ExchangeStateError(
      'AIO_RESPONSE_ENDED',
      `${what} was called after the response had ended (writeEof() or the return of the handler).`,
    );
  }
}

const DONE: Promise<void> = Promise.resolve();

/** A write that nobody awaits must not end the process when a client leaves; it may when the program is wrong. */
function rejected(error: unknown): Promise<void> {
  const promise = Promise.reject(error);
  if (error instanceof ClientDisconnectedError) promise.catch(ignore);
  return promise;
}

/** The same for what will be known later. */
function unwatched(promise: Promise<void>): Promise<void> {
  const result = new Promise<void>((resolve, reject) => {
    promise.then(resolve, (error: unknown) => {
      if (error instanceof ClientDisconnectedError) result.catch(ignore);
      reject(error);
    });
  });
  return result;
}

function ignore(): void {}

function disconnected(cause: Error): ClientDisconnectedError {
  if (cause instanceof ClientDisconnectedError) return cause;
  return new ClientDisconnectedError('The client went away before the answer was complete.', { cause });
}

function notPrepared(what: string): ExchangeStateError {
  return new ExchangeStateError(
    'AIO_RESPONSE_NOT_PREPARED',
    `${what} needs \`await response.prepare(request)\` first: the head goes before the body.`,
  );
}

import { codedTypeError, formatHttpDate } from '../message/index.ts';
import type { Exchange } from '../net/index.ts';
import type { BaseRequest } from './base-request.ts';
import { ClientDisconnectedError, ExchangeStateError } from './exchange-errors.ts';
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
   * memory down. An empty piece sends nothing.
   *
   * @throws TypeError when the piece is not bytes.
   * @throws ExchangeStateError before `prepare` (`AIO_RESPONSE_NOT_PREPARED`) or after the end (`AIO_RESPONSE_ENDED`).
   * @throws ResponseStateError when more is written than Content-Length declares; the connection is cut.
   * @throws ClientDisconnectedError when the client went away.
   */
  async write(chunk: Uint8Array): Promise<void> {
    if (!(chunk instanceof Uint8Array)) {
      throw codedTypeError(
        'AIO_BODY',
        `write() takes bytes (a Uint8Array or Buffer), got ${typeof chunk}; encode text with Buffer.from(text).`,
      );
    }
    this._mustBeStarted('write()');
    const pause = this._writePiece(chunk);
    if (pause !== undefined) await pause;
  }

  /**
   * Ends the body, optionally with a last piece. Further calls do nothing. A handler that returns a prepared response need not call it.
   *
   * @throws ExchangeStateError before `prepare` (`AIO_RESPONSE_NOT_PREPARED`).
   * @throws ResponseStateError when less was written than Content-Length declares; the connection is cut.
   * @throws ClientDisconnectedError when the client went away.
   */
  async writeEof(data?: Uint8Array): Promise<void> {
    if (this._state === ENDED) return;
    if (data !== undefined && data.byteLength !== 0) await this.write(data);
    this._mustBeStarted('writeEof()');
    await this._end();
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

  /** @internal How many bytes the body will have, as far as this class knows. */
  _bodySize(): number | undefined {
    return this._chunked ? undefined : this._declaredLength();
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
    if (!request._hasPrepareSignal) return undefined;
    try {
      this._setDefaults(exchange);
      return request._runPrepareSignals(this);
    } catch (error) {
      this._unbind();
      throw error;
    }
  }

  async _waitForSignals(signals: Promise<void>): Promise<void> {
    try {
      await signals;
    } catch (error) {
      this._unbind();
      throw error;
    }
  }

  /** The head failed before a byte was sent: the request may get another answer. */
  _unbind(): void {
    this._state = NEW;
    if (this._request !== undefined) this._request._response = undefined;
    this._request = undefined;
  }

  /** What the transport would add by itself, set early so that signals see it and may change or remove it. */
  _setDefaults(exchange: Exchange): void {
    const headers = this.headers;
    const size = this._bodySize();
    if (size !== undefined && !headers.has('Content-Length') && !forbidsLength(this.status)) {
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

  /** @internal Sends the head of a body that is written piece by piece. */
  _start(): void {
    const exchange = this._exchange();
    if (this._closing) exchange.keepAlive = false;
    const size = this._bodySize();
    if (size !== 0 && !this.defaultsSet && !hasNoBody(this.status)) this._defaultType(OCTETS);
    try {
      exchange.start(this, size);
    } catch (error) {
      if (!exchange.started) this._unbind();
      throw error;
    }
    this._state = STARTED;
  }

  /** Whether this answer may carry content at all (RFC 9112 §6.3, RFC 9110 §9.3.2). */
  _sendsBody(): boolean {
    return this._request?.method !== 'HEAD' && !hasNoBody(this.status);
  }

  /** @internal */
  _writePiece(chunk: Uint8Array): Promise<void> | undefined {
    const size = chunk.byteLength;
    if (size === 0 || !this._sendsBody()) return undefined;
    this._written += size;
    return this._exchange().write(chunk);
  }

  /** @internal */
  _end(): Promise<void> | undefined {
    this._state = ENDED;
    return this._exchange().end();
  }

  /** @internal The exchange failed while this response was being sent: stop what still produces its body. */
  _exchangeFailed(_error: Error): void {
    this._state = ENDED;
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

import {
  BodyPump,
  codedTypeError,
  decodeText,
  encodeText,
  Payload,
  type PayloadData,
  payloadRegistry,
  WholePayload,
} from '../message/index.ts';
import type { BaseRequest } from './base-request.ts';
import { ExchangeStateError } from './exchange-errors.ts';
import { contentTypeValue, ENDED, NEW, OCTETS, type StreamResponseOptions } from './response-fields.ts';
import { StreamResponse } from './stream-response.ts';

/**
 * What a body can be. Text and bytes are sent with their length in one write; a `Blob`, an open file and a `MultipartWriter` with their length, piece
 * by piece; streams and async iterables with a length that is not known beforehand. What `registerPayload` knows can be sent too.
 */
export type ResponseBody = PayloadData;

/** Options of {@link Response}. */
export interface ResponseOptions extends StreamResponseOptions {
  /** Text, sent as `text/plain; charset=utf-8` unless told otherwise. Not together with `body`. */
  readonly text?: string | undefined;
  /** The body; `application/octet-stream` unless told otherwise (text: `text/plain`, a `Blob`: its own type). */
  readonly body?: ResponseBody | undefined;
  /** Media type without `charset`. Not together with a Content-Type in `headers`. */
  readonly contentType?: string | undefined;
  /** The encoding of `text`: utf-8 (default), iso-8859-1, us-ascii or utf-16le. */
  readonly charset?: string | undefined;
}

const TEXT_PLAIN = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * A response whose body is known when the handler returns it.
 *
 * aiohttp: `web.Response`.
 *
 * @throws TypeError when `text` and `body` are given together or the body is of no known kind.
 * @throws RangeError when status, reason, content type or charset cannot be sent.
 * @example
 * ```ts
 * const hello = new Response({ text: 'Hello, world' });
 * const page = new Response({ text: '<h1>hi</h1>', contentType: 'text/html', status: 201 });
 * const bytes = new Response({ body: new Uint8Array([1, 2, 3]) });
 * ```
 */
export class Response extends StreamResponse {
  /** @internal Text that is sent as UTF-8, bytes, or a payload that gives them. */
  _body: string | Uint8Array | Payload | undefined;
  /** @internal */
  _pump: BodyPump | undefined;

  constructor(options?: ResponseOptions) {
    super(options);
    this._body = undefined;
    this._pump = undefined;
    if (options === undefined) return;
    const { text, body, contentType, charset } = options;
    if (text !== undefined && body !== undefined) {
      throw codedTypeError('AIO_BODY', 'A response has either text or a body: leave one of them out.');
    }
    if (contentType === undefined && charset === undefined) {
      // The usual case: one object, and no container of headers.
      if (text !== undefined) {
        this._body = text;
        this._defaultType(TEXT_PLAIN);
      } else if (body !== undefined) {
        this._setBody(body);
      }
      return;
    }
    this._setTyped(text, body, contentType, charset);
  }

  /** @internal A new text response with a ready Content-Type; the short way of `jsonResponse`. */
  static _ofText(text: string, contentTypeField: string): Response {
    const response = new Response();
    response._body = text;
    response.contentTypeField = contentTypeField;
    return response;
  }

  /** @internal */
  _setTyped(
    text: string | undefined,
    body: ResponseBody | undefined,
    contentType: string | undefined,
    charset: string | undefined,
  ): void {
    if (this.ownHeaders?.has('Content-Type') === true) {
      throw codedTypeError(
        'AIO_CONTENT_TYPE',
        'Content-Type is given twice: in headers and as contentType or charset. Leave one of them out.',
      );
    }
    if (contentType !== undefined && /;\s*charset\s*=/i.test(contentType)) {
      throw codedTypeError(
        'AIO_CONTENT_TYPE',
        `contentType must not hold a charset: give it as an option of its own; got ${JSON.stringify(contentType)}.`,
      );
    }
    if (text !== undefined) {
      const label = charset ?? 'utf-8';
      this._body = encodeText(text, label);
      this._setMediaType(contentType ?? 'text/plain', label);
      return;
    }
    if (body !== undefined) this._setBody(body);
    if (contentType !== undefined) this._setMediaType(contentType, charset);
    else if (charset !== undefined) {
      this._setMediaType(
        this.contentTypeField === undefined || this.contentTypeField === OCTETS
          ? 'text/plain'
          : this.contentType,
        charset,
      );
    }
  }

  /** @internal */
  _setBody(body: ResponseBody): void {
    let type = OCTETS;
    if (typeof body === 'string') {
      this._body = body;
      type = TEXT_PLAIN;
    } else if (body instanceof Uint8Array) {
      this._body = body;
    } else {
      const payload = payloadRegistry.get(body);
      if (payload === undefined) {
        throw codedTypeError(
          'AIO_BODY',
          `body must be text, bytes, an ArrayBuffer, a Blob, a stream or an async iterable, or another payload; got ${describe(body)}. For JSON use jsonResponse(data).`,
        );
      }
      this._setPayload(payload);
      return;
    }
    this._defaultType(type);
  }

  /** @internal */
  _setPayload(payload: Payload): void {
    const { contentType, contentDisposition } = payload;
    this._body = payload instanceof WholePayload ? payload.whole : payload;
    this._defaultType(contentType === undefined ? OCTETS : contentTypeValue(contentType, undefined));
    if (contentDisposition !== undefined && this.ownHeaders?.has('Content-Disposition') !== true) {
      this.headers.set('Content-Disposition', contentDisposition);
    }
  }

  /** The body: bytes when it was given as text or bytes, else the payload that stands for what was given. */
  get body(): Uint8Array | Payload | undefined {
    return typeof this._body === 'string' ? Buffer.from(this._body) : this._body;
  }

  /** Replaces the body before it is sent. A Content-Type that was there stays. */
  set body(value: ResponseBody | undefined) {
    this._mustBeOpen('the body');
    if (value === undefined) this._body = undefined;
    else this._setBody(value);
  }

  /** The body as text; `undefined` when there is none or it comes piece by piece. Bytes are decoded by `charset`. */
  get text(): string | undefined {
    const body = this._body;
    if (body === undefined || typeof body === 'string') return body;
    return body instanceof Uint8Array ? decodeText(body, this.charset ?? 'utf-8') : undefined;
  }

  /** Replaces the body by text, encoded by `charset` (utf-8 when there is none). */
  set text(value: string | undefined) {
    this._mustBeOpen('the text');
    if (value === undefined) {
      this._body = undefined;
      return;
    }
    this._body = encodeText(value, this.charset ?? 'utf-8');
    this._defaultType(TEXT_PLAIN);
  }

  /** Bytes of the body; `undefined` when not known beforehand. It follows from the body and cannot be set. */
  override get contentLength(): number | undefined {
    return this._coding === undefined ? this._bodySize() : undefined;
  }

  override set contentLength(_value: number | undefined) {
    throw new ExchangeStateError(
      'AIO_RESPONSE_FRAMING',
      'The Content-Length of a Response follows from its body. Use a StreamResponse to declare one.',
    );
  }

  /** @internal */
  override _bodySize(): number | undefined {
    if (this._chunked || this._trailers !== undefined) return undefined;
    const size = this._ownSize();
    return size === undefined || this._body === undefined ? (this._declaredLength() ?? size) : size;
  }

  /** @internal */
  override _source(): Payload | undefined {
    return this._body instanceof Payload ? this._body : undefined;
  }

  /** @internal */
  _ownSize(): number | undefined {
    const body = this._body;
    if (body === undefined) return 0;
    if (typeof body === 'string') return Buffer.byteLength(body);
    if (body instanceof Uint8Array) return body.byteLength;
    return body.size;
  }

  override async prepare(request: BaseRequest): Promise<void> {
    const body = this._body;
    if (!(body instanceof Payload) || this._state !== NEW) return super.prepare(request);
    try {
      const preparing = body.prepare();
      if (preparing !== undefined) await preparing;
      await super.prepare(request);
    } catch (error) {
      body.release(asError(error));
      throw error;
    }
  }

  /** @internal */
  override _send(request: BaseRequest): void | Promise<void> {
    const body = this._body;
    if (
      this._state === NEW &&
      !this._chunked &&
      this._trailers === undefined &&
      (body === undefined || typeof body === 'string' || body instanceof Uint8Array)
    ) {
      const signals = this._begin(request);
      if (signals !== undefined || this._body !== body) return this._respondAfter(signals, body);
      return this._respondWhole(this._body as string | Uint8Array | undefined);
    }
    return super._send(request);
  }

  /** @internal */
  async _respondAfter(signals: Promise<void> | undefined, before: Response['_body']): Promise<void> {
    if (signals !== undefined) await this._waitForSignals(signals);
    const body = this._body;
    // A signal may have given the response another body, even of another kind.
    if (body !== before) {
      if (body instanceof Payload) await body.prepare();
      if (this._coding === undefined) this._setLength();
    }
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
      await this._respondWhole(body);
      return;
    }
    this._start();
    await this.writeEof();
  }

  /** @internal */
  _setLength(): void {
    const size = this._ownSize();
    if (size === undefined || this._hidesLength(size)) this.headers.delete('Content-Length');
    else this.headers.set('Content-Length', String(size));
  }

  /** Sends the body that this response was made with, and ends it. */
  override async writeEof(data?: Uint8Array): Promise<void> {
    if (this._state === ENDED) return;
    if (data !== undefined) {
      throw codedTypeError(
        'AIO_BODY',
        'writeEof() of a Response takes no data: set body, or use a StreamResponse.',
      );
    }
    this._mustBeStarted('writeEof()');
    await this._writeBody();
    await this._end();
  }

  /** @internal */
  async _writeBody(): Promise<void> {
    const body = this._body;
    if (body === undefined) return;
    if (typeof body === 'string' || body instanceof Uint8Array) {
      const pause = this._writePiece(typeof body === 'string' ? Buffer.from(body) : body);
      if (pause !== undefined) await pause;
      return;
    }
    if (!this._sendsBody()) {
      body.release(new Error('An answer without a body: its source is not read.'));
      return;
    }
    let pump: BodyPump | undefined;
    try {
      pump = new BodyPump(await body.open());
      this._pump = pump;
      // The client may have gone while the source was opened.
      if (this._state === ENDED) throw new Error('The exchange ended before its body was sent.');
      for (;;) {
        const piece = await pump.next();
        if (piece === undefined) return;
        const pause = this._writePiece(toBytes(piece));
        if (pause !== undefined) await pause;
      }
    } catch (error) {
      pump?.stop(asError(error));
      // The head is out: only a cut shows the client that the body is not complete.
      if (this._state !== ENDED) {
        this._state = ENDED;
        this._exchange().abort();
      }
      throw error;
    }
  }

  /** @internal */
  override _exchangeFailed(error: Error): void {
    super._exchangeFailed(error);
    // A source that nobody has begun to read holds a file or a connection as well.
    if (this._pump !== undefined) this._pump.stop(error);
    else if (this._body instanceof Payload) this._body.release(error);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('The body of a response failed.', { cause: error });
}

function toBytes(piece: unknown): Uint8Array {
  if (typeof piece === 'string') return Buffer.from(piece);
  if (piece instanceof Uint8Array) return piece;
  throw codedTypeError('AIO_BODY', `The pieces of a body must be bytes or text, got ${describe(piece)}.`);
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  return Object.getPrototypeOf(value) === Object.prototype
    ? 'a plain object'
    : value.constructor?.name || 'an object';
}

/** Options of {@link jsonResponse}. */
export interface JsonResponseOptions extends StreamResponseOptions {
  /** Turns the data into text; `JSON.stringify` when left out. */
  readonly dumps?: ((data: unknown) => string) | undefined;
  /** Media type; `application/json` when left out. */
  readonly contentType?: string | undefined;
}

/**
 * A response that carries JSON, as `application/json; charset=utf-8`. The text is compact, as `JSON.stringify` writes it (Python puts
 * a space after `:` and `,`).
 *
 * aiohttp: `web.json_response`.
 *
 * @throws TypeError when the data has no JSON form (`undefined`, a function, a cycle, a BigInt).
 * @example
 * ```ts
 * const ok = jsonResponse({ id: 7, tags: ['a'] });
 * const missing = jsonResponse({ error: 'no such user' }, { status: 404 });
 * ```
 */
export function jsonResponse(data: unknown, options?: JsonResponseOptions): Response {
  const text: string | undefined = options?.dumps === undefined ? JSON.stringify(data) : options.dumps(data);
  if (typeof text !== 'string') {
    throw codedTypeError(
      'AIO_JSON_DATA',
      `jsonResponse() got ${describe(data)}, which has no JSON form${options?.dumps === undefined ? '' : ' (dumps returned no text)'}. ` +
        'Use null for "nothing", or a Response with status 204.',
    );
  }
  if (options === undefined) return Response._ofText(text, JSON_TYPE);
  const response = new Response({ status: options.status, reason: options.reason, headers: options.headers });
  response._body = text;
  if (options.contentType !== undefined) response._setTyped(text, undefined, options.contentType, undefined);
  else response._defaultType(JSON_TYPE);
  return response;
}

/** Options of {@link jsonBytesResponse}. */
export interface JsonBytesResponseOptions extends StreamResponseOptions {
  /** Turns the data into UTF-8 bytes. */
  readonly dumps: (data: unknown) => Uint8Array;
  /** Media type; `application/json` when left out. */
  readonly contentType?: string | undefined;
}

/**
 * A response that carries JSON which a serialiser of yours gives as bytes, as `application/json`.
 *
 * aiohttp: `web.json_bytes_response`.
 *
 * @throws TypeError when `dumps` returns anything but bytes.
 * @example
 * ```ts
 * const response = jsonBytesResponse({ id: 7 }, { dumps: (data) => Buffer.from(JSON.stringify(data)) });
 * ```
 */
export function jsonBytesResponse(data: unknown, options: JsonBytesResponseOptions): Response {
  const { dumps, contentType = 'application/json', ...rest } = options;
  const body: unknown = dumps(data);
  if (!(body instanceof Uint8Array)) {
    throw codedTypeError('AIO_JSON_DATA', `dumps must return bytes (a Uint8Array), got ${describe(body)}.`);
  }
  return new Response({ ...rest, body, contentType });
}

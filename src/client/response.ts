import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import type { ParsedResponse } from '../http1/index.ts';
import {
  type CIMultiDictProxy,
  type ContentDisposition,
  codedTypeError,
  decodeText,
  type HttpVersion,
  MultiDict,
  type MultiDictProxy,
  parseContentDisposition,
  parseMediaType,
  StreamReader,
  unquoteCookieValue,
} from '../message/index.ts';
import type { ReceivedMessage } from '../net/index.ts';
import { bodyStream } from './body-stream.ts';
import { withCaller } from './caller.ts';
import { decodedAtOnce, decodersFor, gatherLimit } from './decompress.ts';
import {
  ClientConnectionError,
  ClientPayloadError,
  ClientResponseError,
  ContentTypeError,
  type PastResponse,
  type RequestInfo,
} from './errors.ts';
import { type Link, parseLinks } from './links.ts';
import { ownOptions } from './own-options.ts';
import type { ConnectTimings, PooledConnection } from './pooled-connection.ts';
import type { ClientRequest } from './request.ts';
import {
  charsetIn,
  isExpectedType,
  isKnownCharset,
  type ResponseJsonOptions,
  type TextOptions,
} from './response-text.ts';
import { parseSetCookie } from './stored-cookie.ts';

/** Default of `maxBodySize`: 1 GiB. */
const MAX_BODY_SIZE = 1_073_741_824;

/**
 * The answer to a request. Its body may still be on its way: read it, or give the response up with `release()`, `close()` or `await using`, so that
 * its connection is free for others.
 *
 * Source: `aiohttp.ClientResponse`.
 *
 * @example
 * ```ts
 * import { ClientSession } from 'aiohttp-ts/client';
 *
 * await using session = new ClientSession();
 * await using response = await session.get('http://example.org/');
 * console.log(response.status, response.contentType, await response.text());
 * ```
 */
export class ClientResponse implements PastResponse, AsyncDisposable {
  static {
    // Whoever logs a response should log neither credentials nor cookies.
    Object.defineProperty(ClientResponse.prototype, inspect.custom, {
      value: ClientResponse.prototype.toString,
    });
  }

  readonly status: number;
  readonly reason: string;
  readonly version: HttpVersion;
  readonly method: string;
  readonly request: ClientRequest;
  /** @internal */
  readonly lease: PooledConnection | undefined;
  private readonly head: ParsedResponse;
  private readonly message: ReceivedMessage;
  private past: readonly ClientResponse[];
  private isClosed: boolean;
  private reading: Promise<Uint8Array> | undefined;
  private stream: StreamReader | undefined;
  private setCookies: MultiDict<string> | undefined;

  /** @internal */
  constructor(request: ClientRequest, message: ReceivedMessage, lease: PooledConnection | undefined) {
    const { head } = message;
    this.status = head.status;
    this.reason = head.reason;
    this.version = head.version;
    this.method = request.method;
    this.request = request;
    this.lease = lease;
    this.head = head;
    this.message = message;
    this.past = NO_HISTORY;
    this.isClosed = false;
    this.reading = undefined;
    this.stream = undefined;
    this.setCookies = undefined;
  }

  /** Header fields. They tell what came: Content-Encoding stays when the body is decompressed. */
  get headers(): CIMultiDictProxy {
    return this.head.headers;
  }

  /** One header field by its lower-case name, cheaper than `headers.get()` when it is the only one that is needed. */
  header(name: string): string | undefined {
    return this.head.header(name);
  }

  /** Name, value, name, value … as they came. */
  get rawHeaders(): readonly string[] {
    return this.head.headers.raw;
  }

  /** Fields behind the body, once it was read to its end; `undefined` when there were none. */
  get trailers(): CIMultiDictProxy | undefined {
    return this.message.trailers;
  }

  /** The status is below 400. */
  get ok(): boolean {
    return this.status < 400;
  }

  /** Where the response came from, without fragment and credentials. */
  get url(): URL {
    return this.request.url;
  }

  /** With fragment, without credentials. */
  get realUrl(): URL {
    return this.request.realUrl;
  }

  get host(): string {
    return this.request.host;
  }

  /** Responses that redirected here, the first one first. */
  get history(): readonly ClientResponse[] {
    return this.past;
  }

  get requestInfo(): RequestInfo {
    return this.request;
  }

  /** Cookies that this response set: name and value. Those that the session keeps are in its `cookieJar`. */
  get cookies(): MultiDictProxy<string> {
    return (this.setCookies ??= this.parseCookies());
  }

  /** Links of the Link fields, by relation type, or by URL for those without one. */
  get links(): MultiDictProxy<Link> {
    return parseLinks(this.headers, this.url);
  }

  /** Media type in lower case, without parameters; `application/octet-stream` when none is given. */
  get contentType(): string {
    const value = this.head.header('content-type');
    return (value === undefined ? undefined : parseMediaType(value)?.type) ?? 'application/octet-stream';
  }

  /** The charset that Content-Type names. */
  get charset(): string | undefined {
    return charsetIn(this.head.header('content-type'));
  }

  /** What Content-Disposition says: type, file name, parameters. `undefined` when there is none, or it is malformed. */
  get contentDisposition(): ContentDisposition | undefined {
    const value = this.head.header('content-disposition');
    return value === undefined ? undefined : parseContentDisposition(value);
  }

  /** Content-Length; `undefined` when none was given. */
  get contentLength(): number | undefined {
    const { contentLength } = this.head;
    return contentLength === -1 ? undefined : contentLength;
  }

  /** The connection is not ours any more: the body came to its end, or was given up. */
  get closed(): boolean {
    return this.isClosed || this.lease === undefined || this.lease.released;
  }

  /** The connection, while the response holds it. */
  get connection(): PooledConnection | undefined {
    return this.closed ? undefined : this.lease;
  }

  /** How long the making of the connection took; `undefined` when it was used before. */
  get connectTimings(): ConnectTimings | undefined {
    return this.lease?.timings;
  }

  /** The body as a stream, decompressed. */
  get content(): StreamReader {
    if (this.stream === undefined) {
      this.stream = this.isClosed
        ? new StreamReader()
        : bodyStream(this.request, this.message, this.decoders());
      if (this.isClosed) this.stream.setException(connectionClosed());
      keptBy.set(this.stream, this);
    }
    return this.stream;
  }

  /**
   * The whole body, decompressed; kept, so that it can be asked for again.
   *
   * @throws ClientPayloadError when it breaks off, cannot be decompressed or is larger than `maxBodySize`; SocketTimeoutError;
   *   TotalTimeoutError; ClientConnectionError when the response was released before
   */
  read(): Promise<Uint8Array> {
    return (this.reading ??= this.gather());
  }

  /**
   * The whole body as text.
   *
   * @throws what `read()` throws; UndecodableTextError; UnknownCharsetError
   */
  async text(options: TextOptions = NO_OPTIONS): Promise<string> {
    const bytes = this.wholeBody() ?? (await this.read());
    const encoding = options.encoding ?? this.encodingOf(bytes);
    if (options.errors === 'replace') return new TextDecoder(encoding).decode(bytes);
    return decodeText(bytes, encoding);
  }

  /**
   * The whole body as JSON; `undefined` when it is empty.
   *
   * @throws ContentTypeError when the response is of another type (`text()` still gives its body); SyntaxError when it is no JSON; what
   *   `text()` throws
   */
  async json<T = unknown>(options: ResponseJsonOptions = NO_OPTIONS): Promise<T> {
    const given = ownOptions(options);
    if (!('contentType' in given) || given.contentType !== undefined) {
      const expected = given.contentType ?? 'application/json';
      if (!isExpectedType(this.contentType, expected)) {
        // Often a page that tells what went wrong: it can be asked for afterwards.
        await this.read();
        throw new ContentTypeError(this.request, this.past, {
          status: this.status,
          message: `Attempt to decode JSON with unexpected mimetype: ${this.contentType}`,
          headers: this.headers,
        });
      }
    }
    const text = await this.text({ encoding: given.encoding });
    if (text.trim() === '') return undefined as T;
    const { loads } = given;
    return (loads === undefined ? JSON.parse(text) : loads(text)) as T;
  }

  /** The charset that `text()` takes for these bytes. */
  getEncoding(): string {
    return this.encodingOf(undefined);
  }

  /**
   * Throws when the status is 400 or above. A body that has not come yet is given up then; one that came with the head can still be read.
   *
   * @throws ClientResponseError
   */
  raiseForStatus(): void {
    if (this.ok) return;
    if (this.lease !== undefined && !this.lease.released) this.release();
    throw new ClientResponseError(this.request, this.past, {
      status: this.status,
      message: this.reason,
      headers: this.headers,
    });
  }

  /**
   * Gives the response up. The connection goes back to the pool when the body has come to its end; else it is closed, for the rest
   * would be in the way of the next response.
   */
  release(): void {
    this.giveUp();
    this.lease?.release();
  }

  /** Gives the response up and closes its connection, if it still has one. */
  close(): void {
    this.giveUp();
    this.lease?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }

  /** For people to read: without path, query and fields, which may hold secrets. */
  toString(): string {
    return `<ClientResponse [${this.status} ${this.reason}] ${this.request.toString()}>`;
  }

  /** The same for loggers, which would go through everything that hangs on the response. */
  toJSON(): string {
    return this.toString();
  }

  /**
   * Leaves HTTP after a `101 Switching Protocols`: the socket, and the bytes that came behind the head.
   *
   * @throws TypeError `AIO_NOT_UPGRADED` for another status
   */
  upgrade(): { socket: Socket; buffered: Uint8Array } {
    if (this.status !== 101 || this.lease === undefined || this.lease.released) {
      throw codedTypeError(
        'AIO_NOT_UPGRADED',
        `the server answered ${this.status}: the protocol was not switched`,
      );
    }
    return this.lease.connection.upgrade();
  }

  /** @internal It has a Set-Cookie field. */
  get setsCookies(): boolean {
    return this.head.setsCookies;
  }

  /** @internal */
  setHistory(history: readonly ClientResponse[]): void {
    this.past = history;
  }

  private parseCookies(): MultiDict<string> {
    const cookies = new MultiDict<string>();
    for (const line of this.headers.getSetCookie()) {
      const cookie = parseSetCookie(line);
      if (cookie !== undefined) cookies.add(cookie.name, unquoteCookieValue(cookie.codedValue));
    }
    return cookies;
  }

  private giveUp(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.stream !== undefined && !this.stream.isEof()) this.stream.setException(connectionClosed());
  }

  /** The body when it came with the head and needs no stream; `undefined` when it must be waited for. */
  private wholeBody(): Uint8Array | undefined {
    const { body } = this.message;
    if (
      body instanceof StreamReader ||
      this.isClosed ||
      this.reading !== undefined ||
      this.stream !== undefined
    ) {
      return undefined;
    }
    if (this.isObserved) return undefined;
    if (body === undefined) return NO_BYTES;
    const decoders = this.decoders();
    const bytes = decoders === undefined ? body : decodedAtOnce(body, decoders);
    if (bytes !== undefined && bytes.length > this.maxBodySize) throw this.tooLarge();
    return bytes;
  }

  private async gather(): Promise<Uint8Array> {
    try {
      const whole = this.wholeBody();
      if (whole !== undefined) return whole;
      if (this.isClosed) throw connectionClosed();
      const { content } = this;
      const limit = this.maxBodySize;
      const decoders = this.decoders();
      const { contentLength } = this.head;
      if (decoders === undefined && contentLength !== -1) {
        if (contentLength > limit) throw this.tooLarge();
        return await content.read();
      }
      const pieces: Uint8Array[] = [];
      let size = 0;
      for (let piece = await content.readAny(); piece !== undefined; piece = await content.readAny()) {
        size += piece.length;
        if (size > limit || (decoders !== undefined && size > this.allowedNow())) throw this.tooLarge();
        pieces.push(piece);
      }
      return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    } catch (error) {
      this.close();
      throw withCaller(error);
    }
  }

  private allowedNow(): number {
    const { body } = this.message;
    const encoded = body instanceof StreamReader ? body.totalBytes : (body?.length ?? 0);
    return gatherLimit(encoded);
  }

  private get isObserved(): boolean {
    return this.request.traces !== undefined || this.request.settings.onDownloadProgress !== undefined;
  }

  private get maxBodySize(): number {
    return this.request.settings.maxBodySize ?? this.request.session.maxBodySize ?? MAX_BODY_SIZE;
  }

  private decoders(): readonly string[] | undefined {
    if (!this.head.contentCoded || this.message.body === undefined || !this.request.decompresses) {
      return undefined;
    }
    return decodersFor(this.head.header('content-encoding'));
  }

  private encodingOf(bytes: Uint8Array | undefined): string {
    const { charset } = this;
    if (charset !== undefined && isKnownCharset(charset)) return charset;
    return this.request.session.fallbackCharsetResolver?.(this, bytes ?? NO_BYTES) ?? 'utf-8';
  }

  private tooLarge(): ClientPayloadError {
    return new ClientPayloadError(
      `The response's body is larger than can be gathered (maxBodySize ${this.maxBodySize} bytes, less when it is compressed beyond reason): read it from content`,
    );
  }
}

/** Who reads the stream of a response has the response: it must not be collected, and its connection closed, as one that was dropped. */
const keptBy = new WeakMap<StreamReader, ClientResponse>();

const NO_OPTIONS = Object.freeze({});
const NO_BYTES: Uint8Array = new Uint8Array(0);
const NO_HISTORY: readonly ClientResponse[] = Object.freeze([]);

function connectionClosed(): ClientConnectionError {
  return new ClientConnectionError('Connection closed');
}

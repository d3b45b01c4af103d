import type { Socket } from 'node:net';
import { suspend } from '../asyncio/index.ts';
import {
  CIMultiDict,
  type CIMultiDictProxy,
  codedTypeError,
  type HttpVersion,
  HttpVersion11,
  isFieldValue,
  isToken,
  reasonPhrase,
  type StreamReader,
  shown,
} from '../message/index.ts';
import {
  ClientDisconnectedError,
  type Endpoint,
  type Exchange,
  type ExchangeOwner,
  type RequestHead,
  type ResponseHead,
  ResponseStateError,
  type UpgradedConnection,
} from '../net/index.ts';
import { ExchangeStateError } from './exchange-errors.ts';
import { PlatformBody } from './platform-body.ts';

/** Bytes that may wait for whoever reads the platform response before `write()` waits. */
const HIGH_WATER_MARK = 65_536;

/** Statuses with which a platform `Response` takes no body (Fetch, null body status). */
const NULL_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** Fields that only HTTP/1.1 connections have; whoever serves the platform response frames it. */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding']);

/** The head of a platform `Request`. */
class PlatformHead implements RequestHead {
  readonly method: string;
  readonly target: string;
  readonly version: HttpVersion = HttpVersion11;
  readonly #source: globalThis.Headers;
  readonly #host: string;
  #headers: CIMultiDict | undefined;

  constructor(request: globalThis.Request, url: URL) {
    this.method = request.method;
    this.target = url.pathname + url.search;
    this.#source = request.headers;
    this.#host = url.host;
    this.#headers = undefined;
  }

  get headers(): CIMultiDictProxy {
    if (this.#headers === undefined) {
      const headers = new CIMultiDict(this.#source);
      // A platform request carries its host in the URL.
      if (!headers.has('Host')) headers.set('Host', this.#host);
      this.#headers = headers;
    }
    return this.#headers;
  }

  header(name: string): string | undefined {
    const value = this.#source.get(name);
    if (value === null) return name === 'host' ? this.#host : undefined;
    return value;
  }
}

/**
 * An exchange without a connection: a platform `Request` comes in, a platform `Response` goes out. What stands behind `app.fetch`.
 *
 * The body streams both ways with backpressure. When the reader of the response cancels it, or the request's signal aborts, the exchange
 * fails as if the client had gone away. Trailers of the answer are dropped: a platform response has no place for them.
 */
export class FetchExchange implements Exchange {
  readonly head: RequestHead;
  readonly error: undefined = undefined;
  readonly trailers: undefined = undefined;
  readonly secure: boolean;
  readonly remote: Endpoint | undefined = undefined;
  readonly local: Endpoint | undefined = undefined;
  readonly socket: Socket | undefined = undefined;
  readonly serverHeader: undefined = undefined;
  owner: ExchangeOwner | undefined;
  keepAlive: boolean;
  /** Settles when the head of the answer is there; rejects when the exchange failed before. */
  readonly response: Promise<globalThis.Response>;
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;
  readonly #body: PlatformBody | undefined;
  readonly #resolve: (response: globalThis.Response) => void;
  readonly #reject: (error: unknown) => void;
  #started: boolean;
  #done: boolean;
  #bytesSent: number;
  #promised: number | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #wake: ((error: Error | undefined) => void) | undefined;

  constructor(request: globalThis.Request) {
    const url = new URL(request.url);
    this.head = new PlatformHead(request, url);
    this.secure = url.protocol === 'https:';
    this.owner = undefined;
    this.keepAlive = true;
    this.#body = request.body === null ? undefined : new PlatformBody(request.body);
    this.#started = false;
    this.#done = false;
    this.#bytesSent = 0;
    this.#promised = undefined;
    this.#controller = undefined;
    this.#wake = undefined;
    let resolve!: (response: globalThis.Response) => void;
    let reject!: (error: unknown) => void;
    this.response = new Promise((onResolve, onReject) => {
      resolve = onResolve;
      reject = onReject;
    });
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = request.signal;
    this.#onAbort = () => this.#fail(disconnected('the signal of the request aborted', this.#signal.reason));
    this.#signal.addEventListener('abort', this.#onAbort, { once: true });
    if (this.#signal.aborted) queueMicrotask(this.#onAbort);
  }

  get body(): StreamReader | undefined {
    return this.#body?.stream;
  }

  get started(): boolean {
    return this.#started;
  }

  get bytesSent(): number {
    return this.#bytesSent;
  }

  sendContinue(): void {
    // Whoever holds the platform request has asked for the body already.
  }

  respond(head: ResponseHead, body: Uint8Array | string | undefined): void {
    this.#mustBeNew();
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const size = bytes?.byteLength ?? 0;
    const init = this.#init(head, size, bytes !== undefined);
    const content = this.#isBodyless(head.status) || bytes === undefined ? null : owned(bytes);
    const response = new globalThis.Response(content, init);
    this.#started = true;
    this.#bytesSent = content?.byteLength ?? 0;
    this.#resolve(response);
    this.#finish(undefined);
  }

  start(head: ResponseHead, length: number | undefined): void {
    this.#mustBeNew();
    const init = this.#init(head, length, length !== undefined);
    let content: ReadableStream<Uint8Array> | null = null;
    if (!this.#isBodyless(head.status)) {
      this.#promised = length;
      content = new ReadableStream<Uint8Array>(
        {
          start: (controller) => {
            this.#controller = controller;
          },
          pull: () => this.#wake?.(undefined),
          cancel: (reason: unknown) => this.#fail(disconnected('the response was cancelled', reason)),
        },
        { highWaterMark: HIGH_WATER_MARK, size: (chunk) => chunk?.byteLength ?? 0 },
      );
    }
    const response = new globalThis.Response(content, init);
    this.#started = true;
    this.#resolve(response);
  }

  write(chunk: Uint8Array | string): Promise<void> | undefined {
    this.#mustBeStarted('write()');
    const controller = this.#controller;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (controller === undefined || bytes.byteLength === 0) return undefined;
    const sent = this.#bytesSent + bytes.byteLength;
    if (this.#promised !== undefined && sent > this.#promised) {
      throw this.#mismatch(`${sent} bytes were written`);
    }
    this.#bytesSent = sent;
    controller.enqueue(bytes);
    if ((controller.desiredSize ?? 1) > 0) return undefined;
    const wait = suspend<void>((resolve, reject) => {
      const wake = (error: Error | undefined): void => {
        this.#wake = undefined;
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#wake = wake;
      return () => {
        if (this.#wake === wake) this.#wake = undefined;
      };
    }, 'FetchExchange.write');
    // Whoever does not wait must not be ended by a reader that cancels.
    wait.catch(() => {});
    return wait;
  }

  end(): Promise<void> | undefined {
    this.#mustBeStarted('end()');
    if (
      this.#promised !== undefined &&
      this.#controller !== undefined &&
      this.#bytesSent !== this.#promised
    ) {
      throw this.#mismatch(`only ${this.#bytesSent} bytes were written`);
    }
    this.#controller?.close();
    this.#finish(undefined);
    return undefined;
  }

  upgrade(): UpgradedConnection {
    throw new ExchangeStateError(
      'AIO_UPGRADE_NOT_SUPPORTED',
      'app.fetch() cannot leave HTTP (WebSocket, CONNECT): a platform Response carries no connection. Serve the application with runApp() for that.',
    );
  }

  abort(): void {
    this.#fail(
      Object.assign(new Error('The application cut the exchange before its answer was complete.'), {
        code: 'AIO_EXCHANGE_ABORTED',
      }),
    );
  }

  #mismatch(what: string): ResponseStateError {
    const error = new ResponseStateError(
      `Content-Length is ${this.#promised}, but ${what}: the response was cut`,
    );
    this.#fail(error);
    return error;
  }

  /** The exchange ends without a complete answer. */
  #fail(error: Error): void {
    if (this.#done) return;
    if (!this.#started) this.#reject(error);
    else if (error instanceof ClientDisconnectedError && error.cause !== undefined)
      this.#controller?.error(error.cause);
    else this.#controller?.error(error);
    this.#finish(error);
  }

  #finish(error: Error | undefined): void {
    if (this.#done) return;
    this.#done = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#controller = undefined;
    this.#wake?.(error);
    this.#body?.stop(error);
    const { owner } = this;
    this.owner = undefined;
    owner?.exchangeDone(error);
  }

  #isBodyless(status: number): boolean {
    return this.head.method === 'HEAD' || NULL_BODY.has(status);
  }

  /** Everything is checked here, before the answer counts as started. */
  #init(head: ResponseHead, length: number | undefined, hasBody: boolean): ResponseInit {
    const { status, reason } = head;
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw codedTypeError(
        'AIO_BAD_HEAD',
        `A platform Response needs a status from 200 to 599, got ${String(status)}`,
      );
    }
    const headers = new globalThis.Headers();
    const raw = head.ownHeaders?.raw ?? [];
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = raw[i] ?? '';
      const value = raw[i + 1] ?? '';
      if (!isToken(name) || !isFieldValue(value)) {
        throw codedTypeError('AIO_BAD_HEAD', `Not a header field: ${shown(name)}: ${shown(value)}`);
      }
      if (!CONNECTION_FIELDS.has(name.toLowerCase())) headers.append(name, value);
    }
    if (head.contentTypeField !== undefined && !head.defaultsSet && !headers.has('content-type')) {
      headers.set('content-type', head.contentTypeField);
    }
    this.#frame(headers, status, length, hasBody);
    return { status, statusText: reason ?? reasonPhrase(status), headers };
  }

  #frame(headers: globalThis.Headers, status: number, length: number | undefined, hasBody: boolean): void {
    const declared = headers.get('content-length');
    if (declared !== null && !/^\d{1,15}$/.test(declared)) {
      throw codedTypeError(
        'AIO_BAD_HEAD',
        `Content-Length must be a number of bytes, got ${shown(declared)}`,
      );
    }
    if (
      declared !== null &&
      length !== undefined &&
      length !== Number(declared) &&
      !this.#isBodyless(status)
    ) {
      throw new ResponseStateError(`Content-Length is set to ${declared}, but the body has ${length} bytes`);
    }
    if (status === 204) headers.delete('content-length');
    else if (declared === null && hasBody && length !== undefined)
      headers.set('content-length', String(length));
  }

  #mustBeNew(): void {
    if (this.#done && !this.#started) throw disconnected('the exchange has failed', undefined);
    if (this.#started)
      throw new ResponseStateError('This request was already answered: a second head cannot be sent');
  }

  #mustBeStarted(what: string): void {
    if (this.#done) throw disconnected('the exchange has ended', undefined);
    if (!this.#started) throw new ResponseStateError(`${what} comes before the head of the answer`);
  }
}

function disconnected(why: string, cause: unknown): ClientDisconnectedError {
  return new ClientDisconnectedError(
    `The client went away: ${why}.`,
    cause === undefined ? undefined : { cause },
  );
}

/** A platform body wants memory that is not shared. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}

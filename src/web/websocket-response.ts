import type { ExtraInfo, UpgradedConnection } from '../net/index.ts';
import {
  type CloseOptions,
  checkCompression,
  checkNumber,
  type DeflateParameters,
  type ReceiveJsonOptions,
  type ReceiveOptions,
  type SendJsonBytesOptions,
  type SendJsonOptions,
  type SendOptions,
  WebSocketChannel,
  type WebSocketCompression,
  WebSocketStateError,
  type WSMessage,
  type WSMsgType,
} from '../websocket/index.ts';
import type { BaseRequest } from './base-request.ts';
import { HTTPBadRequest } from './http-exceptions.ts';
import { NEW, STARTED } from './response-fields.ts';
import { StreamResponse } from './stream-response.ts';
import { UpgradedExchange } from './upgraded-exchange.ts';
import { agree, type WebSocketReady } from './websocket-handshake.ts';

/** Options of a {@link WebSocketResponse}. Durations are milliseconds, sizes bytes. */
export interface WebSocketResponseOptions<DecodeText extends boolean = boolean> {
  /** How long `close()` waits for the client's close frame. Default 10 000. */
  readonly timeout?: number | undefined;
  /** How long each `receive()` waits; then `TimeoutError`. Default: for ever. */
  readonly receiveTimeout?: number | undefined;
  /** Answers the client's close frame. Default `true`. With `false` call `close()` when a CLOSE message was received. */
  readonly autoclose?: boolean | undefined;
  /** Answers pings. Default `true`. With `false` pings and pongs are messages like others. */
  readonly autoping?: boolean | undefined;
  /**
   * Pings a client that was silent for so long. One that sends nothing within half of it, not even the pong, is given up: `receive()` gives an ERROR
   * message, `closeCode` is 1006. Default: none; a client that vanished without a word is then only found out by sending.
   */
  readonly heartbeat?: number | undefined;
  /** The sub-protocols that this handler speaks: the first of the client's list that is among them is chosen. Default: none. */
  readonly protocols?: Iterable<string> | undefined;
  /** Compresses messages where the client can do so too (permessage-deflate, RFC 7692). Default `true`. */
  readonly compress?: boolean | WebSocketCompression | undefined;
  /** Largest message that is taken, also when it came compressed; a larger one closes with 1009. 0: no limit. Default 4 MiB. */
  readonly maxMsgSize?: number | undefined;
  /** Bytes that may wait for the client before whoever sends has to wait. Default 256 KiB. */
  readonly writerLimit?: number | undefined;
  /** `false`: texts are given as bytes that are valid UTF-8. Default `true`. */
  readonly decodeText?: DecodeText | undefined;
}

const DEFAULT_TIMEOUT = 10_000;
const DEFAULT_MAX_MSG_SIZE = 4_194_304;
const DEFAULT_WRITER_LIMIT = 262_144;

/** What the texts of a WebSocket are. */
type TextOf<DecodeText extends boolean> = DecodeText extends false ? Uint8Array : string;

/**
 * An answer that turns the request into a WebSocket (RFC 6455): messages both ways for as long as the handler runs. `prepare()` sends the head, so
 * cookies, sessions and signals reach it as they reach any other; then iterate over it, or `receive()` and send.
 *
 * A handler that returns closes it with 1000, one that throws with 1011, a shutdown of the server with 1001. A client that vanished ends the
 * iteration; `closeCode` is 1006 then. Sending to it throws `ClientDisconnectedError`, which nobody has to catch.
 *
 * aiohttp: `web.WebSocketResponse`.
 *
 * @typeParam DecodeText - `false` with the option `decodeText: false`
 * @example
 * ```ts
 * async function echo(request: web.Request): Promise<web.WebSocketResponse> {
 *   const ws = new web.WebSocketResponse({ heartbeat: 30_000 });
 *   await ws.prepare(request);
 *   for await (const message of ws) {
 *     if (message.type === web.WSMsgType.TEXT) await ws.sendStr(message.data);
 *   }
 *   return ws;
 * }
 * ```
 */
export class WebSocketResponse<DecodeText extends boolean = true>
  extends StreamResponse
  implements AsyncIterable<WSMessage<TextOf<DecodeText>>>, AsyncDisposable
{
  readonly #options: WebSocketResponseOptions<DecodeText>;
  readonly #protocols: readonly string[];
  #protocol: string | undefined = undefined;
  #deflate: DeflateParameters | undefined = undefined;
  #channel: WebSocketChannel<TextOf<DecodeText>> | undefined = undefined;
  #upgraded: UpgradedExchange | undefined = undefined;

  /** @throws RangeError `AIO_WS_OPTION` for a duration or size that is none */
  constructor(options: WebSocketResponseOptions<DecodeText> = {}) {
    super({ status: 101 });
    const { timeout, receiveTimeout, heartbeat, maxMsgSize, writerLimit } = options;
    for (const [name, value] of Object.entries({ timeout, receiveTimeout, heartbeat })) {
      if (value !== undefined) checkNumber(name, value, 'milliseconds');
    }
    for (const [name, value] of Object.entries({ maxMsgSize, writerLimit })) {
      if (value !== undefined) checkNumber(name, value, 'bytes');
    }
    if (typeof options.compress === 'object') checkCompression(options.compress);
    this.#options = options;
    this.#protocols = [...(options.protocols ?? [])];
  }

  /** It is closed, or being closed: nothing can be sent any more. `false` before `prepare()`. */
  get closed(): boolean {
    return this.#channel?.closed ?? false;
  }

  /**
   * What it was closed with: the client's code (0 when its close frame had none), ours until that is here, or 1006 when it never came; `undefined`
   * as long as it is open.
   */
  get closeCode(): number | undefined {
    return this.#channel?.closeCode;
  }

  /** The sub-protocol that was chosen; `undefined`: none. */
  get wsProtocol(): string | undefined {
    return this.#protocol;
  }

  /** Whether messages may be compressed: the client can do so too. */
  get compress(): boolean {
    return this.#deflate !== undefined;
  }

  /** What went wrong, if anything did: a mistake of the client, a missed pong, an error of the socket. */
  exception(): Error | undefined {
    return this.#channel?.exception();
  }

  /** What is known of the connection: `'peername'`, `'sockname'`, `'socket'`, and with TLS `'cipher'`, `'peercert'`, `'alpn'`. */
  getExtraInfo<K extends keyof ExtraInfo>(name: K): ExtraInfo[K] | undefined {
    return this.#channel?.getExtraInfo(name) as ExtraInfo[K] | undefined;
  }

  /**
   * Whether the request asks for a WebSocket as it should, and the sub-protocol that would be chosen. Nothing is sent: a handler can answer
   * something else.
   */
  canPrepare(request: BaseRequest): WebSocketReady {
    return agree(request, this.#protocols, false).ready;
  }

  /**
   * Sends the head: from here on it is a WebSocket. A second call for the same request does nothing.
   *
   * @throws HTTPBadRequest (400) when the request does not ask for a WebSocket, or not as it should (RFC 6455 §4.2.1)
   * @throws ExchangeStateError as {@link StreamResponse.prepare}; `AIO_UPGRADE_NOT_SUPPORTED` under `app.fetch`, which has no connection
   */
  override async prepare(request: BaseRequest): Promise<void> {
    if (this._state !== NEW && this._request === request._origin) return;
    const { compress = true } = this.#options;
    const { ready, accept, deflate, problem } = agree(request, this.#protocols, compress);
    if (problem !== undefined) {
      // RFC 6455 §4.4: which version would do.
      throw new HTTPBadRequest({ text: problem, headers: { 'Sec-WebSocket-Version': '13' } });
    }
    if (this._state === NEW) {
      this.#protocol = ready.protocol;
      this.#deflate = deflate?.parameters;
      const { headers } = this;
      headers.set('Upgrade', 'websocket');
      headers.set('Connection', 'upgrade');
      headers.set('Sec-WebSocket-Accept', accept);
      if (deflate !== undefined) headers.set('Sec-WebSocket-Extensions', deflate.header);
      if (ready.protocol !== undefined) headers.set('Sec-WebSocket-Protocol', ready.protocol);
    }
    await super.prepare(request);
  }

  /**
   * The next message. One that is here already is given at once. When the wait for it is cancelled, aborted or takes too long, no message is
   * lost and the WebSocket can be used on. After the end it gives CLOSED.
   *
   * @throws TimeoutError after `timeout` or `receiveTimeout` ms; the reason of `signal`
   * @throws WebSocketStateError `AIO_WS_NOT_PREPARED`; `AIO_WS_RECEIVING` while another call waits; `AIO_WS_CLOSED` at the fifth call after the end
   */
  receive(options?: ReceiveOptions): Promise<WSMessage<TextOf<DecodeText>>> {
    return this.#channel?.receive(options) ?? unprepared();
  }

  /**
   * The next message, which must be text.
   *
   * @throws WSMessageTypeError when it is of another type, such as CLOSE; what {@link receive} throws
   */
  receiveStr(options?: ReceiveOptions): Promise<string> {
    return this.#channel?.receiveStr(options) ?? unprepared();
  }

  /**
   * The next message, which must be bytes.
   *
   * @throws WSMessageTypeError when it is of another type, such as CLOSE; what {@link receive} throws
   */
  receiveBytes(options?: ReceiveOptions): Promise<Uint8Array> {
    return this.#channel?.receiveBytes(options) ?? unprepared();
  }

  /**
   * The next message, which must be text that is JSON. The type is a promise of yours, nothing checks it.
   *
   * @throws SyntaxError when it is no JSON; what {@link receiveStr} throws
   */
  receiveJson<T = unknown>(options?: ReceiveJsonOptions<T>): Promise<T> {
    return this.#channel?.receiveJson(options) ?? unprepared();
  }

  /**
   * Sends text. Wait for it: then a slow client slows the handler and not the memory down.
   *
   * @throws TypeError `AIO_WS_DATA` when it is no string
   * @throws ClientDisconnectedError when the client closed or is gone; WebSocketStateError `AIO_WS_CLOSED` after `close()`
   */
  sendStr(data: string, options?: SendOptions): Promise<void> {
    return this.#channel?.sendStr(data, options) ?? unprepared();
  }

  /**
   * Sends bytes, which must not change before the promise is settled.
   *
   * @throws TypeError `AIO_WS_DATA` when it is no `Uint8Array`; else as {@link sendStr}
   */
  sendBytes(data: Uint8Array, options?: SendOptions): Promise<void> {
    return this.#channel?.sendBytes(data, options) ?? unprepared();
  }

  /**
   * Sends a value as JSON, in a message of text.
   *
   * @throws TypeError when it has no JSON; else as {@link sendStr}
   */
  sendJson(value: unknown, options?: SendJsonOptions): Promise<void> {
    return this.#channel?.sendJson(value, options) ?? unprepared();
  }

  /** Sends a value as `dumps` writes it, in a message of bytes. */
  sendJsonBytes(value: unknown, options: SendJsonBytesOptions): Promise<void> {
    return this.#channel?.sendJsonBytes(value, options) ?? unprepared();
  }

  /**
   * Sends a message of the type that is given: TEXT, BINARY, PING or PONG.
   *
   * @throws RangeError `AIO_WS_OPCODE` for another type; else as {@link sendStr}
   */
  sendFrame(data: string | Uint8Array, opcode: WSMsgType, options?: SendOptions): Promise<void> {
    return this.#channel?.sendFrame(data, opcode, options) ?? unprepared();
  }

  /**
   * Sends a ping, with up to 125 bytes that the pong gives back.
   *
   * @throws RangeError `AIO_WS_CONTROL_TOO_LONG` for more; else as {@link sendStr}
   */
  ping(data?: string | Uint8Array): Promise<void> {
    return this.#channel?.ping(data) ?? unprepared();
  }

  /**
   * Sends a pong that nobody asked for. Pings are answered by themselves (`autoping`).
   *
   * @throws RangeError `AIO_WS_CONTROL_TOO_LONG` for more than 125 bytes; else as {@link sendStr}
   */
  pong(data?: string | Uint8Array): Promise<void> {
    return this.#channel?.pong(data) ?? unprepared();
  }

  /**
   * Closes: tells the client why and waits, up to `timeout`, for its close frame. May be called while another task receives: that gets a CLOSING
   * message.
   *
   * @returns `false` when it was closed already, or the client is gone
   * @throws RangeError `AIO_WS_CLOSE_CODE`, `AIO_WS_CLOSE_REASON` for a code or reason that cannot be sent
   */
  close(options?: CloseOptions): Promise<boolean> {
    return this.#channel?.close(options) ?? unprepared();
  }

  /** The messages, up to the one that says that the connection closes. An ERROR message is among them. */
  [Symbol.asyncIterator](): AsyncIterableIterator<WSMessage<TextOf<DecodeText>>> {
    if (this.#channel === undefined) throw notPrepared();
    return this.#channel[Symbol.asyncIterator]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#channel?.close();
  }

  /** A WebSocket has no body: see {@link sendStr} and {@link sendBytes}. */
  override write(): Promise<never> {
    return Promise.reject(
      new WebSocketStateError(
        'AIO_WS_NO_BODY',
        'A WebSocket has no body to write(): use sendStr() or sendBytes().',
      ),
    );
  }

  /** The same as `close()`. */
  override async writeEof(): Promise<void> {
    await this.close();
  }

  /** @internal */
  override async _sendRest(request: BaseRequest): Promise<void> {
    await this.prepare(request);
    this.#upgraded?.handlerEnded();
    await this.close();
  }

  /** @internal */
  override _start(): void {
    const exchange = this._exchange();
    const owner = exchange.owner!;
    let connection: UpgradedConnection;
    try {
      connection = exchange.upgrade(this);
    } catch (error) {
      if (!exchange.started) this._unbind();
      throw error;
    }
    this._state = STARTED;
    const options = this.#options;
    const compress = typeof options.compress === 'object' ? options.compress : undefined;
    const channel = new WebSocketChannel<TextOf<DecodeText>>(connection, {
      role: 'server',
      protocol: this.#protocol,
      deflate: this.#deflate,
      compressThreshold: compress?.threshold,
      compressLevel: compress?.level,
      closeTimeout: options.timeout ?? DEFAULT_TIMEOUT,
      receiveTimeout: options.receiveTimeout,
      autoclose: options.autoclose ?? true,
      autoping: options.autoping ?? true,
      heartbeat: options.heartbeat,
      maxMsgSize: options.maxMsgSize ?? DEFAULT_MAX_MSG_SIZE,
      writerLimit: options.writerLimit ?? DEFAULT_WRITER_LIMIT,
      decodeText: options.decodeText ?? true,
      sendTimeout: connection.sendTimeout,
    });
    this.#channel = channel;
    this.#upgraded = new UpgradedExchange(exchange, owner, this._request!, channel);
  }

  /** @internal */
  override _handlerFailed(error: unknown): 'log' | 'ignore' | undefined {
    return this.#upgraded?.handlerFailed(error);
  }

  /** @internal The handler of an open WebSocket ends by itself: it hears of it when it receives or sends. */
  override _exchangeFailed(error: Error): void {
    if (this.#channel === undefined) super._exchangeFailed(error);
  }
}

function notPrepared(): WebSocketStateError {
  return new WebSocketStateError(
    'AIO_WS_NOT_PREPARED',
    'A WebSocket needs `await ws.prepare(request)` first.',
  );
}

function unprepared(): Promise<never> {
  return Promise.reject(notPrepared());
}

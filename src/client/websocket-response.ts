import { inspect } from 'node:util';
import type { ExtraInfo } from '../net/index.ts';
import {
  ChannelMessages,
  type CloseOptions,
  type DeflateParameters,
  type ReceiveOptions,
  type WebSocketChannel,
  type WSMessage,
  type WSMsgType,
} from '../websocket/index.ts';
import { withCaller } from './caller.ts';
import { connectionFailure } from './connection-failure.ts';
import type { ClientResponse } from './response.ts';

const ignore = (): void => {};

/** What the texts of a WebSocket are. */
export type TextOf<DecodeText extends boolean> = DecodeText extends false ? Uint8Array : string;

/**
 * An open WebSocket: what `session.wsConnect()` gives. Iterate over it, or `receive()` message by message; `await using` or `close()` ends
 * it. One that is dropped while it is open warns (`AIO_UNCLOSED`) and is cut.
 *
 * Sending throws ClientConnectionResetError when the server is gone, WebSocketStateError `AIO_WS_CLOSED` when this end has closed.
 *
 * Source: `aiohttp.ClientWebSocketResponse`.
 *
 * @typeParam DecodeText `false` with the option `decodeText: false`
 *
 * @example
 * ```ts
 * import { ClientSession, WSMsgType } from 'aiohttp-ts/client';
 *
 * await using session = new ClientSession();
 * await using ws = await session.wsConnect('wss://echo.example/');
 * await ws.sendStr('hello');
 * for await (const message of ws) {
 *   if (message.type === WSMsgType.TEXT) console.log(message.data);
 * }
 * console.log(ws.closeCode);
 * ```
 */
export class ClientWebSocketResponse<DecodeText extends boolean = true>
  extends ChannelMessages<TextOf<DecodeText>>
  implements AsyncDisposable
{
  /** The answer to the handshake: its fields, cookies, history. */
  readonly response: ClientResponse;
  private readonly channel: WebSocketChannel<TextOf<DecodeText>>;
  private readonly deflate: DeflateParameters | undefined;

  static {
    // Whoever logs a WebSocket should log neither its fields nor its cookies.
    Object.defineProperty(ClientWebSocketResponse.prototype, inspect.custom, {
      value: ClientWebSocketResponse.prototype.toString,
    });
  }

  /** @internal */
  constructor(
    response: ClientResponse,
    channel: WebSocketChannel<TextOf<DecodeText>>,
    deflate: DeflateParameters | undefined,
  ) {
    super();
    this.response = response;
    this.channel = channel;
    this.deflate = deflate;
  }

  /** It is closed, or being closed: nothing can be sent any more. */
  get closed(): boolean {
    return this.channel.closed;
  }

  /** What it was closed with: 1006 when the connection just ended; `undefined` as long as it is open. */
  get closeCode(): number | undefined {
    return this.channel.closeCode;
  }

  /** The sub-protocol that the server chose; `undefined` when none. */
  get protocol(): string | undefined {
    return this.channel.protocol;
  }

  /** Messages may be compressed: the server agreed to it. */
  get compress(): boolean {
    return this.channel.compress;
  }

  /** What is sent is compressed message by message, without a look back at those before. */
  get clientNotakeover(): boolean {
    return this.deflate?.clientNoContextTakeover ?? false;
  }

  /** What went wrong, if anything did. */
  exception(): Error | undefined {
    return this.channel.exception();
  }

  /** Something about the connection: `'peername'`, `'sockname'`, `'socket'`, and with TLS `'cipher'`, `'peercert'`, `'alpn'`. */
  getExtraInfo<K extends keyof ExtraInfo>(name: K): ExtraInfo[K] | undefined {
    return this.channel.getExtraInfo(name) as ExtraInfo[K] | undefined;
  }

  /**
   * The next message. One receive at a time. When it is cancelled, aborted, or takes too long, no message is lost and the WebSocket
   * stays open. After the end it gives CLOSED messages, up to the fifth.
   *
   * @throws TimeoutError, CancelledError, what the signal was aborted with
   * @throws WebSocketStateError `AIO_WS_RECEIVING` while another one waits; `AIO_WS_CLOSED` when it is called again and again after the end
   */
  override receive(options?: ReceiveOptions): Promise<WSMessage<TextOf<DecodeText>>> {
    return this.wait(this.channel.receive(options));
  }

  /**
   * Sends a close frame and waits for the server's, as long as `timeout.wsClose` says; then the connection ends. Messages that were not
   * received yet are dropped.
   *
   * @returns `false` when it was closed before
   * @throws RangeError `AIO_WS_CLOSE_CODE`, `AIO_WS_CLOSE_REASON` for a code or a reason that cannot be sent; CancelledError: the connection is cut then
   */
  close(options?: CloseOptions): Promise<boolean> {
    return this.wait(this.channel.close(options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** For people to read: without path, query and fields, which may hold secrets. */
  override toString(): string {
    const { closed, closeCode } = this;
    const state = closed ? `closed ${closeCode ?? ''}`.trimEnd() : 'open';
    return `<ClientWebSocketResponse [${state}] ${this.response.request.target.origin}>`;
  }

  /** The same for loggers, which would go through everything that hangs on the connection. */
  toJSON(): string {
    return this.toString();
  }

  /** @internal */
  protected override send(
    opcode: WSMsgType,
    data: string | Uint8Array,
    compress: boolean | undefined,
  ): Promise<void> {
    const options = compress === undefined ? undefined : { compress };
    const sent = this.wait(this.channel.sendFrame(data, opcode, options));
    // A server that leaves must not end the program of who sent it something and did not look at the result.
    sent.catch(ignore);
    return sent;
  }

  /**
   * Waits for the channel. The wait holds the WebSocket, which else could be collected, and cut, as one that was dropped; and its errors
   * are those of the client, with the lines of the caller.
   */
  private async wait<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } catch (error) {
      throw withCaller(error instanceof Error ? connectionFailure(error, false) : error);
    }
  }
}

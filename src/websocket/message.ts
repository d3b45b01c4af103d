/**
 * What a WebSocket message is. The first six are opcodes of frames (RFC 6455 §5.2); the last three never are on the wire.
 *
 * Source: `aiohttp.WSMsgType`.
 *
 * @example
 * ```ts
 * WSMsgType.TEXT; // 1
 * ```
 */
export const WSMsgType: {
  /** A further fragment of a message; messages are whole when they are received. */
  readonly CONTINUATION: 0;
  readonly TEXT: 1;
  readonly BINARY: 2;
  /** The peer closes: `data` is its close code, `extra` its reason. */
  readonly CLOSE: 8;
  readonly PING: 9;
  readonly PONG: 10;
  /** This end is closing. */
  readonly CLOSING: 0x100;
  /** The connection is closed. */
  readonly CLOSED: 0x101;
  /** Receiving failed: `data` is the error. */
  readonly ERROR: 0x102;
} = {
  CONTINUATION: 0,
  TEXT: 1,
  BINARY: 2,
  CLOSE: 8,
  PING: 9,
  PONG: 10,
  CLOSING: 0x100,
  CLOSED: 0x101,
  ERROR: 0x102,
};

/**
 * The type of a message: one of the values of the constant of the same name.
 *
 * @example
 * ```ts
 * const type: WSMsgType = WSMsgType.BINARY;
 * ```
 */
export type WSMsgType = (typeof WSMsgType)[keyof typeof WSMsgType];

/** Text. `Text` is `string`, or `Uint8Array` (valid UTF-8) where texts are not decoded. */
export interface WSTextMessage<Text extends string | Uint8Array = string> {
  readonly type: typeof WSMsgType.TEXT;
  readonly data: Text;
  readonly extra: undefined;
  /**
   * The data parsed as JSON.
   *
   * @throws SyntaxError when it is no JSON
   */
  json<T = unknown>(): T;
}

/** Bytes. They are the receiver's own. */
export interface WSBinaryMessage {
  readonly type: typeof WSMsgType.BINARY;
  readonly data: Uint8Array;
  readonly extra: undefined;
  /**
   * The data, which must be UTF-8, parsed as JSON.
   *
   * @throws SyntaxError when it is no JSON
   */
  json<T = unknown>(): T;
}

/** The peer's close frame: the code, 0 when there was none (RFC 6455 §7.1.5 has 1005 for that), and the reason, often empty. */
export interface WSCloseMessage {
  readonly type: typeof WSMsgType.CLOSE;
  readonly data: number;
  readonly extra: string;
}

/** A ping: up to 125 bytes, which the pong gives back. Only seen with `autoping: false`. */
export interface WSPingMessage {
  readonly type: typeof WSMsgType.PING;
  readonly data: Uint8Array;
  readonly extra: undefined;
}

/** A pong: up to 125 bytes, those of a ping when it answers one. Only seen with `autoping: false`. */
export interface WSPongMessage {
  readonly type: typeof WSMsgType.PONG;
  readonly data: Uint8Array;
  readonly extra: undefined;
}

/** This end is closing. */
export interface WSClosingMessage {
  readonly type: typeof WSMsgType.CLOSING;
  readonly data: undefined;
  readonly extra: undefined;
}

/** The connection is closed. */
export interface WSClosedMessage {
  readonly type: typeof WSMsgType.CLOSED;
  readonly data: undefined;
  readonly extra: undefined;
}

/** Receiving failed; the connection is closed. */
export interface WSErrorMessage {
  readonly type: typeof WSMsgType.ERROR;
  readonly data: Error;
  readonly extra: undefined;
}

/**
 * What a WebSocket receives; `type` says what `data` is. `Text` is what texts are: `string`, or `Uint8Array` with `decodeText: false`.
 *
 * Source: `aiohttp.WSMessage`.
 *
 * @example
 * ```ts
 * import { type WSMessage, WSMsgType } from 'aiohttp-ts/web';
 *
 * function show(message: WSMessage): string {
 *   switch (message.type) {
 *     case WSMsgType.TEXT:
 *       return message.data;
 *     case WSMsgType.BINARY:
 *       return `${message.data.byteLength} bytes`;
 *     case WSMsgType.CLOSE:
 *       return `closed with ${message.data} ${message.extra}`;
 *     default:
 *       return 'something else';
 *   }
 * }
 * ```
 */
export type WSMessage<Text extends string | Uint8Array = string> =
  | WSTextMessage<Text>
  | WSBinaryMessage
  | WSCloseMessage
  | WSPingMessage
  | WSPongMessage
  | WSClosingMessage
  | WSClosedMessage
  | WSErrorMessage;

/** All messages have one shape, so that who reads `type` and `data` stays fast. */
class Message<Type extends WSMsgType, Data, Extra> {
  readonly type: Type;
  readonly data: Data;
  readonly extra: Extra;

  constructor(type: Type, data: Data, extra: Extra) {
    this.type = type;
    this.data = data;
    this.extra = extra;
  }
}

class DataMessage<Type extends 1 | 2, Data extends string | Uint8Array> extends Message<
  Type,
  Data,
  undefined
> {
  json<T = unknown>(): T {
    const { data } = this;
    return JSON.parse(typeof data === 'string' ? data : utf8.decode(data));
  }
}

const utf8 = new TextDecoder();

/** A message of text. */
export function textMessage<Text extends string | Uint8Array>(data: Text): WSTextMessage<Text> {
  return new DataMessage(WSMsgType.TEXT, data, undefined);
}

/** A message of bytes. */
export function binaryMessage(data: Uint8Array): WSBinaryMessage {
  return new DataMessage(WSMsgType.BINARY, data, undefined);
}

/** What the peer's close frame said; 0 when it had no code. */
export function closeMessage(code: number, reason: string): WSCloseMessage {
  return new Message(WSMsgType.CLOSE, code, reason);
}

/** A ping with its bytes. */
export function pingMessage(data: Uint8Array): WSPingMessage {
  return new Message(WSMsgType.PING, data, undefined);
}

/** A pong with its bytes. */
export function pongMessage(data: Uint8Array): WSPongMessage {
  return new Message(WSMsgType.PONG, data, undefined);
}

/** Receiving failed. */
export function errorMessage(error: Error): WSErrorMessage {
  return new Message(WSMsgType.ERROR, error, undefined);
}

/** This end is closing. */
export const CLOSING_MESSAGE: WSClosingMessage = Object.freeze(
  new Message(WSMsgType.CLOSING, undefined, undefined),
);

/** The connection is closed. */
export const CLOSED_MESSAGE: WSClosedMessage = Object.freeze(
  new Message(WSMsgType.CLOSED, undefined, undefined),
);

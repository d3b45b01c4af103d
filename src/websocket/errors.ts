/** Stable names of what a peer may do wrong, by the close code that it is answered with. */
const codes: ReadonlyMap<number, string> = new Map([
  [1007, 'AIO_WS_INVALID_DATA'],
  [1008, 'AIO_WS_TOO_MANY_FRAGMENTS'],
  [1009, 'AIO_WS_MESSAGE_TOO_BIG'],
]);

/**
 * The peer broke the WebSocket protocol, or sent a message that is too big. `closeCode` is what the connection is closed with, `code`
 * a stable name: `'AIO_WS_PROTOCOL'` (1002), `'AIO_WS_INVALID_DATA'` (1007: text that is not UTF-8, compressed data that cannot be
 * inflated), `'AIO_WS_TOO_MANY_FRAGMENTS'` (1008) or `'AIO_WS_MESSAGE_TOO_BIG'` (1009). It is the `data` of an ERROR message.
 *
 * Source: `aiohttp.WebSocketError`, whose `code` is `closeCode` here.
 *
 * @example
 * ```ts
 * const error = new WebSocketError(WSCloseCode.PROTOCOL_ERROR, 'the reserved bit RSV2 is set');
 * error.closeCode; // 1002
 * error.code; // 'AIO_WS_PROTOCOL'
 * ```
 */
export class WebSocketError extends Error {
  readonly code: string;
  /** See {@link WSCloseCode}. */
  readonly closeCode: number;

  static {
    WebSocketError.prototype.name = 'WebSocketError';
  }

  constructor(closeCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.closeCode = closeCode;
    this.code = codes.get(closeCode) ?? 'AIO_WS_PROTOCOL';
  }
}

/**
 * A WebSocket message of another type than was asked for. Source: `aiohttp.WSMessageTypeError`.
 *
 * @example
 * ```ts
 * throw new WSMessageTypeError('Received message 2:<Buffer 01> is not WSMsgType.TEXT');
 * ```
 */
export class WSMessageTypeError extends TypeError {
  readonly code: string = 'AIO_WS_MESSAGE_TYPE';

  static {
    WSMessageTypeError.prototype.name = 'WSMessageTypeError';
  }
}

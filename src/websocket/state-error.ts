/** What a {@link WebSocketStateError} complains about. */
export type WebSocketStateCode =
  | 'AIO_WS_NOT_PREPARED'
  | 'AIO_WS_RECEIVING'
  | 'AIO_WS_CLOSED'
  | 'AIO_WS_NO_BODY';

/**
 * Something was asked of a WebSocket at the wrong time: before it was prepared (`'AIO_WS_NOT_PREPARED'`), by a second `receive()` beside one that
 * waits (`'AIO_WS_RECEIVING'`), after this end had closed it (`'AIO_WS_CLOSED'`), or as if it were an answer with a body (`'AIO_WS_NO_BODY'`).
 *
 * aiohttp raises a bare `RuntimeError` there.
 *
 * @example
 * ```ts
 * const error = new WebSocketStateError('AIO_WS_RECEIVING', 'Concurrent call to receive() is not allowed');
 * error.code; // 'AIO_WS_RECEIVING'
 * ```
 */
export class WebSocketStateError extends Error {
  readonly code: WebSocketStateCode;

  static {
    WebSocketStateError.prototype.name = 'WebSocketStateError';
  }

  constructor(code: WebSocketStateCode, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * The client went away before the answer was complete, so nothing more can be sent to it. Thrown by the waits of a
 * response (`write`, `writeEof`). A handler rarely has to catch it: it is not logged as a failure of the handler.
 */
export { ClientDisconnectedError } from '../net/index.ts';

/**
 * The body of a request was asked for after its answer had been sent: by then its bytes belong to nobody.
 *
 * `code`: `'AIO_PAYLOAD_ACCESS'`. aiohttp: `PayloadAccessError`.
 */
export class PayloadAccessError extends Error {
  override readonly name: string = 'PayloadAccessError';
  readonly code: string = 'AIO_PAYLOAD_ACCESS';
}

/**
 * Something was asked of a request or a response at the wrong time: a piece written before `prepare()`, a status changed
 * after the head was sent, a response sent twice. The message says what to do instead; `code` says which rule it was.
 *
 * aiohttp raises a bare `RuntimeError` there.
 */
export class ExchangeStateError extends Error {
  override readonly name: string = 'ExchangeStateError';
  readonly code: ExchangeStateCode;

  constructor(code: ExchangeStateCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What a {@link ExchangeStateError} complains about. */
export type ExchangeStateCode =
  | 'AIO_REQUEST_OVER'
  | 'AIO_REQUEST_ALREADY_READ'
  | 'AIO_RESPONSE_NOT_PREPARED'
  | 'AIO_RESPONSE_PREPARED'
  | 'AIO_RESPONSE_ENDED'
  | 'AIO_RESPONSE_ALREADY_SENT'
  | 'AIO_RESPONSE_STARTED'
  | 'AIO_RESPONSE_FRAMING'
  | 'AIO_UPGRADE_NOT_SUPPORTED';

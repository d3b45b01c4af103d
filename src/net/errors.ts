/** The connection under an exchange is gone: the peer closed or reset it, or it was cut. */
export class ClientDisconnectedError extends Error {
  override readonly name: string = 'ClientDisconnectedError';
  readonly code: string = 'AIO_CLIENT_DISCONNECTED';

  constructor(message = 'The client closed the connection', options?: ErrorOptions) {
    super(message, options);
  }
}

/** An answer that does not keep to what its head said, or comes in the wrong order. The connection is closed. */
export class ResponseStateError extends Error {
  override readonly name: string = 'ResponseStateError';
  readonly code: string = 'AIO_RESPONSE_STATE';
}

/** The request's body could not be read to its end. */
export class RequestPayloadError extends Error {
  override readonly name: string = 'RequestPayloadError';
  readonly code: string = 'AIO_REQUEST_PAYLOAD';
  /** Status that a server answers with when the handler lets the error through. */
  readonly status: number;

  constructor(message: string, status: number, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** The server closed the connection before it answered. */
export class ServerDisconnectedError extends Error {
  override readonly name: string = 'ServerDisconnectedError';
  readonly code: string = 'AIO_SERVER_DISCONNECTED';

  constructor(message = 'Server disconnected', options?: ErrorOptions) {
    super(message, options);
  }
}

/** The server was silent, or took nothing of what is sent, for longer than `sockRead`. */
export class ReadTimeoutError extends Error {
  override readonly name: string = 'ReadTimeoutError';
  readonly code: string = 'AIO_READ_TIMEOUT';

  /**
   * @param timeout - milliseconds that were allowed
   * @param isSending - it was the server that did not read
   */
  constructor(timeout: number, isSending: boolean) {
    super(
      isSending
        ? `Timeout on writing data to socket: the server took nothing for ${timeout} ms`
        : `Timeout on reading data from socket: nothing came for ${timeout} ms`,
    );
  }
}

/** The body of a response broke off, or its framing is wrong. */
export class ResponsePayloadError extends Error {
  override readonly name: string = 'ResponsePayloadError';
  readonly code: string = 'AIO_RESPONSE_PAYLOAD';
}

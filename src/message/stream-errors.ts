/** The stream ended before as many bytes as asked for had come (asyncio `IncompleteReadError`). */
export class IncompleteReadError extends Error {
  readonly code: 'AIO_INCOMPLETE_READ' = 'AIO_INCOMPLETE_READ';
  /** What had come. */
  readonly partial: Uint8Array;
  /** How many bytes were asked for. */
  readonly expected: number;

  static {
    IncompleteReadError.prototype.name = 'IncompleteReadError';
  }

  constructor(partial: Uint8Array, expected: number) {
    super(`the stream ended after ${partial.length} of ${expected} expected bytes`);
    this.partial = partial;
    this.expected = expected;
  }
}

/** No separator within the longest line that is allowed (aiohttp `LineTooLong`). The bytes are still in the stream. */
export class LineTooLong extends Error {
  readonly code: 'AIO_LINE_TOO_LONG' = 'AIO_LINE_TOO_LONG';
  /** The longest line that is allowed, in bytes. */
  readonly limit: number;

  static {
    LineTooLong.prototype.name = 'LineTooLong';
  }

  constructor(limit: number) {
    super(`no line ends within ${limit} bytes`);
    this.limit = limit;
  }
}

/** A stream was read while another read was waiting: each would get a part of the data. */
export class StreamBusyError extends Error {
  readonly code: 'AIO_STREAM_BUSY' = 'AIO_STREAM_BUSY';

  static {
    StreamBusyError.prototype.name = 'StreamBusyError';
  }

  constructor(called: string) {
    super(
      `${called}() was called while another read of the same stream is waiting for data: await that one first`,
    );
  }
}

/** What a {@link MultipartError} complains about. */
export type MultipartErrorCode =
  | 'AIO_MULTIPART_TYPE'
  | 'AIO_MULTIPART_BOUNDARY'
  | 'AIO_MULTIPART_TRUNCATED'
  | 'AIO_MULTIPART_HEADER'
  | 'AIO_MULTIPART_DISPOSITION'
  | 'AIO_MULTIPART_NESTED'
  | 'AIO_MULTIPART_ENCODING'
  | 'AIO_MULTIPART_TEXT'
  | 'AIO_MULTIPART_TOO_MANY_PARTS'
  | 'AIO_MULTIPART_HEADERS_TOO_LARGE'
  | 'AIO_MULTIPART_PART_TOO_LARGE'
  | 'AIO_MULTIPART_TOO_LARGE';

/**
 * A multipart body is malformed or goes beyond a limit. The message repeats nothing of the body, so it may be shown to who sent it.
 *
 * Inside a server, `request.post()` and the readers of `request.multipart()` throw the HTTP exception of the same `status` instead, with this
 * as its `cause`.
 *
 * aiohttp raises `ValueError`.
 *
 * @example
 * ```ts
 * try {
 *   await request.post();
 * } catch (error) {
 *   if (error instanceof web.HTTPBadRequest && error.cause instanceof MultipartError) console.error(error.cause.code);
 *   throw error;
 * }
 * ```
 */
export class MultipartError extends Error {
  /** What is wrong; see `docs/errors.md`. */
  readonly code: MultipartErrorCode;
  /** The status that a server answers with: 400 for a malformed body, 413 for a limit. */
  readonly status: 400 | 413;

  static {
    MultipartError.prototype.name = 'MultipartError';
  }

  constructor(code: MultipartErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.status = TOO_MUCH.has(code) ? 413 : 400;
  }
}

const TOO_MUCH: ReadonlySet<MultipartErrorCode> = new Set([
  'AIO_MULTIPART_TOO_MANY_PARTS',
  'AIO_MULTIPART_HEADERS_TOO_LARGE',
  'AIO_MULTIPART_PART_TOO_LARGE',
  'AIO_MULTIPART_TOO_LARGE',
]);

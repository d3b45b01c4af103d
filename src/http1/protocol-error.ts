/** What a peer did wrong, by name. */
export type Fault =
  | 'badRequestLine'
  | 'badMethod'
  | 'badTarget'
  | 'badStatusLine'
  | 'badVersion'
  | 'unsupportedVersion'
  | 'missingVersion'
  | 'tlsOnPlainPort'
  | 'bareLineFeed'
  | 'bareCarriageReturn'
  | 'lineFolding'
  | 'emptyName'
  | 'badName'
  | 'spaceBeforeColon'
  | 'missingColon'
  | 'badValue'
  | 'lineTooLong'
  | 'fieldTooLong'
  | 'tooManyFields'
  | 'headTooLong'
  | 'trailersTooLong'
  | 'missingHost'
  | 'repeatedHost'
  | 'badHost'
  | 'badContentLength'
  | 'repeatedContentLength'
  | 'lengthAndEncoding'
  | 'badTransferEncoding'
  | 'repeatedTransferEncoding'
  | 'unknownTransferEncoding'
  | 'encodingOnHttp10'
  | 'badChunkSize'
  | 'chunkSizeTooLarge'
  | 'badChunkExtension'
  | 'chunkExtensionsTooLong'
  | 'missingChunkEnd'
  | 'forbiddenTrailer'
  | 'incompleteMessage'
  | 'headTimeout'
  | 'bodyTooSlow';

/**
 * Everything a peer can do wrong on the wire: stable code, the status a server answers with, and what to tell the peer.
 * The texts never repeat bytes of the message: an answer must not reflect them.
 */
const FAULTS: Readonly<Record<Fault, readonly [code: string, status: number, message: string]>> = {
  badRequestLine: ['AIO_BAD_REQUEST_LINE', 400, 'Request line is not "method SP target SP version"'],
  badMethod: ['AIO_BAD_METHOD', 400, 'Method holds a character that is not a token character'],
  badTarget: ['AIO_BAD_TARGET', 400, 'Request target is not valid'],
  badStatusLine: ['AIO_BAD_STATUS_LINE', 400, 'Status line is not "version SP status SP reason"'],
  badVersion: ['AIO_BAD_VERSION', 400, 'Version is not HTTP/1.0 or HTTP/1.1'],
  unsupportedVersion: ['AIO_UNSUPPORTED_VERSION', 505, 'Only HTTP/1.0 and HTTP/1.1 are spoken here'],
  missingVersion: ['AIO_MISSING_VERSION', 400, 'Request line has no version: HTTP/0.9 is not spoken here'],
  tlsOnPlainPort: ['AIO_TLS_ON_PLAIN_PORT', 400, 'Received HTTPS traffic on an HTTP port'],
  bareLineFeed: ['AIO_BARE_LF', 400, 'Line ends with LF alone instead of CRLF'],
  bareCarriageReturn: ['AIO_BARE_CR', 400, 'CR is not followed by LF'],
  lineFolding: ['AIO_LINE_FOLDING', 400, 'Field line starts with white space (obsolete line folding)'],
  emptyName: ['AIO_EMPTY_FIELD_NAME', 400, 'Field name is empty'],
  badName: ['AIO_BAD_FIELD_NAME', 400, 'Field name holds a character that is not a token character'],
  spaceBeforeColon: ['AIO_SPACE_BEFORE_COLON', 400, 'White space between field name and colon'],
  missingColon: ['AIO_MISSING_COLON', 400, 'Field line has no colon'],
  badValue: ['AIO_BAD_FIELD_VALUE', 400, 'Field value holds a control character'],
  lineTooLong: ['AIO_START_LINE_TOO_LONG', 414, 'Request line is too long'],
  fieldTooLong: ['AIO_FIELD_TOO_LONG', 431, 'Field line is too long'],
  tooManyFields: ['AIO_TOO_MANY_FIELDS', 431, 'Too many field lines'],
  headTooLong: ['AIO_HEAD_TOO_LONG', 431, 'Message head is too long'],
  trailersTooLong: ['AIO_TRAILERS_TOO_LONG', 431, 'Trailer section is too long'],
  missingHost: ['AIO_MISSING_HOST', 400, "Missing 'Host' header in request."],
  repeatedHost: ['AIO_REPEATED_HOST', 400, "Duplicate 'Host' header found."],
  badHost: ['AIO_BAD_HOST', 400, "Invalid 'Host' header."],
  badContentLength: ['AIO_BAD_CONTENT_LENGTH', 400, 'Content-Length is not a decimal number'],
  repeatedContentLength: ['AIO_REPEATED_CONTENT_LENGTH', 400, 'Content-Length is given more than once'],
  lengthAndEncoding: ['AIO_LENGTH_AND_ENCODING', 400, 'Content-Length together with Transfer-Encoding'],
  badTransferEncoding: ['AIO_BAD_TRANSFER_ENCODING', 400, 'Transfer-Encoding must end with chunked, once'],
  repeatedTransferEncoding: [
    'AIO_REPEATED_TRANSFER_ENCODING',
    400,
    'Transfer-Encoding is given more than once',
  ],
  unknownTransferEncoding: [
    'AIO_UNKNOWN_TRANSFER_ENCODING',
    501,
    'Only the transfer coding chunked is known here',
  ],
  encodingOnHttp10: ['AIO_ENCODING_ON_HTTP10', 400, 'Transfer-Encoding in an HTTP/1.0 message'],
  badChunkSize: ['AIO_BAD_CHUNK_SIZE', 400, 'Chunk size is not a hexadecimal number'],
  chunkSizeTooLarge: ['AIO_CHUNK_SIZE_TOO_LARGE', 400, 'Chunk size is too large'],
  badChunkExtension: ['AIO_BAD_CHUNK_EXTENSION', 400, 'Chunk extension is not valid'],
  chunkExtensionsTooLong: ['AIO_CHUNK_EXTENSIONS_TOO_LONG', 400, 'Chunk extensions are too long'],
  missingChunkEnd: ['AIO_MISSING_CHUNK_END', 400, 'Chunk data is not followed by CRLF'],
  forbiddenTrailer: ['AIO_FORBIDDEN_TRAILER', 400, 'Field is not allowed in a trailer section'],
  incompleteMessage: ['AIO_INCOMPLETE_MESSAGE', 400, 'Connection ended inside a message'],
  headTimeout: ['AIO_HEAD_TIMEOUT', 408, 'Request head did not arrive in time'],
  bodyTooSlow: ['AIO_BODY_TOO_SLOW', 408, 'Request body arrives too slowly'],
};

/**
 * A message that breaks the protocol. `status` is what a server answers; the connection cannot be used any more.
 *
 * Codes are listed in `docs/errors.md`.
 */
export class ProtocolError extends Error {
  override readonly name: string = 'ProtocolError';
  readonly code: string;
  readonly status: number;
  readonly fault: Fault;

  constructor(fault: Fault) {
    const [code, status, message] = FAULTS[fault];
    super(message);
    this.fault = fault;
    this.code = code;
    this.status = status;
  }
}

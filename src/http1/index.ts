/** The wire of HTTP/1.1: bytes in, events out; heads and bodies out as bytes. No socket, no timer, no I/O. */

export { DateLine } from './date.ts';
export { ParsedRequest, ParsedResponse } from './head.ts';
export { DEFAULT_LIMITS, type Limits, resolveLimits } from './limits.ts';
export {
  DATA,
  END,
  ERROR,
  HEAD,
  NEED_DATA,
  type Parser,
  type ParserEvent,
  RequestParser,
  ResponseParser,
} from './parser.ts';
export { type Fault, ProtocolError } from './protocol-error.ts';
export { BODY_CHUNKED, BODY_LENGTH, BODY_NONE, BODY_UNTIL_CLOSE, type BodyKind } from './role.ts';
export {
  CHUNK_END,
  CONNECTION_CLOSE,
  CONNECTION_DEFAULT,
  CONNECTION_KEEP_ALIVE,
  type ConnectionLine,
  chunkHead,
  contentTypeLine,
  FRAME_CHUNKED,
  FRAME_LENGTH,
  FRAME_NONE,
  FRAME_UNTIL_CLOSE,
  type Frame,
  fieldLine,
  HeadError,
  headEnd,
  LAST_CHUNK,
  lastChunk,
  SenderFields,
  statusLine,
} from './serialiser.ts';

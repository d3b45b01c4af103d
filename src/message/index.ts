/**
 * What both ends of HTTP share: header fields, cookies, media types, dates, entity tags, ranges, relative URLs, body streams.
 *
 * @module
 */
export type { BodySource } from './body-source.ts';
export { BodyPump, isBodySource } from './body-source.ts';
export type { SetCookieAttributes } from './cookie.ts';
export {
  MAX_COOKIE_SIZE,
  MAX_COOKIES,
  parseCookies,
  quoteCookieValue,
  serializeSetCookie,
  unquoteCookieValue,
} from './cookie.ts';
export type { Coded } from './errors.ts';
export { codedRangeError, codedTypeError, shown } from './errors.ts';
export { ETAG_ANY, ETag, formatETag, matchesETag, parseETags } from './etag.ts';
export type { ForwardedElement } from './forwarded.ts';
export { parseForwarded } from './forwarded.ts';
export { isFieldValue, isReasonPhrase, isToken, quoteString, splitList, unquoteString } from './grammar.ts';
export { formatHttpDate, parseHttpDate } from './http-date.ts';
export type { HttpVersion } from './http-version.ts';
export { HttpVersion10, HttpVersion11 } from './http-version.ts';
export type { MediaType } from './media-type.ts';
export { formatMediaType, parseMediaType } from './media-type.ts';
export type { CIMultiDictProxy, MultiDictInit, MultiDictProxy } from './multidict.ts';
export { CIMultiDict, MultiDict, sameName } from './multidict.ts';
export { decodePath, decodePathSafe, quotePath, requotePath, requoteQuery } from './percent.ts';
export type { QueryInit, QueryValue } from './query.ts';
export { formatQuery, parseQuery } from './query.ts';
export type { ByteRange, ParsedRange, RangeSpec } from './range.ts';
export { formatContentRange, MAX_RANGES, parseRange, resolveRange } from './range.ts';
export type { KnownStatus } from './status.ts';
export { reasonPhrase, STATUS_CODES } from './status.ts';
export { IncompleteReadError, LineTooLong, StreamBusyError } from './stream-errors.ts';
export type { ReadLineOptions, ReadUntilOptions, StreamFlow } from './stream-reader.ts';
export { StreamReader } from './stream-reader.ts';
export { decodeText, encodeText, UndecodableTextError, UnknownCharsetError } from './text-coding.ts';
export { RelURL } from './url.ts';

/**
 * What both ends of HTTP share: header fields, cookies, media types, dates, entity tags, ranges, relative URLs, body streams.
 *
 * @module
 */
export type { QualityValue } from './accept.ts';
export { negotiateEncoding, parseQualityValues } from './accept.ts';
export type { PartReadOptions, PartTextOptions } from './body-part-reader.ts';
export { BodyPartReader } from './body-part-reader.ts';
export type { BodySource } from './body-source.ts';
export { BodyPump, isBodySource } from './body-source.ts';
export { addCaller } from './caller.ts';
export type { CompressionCoding, EncoderOptions } from './content-coding.ts';
export {
  COMPRESSION_CODINGS,
  compressionLevels,
  createEncoder,
  encodeLater,
  encodeNow,
  flushEncoder,
  HAS_ZSTD,
  isCompressionLevel,
  smallBody,
} from './content-coding.ts';
export type { DecodingRules } from './content-decoding.ts';
export { BodyDecoder, canDecode, decodeNow, parseContentEncoding } from './content-decoding.ts';
export type {
  ContentDisposition,
  ContentDispositionForm,
  ContentDispositionNames,
} from './content-disposition.ts';
export { formatContentDisposition, parseContentDisposition } from './content-disposition.ts';
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
export { safeFileName } from './file-name.ts';
export type { FormDataOptions, FormFieldOptions, FormFields, FormValue } from './form-data.ts';
export { FormData } from './form-data.ts';
export type { ForwardedElement } from './forwarded.ts';
export { parseForwarded } from './forwarded.ts';
export { isFieldValue, isReasonPhrase, isToken, quoteString, splitList, unquoteString } from './grammar.ts';
export { formatHttpDate, parseHttpDate } from './http-date.ts';
export type { HttpVersion } from './http-version.ts';
export { HttpVersion10, HttpVersion11 } from './http-version.ts';
export type { MediaType } from './media-type.ts';
export { formatMediaType, parseMediaType } from './media-type.ts';
export { contentTypeByName, mediaTypeByExtension } from './media-types-by-extension.ts';
export type { CIMultiDictProxy, MultiDictInit, MultiDictProxy } from './multidict.ts';
export { CIMultiDict, MultiDict, sameName } from './multidict.ts';
export type { MultipartErrorCode } from './multipart-error.ts';
export { MultipartError } from './multipart-error.ts';
export type { MultipartLimitOptions, MultipartLimits } from './multipart-limits.ts';
export {
  checkedLimit,
  DEFAULT_MULTIPART_LIMITS,
  MultipartBudget,
  resolveMultipartLimits,
} from './multipart-limits.ts';
export type { MultipartEvent, MultipartType } from './multipart-parser.ts';
export {
  MULTIPART_DATA,
  MULTIPART_END,
  MULTIPART_NEED_DATA,
  MULTIPART_PART,
  MULTIPART_PART_END,
  MultipartParser,
  parseMultipartType,
} from './multipart-parser.ts';
export type { MultipartContext, MultipartReaderOptions } from './multipart-reader.ts';
export { MultipartReader } from './multipart-reader.ts';
export type { PartHeaders } from './multipart-writer.ts';
export { MultipartWriter } from './multipart-writer.ts';
export type { PartHead } from './part-head.ts';
export type { MultipartSourceReader } from './part-sequence.ts';
export type { JsonPayloadOptions, PayloadOptions } from './payload.ts';
export {
  BlobPayload,
  BytesPayload,
  bytesOf,
  FilePayload,
  JsonPayload,
  kindOf,
  OpenedPayload,
  Payload,
  StreamPayload,
  StringPayload,
  WholePayload,
} from './payload.ts';
export type { PayloadData, PayloadOrder, PayloadType, PayloadTypes } from './payload-registry.ts';
export { PayloadRegistry, payloadRegistry, registerPayload } from './payload-registry.ts';
export { decodePath, decodePathSafe, quotePath, requotePath, requoteQuery } from './percent.ts';
export type { ConditionalFields, ConditionResult, Validators } from './preconditions.ts';
export { evaluateConditions, ifRangeHolds } from './preconditions.ts';
export type { QueryInit, QueryValue } from './query.ts';
export { formatForm, formatQuery, parseQuery } from './query.ts';
export type { ByteRange, ParsedRange, RangeSpec } from './range.ts';
export { formatContentRange, MAX_RANGES, parseRange, resolveRange } from './range.ts';
export type { KnownStatus } from './status.ts';
export { reasonPhrase, STATUS_CODES } from './status.ts';
export { IncompleteReadError, LineTooLong, StreamBusyError } from './stream-errors.ts';
export type { ReadLineOptions, ReadUntilOptions, StreamFlow } from './stream-reader.ts';
export { StreamReader } from './stream-reader.ts';
export { decodeText, encodeText, UndecodableTextError, UnknownCharsetError } from './text-coding.ts';
export type { TransferDecoder } from './transfer-decoding.ts';
export { transferDecoder } from './transfer-decoding.ts';
export { RelURL } from './url.ts';
export { addVary } from './vary.ts';

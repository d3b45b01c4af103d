import {
  COMPRESSION_CODINGS,
  type CompressionCoding,
  canDecode,
  codedRangeError,
  parseContentEncoding,
  shown,
} from '../message/index.ts';
import { HTTPUnsupportedMediaType } from './http-exceptions.ts';
import { RequestDecoding } from './request-decoding.ts';
import { checkCoding } from './response-coding.ts';
import type { Middleware } from './types.ts';

/** Options of {@link decompressionMiddleware}. */
export interface DecompressionOptions {
  /** Codings that are taken. Default: all that this Node has. */
  readonly codings?: readonly CompressionCoding[] | undefined;
  /** How many times its compressed size a body may have, once it is larger than 1 MiB. Default 100. */
  readonly maxRatio?: number | undefined;
}

/** A body is compressed once. Twice is a mistake of somebody on the way; more is an attack. */
const MAX_CODINGS = 2;

/**
 * A middleware that decompresses the bodies of requests with `Content-Encoding`: what is behind it reads them as if they had come without.
 * The fields of the request stay as they were sent.
 *
 * `clientMaxSize` counts decompressed bytes. A body that is compressed beyond `maxRatio` is refused with 413 while it comes, one that is
 * broken with 400, an unknown coding with 415 and the list of known ones in `Accept-Encoding` (RFC 9110 §12.5.3). Without this
 * middleware bodies are handed on as they come; aiohttp decompresses always.
 *
 * @throws RangeError for a coding that this Node does not have or a ratio below 1
 * @example
 * ```ts
 * const ingest = new web.Application({ middlewares: [web.decompressionMiddleware({ codings: ['gzip'] })] });
 * ```
 */
export function decompressionMiddleware(options: DecompressionOptions = {}): Middleware {
  const { codings = COMPRESSION_CODINGS, maxRatio = 100 } = options;
  for (const coding of codings) checkCoding(coding);
  if (!(maxRatio >= 1)) {
    throw codedRangeError('AIO_COMPRESSION', `maxRatio must be a number from 1; got ${shown(maxRatio)}.`);
  }
  const accepted = codings.join(', ');
  const taken = new Set<string>(codings);
  if (taken.has('gzip')) taken.add('x-gzip');
  return function decompress(request, handler) {
    const applied = parseContentEncoding(request._header('content-encoding'));
    if (applied.length === 0) return handler(request);
    if (applied.length > MAX_CODINGS || !applied.every((coding) => taken.has(coding) && canDecode(coding))) {
      throw new HTTPUnsupportedMediaType({
        text: `The Content-Encoding of the request is not known here; known: ${accepted || 'none'}.`,
        headers: { 'Accept-Encoding': accepted || 'identity' },
      });
    }
    request._touchExtras().decoding = new RequestDecoding(applied, maxRatio);
    return handler(request);
  };
}

import {
  COMPRESSION_CODINGS,
  type CompressionCoding,
  codedRangeError,
  codedTypeError,
  shown,
} from '../message/index.ts';
import type { BaseRequest } from './base-request.ts';
import type { Request } from './request.ts';
import { type CodingPolicy, checkCoding, checkLevel, contentTypeOf } from './response-coding.ts';
import type { StreamResponse } from './stream-response.ts';
import type { Middleware } from './types.ts';

/** Options of {@link compressionMiddleware}. */
export interface CompressionOptions {
  /** Codings that may be used, the preferred first. Default: all that this Node has, `['zstd', 'br', 'gzip', 'deflate']`. */
  readonly codings?: readonly CompressionCoding[] | undefined;
  /** Levels by coding. Default: gzip and deflate 6, br 4, zstd 3. */
  readonly levels?: Readonly<Partial<Record<CompressionCoding, number>>> | undefined;
  /** Bodies of fewer bytes are sent as they are. Default 1024. Bodies of unknown length are compressed. */
  readonly minSize?: number | undefined;
  /** Which media types are compressed. Default: text, JSON, XML, JavaScript, SVG, WebAssembly, fonts that are not compressed themselves. */
  readonly types?: RegExp | undefined;
  /** Says no to a response that would be compressed, for instance one that shows a secret beside what the client sent (see BREACH in the docs). */
  readonly filter?: ((request: Request, response: StreamResponse) => boolean) | undefined;
}

const TYPES =
  /^(?:text\/[^;]+|application\/(?:json|javascript|ecmascript|xml|wasm|graphql|yaml|toml|rtf|sql|x-ndjson|jsonl|json-seq|x-json-stream|x-sh|x-javascript|x-yaml|x-www-form-urlencoded|vnd\.ms-fontobject)|[a-z]+\/[^;]*\+(?:json|xml|yaml|text)|font\/(?:ttf|otf|collection)|image\/(?:bmp|x-icon|vnd\.microsoft\.icon))\s*(?:;|$)/i;

class Policy implements CodingPolicy {
  readonly codings: readonly CompressionCoding[];
  readonly levels: Readonly<Partial<Record<CompressionCoding, number>>>;
  readonly #minSize: number;
  readonly #types: RegExp;
  readonly #filter: CompressionOptions['filter'];

  constructor(options: CompressionOptions) {
    this.codings = options.codings ?? COMPRESSION_CODINGS;
    for (const coding of this.codings) checkCoding(coding);
    this.levels = options.levels ?? {};
    for (const [coding, level] of Object.entries(this.levels)) {
      checkCoding(coding);
      if (level !== undefined) checkLevel(coding, level);
    }
    this.#minSize = options.minSize ?? 1024;
    if (!(this.#minSize >= 0)) {
      throw codedRangeError(
        'AIO_COMPRESSION',
        `minSize must be a number of bytes, 0 or more; got ${shown(options.minSize)}.`,
      );
    }
    this.#types = options.types ?? TYPES;
    if (!(this.#types instanceof RegExp) || this.#types.global || this.#types.sticky) {
      throw codedTypeError(
        'AIO_COMPRESSION',
        `types must be a regular expression without the flags g and y; got ${shown(options.types)}.`,
      );
    }
    this.#filter = options.filter;
  }

  covers(response: StreamResponse): boolean {
    return this.#types.test(contentTypeOf(response));
  }

  applies(response: StreamResponse, request: BaseRequest): boolean {
    if (!this.covers(response)) return false;
    const size = response._bodySize();
    if (size !== undefined && size < this.#minSize) return false;
    return this.#filter === undefined || this.#filter(request as Request, response);
  }
}

/**
 * A middleware that compresses the answers of everything behind it, with the coding that the client likes best (RFC 9110 §12.5.3). Whole bodies,
 * streams, files and error pages alike; small bodies at once, larger ones in other threads, streams at the pace of the client.
 *
 * Left as they are: bodies below `minSize`, media types that are compressed already, parts (206), answers with `Content-Encoding` or
 * `Cache-Control: no-transform`, and those whose handler said `response.enableCompression('identity')`. Whatever could have been compressed gets
 * `Vary: Accept-Encoding`; a strong ETag of what is compressed becomes a weak one.
 *
 * @throws RangeError for a coding or level that this Node does not have
 * @example
 * ```ts
 * const app = new web.Application({ middlewares: [web.compressionMiddleware()] });
 * const small = web.compressionMiddleware({ codings: ['br', 'gzip'], levels: { br: 6 }, minSize: 256 });
 * ```
 */
export function compressionMiddleware(options: CompressionOptions = {}): Middleware {
  const policy = new Policy(options);
  return function compress(request, handler) {
    request._origin._touchExtras().compression = policy;
    return handler(request);
  };
}

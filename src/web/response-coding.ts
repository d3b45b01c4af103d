import {
  addVary,
  COMPRESSION_CODINGS,
  type CompressionCoding,
  codedRangeError,
  compressionLevels,
  ETag,
  encodeLater,
  encodeNow,
  formatETag,
  isCompressionLevel,
  negotiateEncoding,
  shown,
  smallBody,
} from '../message/index.ts';
import type { BaseRequest } from './base-request.ts';
import { BodyEncoder, type EncodedSink } from './body-encoder.ts';
import type { StreamResponse } from './stream-response.ts';

/**
 * The content codings that a body can be sent in (RFC 9110 §8.4.1). `zstd` needs a Node that has it: 22.15, 24 and later.
 *
 * aiohttp: `web.ContentCoding`, which has deflate, gzip and identity.
 *
 * @example
 * ```ts
 * response.enableCompression(ContentCoding.gzip);
 * ```
 */
export const ContentCoding: {
  readonly deflate: 'deflate';
  readonly gzip: 'gzip';
  readonly br: 'br';
  readonly zstd: 'zstd';
  readonly identity: 'identity';
} = { deflate: 'deflate', gzip: 'gzip', br: 'br', zstd: 'zstd', identity: 'identity' };

/** One of {@link ContentCoding}; the plain strings serve as well. */
export type ContentCoding = (typeof ContentCoding)[keyof typeof ContentCoding];

/** Options of `response.enableCompression()`. */
export interface EnableCompressionOptions {
  /** The level of the coding; gzip and deflate 1 to 9 (6 when left out), br 0 to 11 (4), zstd 1 to 19 (3). */
  readonly level?: number | undefined;
  /**
   * Whether each `write()` reaches the client at once instead of when enough has gathered. Default: for `text/event-stream` and JSON lines only.
   * `drain()` does it once.
   */
  readonly flush?: boolean | undefined;
}

/** What decides for a response that was not asked by name. */
export interface CodingPolicy {
  readonly codings: readonly CompressionCoding[];
  readonly levels: Readonly<Partial<Record<CompressionCoding, number>>>;
  /** Whether bodies of its media type are compressed, whatever their size. */
  covers(response: StreamResponse): boolean;
  /** `false`: this response stays as it is, and would for every client. */
  applies(response: StreamResponse, request: BaseRequest): boolean;
}

const NO_TRANSFORM = /(?:^|,)\s*no-transform\s*(?:,|$)/i;
/** Messages that somebody waits for. */
const PIECEWISE = /^(?:text\/event-stream|application\/(?:x-ndjson|jsonl|json-seq|x-json-stream))\s*(?:;|$)/i;
/** Fields that speak of the very bytes of the body: those of a compressed one are others. */
const OF_THE_BYTES = ['Content-Encoding', 'Content-Range', 'Content-Digest', 'Repr-Digest', 'Digest'];

/** The coding of one answer: what was asked for, then what was chosen, then the encoder that does it. */
export class ResponseCoding {
  /** What the handler asked for (`undefined`: what the client likes best), then what was chosen. */
  name: ContentCoding | undefined;
  /** Of a body that is written piece by piece. */
  encoder: BodyEncoder | undefined;
  readonly #flush: boolean | undefined;
  #level: number | undefined;

  constructor(name: ContentCoding | undefined, options: EnableCompressionOptions | undefined) {
    this.name = name;
    this.encoder = undefined;
    this.#flush = options?.flush;
    this.#level = options?.level;
    if (name === undefined || name === 'identity') return;
    checkCoding(name);
    if (this.#level !== undefined) checkLevel(name, this.#level);
  }

  /** The coding of a response that did not ask for one; `undefined` when it stays as it is. */
  static byPolicy(
    response: StreamResponse,
    request: BaseRequest,
    policy: CodingPolicy,
  ): ResponseCoding | undefined {
    const coding = new ResponseCoding(undefined, undefined);
    return coding.settle(response, request, policy) ? coding : undefined;
  }

  /**
   * Chooses, and makes the fields say so. Tells whether the body will be compressed.
   *
   * @param policy `undefined`: the handler has decided
   */
  settle(response: StreamResponse, request: BaseRequest, policy: CodingPolicy | undefined): boolean {
    const { status } = response;
    if (status === 304) this.#repeatTag(response, request);
    if (this.name === 'identity') return false;
    // A 304 renews what caches have stored, and a 206 is a part of it: both say what the whole answer would say (RFC 9110 §15.4.5).
    if (policy !== undefined && (status === 304 || (status === 206 && policy.covers(response)))) {
      addVary(response.headers, 'Accept-Encoding');
    }
    if (!canBeCoded(response)) return false;
    if (policy !== undefined && !policy.applies(response, request)) return false;
    if (this.name === undefined) {
      // Caches must know, also when this client gets the body as it is (RFC 9110 §12.5.5).
      addVary(response.headers, 'Accept-Encoding');
      const codings = policy?.codings ?? COMPRESSION_CODINGS;
      this.name = negotiateEncoding(request._header('accept-encoding'), codings) as ContentCoding | undefined;
      if (this.name === undefined) return false;
      this.#level ??= policy?.levels[this.#chosen];
      // A level that was given for whatever coding it will be does not fit every one.
      if (this.#level !== undefined && !isCompressionLevel(this.#chosen, this.#level))
        this.#level = undefined;
    }
    const { headers, etag } = response;
    headers.set('Content-Encoding', this.name);
    headers.delete('Content-Length');
    // A range of these bytes would be one of other bytes the next time.
    headers.delete('Accept-Ranges');
    // The meaning is the same and the bytes are not (RFC 9110 §8.8.3.3).
    if (etag !== undefined && !etag.isWeak) headers.set('ETag', formatETag(new ETag(etag.value, true)));
    return true;
  }

  /**
   * A 304 that a handler made names the tag of the body as it is, but the client may have a compressed one, whose tag is weak: caches may use
   * a 304 only for what has the same tag (RFC 9111 §4.3.4).
   */
  #repeatTag(response: StreamResponse, request: BaseRequest): void {
    const { etag } = response;
    if (this.name === 'identity' || etag === undefined || etag.isWeak) return;
    if (request.ifNoneMatch?.some((tag) => tag.isWeak && tag.value === etag.value) !== true) return;
    if (this.name === undefined) addVary(response.headers, 'Accept-Encoding');
    response.headers.set('ETag', formatETag(new ETag(etag.value, true)));
  }

  get #chosen(): CompressionCoding {
    return this.name as CompressionCoding;
  }

  /** A whole body; a promise when it is too large to be compressed at once. */
  encode(body: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const coding = this.#chosen;
    return body.byteLength <= smallBody(coding)
      ? encodeNow(coding, body, this.#level)
      : encodeLater(coding, body, this.#level);
  }

  /** Begins a body that is written piece by piece. */
  open(response: StreamResponse, sink: EncodedSink): void {
    const flushes = this.#flush ?? PIECEWISE.test(contentTypeOf(response));
    this.encoder = new BodyEncoder(this.#chosen, { level: this.#level, small: flushes }, flushes, sink);
  }
}

/** @throws RangeError when the coding cannot be made here. */
export function checkCoding(coding: string): asserts coding is CompressionCoding {
  if ((COMPRESSION_CODINGS as readonly string[]).includes(coding)) return;
  throw codedRangeError(
    'AIO_CONTENT_CODING',
    `${shown(coding)} is not a content coding of this Node: ${COMPRESSION_CODINGS.join(', ')} and identity are.`,
  );
}

/** @throws RangeError when the coding has no such level. */
export function checkLevel(coding: CompressionCoding, level: number): void {
  if (isCompressionLevel(coding, level)) return;
  throw codedRangeError(
    'AIO_COMPRESSION_LEVEL',
    `The level of ${coding} is a whole number from ${compressionLevels(coding)}, got ${shown(level)}.`,
  );
}

/** What no wish changes: bodies that do not exist, parts of bodies, and what somebody else has coded or measured already. */
function canBeCoded(response: StreamResponse): boolean {
  const { status } = response;
  if (status < 200 || status === 204 || status === 205 || status === 206 || status === 304) return false;
  if (response._bodySize() === 0) return false;
  const headers = response.ownHeaders;
  if (headers === undefined) return true;
  if (OF_THE_BYTES.some((name) => headers.has(name))) return false;
  return !headers.getAll('Cache-Control').some((value) => NO_TRANSFORM.test(value));
}

export function contentTypeOf(response: StreamResponse): string {
  return response.contentTypeField ?? response.ownHeaders?.get('Content-Type') ?? '';
}

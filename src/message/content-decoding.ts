import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { outside } from '../asyncio/index.ts';
import { type CompressionCoding, HAS_ZSTD } from './content-coding.ts';
import { StreamReader } from './stream-reader.ts';

/** A body of up to this many bytes is decompressed at once, which costs a fifth of what a stream costs. */
const AT_ONCE = 65_536;
/** … when it gives no more than this: else others would wait too long. */
const AT_ONCE_LIMIT = 1_048_576;

const OPTIONS = { chunkSize: 65_536 };

interface Decoder {
  stream(first: number): Transform;
  once(bytes: Uint8Array, maxOutputLength: number): Uint8Array;
}

const GZIP: Decoder = {
  stream: () => zlib.createGunzip(OPTIONS),
  once: (bytes, maxOutputLength) => zlib.gunzipSync(bytes, { maxOutputLength }),
};

// "deflate" is zlib by the book and often raw DEFLATE in the wild; zlib's first byte says which (RFC 1950 §2.2).
const DEFLATE: Decoder = {
  stream: (first) => (isZlib(first) ? zlib.createInflate(OPTIONS) : zlib.createInflateRaw(OPTIONS)),
  once: (bytes, maxOutputLength) =>
    isZlib(bytes[0]!)
      ? zlib.inflateSync(bytes, { maxOutputLength })
      : zlib.inflateRawSync(bytes, { maxOutputLength }),
};

const BROTLI: Decoder = {
  stream: () => zlib.createBrotliDecompress(OPTIONS),
  once: (bytes, maxOutputLength) => zlib.brotliDecompressSync(bytes, { maxOutputLength }),
};

/** A frame may ask its reader for a window of 128 MiB; RFC 9659 allows 8 MiB in HTTP. */
const ZSTD_PARAMS = HAS_ZSTD ? { [zlib.constants.ZSTD_d_windowLogMax]: 23 } : {};

const ZSTD: Decoder = {
  stream: () => zlib.createZstdDecompress({ ...OPTIONS, params: ZSTD_PARAMS }),
  once: (bytes, maxOutputLength) => zlib.zstdDecompressSync(bytes, { maxOutputLength, params: ZSTD_PARAMS }),
};

const DECODERS: ReadonlyMap<string, Decoder> = new Map([
  ['gzip', GZIP],
  ['x-gzip', GZIP],
  ['deflate', DEFLATE],
  ['br', BROTLI],
  ...(HAS_ZSTD ? [['zstd', ZSTD] as const] : []),
]);

function isZlib(first: number): boolean {
  return (first & 0x0f) === 8;
}

/** Whether a body in this coding (in lower case) can be decoded here. */
export function canDecode(coding: string): coding is CompressionCoding | 'x-gzip' {
  return DECODERS.has(coding);
}

/** A stream that decodes in threads of the pool; `first` is the first byte it will get. */
export function createDecoder(coding: CompressionCoding | 'x-gzip', first: number): Transform {
  return DECODERS.get(coding)!.stream(first);
}

/**
 * The codings of a Content-Encoding field in lower case, in the order in which they were applied (RFC 9110 §8.4); `identity` is left out.
 *
 * @example
 * ```ts
 * parseContentEncoding('identity, GZIP'); // ['gzip']
 * ```
 */
export function parseContentEncoding(field: string | undefined): string[] {
  if (field === undefined) return [];
  return field
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
}

/** How a decoder speaks of failure, and what it allows. */
export interface DecodingRules {
  /** The error for bytes that are not what their coding says. */
  failed(coding: string, cause: unknown): Error;
  /**
   * Called while a stream is decoded: the error that ends it when so many bytes must not come of so few. Bytes count as `encoded` when
   * they are in the source's buffer already.
   */
  excess?(decoded: number, encoded: number): Error | undefined;
}

/**
 * Bytes that are all here, decoded without a stream; `undefined` when that would take too long.
 *
 * @param codings In the order in which they were applied; every one can be decoded.
 * @param most Largest result in bytes; a greater one is `undefined` too.
 */
export function decodeNow(
  bytes: Uint8Array,
  codings: readonly string[],
  rules: DecodingRules,
  most: number = AT_ONCE_LIMIT,
): Uint8Array | undefined {
  let decoded = bytes;
  for (let index = codings.length - 1; index >= 0; index--) {
    const coding = codings[index]!;
    if (decoded.length === 0) return decoded;
    if (decoded.length > AT_ONCE) return undefined;
    try {
      decoded = DECODERS.get(coding)!.once(decoded, Math.max(1, Math.min(most, AT_ONCE_LIMIT)));
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') return undefined;
      throw rules.failed(coding, error);
    }
  }
  return decoded;
}

/** A body that is decoded while it comes. What is decoded ahead is bounded, whatever the ratio. */
export class BodyDecoder {
  /** The decoded body. */
  readonly content: StreamReader;
  readonly #source: StreamReader;
  readonly #rules: DecodingRules;
  readonly #decoders: Set<Transform>;
  #stopped: Error | undefined;

  /**
   * @param codings In the order in which they were applied; every one can be decoded.
   * @param limit Bytes that are decoded ahead, as {@link StreamReader} counts them.
   */
  constructor(source: StreamReader, codings: readonly string[], rules: DecodingRules, limit?: number) {
    this.#source = source;
    this.#rules = rules;
    this.#decoders = new Set();
    this.#stopped = undefined;
    this.content = codings.reduceRight((stream, coding) => this.#decode(stream, coding, limit), source);
  }

  /** Releases what decoding holds; whoever still reads gets `error`. Nothing happens after the end. */
  stop(error: Error): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = error;
    if (!this.content.isEof()) this.content.setException(error);
    for (const decoder of this.#decoders) decoder.destroy(error);
  }

  #decode(source: StreamReader, coding: string, limit: number | undefined): StreamReader {
    let decoder: Transform | undefined;
    const target = new StreamReader(
      { pause: () => decoder?.pause(), resume: () => decoder?.resume() },
      limit,
    );
    const run = async (): Promise<void> => {
      const first = await source.readChunk();
      if (this.#stopped !== undefined) throw this.#stopped;
      // Nothing at all is no broken stream: servers say so of an empty body (and of an answer to HEAD).
      if (first === undefined) {
        target.feedEof();
        return;
      }
      decoder = DECODERS.get(coding)!.stream(first[0]!);
      try {
        await this.#pump(source, decoder, target, first);
      } catch (error) {
        throw this.#stopped ?? source.exception() ?? target.exception() ?? this.#rules.failed(coding, error);
      } finally {
        this.#decoders.delete(decoder);
        decoder.destroy();
      }
      target.feedEof();
    };
    // Whoever reads the body first is not the one who decodes it: its cancellation ends its own wait only.
    outside(() => {
      run().catch((error: Error) => target.setException(error));
    });
    return target;
  }

  async #pump(
    source: StreamReader,
    decoder: Transform,
    target: StreamReader,
    first: Uint8Array,
  ): Promise<void> {
    this.#decoders.add(decoder);
    const check = (): void => {
      const excess = this.#rules.excess?.(target.totalBytes, this.#source.totalBytes);
      if (excess === undefined || target.exception() !== undefined) return;
      target.setException(excess);
      decoder.destroy(excess);
    };
    decoder.on('data', (piece: Buffer) => {
      target.feedData(piece);
      check();
    });
    const ended = new Promise<void>((resolve, reject) =>
      decoder.once('end', resolve).once('error', reject).once('close', resolve),
    );
    ended.catch(() => {});
    let drained: (() => void) | undefined;
    const wake = (): void => drained?.();
    decoder.on('drain', wake).on('end', wake).on('close', wake);
    for (let piece: Uint8Array | undefined = first; piece !== undefined; piece = await source.readChunk()) {
      if (decoder.destroyed) break;
      // What follows the end of the coded bytes is read and dropped: the decoder would only keep it.
      if (!decoder.readableEnded && !decoder.write(piece) && !decoder.readableEnded) {
        await new Promise<void>((resolve) => {
          drained = resolve;
        });
      }
      check();
    }
    if (!decoder.destroyed) decoder.end();
    await ended;
    if (target.exception() !== undefined) throw target.exception();
  }
}

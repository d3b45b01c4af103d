import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';

/** A content coding that compresses (RFC 9110 §8.4.1; `br`: RFC 7932, `zstd`: RFC 8878). */
export type CompressionCoding = 'gzip' | 'deflate' | 'br' | 'zstd';

/** Node 22.15 and 24 know it, Node 20 does not. */
export const HAS_ZSTD: boolean = 'createZstdCompress' in zlib;

/**
 * What this Node can compress and decompress, the best first: at these levels zstd takes half of gzip's time for a smaller result, and br
 * is between them.
 */
export const COMPRESSION_CODINGS: readonly CompressionCoding[] = HAS_ZSTD
  ? ['zstd', 'br', 'gzip', 'deflate']
  : ['br', 'gzip', 'deflate'];

/** Levels for answers that are made while somebody waits. br's own default, 11, is made for files: a hundred times slower. */
const LEVELS: Readonly<Record<CompressionCoding, number>> = { gzip: 6, deflate: 6, br: 4, zstd: 3 };
const BOUNDS: Readonly<Record<CompressionCoding, readonly [number, number]>> = {
  gzip: [1, 9],
  deflate: [1, 9],
  br: [0, 11],
  zstd: [1, 19],
};

/** Whether the coding has this level. */
export function isCompressionLevel(coding: CompressionCoding, level: number): boolean {
  const [least, most] = BOUNDS[coding];
  return Number.isInteger(level) && level >= least && level <= most;
}

/** The levels of a coding, for error messages. */
export function compressionLevels(coding: CompressionCoding): string {
  return BOUNDS[coding].join(' to ');
}

/** Options of an encoder. */
export interface EncoderOptions {
  /** Absent: a level made for answers. */
  readonly level?: number | undefined;
  /** For many open streams of small messages: tens of kilobytes of memory instead of hundreds. */
  readonly small?: boolean | undefined;
  /** Bytes to come, when all of them are here. */
  readonly size?: number | undefined;
}

/**
 * Bytes of the buffers that results come in. One for a small body is no larger than the body: else a kilobyte would hold 64 of them until it
 * was sent.
 */
function chunkSize(settings: EncoderOptions): number {
  if (settings.small === true) return 4096;
  return Math.min(65_536, (settings.size ?? 65_536) + 64);
}

function zlibOptions(coding: CompressionCoding, settings: EncoderOptions): zlib.ZlibOptions {
  const level = settings.level ?? LEVELS[coding];
  return settings.small === true
    ? { level, windowBits: 12, memLevel: 5, chunkSize: chunkSize(settings) }
    : { level, chunkSize: chunkSize(settings) };
}

function brotliOptions(settings: EncoderOptions): zlib.BrotliOptions {
  const { constants } = zlib;
  const params: Record<number, number> = {
    [constants.BROTLI_PARAM_QUALITY]: settings.level ?? LEVELS.br,
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
  };
  if (settings.size !== undefined) params[constants.BROTLI_PARAM_SIZE_HINT] = settings.size;
  if (settings.small === true) params[constants.BROTLI_PARAM_LGWIN] = 12;
  return { params, chunkSize: chunkSize(settings) };
}

function zstdOptions(settings: EncoderOptions): zlib.ZstdOptions {
  const { constants } = zlib;
  const params: Record<number, number> = {
    [constants.ZSTD_c_compressionLevel]: settings.level ?? LEVELS.zstd,
  };
  if (settings.small === true) params[constants.ZSTD_c_windowLog] = 12;
  return { params, chunkSize: chunkSize(settings) };
}

/** All of `bytes` compressed, now: for what is small. */
export function encodeNow(coding: CompressionCoding, bytes: Uint8Array, level?: number): Uint8Array {
  const settings: EncoderOptions = { level, size: bytes.byteLength };
  switch (coding) {
    case 'gzip':
      return zlib.gzipSync(bytes, zlibOptions(coding, settings));
    case 'deflate':
      return zlib.deflateSync(bytes, zlibOptions(coding, settings));
    case 'br':
      return zlib.brotliCompressSync(bytes, brotliOptions(settings));
    case 'zstd':
      return zlib.zstdCompressSync(bytes, zstdOptions(settings));
  }
}

/** All of `bytes` compressed, by a thread of the pool. */
export function encodeLater(
  coding: CompressionCoding,
  bytes: Uint8Array,
  level?: number,
): Promise<Uint8Array> {
  const settings: EncoderOptions = { level, size: bytes.byteLength };
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, result: Uint8Array): void => {
      if (error === null) resolve(result);
      else reject(error);
    };
    switch (coding) {
      case 'gzip':
        zlib.gzip(bytes, zlibOptions(coding, settings), done);
        break;
      case 'deflate':
        zlib.deflate(bytes, zlibOptions(coding, settings), done);
        break;
      case 'br':
        zlib.brotliCompress(bytes, brotliOptions(settings), done);
        break;
      case 'zstd':
        zlib.zstdCompress(bytes, zstdOptions(settings), done);
    }
  });
}

/**
 * Up to this many bytes {@link encodeNow} holds the event loop for less time than it takes to hand the work to another thread and back
 * (measured on Node 20 and 24: some 0.05 to 0.1 ms).
 */
export function smallBody(coding: CompressionCoding): number {
  return coding === 'zstd' ? 32_768 : 8192;
}

/** A stream that compresses in threads of the pool. */
export function createEncoder(coding: CompressionCoding, settings: EncoderOptions = {}): Transform {
  switch (coding) {
    case 'gzip':
      return zlib.createGzip(zlibOptions(coding, settings));
    case 'deflate':
      return zlib.createDeflate(zlibOptions(coding, settings));
    case 'br':
      return zlib.createBrotliCompress(brotliOptions(settings));
    case 'zstd':
      return zlib.createZstdCompress(zstdOptions(settings));
  }
}

/** Makes an encoder give out all that it was given, so that the other side can decode it; `done` is called then. */
export function flushEncoder(encoder: Transform, coding: CompressionCoding, done: () => void): void {
  const { constants } = zlib;
  let kind: number = constants.Z_SYNC_FLUSH;
  if (coding === 'br') kind = constants.BROTLI_OPERATION_FLUSH;
  else if (coding === 'zstd') kind = constants.ZSTD_e_flush;
  (encoder as zlib.Gzip).flush(kind, done);
}

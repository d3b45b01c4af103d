import { codedRangeError, codedTypeError, shown } from '../message/index.ts';
import { DEFAULT_CHUNK_SIZE } from './file-body.ts';
import { checkPrecompressed, type PrecompressedCoding } from './file-siblings.ts';

/** How files are sent: by a {@link FileResponse}, or by all answers of a static resource. */
export interface FileOptions {
  /** Bytes read and sent at a time, 1 KiB to 16 MiB. Default 262144. */
  readonly chunkSize?: number | undefined;
  /**
   * Whether a precompressed sibling (`app.js.br`, `.zst`, `.gz`) is sent instead where it exists and the client accepts it best; or the codings that
   * may be, the preferred one first. Siblings must be regular files. Default `true`: br, zstd, gzip.
   */
  readonly precompressed?: boolean | readonly PrecompressedCoding[] | undefined;
  /** Milliseconds for which caches need not ask again: `Cache-Control: public, max-age=…`. By default the field is not sent. */
  readonly maxAge?: number | undefined;
  /** Says as well that the file never changes under this URL (RFC 8246). Without `maxAge`, for a year. Default `false`. */
  readonly immutable?: boolean | undefined;
  /** Sends `X-Content-Type-Options: nosniff`, so that no browser takes a file for something else than its type. Default `true`. */
  readonly nosniff?: boolean | undefined;
}

/** {@link FileOptions} as they were checked. */
export interface FileSettings {
  readonly chunkSize: number;
  readonly codings: readonly PrecompressedCoding[];
  readonly cacheControl: string | undefined;
  readonly nosniff: boolean;
}

const DEFAULTS: FileSettings = {
  chunkSize: DEFAULT_CHUNK_SIZE,
  codings: checkPrecompressed(true),
  cacheControl: undefined,
  nosniff: true,
};

const YEAR = 31_536_000_000;
/** Cache-Control of what never changes. */
export const IMMUTABLE: string = cacheControl(YEAR, true);

/**
 * @throws RangeError `AIO_FILE_OPTION` when a size or a time is not allowed
 * @throws TypeError `AIO_FILE_OPTION` when an option is of the wrong kind
 */
export function checkFileOptions(options: FileOptions | undefined): FileSettings {
  if (options === undefined) return DEFAULTS;
  const { chunkSize = DEFAULT_CHUNK_SIZE, maxAge, immutable = false } = options;
  if (!Number.isInteger(chunkSize) || chunkSize < 1_024 || chunkSize > 16_777_216) {
    throw codedRangeError(
      'AIO_FILE_OPTION',
      `chunkSize must be a whole number of bytes from 1024 to 16777216, got ${shown(chunkSize)}.`,
    );
  }
  if (maxAge !== undefined && !(typeof maxAge === 'number' && maxAge >= 0 && maxAge <= 10 * YEAR)) {
    throw codedRangeError(
      'AIO_FILE_OPTION',
      `maxAge must be milliseconds, from 0 to ten years; got ${shown(maxAge)}.`,
    );
  }
  checkFlag('immutable', immutable);
  return {
    chunkSize,
    codings: checkPrecompressed(options.precompressed),
    cacheControl: maxAge === undefined && !immutable ? undefined : cacheControl(maxAge ?? YEAR, immutable),
    nosniff: checkFlag('nosniff', options.nosniff ?? true),
  };
}

/** @throws TypeError `AIO_FILE_OPTION` for anything but a boolean */
export function checkFlag(name: string, value: boolean): boolean {
  if (typeof value === 'boolean') return value;
  throw codedTypeError('AIO_FILE_OPTION', `${name} must be true or false, got ${shown(value)}.`);
}

function cacheControl(maxAge: number, immutable: boolean): string {
  return `public, max-age=${Math.floor(maxAge / 1_000)}${immutable ? ', immutable' : ''}`;
}

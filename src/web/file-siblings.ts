import { lstat } from 'node:fs';
import { codedTypeError, mediaTypeByExtension, shown } from '../message/index.ts';

/** Codings that a file may lie there in, beside itself. */
export type PrecompressedCoding = 'br' | 'zstd' | 'gzip';

/** What stands behind the name of the file. */
const SUFFIXES: Readonly<Record<PrecompressedCoding, string>> = { br: '.br', zstd: '.zst', gzip: '.gz' };

/** All codings, the one that usually makes the smallest files first. */
export const PRECOMPRESSED_CODINGS: readonly PrecompressedCoding[] = ['br', 'zstd', 'gzip'];
const NONE: readonly PrecompressedCoding[] = [];

/** The path of the sibling that holds the file in a coding. */
export function siblingPath(path: string, coding: PrecompressedCoding): string {
  return path + SUFFIXES[coding];
}

/** @throws TypeError for anything but a boolean or a list of known codings */
export function checkPrecompressed(
  value: boolean | readonly PrecompressedCoding[] | undefined,
): readonly PrecompressedCoding[] {
  if (value === undefined || value === true) return PRECOMPRESSED_CODINGS;
  if (value === false) return NONE;
  if (Array.isArray(value) && value.every((coding) => Object.hasOwn(SUFFIXES, coding))) return value;
  throw codedTypeError(
    'AIO_FILE_OPTION',
    `precompressed must be true, false, or a list of 'br', 'zstd' and 'gzip'; got ${shown(value)}.`,
  );
}

/** Nobody compresses these again, so nobody looks for it. */
const COMPRESSED =
  /^(?:image\/(?!svg|bmp|x-icon|tiff)|video\/|audio\/(?!wav|midi)|font\/woff|application\/(?:zip|gzip|zstd|x-brotli|x-bzip2|x-xz|x-7z|vnd\.rar|java-archive|epub|vnd\.openxml|vnd\.oasis|vnd\.android))/;

const MEMORY = 2_048;
/** Milliseconds for which it is remembered which siblings a file has. */
const REMEMBERED = 1_000;

interface Known {
  readonly codings: readonly PrecompressedCoding[];
  readonly time: number;
}

const known = new Map<string, Known>();

/**
 * Which of these codings lie beside a file. Regular files only: a symbolic link there could lead anywhere. Asked of the disk at most once a
 * second for each file, because most files have none and every request would pay for finding that out.
 */
export function findSiblings(
  path: string,
  codings: readonly PrecompressedCoding[],
): readonly PrecompressedCoding[] | Promise<readonly PrecompressedCoding[]> {
  if (codings.length === 0 || isCompressed(path)) return NONE;
  const memory = known.get(path);
  if (memory !== undefined && performance.now() - memory.time < REMEMBERED) {
    return codings === PRECOMPRESSED_CODINGS
      ? memory.codings
      : codings.filter((coding) => memory.codings.includes(coding));
  }
  return look(path, codings);
}

/** Forgets what is remembered of a file: one of its siblings was not there any more. */
export function forgetSiblings(path: string): void {
  known.delete(path);
}

async function look(
  path: string,
  wanted: readonly PrecompressedCoding[],
): Promise<readonly PrecompressedCoding[]> {
  const found = await Promise.all(
    PRECOMPRESSED_CODINGS.map((coding) => isRegular(siblingPath(path, coding))),
  );
  const codings = PRECOMPRESSED_CODINGS.filter((_, index) => found[index]);
  known.delete(path);
  known.set(path, { codings: codings.length === 0 ? NONE : codings, time: performance.now() });
  if (known.size > MEMORY) known.delete(known.keys().next().value!);
  return wanted.filter((coding) => codings.includes(coding));
}

function isRegular(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    lstat(path, (error, stats) => resolve(error === null && stats.isFile()));
  });
}

function isCompressed(path: string): boolean {
  const type = mediaTypeByExtension(path);
  return type !== undefined && COMPRESSED.test(type);
}

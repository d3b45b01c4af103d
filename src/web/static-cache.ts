import { stat } from 'node:fs/promises';
import { codedRangeError, negotiateEncoding, shown } from '../message/index.ts';
import type { FileRepresentation } from './file-representation.ts';
import { findSiblings, type PrecompressedCoding, siblingPath } from './file-siblings.ts';

/** Options of the memory that a static resource may keep files in. */
export interface StaticCacheOptions {
  /** Bytes of all files together, each counted with 512 more. Default 16777216. */
  readonly maxSize?: number | undefined;
  /** Files that are larger are not kept. Default 65536. */
  readonly maxFileSize?: number | undefined;
  /**
   * Milliseconds after which the disk is asked whether a file is still the same (time of its last change, size and inode). Default 1000; `0` asks for every request,
   * `Infinity` never.
   */
  readonly revalidate?: number | undefined;
}

/** What is kept of one file: its representations, as far as they were asked for. */
export class CachedFile {
  readonly path: string;
  /** What the file itself was. */
  readonly stamp: string;
  /** The siblings that it had when it was last looked for them. */
  readonly codings: readonly PrecompressedCoding[];
  readonly representations: Map<PrecompressedCoding | undefined, CachedRepresentation> = new Map();
  bytes: number = 0;
  checked: number = performance.now();
  #lastHeader: string | undefined = undefined;
  #lastCoding: PrecompressedCoding | undefined = undefined;

  constructor(path: string, stamp: string, codings: readonly PrecompressedCoding[]) {
    this.path = path;
    this.stamp = stamp;
    this.codings = codings;
  }

  /** The representation for an Accept-Encoding field, if it is here. */
  find(acceptEncoding: string | undefined): FileRepresentation | undefined {
    if (this.codings.length === 0) return this.representations.get(undefined)?.representation;
    if (acceptEncoding !== this.#lastHeader) {
      this.#lastCoding = negotiateEncoding(acceptEncoding, this.codings) as PrecompressedCoding | undefined;
      this.#lastHeader = acceptEncoding;
    }
    return this.representations.get(this.#lastCoding)?.representation;
  }
}

/** Bytes of a file in memory, and what the file was when they were read. */
export interface CachedRepresentation {
  readonly representation: FileRepresentation;
  readonly inode: number;
  readonly changed: number;
}

/** Bytes that are counted for what is kept beside the content, so that even empty files have their bound. */
const OVERHEAD = 512;

/** Small files in memory, by name; those that were not asked for the longest time leave first. */
export class StaticCache {
  readonly maxFileSize: number;
  readonly #maxSize: number;
  readonly #revalidate: number;
  readonly #files = new Map<string, CachedFile>();
  #size = 0;

  /** @throws RangeError `AIO_FILE_OPTION` when a size or the time is not allowed */
  constructor(options: StaticCacheOptions) {
    const { maxSize = 16_777_216, maxFileSize = 65_536, revalidate = 1_000 } = options;
    this.#maxSize = checkSize('cache.maxSize', maxSize);
    this.maxFileSize = Math.min(checkSize('cache.maxFileSize', maxFileSize), maxSize);
    if (!(typeof revalidate === 'number' && revalidate >= 0)) {
      throw codedRangeError(
        'AIO_FILE_OPTION',
        `cache.revalidate must be milliseconds, 0 or more; got ${shown(revalidate)}.`,
      );
    }
    this.#revalidate = revalidate;
  }

  /** Bytes that are kept, what is needed beside the files included. */
  get size(): number {
    return this.#size;
  }

  /** A file that need not be looked at again yet. */
  fresh(name: string): CachedFile | undefined {
    const file = this.#files.get(name);
    if (file === undefined || performance.now() - file.checked >= this.#revalidate) return undefined;
    this.#files.delete(name);
    this.#files.set(name, file);
    return file;
  }

  /**
   * A file that is kept and, as the disk says, still the same; else it is dropped.
   *
   * @param codings those that siblings are looked for in
   */
  async checked(name: string, codings: readonly PrecompressedCoding[]): Promise<CachedFile | undefined> {
    const file = this.#files.get(name);
    if (file === undefined) return undefined;
    const since = performance.now();
    for (const [coding, kept] of file.representations) {
      const path = coding === undefined ? file.path : siblingPath(file.path, coding);
      const stats = await stat(path).catch(() => undefined);
      const { inode, changed, representation } = kept;
      if (stats?.ino === inode && stats.ctimeMs === changed && stats.size === representation.size) continue;
      this.#drop(name, file);
      return undefined;
    }
    const siblings = await findSiblings(file.path, codings);
    if (siblings.join() !== file.codings.join()) {
      this.#drop(name, file);
      return undefined;
    }
    file.checked = since;
    return file;
  }

  /** Keeps what was read of a file. */
  add(
    name: string,
    path: string,
    stamp: string,
    codings: readonly PrecompressedCoding[],
    kept: CachedRepresentation,
  ): void {
    let file = this.#files.get(name);
    if (file !== undefined && (file.stamp !== stamp || file.codings.join() !== codings.join())) {
      this.#drop(name, file);
      file = undefined;
    }
    file ??= new CachedFile(path, stamp, codings);
    const { coding, size } = kept.representation;
    const before = file.representations.get(coding);
    const more = before === undefined ? size + OVERHEAD : size - before.representation.size;
    file.representations.set(coding, kept);
    file.bytes += more;
    this.#size += more;
    this.#files.delete(name);
    this.#files.set(name, file);
    for (const [oldest, other] of this.#files) {
      if (this.#size <= this.#maxSize) break;
      this.#drop(oldest, other);
    }
  }

  #drop(name: string, file: CachedFile): void {
    if (this.#files.get(name) !== file) return;
    this.#files.delete(name);
    this.#size -= file.bytes;
  }
}

function checkSize(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw codedRangeError(
    'AIO_FILE_OPTION',
    `${name} must be a whole number of bytes above 0, got ${shown(value)}.`,
  );
}

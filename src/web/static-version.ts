import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { type OpenFile, READ_ONLY } from './file-open.ts';

/** Files larger than this are not read to check a version that no URL was made with: anybody could ask for that. */
const MAX_SIZE = 4_194_304;
const CHUNK = 262_144;
const MEMORY = 4_096;

interface Version {
  readonly hash: string;
  /** What the file was when the hash was made. */
  readonly stamp: string;
  /** When the file was last seen to be that, by `performance.now()`. */
  seen: number;
}

/** Milliseconds for which a file that was looked at is taken to be the same. */
const SEEN = 1_000;

/** Versions of files: SHA-256 of their bytes in base64url, made once for each state of a file. */
export class FileVersions {
  readonly #versions = new Map<string, Version>();

  /**
   * The version of a file, for a URL that is being written. Reads the file at once when it is new or has changed: pages are made where
   * nothing can be waited for.
   *
   * @returns `undefined` when the file cannot be read
   */
  ofPath(file: string, isInside: (path: string) => boolean): string | undefined {
    const known = this.#versions.get(file);
    const now = performance.now();
    if (known !== undefined && now - known.seen < SEEN) return known.hash;
    try {
      const stats = statSync(file, { throwIfNoEntry: false });
      if (stats === undefined || !stats.isFile() || !isInside(file)) return undefined;
      if (known !== undefined && known.stamp === stampOfStats(stats)) {
        known.seen = now;
        return known.hash;
      }
      return this.#readNow(file);
    } catch {
      return undefined;
    }
  }

  #readNow(file: string): string {
    const descriptor = openSync(file, READ_ONLY);
    try {
      const stamp = stampOfStats(fstatSync(descriptor));
      const hash = createHash('sha256');
      const buffer = Buffer.allocUnsafe(CHUNK);
      for (;;) {
        const count = readSync(descriptor, buffer, 0, CHUNK, null);
        if (count === 0) break;
        hash.update(buffer.subarray(0, count));
      }
      return this.#remember(file, stamp, hash);
    } finally {
      closeSync(descriptor);
    }
  }

  /** Whether a file that was as `stamp` says is known to have had this version. */
  knows(path: string, stamp: string, version: string): boolean {
    const known = this.#versions.get(path);
    return known !== undefined && known.stamp === stamp && known.hash === version;
  }

  /** Whether an open file has this version; `false` for a file that is too large to find out. */
  async matches(file: OpenFile, path: string, version: string): Promise<boolean> {
    // Anything else was not made here, and not worth reading a file for.
    if (!/^[\w-]{43}$/.test(version)) return false;
    const stamp = stampOfFile(file);
    const known = this.#versions.get(path);
    if (known !== undefined && known.stamp === stamp) return known.hash === version;
    if (file.size > MAX_SIZE) return false;
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(1, file.size)));
    for (let position = 0; position < file.size; ) {
      const count = await file.read(buffer, Math.min(buffer.length, file.size - position), position);
      if (count === 0) return false;
      hash.update(buffer.subarray(0, count));
      position += count;
    }
    return this.#remember(path, stamp, hash) === version;
  }

  #remember(path: string, stamp: string, hash: Hash): string {
    const version = { hash: hash.digest('base64url'), stamp, seen: performance.now() };
    this.#versions.delete(path);
    this.#versions.set(path, version);
    if (this.#versions.size > MEMORY) this.#versions.delete(this.#versions.keys().next().value!);
    return version.hash;
  }
}

/** What a file is as long as it is not changed. */
export function stampOfFile(file: OpenFile): string {
  return stampOf(file.inode, file.changed, file.size);
}

function stampOfStats(stats: Stats): string {
  return stampOf(stats.ino, stats.ctimeMs, stats.size);
}

function stampOf(inode: number, changed: number, size: number): string {
  return `${inode}-${changed}-${size}`;
}

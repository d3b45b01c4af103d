import { readlinkSync, realpathSync, statSync } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { codedRangeError, codedTypeError, shown } from '../message/index.ts';
import { type OpenFile, openFailure, openFile } from './file-open.ts';
import type { FileGuard } from './file-representation.ts';
import { HTTPForbidden, HTTPNotFound } from './http-exceptions.ts';
import { isOtherSpelling } from './static-name.ts';

const { platform } = process;
/** Systems where a file answers to other spellings of its name. */
const IGNORES_CASE: boolean = platform === 'win32' || platform === 'darwin';

/** Where the system tells the path of an open file; `undefined` where it does not. */
const DESCRIPTORS: string | undefined = platform === 'linux' ? '/proc/self/fd/' : undefined;

/**
 * A directory, and the way to the files below it that never leads anywhere else.
 *
 * What may be sent is decided of the file that was opened and not of its path: between a check of a path and the opening, a part of it could
 * be replaced by a symbolic link.
 */
export class StaticRoot {
  /** Absolute and real. */
  readonly directory: string;
  readonly followSymlinks: boolean;
  /** Whether an open file lies below the root. */
  readonly guard: FileGuard | undefined;
  /** Whether a path leads to something below the root, and exists. Asks the disk at once. */
  readonly leadsInside: (path: string) => boolean;
  readonly #prefix: string;

  /**
   * @throws RangeError `AIO_STATIC_DIRECTORY` when there is no such directory
   * @throws TypeError `AIO_STATIC_DIRECTORY` when it is neither a path nor a `file:` URL
   */
  constructor(directory: string | URL, followSymlinks: boolean) {
    this.directory = realDirectory(directory);
    this.followSymlinks = followSymlinks;
    this.#prefix = this.directory.endsWith(path.sep) ? this.directory : this.directory + path.sep;
    this.guard = followSymlinks ? undefined : (file, name) => this.#holds(file, name);
    this.leadsInside = (name) => followSymlinks || this.contains(realpathSync.native(name));
  }

  /** The path of a checked name. */
  pathOf(name: string): string {
    return name === ''
      ? this.directory
      : this.#prefix + (path.sep === '/' ? name : name.replaceAll('/', path.sep));
  }

  /** A path that means an open directory itself, and not what has its name by now, where the system has such paths. */
  pathOfOpen(file: OpenFile, name: string): string {
    if (DESCRIPTORS !== undefined) {
      try {
        readlinkSync(DESCRIPTORS + file.fd);
        return DESCRIPTORS + file.fd;
      } catch {
        // Without /proc there is the name.
      }
    }
    return this.pathOf(name);
  }

  /**
   * Opens what lies under a checked name: a file, a directory, or something that cannot be sent.
   *
   * @throws HTTPNotFound, HTTPForbidden; of what lies outside nothing can be learned from them
   */
  async open(name: string): Promise<OpenFile> {
    const file = this.pathOf(name);
    const opened = await openFile(file).catch(async (error: unknown) => {
      throw await this.#refusal(error, file);
    });
    if (this.followSymlinks) return opened;
    try {
      const inside = this.#holds(opened, file);
      if (inside === true || (inside !== false && (await inside))) return opened;
    } catch (error) {
      opened.close();
      throw error;
    }
    opened.close();
    throw new HTTPNotFound();
  }

  /** Whether a real path is the root or below it. */
  contains(real: string): boolean {
    return real.startsWith(this.#prefix) || real === this.directory;
  }

  #holds(file: OpenFile, name: string): boolean | Promise<boolean> {
    if (DESCRIPTORS !== undefined) {
      try {
        return this.contains(readlinkSync(DESCRIPTORS + file.fd));
      } catch {
        // Without /proc there is the other way.
      }
    }
    return this.#holdsByPath(file, name);
  }

  /** The path is resolved after the opening, and what it leads to must be what was opened. */
  async #holdsByPath(file: OpenFile, name: string): Promise<boolean> {
    try {
      const real = await realpath(name);
      if (!this.contains(real) || (IGNORES_CASE && isOtherSpelling(name, real))) return false;
      const there = await lstat(real);
      return there.ino === file.inode && there.dev === file.device;
    } catch {
      return false;
    }
  }

  /** "Forbidden" is said of files below the root only. */
  async #refusal(error: unknown, file: string): Promise<unknown> {
    const failure = openFailure(error);
    if (!(failure instanceof HTTPForbidden) || this.followSymlinks) return failure;
    return (await this.#isDeniedInside(file)) ? failure : new HTTPNotFound();
  }

  async #isDeniedInside(file: string): Promise<boolean> {
    let below = '';
    for (let part = file; part.length >= this.directory.length; part = path.dirname(part)) {
      const real = await realpath(part).catch(() => undefined);
      if (real !== undefined) {
        if (!this.contains(real)) return false;
        if (below === '') return true;
        const stats = await lstat(below).catch(() => undefined);
        return stats?.isSymbolicLink() !== true;
      }
      below = part;
    }
    return false;
  }

  /** Whether an entry that is a symbolic link leads to something that this root serves, and what. */
  async resolveLink(name: string): Promise<'file' | 'directory' | undefined> {
    try {
      const real = await realpath(this.pathOf(name));
      if (!this.followSymlinks && !this.contains(real)) return undefined;
      const stats = await stat(real);
      return stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : undefined;
    } catch {
      return undefined;
    }
  }
}

function realDirectory(directory: string | URL): string {
  let name: string;
  if (directory instanceof URL && directory.protocol === 'file:') name = fileURLToPath(directory);
  else if (typeof directory === 'string' && directory !== '') name = path.resolve(withHome(directory));
  else {
    throw codedTypeError(
      'AIO_STATIC_DIRECTORY',
      `The directory of static files is a path or a file: URL, got ${shown(String(directory))}.`,
    );
  }
  if (statSync(name, { throwIfNoEntry: false }) === undefined) {
    throw codedRangeError('AIO_STATIC_DIRECTORY', `${shown(name)} does not exist.`);
  }
  // The answer must be in the spelling that paths of open files have.
  const real = realpathSync.native(name);
  if (!statSync(real).isDirectory()) {
    throw codedRangeError('AIO_STATIC_DIRECTORY', `${shown(name)} is not a directory.`);
  }
  return real;
}

function withHome(directory: string): string {
  return /^~(?:$|[/\\])/.test(directory) ? path.join(homedir(), directory.slice(1)) : directory;
}

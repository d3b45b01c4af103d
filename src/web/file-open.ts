import { close, closeSync, constants, fstatSync, open, read, type Stats } from 'node:fs';
import { ClientDisconnectedError } from './exchange-errors.ts';
import { HTTPForbidden, HTTPNotFound, HTTPServiceUnavailable } from './http-exceptions.ts';

/**
 * Without NONBLOCK, opening a named pipe waits for a writer, and holds one of the few threads that file operations have until one comes. For
 * regular files the flag means nothing. With NOCTTY a terminal does not become the server's. Windows has neither.
 */
export const READ_ONLY: number = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);
/** The last part of the path must not be a symbolic link. 0 on Windows, where it has to be found out afterwards. */
export const NO_FOLLOW: number = constants.O_NOFOLLOW ?? 0;

/**
 * A file or directory that is open for reading. Everything that is known of it is known of what was opened, whatever the path means by
 * now.
 *
 * Callbacks of `node:fs` and not its promises: a `FileHandle` costs more than all the rest of a small answer.
 */
export class OpenFile {
  readonly fd: number;
  readonly size: number;
  /** Milliseconds since 1970, with fractions. */
  readonly modified: number;
  /**
   * As `modified`, but nobody can set it: archives and copies give their files any `modified`, often the same to all, and a new file
   * may even have the inode of the one that it replaces.
   */
  readonly changed: number;
  readonly inode: number;
  readonly device: number;
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  private reads: number;
  private closing: boolean;

  constructor(fd: number, stats: Stats) {
    this.fd = fd;
    this.size = stats.size;
    this.modified = stats.mtimeMs;
    this.changed = stats.ctimeMs;
    this.inode = stats.ino;
    this.device = stats.dev;
    this.isFile = stats.isFile();
    this.isDirectory = stats.isDirectory();
    this.reads = 0;
    this.closing = false;
  }

  /** Fills the beginning of `buffer`; fewer bytes than asked for only at the end of the file. */
  read(buffer: Uint8Array, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      let done = 0;
      const next = (): void => {
        this.reads++;
        read(this.fd, buffer, done, length - done, position + done, (error, count) => {
          this.reads--;
          if (this.closing) {
            if (this.reads === 0) closeSync(this.fd);
            reject(error ?? gone());
            return;
          }
          if (error !== null) {
            reject(error);
            return;
          }
          done += count;
          if (count === 0 || done === length) resolve(done);
          else next();
        });
      };
      if (this.closing) reject(gone());
      else next();
    });
  }

  /** Closes it, once; a read that is under way is waited for, or its number could already belong to another file. */
  close(): void {
    if (this.closing) return;
    this.closing = true;
    // Nothing was written, so there is nothing to wait for.
    if (this.reads === 0) closeSync(this.fd);
  }
}

/** Only the end of an exchange closes a file that is still being read. */
function gone(): ClientDisconnectedError {
  return new ClientDisconnectedError('The client went away before its file was read.');
}

/**
 * Opens a file, a directory or something special, without waiting for anything but the disk.
 *
 * @throws the error of `open(2)`; see {@link openFailure}
 */
export function openFile(path: string, flags: number = 0): Promise<OpenFile> {
  return new Promise((resolve, reject) => {
    open(path, READ_ONLY | flags, (error, fd) => {
      if (error !== null) {
        reject(error);
        return;
      }
      try {
        // Of an open file these are in memory: no reason to go through a thread.
        resolve(new OpenFile(fd, fstatSync(fd)));
      } catch (cause) {
        close(fd, () => {});
        reject(cause);
      }
    });
  });
}

const MISSING: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTDIR',
  'ENAMETOOLONG',
  'ELOOP',
  'EINVAL',
  'EISDIR',
  'ENXIO', // a socket
  'ENODEV',
  'EOPNOTSUPP',
  'ERR_INVALID_ARG_VALUE', // a NUL in the path
]);

/** What a client is told of a file that could not be opened; the error itself when it is no fault of the request. */
export function openFailure(error: unknown): unknown {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  if (typeof code !== 'string') return error;
  if (MISSING.has(code)) return new HTTPNotFound();
  if (code === 'EACCES' || code === 'EPERM') return new HTTPForbidden();
  // No more descriptors, for now.
  if (code === 'EMFILE' || code === 'ENFILE') return new HTTPServiceUnavailable({ cause: error });
  return error;
}

import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FileChangedError, FileFieldClosedError } from './errors.ts';
import { GrowingBytes } from './growing-bytes.ts';

/** Pieces are written together: a write costs a trip to another thread, whatever its size. */
const BUFFER_SIZE = 262_144;
/** From here on it is written: the next piece from a socket may not fit. */
const WRITE_SIZE = BUFFER_SIZE - 65_536;
const READ_SIZE = 65_536;

/** Where the files of a form may be. */
export interface SpoolOptions {
  /** Bytes of all files of one request that stay in memory. */
  readonly memoryLimit: number;
  /** Directory of what does not; `undefined`: the system's for temporary files. */
  readonly directory: string | undefined;
}

/**
 * Keeps the files of one request: in memory, until they are larger than `memoryLimit` together; then on disk, one behind the other in one temporary file,
 * so that many small files cannot use up the process's descriptors. That file has a random name, only this user may read it, and it is
 * unlinked as soon as it is open: nothing is left however the process ends.
 */
export class Spool {
  /** Bytes in memory. */
  inMemory: number;
  /** Bytes for the disk so far. */
  onDisk: number;
  private readonly options: SpoolOptions;
  private handle: FileHandle | undefined;
  private written: number;
  /**
   * For the disk, but not written yet. Copied, although views could be written: buffers of sockets that live until they are on disk make
   * the garbage collector's work, which took more time than all the rest.
   */
  private buffer: Buffer | undefined;
  private buffered: number;
  /** What did not fit, as views. */
  private overflow: Uint8Array[];
  private closed: boolean;
  /** Where the file is, on systems that don't unlink open files. */
  private leftAt: string | undefined;

  constructor(options: SpoolOptions) {
    this.inMemory = 0;
    this.onDisk = 0;
    this.options = options;
    this.handle = undefined;
    this.written = 0;
    this.buffer = undefined;
    this.buffered = 0;
    this.overflow = [];
    this.closed = false;
    this.leftAt = undefined;
  }

  /** Whether so many bytes more may stay in memory. */
  hasRoom(size: number): boolean {
    return this.inMemory + size <= this.options.memoryLimit;
  }

  /** Whether the request is over. */
  get isClosed(): boolean {
    return this.closed;
  }

  /** Takes bytes for the disk, which must not change before {@link flush}. */
  put(bytes: Uint8Array): void {
    this.buffer ??= Buffer.allocUnsafeSlow(BUFFER_SIZE);
    const fits = Math.min(bytes.length, BUFFER_SIZE - this.buffered);
    this.buffer.set(fits === bytes.length ? bytes : bytes.subarray(0, fits), this.buffered);
    this.buffered += fits;
    this.onDisk += bytes.length;
    if (fits !== bytes.length) this.overflow.push(bytes.subarray(fits));
  }

  /** Writes what was put, if it is much or `all` is asked for. To be awaited before more is put. */
  async flush(all: boolean): Promise<void> {
    if (this.buffer === undefined || this.buffered === 0 || (!all && this.buffered < WRITE_SIZE)) return;
    const pieces = [this.buffer.subarray(0, this.buffered), ...this.overflow];
    this.buffered = 0;
    this.overflow = [];
    const handle = this.handle ?? (await this.openFile());
    for (const piece of pieces) {
      for (let done = 0; done < piece.length; ) {
        const { bytesWritten } = await handle.write(piece, done, piece.length - done, this.written);
        done += bytesWritten;
        this.written += bytesWritten;
      }
    }
  }

  /** Everything came: what writing needed is given back. */
  finish(): void {
    this.buffer = undefined;
  }

  /** Reads back what was written. */
  async read(position: number, length: number): Promise<Uint8Array> {
    if (this.closed) throw new FileFieldClosedError();
    if (length === 0 || this.handle === undefined) return NOTHING;
    const buffer = Buffer.allocUnsafeSlow(length);
    const { bytesRead } = await this.handle.read(buffer, 0, length, position);
    // Whoever has the right can still cut it: what is missing must not look like the end.
    if (bytesRead === 0) throw new FileChangedError('The temporary file of a form became shorter.');
    return buffer.subarray(0, bytesRead);
  }

  /** Removes everything, also in the middle of writing. Reads that are under way end first, later ones get an error. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.finish();
    this.buffered = 0;
    this.overflow = [];
    const { handle } = this;
    this.handle = undefined;
    if (handle !== undefined) this.remove(handle);
  }

  private async openFile(): Promise<FileHandle> {
    if (this.closed) throw new FileFieldClosedError();
    const file = path.join(this.options.directory ?? tmpdir(), `aiohttp-ts-${randomUUID()}`);
    // Exclusive: whoever has put something there, a link for example, gets nothing of ours.
    const handle = await open(file, 'wx+', 0o600);
    try {
      await unlink(file);
    } catch {
      this.leftAt = file;
    }
    // The request may have ended meanwhile.
    if (this.closed) {
      this.remove(handle);
      throw new FileFieldClosedError();
    }
    this.handle = handle;
    return handle;
  }

  private remove(handle: FileHandle): void {
    const { leftAt } = this;
    handle
      .close()
      .then(() => (leftAt === undefined ? undefined : unlink(leftAt)))
      // Nobody is left who could do anything about it.
      .catch(() => {});
  }
}

/** The content of one uploaded file. Files are filled one after the other. */
export class SpooledFile {
  size: number;
  private readonly spool: Spool;
  private memory: GrowingBytes | undefined;
  /** Where it begins on disk. */
  private start: number;

  constructor(spool: Spool) {
    this.size = 0;
    this.spool = spool;
    this.memory = new GrowingBytes();
    this.start = 0;
  }

  /** Adds bytes, which must not change before the spool is flushed. */
  append(bytes: Uint8Array): void {
    const { spool, memory } = this;
    this.size += bytes.length;
    if (memory !== undefined && spool.hasRoom(bytes.length)) {
      spool.inMemory += bytes.length;
      memory.append(bytes);
      return;
    }
    if (memory !== undefined) {
      this.memory = undefined;
      this.start = spool.onDisk;
      spool.inMemory -= memory.size;
      if (memory.size !== 0) spool.put(memory.view());
    }
    spool.put(bytes);
  }

  /**
   * At most this many bytes from a position on; nothing at the end.
   *
   * @throws FileFieldClosedError after the request.
   */
  async read(position: number, length: number = READ_SIZE): Promise<Uint8Array> {
    if (this.spool.isClosed) throw new FileFieldClosedError();
    if (this.memory !== undefined) return this.memory.view().subarray(position, position + length);
    return this.spool.read(this.start + position, Math.min(length, Math.max(0, this.size - position)));
  }
}

const NOTHING = new Uint8Array(0);

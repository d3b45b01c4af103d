import { lstat } from 'node:fs/promises';
import { ETag, negotiateEncoding } from '../message/index.ts';
import { FileChangedError } from './errors.ts';
import { type ParkedFile, readBytes } from './file-body.ts';
import { NO_FOLLOW, type OpenFile, openFile } from './file-open.ts';
import { findSiblings, forgetSiblings, type PrecompressedCoding, siblingPath } from './file-siblings.ts';

/** Whether a file that was opened by this path may be sent. */
export type FileGuard = (file: OpenFile, path: string) => boolean | Promise<boolean>;

/** What is sent of a file: the file itself or a precompressed sibling, open or in memory. Whoever has it must `close()` it. */
export class FileRepresentation implements ParkedFile {
  readonly size: number;
  readonly coding: PrecompressedCoding | undefined;
  /** Whether another request could get another representation of the same file. */
  readonly varies: boolean;
  /** Milliseconds since 1970, a whole second. */
  readonly lastModified: number;
  readonly etag: ETag;
  /** `undefined` once it was closed, and for what is in memory. */
  file: OpenFile | undefined;
  readonly bytes: Uint8Array | undefined;
  private readonly path: string;
  /** What was open first: that it is the same file is known of it. */
  private readonly first: OpenFile;

  /** @param path of the file itself, also for a sibling */
  constructor(
    file: OpenFile,
    path: string,
    coding: PrecompressedCoding | undefined,
    varies: boolean,
    bytes?: Uint8Array | undefined,
  ) {
    this.size = file.size;
    this.coding = coding;
    this.varies = varies;
    this.lastModified = Math.floor(file.modified / 1_000) * 1_000;
    // Microseconds: what a double still holds of the file's time.
    const tag = `${Math.round(file.modified * 1_000).toString(16)}-${file.size.toString(16)}`;
    this.etag = new ETag(coding === undefined ? tag : `${tag}-${coding}`);
    this.file = bytes === undefined ? file : undefined;
    this.bytes = bytes;
    this.path = path;
    this.first = file;
  }

  /** The same, read into memory; the file is closed. */
  static async inMemory(open: FileRepresentation): Promise<FileRepresentation> {
    const file = open.file!;
    try {
      return new FileRepresentation(
        file,
        open.path,
        open.coding,
        open.varies,
        await readBytes(file, 0, file.size),
      );
    } finally {
      open.close();
    }
  }

  close(): void {
    this.file?.close();
    this.file = undefined;
  }

  /**
   * Opens it again after `close()`.
   *
   * @throws FileChangedError when it is not the same file, in the same state
   */
  async reopen(): Promise<OpenFile> {
    const name = this.coding === undefined ? this.path : siblingPath(this.path, this.coding);
    const file = await openFile(name).catch((cause: unknown) => {
      throw new FileChangedError('The file cannot be opened again to be read.', { cause });
    });
    const { inode, device, size, modified } = this.first;
    if (file.inode === inode && file.device === device && file.size === size && file.modified === modified) {
      this.file = file;
      return file;
    }
    file.close();
    throw new FileChangedError('The file was replaced or changed before it was read.');
  }
}

/**
 * The representation that fits an Accept-Encoding field best. Takes over the open file: it is closed when a sibling is chosen, and on errors.
 *
 * @param codings those that may be chosen, the preferred one first
 * @param guard asked of a sibling as well: it was opened by a path of its own
 */
export async function chooseRepresentation(
  file: OpenFile,
  path: string,
  acceptEncoding: string | undefined,
  codings: readonly PrecompressedCoding[],
  guard?: FileGuard | undefined,
): Promise<FileRepresentation> {
  try {
    const found = findSiblings(path, codings);
    const siblings = found instanceof Promise ? await found : found;
    if (siblings.length === 0) return new FileRepresentation(file, path, undefined, false);
    const coding = negotiateEncoding(acceptEncoding, siblings) as PrecompressedCoding | undefined;
    const sibling = coding === undefined ? undefined : await openSibling(path, coding, guard);
    if (sibling === undefined) return new FileRepresentation(file, path, undefined, true);
    file.close();
    return new FileRepresentation(sibling, path, coding, true);
  } catch (error) {
    file.close();
    throw error;
  }
}

async function openSibling(
  path: string,
  coding: PrecompressedCoding,
  guard: FileGuard | undefined,
): Promise<OpenFile | undefined> {
  const name = siblingPath(path, coding);
  let file: OpenFile;
  try {
    file = await openFile(name, NO_FOLLOW);
  } catch {
    // It went away, became a link, or may not be read: the file itself is there.
    forgetSiblings(path);
    return undefined;
  }
  try {
    if (file.isFile && (NO_FOLLOW !== 0 || !(await isLink(name)))) {
      if (guard === undefined || (await guard(file, name))) return file;
    }
  } catch (error) {
    file.close();
    throw error;
  }
  file.close();
  return undefined;
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch {
    return true;
  }
}

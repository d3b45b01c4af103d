import { randomUUID } from 'node:crypto';
import { link, open, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { ReadableStream as WebStream } from 'node:stream/web';
import {
  type CIMultiDictProxy,
  decodeText,
  type PartHead,
  parseMediaType,
  safeFileName,
} from '../message/index.ts';
import type { SpooledFile } from './spooled-file.ts';

const COPY_SIZE = 1_048_576;

/** Options of {@link FileField.saveTo}. */
export interface SaveOptions {
  /** Replace a file that is there already. Default `false`: then it is an error. */
  readonly overwrite?: boolean | undefined;
  /** Permissions of the new file, less the process's umask. Default 0o666. */
  readonly mode?: number | undefined;
}

/**
 * A file of a form, as `request.post()` gives it. Its content is in memory or in a temporary file, and gone when the answer was sent: save
 * it, or keep its bytes, before.
 *
 * A part without a file name whose type is not text is one too: a JSON document among the fields, for example.
 *
 * aiohttp: `web.FileField`.
 *
 * @example
 * ```ts
 * const form = await request.post();
 * const picture = form.get('picture');
 * if (!(picture instanceof web.FileField)) throw new web.HTTPBadRequest({ text: 'picture is missing' });
 * await picture.saveTo(`uploads/${picture.filename}`);
 * ```
 */
export class FileField implements AsyncIterable<Uint8Array> {
  /** The name of the form's field. */
  readonly name: string;
  /** The name that the client gave, made safe to be the name of a file: no path, never empty. It says nothing about what is in the file. */
  readonly filename: string;
  /** The name that the client gave, verbatim: it may be a path, or anything else. `undefined` when it gave none. */
  readonly rawFilename: string | undefined;
  /** Media type in lower case, as the client claims; `application/octet-stream` when it says nothing. */
  readonly contentType: string;
  /** Bytes of the content. */
  readonly size: number;
  readonly #head: PartHead;
  readonly #file: SpooledFile;

  /** Made by `request.post()`. */
  constructor(name: string, rawFilename: string | undefined, head: PartHead, file: SpooledFile) {
    this.name = name;
    this.filename = safeFileName(rawFilename ?? name);
    this.rawFilename = rawFilename;
    const type = head.header('content-type');
    this.contentType =
      (type === undefined ? undefined : parseMediaType(type)?.type) ?? 'application/octet-stream';
    this.size = file.size;
    this.#head = head;
    this.#file = file;
  }

  /** Header fields of the part. */
  get headers(): CIMultiDictProxy {
    return this.#head.headers;
  }

  /**
   * Iterates over the content, piece by piece, from its beginning.
   *
   * @throws FileFieldClosedError after the answer was sent.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (let position = 0; position < this.size; ) {
      const piece = await this.#file.read(position);
      if (piece.length === 0) return;
      position += piece.length;
      yield piece;
    }
  }

  /** The content as a stream of the platform, from its beginning. */
  stream(): WebStream<Uint8Array> {
    let position = 0;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const piece = await this.#file.read(position);
          position += piece.length;
          if (piece.length === 0) controller.close();
          else controller.enqueue(piece);
        },
      },
      { highWaterMark: 0 },
    );
  }

  /**
   * The whole content.
   *
   * @throws FileFieldClosedError after the answer was sent.
   */
  async bytes(): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(this.size);
    let position = 0;
    for (;;) {
      const piece = await this.#file.read(position, COPY_SIZE);
      if (piece.length === 0) return bytes.subarray(0, position);
      bytes.set(piece, position);
      position += piece.length;
    }
  }

  /**
   * The whole content as text.
   *
   * @param encoding Default: the part's charset, else UTF-8.
   * @throws UndecodableTextError, UnknownCharsetError; FileFieldClosedError after the answer was sent.
   */
  async text(encoding?: string): Promise<string> {
    const type = this.#head.header('content-type');
    const charset = type === undefined ? undefined : parseMediaType(type)?.charset;
    return decodeText(await this.bytes(), encoding ?? charset ?? 'utf-8');
  }

  /**
   * Saves the content under this path: first beside it under another name, then renamed, so that nobody ever sees half a file, and an error
   * leaves nothing behind.
   *
   * @throws Error of the system: `EEXIST` when there is a file already and `overwrite` is not set, `ENOENT` when there is no such directory;
   *   FileFieldClosedError after the answer was sent.
   */
  async saveTo(target: string, options: SaveOptions = {}): Promise<void> {
    const temporary = path.join(path.dirname(target), `.${randomUUID()}.part`);
    const handle = await open(temporary, 'wx', options.mode ?? 0o666);
    let moved = false;
    try {
      try {
        for (let position = 0; position < this.size; ) {
          const piece = await this.#file.read(position, COPY_SIZE);
          for (let written = 0; written < piece.length; ) {
            const { bytesWritten } = await handle.write(piece, written);
            written += bytesWritten;
          }
          position += piece.length;
        }
      } finally {
        await handle.close();
      }
      if (options.overwrite === true) await rename(temporary, target);
      else await renameToNew(temporary, target);
      moved = true;
    } finally {
      if (!moved) await unlink(temporary).catch(() => {});
    }
  }
}

/** rename() replaces what is there; link() does not. */
async function renameToNew(temporary: string, target: string): Promise<void> {
  try {
    await link(temporary, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error;
    // A file system without links: take the name first.
    await (await open(target, 'wx')).close();
    await rename(temporary, target);
    return;
  }
  await unlink(temporary);
}

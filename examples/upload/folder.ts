import { randomUUID } from 'node:crypto';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { safeFileName } from 'aiohttp-ts/web';

/** A file that was uploaded. */
export interface StoredFile {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
}

const UNFINISHED = '.upload-';

/** The files of one directory: complete ones only, none ever replaced by another. */
export class Folder {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = path.resolve(dir);
  }

  /** Whether a file of the directory is one whose upload never came to its end. */
  static isUnfinished(name: string): boolean {
    return name.startsWith(UNFINISHED);
  }

  /** The files there, by name. */
  async list(): Promise<StoredFile[]> {
    const files: StoredFile[] = [];
    for (const entry of await readdir(this.#dir, { withFileTypes: true })) {
      if (!entry.isFile() || this.pathOf(entry.name) === undefined) continue;
      const found = await stat(path.join(this.#dir, entry.name)).catch(() => undefined);
      if (found !== undefined) files.push({ name: entry.name, size: found.size });
    }
    return files.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Where a file is; `undefined` for what cannot be the name of one: paths, hidden files. */
  pathOf(name: string): string | undefined {
    return safeFileName(name) === name ? path.join(this.#dir, name) : undefined;
  }

  /** Writes pieces to a new file as they come. Under its name it is there when it is complete, or not at all. */
  async save(wanted: string, pieces: AsyncIterable<Uint8Array>): Promise<StoredFile> {
    const temporary = path.join(this.#dir, `${UNFINISHED}${randomUUID()}`);
    let size = 0;
    try {
      const file = await open(temporary, 'wx');
      try {
        for await (const piece of pieces) {
          await file.appendFile(piece);
          size += piece.length;
        }
      } finally {
        await file.close();
      }
      return { name: await this.#place(temporary, safeFileName(wanted)), size };
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  /** Gives a file a name that no other one has: `cat.jpg`, else `cat (2).jpg` and so on. An empty file holds the name until it is there. */
  async #place(temporary: string, wanted: string): Promise<string> {
    const { name: stem, ext } = path.parse(wanted);
    for (let number = 1; ; number++) {
      const name = number === 1 ? wanted : safeFileName(`${stem} (${number})${ext}`);
      const target = path.join(this.#dir, name);
      try {
        await (await open(target, 'wx')).close();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST' && number < 10_000) continue;
        throw error;
      }
      try {
        await rename(temporary, target);
        return name;
      } catch (error) {
        await rm(target, { force: true });
        throw error;
      }
    }
  }
}

import { FileChangedError } from './errors.ts';
import type { OpenFile } from './file-open.ts';

/** Bytes read from a file at a time, unless told otherwise. */
export const DEFAULT_CHUNK_SIZE = 262_144;

/** Buffers that no write needs any more. Making one of this size costs as much as reading a file into it. */
const spare: Buffer[] = [];
const MAX_SPARE = 8;

function takeBuffer(size: number): Buffer {
  if (size === DEFAULT_CHUNK_SIZE) return spare.pop() ?? Buffer.allocUnsafeSlow(size);
  return Buffer.allocUnsafeSlow(size);
}

function giveBack(buffer: Buffer): void {
  if (buffer.length === DEFAULT_CHUNK_SIZE && spare.length < MAX_SPARE) spare.push(buffer);
}

/** A file that can be closed while nobody reads what is sent of it. */
export interface ParkedFile {
  close(): void;
  /** @throws FileChangedError when there is another file by now, or none */
  reopen(): Promise<OpenFile>;
}

/** Takes a piece; a promise when the piece is still being written, settled when it is not needed any more. */
export type PieceWriter = (piece: Uint8Array) => Promise<void> | undefined;

/** Whether a promise is not settled in this turn of the loop. */
async function isSlow(promise: Promise<void>): Promise<boolean> {
  let isPending = true;
  const settled = (): void => {
    isPending = false;
  };
  promise.then(settled, settled);
  await new Promise<void>((resolve) => setImmediate(resolve));
  return isPending;
}

/**
 * Sends bytes `start` to `end` of a file, a chunk at a time, at the pace of the client.
 *
 * @param reuse whether a chunk whose promise is fulfilled belongs to nobody: so for sockets, not where the client holds the chunk itself
 * @param parked the same file, where nobody may ever read on: it is closed at the first wait that lasts, and opened again behind it. Once, because
 *   whoever has begun to read must be spared what happens to the path of an open file.
 * @throws FileChangedError when the file has become shorter: nothing is ever put in the place of what is missing
 */
export async function sendBytes(
  file: OpenFile,
  start: number,
  end: number,
  chunkSize: number,
  write: PieceWriter,
  reuse: boolean,
  parked?: ParkedFile | undefined,
): Promise<void> {
  let open = file;
  let mayPark = parked !== undefined;
  let buffer: Buffer | undefined;
  for (let position = start; position < end; ) {
    const wanted = Math.min(chunkSize, end - position);
    buffer ??= reuse ? takeBuffer(chunkSize) : Buffer.allocUnsafeSlow(wanted);
    const count = await open.read(buffer, wanted, position);
    if (count < wanted) throw shortened(position + count, end);
    position += count;
    const written = write(buffer.subarray(0, count));
    if (written !== undefined) {
      if (mayPark && (await isSlow(written))) {
        mayPark = false;
        parked!.close();
        await written;
        if (position < end) open = await parked!.reopen();
      }
      await written;
    }
    // A write that asks nobody to wait may still need its bytes.
    if (!reuse || written === undefined) buffer = undefined;
  }
  if (buffer !== undefined) giveBack(buffer);
}

/** Bytes `start` to `end` of a file, when all of them shall leave in one write. */
export async function readBytes(file: OpenFile, start: number, end: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(end - start);
  if (end === start) return bytes;
  const count = await file.read(bytes, end - start, start);
  if (count < bytes.length) throw shortened(start + count, end);
  return bytes;
}

function shortened(end: number, promised: number): FileChangedError {
  return new FileChangedError(`The file ended at byte ${end}, when ${promised} bytes of it were promised.`);
}

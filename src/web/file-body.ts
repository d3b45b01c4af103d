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

/** Takes a piece; a promise when the piece is still being written, settled when it is not needed any more. */
export type PieceWriter = (piece: Uint8Array) => Promise<void> | undefined;

/**
 * Sends bytes `start` to `end` of a file, a chunk at a time, at the pace of the client.
 *
 * @param reuse whether a chunk whose promise is fulfilled belongs to nobody: so for sockets, not where the client holds the chunk itself
 * @throws FileChangedError when the file has become shorter: nothing is ever put in the place of what is missing
 */
export async function sendBytes(
  file: OpenFile,
  start: number,
  end: number,
  chunkSize: number,
  write: PieceWriter,
  reuse: boolean,
): Promise<void> {
  let buffer: Buffer | undefined;
  for (let position = start; position < end; ) {
    const wanted = Math.min(chunkSize, end - position);
    buffer ??= reuse ? takeBuffer(chunkSize) : Buffer.allocUnsafeSlow(wanted);
    const count = await file.read(buffer, wanted, position);
    if (count < wanted) throw new FileChangedError(position + count, end);
    position += count;
    const written = write(buffer.subarray(0, count));
    if (written !== undefined) await written;
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
  if (count < bytes.length) throw new FileChangedError(start + count, end);
  return bytes;
}

const EMPTY = new Uint8Array(0);
// A view of a few bytes keeps the whole buffer that the socket read; thousands of them would take many times their size
// (CVE-2025-69229). So small pieces that queue up are copied together.
const SMALL = 4096;
const BLOCK = 16_384;
// Chunks that were taken are dropped from the array this many at a time, so that taking stays linear.
const TAKEN = 1024;

/** Bytes in the order they came, as a list of chunks; what is taken is copied only when it lies in several of them. */
export class ChunkQueue {
  /** Bytes in the queue. */
  size: number;
  /** The queue is `chunks[first…]` without `offset` bytes of the first one. */
  readonly chunks: Uint8Array[];
  first: number;
  offset: number;
  // When set, the last chunk is the used part of `block`, and small pieces are appended there.
  private block: Uint8Array | undefined;
  private blockUsed: number;

  constructor() {
    this.size = 0;
    this.chunks = [];
    this.first = 0;
    this.offset = 0;
    this.block = undefined;
    this.blockUsed = 0;
  }

  /** Adds a chunk, not empty, at the end. It belongs to the queue from now on. */
  push(chunk: Uint8Array): void {
    if (this.size !== 0 && this.continuesLast(chunk)) {
      const last = this.chunks.length - 1;
      const { buffer, byteOffset, length } = this.chunks[last]!;
      this.chunks[last] = Buffer.from(buffer, byteOffset, length + chunk.length);
    } else if (chunk.length < SMALL && this.size !== 0) {
      this.append(chunk);
    } else {
      this.chunks.push(chunk);
      this.block = undefined;
    }
    this.size += chunk.length;
  }

  /** Copies everything to the beginning of `target`; the queue consists of that from then on. */
  moveInto(target: Uint8Array): void {
    const { size } = this;
    if (size === 0) return;
    for (let filled = 0; filled < size; ) {
      const chunk = this.takeChunk();
      target.set(chunk, filled);
      filled += chunk.length;
    }
    this.push(target.subarray(0, size));
  }

  /** Whether the chunk lies in memory right behind the last one, as pieces of one buffer that were read one after the other do. */
  private continuesLast(chunk: Uint8Array): boolean {
    if (this.block !== undefined) return false;
    const last = this.chunks[this.chunks.length - 1]!;
    return last.buffer === chunk.buffer && last.byteOffset + last.length === chunk.byteOffset;
  }

  private append(chunk: Uint8Array): void {
    if (this.block === undefined || this.block.length - this.blockUsed < chunk.length) {
      this.block = new Uint8Array(BLOCK);
      this.blockUsed = 0;
      this.chunks.push(EMPTY);
    }
    this.block.set(chunk, this.blockUsed);
    this.blockUsed += chunk.length;
    this.chunks[this.chunks.length - 1] = this.block.subarray(0, this.blockUsed);
  }

  /** Puts a chunk, not empty, in front. */
  unshift(chunk: Uint8Array): void {
    this.block = undefined;
    if (this.offset !== 0) {
      this.chunks[this.first] = this.chunks[this.first]!.subarray(this.offset);
      this.offset = 0;
    }
    if (this.first === 0) this.chunks.unshift(chunk);
    else this.chunks[--this.first] = chunk;
    this.size += chunk.length;
  }

  /** Takes what is left of the first chunk; the queue must not be empty. */
  takeChunk(): Uint8Array {
    return this.take(this.chunks[this.first]!.length - this.offset);
  }

  /** Takes `count` bytes, no more than there are. */
  take(count: number): Uint8Array {
    if (count === 0) return EMPTY;
    const { chunks, offset } = this;
    const head = chunks[this.first]!;
    if (head.length - offset >= count) {
      this.advance(count);
      return count === head.length ? head : head.subarray(offset, offset + count);
    }
    const taken = Buffer.allocUnsafeSlow(count);
    for (let filled = 0; filled < count; ) {
      const chunk = chunks[this.first]!;
      const start = this.offset;
      const end = Math.min(chunk.length, start + count - filled);
      taken.set(chunk.subarray(start, end), filled);
      filled += end - start;
      this.advance(end - start);
    }
    return taken;
  }

  /** Drops everything. */
  clear(): void {
    this.chunks.length = 0;
    this.first = 0;
    this.offset = 0;
    this.size = 0;
    this.block = undefined;
  }

  // Drops `count` bytes, no more than the first chunk has left.
  private advance(count: number): void {
    const { chunks } = this;
    this.size -= count;
    this.offset += count;
    if (this.size === 0) {
      this.clear();
    } else if (this.offset === chunks[this.first]!.length) {
      this.offset = 0;
      chunks[this.first++] = EMPTY;
      if (this.first === TAKEN) {
        chunks.splice(0, TAKEN);
        this.first = 0;
      }
    }
  }
}

const SMALLEST = 1024;

/** Bytes that are copied together as they come. The pieces are not kept: a few bytes would keep the whole buffer that the socket read. */
export class GrowingBytes {
  size: number;
  private buffer: Buffer;

  constructor() {
    this.size = 0;
    this.buffer = EMPTY;
  }

  append(bytes: Uint8Array): void {
    const size = this.size + bytes.length;
    if (size > this.buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(SMALLEST, size, this.buffer.length * 2));
      larger.set(this.view());
      this.buffer = larger;
    }
    this.buffer.set(bytes, this.size);
    this.size = size;
  }

  /** What there is, not copied. */
  view(): Uint8Array {
    return this.buffer.subarray(0, this.size);
  }
}

const EMPTY = Buffer.alloc(0);

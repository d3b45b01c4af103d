import type { OnReadOpts } from 'node:net';

/**
 * Where all connections read into: what came is looked at, and what stays is copied out, before anything else is read. So an
 * idle connection has no buffer, and a small answer makes no garbage of 64 KiB.
 */
const SHARED: Buffer = Buffer.allocUnsafeSlow(65_536);
/** Reads below this are copied out. */
const SMALL = 4096;
/** After a read of this size the next ones go into a slab, parts of which are handed over without a copy. */
const BULK = 8192;
const SLAB = 262_144;
/** What is left of a slab must be worth a read. */
const LEAST = 16_384;

/** Smallest and largest rest of a body for which one buffer is reserved. */
const LEAST_WHOLE = 65_536;
const MOST_WHOLE = 67_108_864;

/**
 * Reads a socket by `onread`, past the stream machinery of Node. Measured on Node 20 (64 concurrent GETs): 3 µs less CPU per answer
 * than `'data'`, and two to three times the bytes per CPU second on a big body.
 *
 * Give `options` to `net.connect` or `tls.connect`, and set `sink` before the next turn of the event loop.
 */
export class SocketReader {
  /** Takes what was read; the bytes are its own from then on. `false` stops the reading, as `push` of a stream says it. */
  sink: (chunk: Buffer) => boolean;
  /** Something came while nobody listened; it is lost. */
  early: boolean;
  /** A body is on its way: large reads may go into a slab. */
  private bulk: boolean;
  readonly options: OnReadOpts;
  private current: Buffer;
  private lastRead: number;
  private slab: Buffer | undefined;
  private slabUsed: number;
  /** Where all of a body goes, and how much of it is there. */
  private target: Buffer | undefined;
  private targetUsed: number;

  constructor() {
    this.early = false;
    this.sink = () => {
      this.early = true;
      return true;
    };
    this.bulk = false;
    this.current = SHARED;
    this.lastRead = 0;
    this.slab = undefined;
    this.slabUsed = 0;
    this.target = undefined;
    this.targetUsed = 0;
    this.options = {
      buffer: () => this.next(),
      callback: (size) => this.sink(this.take(size)),
    };
  }

  /**
   * A buffer for all of a body of which `queued` bytes have come and `rest` are to come. What is read next goes into it, and the sink
   * gets views of it. `undefined` when it is not worth its while, or too much to believe.
   */
  reserve(queued: number, rest: number): Buffer | undefined {
    if (rest < LEAST_WHOLE || queued + rest > MOST_WHOLE) return undefined;
    this.target = Buffer.allocUnsafeSlow(queued + rest);
    this.targetUsed = queued;
    return this.target;
  }

  /** A body is on its way or over. */
  setBulk(bulk: boolean): void {
    this.bulk = bulk;
    this.target = undefined;
  }

  /** What lies in the current buffer, as bytes that nobody else will write to. */
  private take(size: number): Buffer {
    this.lastRead = size;
    const { current, target } = this;
    if (target !== undefined && target.length - this.targetUsed >= size) return this.takeInto(target, size);
    if (current === SHARED || size < SMALL) {
      const copy = Buffer.allocUnsafe(size);
      copy.set(size === current.length ? current : current.subarray(0, size));
      return copy;
    }
    this.slabUsed += size;
    return size === current.length ? current : current.subarray(0, size);
  }

  private takeInto(target: Buffer, size: number): Buffer {
    const start = this.targetUsed;
    this.targetUsed += size;
    const { current } = this;
    // The read was begun before the target was known.
    if (current.buffer !== target.buffer) target.set(current.subarray(0, size), start);
    return target.subarray(start, this.targetUsed);
  }

  /** Where the next read goes. */
  private next(): Buffer {
    const { target } = this;
    if (target !== undefined && this.targetUsed < target.length) {
      this.slab = undefined;
      this.current = target.subarray(this.targetUsed);
      return this.current;
    }
    if (!this.bulk || this.lastRead < BULK) {
      if (this.current !== SHARED) {
        this.slab = undefined;
        this.current = SHARED;
      }
      return SHARED;
    }
    let { slab } = this;
    if (slab === undefined || slab.length - this.slabUsed < LEAST) {
      slab = Buffer.allocUnsafeSlow(SLAB);
      this.slab = slab;
      this.slabUsed = 0;
    } else if (this.current !== SHARED && this.lastRead < SMALL) {
      return this.current;
    }
    this.current = slab.subarray(this.slabUsed);
    return this.current;
  }
}

import { Readable } from 'node:stream';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { suspend } from '../asyncio/index.ts';
import { ByteSearch } from './byte-search.ts';
import { addCaller } from './caller.ts';
import { ChunkQueue } from './chunk-queue.ts';
import { codedRangeError, codedTypeError, shown } from './errors.ts';
import { IncompleteReadError, LineTooLong, StreamBusyError } from './stream-errors.ts';

/** How a stream slows down what feeds it. Both are called synchronously and may call `feedData()`. */
export interface StreamFlow {
  pause(): void;
  resume(): void;
  /**
   * Everything to the end is wanted. A flow that knows how much is to come may return a buffer for all of it, whose first `queued` bytes
   * are for what was fed already, and then feeds views of that buffer, one behind the other: nothing is copied at the end.
   */
  readWhole?(queued: number): Uint8Array | undefined;
}

/** Options of {@link StreamReader.readLine}. */
export interface ReadLineOptions {
  /** Longest line in bytes, its end included; twice the stream's limit by default. */
  readonly maxLineLength?: number | undefined;
}

/** Options of {@link StreamReader.readUntil}. */
export interface ReadUntilOptions {
  /** Most bytes, the separator included; twice the stream's limit by default. */
  readonly maxSize?: number | undefined;
}

/**
 * A stream of bytes with a bounded buffer: one side feeds it, the other reads it (aiohttp `StreamReader`): what `request.content` is.
 *
 * Reads that find data or the end don't wait. A read that is cancelled takes nothing out. One read at a time. At the end the reads that
 * give a piece (`read(n)`, `readAny`, `readChunk`, `readLine`, `readUntil`) give `undefined`.
 *
 * @example
 * ```ts
 * import { web } from 'aiohttp-ts';
 *
 * async function count(request: web.Request): Promise<web.Response> {
 *   let lines = 0;
 *   while ((await request.content.readLine()) !== undefined) lines++;
 *   return new web.Response({ text: String(lines) });
 * }
 * ```
 */
export class StreamReader implements AsyncIterable<Uint8Array> {
  private readonly flow: StreamFlow | undefined;
  private readonly low: number;
  private readonly high: number;
  private readonly queue: ChunkQueue;
  private total: number;
  private eof: boolean;
  private failure: Error | undefined;
  private paused: boolean;
  private busy: boolean;
  // The read that waits is woken when the buffer holds as much as it wants, at the end, or on failure.
  private wake: (() => void) | undefined;
  private wanted: number;
  private eofWaits: Set<() => void> | undefined;

  /**
   * @param flow Paused when twice `limit` bytes are buffered, resumed when no more than `limit` are left, or when a read needs more.
   * @param limit In bytes; 256 KiB by default.
   */
  constructor(flow?: StreamFlow, limit = 262_144) {
    this.flow = flow;
    this.low = limit;
    this.high = limit * 2;
    this.queue = new ChunkQueue();
    this.total = 0;
    this.eof = false;
    this.failure = undefined;
    this.paused = false;
    this.busy = false;
    this.wake = undefined;
    this.wanted = 0;
    this.eofWaits = undefined;
  }

  /** A finished stream of these bytes, which are not copied. */
  static from(bytes: Uint8Array): StreamReader {
    const reader = new StreamReader();
    reader.feedData(bytes);
    reader.feedEof();
    return reader;
  }

  // The side that feeds.

  /**
   * Adds bytes, which belong to the stream from now on. Dropped when the stream has failed.
   *
   * @throws TypeError `AIO_STREAM_ENDED` after {@link feedEof}.
   */
  feedData(chunk: Uint8Array): void {
    if (this.eof) throw codedTypeError('AIO_STREAM_ENDED', 'feedData() after feedEof()');
    const { length } = chunk;
    if (length === 0 || this.failure !== undefined) return;
    this.total += length;
    this.queue.push(chunk);
    const { size } = this.queue;
    if (size >= this.wanted) this.wakeReader();
    if (!this.paused && size >= this.high && size >= this.wanted && this.flow !== undefined) {
      this.paused = true;
      this.flow.pause();
    }
  }

  /** Marks the end: there will be no more data. */
  feedEof(): void {
    this.eof = true;
    this.wakeReader();
    this.wakeEofWaits();
  }

  /** Makes the stream fail: what waits and every later read throws `error`; what was buffered is dropped. The first error stays. */
  setException(error: Error): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.queue.clear();
    this.wakeReader();
    this.wakeEofWaits();
  }

  private wakeReader(): void {
    const { wake } = this;
    this.wake = undefined;
    wake?.();
  }

  private wakeEofWaits(): void {
    const waits = this.eofWaits;
    this.eofWaits = undefined;
    if (waits !== undefined) for (const wake of waits) wake();
  }

  // The side that reads.

  /** Bytes fed so far. */
  get totalBytes(): number {
    return this.total;
  }

  /** Whether all data was fed and read. */
  atEof(): boolean {
    return this.eof && this.queue.size === 0;
  }

  /** Whether all data was fed; some may not be read yet. */
  isEof(): boolean {
    return this.eof;
  }

  /** The error that the stream failed with. */
  exception(): Error | undefined {
    return this.failure;
  }

  /** Waits until all data was fed. Somebody must read meanwhile: a stream that is full stays paused. */
  async waitEof(): Promise<void> {
    while (!this.eof && this.failure === undefined) {
      await suspend<void>((resolve) => {
        const waits = (this.eofWaits ??= new Set());
        waits.add(resolve);
        return () => waits.delete(resolve);
      }, 'StreamReader.waitEof');
    }
    this.throwFailure();
  }

  /** All the rest when it is here to its end already, without waiting; else `undefined`. */
  readAllNow(): Uint8Array | undefined {
    if (!this.eof || this.busy || this.failure !== undefined) return undefined;
    return this.take(this.queue.size);
  }

  /** Without `n` the rest of the stream, to its end. */
  read(): Promise<Uint8Array>;
  /** At most `n` bytes, waiting for the first; `undefined` at the end. */
  read(n: number): Promise<Uint8Array | undefined>;
  async read(n?: number): Promise<Uint8Array | undefined> {
    if (n !== undefined) checkCount('read', n);
    this.begin('read');
    try {
      if (n === 0) return new Uint8Array(0);
      if (n === undefined) {
        if (!this.eof) this.gather();
        while (!this.eof) await this.waitFor(Number.POSITIVE_INFINITY);
        return this.take(this.queue.size);
      }
      await this.waitForSome();
      return this.queue.size === 0 ? undefined : this.take(Math.min(n, this.queue.size));
    } finally {
      this.busy = false;
    }
  }

  /** Everything that is buffered, waiting when nothing is; `undefined` at the end. */
  async readAny(): Promise<Uint8Array | undefined> {
    this.begin('readAny');
    try {
      await this.waitForSome();
      return this.queue.size === 0 ? undefined : this.take(this.queue.size);
    } finally {
      this.busy = false;
    }
  }

  /** The next piece as it came, without copying, waiting when nothing is buffered; `undefined` at the end. */
  async readChunk(): Promise<Uint8Array | undefined> {
    this.begin('readChunk');
    try {
      await this.waitForSome();
      return this.queue.size === 0 ? undefined : this.taken(this.queue.takeChunk());
    } finally {
      this.busy = false;
    }
  }

  /**
   * Exactly `n` bytes.
   *
   * @throws IncompleteReadError when the stream ends before; its `partial` holds what came.
   */
  async readExactly(n: number): Promise<Uint8Array> {
    checkCount('readExactly', n);
    this.begin('readExactly');
    try {
      while (this.queue.size < n) {
        if (this.eof) throw new IncompleteReadError(this.take(this.queue.size), n);
        await this.waitFor(n);
      }
      return this.take(n);
    } finally {
      this.busy = false;
    }
  }

  /**
   * A line with its LF; the last one may have none; `undefined` at the end.
   *
   * @throws LineTooLong when no line ends in time; the bytes stay in the stream.
   */
  readLine(options?: ReadLineOptions): Promise<Uint8Array | undefined> {
    return this.until('readLine', NEWLINE, options?.maxLineLength);
  }

  /**
   * Everything up to a separator, which is included; at the end what is left, then `undefined`.
   *
   * @param separator Bytes or text (as UTF-8), not empty.
   * @throws LineTooLong when it doesn't come in time; the bytes stay in the stream.
   */
  readUntil(
    separator: Uint8Array | string = '\n',
    options?: ReadUntilOptions,
  ): Promise<Uint8Array | undefined> {
    const bytes = typeof separator === 'string' ? Buffer.from(separator) : separator;
    return this.until('readUntil', bytes, options?.maxSize);
  }

  private async until(
    called: string,
    separator: Uint8Array,
    maxSize: number = this.high,
  ): Promise<Uint8Array | undefined> {
    if (separator.length === 0) throw codedRangeError('AIO_SEPARATOR', `${called}(): the separator is empty`);
    this.begin(called);
    try {
      const search = new ByteSearch(separator);
      const { chunks } = this.queue;
      let index = this.queue.first;
      let from = this.queue.offset;
      let scanned = 0;
      for (;;) {
        for (; index < chunks.length; index++, from = 0) {
          const chunk = chunks[index]!;
          const end = search.push(chunk, from);
          scanned += (end === -1 ? chunk.length : end) - from;
          if (scanned > maxSize) throw new LineTooLong(maxSize);
          if (end !== -1) return this.take(scanned);
          from = chunk.length;
          // Small pieces are appended to the last chunk: it is looked at again from here.
          if (index === chunks.length - 1) break;
        }
        if (this.eof) return scanned === 0 ? undefined : this.take(scanned);
        await this.waitFor(scanned + 1);
      }
    } finally {
      this.busy = false;
    }
  }

  /**
   * Puts bytes back in front of the buffer.
   *
   * @throws StreamBusyError while a read is waiting.
   */
  unreadData(data: Uint8Array): void {
    this.begin('unreadData');
    this.busy = false;
    if (data.length === 0) return;
    this.queue.unshift(data);
  }

  /** Iterates over pieces as they come (asyncio iterates over lines: that is {@link iterLines}). */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return iterate(() => this.readChunk());
  }

  /** Iterates over all that is buffered each time. */
  iterAny(): AsyncIterableIterator<Uint8Array> {
    return iterate(() => this.readAny());
  }

  /** Iterates over pieces of at most `n` bytes. */
  iterChunked(n: number): AsyncIterableIterator<Uint8Array> {
    checkCount('iterChunked', n);
    if (n === 0) throw codedRangeError('AIO_BYTE_COUNT', 'iterChunked(0) would never end');
    return iterate(() => this.read(n));
  }

  /** Iterates over lines, each with its LF. */
  iterLines(options?: ReadLineOptions): AsyncIterableIterator<Uint8Array> {
    return iterate(() => this.readLine(options));
  }

  /** The stream as the platform's; cancelling it leaves the rest unread. */
  toWeb(): WebStream<Uint8Array> {
    // Not of type 'bytes': that would detach buffers which several pieces share.
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const chunk = await this.readChunk();
          if (chunk === undefined) controller.close();
          else controller.enqueue(chunk);
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** The stream as Node's; destroying it leaves the rest unread. */
  toNode(): Readable {
    return Readable.from(this, { objectMode: false });
  }

  // Each read runs between begin() and `busy = false`: a second one in between would get bytes out of the middle.
  private begin(called: string): void {
    if (this.busy) throw new StreamBusyError(called);
    this.throwFailure();
    this.busy = true;
  }

  private throwFailure(): void {
    if (this.failure === undefined) return;
    addCaller(this.failure, this.throwFailure);
    throw this.failure;
  }

  /** Lets everything come into one buffer, if the flow can do that. */
  private gather(): void {
    const whole = this.flow?.readWhole?.(this.queue.size);
    if (whole !== undefined) this.queue.moveInto(whole);
  }

  /** Waits until something is buffered or the end has come. */
  private waitForSome(): Promise<void> | undefined {
    return this.queue.size !== 0 || this.eof ? undefined : this.waitFor(1);
  }

  /** Waits until `wanted` bytes are buffered, or the end. A pause ends: more is needed than fits. */
  private async waitFor(wanted: number): Promise<void> {
    this.wanted = wanted;
    try {
      await suspend<void>((resolve) => {
        this.wake = resolve;
        this.resumeFlow();
        return () => {
          this.wake = undefined;
        };
      }, 'StreamReader.read');
    } finally {
      this.wanted = 0;
    }
    this.throwFailure();
  }

  private take(count: number): Uint8Array {
    return this.taken(this.queue.take(count));
  }

  private taken(bytes: Uint8Array): Uint8Array {
    if (this.queue.size <= this.low) this.resumeFlow();
    return bytes;
  }

  private resumeFlow(): void {
    if (!this.paused || this.eof || this.failure !== undefined) return;
    this.paused = false;
    this.flow?.resume();
  }
}

const NEWLINE = Uint8Array.of(0x0a);

function checkCount(called: string, n: number): void {
  if (!Number.isSafeInteger(n) || n < 0) {
    throw codedRangeError('AIO_BYTE_COUNT', `${called}(${shown(n)}): a whole number of bytes is expected`);
  }
}

// Not a generator: `return()` must not wait for a read that is waiting.
function iterate(read: () => Promise<Uint8Array | undefined>): AsyncIterableIterator<Uint8Array> {
  let finished = false;
  return {
    async next() {
      const value = finished ? undefined : await read();
      if (value !== undefined) return { done: false, value };
      finished = true;
      return { done: true, value: undefined };
    },
    async return() {
      finished = true;
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

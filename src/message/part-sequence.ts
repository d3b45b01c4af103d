import { codedTypeError } from './errors.ts';
import {
  MULTIPART_DATA,
  MULTIPART_PART,
  MULTIPART_PART_END,
  type MultipartEvent,
  type MultipartParser,
} from './multipart-parser.ts';
import type { PartHead } from './part-head.ts';

/** Where the bytes of a multipart body come from: a `StreamReader`, or anything that gives pieces and `undefined` at the end. */
export interface MultipartSourceReader {
  /** The next piece, not empty; `undefined` at the end. */
  readChunk(): Promise<Uint8Array | undefined>;
}

/**
 * The parts of a body one after the other, pulled through a parser. Nothing waits while the parser has something: a part of some bytes costs no promise
 * of its own.
 */
export class PartSequence {
  private readonly parser: MultipartParser;
  private readonly source: MultipartSourceReader;
  private readonly mapError: (error: Error) => Error;
  private current: OpenPart | undefined;
  private finished: boolean;
  private busy: boolean;
  private failure: Error | undefined;

  constructor(parser: MultipartParser, source: MultipartSourceReader, mapError: (error: Error) => Error) {
    this.parser = parser;
    this.source = source;
    this.mapError = mapError;
    this.current = undefined;
    this.finished = false;
    this.busy = false;
    this.failure = undefined;
  }

  /** The last boundary was read, and all that is behind it. */
  get ended(): boolean {
    return this.finished;
  }

  /** Skips what is left of the part before; `undefined` after the last one. */
  async next(): Promise<OpenPart | undefined> {
    for (;;) {
      const part = this.nextNow();
      if (part !== undefined) return part;
      if (this.finished) return undefined;
      // What follows the last boundary says nothing, but must be out of the way of the next message.
      if (!(await this.fill())) this.finished = true;
    }
  }

  /** The next part, if all that is before it is here; else `undefined`, and it can be asked for again. */
  nextNow(): OpenPart | undefined {
    if (this.finished) return undefined;
    const { current } = this;
    if (current !== undefined) {
      while (!current.ended) if (this.readNow(current) === undefined) return undefined;
      this.current = undefined;
    }
    if (this.poll() !== MULTIPART_PART) return undefined;
    this.current = new OpenPart(this, this.parser.head);
    return this.current;
  }

  /** Data of the part if there is some, `null` at its end, `undefined` when it must be waited for. */
  readNow(part: OpenPart): Uint8Array | null | undefined {
    if (this.current !== part) {
      throw codedTypeError(
        'AIO_PART_PASSED',
        'The part cannot be read any more: the next one was asked for. Read a part before next(), or keep its bytes.',
      );
    }
    if (part.ended) return null;
    const event = this.poll();
    if (event === MULTIPART_DATA) return this.parser.data;
    if (event !== MULTIPART_PART_END) return undefined;
    part.ended = true;
    return null;
  }

  /** Gets more bytes for the parser; tells whether there were any. */
  async fill(): Promise<boolean> {
    this.checkIdle();
    this.busy = true;
    let piece: Uint8Array | undefined;
    try {
      piece = await this.source.readChunk();
    } finally {
      this.busy = false;
    }
    try {
      if (piece === undefined) this.parser.finish();
      else this.parser.push(piece);
    } catch (error) {
      throw this.fail(error as Error);
    }
    return piece !== undefined;
  }

  private poll(): MultipartEvent {
    this.checkIdle();
    try {
      return this.parser.next();
    } catch (error) {
      throw this.fail(error as Error);
    }
  }

  private checkIdle(): void {
    if (this.failure !== undefined) throw this.failure;
    if (this.busy) {
      throw codedTypeError(
        'AIO_MULTIPART_BUSY',
        'The multipart body is being read already: await that read before the next one.',
      );
    }
  }

  private fail(error: Error): Error {
    this.failure = this.mapError(error);
    return this.failure;
  }
}

/** A part of a sequence: readable until the next one is asked for. */
export class OpenPart implements MultipartSourceReader {
  readonly head: PartHead;
  /** Set by the sequence. */
  ended: boolean;
  private readonly sequence: PartSequence;

  constructor(sequence: PartSequence, head: PartHead) {
    this.head = head;
    this.ended = false;
    this.sequence = sequence;
  }

  /** Bytes if there are some, `null` at the end, `undefined` when they must be waited for. */
  readNow(): Uint8Array | null | undefined {
    return this.sequence.readNow(this);
  }

  /** Bytes, `undefined` at the end. */
  async readChunk(): Promise<Uint8Array | undefined> {
    let data = this.readNow();
    while (data === undefined) {
      await this.sequence.fill();
      data = this.readNow();
    }
    return data ?? undefined;
  }
}

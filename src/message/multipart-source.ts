import { BodyPump, type BodySource } from './body-source.ts';
import { codedRangeError } from './errors.ts';
import { encodedSource, type PartEncoding } from './part-encoding.ts';
import { bytesOf, type Payload } from './payload.ts';

/** One part, ready to be written. */
export interface WrittenPart {
  /** From its delimiter to the empty line behind its fields. */
  readonly head: string;
  readonly payload: Payload;
  readonly encoding: PartEncoding | undefined;
}

/** Small pieces are joined up to this many bytes: a thousand fields are not a thousand writes. */
const JOINED = 65_536;

/**
 * The bytes of a multipart body, part by part. A class, not a generator: one that waits for the next piece of a part can be stopped, and then
 * neither that part nor those behind it stay open.
 */
export class MultipartSource implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly #parts: readonly WrittenPart[];
  readonly #end: string;
  #index: number;
  #part: WrittenPart | undefined;
  #source: BodySource | undefined;
  #pump: BodyPump | undefined;
  #given: number;
  #joined: Uint8Array[];
  #size: number;
  /** A large piece that waits for what was joined before it. */
  #large: Uint8Array | undefined;
  #stopped: Error | undefined;

  /** @param end the delimiter behind the last part */
  constructor(parts: readonly WrittenPart[], end: string) {
    this.#parts = parts;
    this.#end = end;
    this.#index = 0;
    this.#part = undefined;
    this.#source = undefined;
    this.#pump = undefined;
    this.#given = 0;
    this.#joined = [];
    this.#size = 0;
    this.#large = undefined;
    this.#stopped = undefined;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#stopped !== undefined) return { done: true, value: undefined };
    try {
      const value = await this.#nextPiece();
      return value === undefined ? { done: true, value } : { done: false, value };
    } catch (error) {
      this.#stop(error instanceof Error ? error : new Error('A part failed', { cause: error }));
      throw error;
    }
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.destroy();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Ends the source that is being read, and lets go of those that were not opened. */
  destroy(): void {
    this.#stop(new Error('The multipart body is not sent any further'));
  }

  async #nextPiece(): Promise<Uint8Array | undefined> {
    const large = this.#large;
    if (large !== undefined) {
      this.#large = undefined;
      return large;
    }
    for (;;) {
      if (this.#pump !== undefined) {
        const piece = await this.#pump.next();
        if (piece !== undefined) return this.#take(bytesOf(piece, 'utf8'));
        this.#endPart();
      } else if (this.#index < this.#parts.length) {
        await this.#beginPart(this.#parts[this.#index++]!);
      } else if (this.#index === this.#parts.length) {
        this.#index++;
        this.#join(Buffer.from(this.#end, 'latin1'));
        return this.#flush();
      } else {
        return undefined;
      }
      if (this.#size >= JOINED) return this.#flush();
    }
  }

  async #beginPart(part: WrittenPart): Promise<void> {
    const { head, payload, encoding } = part;
    this.#join(Buffer.from(head, 'utf8'));
    const whole = encoding === undefined ? payload.whole : undefined;
    if (whole !== undefined && whole.length <= JOINED) {
      this.#join(bytesOf(whole, 'latin1'));
      this.#join(LINE_END);
      return;
    }
    const source = await payload.open();
    this.#part = part;
    this.#source = source;
    this.#given = 0;
    this.#pump = new BodyPump(encoding === undefined ? source : encodedSource(source, encoding));
    if (this.#stopped !== undefined) this.#stopReading(this.#stopped);
  }

  #endPart(): void {
    const { size } = this.#part!.payload;
    // A part that is cut, or too long, is nothing that the receiver could notice.
    if (this.#part!.encoding === undefined && size !== undefined && size !== this.#given) {
      throw codedRangeError(
        'AIO_PAYLOAD_SIZE',
        `A part gave ${this.#given} bytes where its size is ${size}: it was changed while it was sent`,
      );
    }
    this.#pump = undefined;
    this.#source = undefined;
    this.#part = undefined;
    this.#join(LINE_END);
  }

  #take(piece: Uint8Array): Uint8Array {
    this.#given += piece.length;
    if (this.#size === 0) return piece;
    if (piece.length < JOINED) this.#join(piece);
    else this.#large = piece;
    return this.#flush();
  }

  #join(bytes: Uint8Array): void {
    this.#joined.push(bytes);
    this.#size += bytes.length;
  }

  #flush(): Uint8Array {
    const joined = Buffer.concat(this.#joined, this.#size);
    this.#joined = [];
    this.#size = 0;
    return joined;
  }

  #stop(reason: Error): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = reason;
    this.#stopReading(reason);
    for (let i = this.#index; i < this.#parts.length; i++) this.#parts[i]!.payload.release(reason);
  }

  #stopReading(reason: Error): void {
    if (this.#pump === undefined) return;
    this.#pump.stop(reason);
    // Behind an encoder, the source itself may be what is waited for.
    if (this.#part?.encoding !== undefined) new BodyPump(this.#source!).stop(reason);
  }
}

const LINE_END = Buffer.from('\r\n');

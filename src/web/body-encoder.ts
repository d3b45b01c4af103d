import type { Transform } from 'node:stream';
import { outside, suspend } from '../asyncio/index.ts';
import {
  type CompressionCoding,
  createEncoder,
  type EncoderOptions,
  flushEncoder,
} from '../message/index.ts';

/** Takes what the encoder gives; a promise means: not more before it is settled. */
export type EncodedSink = (bytes: Uint8Array) => Promise<void> | undefined;

/**
 * Compresses a body that is written piece by piece, in threads of the pool, at the pace of the client. It holds some memory outside the
 * heap until `end()` or `close()`.
 */
export class BodyEncoder {
  readonly #encoder: Transform;
  readonly #coding: CompressionCoding;
  readonly #flushes: boolean;
  readonly #sink: EncodedSink;
  /** The client takes less than it is given. */
  #pause: Promise<void> | undefined;
  #failure: Error | undefined;
  /** An encoder that is destroyed while it waits to be read never calls back: whoever waits is woken from here. */
  readonly #waiting: Set<() => void>;

  /** @param flushes whether each piece is to reach the client at once, and not when enough has gathered */
  constructor(coding: CompressionCoding, options: EncoderOptions, flushes: boolean, sink: EncodedSink) {
    this.#coding = coding;
    this.#flushes = flushes;
    this.#sink = sink;
    this.#pause = undefined;
    this.#failure = undefined;
    this.#waiting = new Set();
    // Its events belong to no task: a handler that is cancelled ends its own wait, and not the client's.
    this.#encoder = outside(() => {
      const encoder = createEncoder(coding, options);
      encoder.on('data', (bytes: Uint8Array) => this.#give(bytes));
      encoder.on('error', (error) => this.close(error));
      return encoder;
    });
  }

  #give(bytes: Uint8Array): void {
    if (this.#failure !== undefined) return;
    let pause: Promise<void> | undefined;
    try {
      pause = this.#sink(bytes);
    } catch (error) {
      this.close(error as Error);
      return;
    }
    if (pause === undefined) return;
    this.#encoder.pause();
    const paused = pause.then(
      () => {
        if (this.#pause === paused) this.#pause = undefined;
        this.#encoder.resume();
      },
      (error: Error) => this.close(error),
    );
    this.#pause = paused;
  }

  /** Settles when the piece is compressed and what came of it was taken. */
  write(chunk: Uint8Array): Promise<void> {
    return this.#wait((resolve) => {
      this.#encoder.write(chunk, (error) => {
        if (!error && this.#flushes) flushEncoder(this.#encoder, this.#coding, resolve);
        else resolve();
      });
    });
  }

  /** Gives out all that was written so far. */
  flush(): Promise<void> {
    return this.#wait((resolve) => flushEncoder(this.#encoder, this.#coding, resolve));
  }

  /** The rest of the body. */
  end(): Promise<void> {
    return this.#wait((resolve) => {
      // 'close' comes after 'end', and also when the encoder failed.
      this.#encoder.once('close', resolve);
      this.#encoder.end();
    });
  }

  /** Releases the encoder; whoever waits gets `error`. */
  close(error: Error): void {
    this.#failure ??= error;
    this.#encoder.destroy();
    for (const wake of this.#waiting) wake();
  }

  #wait(begin: (resolve: () => void) => void): Promise<void> {
    const done = this.#settled(begin);
    // Whoever does not wait must not be ended by a client that leaves.
    done.catch(() => {});
    return done;
  }

  async #settled(begin: (resolve: () => void) => void): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await suspend<void>((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      begin(wake);
      return () => this.#waiting.delete(wake);
    }, 'StreamResponse.write');
    while (this.#pause !== undefined && this.#failure === undefined) {
      const pause = this.#pause;
      await suspend<void>((resolve) => {
        pause.then(resolve, resolve);
        return () => {};
      }, 'StreamResponse.write');
    }
    if (this.#failure !== undefined) throw this.#failure;
  }
}

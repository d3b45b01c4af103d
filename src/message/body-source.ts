import type { ReadableStream } from 'node:stream/web';

/** A body that comes piece by piece: a generator, a Node stream, a web stream. Text pieces are sent as UTF-8. */
export type BodySource = AsyncIterable<Uint8Array | string> | ReadableStream<Uint8Array | string>;

/** Whether a value can be read piece by piece. */
export function isBodySource(value: unknown): value is BodySource {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/**
 * Reads a source one piece at a time and can be stopped while it waits for the next: the client may leave while the source
 * has nothing to say for hours, and neither the wait nor the source may outlive the exchange.
 */
export class BodyPump {
  readonly #source: BodySource;
  #iterator: AsyncIterator<Uint8Array | string> | undefined;
  #failure: Error | undefined;
  #rejectNext: ((error: Error) => void) | undefined;

  constructor(source: BodySource) {
    this.#source = source;
    this.#iterator = undefined;
    this.#failure = undefined;
    this.#rejectNext = undefined;
  }

  /** The next piece, `undefined` at the end. */
  next(): Promise<Uint8Array | string | undefined> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#iterator ??= this.#source[Symbol.asyncIterator]();
    const iterator = this.#iterator;
    return new Promise((resolve, reject) => {
      this.#rejectNext = reject;
      iterator.next().then((result) => resolve(result.done === true ? undefined : result.value), reject);
    });
  }

  /** Ends the wait of `next()` with `error` and releases the source, read or not. */
  stop(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#rejectNext?.(error);
    this.#release(error);
  }

  #release(error: Error): void {
    const source = this.#source;
    if ('destroy' in source && typeof source.destroy === 'function') {
      // A Node stream: a pending read must not hold the file or socket under it.
      if ('on' in source && typeof source.on === 'function') source.on('error', ignore);
      source.destroy();
      return;
    }
    const iterator = this.#iterator;
    if (iterator === undefined && 'cancel' in source && typeof source.cancel === 'function') {
      Promise.resolve(source.cancel(error)).catch(ignore);
      return;
    }
    // A generator that was never started has nothing to release; starting it only to end it is harmless.
    const returned = (iterator ?? source[Symbol.asyncIterator]()).return?.();
    returned?.then(undefined, ignore);
  }
}

function ignore(): void {}

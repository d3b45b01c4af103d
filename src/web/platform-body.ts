import { StreamReader } from '../message/index.ts';
import { RequestPayloadError } from '../net/index.ts';

/**
 * The body of a platform request as a `StreamReader`. It is read ahead only as far as the reader's bound, and only from the moment that
 * somebody asks for it.
 */
export class PlatformBody {
  readonly #source: ReadableStream<Uint8Array>;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #stream: StreamReader | undefined;
  #paused: boolean;
  #reading: boolean;
  #ended: boolean;

  constructor(source: ReadableStream<Uint8Array>) {
    this.#source = source;
    this.#reader = undefined;
    this.#stream = undefined;
    this.#paused = false;
    this.#reading = false;
    this.#ended = false;
  }

  get stream(): StreamReader {
    if (this.#stream === undefined) {
      this.#stream = new StreamReader({
        pause: () => {
          this.#paused = true;
        },
        resume: () => {
          this.#paused = false;
          void this.#pump();
        },
      });
      if (this.#ended) {
        this.#stream.setException(answered());
      } else {
        this.#reader = this.#source.getReader();
        void this.#pump();
      }
    }
    return this.#stream;
  }

  /** The exchange is over: what was not read is dropped. */
  stop(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#stream?.isEof() === false) this.#stream.setException(error ?? answered());
    const cancelled = this.#reader === undefined ? this.#cancelSource(error) : this.#reader.cancel(error);
    cancelled.then(undefined, () => {});
  }

  #cancelSource(error: Error | undefined): Promise<void> {
    return this.#source.locked ? Promise.resolve() : this.#source.cancel(error);
  }

  async #pump(): Promise<void> {
    const reader = this.#reader;
    const stream = this.#stream;
    if (this.#reading || reader === undefined || stream === undefined) return;
    this.#reading = true;
    try {
      while (!this.#paused && !this.#ended) {
        const { done, value } = await reader.read();
        if (this.#ended) break;
        if (done) {
          this.#ended = true;
          stream.feedEof();
        } else if (value instanceof Uint8Array) {
          stream.feedData(value);
        } else {
          throw new TypeError('The body of a platform Request gave something that is not bytes.');
        }
      }
    } catch (cause) {
      this.#ended = true;
      stream.setException(
        new RequestPayloadError('The body of the request could not be read.', 400, { cause }),
      );
    } finally {
      this.#reading = false;
    }
  }
}

function answered(): RequestPayloadError {
  return new RequestPayloadError('The request was answered', 400);
}

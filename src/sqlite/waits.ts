import { outside, suspend } from '../asyncio/index.ts';

/** What may end a wait before its time. */
export interface WaitLimit {
  /** Longest wait, in ms. */
  readonly timeout?: number | undefined;
  /** Asked when the time is over: what still has to come first. The time counts again from its end. */
  readonly unless?: (() => Promise<unknown> | undefined) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The error of a wait that took too long. */
  readonly late?: (() => Error) | undefined;
}

/** Starts a wait: calls one of the two when it is over, and returns what gives it up. */
export type Begin<T> = (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void;

/**
 * Everything that waits for a database: each wait ends by what it waits for, by its time limit, by its signal, by the cancellation of its task, or because
 * all of them are interrupted.
 */
export class Waits {
  private readonly open: Set<(error: unknown) => void>;

  constructor() {
    this.open = new Set();
  }

  /** Ends every wait with an error. */
  interrupt(error: unknown): void {
    for (const end of [...this.open]) end(error);
  }

  /** One wait. */
  async until<T>(begin: Begin<T>, { timeout, unless, signal, late }: WaitLimit): Promise<T> {
    signal?.throwIfAborted();
    return await suspend<T>((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      let giveUp: (() => void) | undefined;
      const stop = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
        this.open.delete(end);
      };
      const end = (error: unknown): void => {
        stop();
        giveUp?.();
        reject(error);
      };
      const aborted = (): void => end(signal!.reason);
      this.open.add(end);
      outside(() => {
        signal?.addEventListener('abort', aborted);
        if (timeout !== undefined && timeout < 2 ** 31) {
          const count = (): void => {
            if (this.open.has(end)) timer = setTimeout(over, timeout);
          };
          const over = (): void => {
            const first = unless?.();
            if (first === undefined) end(late!());
            else void first.then(count);
          };
          count();
        }
        giveUp = begin(
          (value) => {
            stop();
            resolve(value);
          },
          (error) => {
            stop();
            reject(error);
          },
        );
      });
      return () => {
        stop();
        giveUp?.();
      };
    }, 'a database');
  }

  /** A pause. */
  pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return this.until<void>(
      (resolve) => {
        const timer = setTimeout(resolve, ms);
        return () => clearTimeout(timer);
      },
      { signal },
    );
  }
}

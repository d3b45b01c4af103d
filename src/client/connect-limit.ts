import { suspend } from '../asyncio/index.ts';
import type { PhaseWait } from '../net/index.ts';

/**
 * Time limits of getting one connection, which are several waits one after the other. When a limit passes, the wait of the moment ends
 * with the limit's error and stops what it waited for; the task's cancellation does the same.
 */
export class ConnectLimit {
  /** Waits for one step. One wait at a time. */
  readonly wait: PhaseWait;
  readonly #timers: Set<NodeJS.Timeout>;
  #failure: Error | undefined;
  #abortWait: ((error: Error) => void) | undefined;

  constructor() {
    this.#timers = new Set();
    this.#failure = undefined;
    this.#abortWait = undefined;
    this.wait = (arm, label) =>
      suspend((resolve, reject) => {
        if (this.#failure !== undefined) {
          reject(this.#failure);
          return undefined;
        }
        let stop: (() => void) | undefined;
        let over = false;
        const end = (): void => {
          over = true;
          this.#abortWait = undefined;
        };
        const ended = <A>(settle: (value: A) => void): ((value: A) => void) => {
          return (value) => {
            if (over) return;
            end();
            settle(value);
          };
        };
        const failed = ended(reject);
        this.#abortWait = (error) => {
          failed(error);
          stop?.();
        };
        const given = arm(ended(resolve), failed);
        if (typeof given === 'function') stop = given;
        return () => {
          if (over) return;
          end();
          stop?.();
        };
      }, label);
  }

  /**
   * Ends the waits when `delay` milliseconds are over; nothing happens for 0 and `undefined`.
   * @returns what takes the limit back
   */
  within(delay: number | undefined, makeError: () => Error): () => void {
    if (delay === undefined || delay <= 0 || delay === Infinity) return nothing;
    const timer = setTimeout(() => this.abort(makeError()), delay);
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }

  /** Ends the wait of the moment, and the ones that follow, with `error`. */
  abort(error: Error): void {
    this.#failure ??= error;
    this.#abortWait?.(error);
  }

  /** Takes all limits back. */
  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}

function nothing(): void {}

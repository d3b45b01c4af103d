import { codedRangeError, shown } from '../message/index.ts';
import { ownOptions } from './own-options.ts';

/** Options of {@link RetryBudget}. */
export interface RetryBudgetOptions {
  /** Retries that each request pays for. Default 0.2: with all requests failing there is one retry to five requests. */
  readonly ratio?: number | undefined;
  /** Retries that are there from the start, and the most that are saved. Default 10. */
  readonly reserve?: number | undefined;
}

/**
 * Keeps retries from making an overload worse: when a server fails all requests of everybody, tripling them does not help it. Each
 * request puts a part of a retry in, each retry takes one out. Share one among the sessions that use the same servers.
 *
 * @example
 * ```ts
 * const budget = new RetryBudget({ ratio: 0.1, reserve: 5 });
 * budget.take(); // true, five times
 * ```
 */
export class RetryBudget {
  readonly #ratio: number;
  readonly #reserve: number;
  #left: number;

  /** @throws RangeError `AIO_RETRY_OPTION` for negative numbers */
  constructor(options: RetryBudgetOptions = {}) {
    const { ratio = 0.2, reserve = 10 } = ownOptions(options);
    for (const [name, value] of Object.entries({ ratio, reserve })) {
      if (value >= 0) continue;
      throw codedRangeError('AIO_RETRY_OPTION', `${name} of a RetryBudget is 0 or more, got ${shown(value)}`);
    }
    this.#ratio = ratio;
    this.#reserve = reserve;
    this.#left = reserve;
  }

  /** Retries that are left, with fractions. */
  get left(): number {
    return this.#left;
  }

  /** A request was made. */
  add(): void {
    this.#left = Math.min(this.#left + this.#ratio, this.#reserve);
  }

  /** Whether there is a retry left; it is used up then. */
  take(): boolean {
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}

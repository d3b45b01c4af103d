import { rateLimitOptionError } from './errors.ts';
import { countRequest, type Rate, type RateDecision, type RateLimitStore } from './store.ts';

/** Options of {@link MemoryStore}. */
export interface MemoryStoreOptions {
  /** Most keys that are kept; the one that was quiet for the longest goes first. Default 100 000, which take about 12 MB. */
  readonly maxKeys?: number | undefined;
  /** A clock in milliseconds that never goes back; `performance.now` when left out. */
  readonly now?: (() => number) | undefined;
}

/** How many of the oldest keys are looked at for each request: more than one, so that the store empties itself. */
const LOOKED_AT = 2;

/**
 * State in the memory of this process: for one process, and for tests. It has no timer: each request takes a few keys away whose quota is whole.
 *
 * @throws RangeError `AIO_RATE_LIMIT_OPTION` when `maxKeys` is not a whole number above 0
 * @example
 * ```ts
 * const limit = rateLimitMiddleware({ limit: 100, window: 60_000, store: new MemoryStore({ maxKeys: 1_000 }) });
 * ```
 */
export class MemoryStore implements RateLimitStore {
  /** In the order of their last request. */
  readonly #arrivals = new Map<string, number>();
  readonly #maxKeys: number;
  readonly #now: () => number;

  constructor(options: MemoryStoreOptions = {}) {
    this.#maxKeys = options.maxKeys ?? 100_000;
    if (!Number.isInteger(this.#maxKeys) || this.#maxKeys < 1) {
      throw rateLimitOptionError(`maxKeys must be a whole number above 0, got ${String(options.maxKeys)}.`);
    }
    this.#now = options.now ?? (() => performance.now());
  }

  /** How many keys are kept. */
  get size(): number {
    return this.#arrivals.size;
  }

  take(key: string, rate: Rate): RateDecision {
    const now = this.#now();
    const arrivals = this.#arrivals;
    const counted = countRequest(arrivals.get(key), now, rate);
    arrivals.delete(key);
    arrivals.set(key, counted.arrival);
    let looked = 0;
    for (const [other, arrival] of arrivals) {
      if (arrival <= now || arrivals.size > this.#maxKeys) arrivals.delete(other);
      if (++looked >= LOOKED_AT) break;
    }
    return counted;
  }
}

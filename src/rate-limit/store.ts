/** How fast requests of one key may come. */
export interface Rate {
  /** Milliseconds in which one more request becomes possible. */
  readonly interval: number;
  /** Milliseconds of quota that can be saved up: the number of requests that may come at once, times `interval`. */
  readonly capacity: number;
}

/** What a store says to one request. */
export interface RateDecision {
  readonly allowed: boolean;
  /** Milliseconds until the quota is whole again. */
  readonly full: number;
  /** Milliseconds until the next request would be allowed; 0 when it would be now. */
  readonly wait: number;
}

/**
 * Where the state of each key is kept: one number, so that a request costs the same however many came before.
 *
 * It is the *theoretical arrival time* of GCRA: the moment at which the quota of the key is whole again. A request moves it on by
 * `rate.interval`; it is refused, and nothing is moved, when that would be more than `rate.capacity` ahead of now.
 *
 * @example
 * ```ts
 * import { countRequest, type RateLimitStore } from 'aiohttp-ts/rate-limit';
 * const arrivals = new Map<string, number>();
 * const store: RateLimitStore = {
 *   take(key, rate) {
 *     const counted = countRequest(arrivals.get(key), Date.now(), rate);
 *     arrivals.set(key, counted.arrival);
 *     return counted;
 *   },
 * };
 * ```
 */
export interface RateLimitStore {
  /**
   * Counts one request, in one step: two that come at the same time must not both get the last place.
   *
   * @throws whatever says that the store cannot be asked now; the middleware then lets everybody through, or nobody
   */
  take(key: string, rate: Rate): RateDecision | Promise<RateDecision>;
}

/** Milliseconds: less than that is what adding fractions loses. */
const ROUNDING = 0.01;

/**
 * The rule itself. `arrival` is what is to be kept, also when the request is refused. What is further ahead than any quota reaches was written by a clock
 * that went ahead, or under a larger limit: nobody is kept out for that long.
 */
export function countRequest(
  arrival: number | undefined,
  now: number,
  { interval, capacity }: Rate,
): RateDecision & { readonly arrival: number } {
  const before = Math.min(Math.max(arrival ?? now, now), now + capacity);
  const after = before + interval;
  const early = after - capacity - now;
  if (early > ROUNDING) return { allowed: false, full: before - now, wait: early, arrival: before };
  return { allowed: true, full: after - now, wait: Math.max(0, early + interval), arrival: after };
}

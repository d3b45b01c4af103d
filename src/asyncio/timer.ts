/** Node's timers hold a signed 32-bit number of milliseconds and take a longer one for 1. */
const LONGEST_MS = 2 ** 31 - 1;
const RealDate = Date;

/**
 * The clock that `timeoutAt` and `reschedule` count by, in milliseconds: monotonic, it does not jump when the system's clock is set. When
 * a test fakes `Date`, it follows the fake one.
 *
 * Source: `loop.time()`.
 *
 * @example
 * ```ts
 * import { sleep, time, timeoutAt } from 'aiohttp-ts/asyncio';
 * const deadline = time() + 1_000;
 * await timeoutAt(deadline, () => sleep(10));
 * ```
 */
export function time(): number {
  return Date === RealDate ? performance.now() : Date.now();
}

/**
 * @throws TypeError when it is not a number
 * @throws RangeError when it is not a number of milliseconds
 */
export function checkDuration(ms: number, what: string): number {
  if (typeof ms !== 'number') throw new TypeError(`${what} is a number of milliseconds, got ${typeof ms}`);
  if (Number.isNaN(ms)) throw new RangeError(`${what} is a number of milliseconds, got NaN`);
  return ms;
}

/**
 * Calls `fn` once, `ms` milliseconds from now; zero and less: in the next turn of the event loop, after the I/O that is
 * ready. Any length goes, `Infinity` too. The timers of the moment are used, so that a faked clock works.
 *
 * @returns the function that stops it
 */
export function startTimer(ms: number, fn: () => void): () => void {
  if (ms <= 0 && typeof setImmediate === 'function') {
    const immediate = setImmediate(fn);
    return () => clearImmediate(immediate);
  }
  if (ms <= LONGEST_MS) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  }
  let stop: () => void;
  let left = ms;
  const next = (): void => {
    const part = Math.min(left, LONGEST_MS);
    left -= part;
    stop = startTimer(part, left > 0 ? next : fn);
  };
  next();
  return () => stop();
}

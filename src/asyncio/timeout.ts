import { type Awaitable, ensureFuture } from './awaitable.ts';
import { currentScope, enterAndWait, Scope } from './context.ts';
import { CancelledError, InvalidStateError, isCancelled, TimeoutError } from './errors.ts';
import { Future } from './future.ts';
import { createTask } from './task.ts';
import { checkDuration, startTimer, time } from './timer.ts';

/**
 * The time limit that is running, given to the function of {@link timeout}.
 *
 * Source: `asyncio.Timeout`.
 */
export class Timeout {
  private readonly scope: Scope;
  private deadline: number | undefined;
  private fired: boolean;
  private left: boolean;
  private stop: (() => void) | undefined;

  /** @internal */
  constructor(scope: Scope, deadline: number | undefined) {
    this.scope = scope;
    this.deadline = undefined;
    this.fired = false;
    this.left = false;
    this.stop = undefined;
    this.reschedule(deadline);
  }

  /** When it ends, by the clock of `time()`; undefined: never. */
  when(): number | undefined {
    return this.deadline;
  }

  /** Whether the time has passed. */
  expired(): boolean {
    return this.fired;
  }

  /**
   * Moves the end.
   *
   * @param when by the clock of `time()`; undefined: never. A time that has passed ends the block at its next wait
   * @throws InvalidStateError when the block has ended or the limit has passed
   */
  reschedule(when: number | undefined): void {
    if (this.left || this.fired) {
      throw new InvalidStateError(
        `A timeout that has ${this.fired ? 'expired' : 'finished'} cannot be rescheduled.`,
      );
    }
    if (when !== undefined) checkDuration(when, 'The end of a timeout');
    this.stop?.();
    this.stop = undefined;
    this.deadline = when;
    if (when === undefined || when === Number.POSITIVE_INFINITY) return;
    const ms = when - time();
    if (ms <= 0) this.fire();
    else this.stop = startTimer(ms, () => this.fire());
  }

  /** @internal */
  leave(): void {
    this.left = true;
    this.stop?.();
    this.stop = undefined;
  }

  private fire(): void {
    this.fired = true;
    this.scope.cancel(new CancelledError('the time limit passed'));
  }
}

async function limit<T>(
  deadline: number | undefined,
  message: () => string,
  fn: (timeout: Timeout) => T | PromiseLike<T>,
): Promise<T> {
  const outer = currentScope();
  if (outer === undefined || outer.task === undefined)
    return await createTask(() => limit(deadline, message, fn));
  const scope = new Scope(outer.task, outer, outer.holder);
  const before = scope.cancelsAround();
  const timeout = new Timeout(scope, deadline);
  try {
    return await enterAndWait(scope, fn, timeout);
  } catch (error) {
    // Only our own cancellation becomes a TimeoutError: when somebody around us asked too, theirs goes on.
    if (timeout.expired() && isCancelled(error) && scope.cancelsAround() <= before) {
      throw new TimeoutError(message(), { cause: error });
    }
    throw error;
  } finally {
    timeout.leave();
  }
}

/**
 * Runs a function with a time limit: when it passes, the wait that the function is in is cancelled, its `finally` blocks run, and
 * `TimeoutError` is thrown. A cancellation from outside stays a `CancelledError`. Limits can be nested.
 *
 * Only waits of this package are ended: wrap a foreign promise in `cancellable`.
 *
 * Outside of every task the function runs as a task of its own.
 *
 * Source: `asyncio.timeout`.
 *
 * @param ms milliseconds; undefined: no limit (see `reschedule`); zero and less: the first wait ends
 * @param fn the block; it is given the limit, with `reschedule(when)`, `when()` and `expired()`
 * @returns what the function returns
 * @throws TimeoutError when the time has passed
 *
 * @example
 * ```ts
 * import { sleep, TimeoutError, timeout } from 'aiohttp-ts/asyncio';
 * try {
 *   await timeout(10, () => sleep(60_000));
 * } catch (error) {
 *   console.log(error instanceof TimeoutError); // true
 * }
 * ```
 */
export function timeout<T>(ms: number | undefined, fn: (timeout: Timeout) => T | PromiseLike<T>): Promise<T> {
  const deadline = ms === undefined ? undefined : time() + checkDuration(ms, 'A timeout');
  return limit(deadline, () => `the time limit of ${ms} ms passed`, fn);
}

/**
 * As {@link timeout}, with the end instead of the length.
 *
 * Source: `asyncio.timeout_at`.
 *
 * @param when by the clock of `time()`, in milliseconds; undefined: no limit
 * @param fn the block
 * @throws TimeoutError when the time has passed
 *
 * @example
 * ```ts
 * import { sleep, time, timeoutAt } from 'aiohttp-ts/asyncio';
 * const end = time() + 1_000;
 * await timeoutAt(end, () => sleep(1));
 * await timeoutAt(end, () => sleep(1));
 * ```
 */
export function timeoutAt<T>(
  when: number | undefined,
  fn: (timeout: Timeout) => T | PromiseLike<T>,
): Promise<T> {
  if (when !== undefined) checkDuration(when, 'The end of a timeout');
  return limit(when, () => 'the time limit passed', fn);
}

/**
 * Waits for one thing, with a time limit. When it passes, what is waited for is cancelled and, unlike in a race, has ended when
 * `TimeoutError` is thrown; if it returns a value all the same, that is the result. Cancelling the caller cancels it too.
 *
 * Source: `asyncio.wait_for`.
 *
 * @param awaitable a task, a promise (only the wait for it ends), or a function that starts the work
 * @param ms milliseconds; undefined: no limit; zero and less: a function is not even started
 * @throws TimeoutError when the time has passed
 *
 * @example
 * ```ts
 * import { sleep, waitFor } from 'aiohttp-ts/asyncio';
 * console.log(await waitFor(() => sleep(1, 'in time'), 1_000));
 * ```
 */
export async function waitFor<T>(awaitable: Awaitable<T>, ms: number | undefined): Promise<T> {
  if (ms !== undefined) checkDuration(ms, 'A timeout');
  const overdue = ms !== undefined && ms <= 0;
  if (typeof awaitable === 'function') {
    if (overdue) throw new TimeoutError(`the time limit of ${ms} ms passed`);
    return await timeout(ms, awaitable);
  }
  const future = ensureFuture(awaitable);
  if (future.done() || ms === undefined) return await future;
  // A promise that has a result already shows it only in a microtask.
  if (overdue && !(awaitable instanceof Future)) {
    await null;
    if (future.done()) return await future;
  }
  return await timeout(ms, () => future);
}

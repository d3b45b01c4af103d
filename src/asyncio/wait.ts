import { type Awaitable, ensureFuture, type ResultOf } from './awaitable.ts';
import { currentScope, type Scope } from './context.ts';
import { TimeoutError } from './errors.ts';
import { FAILED, Future, type Listener } from './future.ts';
import { takePending, Wait } from './suspend.ts';
import { describeValue } from './task.ts';
import { checkDuration, startTimer } from './timer.ts';
import { WaitQueue } from './wait-queue.ts';

/** When {@link wait} returns. `FIRST_EXCEPTION`: when one has failed, else when all have ended. */
export type ReturnWhen = 'ALL_COMPLETED' | 'FIRST_COMPLETED' | 'FIRST_EXCEPTION';

/** Wait for all. Source: `asyncio.ALL_COMPLETED`. */
export const ALL_COMPLETED: 'ALL_COMPLETED' = 'ALL_COMPLETED';
/** Wait for the first that ends. Source: `asyncio.FIRST_COMPLETED`. */
export const FIRST_COMPLETED: 'FIRST_COMPLETED' = 'FIRST_COMPLETED';
/** Wait for the first that fails, else for all. Source: `asyncio.FIRST_EXCEPTION`. */
export const FIRST_EXCEPTION: 'FIRST_EXCEPTION' = 'FIRST_EXCEPTION';

/** Options of {@link wait}. */
export interface WaitOptions {
  /** Milliseconds after which it returns in any case; default: no limit. */
  timeout?: number | undefined;
  /** Default `ALL_COMPLETED`. */
  returnWhen?: ReturnWhen | undefined;
}

/** What {@link wait} gives. */
export interface WaitResult<F> {
  /** Those that have ended. */
  readonly done: Set<F>;
  /** Those that have not. */
  readonly pending: Set<F>;
}

/** Waits for some of several futures. It never cancels them. */
export class SetWait extends Wait<void> implements Listener {
  readonly targets: ReadonlySet<Future<unknown>>;
  private readonly returnWhen: ReturnWhen;
  private left: number;
  private stopTimer: (() => void) | undefined;

  constructor(
    scope: Scope | undefined,
    targets: ReadonlySet<Future<unknown>>,
    left: number,
    returnWhen: ReturnWhen,
  ) {
    super(scope, `${returnWhen === FIRST_COMPLETED ? 'one' : 'all'} of ${targets.size}`);
    this.targets = targets;
    this.left = left;
    this.returnWhen = returnWhen;
    this.stopTimer = undefined;
    for (const future of targets) if (!future.done()) future.subscribe(this);
  }

  limit(ms: number): void {
    this.stopTimer = startTimer(ms, () => this.enough());
  }

  settled(future: Future<unknown>): void {
    this.left--;
    if (
      this.left === 0 ||
      this.returnWhen === FIRST_COMPLETED ||
      (this.returnWhen === FIRST_EXCEPTION && future.state === FAILED)
    ) {
      this.enough();
    }
  }

  private enough(): void {
    this.disarm();
    this.complete();
  }

  protected override disarm(): void {
    this.stopTimer?.();
    for (const future of this.targets) future.unsubscribe(this);
  }
}

/**
 * Waits for tasks and tells which have ended. It never cancels them, and throws neither their errors nor at the end of the
 * timeout.
 *
 * Source: `asyncio.wait`.
 *
 * @param futures tasks or futures. Functions are refused: their tasks could not be found in the result
 * @throws TypeError for anything that is not a task or future
 * @throws RangeError for none at all, and for an unknown `returnWhen`
 *
 * @example
 * ```ts
 * import { createTask, sleep, wait } from 'aiohttp-ts/asyncio';
 * const slow = createTask(() => sleep(1_000, 'slow'));
 * const quick = createTask(() => sleep(1, 'quick'));
 * const { done, pending } = await wait([slow, quick], { returnWhen: 'FIRST_COMPLETED' });
 * for (const task of done) console.log(task.result()); // quick
 * for (const task of pending) task.cancel();
 * ```
 */
export async function wait<F extends Future<unknown>>(
  futures: Iterable<F>,
  options: WaitOptions = {},
): Promise<WaitResult<F>> {
  const { timeout, returnWhen = ALL_COMPLETED } = options;
  if (returnWhen !== ALL_COMPLETED && returnWhen !== FIRST_COMPLETED && returnWhen !== FIRST_EXCEPTION) {
    throw new RangeError(
      `returnWhen is 'ALL_COMPLETED', 'FIRST_COMPLETED' or 'FIRST_EXCEPTION', got ${JSON.stringify(returnWhen)}`,
    );
  }
  if (timeout !== undefined) checkDuration(timeout, 'The timeout of wait');
  const all = new Set(futures);
  if (all.size === 0) throw new RangeError('Set of Tasks/Futures is empty.');
  let left = 0;
  let failed = false;
  for (const future of all) {
    if (!(future instanceof Future)) {
      const hint =
        typeof future === 'function'
          ? 'functions are forbidden, use createTask explicitly'
          : describeValue(future);
      throw new TypeError(`wait takes tasks and futures: ${hint}.`);
    }
    if (!future.done()) left++;
    else if (future.state === FAILED) failed = true;
  }
  const met =
    left === 0 ||
    (returnWhen === FIRST_COMPLETED && left < all.size) ||
    (returnWhen === FIRST_EXCEPTION && failed);
  if (!met) {
    const scope = currentScope();
    const due = takePending(scope);
    if (due !== undefined) throw due;
    const waiting = new SetWait(scope?.task === undefined ? undefined : scope, all, left, returnWhen);
    if (timeout !== undefined) waiting.limit(timeout);
    await waiting.promise;
  }
  const done = new Set<F>();
  const pending = new Set<F>();
  for (const future of all) (future.done() ? done : pending).add(future);
  return { done, pending };
}

/** Options of {@link asCompleted}. */
export interface AsCompletedOptions {
  /** Milliseconds, from the call, after which the iteration throws `TimeoutError`; default: no limit. */
  timeout?: number | undefined;
}

/**
 * What {@link asCompleted} gives: `for await` over the results, or `for` over promises of them, which lets each error be caught on its
 * own.
 */
export interface AsCompleted<T> extends AsyncIterable<T>, Iterable<Promise<T>> {}

class Completions<T> implements AsCompleted<T>, Listener {
  private readonly running: Set<Future<unknown>>;
  private readonly finished: Future<T>[];
  private readonly waiters: WaitQueue<T | PromiseLike<T>>;
  private readonly timeout: number | undefined;
  private readonly stopTimer: (() => void) | undefined;
  private left: number;
  private timedOut: boolean;

  constructor(futures: ReadonlySet<Future<T>>, timeout: number | undefined) {
    this.running = new Set();
    this.finished = [];
    this.waiters = new WaitQueue();
    this.timeout = timeout;
    this.left = futures.size;
    this.timedOut = false;
    for (const future of futures) {
      if (future.done()) this.finished.push(future);
      else {
        this.running.add(future as Future<unknown>);
        future.subscribe(this);
      }
    }
    const limited = timeout !== undefined && this.running.size > 0;
    this.stopTimer = limited ? startTimer(timeout, () => this.expire()) : undefined;
  }

  settled(future: Future<unknown>): void {
    this.running.delete(future);
    if (this.running.size === 0) this.stopTimer?.();
    if (!this.waiters.wake(future as Future<T>)) this.finished.push(future as Future<T>);
  }

  *[Symbol.iterator](): Generator<Promise<T>, void, undefined> {
    while (this.left > 0) yield this.nextResult();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      while (this.left > 0) yield await this.nextResult();
    } finally {
      this.stop();
    }
  }

  private nextResult(): Promise<T> {
    this.left--;
    const future = this.finished.shift();
    if (future !== undefined) return future.wait();
    if (this.timedOut) return Promise.reject(this.expiry());
    // Woken with the future that has ended, the promise becomes what that one is.
    return this.waiters.enter('asCompleted', undefined) as Promise<T>;
  }

  private expiry(): TimeoutError {
    return new TimeoutError(`the time limit of ${this.timeout} ms passed`);
  }

  private expire(): void {
    this.timedOut = true;
    this.stop();
    while (this.waiters.refuse(this.expiry())) {
      // each in its turn
    }
  }

  private stop(): void {
    this.stopTimer?.();
    for (const future of this.running) future.unsubscribe(this);
    this.running.clear();
  }
}

/**
 * Gives results in the order in which the work ends. `for await (const value of asCompleted(work))` ends with the first error;
 * `for (const next of asCompleted(work))` gives a promise for each (`await next`), so that every error can be caught.
 * Leaving the loop cancels nothing.
 *
 * (asyncio's asynchronous form gives the tasks themselves; a thenable cannot come out of a `for await`.)
 *
 * Source: `asyncio.as_completed`.
 *
 * @param awaitables tasks, promises, or functions (they become tasks)
 * @returns an iterable, to be gone through once
 * @throws TimeoutError (from the iteration) when the time has passed
 *
 * @example
 * ```ts
 * import { asCompleted, sleep } from 'aiohttp-ts/asyncio';
 * for await (const letter of asCompleted([() => sleep(9, 'b'), () => sleep(1, 'a')])) {
 *   console.log(letter); // a, then b
 * }
 * ```
 */
export function asCompleted<A extends Awaitable<unknown>>(
  awaitables: Iterable<A>,
  options: AsCompletedOptions = {},
): AsCompleted<ResultOf<A>> {
  const { timeout } = options;
  if (timeout !== undefined) checkDuration(timeout, 'The timeout of asCompleted');
  const futures = [...awaitables].map((awaitable) => ensureFuture(awaitable) as Future<ResultOf<A>>);
  return new Completions(new Set(futures), timeout);
}

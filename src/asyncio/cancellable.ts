import { outside } from './context.ts';
import { CancelledError, InvalidStateError } from './errors.ts';
import type { Future, Listener } from './future.ts';
import { suspend } from './suspend.ts';
import { currentTask, isThenable, type Task } from './task.ts';

/**
 * Makes the wait for a foreign promise one that `cancel()` and `timeout` can end.
 *
 * Given a promise, only the wait ends: the work behind it goes on, and what becomes of it is ignored. Given a function, it is
 * called with an AbortSignal that is aborted when the wait is cancelled, so that the work ends too.
 *
 * @param work the promise, or a function that starts the work and hands the signal on
 * @throws CancelledError when the task is cancelled
 *
 * @example
 * ```ts
 * import { once, EventEmitter } from 'node:events';
 * import { cancellable, TimeoutError, timeout } from 'aiohttp-ts/asyncio';
 * const door = new EventEmitter();
 * try {
 *   await timeout(10, () => cancellable((signal) => once(door, 'open', { signal })));
 * } catch (error) {
 *   console.log(error instanceof TimeoutError, door.listenerCount('open')); // true 0
 * }
 * ```
 */
export function cancellable<T>(
  work: PromiseLike<T> | ((signal: AbortSignal) => T | PromiseLike<T>),
): Promise<T> {
  return suspend<T>((resolve, reject) => {
    if (typeof work !== 'function') {
      work.then(resolve, reject);
      return undefined;
    }
    const controller = new AbortController();
    const result = work(controller.signal);
    if (!isThenable(result)) {
      resolve(result);
      return undefined;
    }
    result.then(resolve, reject);
    return () => controller.abort(new CancelledError());
  }, 'a promise');
}

/** Those that follow a signal: it has one listener for all of them, as long as there are any. */
class Followers {
  private readonly signal: AbortSignal;
  private readonly links: Set<SignalLink>;

  constructor(signal: AbortSignal) {
    this.signal = signal;
    this.links = new Set();
  }

  add(link: SignalLink): void {
    if (this.links.size === 0) outside(() => this.signal.addEventListener('abort', this));
    this.links.add(link);
  }

  remove(link: SignalLink): void {
    if (this.links.delete(link) && this.links.size === 0) this.signal.removeEventListener('abort', this);
  }

  /** Called by the signal. */
  handleEvent(): void {
    for (const link of [...this.links]) link.follow();
  }
}

const followers = new WeakMap<AbortSignal, Followers>();

class SignalLink implements Listener, Disposable {
  private readonly signal: AbortSignal;
  private readonly task: Task<unknown>;

  constructor(signal: AbortSignal, task: Task<unknown>) {
    this.signal = signal;
    this.task = task;
    if (signal.aborted) this.follow();
    else if (!task.done()) {
      let all = followers.get(signal);
      if (all === undefined) {
        all = new Followers(signal);
        followers.set(signal, all);
      }
      all.add(this);
      task.subscribe(this);
    }
  }

  follow(): void {
    const { reason } = this.signal as { reason: unknown };
    this.task.cancel(reason instanceof Error ? reason.message : String(reason));
  }

  /** Called by the task. */
  settled(_task: Future<unknown>): void {
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    followers.get(this.signal)?.remove(this);
    this.task.unsubscribe(this);
  }
}

/**
 * Cancels a task when a signal is aborted. However many tasks follow a signal, it has one listener, which
 * is gone when the last of them has ended.
 *
 * @param signal the signal to follow
 * @param task the task to cancel; default: the current one
 * @returns a Disposable that unties the two
 * @throws InvalidStateError outside of every task, when none is given
 *
 * @example
 * ```ts
 * import { cancelOn, createTask, sleep } from 'aiohttp-ts/asyncio';
 * const controller = new AbortController();
 * const task = createTask(() => sleep(60_000));
 * cancelOn(controller.signal, task);
 * controller.abort();
 * console.log((await Promise.allSettled([task]))[0].status); // rejected
 * ```
 */
export function cancelOn(signal: AbortSignal, task: Task<unknown> | undefined = currentTask()): Disposable {
  if (task === undefined)
    throw new InvalidStateError('cancelOn needs a task: there is none here, give it as the second argument.');
  return new SignalLink(signal, task);
}

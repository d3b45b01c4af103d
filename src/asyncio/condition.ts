import { InvalidStateError } from './errors.ts';
import { type Held, Lock } from './lock.ts';
import { WaitQueue } from './wait-queue.ts';

/**
 * Waiting for something to become true that others change under a lock.
 *
 * Source: `asyncio.Condition`.
 *
 * @example
 * ```ts
 * import { Condition, createTask } from 'aiohttp-ts/asyncio';
 * const condition = new Condition();
 * let ready = false;
 * const waiter = createTask(async () => {
 *   using _held = await condition.acquire();
 *   await condition.waitFor(() => ready);
 * });
 * const held = await condition.acquire();
 * ready = true;
 * condition.notifyAll();
 * held.release();
 * await waiter;
 * ```
 */
export class Condition {
  private readonly lock: Lock;
  private readonly waiters: WaitQueue<void>;

  /** @param lock the lock to use; default: one of its own */
  constructor(lock: Lock = new Lock()) {
    this.lock = lock;
    this.waiters = new WaitQueue();
  }

  /** Whether somebody holds the lock. */
  locked(): boolean {
    return this.lock.locked();
  }

  /** Takes the lock, see {@link Lock}. */
  acquire(): Promise<Held> {
    return this.lock.acquire();
  }

  /** Gives the lock back. */
  release(): void {
    this.lock.release();
  }

  /**
   * Lets go of the lock, waits to be notified, and takes the lock again before it returns or throws.
   *
   * @throws InvalidStateError when nobody holds the lock
   * @throws CancelledError when the task is cancelled; it holds the lock then
   */
  async wait(): Promise<void> {
    const held = this.lock.letGo();
    try {
      await this.waiters.enter('Condition.wait', undefined);
    } finally {
      await this.lock.retake(held);
    }
  }

  /**
   * Waits until a function returns something true; asks it now and after every notification.
   *
   * @returns what the function returned
   */
  async waitFor<T>(predicate: () => T): Promise<T> {
    let result = predicate();
    while (!result) {
      await this.wait();
      result = predicate();
    }
    return result;
  }

  /**
   * Wakes those who have waited longest. They go on once the caller has given the lock back.
   *
   * @param n how many at most; default 1
   * @throws InvalidStateError when nobody holds the lock
   */
  notify(n = 1): void {
    if (!this.lock.locked()) throw new InvalidStateError('cannot notify on un-acquired lock');
    for (let left = n; left > 0 && this.waiters.wake(); left--) {
      // each in its turn
    }
  }

  /** Wakes all. */
  notifyAll(): void {
    this.notify(this.waiters.size);
  }
}

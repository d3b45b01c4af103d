import { WaitQueue } from './wait-queue.ts';

/**
 * A flag that tasks wait for: `set()` lets all of them go on, and everybody who comes later, until `clear()`.
 *
 * Source: `asyncio.Event`.
 *
 * @example
 * ```ts
 * import { createTask, Event } from 'aiohttp-ts/asyncio';
 * const started = new Event();
 * const waiter = createTask(() => started.wait());
 * started.set();
 * await waiter;
 * ```
 */
export class Event {
  private flag: boolean;
  private readonly waiters: WaitQueue<void>;

  constructor() {
    this.flag = false;
    this.waiters = new WaitQueue();
  }

  /** Whether the flag is set. */
  isSet(): boolean {
    return this.flag;
  }

  /** Sets the flag and wakes everybody. */
  set(): void {
    this.flag = true;
    while (this.waiters.wake()) {
      // each in its turn
    }
  }

  /** Takes the flag down: who waits from now on, waits for the next `set()`. */
  clear(): void {
    this.flag = false;
  }

  /**
   * Waits until the flag is set.
   *
   * @throws CancelledError when the task is cancelled
   */
  wait(): Promise<void> {
    return this.flag ? Promise.resolve() : this.waiters.enter('Event.wait', undefined);
  }
}

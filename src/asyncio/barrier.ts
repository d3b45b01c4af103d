import { BrokenBarrierError } from './errors.ts';
import { WaitQueue } from './wait-queue.ts';

/**
 * A place where a fixed number of tasks wait for each other; when the last has come, all go on, and the barrier can be used again.
 * A task that is cancelled while it waits leaves; the others wait on.
 *
 * Source: `asyncio.Barrier`.
 *
 * @example
 * ```ts
 * import { Barrier, gather } from 'aiohttp-ts/asyncio';
 * const barrier = new Barrier(2);
 * console.log(await gather(() => barrier.wait(), () => barrier.wait())); // [0, 1]
 * ```
 */
export class Barrier {
  /** How many go on together. */
  readonly parties: number;
  private readonly waiters: WaitQueue<number>;
  private isBroken: boolean;

  /** @throws RangeError when it is not a whole number of 1 or more */
  constructor(parties: number) {
    if (!Number.isInteger(parties) || parties < 1) {
      throw new RangeError(`a Barrier is for a whole number of parties >= 1, got ${parties}`);
    }
    this.parties = parties;
    this.waiters = new WaitQueue();
    this.isBroken = false;
  }

  /** How many wait now. */
  get nWaiting(): number {
    return this.waiters.size;
  }

  /** Whether it was aborted. */
  get broken(): boolean {
    return this.isBroken;
  }

  /**
   * Waits for the others.
   *
   * @returns a number of its own for each, from 0 to `parties - 1` in the order in which they came
   * @throws BrokenBarrierError when the barrier is aborted, or reset meanwhile
   * @throws CancelledError when the task is cancelled
   */
  async wait(): Promise<number> {
    if (this.isBroken) throw new BrokenBarrierError('The barrier was aborted.');
    if (this.waiters.size < this.parties - 1) return await this.waiters.enter('Barrier.wait', undefined);
    for (let index = 0; this.waiters.wake(index); index++) {
      // numbers go by place in the queue: one who was cancelled leaves no gap
    }
    return this.parties - 1;
  }

  /** Back to the empty state; those who wait get `BrokenBarrierError`. */
  async reset(): Promise<void> {
    this.refuseAll('The barrier was reset.');
    this.isBroken = false;
  }

  /** Breaks it: those who wait, and those who come, get `BrokenBarrierError`, until `reset()`. */
  async abort(): Promise<void> {
    this.isBroken = true;
    this.refuseAll('The barrier was aborted.');
  }

  private refuseAll(message: string): void {
    while (this.waiters.refuse(new BrokenBarrierError(message))) {
      // each in its turn
    }
  }
}

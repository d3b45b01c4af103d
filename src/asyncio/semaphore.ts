import { Held } from './lock.ts';
import { WaitQueue } from './wait-queue.ts';

/**
 * A number of places that can be taken; who finds none free waits, first come, first served.
 *
 * Source: `asyncio.Semaphore`.
 *
 * @example
 * ```ts
 * import { gather, Semaphore, sleep } from 'aiohttp-ts/asyncio';
 * const places = new Semaphore(2);
 * async function polite(n: number): Promise<number> {
 *   using _place = await places.acquire();
 *   return await sleep(1, n);
 * }
 * console.log(await gather([1, 2, 3].map((n) => () => polite(n)))); // [1, 2, 3], two at a time
 * ```
 */
export class Semaphore {
  /** @internal */
  protected free: number;
  private readonly waiters: WaitQueue<Held>;

  /**
   * @param value how many places; default 1
   * @throws RangeError when it is not a whole number of 0 or more
   */
  constructor(value = 1) {
    if (!Number.isInteger(value) || value < 0) {
      throw new RangeError(`Semaphore initial value must be a whole number >= 0, got ${value}`);
    }
    this.free = value;
    this.waiters = new WaitQueue();
  }

  /** How many places are free. */
  get value(): number {
    return this.free;
  }

  /** Whether none is free. */
  locked(): boolean {
    return this.free === 0;
  }

  /**
   * Takes a place; waits when none is free.
   *
   * @returns what gives it back
   * @throws CancelledError when the task is cancelled; it has no place then
   */
  acquire(): Promise<Held> {
    if (this.free > 0) {
      this.free--;
      return Promise.resolve(new Held(this));
    }
    return this.waiters.enter('Semaphore.acquire', undefined);
  }

  /** Gives a place back (or adds one): the first of those who wait has it then. */
  release(): void {
    if (this.waiters.size > 0) this.waiters.wake(new Held(this));
    else this.free++;
  }

  /** @internal */
  giveBack(_held: Held): void {
    this.release();
  }
}

/**
 * A semaphore that refuses more releases than there were places.
 *
 * Source: `asyncio.BoundedSemaphore`.
 */
export class BoundedSemaphore extends Semaphore {
  private readonly bound: number;

  /** @param value how many places; default 1 */
  constructor(value = 1) {
    super(value);
    this.bound = value;
  }

  /** @throws RangeError when all places are free already */
  override release(): void {
    if (this.free >= this.bound) throw new RangeError('BoundedSemaphore released too many times');
    super.release();
  }
}

import { InvalidStateError } from './errors.ts';
import { WaitQueue } from './wait-queue.ts';

/**
 * What was acquired, to be given back once: by `using held = await lock.acquire()`, or by `held.release()` in a `finally`. Giving it
 * back a second time does nothing.
 */
export class Held implements Disposable, AsyncDisposable {
  private owner: { giveBack(held: Held): void } | undefined;

  /** @internal */
  constructor(owner: { giveBack(held: Held): void }) {
    this.owner = owner;
  }

  /** Gives it back, unless that was done already. */
  release(): void {
    const { owner } = this;
    this.owner = undefined;
    owner?.giveBack(this);
  }

  /** @internal It was given back by other means. */
  forget(): void {
    this.owner = undefined;
  }

  [Symbol.dispose](): void {
    this.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }
}

/**
 * A lock that one holds at a time. Those who wait get it in the order in which they came; it is handed over directly, so nobody
 * can take it in between. It is not re-entrant.
 *
 * Source: `asyncio.Lock`.
 *
 * @example
 * ```ts
 * import { Lock, sleep } from 'aiohttp-ts/asyncio';
 * const lock = new Lock();
 * async function exclusive(): Promise<void> {
 *   using _held = await lock.acquire();
 *   await sleep(1);
 * }
 * await Promise.all([exclusive(), exclusive()]);
 * console.log(lock.locked()); // false
 * ```
 */
export class Lock {
  private held: Held | undefined;
  private readonly waiters: WaitQueue<Held, Held>;

  constructor() {
    this.held = undefined;
    this.waiters = new WaitQueue();
  }

  /** Whether somebody holds it. */
  locked(): boolean {
    return this.held !== undefined;
  }

  /**
   * Waits until it is free and takes it.
   *
   * @returns what gives it back
   * @throws CancelledError when the task is cancelled; it does not hold the lock then
   */
  acquire(): Promise<Held> {
    const held = new Held(this);
    if (this.held === undefined) {
      this.held = held;
      return Promise.resolve(held);
    }
    return this.waiters.enter('Lock.acquire', held);
  }

  /**
   * Gives it back; the first of those who wait has it then.
   *
   * @throws InvalidStateError when nobody holds it
   */
  release(): void {
    if (this.held === undefined) throw new InvalidStateError('Lock is not acquired.');
    this.held.forget();
    this.passOn();
  }

  /** @internal */
  giveBack(held: Held): void {
    if (this.held === held) this.passOn();
  }

  /** @internal For a condition: lets go of the lock, to take it back by `retake` with the same `Held`. */
  letGo(): Held {
    const { held } = this;
    if (held === undefined) throw new InvalidStateError('cannot wait on un-acquired lock');
    this.passOn();
    return held;
  }

  /** @internal Cannot be cancelled. */
  async retake(held: Held): Promise<void> {
    if (this.held === undefined) this.held = held;
    else await this.waiters.enterUncancellable('Lock.acquire', held);
  }

  private passOn(): void {
    const next = this.waiters.peek();
    this.held = next;
    if (next !== undefined) this.waiters.wake(next);
  }
}

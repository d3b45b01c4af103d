import { type Awaitable, ensureFuture } from './awaitable.ts';
import { Future, type Listener } from './future.ts';

class Shield<T> extends Future<T> implements Listener {
  readonly inner: Future<T>;

  constructor(inner: Future<T>) {
    super();
    this.inner = inner;
    if (inner.done()) this.settled(inner);
    else inner.subscribe(this);
  }

  settled(inner: Future<unknown>): void {
    inner.retrieve();
    this.settle(inner.state, inner.value);
  }

  /** Only the shield ends: from now on nobody here sees how the work ends, so an error of it is reported. */
  override cancel(message?: string): boolean {
    if (this.done()) return false;
    this.inner.unsubscribe(this);
    return super.cancel(message);
  }

  /** @internal */
  override describe(): string {
    return `the shield of ${this.inner.describe()}`;
  }
}

/**
 * Protects work from the cancellation of whoever waits for it: the wait ends with `CancelledError`, the work goes on. `run` still
 * cancels it at the very end.
 *
 * Source: `asyncio.shield`.
 *
 * @param awaitable a task, a promise, or a function that starts the work
 *
 * @example
 * ```ts
 * import { createTask, shield, sleep } from 'aiohttp-ts/asyncio';
 * const saved = createTask(() => sleep(10, 'saved'));
 * const caller = createTask(async () => await shield(saved));
 * await sleep(0);
 * caller.cancel();
 * console.log(await saved, caller.cancelled()); // saved true
 * ```
 */
export function shield<T>(awaitable: Awaitable<T>): Future<T> {
  return new Shield(ensureFuture(awaitable));
}

import { Future } from './future.ts';
import { createTask, describeValue, isThenable } from './task.ts';

/**
 * What can be waited for: a task or future, a promise, or a function that starts the work (it becomes a task).
 */
export type Awaitable<T> = PromiseLike<T> | (() => T | PromiseLike<T>);

/** The type of the result of an {@link Awaitable}. */
export type ResultOf<A> =
  A extends PromiseLike<infer T> ? Awaited<T> : A extends () => infer R ? Awaited<R> : never;

/**
 * A future for anything that can be waited for: a future is returned as it is, a function becomes a task, a promise is watched
 * (cancelling its future ends the waits for it; the work behind the promise goes on).
 *
 * Source: `asyncio.ensure_future`.
 *
 * @throws TypeError for anything else
 *
 * @example
 * ```ts
 * import { ensureFuture } from 'aiohttp-ts/asyncio';
 * const future = ensureFuture(Promise.resolve(1));
 * console.log(await future, future.done()); // 1 true
 * ```
 */
export function ensureFuture<T>(awaitable: Awaitable<T>): Future<T> {
  if (awaitable instanceof Future) return awaitable as Future<T>;
  if (typeof awaitable === 'function') return createTask(awaitable);
  if (!isThenable(awaitable)) {
    throw new TypeError(
      `a task, a promise or a function that starts the work is needed, got ${describeValue(awaitable)}`,
    );
  }
  const future = new Future<T>();
  awaitable.then(
    (value) => {
      if (!future.done()) future.setResult(value);
    },
    (error: unknown) => {
      if (!future.done()) future.setException(error);
    },
  );
  return future;
}

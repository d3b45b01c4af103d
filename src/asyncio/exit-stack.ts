import { AsyncContextManager, type Releasable, release } from './context-manager.ts';
import { ExceptionGroup } from './exception-group.ts';

/**
 * Collects what has to be released and releases it in the reverse order. Every release runs, whatever the others throw.
 *
 * (The platform's `AsyncDisposableStack` exists from Node 24 on.)
 *
 * Source: `contextlib.AsyncExitStack`.
 *
 * @example
 * ```ts
 * import { AsyncExitStack } from 'aiohttp-ts/asyncio';
 * await using stack = new AsyncExitStack();
 * stack.callback(() => console.log('second'));
 * stack.callback(async () => console.log('first'));
 * ```
 */
export class AsyncExitStack implements AsyncDisposable {
  private exits: (() => unknown)[];

  constructor() {
    this.exits = [];
  }

  /**
   * Takes a resource over: a disposable, or a context manager, which is entered now.
   *
   * @returns the disposable itself; of a context manager what it yielded
   */
  async enter<T>(resource: AsyncContextManager<T>): Promise<T>;
  async enter<R extends Releasable>(resource: R): Promise<R>;
  async enter(resource: AsyncContextManager<unknown> | Releasable): Promise<unknown> {
    if (resource instanceof AsyncContextManager) {
      const entered = await resource.enter();
      this.exits.push(() => entered[Symbol.asyncDispose]());
      return entered.value;
    }
    this.exits.push(() => release(resource));
    return resource;
  }

  /** Calls a function at the end; it may return a promise. Source: `callback`, `push_async_callback`. */
  callback<A extends readonly unknown[]>(fn: (...args: A) => unknown, ...args: A): void {
    this.exits.push(() => fn(...args));
  }

  /** Moves everything into a new stack: this one releases nothing any more. */
  popAll(): AsyncExitStack {
    const other = new AsyncExitStack();
    other.exits = this.exits;
    this.exits = [];
    return other;
  }

  /**
   * Releases everything, the last first.
   *
   * @throws the error, when one release failed; an ExceptionGroup, when several did
   */
  async aclose(): Promise<void> {
    const errors: unknown[] = [];
    for (let exit = this.exits.pop(); exit !== undefined; exit = this.exits.pop()) {
      try {
        await exit();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new ExceptionGroup('several releases of an exit stack failed', errors);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.aclose();
  }
}

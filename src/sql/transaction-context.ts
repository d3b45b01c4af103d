import { ContextVar, copyContext, inContext } from '../asyncio/index.ts';

/** A transaction with the place that it was entered at. */
interface Entry<T> {
  readonly transaction: T;
  /** Whether it was entered in a task, a request or a `Context`, and not in the code outside of all of them. */
  readonly inside: boolean;
}

/**
 * The current transaction of whoever asks, for one database.
 *
 * It is a context variable: a request, a task or a `run` has its own, what it awaits shares it, a task made inside of it begins with it. A transaction that
 * was entered outside of all of these (top-level code, a timer) is seen only there: a request that happens to begin meanwhile is no part of it.
 *
 * On Node 20 and 22 contexts make awaits dearer, so make one of these only when a database is opened.
 *
 * @example
 * ```ts
 * import { TransactionContext } from 'aiohttp-ts/sql';
 * const context = new TransactionContext<{ id: number }>('orders');
 * context.run({ id: 1 }, () => console.log(context.get()?.id)); // 1
 * console.log(context.get()); // undefined
 * ```
 */
export class TransactionContext<T extends object> {
  private readonly variable: ContextVar<Entry<T> | undefined>;

  /** @param name for error messages */
  constructor(name: string) {
    this.variable = new ContextVar<Entry<T> | undefined>(name, { default: undefined });
  }

  /** The transaction of the calling code; `undefined` when it has none. It may have ended. */
  get(): T | undefined {
    const entry = this.variable.get();
    return entry !== undefined && entry.inside === inContext() ? entry.transaction : undefined;
  }

  /** Calls `work` with this transaction as the current one of it and of what it awaits. */
  run<R>(transaction: T, work: () => R): R {
    return copyContext().run(() => {
      this.variable.set({ transaction, inside: true });
      return work();
    });
  }

  /** Makes it the current one of the calling request or task, from now on. */
  enter(transaction: T): void {
    this.variable.set({ transaction, inside: inContext() });
  }

  /** Takes it back, when it is still the current one of the caller. */
  leave(transaction: T): void {
    if (this.variable.get()?.transaction === transaction) this.variable.set(undefined);
  }
}

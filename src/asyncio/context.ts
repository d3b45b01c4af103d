import { AsyncLocalStorage } from 'node:async_hooks';
import type { CancelledError } from './errors.ts';
import { checkHost } from './features.ts';
import type { Task } from './task.ts';

checkHost();

/** Values of context variables. Never changed in place: setting one replaces the map, so a copy is one pointer. */
export type Variables = ReadonlyMap<object, unknown>;

/** Whoever owns a set of variables: a task, a `Context`, or the module itself for code outside of both. */
export interface VariablesHolder {
  variables: Variables | undefined;
}

/** What a scope needs of a wait; the class is in `suspend.ts`. */
export interface PendingWait {
  readonly scope: Scope | undefined;
  abort(error: CancelledError): boolean;
}

/**
 * One region of code that can be cancelled: a task, or inside of it the body of a `timeout` or `taskGroup`.
 *
 * asyncio cancels the whole task and lets the timeout find out afterwards whether the cancellation was its own. Here one
 * task can wait for several things at once (`Promise.all`), so a timeout must cancel only the waits made inside of its
 * own body. The waits are listed on the root (the task's scope); each knows the scope that it was made in.
 */
export class Scope implements VariablesHolder {
  readonly task: Task<unknown> | undefined;
  readonly parent: Scope | undefined;
  readonly root: Scope;
  readonly holder: VariablesHolder;
  variables: Variables | undefined;
  /** A cancellation that was asked for and has not yet met a wait. */
  pending: CancelledError | undefined;
  /** How many cancellations were asked for and not taken back (`cancelling()`). */
  cancels: number;
  /** Waits of the task: the first in a field of its own, because a task nearly always has just one. */
  wait: PendingWait | undefined;
  waits: Set<PendingWait> | undefined;

  constructor(
    task: Task<unknown> | undefined,
    parent: Scope | undefined,
    holder: VariablesHolder | undefined,
  ) {
    this.task = task;
    this.parent = parent;
    this.root = parent === undefined ? this : parent.root;
    this.holder = holder ?? this;
    this.variables = undefined;
    this.pending = undefined;
    this.cancels = 0;
    this.wait = undefined;
    this.waits = undefined;
  }

  /** Only on a root. */
  hold(wait: PendingWait): void {
    if (this.wait === undefined) this.wait = wait;
    else {
      this.waits ??= new Set();
      this.waits.add(wait);
    }
  }

  /** Only on a root. */
  drop(wait: PendingWait): void {
    if (this.wait === wait) this.wait = undefined;
    else this.waits?.delete(wait);
  }

  /** Ends the waits made inside of this scope; without one, the next wait will meet the cancellation. */
  cancel(error: CancelledError): void {
    this.cancels++;
    if (!this.interrupt(error)) this.pending = error;
  }

  /** Takes one cancellation back. */
  uncancel(): number {
    if (this.cancels > 0 && --this.cancels === 0) this.pending = undefined;
    return this.cancels;
  }

  /** How many cancellations the scopes around this one have been asked for. */
  cancelsAround(): number {
    let count = 0;
    for (let scope = this.parent; scope !== undefined; scope = scope.parent) count += scope.cancels;
    return count;
  }

  private interrupt(error: CancelledError): boolean {
    const { root } = this;
    const { wait, waits } = root;
    let met = false;
    if (wait !== undefined && this.encloses(wait.scope)) met = wait.abort(error);
    if (waits !== undefined && waits.size > 0) {
      for (const other of [...waits]) {
        if (this.encloses(other.scope) && waits.has(other) && other.abort(error)) met = true;
      }
    }
    return met;
  }

  private encloses(inner: Scope | undefined): boolean {
    if (this.parent === undefined) return true;
    for (let scope = inner; scope !== undefined; scope = scope.parent) if (scope === this) return true;
    return false;
  }
}

/**
 * The one AsyncLocalStorage of the package. On Node 20 and 22 the first `run` of any AsyncLocalStorage makes every await of
 * the process about three times dearer (Node 24 and later: free), so nothing enters or reads it before a task is made.
 */
const storage = new AsyncLocalStorage<Scope | undefined>();
let entered = false;

/** The variables of code that runs outside of every task and `Context`. */
export const moduleVariables: VariablesHolder = { variables: undefined };

/** The scope that the calling code runs in. */
export function currentScope(): Scope | undefined {
  return entered ? storage.getStore() : undefined;
}

/** Runs `fn` inside of `scope`. */
export function enter<A, R>(scope: Scope, fn: (argument: A) => R, argument: A): R {
  entered = true;
  return storage.run(scope, fn, argument);
}

/**
 * Runs a function outside of any task's context. Sockets, pools, timers and listeners that outlive the task which happens
 * to make them are made in here: else they would keep that task alive and be taken for it.
 *
 * Costs one comparison as long as no task was ever made.
 *
 * @returns what `fn` returns
 *
 * @example
 * ```ts
 * import { outside } from 'aiohttp-ts/asyncio';
 * const heartbeat = outside(() => setInterval(() => console.log('alive'), 1_000));
 * clearInterval(heartbeat);
 * ```
 */
export function outside<T>(fn: () => T): T {
  return entered && storage.getStore() !== undefined ? storage.run(undefined, fn) : fn();
}

/**
 * Runs `fn` inside of `scope`, and waits for what it returns inside of it too: `await` would call the `then` of a task in the
 * scope of the one who awaits.
 */
export function enterAndWait<A, T>(
  scope: Scope,
  fn: (argument: A) => T | PromiseLike<T>,
  argument: A,
): T | PromiseLike<T> {
  const result = enter(scope, fn, argument);
  if (result === null || typeof result !== 'object' || result instanceof Promise || !('then' in result))
    return result;
  return enter(scope, adopt, result as PromiseLike<T>);
}

function adopt<T>(thenable: PromiseLike<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    thenable.then(resolve, reject);
  });
}

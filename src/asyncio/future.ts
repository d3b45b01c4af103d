import { currentScope, enter, outside, type Scope } from './context.ts';
import { CancelledError, InvalidStateError } from './errors.ts';
import { report, retrieved, type Site, type Unretrieved, watch } from './report.ts';
import { takePending, Wait } from './suspend.ts';

/** Told once when a future is settled, before anything else happens. */
export interface Listener {
  settled(future: Future<unknown>): void;
}

export const PENDING = 0;
export const FULFILLED = 1;
export const FAILED = 2;
export const CANCELLED = 3;

class DoneCallback<T> implements Listener {
  readonly fn: (future: Future<T>) => void;
  readonly scope: Scope | undefined;

  constructor(fn: (future: Future<T>) => void) {
    this.fn = fn;
    this.scope = currentScope();
  }

  settled(future: Future<unknown>): void {
    queueMicrotask(() => {
      const { scope } = this;
      const call = (): void => {
        try {
          this.fn(future as Future<T>);
        } catch (error) {
          report(`a done-callback of ${future.describe()} failed`, error);
        }
      };
      if (scope === undefined) outside(call);
      else enter(scope, call, undefined);
    });
  }
}

/** Waiting for a future: cancelling the one who waits cancels the future, and the wait ends when the future has ended. */
export class FutureWait<T> extends Wait<T> implements Listener {
  readonly target: Future<T>;

  constructor(scope: Scope | undefined, target: Future<T>) {
    super(scope, '');
    this.target = target;
    target.subscribe(this);
  }

  settled(): void {
    const { target } = this;
    if (target.state === FULFILLED) this.complete(target.value as T);
    else this.fail(target.value);
  }

  override abort(error: CancelledError): boolean {
    // A circle of tasks that wait for each other is broken where the request has come round.
    if (this.target.passingOn) return super.abort(error);
    return this.target.cancel(error.reason);
  }

  protected override disarm(): void {}
}

/**
 * A result that will be there later, set by whoever has it. It can be awaited by many, and cancelled.
 *
 * Cancelling a task that awaits a future cancels the future; `shield` prevents that. An error that nobody retrieves is
 * reported, never an unhandled rejection.
 *
 * Source: `asyncio.Future`.
 *
 * @example
 * ```ts
 * import { Future } from 'aiohttp-ts/asyncio';
 * const answer = new Future<number>();
 * setTimeout(() => answer.setResult(42), 10);
 * console.log(await answer); // 42
 * ```
 */
export class Future<T> implements PromiseLike<T> {
  /** @internal */
  state: number;
  /** @internal The result or the error. */
  value: unknown;
  /** @internal */
  seen: boolean;
  /** @internal */
  record: Unretrieved | undefined;
  /** @internal One, or a set when there are more. */
  listeners: Listener | Set<Listener> | undefined;
  /** @internal Whether it is just passing a cancellation on to what it waits for. */
  passingOn: boolean;

  constructor() {
    this.state = PENDING;
    this.value = undefined;
    this.seen = false;
    this.record = undefined;
    this.listeners = undefined;
    this.passingOn = false;
  }

  /** Whether it has a result, an error, or was cancelled. */
  done(): boolean {
    return this.state !== PENDING;
  }

  /** Whether it ended by cancellation. */
  cancelled(): boolean {
    return this.state === CANCELLED;
  }

  /**
   * The result.
   *
   * @throws InvalidStateError when there is none yet
   * @throws CancelledError when it was cancelled
   * @throws the error that it ended with
   */
  result(): T {
    if (this.state === PENDING)
      throw new InvalidStateError(`Result is not set: ${this.describe()} is still pending.`);
    this.retrieve();
    if (this.state === FULFILLED) return this.value as T;
    throw this.value;
  }

  /**
   * The error that it ended with; undefined when it ended with a result.
   *
   * @throws InvalidStateError when it has not ended yet
   * @throws CancelledError when it was cancelled
   */
  exception(): unknown {
    if (this.state === PENDING) {
      throw new InvalidStateError(`Exception is not set: ${this.describe()} is still pending.`);
    }
    this.retrieve();
    if (this.state === CANCELLED) throw this.value;
    return this.state === FAILED ? this.value : undefined;
  }

  /**
   * Sets the result.
   *
   * @throws InvalidStateError when it has ended already
   */
  setResult(value: T): void {
    this.requirePending();
    this.settle(FULFILLED, value);
  }

  /**
   * Sets the error. A `CancelledError` counts as cancellation.
   *
   * @throws InvalidStateError when it has ended already
   */
  setException(error: unknown): void {
    this.requirePending();
    this.settle(error instanceof CancelledError ? CANCELLED : FAILED, error);
  }

  /**
   * Cancels it: everybody who awaits it gets `CancelledError`.
   *
   * @param message becomes the error's `reason`
   * @returns false when it had ended already
   */
  cancel(message?: string): boolean {
    if (this.state !== PENDING) return false;
    this.settle(CANCELLED, new CancelledError(message));
    return true;
  }

  /**
   * Calls a function once it has ended, in a microtask; in one from now when it has ended already. The function runs in the
   * context of the caller of `addDoneCallback`; what it throws is reported.
   */
  addDoneCallback(fn: (future: this) => void): void {
    const callback = new DoneCallback<T>(fn as (future: Future<T>) => void);
    if (this.state === PENDING) this.subscribe(callback);
    else callback.settled(this);
  }

  /**
   * Takes a callback back.
   *
   * @returns how many times it was registered
   */
  removeDoneCallback(fn: (future: this) => void): number {
    const { listeners } = this;
    const all = listeners instanceof Set ? [...listeners] : listeners === undefined ? [] : [listeners];
    const found = all.filter((listener) => listener instanceof DoneCallback && listener.fn === fn);
    for (const listener of found) this.unsubscribe(listener);
    return found.length;
  }

  /** What `await` calls. Cancelling the task that awaits cancels this one too. */
  // biome-ignore lint/suspicious/noThenProperty: it is a thenable on purpose, await takes it
  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.wait().then(onfulfilled, onrejected);
  }

  /** @internal */
  wait(): Promise<T> {
    this.retrieve();
    if (this.state === FULFILLED) return Promise.resolve(this.value as T);
    if (this.state !== PENDING) return Promise.reject(this.value);
    const scope = currentScope();
    if (scope === undefined || scope.task === undefined) return new FutureWait<T>(undefined, this).promise;
    if ((scope.task as Future<unknown>) === this) {
      return Promise.reject(new InvalidStateError(`${this.describe()} cannot wait for itself.`));
    }
    const due = takePending(scope);
    const wait = new FutureWait<T>(scope, this);
    if (due !== undefined && !wait.abort(due)) scope.root.pending = due;
    return wait.promise;
  }

  /** @internal */
  subscribe(listener: Listener): void {
    const { listeners } = this;
    if (listeners === undefined) this.listeners = listener;
    else if (listeners instanceof Set) listeners.add(listener);
    else this.listeners = new Set([listeners, listener]);
  }

  /** @internal */
  unsubscribe(listener: Listener): void {
    const { listeners } = this;
    if (listeners === listener) this.listeners = undefined;
    else if (listeners instanceof Set) listeners.delete(listener);
  }

  /** @internal Somebody has seen, or will see, how it ended. */
  retrieve(): void {
    if (this.seen) return;
    this.seen = true;
    if (this.record !== undefined) retrieved(this.record);
    this.record = undefined;
  }

  /** @internal */
  settle(state: number, value: unknown): void {
    this.state = state;
    this.value = value;
    const { listeners } = this;
    this.listeners = undefined;
    if (listeners !== undefined) {
      if (listeners instanceof Set) for (const listener of listeners) listener.settled(this);
      else listeners.settled(this);
    }
    if (state === FAILED && !this.seen) {
      this.record = { error: value, task: this.describe(), site: this.madeSite() };
      watch(this, this.record);
    }
  }

  /** @internal How messages call it. */
  describe(): string {
    return 'a future';
  }

  /** @internal Where it was made, if known. */
  madeSite(): Site | undefined {
    return undefined;
  }

  private requirePending(): void {
    if (this.state !== PENDING)
      throw new InvalidStateError(`The result of ${this.describe()} is already set.`);
  }
}

/** See {@link withResolvers}. */
export interface Resolvers<T> {
  /** The future that the two functions settle. */
  readonly promise: Future<T>;
  /** Sets the result; does nothing when the future has ended already, as a promise's. */
  readonly resolve: (value: T) => void;
  /** Sets the error; does nothing when the future has ended already. */
  readonly reject: (error: unknown) => void;
}

/**
 * A future with the functions that settle it, in the shape of `Promise.withResolvers` (which Node 20 lacks).
 *
 * Source: `loop.create_future`; ECMAScript `Promise.withResolvers`.
 *
 * @example
 * ```ts
 * import { withResolvers } from 'aiohttp-ts/asyncio';
 * const { promise, resolve } = withResolvers<string>();
 * setTimeout(resolve, 10, 'ready');
 * console.log(await promise);
 * ```
 */
export function withResolvers<T = void>(): Resolvers<T> {
  const promise = new Future<T>();
  return {
    promise,
    resolve: (value) => {
      if (!promise.done()) promise.setResult(value);
    },
    reject: (error) => {
      if (!promise.done()) promise.setException(error);
    },
  };
}

import { currentScope, type PendingWait, type Scope } from './context.ts';
import type { CancelledError } from './errors.ts';

const ignore = (): void => {};

/**
 * A wait that has not ended yet. It is listed with the task that waits, so that `cancel()` finds it.
 *
 * A wait that was completed is no longer listed: a cancellation that comes later meets the task's next wait, and what was
 * handed over (a lock, an item of a queue) is never lost on the way.
 */
export abstract class Wait<T> implements PendingWait {
  readonly scope: Scope | undefined;
  readonly label: string;
  readonly promise: Promise<T>;
  declare protected resolve: (value: T) => void;
  declare protected reject: (error: unknown) => void;
  protected ended: boolean;

  constructor(scope: Scope | undefined, label: string) {
    this.scope = scope;
    this.label = label;
    this.ended = false;
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    if (scope !== undefined) scope.root.hold(this);
  }

  /** Ends the wait with a value. */
  complete(value: T): void {
    if (this.ended) return;
    this.end();
    this.resolve(value);
  }

  /** Ends the wait with an error. */
  fail(error: unknown): void {
    if (this.ended) return;
    this.end();
    this.reject(error);
  }

  /** Ends the wait because its task (or scope) was cancelled; true if the waiting code will see it. */
  abort(error: CancelledError): boolean {
    if (this.ended) return false;
    this.end();
    this.disarm();
    // Whoever started several waits and is cancelled looks at one of them: the others are no unhandled rejections.
    this.promise.catch(ignore);
    this.reject(error);
    return true;
  }

  /** Stops what the wait waits for. */
  protected abstract disarm(): void;

  private end(): void {
    this.ended = true;
    const { scope } = this;
    if (scope !== undefined) scope.root.drop(this);
  }
}

class ArmedWait<T> extends Wait<T> {
  private stop: (() => void) | undefined = undefined;
  private aborted = false;

  arm(arm: Arm<T>): Promise<T> {
    try {
      const stop = arm(
        (value) => this.complete(value),
        (error) => this.fail(error),
      );
      if (typeof stop === 'function') {
        // Cancelled by what arm() itself called: nobody else will stop it.
        if (this.aborted) stop();
        else this.stop = stop;
      }
    } catch (error) {
      this.fail(error);
    }
    return this.promise;
  }

  protected override disarm(): void {
    this.aborted = true;
    const { stop } = this;
    this.stop = undefined;
    stop?.();
  }
}

/** Starts a wait; may return the function that ends it early. */
export type Arm<T> = (
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
  // biome-ignore lint/suspicious/noConfusingVoidType: a wait that cannot be stopped is written without a return statement
) => (() => void) | undefined | void;

/** The cancellation that is due in this scope or one around it. Taken once. */
export function takePending(from: Scope | undefined): CancelledError | undefined {
  for (let scope = from; scope !== undefined; scope = scope.parent) {
    const error = scope.pending;
    if (error !== undefined) {
      scope.pending = undefined;
      return error;
    }
  }
  return undefined;
}

/**
 * The one place where anything of ours waits: everything that can be cancelled is built on it.
 *
 * `arm` is called at once and starts the wait; it calls `resolve` or `reject` when the wait is over, now or later. It may return a
 * function that ends the wait early: that is called when the task that waits is cancelled, and the promise then rejects with
 * `CancelledError`. Outside of any task it is a plain promise.
 *
 * @param arm starts the wait and may return the function that stops it
 * @param label what `callGraph()` calls this wait
 * @returns a promise that also ends when the waiting task is cancelled
 * @throws CancelledError (as a rejection) when the task is cancelled
 *
 * @example
 * ```ts
 * import { once } from 'node:events';
 * import { Server } from 'node:net';
 * import { suspend } from 'aiohttp-ts/asyncio';
 *
 * function listening(server: Server): Promise<void> {
 *   return suspend((resolve) => {
 *     server.once('listening', resolve);
 *     return () => server.off('listening', resolve);
 *   }, 'listening');
 * }
 * const server = new Server().listen(0);
 * await listening(server);
 * server.close();
 * await once(server, 'close');
 * ```
 */
export function suspend<T>(arm: Arm<T>, label = 'a wait'): Promise<T> {
  const scope = currentScope();
  if (scope === undefined || scope.task === undefined) {
    return new Promise<T>((resolve, reject) => {
      arm(resolve, reject);
    });
  }
  const due = takePending(scope);
  if (due !== undefined) return Promise.reject(due);
  return new ArmedWait<T>(scope, label).arm(arm);
}

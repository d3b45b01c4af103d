import { currentScope, enter, moduleVariables, Scope } from './context.ts';
import type { Context } from './context-var.ts';
import { captureSite, isDebug } from './debug.ts';
import { CancelledError, InvalidStateError } from './errors.ts';
import { CANCELLED, FAILED, FULFILLED, Future, PENDING } from './future.ts';
import { linesOf, report, type Site } from './report.ts';

/** Options of {@link createTask}. */
export interface TaskOptions {
  /** The name in reports and in `callGraph()`; default `Task-N`. */
  name?: string | undefined;
  /** The context variables that the task sees and sets; default: a copy of the caller's. Made by `copyContext()`. */
  context?: Context | undefined;
}

/** The tasks that have not ended, of one `run`. */
export type Home = Set<Task<unknown>>;

/** Tasks made outside of any `run`. */
const orphans: Home = new Set();
const homes = new Set<Home>([orphans]);

/** A place of its own for the tasks of one runner. */
export function openHome(): Home {
  const home: Home = new Set();
  homes.add(home);
  return home;
}

/** What is left in it goes on as tasks outside of any `run`. */
export function closeHome(home: Home): void {
  homes.delete(home);
  for (const task of home) {
    task.home = orphans;
    orphans.add(task);
  }
  home.clear();
}

/** Whether the task was made inside of a `run`. */
export function belongsToRun(task: Task<unknown>): boolean {
  return task.home !== orphans;
}

let made = 0;
let ready: Task<unknown>[] = [];
const now = Promise.resolve();

/** Starts all the tasks that were made since the last turn: one microtask for a burst of them. */
function startReady(): void {
  const batch = ready;
  ready = [];
  for (const task of batch) task.begin();
}

function runBody(task: Task<unknown>): void {
  task.runBody();
}

/**
 * A function that runs on its own, can be awaited, and can be cancelled. Made by `createTask`.
 *
 * Source: `asyncio.Task`.
 */
export class Task<T> extends Future<T> {
  /** @internal */
  readonly scope: Scope;
  /** @internal */
  home: Home;
  /** @internal */
  body: (() => T | PromiseLike<T>) | undefined;
  private readonly number: number;
  private givenName: string | undefined;
  private readonly bodyName: string;
  private readonly site: Site | undefined;
  private controller: AbortController | undefined;
  private cancelledItself: boolean;

  /** Use `createTask`. */
  constructor(body: () => T | PromiseLike<T>, options?: TaskOptions, home?: Home) {
    super();
    if (typeof body !== 'function') {
      throw new TypeError(
        `createTask takes a function that starts the work, got ${describeValue(body)}: write createTask(() => work())`,
      );
    }
    const outer = currentScope();
    this.scope = new Scope(this as Task<unknown>, undefined, options?.context);
    if (options?.context === undefined) this.scope.variables = (outer?.holder ?? moduleVariables).variables;
    this.home = home ?? outer?.task?.home ?? orphans;
    this.body = body;
    this.number = ++made;
    this.givenName = options?.name;
    this.bodyName = body.name;
    this.site = captureSite(createTask);
    this.controller = undefined;
    this.cancelledItself = false;
    this.home.add(this as Task<unknown>);
    if (ready.push(this as Task<unknown>) === 1) now.then(startReady);
  }

  /** The name in reports and in `callGraph()`. Source: `get_name`, `set_name`. */
  get name(): string {
    return this.givenName ?? `Task-${this.number}`;
  }

  set name(name: string) {
    this.givenName = name;
  }

  /** The lines of the stack where the task was made; undefined when tasks are made faster than a thousand a second (see `setDebug`). */
  get madeAt(): string | undefined {
    return linesOf(this.site);
  }

  /**
   * An AbortSignal that is aborted when the task is cancelled, with the `CancelledError` as its reason: for libraries that take
   * one. Made when it is first asked for.
   */
  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.state === CANCELLED) this.controller.abort(this.value);
      else if (this.scope.cancels > 0) this.controller.abort(this.scope.pending ?? new CancelledError());
    }
    return this.controller.signal;
  }

  /**
   * Asks the task to end: the wait that it is in throws `CancelledError`, its `finally` blocks run and may wait themselves. A
   * task that has not begun never begins; one that waits for another task passes the request on to that one; one that is inside
   * of a foreign promise meets the request at its next wait of ours (see `cancellable`).
   *
   * It is a request: the task may catch the error and go on.
   *
   * @param message becomes the error's `reason`
   * @returns false when the task has ended already
   */
  override cancel(message?: string): boolean {
    if (this.state !== PENDING) return false;
    this.passingOn = true;
    try {
      const error = new CancelledError(message);
      this.scope.cancel(error);
      if (this.scope.pending === error && currentScope()?.task === this) this.cancelledItself = true;
      this.controller?.abort(error);
    } finally {
      this.passingOn = false;
    }
    return true;
  }

  /** How many cancellations were asked for and not taken back by `uncancel()`. */
  cancelling(): number {
    return this.scope.cancels;
  }

  /**
   * Takes one cancellation back: for code that catches `CancelledError` on purpose and goes on.
   *
   * @returns how many are left
   */
  uncancel(): number {
    return this.scope.uncancel();
  }

  /** A task's result is what its function returns: throws `InvalidStateError`. */
  override setResult(_value: T): void {
    throw new InvalidStateError(
      `setResult is not for tasks: the result of ${this.name} is what its function returns.`,
    );
  }

  /** A task's error is what its function throws: throws `InvalidStateError`. */
  override setException(_error: unknown): void {
    throw new InvalidStateError(
      `setException is not for tasks: the error of ${this.name} is what its function throws.`,
    );
  }

  /** @internal */
  begin(): void {
    const { pending } = this.scope;
    if (pending === undefined) enter(this.scope, runBody, this as Task<unknown>);
    else {
      this.scope.pending = undefined;
      this.end(CANCELLED, pending);
    }
  }

  /** @internal */
  runBody(): void {
    const body = this.body!;
    this.body = undefined;
    let result: T | PromiseLike<T>;
    try {
      result = body();
    } catch (error) {
      this.fail(error);
      return;
    }
    if (isThenable(result)) {
      try {
        result.then(
          (value) => this.finish(value),
          (error: unknown) => this.fail(error),
        );
      } catch (error) {
        this.fail(error);
      }
    } else this.finish(result);
  }

  private finish(value: T): void {
    const { scope } = this;
    // As in CPython, a task that cancels itself and returns before it waits again has been cancelled. A request from
    // elsewhere does not throw away a result that is there already: it could be a lock, or an item taken from a queue.
    if (this.cancelledItself && scope.pending !== undefined) {
      this.end(CANCELLED, scope.pending);
      return;
    }
    if (isDebug() && scope.cancels > 0) {
      report(
        `${this.describe()} was cancelled and ended normally all the same`,
        undefined,
        this as Task<unknown>,
      );
    }
    this.end(FULFILLED, value);
  }

  private fail(error: unknown): void {
    this.end(error instanceof CancelledError ? CANCELLED : FAILED, error);
  }

  private end(state: number, value: unknown): void {
    if (this.state !== PENDING) return;
    this.body = undefined;
    this.home.delete(this as Task<unknown>);
    this.settle(state, value);
  }

  /** @internal */
  override describe(): string {
    return this.bodyName === '' ? this.name : `${this.name} (${this.bodyName})`;
  }

  /** @internal */
  override madeSite(): Site | undefined {
    return this.site;
  }
}

/** Whether `await` would wait for it. */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/** How an error message calls a value that should have been something else. */
export function describeValue(value: unknown): string {
  if (isThenable(value)) return 'a promise';
  if (value === null || typeof value !== 'object') return `${typeof value} ${String(value)}`;
  return `an object of ${value.constructor?.name ?? 'no class'}`;
}

/**
 * Runs a function as a task. It begins in the next microtask, not at once; what it starts belongs to the task; its context
 * variables are a copy of the caller's.
 *
 * The task lives until it ends, whether or not anybody keeps it. An error that nobody retrieves is reported with the task's name and
 * where it was made, and never is an unhandled rejection.
 *
 * Source: `asyncio.create_task`.
 *
 * @param fn what to run: a function, so that the work starts inside of the task
 * @throws TypeError when given a promise: its work has started already
 *
 * @example
 * ```ts
 * import * as asyncio from 'aiohttp-ts/asyncio';
 * const task = asyncio.createTask(
 *   async () => {
 *     await asyncio.sleep(10);
 *     return 'done';
 *   },
 *   { name: 'worker' },
 * );
 * console.log(await task); // done
 * ```
 */
export function createTask<T>(fn: () => T | PromiseLike<T>, options?: TaskOptions): Task<T> {
  return new Task<T>(fn, options);
}

/**
 * The task that the calling code belongs to; undefined outside of every task.
 *
 * Source: `asyncio.current_task`.
 */
export function currentTask(): Task<unknown> | undefined {
  return currentScope()?.task;
}

/**
 * The tasks that have not ended: of the same `run` when called inside of one, else of the whole process.
 *
 * Source: `asyncio.all_tasks`.
 */
export function allTasks(): Set<Task<unknown>> {
  const current = currentTask();
  if (current !== undefined) return new Set(current.home);
  const all = new Set<Task<unknown>>();
  for (const home of homes) for (const task of home) all.add(task);
  return all;
}

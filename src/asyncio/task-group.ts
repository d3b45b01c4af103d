import { currentScope, enterAndWait, Scope } from './context.ts';
import { CancelledError, InvalidStateError, isCancelled } from './errors.ts';
import { ExceptionGroup } from './exception-group.ts';
import { FAILED, type Future, type Listener } from './future.ts';
import { report } from './report.ts';
import { takePending, Wait } from './suspend.ts';
import { createTask, type Task, type TaskOptions } from './task.ts';

/** The end of a group's block, waiting for its tasks. */
export class GroupWait extends Wait<void> {
  readonly targets: ReadonlySet<Task<unknown>>;

  constructor(scope: Scope | undefined, targets: ReadonlySet<Task<unknown>>) {
    super(scope, 'a task group');
    this.targets = targets;
  }

  protected override disarm(): void {}
}

/**
 * A group of tasks that end together: nothing that was started in it is left running when it is over.
 *
 * `taskGroup(body)` is the usual form. This class is the block form, for `await using`: the block calls `join()` at its end; a block
 * that is left without it (by an error, by `return`) cancels its tasks and waits for them. Unlike with `taskGroup` the failure
 * of a task does not interrupt the block's own waits: it is thrown by `join()`.
 *
 * Source: `asyncio.TaskGroup`; the block form: Java's `StructuredTaskScope`.
 *
 * @example
 * ```ts
 * import { sleep, TaskGroup } from 'aiohttp-ts/asyncio';
 * await using group = new TaskGroup();
 * const one = group.createTask(() => sleep(1, 1));
 * const two = group.createTask(() => sleep(2, 2));
 * await group.join();
 * console.log(one.result() + two.result()); // 3
 * ```
 */
export class TaskGroup implements Listener, AsyncDisposable {
  private readonly tasks: Set<Task<unknown>>;
  private readonly errors: unknown[];
  private readonly block: Scope | undefined;
  private aborting: boolean;
  private exiting: boolean;
  private interrupted: boolean;
  private waiting: GroupWait | undefined;

  constructor();
  /** @internal */
  constructor(block: Scope);
  constructor(block?: Scope) {
    this.tasks = new Set();
    this.errors = [];
    this.block = block;
    this.aborting = false;
    this.exiting = false;
    this.interrupted = false;
    this.waiting = undefined;
  }

  /**
   * Starts a task in the group.
   *
   * @throws InvalidStateError when the group has ended, or is ending because a task failed
   */
  createTask<T>(fn: () => T | PromiseLike<T>, options?: TaskOptions): Task<T> {
    if (this.exiting && this.tasks.size === 0)
      throw new InvalidStateError('The TaskGroup is finished: no task can be added.');
    if (this.aborting) throw new InvalidStateError('The TaskGroup is shutting down: no task can be added.');
    const task = createTask(fn, options);
    this.tasks.add(task as Task<unknown>);
    task.subscribe(this);
    return task;
  }

  /**
   * Waits for all tasks of the block form. May be called once, at the end of the block.
   *
   * @throws ExceptionGroup of the errors of the tasks, when any failed: the others were cancelled then
   * @throws CancelledError when the caller is cancelled: the tasks were cancelled too, and have ended
   */
  async join(): Promise<void> {
    this.exiting = true;
    const cancelled = await this.drain();
    this.finish(cancelled);
  }

  /** Without `join()` before it: cancels the tasks and waits for them. Their errors are reported, not thrown. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.exiting = true;
    if (this.tasks.size > 0) {
      this.abort();
      const cancelled = await this.drain();
      const scope = currentScope();
      // A disposer must not hide the error that ends its block: the cancellation meets the next wait.
      if (cancelled !== undefined) rearm(scope, cancelled);
    }
    for (const error of this.errors.splice(0))
      report('a task failed in a TaskGroup that was left without join()', error);
  }

  /** Called when a task of the group has ended. */
  settled(task: Future<unknown>): void {
    this.tasks.delete(task as Task<unknown>);
    if (task.state === FAILED) {
      task.retrieve();
      this.errors.push(task.value);
      if (!this.aborting) {
        this.abort();
        if (!this.exiting && this.block !== undefined) {
          this.interrupted = true;
          this.block.cancel(new CancelledError('a task of the group failed'));
        }
      }
    }
    if (this.tasks.size === 0) this.waiting?.complete();
  }

  /** @internal The callback form: runs the body, then waits. */
  async run<T>(body: (group: TaskGroup) => T | PromiseLike<T>, block: Scope): Promise<T> {
    const before = block.cancelsAround();
    let value: T | undefined;
    let bodyError: { error: unknown } | undefined;
    let cancelled: CancelledError | undefined;
    try {
      value = await enterAndWait(block, body, this as TaskGroup);
    } catch (error) {
      if (!isCancelled(error)) bodyError = { error };
      // What the failure of a task did to the body is part of that failure; what came from around goes on.
      else if (!this.interrupted || block.cancelsAround() > before) cancelled = error;
      if (!this.aborting) this.abort();
    }
    this.exiting = true;
    cancelled = (await this.drain()) ?? cancelled;
    if (bodyError !== undefined && !(cancelled !== undefined && this.errors.length === 0))
      this.errors.push(bodyError.error);
    this.finish(cancelled);
    return value as T;
  }

  private abort(): void {
    this.aborting = true;
    for (const task of [...this.tasks]) task.cancel();
  }

  /** Waits until no task is left, even when cancelled meanwhile; returns that cancellation. */
  private async drain(): Promise<CancelledError | undefined> {
    let cancelled: CancelledError | undefined;
    while (this.tasks.size > 0) {
      try {
        await this.untilEmpty();
      } catch (error) {
        if (!isCancelled(error)) throw error;
        cancelled ??= error;
        this.abort();
      }
    }
    return cancelled;
  }

  private untilEmpty(): Promise<void> {
    const scope = currentScope();
    const due = takePending(scope);
    if (due !== undefined) return Promise.reject(due);
    this.waiting = new GroupWait(scope?.task === undefined ? undefined : scope, this.tasks);
    return this.waiting.promise;
  }

  private finish(cancelled: CancelledError | undefined): void {
    if (this.errors.length === 0) {
      if (cancelled !== undefined) throw cancelled;
      return;
    }
    // Both happened: the errors are thrown, and the cancellation meets the next wait.
    if (cancelled !== undefined) rearm(currentScope(), cancelled);
    throw new ExceptionGroup('unhandled errors in a TaskGroup', this.errors.splice(0));
  }
}

function rearm(from: Scope | undefined, error: CancelledError): void {
  for (let scope = from; scope !== undefined; scope = scope.parent) {
    if (scope.cancels > 0) {
      scope.pending = error;
      return;
    }
  }
}

/**
 * Runs a function with a group of tasks, and waits for all of them. When one fails, the others and the function are
 * cancelled, and all the errors are thrown as one `ExceptionGroup` once everything has ended. Cancelling the caller cancels all.
 *
 * Outside of every task the function runs as a task of its own.
 *
 * Source: `asyncio.TaskGroup`.
 *
 * @param body starts tasks by `group.createTask`
 * @returns what `body` returns
 * @throws ExceptionGroup with the errors of the tasks and of `body`
 *
 * @example
 * ```ts
 * import { sleep, taskGroup } from 'aiohttp-ts/asyncio';
 * const sum = await taskGroup(async (group) => {
 *   const one = group.createTask(() => sleep(1, 1));
 *   const two = group.createTask(() => sleep(2, 2));
 *   return (await one) + (await two);
 * });
 * console.log(sum); // 3
 * ```
 */
export async function taskGroup<T>(body: (group: TaskGroup) => T | PromiseLike<T>): Promise<T> {
  const outer = currentScope();
  if (outer === undefined || outer.task === undefined) return await createTask(() => taskGroup(body));
  const block = new Scope(outer.task, outer, outer.holder);
  return await new TaskGroup(block).run(body, block);
}

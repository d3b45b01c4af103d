import { callGraph } from './call-graph.ts';
import { currentScope } from './context.ts';
import { type Context, copyContext } from './context-var.ts';
import { isDebug, setDebug, watchLoop } from './debug.ts';
import { DeadlockError, InvalidStateError, isCancelled, KeyboardInterrupt } from './errors.ts';
import { FAILED } from './future.ts';
import { report, reportUnretrieved } from './report.ts';
import { belongsToRun, closeHome, describeValue, type Home, openHome, Task } from './task.ts';
import { checkDuration, startTimer } from './timer.ts';

/** Options of {@link run} and {@link Runner}. */
export interface RunOptions {
  /** Debug mode while it runs, see `setDebug`; default: as it is. */
  debug?: boolean | undefined;
  /**
   * Whether ctrl-C (SIGINT) cancels the main task; default true. It does not when the program has a listener for SIGINT of its
   * own.
   */
  handleSignals?: boolean | undefined;
  /**
   * How long, in milliseconds, the tasks that are left at the end may take to end once they are cancelled; default 10,000. Those
   * that do not (they are inside of a foreign promise) are reported and left alone.
   */
  shutdownTimeout?: number | undefined;
}

/** The exit code for a process that ctrl-C ended, as shells have it: 128 + SIGINT. */
const INTERRUPTED_EXIT_CODE = 130;

/** What is done for all runs of the process at once. */
let running = 0;

/**
 * The cancelled code of a task sees one of its waits fail; a promise that it had started besides and never looks at again would
 * end the process. Cancellations are no errors, so those are dropped; everything else ends the process as it would have without
 * this listener.
 */
function dropCancellations(reason: unknown): void {
  if (isCancelled(reason) || process.listenerCount('unhandledRejection') > 1) return;
  throw reason;
}

function enterProcess(): void {
  if (running++ === 0) process.on('unhandledRejection', dropCancellations);
}

function leaveProcess(): void {
  if (--running === 0) process.off('unhandledRejection', dropCancellations);
}

/**
 * Runs one or several main functions with tasks of their own: `run` is the short form for one.
 *
 * The context variables that one main function sets are there for the next. Leaving the block (or `close()`) cancels the tasks
 * that are left.
 *
 * Source: `asyncio.Runner`.
 *
 * @example
 * ```ts
 * import { Runner, sleep } from 'aiohttp-ts/asyncio';
 * await using runner = new Runner();
 * console.log(await runner.run(() => sleep(1, 'one')));
 * console.log(await runner.run(() => sleep(1, 'two')));
 * ```
 */
export class Runner implements AsyncDisposable {
  private readonly options: RunOptions;
  private readonly home: Home;
  private readonly context: Context;
  private readonly debugBefore: boolean;
  private readonly unwatch: (() => void) | undefined;
  private busy: boolean;
  private closed: boolean;

  constructor(options: RunOptions = {}) {
    if (options.shutdownTimeout !== undefined) checkDuration(options.shutdownTimeout, 'shutdownTimeout');
    this.options = options;
    this.home = openHome();
    this.context = copyContext();
    this.debugBefore = isDebug();
    if (options.debug !== undefined) setDebug(options.debug);
    this.unwatch = isDebug() ? watchLoop() : undefined;
    this.busy = false;
    this.closed = false;
    enterProcess();
  }

  /**
   * Runs a function as a task, to its end.
   *
   * @param main the function
   * @returns what it returns
   * @throws TypeError when given a promise
   * @throws InvalidStateError inside of another run, or when closed
   * @throws KeyboardInterrupt when ctrl-C ended it
   * @throws DeadlockError when it waits and nothing is left that could wake it
   */
  async run<T>(main: () => T | PromiseLike<T>): Promise<T> {
    if (typeof main !== 'function') {
      throw new TypeError(
        `run takes a function that starts the work, got ${describeValue(main)}: write asyncio.run(main)`,
      );
    }
    if (this.closed) throw new InvalidStateError('The Runner is closed.');
    if (this.busy || insideOfRun()) throw nested();
    this.busy = true;
    const task = new Task<T>(main, { context: this.context }, this.home);
    const interrupts = this.listen(task as Task<unknown>);
    const watch = new DeadlockWatch(task as Task<unknown>);
    try {
      return await Promise.race([task.wait(), watch.stuck]);
    } catch (error) {
      if (!isCancelled(error)) throw error;
      if (watch.error !== undefined) throw watch.error;
      if (interrupts.count() > 0 && task.uncancel() === 0) throw interruption(error);
      throw error;
    } finally {
      watch.stop();
      interrupts.stop();
      this.busy = false;
    }
  }

  /** Cancels the tasks that are left and waits for them. Errors of theirs are reported. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    try {
      await this.cancelLeftovers();
    } finally {
      closeHome(this.home);
      this.unwatch?.();
      if (this.options.debug !== undefined) setDebug(this.debugBefore);
      reportUnretrieved();
      leaveProcess();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private async cancelLeftovers(): Promise<void> {
    const { shutdownTimeout = 10_000 } = this.options;
    const left = [...this.home];
    if (left.length === 0) return;
    for (const task of left) task.cancel();
    await new Promise<void>((resolve) => {
      const stopTimer = startTimer(shutdownTimeout, resolve);
      let open = left.length;
      const settled = (): void => {
        if (--open > 0) return;
        stopTimer();
        resolve();
      };
      for (const task of left) task.subscribe({ settled });
    });
    for (const task of left) {
      if (task.state === FAILED && !task.seen) {
        task.retrieve();
        report('a task failed while run() was ending', task.value, task);
      } else if (!task.done()) {
        const seconds = shutdownTimeout / 1_000;
        report(
          `${task.describe()} was cancelled by the end of run() and did not end within ${seconds} s`,
          undefined,
          task,
        );
      }
    }
  }

  private listen(task: Task<unknown>): { count(): number; stop(): void } {
    let count = 0;
    const onInterrupt = (): void => {
      count++;
      if (count === 1) task.cancel('interrupted by ctrl-C (SIGINT)');
      else process.exit(INTERRUPTED_EXIT_CODE);
    };
    const listening = this.options.handleSignals !== false && process.listenerCount('SIGINT') === 0;
    if (listening) process.on('SIGINT', onInterrupt);
    return {
      count: () => count,
      stop: () => {
        if (listening) process.off('SIGINT', onInterrupt);
      },
    };
  }
}

function insideOfRun(): boolean {
  const task = currentScope()?.task;
  return task !== undefined && belongsToRun(task);
}

function interruption(cause: unknown): KeyboardInterrupt {
  const interrupt = new KeyboardInterrupt(undefined, { cause });
  // Nobody needs the stack of the signal handler: uncaught, this is all that is printed.
  interrupt.stack = `${interrupt.name}: ${interrupt.message}`;
  process.once('uncaughtExceptionMonitor', (error) => {
    if ((error as unknown) !== interrupt) return;
    process.once('exit', () => {
      process.exitCode = INTERRUPTED_EXIT_CODE;
    });
  });
  return interrupt;
}

/** Tells when the process has nothing left to do while the main task still waits: without it Node would just end, with exit code 13. */
class DeadlockWatch {
  /** Rejects when the main task is inside of a foreign promise, where cancelling it does not help. */
  readonly stuck: Promise<never>;
  /** The error, once it has happened. */
  error: DeadlockError | undefined;
  private readonly task: Task<unknown>;
  private reject: (error: unknown) => void;

  constructor(task: Task<unknown>) {
    this.task = task;
    this.error = undefined;
    this.reject = () => {};
    this.stuck = new Promise((_, reject) => {
      this.reject = reject;
    });
    this.stuck.catch(() => {});
    process.on('beforeExit', this.onIdle);
  }

  stop(): void {
    process.off('beforeExit', this.onIdle);
  }

  private readonly onIdle = (): void => {
    this.stop();
    const error = new DeadlockError(
      `The main task waits, and nothing is left in the process that could wake it:\n${callGraph()}`,
    );
    this.error = error;
    this.task.cancel('deadlock');
    setImmediate(() => {
      if (!this.task.done()) this.reject(error);
    });
  };
}

/**
 * Runs a function as the main task, to its end, and then cancels the tasks that are left and waits for them, so that nothing goes on
 * behind the program's back.
 *
 * Ctrl-C cancels the main task once: its `finally` blocks run, and `run` throws `KeyboardInterrupt`, with which the process ends with exit
 * code 130 if nobody catches it. A second ctrl-C ends the process at once.
 *
 * Source: `asyncio.run`.
 *
 * @param main the function; it is not given a promise, because that work would have begun outside of the run
 * @returns what it returns
 * @throws what it throws
 * @throws TypeError when given a promise
 * @throws InvalidStateError inside of another run
 * @throws KeyboardInterrupt when ctrl-C ended it
 * @throws DeadlockError when it waits and nothing is left that could wake it
 *
 * @example
 * ```ts
 * import * as asyncio from 'aiohttp-ts/asyncio';
 * async function main(): Promise<void> {
 *   await asyncio.sleep(10);
 *   console.log('done');
 * }
 * await asyncio.run(main);
 * ```
 */
export async function run<T>(main: () => T | PromiseLike<T>, options: RunOptions = {}): Promise<T> {
  if (insideOfRun()) throw nested();
  const runner = new Runner(options);
  try {
    return await runner.run(main);
  } finally {
    await runner.close();
  }
}

function nested(): InvalidStateError {
  return new InvalidStateError(
    'asyncio.run() cannot be called from inside of another run: await the function instead.',
  );
}

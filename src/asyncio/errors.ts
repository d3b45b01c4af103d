/**
 * Thrown at the wait of a task that was asked to end (`task.cancel()`, a timeout, a group that shuts down).
 *
 * Python keeps it outside of `Exception`; JavaScript's `catch` takes everything. Code that catches errors of any kind
 * lets this one pass: `if (isCancelled(error)) throw error`.
 *
 * Source: `asyncio.CancelledError`.
 *
 * @example
 * ```ts
 * import * as asyncio from 'aiohttp-ts/asyncio';
 * const task = asyncio.createTask(async () => {
 *   try {
 *     await asyncio.sleep(60_000);
 *   } catch (error) {
 *     if (asyncio.isCancelled(error)) throw error;
 *     console.log('failed for another reason', error);
 *   }
 * });
 * await asyncio.sleep(0);
 * task.cancel();
 * ```
 */
export class CancelledError extends Error {
  readonly code: 'AIO_CANCELLED' = 'AIO_CANCELLED';
  /** What was given to `cancel(message)`. */
  readonly reason: string | undefined;

  static {
    CancelledError.prototype.name = 'CancelledError';
  }

  constructor(reason?: string) {
    super(reason ?? 'the task was cancelled');
    this.reason = reason;
  }
}

/**
 * A time limit passed: `timeout`, `timeoutAt`, `waitFor`, `asCompleted`.
 *
 * Source: `TimeoutError` of Python, which asyncio raises.
 */
export class TimeoutError extends Error {
  readonly code: string = 'AIO_TIMEOUT';

  static {
    TimeoutError.prototype.name = 'TimeoutError';
  }

  constructor(message = 'the time limit passed', options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * Something was asked of a task, future, lock or group that its present state does not allow: `result()` before the end, a
 * result set twice, a lock released that nobody holds, a task made in a finished group.
 *
 * Source: `asyncio.InvalidStateError`, and the `RuntimeError`s of asyncio.
 */
export class InvalidStateError extends Error {
  readonly code: 'AIO_INVALID_STATE' = 'AIO_INVALID_STATE';

  static {
    InvalidStateError.prototype.name = 'InvalidStateError';
  }
}

/**
 * Ctrl-C ended the main function of `run`.
 *
 * Uncaught, it ends the process with exit code 130, as a shell expects.
 *
 * Source: `KeyboardInterrupt` of Python.
 */
export class KeyboardInterrupt extends Error {
  readonly code: 'AIO_INTERRUPTED' = 'AIO_INTERRUPTED';

  static {
    KeyboardInterrupt.prototype.name = 'KeyboardInterrupt';
  }

  constructor(message = 'interrupted by ctrl-C (SIGINT)', options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * The main function of `run` waits, and nothing is left in the process that could wake it. The message holds the call graph.
 */
export class DeadlockError extends Error {
  readonly code: 'AIO_DEADLOCK' = 'AIO_DEADLOCK';

  static {
    DeadlockError.prototype.name = 'DeadlockError';
  }
}

/** `queue.getNowait()` on an empty queue. Source: `asyncio.QueueEmpty`. */
export class QueueEmpty extends Error {
  readonly code: 'AIO_QUEUE_EMPTY' = 'AIO_QUEUE_EMPTY';

  static {
    QueueEmpty.prototype.name = 'QueueEmpty';
  }
}

/** `queue.putNowait()` on a full queue. Source: `asyncio.QueueFull`. */
export class QueueFull extends Error {
  readonly code: 'AIO_QUEUE_FULL' = 'AIO_QUEUE_FULL';

  static {
    QueueFull.prototype.name = 'QueueFull';
  }
}

/** `put` on a queue that was shut down, or `get` when nothing is left in it. Source: `asyncio.QueueShutDown`. */
export class QueueShutDown extends Error {
  readonly code: 'AIO_QUEUE_SHUT_DOWN' = 'AIO_QUEUE_SHUT_DOWN';

  static {
    QueueShutDown.prototype.name = 'QueueShutDown';
  }
}

/** The barrier was aborted or reset while tasks waited at it. Source: `asyncio.BrokenBarrierError`. */
export class BrokenBarrierError extends Error {
  readonly code: 'AIO_BROKEN_BARRIER' = 'AIO_BROKEN_BARRIER';

  static {
    BrokenBarrierError.prototype.name = 'BrokenBarrierError';
  }
}

/** `ContextVar.get()` when the variable has no value and no default. Source: `LookupError` of `contextvars`. */
export class LookupError extends Error {
  readonly code: 'AIO_NO_VALUE' = 'AIO_NO_VALUE';

  static {
    LookupError.prototype.name = 'LookupError';
  }
}

/**
 * Whether an error is the cancellation of a task. The idiom in a `catch` that takes everything:
 * `if (asyncio.isCancelled(error)) throw error`.
 *
 * Looks at the code, not at the class, so that two copies of the package in one process agree.
 *
 * @example
 * ```ts
 * import { isCancelled, CancelledError } from 'aiohttp-ts/asyncio';
 * console.log(isCancelled(new CancelledError())); // true
 * ```
 */
export function isCancelled(error: unknown): error is CancelledError {
  return error instanceof Error && (error as { code?: unknown }).code === 'AIO_CANCELLED';
}

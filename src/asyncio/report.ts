import type { Task } from './task.ts';

/**
 * What is told to the exception handler: an error that no code will ever see.
 *
 * Source: the context of `loop.call_exception_handler`.
 */
export interface ExceptionContext {
  /** What happened, in one line. */
  readonly message: string;
  /** The error itself. */
  readonly error: unknown;
  /** The name of the task concerned. */
  readonly task: string | undefined;
  /** The stack of the `createTask` call, where it is known. */
  readonly madeAt: string | undefined;
}

/** See {@link setExceptionHandler}. */
export type ExceptionHandler = (context: ExceptionContext) => void;

function print(context: ExceptionContext): void {
  const lines = [`asyncio: ${context.message}`];
  if (context.task !== undefined) lines.push(`  task: ${context.task}`);
  if (context.madeAt !== undefined) lines.push(`  made${context.madeAt.replace(/^\s*/, ' ')}`);
  if (context.error === undefined) console.error(lines.join('\n'));
  else console.error(lines.join('\n'), context.error);
}

let handler: ExceptionHandler = print;

/**
 * Sets who is told of errors that no code will see: of a task whose result nobody asked for, of a done-callback, of a task that
 * failed while `run` was cancelling what was left. Without one they are printed by `console.error`.
 *
 * Source: `loop.set_exception_handler`.
 *
 * @param next the handler; undefined goes back to printing
 *
 * @example
 * ```ts
 * import { setExceptionHandler } from 'aiohttp-ts/asyncio';
 * setExceptionHandler(({ message, error, task }) => console.warn(message, task, error));
 * setExceptionHandler(undefined);
 * ```
 */
export function setExceptionHandler(next: ExceptionHandler | undefined): void {
  handler = next ?? print;
}

/** Tells the handler. An error of the handler itself is printed: a report must not end the process. */
export function report(message: string, error: unknown, task?: Task<unknown>): void {
  tell({ message, error, task: task?.name, madeAt: task?.madeAt });
}

function tell(context: ExceptionContext): void {
  try {
    handler(context);
  } catch (failure) {
    print(context);
    console.error('asyncio: the exception handler failed', failure);
  }
}

/** An error that nobody asked for yet. It must not hold the task, or the task would never be collected. */
export interface Unretrieved {
  readonly error: unknown;
  readonly task: string;
  /** Holds the stack of the place; formatted only if it is told. */
  readonly site: Site | undefined;
}

/** What `Error.captureStackTrace` wrote on. */
export interface Site {
  stack?: string;
}

/** The lines of a captured stack, without its headline. */
export function linesOf(site: Site | undefined): string | undefined {
  const stack = site?.stack;
  if (stack === undefined) return undefined;
  const start = stack.indexOf('\n');
  return start === -1 ? undefined : stack.slice(start + 1);
}

const waiting = new Set<Unretrieved>();
const collected = new FinalizationRegistry<Unretrieved>(tellUnretrieved);

function tellUnretrieved(record: Unretrieved): void {
  if (!waiting.delete(record)) return;
  if (waiting.size === 0) process.off('exit', reportUnretrieved);
  tell({
    message: `the error of ${record.task} was never retrieved`,
    error: record.error,
    task: record.task,
    madeAt: linesOf(record.site),
  });
}

/** Watches a failed task: the error is told when the task is garbage collected, at the end of `run`, or at the end of the process. */
export function watch(task: object, record: Unretrieved): void {
  if (waiting.size === 0) process.on('exit', reportUnretrieved);
  waiting.add(record);
  collected.register(task, record, record);
}

/** Somebody asked for the error. */
export function retrieved(record: Unretrieved): void {
  if (!waiting.delete(record)) return;
  if (waiting.size === 0) process.off('exit', reportUnretrieved);
  collected.unregister(record);
}

/** Tells all that nobody asked for so far. */
export function reportUnretrieved(): void {
  for (const record of [...waiting]) {
    collected.unregister(record);
    tellUnretrieved(record);
  }
}

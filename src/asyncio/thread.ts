import { availableParallelism } from 'node:os';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { currentScope, outside, type Scope } from './context.ts';
import { InvalidStateError } from './errors.ts';
import { takePending, Wait } from './suspend.ts';
import { describeValue } from './task.ts';
import { type Answer, type Job, type SentError, threadMain } from './thread-worker.ts';
import { checkDuration } from './timer.ts';

/** Options of {@link ThreadPool}. */
export interface ThreadPoolOptions {
  /** How many threads at most; default: one per processor. */
  size?: number | undefined;
  /** After how many idle milliseconds a thread ends; default 10,000. An idle thread never keeps the process. */
  idleTimeout?: number | undefined;
}

/** The functions that a module exports, called in a thread. */
export type ThreadModule<M> = {
  readonly [K in keyof M as M[K] extends (...args: never[]) => unknown ? K : never]: M[K] extends (
    ...args: infer A
  ) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

type Work = { readonly source: string } | { readonly module: string; readonly name: string };

/** A job that waits for a thread or runs in one. */
class JobWait extends Wait<unknown> {
  readonly job: Job;
  private readonly pool: ThreadPool;
  thread: Thread | undefined;

  constructor(scope: Scope | undefined, pool: ThreadPool, job: Job) {
    super(scope, 'a thread');
    this.pool = pool;
    this.job = job;
    this.thread = undefined;
  }

  protected override disarm(): void {
    this.pool.drop(this);
  }
}

// Transpilers that keep the names of functions (esbuild) put calls of `__name` into the source of functions.
const program = new URL(
  `data:text/javascript,${encodeURIComponent(`import { parentPort } from 'node:worker_threads';
globalThis.__name ??= (fn) => fn;
(${threadMain.toString()})(parentPort, (url) => import(url));`)}`,
);
/**
 * Threads inherit the flags of the process, such as a loader for TypeScript. Only a program given by `-e` has one that a URL refuses
 * (`--input-type`); then they get what loads modules and nothing else, since a list is checked more strictly than what is inherited.
 */
function threadOptions(): WorkerOptions {
  const flags = process.execArgv;
  if (!flags.some((flag) => flag.startsWith('--input-type'))) return {};
  const loads = /^(--import|--require|-r|--loader|--experimental-loader)(=|$)/;
  const isValue = (index: number): boolean =>
    index > 0 && loads.test(flags[index - 1]!) && !flags[index - 1]!.includes('=');
  return { execArgv: flags.filter((flag, index) => loads.test(flag) || isValue(index)) };
}

/** A worker thread, with the one job that it has. */
class Thread {
  readonly worker: Worker;
  job: JobWait | undefined;
  stopIdling: (() => void) | undefined;

  constructor(pool: ThreadPool) {
    this.job = undefined;
    this.stopIdling = undefined;
    this.worker = new Worker(program, threadOptions());
    this.worker.on('message', (answer: Answer) => pool.answered(this, answer));
    this.worker.on('error', (error) => pool.died(this, error));
    this.worker.on('exit', (code) => pool.died(this, new Error(`the thread ended with exit code ${code}`)));
    this.worker.on('messageerror', (error) => pool.died(this, error));
  }
}

/**
 * Threads for work that keeps a processor busy: hashing, compressing, parsing. There are never more than `size`; work that finds
 * none free waits in order. Cancelling the wait for work ends the thread that runs it.
 *
 * `toThread` and `threadModule` use one pool of this kind; make another to limit some work on its own.
 *
 * Source: `concurrent.futures.ThreadPoolExecutor`, `loop.run_in_executor`.
 *
 * @example
 * ```ts
 * import { ThreadPool } from 'aiohttp-ts/asyncio';
 * await using pool = new ThreadPool({ size: 2 });
 * console.log(await pool.run((a: number, b: number) => a * b, 6, 7)); // 42
 * ```
 */
export class ThreadPool implements AsyncDisposable {
  private readonly size: number;
  private readonly idleTimeout: number;
  private readonly threads: Set<Thread>;
  private readonly idle: Thread[];
  private readonly queue: Set<JobWait>;
  private jobs: number;
  private closed: boolean;

  constructor(options: ThreadPoolOptions = {}) {
    const { size = Math.min(32, availableParallelism()), idleTimeout = 10_000 } = options;
    if (!Number.isInteger(size) || size < 1)
      throw new RangeError(`the size of a ThreadPool is a whole number >= 1, got ${size}`);
    this.size = size;
    this.idleTimeout = checkDuration(idleTimeout, 'idleTimeout');
    this.threads = new Set();
    this.idle = [];
    this.queue = new Set();
    this.jobs = 0;
    this.closed = false;
  }

  /** Runs a function in a thread, see {@link toThread}. */
  run<A extends readonly unknown[], R>(fn: (...args: A) => R, ...args: A): Promise<Awaited<R>> {
    return this.submit({ source: sourceOf(fn) }, args) as Promise<Awaited<R>>;
  }

  /** The functions of a module, called in a thread, see {@link threadModule}. */
  module<M extends object>(url: URL): ThreadModule<M> {
    const { href } = url;
    return new Proxy({} as ThreadModule<M>, {
      get: (_, name) => {
        // Awaiting the object itself must not call an export named `then`.
        if (typeof name !== 'string' || name === 'then') return undefined;
        return (...args: readonly unknown[]) => this.submit({ module: href, name }, args);
      },
    });
  }

  /** Ends the threads. Work that has not ended throws InvalidStateError. */
  async close(): Promise<void> {
    this.closed = true;
    const error = new InvalidStateError('The ThreadPool was closed.');
    for (const wait of this.queue) wait.fail(error);
    this.queue.clear();
    this.idle.length = 0;
    await Promise.all(
      [...this.threads].map((thread) => {
        thread.job?.fail(error);
        return this.end(thread);
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal */
  answered(thread: Thread, answer: Answer): void {
    const { job } = thread;
    if (job === undefined || job.job.id !== answer.id) return;
    thread.job = undefined;
    this.rest(thread);
    if ('value' in answer) job.complete(answer.value);
    else job.fail('error' in answer ? unpack(answer.error) : answer.thrown);
  }

  /** @internal */
  died(thread: Thread, error: unknown): void {
    if (!this.forget(thread)) return;
    thread.job?.fail(error);
    thread.job = undefined;
    this.startNext();
  }

  /** @internal The one who waited was cancelled. JavaScript cannot stop a function, only the whole thread. */
  drop(wait: JobWait): void {
    this.queue.delete(wait);
    const { thread } = wait;
    if (thread === undefined || thread.job !== wait) return;
    thread.job = undefined;
    void this.end(thread);
    this.startNext();
  }

  private submit(work: Work, args: readonly unknown[]): Promise<unknown> {
    if (this.closed) return Promise.reject(new InvalidStateError('The ThreadPool was closed.'));
    const scope = currentScope();
    const due = takePending(scope);
    if (due !== undefined) return Promise.reject(due);
    const job = { id: ++this.jobs, args, ...work } as Job;
    const wait = new JobWait(scope?.task === undefined ? undefined : scope, this, job);
    this.queue.add(wait);
    this.startNext();
    return wait.promise;
  }

  private startNext(): void {
    const [wait] = this.queue;
    if (wait === undefined) return;
    let thread = this.idle.pop();
    if (thread === undefined && this.threads.size >= this.size) return;
    this.queue.delete(wait);
    if (thread === undefined) {
      try {
        thread = outside(() => new Thread(this));
      } catch (error) {
        wait.fail(error);
        return;
      }
      this.threads.add(thread);
    }
    thread.stopIdling?.();
    thread.job = wait;
    wait.thread = thread;
    thread.worker.ref();
    try {
      thread.worker.postMessage(wait.job);
    } catch (error) {
      thread.job = undefined;
      this.rest(thread);
      wait.fail(
        new TypeError(`the arguments cannot be sent to a thread: ${(error as Error).message}`, {
          cause: error,
        }),
      );
    }
  }

  /** The thread has nothing to do: it takes the next job, or idles. */
  private rest(thread: Thread): void {
    thread.worker.unref();
    this.idle.push(thread);
    if (this.queue.size > 0) {
      this.startNext();
      return;
    }
    thread.stopIdling = outside(() => {
      const timer = setTimeout(() => void this.end(thread), Math.min(this.idleTimeout, 2 ** 31 - 1));
      timer.unref();
      return () => clearTimeout(timer);
    });
  }

  private async end(thread: Thread): Promise<void> {
    this.forget(thread);
    await thread.worker.terminate();
  }

  private forget(thread: Thread): boolean {
    thread.stopIdling?.();
    const index = this.idle.indexOf(thread);
    if (index !== -1) this.idle.splice(index, 1);
    return this.threads.delete(thread);
  }
}

function sourceOf(fn: unknown): string {
  if (typeof fn !== 'function') throw new TypeError(`toThread takes a function, got ${describeValue(fn)}`);
  const source = Function.prototype.toString.call(fn);
  if (/\{\s*\[native code\]\s*\}$/.test(source)) {
    throw new TypeError(
      `toThread cannot send ${fn.name || 'this function'}: it is native or bound; write it as an arrow function`,
    );
  }
  if (!/^(async\b\s*)?(function\b|\(|[\p{ID_Start}$_][\p{ID_Continue}$]*\s*=>)/u.test(source)) {
    throw new TypeError(
      `toThread cannot send ${fn.name || 'this function'}: methods and classes are not sent; write it as an arrow function`,
    );
  }
  return source;
}

const builtIn: Readonly<Record<string, ErrorConstructor>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

function unpack({ name, message, stack, properties }: SentError): Error {
  const known = builtIn[name];
  const error = new (known ?? Error)(message);
  if (known === undefined && name !== 'Error')
    Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  if (stack !== undefined)
    error.stack = `${stack}\n    in a thread, called${error.stack?.slice(error.stack.indexOf('\n')) ?? ''}`;
  return Object.assign(error, properties);
}

let shared: ThreadPool | undefined;

/**
 * Runs a function in another thread, so that the event loop goes on meanwhile. For work that keeps a processor busy; what waits
 * (files, network) needs no thread.
 *
 * The function is sent as source text: it sees its arguments and the globals of the thread (`await import('node:…')` works), and nothing
 * of the module around it. Arguments and result are copied, as `structuredClone` does. For functions that need imports, or that
 * are built by a bundler, use `threadModule`.
 *
 * Cancelling ends the thread. Errors come back with name, message, code, properties and the stack of the thread.
 *
 * Source: `asyncio.to_thread`.
 *
 * @param fn a function that uses nothing from outside of itself; may be async
 * @param args its arguments
 * @throws TypeError when the function, an argument or the result cannot be sent
 * @throws CancelledError when the task is cancelled
 *
 * @example
 * ```ts
 * import { toThread } from 'aiohttp-ts/asyncio';
 * const sum = await toThread((n: number) => {
 *   let total = 0;
 *   for (let i = 1; i <= n; i++) total += i;
 *   return total;
 * }, 1_000_000);
 * console.log(sum); // 500000500000
 * ```
 */
export function toThread<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  ...args: A
): Promise<Awaited<R>> {
  shared ??= new ThreadPool();
  return shared.run(fn, ...args);
}

/**
 * The functions that a module exports, each called in another thread. The module is loaded there once per thread.
 *
 * @param url the module: `new URL('./work.js', import.meta.url)`
 * @returns an object with the module's functions, which return promises now
 *
 * @example
 * ```ts
 * import { threadModule } from 'aiohttp-ts/asyncio';
 * const zlib = threadModule<typeof import('node:zlib')>(new URL('node:zlib'));
 * const packed = await zlib.gzipSync('text');
 * console.log(packed.length > 0);
 * ```
 */
export function threadModule<M extends object>(url: URL): ThreadModule<M> {
  shared ??= new ThreadPool();
  return shared.module<M>(url);
}

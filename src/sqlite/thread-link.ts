import { Worker } from 'node:worker_threads';
import { outside } from '../asyncio/index.ts';
import { InterfaceError, NotSupportedError } from '../sql/index.ts';
import type { Bound, DriverValue } from './driver.ts';
import { EngineError, type EngineOptions, type Result, type SqlFunction, type Take } from './engine.ts';
import type { Link } from './link.ts';
import type { Plan } from './plan.ts';
import { threadProgram } from './thread-program.ts';
import type { Answer, Call, NumberedCall, ThreadData } from './thread-protocol.ts';

/** How long a call that nobody waits for may go on before its thread is ended, in ms. */
const GRACE = 100;

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  readonly progress: ((remaining: number, total: number) => void) | undefined;
}

/** Flags that load modules, and nothing else of what this process was started with. */
function loaders(): string[] {
  const flags = process.execArgv;
  const loads = /^(--import|--require|-r|--loader|--experimental-loader)(=|$)/;
  return flags.filter((flag, index) => {
    const before = flags[index - 1];
    return loads.test(flag) || (before !== undefined && loads.test(before) && !before.includes('='));
  });
}

/** A connection in a thread. Calls that are made in one turn go to it in one message, and its answers come back in one. */
export class ThreadLink implements Link {
  private readonly worker: Worker;
  private readonly calls: Map<number, Pending>;
  private outgoing: NumberedCall[];
  private count: number;
  private ended: Error | undefined;
  /** Number of the call that closes a thread that was given up. */
  private closing: number | undefined;
  /** Whether somebody waits for the end of the thread. */
  private awaited: boolean;
  private readonly stop: Int32Array<SharedArrayBuffer>;
  private exited: Promise<void>;

  private constructor(options: EngineOptions) {
    this.calls = new Map();
    this.outgoing = [];
    this.count = 0;
    this.ended = undefined;
    this.closing = undefined;
    this.awaited = false;
    this.stop = new Int32Array(new SharedArrayBuffer(4));
    const workerData: ThreadData = { options, stop: this.stop };
    this.worker = new Worker(threadProgram(), { workerData, execArgv: loaders(), stdin: false });
    this.exited = new Promise((resolve) => {
      this.worker.once('exit', (code) => {
        this.end(
          new InterfaceError(`the thread of the database ended with exit code ${code}`, {
            code: 'AIO_SQL_CONNECTION_LOST',
          }),
        );
        resolve();
      });
    });
    this.worker.on('message', (answers: readonly Answer[]) => this.answered(answers));
    this.worker.on('error', (cause: Error) => {
      this.end(
        new InterfaceError(`the thread of the database failed: ${cause.message}`, {
          code: 'AIO_SQL_CONNECTION_LOST',
          cause,
        }),
      );
    });
  }

  /** Starts a thread; the promise ends when its connection is open. */
  static async open(options: EngineOptions): Promise<ThreadLink> {
    const link = outside(() => new ThreadLink(options));
    try {
      await new Promise<void>((resolve, reject) => {
        link.calls.set(0, { resolve, reject, progress: undefined });
      });
    } catch (error) {
      await link.terminate();
      throw error;
    }
    return link;
  }

  get pending(): number {
    return this.calls.size;
  }

  get lastCall(): number {
    return this.count;
  }

  get lost(): boolean {
    return this.ended !== undefined;
  }

  get givenUp(): boolean {
    return this.closing !== undefined;
  }

  query(plan: Plan, values: Bound, take: Take): Promise<Result> {
    return this.send({ op: 'query', text: plan.text, values: ownBytes(values), take });
  }

  many(plan: Plan, list: readonly Bound[]): Promise<number> {
    return this.send({ op: 'many', text: plan.text, list: list.map(ownBytes) });
  }

  fetch(cursor: number, count: number): Promise<readonly DriverValue[][]> {
    return this.send({ op: 'fetch', cursor, count });
  }

  closeCursor(cursor: number): void {
    if (!this.lost) this.send({ op: 'closeCursor', cursor }).catch(() => {});
  }

  inTransaction(): Promise<boolean> {
    return this.send({ op: 'inTransaction' });
  }

  define({ name }: SqlFunction): void {
    throw new NotSupportedError(
      `the function '${name}' cannot be sent to the thread of the database: functions need mode 'main'`,
    );
  }

  backup(path: string, pages: number, progress: (remaining: number, total: number) => void): Promise<void> {
    return this.send({ op: 'backup', path, pages }, progress);
  }

  abandon(call: number): void {
    const timer = outside(() =>
      setTimeout(() => {
        if (!this.calls.has(call) || this.lost) return;
        const [running] = this.calls.keys();
        if (running === call) this.giveUp();
        // The thread is busy for somebody who still waits.
        else this.abandon(call);
      }, GRACE),
    );
    timer.unref();
  }

  async close(): Promise<void> {
    this.awaited = true;
    this.hold();
    if (!this.lost) {
      try {
        await this.send({ op: 'close' });
      } finally {
        this.ended ??= new InterfaceError('the connection is closed', { code: 'AIO_SQL_CLOSED' });
        await this.terminate();
      }
    }
    await this.exited;
  }

  private async terminate(): Promise<void> {
    this.awaited = true;
    this.hold();
    await this.worker.terminate();
  }

  /** An idle connection lets the process end; a call that is waited for does not, and neither does a thread whose end is. */
  private hold(): void {
    if (this.awaited || this.calls.size > 0) this.worker.ref();
    else this.worker.unref();
  }

  private send<T>(call: Call, progress?: Pending['progress']): Promise<T> {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    const id = ++this.count;
    return new Promise<T>((resolve, reject) => {
      this.calls.set(id, { resolve, reject, progress });
      if (this.calls.size === 1) this.hold();
      if (this.outgoing.push({ id, call }) === 1) queueMicrotask(() => this.flush());
    });
  }

  private giveUp(): void {
    this.end(
      new InterfaceError('the thread of the database was given up, because it was busy for nobody', {
        code: 'AIO_SQL_CONNECTION_LOST',
      }),
    );
    // Native code of a driver may end the whole process when its thread is terminated: it is asked to stop at the next row.
    Atomics.store(this.stop, 0, 1);
    this.closing = ++this.count;
    this.worker.postMessage([{ id: this.closing, call: { op: 'close' } }] satisfies NumberedCall[]);
    this.hold();
  }

  private flush(): void {
    const { outgoing } = this;
    this.outgoing = [];
    if (!this.lost) this.worker.postMessage(outgoing);
  }

  private answered(answers: readonly Answer[]): void {
    for (const answer of answers) {
      if (answer.id === this.closing) void this.worker.terminate();
      const pending = this.calls.get(answer.id);
      if (pending === undefined) continue;
      if ('remaining' in answer) {
        pending.progress?.(answer.remaining, answer.total);
        continue;
      }
      this.calls.delete(answer.id);
      if ('failure' in answer) pending.reject(new EngineError(answer.failure, undefined));
      else pending.resolve(answer.value as never);
    }
    if (this.calls.size === 0) this.hold();
  }

  private end(error: Error): void {
    this.ended ??= error;
    const calls = [...this.calls.values()];
    this.calls.clear();
    for (const { reject } of calls) reject(this.ended);
  }
}

/** A small Buffer is a window into a large pool, and all of the pool would be sent. */
function ownBytes(values: Bound): Bound {
  const own = (value: DriverValue): DriverValue =>
    value instanceof Uint8Array && value.byteLength > 0 && value.byteLength < value.buffer.byteLength
      ? new Uint8Array(value)
      : value;
  if (Array.isArray(values)) {
    return values.some((value) => value instanceof Uint8Array) ? values.map(own) : values;
  }
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, own(value)]));
}

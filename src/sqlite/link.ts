import type { Bound, DriverValue } from './driver.ts';
import { Engine, type EngineOptions, type Result, type SqlFunction, type Take } from './engine.ts';
import type { Plan } from './plan.ts';

/** Told how long a statement kept the event loop. */
export type Watch = (plan: Plan, milliseconds: number) => void;

/**
 * One connection to the database, wherever it runs. Calls are answered in their order. A link of the main thread answers at once; one of a thread gives
 * promises.
 */
export interface Link {
  /** Calls without an answer yet. */
  readonly pending: number;
  /** Number of the call that was made last. */
  readonly lastCall: number;
  /** Whether it was lost, and answers nothing any more. */
  readonly lost: boolean;
  /** Whether it was lost because it was busy for nobody, and not by its own fault: what others asked of it can be asked again. */
  readonly givenUp: boolean;
  query(plan: Plan, values: Bound, take: Take): Result | Promise<Result>;
  many(plan: Plan, list: readonly Bound[]): number | Promise<number>;
  fetch(cursor: number, count: number): readonly DriverValue[][] | Promise<readonly DriverValue[][]>;
  closeCursor(cursor: number): void;
  inTransaction(): boolean | Promise<boolean>;
  define(fn: SqlFunction): void;
  backup(path: string, pages: number, progress: (remaining: number, total: number) => void): Promise<void>;
  /** Nobody waits for this call any more. A link that is busy with it for long is given up, so that nobody else waits for what it does. */
  abandon(call: number): void;
  close(): Promise<void>;
}

/** A connection that runs on the main thread. */
export class LocalLink implements Link {
  readonly pending: number = 0;
  readonly lastCall: number = 0;
  readonly lost: boolean = false;
  readonly givenUp: boolean = false;
  private readonly engine: Engine;
  private readonly watch: Watch | undefined;

  constructor(options: EngineOptions, watch: Watch | undefined) {
    this.engine = new Engine(options);
    this.watch = watch;
  }

  query(plan: Plan, values: Bound, take: Take): Result {
    const { watch } = this;
    // What `connect` does by itself, and changes of the schema, run when a program starts: nobody waits for an answer then.
    if (watch === undefined || (plan.kind !== 'read' && plan.kind !== 'write' && plan.kind !== 'commit'))
      return this.engine.query(plan, values, take);
    const start = performance.now();
    try {
      return this.engine.query(plan, values, take);
    } finally {
      watch(plan, performance.now() - start);
    }
  }

  many(plan: Plan, list: readonly Bound[]): number {
    return this.engine.many(plan.text, list);
  }

  fetch(cursor: number, count: number): readonly DriverValue[][] {
    return this.engine.fetch(cursor, count);
  }

  closeCursor(cursor: number): void {
    this.engine.closeCursor(cursor);
  }

  inTransaction(): boolean {
    return this.engine.inTransaction();
  }

  define(fn: SqlFunction): void {
    this.engine.define(fn);
  }

  backup(path: string, pages: number, progress: (remaining: number, total: number) => void): Promise<void> {
    return this.engine.backup(path, pages, progress);
  }

  abandon(): void {
    // Nothing of the main thread is under way when somebody else runs.
  }

  async close(): Promise<void> {
    this.engine.close();
  }
}

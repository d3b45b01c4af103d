import {
  type ExecuteOptions,
  InterfaceError,
  OperationalError,
  ProgrammingError,
  TransactionContext,
} from '../sql/index.ts';
import type { CursorSource } from './cursor.ts';
import { type Bound, type DriverValue, lossesOf } from './driver.ts';
import { EngineError, type EngineOptions, type Result, type SqlFunction, type Take } from './engine.ts';
import type { Ran, Settings } from './executor.ts';
import { errorOf, isBusy, wasRefused } from './failures.ts';
import { type Link, LocalLink, type Watch } from './link.ts';
import type { Decided } from './options.ts';
import { type Plan, Plans, planOf } from './plan.ts';
import { type Reader, Readers } from './readers.ts';
import { watchFor } from './slow.ts';
import { ThreadLink } from './thread-link.ts';
import type { Transaction } from './transaction.ts';
import { Turnstile } from './turnstile.ts';
import { type WaitLimit, Waits } from './waits.ts';

/** Pauses between tries while another process holds the lock, in ms: the first, and the longest. */
const FIRST_PAUSE = 2;
const LONGEST_PAUSE = 25;

const ROLLBACK = planOf('ROLLBACK');

/** The connections of one database, and who may use which. */
export class Core {
  readonly options: Decided;
  readonly settings: Settings;
  readonly waits: Waits;
  readonly turnstile: Turnstile;
  readonly context: TransactionContext<Transaction>;
  readonly functions: SqlFunction[];
  /** Transactions that are open. */
  readonly transactions: Set<Transaction>;
  /** Backups that run: closing a connection under one may end the process. */
  readonly backups: Set<Promise<void>>;
  private readonly watch: Watch | undefined;
  private readonly readers: Readers;
  private writerLink: Link;
  private reopening: Promise<Link> | undefined;
  /** Whether one connection serves all: in memory, without WAL, or since something exists on the writer only. */
  single: boolean;
  closing: boolean;

  private constructor(options: Decided, writer: Link, watch: Watch | undefined) {
    this.options = options;
    this.settings = {
      plans: new Plans(1_000),
      binding: {
        dates: options.dates,
        losses: lossesOf(options.engine.driver),
      },
      rowFactory: options.rowFactory,
    };
    this.waits = new Waits();
    this.turnstile = new Turnstile(this.waits);
    this.context = new TransactionContext('sqlite transaction');
    this.functions = [];
    this.transactions = new Set();
    this.backups = new Set();
    this.watch = watch;
    this.writerLink = writer;
    this.reopening = undefined;
    this.single = options.single;
    this.closing = false;
    this.readers = new Readers(() => this.openLink('reader'), options.readers, this.waits);
  }

  /** Opens the connection that writes; the others come when they are needed. */
  static async open(options: Decided, signal: AbortSignal | undefined): Promise<Core> {
    const watch = watchFor(options);
    let writer: Link;
    try {
      const opened = openLink(options, options.engine, watch);
      writer = opened instanceof Promise ? await opened : opened;
    } catch (error) {
      throw explained(error, undefined, `cannot open ${JSON.stringify(options.engine.path)}: `);
    }
    const core = new Core(options, writer, watch);
    try {
      if (!options.single && !options.engine.readOnly) await core.setJournal(signal);
      return core;
    } catch (error) {
      await writer.close();
      if (!wasRefused(error)) throw error;
      const { path } = options.engine;
      throw new OperationalError(
        `cannot open ${JSON.stringify(path)}: it may not be written; { readOnly: true } only reads it`,
        { sqliteCode: (error as OperationalError).sqliteCode, cause: error },
      );
    }
  }

  /** Names the path in messages about the whole database. */
  get path(): string {
    return this.options.engine.path;
  }

  /** @throws InterfaceError (`AIO_SQL_CLOSED`) */
  check(): void {
    if (this.closing) {
      throw new InterfaceError(`the database ${JSON.stringify(this.path)} is closed`, {
        code: 'AIO_SQL_CLOSED',
      });
    }
  }

  /** The connection that writes; a new one, when its thread was lost. What was in memory was lost with it: that is told, instead of an empty database. */
  writer(): Link | Promise<Link> {
    if (!this.writerLink.lost || this.options.single) return this.writerLink;
    this.reopening ??= this.reopen();
    return this.reopening;
  }

  private async reopen(): Promise<Link> {
    try {
      const link = await this.openLink('writer');
      this.writerLink = link;
      return link;
    } finally {
      this.reopening = undefined;
    }
  }

  /** The connections that are open. */
  get links(): readonly Link[] {
    return [this.writerLink, ...this.readers.links];
  }

  limit(options: ExecuteOptions & { readonly timeout?: number | undefined }, what: string): WaitLimit {
    const timeout = options.timeout ?? this.options.busyTimeout;
    return {
      timeout,
      signal: options.signal,
      late: () => new OperationalError(`waited ${timeout} ms for ${what}`, { code: 'AIO_SQL_BUSY' }),
    };
  }

  /** A connection to read from, see `Readers`. */
  reader(alone: boolean, options: ExecuteOptions): Reader | Promise<Reader> {
    return this.readers.acquire(
      alone,
      this.limit(options, 'a free connection: all are held by cursors that were not read to their end'),
    );
  }

  release(reader: Reader): void {
    this.readers.release(reader);
  }

  /** Tries again as long as another process holds the lock. The event loop goes on meanwhile. */
  async retried<T>(
    attempt: () => T | Promise<T>,
    statement: string,
    options: ExecuteOptions & { readonly timeout?: number | undefined },
  ): Promise<T> {
    const timeout = options.timeout ?? this.options.busyTimeout;
    let deadline: number | undefined;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      try {
        const value = attempt();
        return value instanceof Promise ? await value : value;
      } catch (error) {
        if (!(error instanceof EngineError) || !isBusy(error.failure)) throw explained(error, statement);
        const now = performance.now();
        deadline ??= now + timeout;
        if (now >= deadline) throw explained(error, statement, `waited ${timeout} ms: `);
      }
      // Several who wait for the same lock do not come at the same times.
      await this.waits.pause(pause * (0.5 + Math.random() / 2), options.signal);
    }
  }

  /** Runs a statement outside of every transaction. */
  run(plan: Plan, values: Bound, take: Take, options: ExecuteOptions): Ran | Promise<Ran> {
    this.check();
    if (plan.kind === 'savepoint') {
      throw new ProgrammingError(
        'a savepoint stands inside of a transaction: BEGIN first, or use transaction()',
        {
          statement: plan.text,
        },
      );
    }
    if (plan.kind === 'local') this.single = true;
    const reads = plan.kind === 'read' && !plan.onWriter && !this.single;
    if (!this.options.worker) {
      const ran = reads ? this.readNow(plan, values, take, options) : this.writeNow(plan, values, take);
      if (ran !== undefined) return ran;
    }
    return reads ? this.read(plan, values, take, options) : this.write(plan, values, take, options);
  }

  /**
   * On the main thread a connection answers at once, and nearly always one is free: then nothing waits, and no promise is made on the way (it saves 3 of 7
   * µs of a read). `undefined`: it has to wait.
   */
  private readNow(plan: Plan, values: Bound, take: Take, options: ExecuteOptions): Ran | undefined {
    const alone = take === 'part';
    const reader = this.readers.tryAcquire(alone);
    if (reader === undefined) return undefined;
    let cursor = 0;
    try {
      const result = reader.link.query(plan, values, take) as Result;
      ({ cursor } = result);
      return { result, source: cursor === 0 ? undefined : this.source(reader, cursor, plan, options) };
    } catch (error) {
      const known = explained(error, plan.text);
      if (wasRefused(known) || (error instanceof EngineError && isBusy(error.failure))) return undefined;
      throw known;
    } finally {
      if (alone && cursor === 0) this.readers.release(reader);
    }
  }

  private writeNow(plan: Plan, values: Bound, take: Take): Ran | undefined {
    const shared = plan.kind === 'write' || plan.kind === 'read';
    if (!this.turnstile.tryEnter(shared)) return undefined;
    try {
      const { writerLink } = this;
      const result = writerLink.query(plan, values, take === 'part' ? 'all' : take) as Result;
      return { result, source: undefined };
    } catch (error) {
      if (error instanceof EngineError && isBusy(error.failure)) return undefined;
      throw explained(error, plan.text);
    } finally {
      this.turnstile.leave(shared);
    }
  }

  /** Reads on a connection that can only read. */
  async read(plan: Plan, values: Bound, take: Take, options: ExecuteOptions): Promise<Ran> {
    const alone = take === 'part';
    for (;;) {
      const acquired = this.reader(alone, options);
      const reader = acquired instanceof Promise ? await acquired : acquired;
      const { link } = reader;
      let answer: Result | Promise<Result> | undefined;
      const ask = (): Result | Promise<Result> => {
        answer = link.query(plan, values, take);
        return answer;
      };
      let cursor = 0;
      try {
        const result = await this.retried(() => this.interruptible(link, ask, options), plan.text, options);
        ({ cursor } = result);
        return { result, source: cursor === 0 ? undefined : this.source(reader, cursor, plan, options) };
      } catch (error) {
        // It was no read: the connection refused, nothing has happened.
        if (wasRefused(error)) return await this.write(plan, values, take, options);
        // Somebody else's long read was given up, and the thread with it. Reading again does no harm.
        if (!link.givenUp || this.closing || !isLost(error)) throw error;
      } finally {
        if (alone && cursor === 0) this.releaseAfter(reader, answer);
      }
    }
  }

  /** Nobody may wait for the answer any more. A cursor that it brings is closed before others use the connection: they would read what was there when it was opened. */
  private releaseAfter(reader: Reader, answer: Result | Promise<Result> | undefined): void {
    const release = (): void => this.readers.release(reader);
    if (!(answer instanceof Promise)) release();
    else {
      answer.then(({ cursor }) => {
        if (cursor !== 0) reader.link.closeCursor(cursor);
        release();
      }, release);
    }
  }

  /** Runs on the connection that writes, between the transactions. */
  async write(plan: Plan, values: Bound, take: Take, options: ExecuteOptions): Promise<Ran> {
    // What must not run beside others: PRAGMAs and the schema change the connection under them.
    const shared = plan.kind === 'write' || plan.kind === 'read';
    if (!this.turnstile.tryEnter(shared)) {
      await this.turnstile.enter(shared, this.limit(options, 'the right to write'));
    }
    try {
      const opened = this.writer();
      const link = opened instanceof Promise ? await opened : opened;
      const result = await this.retried(
        // The writer keeps no cursor: whoever waits to write would wait for whoever reads.
        () => link.query(plan, values, take === 'part' ? 'all' : take),
        plan.text,
        options,
      );
      return { result, source: undefined };
    } finally {
      this.turnstile.leave(shared);
    }
  }

  /** Runs a script outside of transactions; it may have some of its own. */
  async script(statements: readonly Plan[], options: ExecuteOptions): Promise<void> {
    this.check();
    if (statements.some(({ kind }) => kind === 'local')) this.single = true;
    await this.turnstile.enter(false, this.limit(options, 'the right to write'));
    try {
      const link = await this.writer();
      try {
        for (const plan of statements) {
          options.signal?.throwIfAborted();
          await this.retried(() => link.query(plan, [], 'one'), plan.text, options);
        }
        if (await link.inTransaction()) {
          throw new ProgrammingError('the script left a transaction open, which was rolled back');
        }
      } catch (error) {
        if (!link.lost && (await link.inTransaction())) await link.query(ROLLBACK, [], 'all');
        throw error;
      }
    } finally {
      this.turnstile.leave(false);
    }
  }

  /** Waits for an answer of a thread, so that the wait can end without it. The thread is ended, if it does not come to rest. */
  interruptible<T>(link: Link, ask: () => T | Promise<T>, options: ExecuteOptions): T | Promise<T> {
    const answer = ask();
    if (!(answer instanceof Promise)) return answer;
    const call = link.lastCall;
    return this.waits.until<T>(
      (resolve, reject) => {
        answer.then(resolve, reject);
        return () => link.abandon(call);
      },
      { signal: options.signal },
    );
  }

  /** Closes everything. What runs has ended before. */
  async close(): Promise<void> {
    this.waits.interrupt(
      new InterfaceError(`the database ${JSON.stringify(this.path)} was closed`, { code: 'AIO_SQL_CLOSED' }),
    );
    await this.readers.close();
    await this.reopening?.catch(() => {});
    await this.writerLink.close();
  }

  private source(reader: Reader, cursor: number, plan: Plan, options: ExecuteOptions): CursorSource {
    let open = true;
    const close = (): void => {
      if (!open) return;
      open = false;
      reader.link.closeCursor(cursor);
      this.readers.release(reader);
    };
    return {
      fetch: async (count: number): Promise<readonly DriverValue[][]> => {
        this.check();
        options.signal?.throwIfAborted();
        try {
          return await this.interruptible(reader.link, () => reader.link.fetch(cursor, count), options);
        } catch (error) {
          close();
          throw explained(error, plan.text);
        }
      },
      close,
    };
  }

  private openLink(role: EngineOptions['role']): Link | Promise<Link> {
    const engine: EngineOptions = { ...this.options.engine, role };
    const failed = (error: unknown): never => {
      throw explained(error, undefined, `cannot open ${JSON.stringify(engine.path)} once more: `);
    };
    try {
      const opened = openLink(this.options, engine, this.watch);
      if (opened instanceof Promise) return opened.catch(failed);
      for (const fn of this.functions) opened.define(fn);
      return opened;
    } catch (error) {
      return failed(error);
    }
  }

  private async setJournal(signal: AbortSignal | undefined): Promise<void> {
    const { journalMode } = this.options.engine;
    const plan = planOf(`PRAGMA journal_mode = ${journalMode}`);
    const { rows } = await this.retried(() => this.writerLink.query(plan, [], 'all'), plan.text, { signal });
    // Without WAL (some file systems have no shared memory) a reader stops the writer: one connection for both does not stop itself.
    if (rows[0]?.[0] !== 'wal') this.single = true;
  }
}

function openLink(options: Decided, engine: EngineOptions, watch: Watch | undefined): Link | Promise<Link> {
  return options.worker ? ThreadLink.open(engine) : new LocalLink(engine, watch);
}

function isLost(error: unknown): boolean {
  return error instanceof InterfaceError && error.code === 'AIO_SQL_CONNECTION_LOST';
}

/** The error that the caller gets for one of the driver. */
export function explained(error: unknown, statement: string | undefined, prefix = ''): unknown {
  if (!(error instanceof EngineError)) return error;
  const { failure } = error;
  return errorOf({ ...failure, message: prefix + failure.message }, statement, error.cause);
}

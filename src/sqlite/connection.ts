import { isAbsolute, resolve as resolvePath } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Database,
  type ExecuteOptions,
  NotSupportedError,
  OperationalError,
  ProgrammingError,
  type Row,
  type SqlParameters,
  type SqlTransaction,
  type Statement,
  type TransactionOptions,
  type TransactionScope,
} from '../sql/index.ts';
import { conduct } from './conduct.ts';
import { Core, explained } from './core.ts';
import type { RowFactory } from './cursor.ts';
import type { Bound } from './driver.ts';
import { dumpOf } from './dump.ts';
import type { Take } from './engine.ts';
import { type Batches, Executor, type Ran } from './executor.ts';
import { type ConnectOptions, decide } from './options.ts';
import { type Plan, planOf } from './plan.ts';
import { Transaction } from './transaction.ts';

/** Options of {@link Connection.createFunction}. */
export interface FunctionOptions {
  /** `true`: the same arguments always give the same result, so that indexes may use it. */
  readonly deterministic?: boolean | undefined;
  /** `true`: views and triggers may not call it. */
  readonly directOnly?: boolean | undefined;
  /** `true`: integers come as bigints. */
  readonly useBigIntArguments?: boolean | undefined;
  /** `true`: any number of arguments; else as many as the function declares. */
  readonly varargs?: boolean | undefined;
}

/** Options of {@link Connection.backup}. */
export interface BackupOptions {
  /** Pages that are copied at a time; 100 by default. */
  readonly pages?: number | undefined;
  /** Told after each step how many pages remain, of how many. */
  readonly progress?: ((remaining: number, total: number) => void) | undefined;
}

const TOTAL_CHANGES = planOf('SELECT total_changes()');

/**
 * A database in a file, or in memory. Made by {@link connect}.
 *
 * Statements commit by themselves, unless they belong to a transaction: that of `transaction` or `transactionScope`, or one that `execute('BEGIN')` opened
 * in the same request or task. aiosqlite instead begins one silently before the first write, for everybody who shares the connection.
 *
 * Source: `aiosqlite.Connection`.
 *
 * @example
 * ```ts
 * import * as sqlite from 'aiohttp-ts/sqlite';
 * await using db = await sqlite.connect(':memory:');
 * await db.execute('CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT)');
 * await db.transaction(async (tx) => {
 *   await tx.execute('INSERT INTO posts (title) VALUES (?)', ['one']);
 *   await tx.execute('INSERT INTO posts (title) VALUES (:title)', { title: 'two' });
 * });
 * for await (const { title } of await db.execute<{ title: string }>('SELECT title FROM posts')) console.log(title);
 * ```
 */
export class Connection extends Executor implements Database {
  private readonly core: Core;
  private closed: Promise<void> | undefined;

  /** @internal Use `connect`. */
  constructor(core: Core) {
    super(core.settings);
    this.core = core;
    this.closed = undefined;
  }

  /** Makes the rows of what runs from now on. */
  get rowFactory(): RowFactory {
    return this.settings.rowFactory;
  }

  set rowFactory(factory: RowFactory) {
    this.settings.rowFactory = factory;
  }

  /** The file, as it was given to `connect`. */
  get path(): string {
    return this.core.path;
  }

  /** Whether the calling request or task is in a transaction that has begun. */
  get inTransaction(): boolean {
    const tx = this.core.context.get();
    return tx?.open === true && tx.begun;
  }

  get currentTransaction(): SqlTransaction | undefined {
    return this.active();
  }

  /** Rows that were changed through this connection, triggers included. Source: `total_changes`. */
  async totalChanges(): Promise<number> {
    const tx = this.active();
    const asked = tx?.begun
      ? tx.runHere(TOTAL_CHANGES, [], 'one', {})
      : this.core.write(TOTAL_CHANGES, [], 'one', {});
    const { result } = await asked;
    return Number(result.rows[0]![0]);
  }

  /** Runs a query and gives all of its rows. Source: `aiosqlite.Connection.execute_fetchall`. */
  executeFetchall<R = Row>(
    statement: Statement,
    parameters?: SqlParameters,
    options?: ExecuteOptions,
  ): Promise<R[]> {
    return this.fetchall<R>(statement, parameters, options);
  }

  /** Runs an INSERT and gives the rowid of its row. Source: `aiosqlite.Connection.execute_insert`. */
  async executeInsert(
    statement: Statement,
    parameters?: SqlParameters,
    options?: ExecuteOptions,
  ): Promise<number | bigint> {
    const { lastrowid } = await this.execute(statement, parameters, options);
    if (lastrowid === undefined) throw new ProgrammingError('executeInsert runs an INSERT');
    return lastrowid;
  }

  /**
   * Commits what `execute('BEGIN')` began. Does nothing outside of a transaction, where everything is committed already, and inside of `transaction` and
   * `transactionScope`, which commit at their end.
   */
  async commit(): Promise<void> {
    const tx = this.core.context.get();
    if (tx?.kind === 'manual' && (tx.open || tx.failed)) await this.endManual(tx, true);
  }

  /** Rolls back what `execute('BEGIN')` began. Does nothing outside of a transaction. */
  async rollback(): Promise<void> {
    const tx = this.core.context.get();
    if (tx?.kind === 'manual') await this.endManual(tx, false);
    else if (tx?.open) {
      throw new ProgrammingError('the function that opened this transaction ends it: throw to roll back');
    }
  }

  override async transaction<T>(
    work: (tx: SqlTransaction) => T | PromiseLike<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    const current = this.active();
    if (current !== undefined) return await current.transaction(work, options);
    this.core.check();
    return await conduct(this.core, new Transaction(this.core, 'work', options), work, options, true);
  }

  /**
   * A transaction for a middleware. Reads before the first write are no part of it: what is read and then written back by computation belongs into
   * `transaction()`, which locks at once.
   *
   * @example
   * ```ts
   * import * as sqlite from 'aiohttp-ts/sqlite';
   * import * as web from 'aiohttp-ts/web';
   * const DB = new web.AppKey<sqlite.Connection>('db');
   * const transactions = web.middleware(async (request, handler) => {
   *   const scope = request.configDict.get(DB).transactionScope();
   *   try {
   *     const response = await scope.run(() => handler(request));
   *     await scope.commit();
   *     return response;
   *   } catch (error) {
   *     await scope.rollback();
   *     throw error;
   *   }
   * });
   * new web.Application({ middlewares: [transactions] });
   * ```
   */
  transactionScope(options: TransactionOptions = {}): TransactionScope {
    const { core } = this;
    core.check();
    // Inside of another transaction it is a savepoint, as `transaction` is.
    const tx = new Transaction(core, 'scope', options, this.active());
    return {
      get begun(): boolean {
        return tx.begun;
      },
      run: (work) => core.context.run(tx, work),
      commit: () => tx.finish(true),
      rollback: () => tx.finish(false),
    };
  }

  /**
   * Makes a function known to SQL. It must not use this connection.
   *
   * @throws NotSupportedError in `mode: 'worker'`: a function cannot be sent to a thread
   *
   * Source: `sqlite3.Connection.create_function`.
   *
   * @example
   * ```ts
   * import * as sqlite from 'aiohttp-ts/sqlite';
   * await using db = await sqlite.connect(':memory:');
   * db.createFunction('shout', (text: string) => `${text.toUpperCase()}!`, { deterministic: true });
   * console.log(await db.fetchone("SELECT shout('hello') AS a")); // { a: 'HELLO!' }
   * ```
   */
  createFunction(
    name: string,
    fn: (...args: never[]) => null | string | number | bigint | Uint8Array | undefined,
    options: FunctionOptions = {},
  ): void {
    const { core } = this;
    core.check();
    if (core.options.worker) {
      throw new NotSupportedError(
        `the function '${name}' cannot be sent to the thread of the database: functions need mode 'main'`,
      );
    }
    const definition = { name, options, fn };
    for (const link of core.links) link.define(definition);
    core.functions.push(definition);
  }

  /**
   * Copies the database into a file while it is in use. Node copies in its thread pool, so that nothing waits for it.
   *
   * @throws OperationalError when the file cannot be written
   *
   * Source: `sqlite3.Connection.backup`.
   *
   * @example
   * ```ts
   * import * as sqlite from 'aiohttp-ts/sqlite';
   * await using db = await sqlite.connect('db.sqlite3');
   * await db.backup('copy.sqlite3', { progress: (remaining, total) => console.log(`${total - remaining}/${total}`) });
   * ```
   */
  async backup(target: string | URL, options: BackupOptions = {}): Promise<void> {
    const { pages = 100, progress = () => {} } = options;
    if (!Number.isInteger(pages) || pages < 1) {
      throw new RangeError(`pages is a whole number >= 1, got ${pages}`);
    }
    const { core } = this;
    core.check();
    const path = target instanceof URL ? fileURLToPath(target) : target;
    const running = this.backUp(path, pages, progress);
    core.backups.add(running);
    try {
      await running;
    } catch (error) {
      throw explained(error, undefined, `backup into ${JSON.stringify(path)}: `);
    } finally {
      core.backups.delete(running);
    }
  }

  private async backUp(
    path: string,
    pages: number,
    progress: (remaining: number, total: number) => void,
  ): Promise<void> {
    const { core } = this;
    if (core.single) {
      const link = await core.writer();
      await link.backup(path, pages, progress);
      return;
    }
    const reader = await core.reader(true, {});
    try {
      await reader.link.backup(path, pages, progress);
    } finally {
      core.release(reader);
    }
  }

  /**
   * Ends everything that waits, and every read that a thread is busy with. What has begun to write goes on to its end.
   *
   * Source: `sqlite3.Connection.interrupt`.
   */
  interrupt(): void {
    this.core.waits.interrupt(new OperationalError('interrupted', { code: 'AIO_SQL_INTERRUPTED' }));
  }

  /** The database as SQL text, statement by statement. Source: `sqlite3.Connection.iterdump`. */
  iterdump(): AsyncIterableIterator<string> {
    return dumpOf(new Transaction(this.core, 'work', { readOnly: true }));
  }

  close(): Promise<void> {
    this.closed ??= this.end();
    return this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  protected override run(plan: Plan, values: Bound, take: Take, options: ExecuteOptions): Ran | Promise<Ran> {
    const tx = this.active();
    return tx === undefined
      ? this.core.run(plan, values, take, options)
      : tx.runHere(plan, values, take, options);
  }

  protected override async control(plan: Plan, options: ExecuteOptions): Promise<void> {
    const { core } = this;
    const tx = core.context.get();
    if (plan.kind === 'begin') {
      core.check();
      if (tx?.open) {
        throw new OperationalError('cannot start a transaction within a transaction', {
          statement: plan.text,
        });
      }
      const begun = new Transaction(core, 'manual', { signal: options.signal });
      // Before anything is awaited, so that all that the caller does from now on belongs to it.
      core.context.enter(begun);
      try {
        await begun.begin();
      } catch (error) {
        core.context.leave(begun);
        throw error;
      }
      return;
    }
    if (tx === undefined || !(tx.open || tx.failed || tx.refused)) {
      throw new OperationalError(`cannot ${plan.kind} - no transaction is active`, { statement: plan.text });
    }
    if (tx.kind !== 'manual') {
      throw new ProgrammingError(
        'this transaction is ended by the function that opened it: return to commit, throw to roll back',
        { statement: plan.text },
      );
    }
    await this.endManual(tx, plan.kind === 'commit');
  }

  protected override async within<T>(work: (tx: Batches) => Promise<T>, options: ExecuteOptions): Promise<T> {
    const current = this.active();
    if (current !== undefined) return await current.withinHere(work, options);
    this.core.check();
    return await conduct(this.core, new Transaction(this.core, 'work', options), work, options, false);
  }

  protected override async runScript(statements: readonly Plan[], options: ExecuteOptions): Promise<void> {
    const current = this.active();
    if (current !== undefined) await current.scriptHere(statements, options);
    else await this.core.script(statements, options);
  }

  /** The transaction that statements of the caller belong to. */
  private active(): Transaction | undefined {
    let tx = this.core.context.get();
    while (tx !== undefined && !tx.open) {
      if (tx.failed) tx.check();
      tx = tx.parent;
    }
    return tx;
  }

  private async endManual(tx: Transaction, commit: boolean): Promise<void> {
    const { context } = this.core;
    if (!tx.open) {
      context.leave(tx);
      if (commit) tx.check();
      return;
    }
    try {
      await tx.finish(commit);
    } catch (error) {
      // As with SQLite itself, ROLLBACK may come after a COMMIT that failed.
      if (commit) tx.refused = true;
      else context.leave(tx);
      throw error;
    }
    context.leave(tx);
  }

  private async end(): Promise<void> {
    const { core } = this;
    core.closing = true;
    try {
      await core.turnstile.enter(false, core.limit({}, 'transactions to end'));
    } catch {
      for (const tx of [...core.transactions]) tx.abandon('the database was closed');
    }
    await Promise.allSettled(core.backups);
    await core.close();
  }
}

/**
 * Opens a database; the file is made, if there is none.
 *
 * The file is in WAL mode, `synchronous` is NORMAL, foreign keys are checked. Statements never wait inside of SQLite for another process, so the event loop
 * goes on meanwhile.
 *
 * Source: `aiosqlite.connect`.
 *
 * @param path a file, `':memory:'`, or a `file:` URL
 * @throws InterfaceError (`AIO_SQL_DRIVER`) when this Node has no driver: the message says what to install
 * @throws OperationalError when the file cannot be opened
 *
 * @example
 * ```ts
 * import * as sqlite from 'aiohttp-ts/sqlite';
 * await using db = await sqlite.connect(':memory:');
 * await db.execute('CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT NOT NULL)');
 * const { lastrowid } = await db.execute('INSERT INTO posts (title) VALUES (?)', ['one']);
 * console.log(lastrowid, await db.fetchall('SELECT * FROM posts')); // 1 [ { id: 1, title: 'one' } ]
 * ```
 */
export async function connect(
  path: string | URL,
  options: ConnectOptions & { readonly signal?: AbortSignal | undefined } = {},
): Promise<Connection> {
  const { signal } = options;
  signal?.throwIfAborted();
  const given = path instanceof URL ? fileURLToPath(path) : path;
  const decided = decide(given, options);
  // The path is made absolute now: connections that are opened later must not follow a change of the working directory.
  const file = decided.single || given.startsWith('file:') || isAbsolute(given) ? given : resolvePath(given);
  return new Connection(await Core.open({ ...decided, engine: { ...decided.engine, path: file } }, signal));
}

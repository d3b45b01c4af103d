import { Lock, TimeoutError, timeout } from '../asyncio/index.ts';
import {
  DatabaseError,
  type ExecuteOptions,
  OperationalError,
  ProgrammingError,
  type SqlParameters,
  type SqlTransaction,
  type TransactionContext,
  type TransactionOptions,
} from '../sql/index.ts';
import { interruptible, type PostgresConnection } from './connection.ts';
import { toDatabaseError } from './errors.ts';
import { executeMany, type Lease, PostgresExecutor } from './executor.ts';
import type { Pool } from './pool.ts';

/** How strictly a transaction is kept apart from others (PostgreSQL §13.2). */
export type IsolationLevel = 'read committed' | 'repeatable read' | 'serializable';

/** Options of a transaction on PostgreSQL. */
export interface PostgresTransactionOptions extends TransactionOptions {
  /** The server's default, which is `read committed` unless its owner changed it. */
  readonly isolation?: IsolationLevel | undefined;
  /**
   * How often the whole work is run again when the server gave it up in favour of another (SQLSTATE 40001 and 40P01); 0 by default. The
   * work must have no effects outside of the transaction then.
   */
  readonly retries?: number | undefined;
}

/** What the transactions of a database share. */
export interface TransactionHome {
  readonly pool: Pool;
  readonly context: TransactionContext<PostgresTransaction>;
}

const levels: readonly IsolationLevel[] = ['read committed', 'repeatable read', 'serializable'];

function beginText({ isolation, readOnly, timeout }: PostgresTransactionOptions): string {
  if (isolation !== undefined && !levels.includes(isolation)) {
    throw Object.assign(
      new RangeError(`isolation must be one of ${levels.join(', ')}; got ${JSON.stringify(isolation)}`),
      { code: 'AIO_SQL_OPTION' },
    );
  }
  const level = isolation === undefined ? '' : ` ISOLATION LEVEL ${isolation.toUpperCase()}`;
  const wait = timeout === undefined ? '' : `; SET LOCAL lock_timeout = ${Math.max(Math.trunc(timeout), 1)}`;
  return `BEGIN${level}${readOnly === true ? ' READ ONLY' : ''}${wait}`;
}

/**
 * A transaction, or a savepoint inside of one. It begins with its first statement: until then it costs nothing and holds no connection.
 */
export class PostgresTransaction extends PostgresExecutor implements SqlTransaction {
  readonly parent: PostgresTransaction | undefined;
  private readonly home: TransactionHome;
  private readonly options: PostgresTransactionOptions;
  private readonly begin: string;
  private state: 'open' | 'committed' | 'rolled back';
  private beginning: Promise<PostgresConnection> | undefined;
  private connection: PostgresConnection | undefined;
  /** One savepoint at a time: they lie inside of each other on the server. */
  private readonly children: Lock;
  private readonly savepoint: string;
  private savepoints: number;

  constructor(
    home: TransactionHome,
    parent: PostgresTransaction | undefined,
    options: PostgresTransactionOptions = {},
  ) {
    super();
    this.home = home;
    this.parent = parent;
    this.options = options;
    this.begin = beginText(options);
    this.state = 'open';
    this.beginning = undefined;
    this.connection = undefined;
    this.children = new Lock();
    this.savepoints = 0;
    this.savepoint = parent === undefined ? '' : parent.nextSavepoint();
  }

  get open(): boolean {
    return this.state === 'open' && this.parent?.open !== false;
  }

  /** Whether it was committed, so that it is nobody's any more. */
  get committed(): boolean {
    return this.state === 'committed';
  }

  /** Whether a statement began it. */
  get begun(): boolean {
    return this.connection !== undefined || this.beginning !== undefined;
  }

  private nextSavepoint(): string {
    return this.parent === undefined ? `aiohttp_${++this.savepoints}` : this.parent.nextSavepoint();
  }

  /** @throws ProgrammingError `AIO_SQL_TRANSACTION_ENDED` */
  mustBeOpen(): void {
    if (this.open) return;
    throw new ProgrammingError(
      `the transaction was ${this.state === 'open' ? 'ended with the one around it' : this.state}; what runs after its end needs another one, or the database itself outside of it`,
      { code: 'AIO_SQL_TRANSACTION_ENDED' },
    );
  }

  /** @internal The connection of this transaction, which begins with that. */
  lease(signal: AbortSignal | undefined, writes: boolean): Lease | Promise<Lease> {
    this.mustBeOpen();
    // A savepoint that another task has opened would take what is written meanwhile with it, when it is rolled back.
    const { children } = writes && this.children.locked() ? this.innermost() : this;
    if (!writes || !children.locked()) return this.leaseNow(signal);
    return this.freed(children).then(() => this.leaseNow(signal));
  }

  /** The transaction inside of this one that the calling code runs in; itself, when it runs in none. */
  private innermost(): PostgresTransaction {
    const current = this.home.context.get();
    return current?.open && current.isInside(this) ? current : this;
  }

  private async freed(children: Lock): Promise<void> {
    const ms = this.home.pool.acquireTimeout;
    try {
      await timeout(ms, async () => (await children.acquire()).release());
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      throw new OperationalError(`waited ${ms} ms for a savepoint of another task to end`, {
        code: 'AIO_SQL_BUSY',
      });
    }
  }

  private leaseNow(signal: AbortSignal | undefined): Lease | Promise<Lease> {
    this.mustBeOpen();
    const { connection } = this;
    return connection === undefined
      ? this.start(signal).then((one) => this.lend(one))
      : this.lend(connection);
  }

  private lend(connection: PostgresConnection): Lease {
    this.mustBeOpen();
    return { connection, check: () => this.mustBeOpen(), release: () => {} };
  }

  private async start(signal: AbortSignal | undefined): Promise<PostgresConnection> {
    while (this.beginning !== undefined) {
      const { beginning } = this;
      try {
        return await interruptible(
          () => beginning,
          () => {},
          signal,
          'a PostgreSQL transaction to begin',
        );
      } catch (error) {
        // What ended the wait of whoever came first, its cancellation or signal, is no business of the others: the next of them begins.
        if (error instanceof DatabaseError || this.beginning === beginning) throw error;
        this.mustBeOpen();
      }
    }
    this.beginning = this.startNow(signal).finally(() => {
      this.beginning = undefined;
    });
    return await this.beginning;
  }

  private async startNow(signal: AbortSignal | undefined): Promise<PostgresConnection> {
    const { parent, home, options } = this;
    if (parent !== undefined) {
      const { connection } = await parent.leaseNow(signal);
      await run(connection, `SAVEPOINT ${this.savepoint}`);
      this.connection = connection;
      return connection;
    }
    const connection = await home.pool.acquire(signal ?? options.signal, options.timeout);
    try {
      await run(connection, this.begin);
    } catch (error) {
      home.pool.release(connection);
      throw error;
    }
    this.connection = connection;
    return connection;
  }

  async executemany(
    statement: string,
    parameters: Iterable<SqlParameters> | AsyncIterable<SqlParameters>,
    options: ExecuteOptions = {},
  ): Promise<number> {
    return await this.inside((tx) => tx.many(statement, parameters, options), options);
  }

  /** `executemany` as all of this transaction, so that it undoes all or nothing. */
  async many(
    statement: string,
    parameters: Iterable<SqlParameters> | AsyncIterable<SqlParameters>,
    { signal }: ExecuteOptions,
  ): Promise<number> {
    const { connection } = await this.lease(signal, true);
    return await executeMany(connection, statement, parameters, signal);
  }

  async transaction<T>(
    work: (tx: SqlTransaction) => T | PromiseLike<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    return await this.inside(work, options);
  }

  private async inside<T>(
    work: (tx: PostgresTransaction) => T | PromiseLike<T>,
    options: TransactionOptions,
  ): Promise<T> {
    this.mustBeOpen();
    // Called on the outer one by what runs inside of an inner one: it belongs to that.
    const innermost = this.innermost();
    if (innermost !== this) return await innermost.inside(work, options);
    const held = await this.children.acquire();
    try {
      return await new PostgresTransaction(this.home, this, options).perform(work, options.signal);
    } finally {
      held.release();
    }
  }

  private isInside(outer: PostgresTransaction): boolean {
    return this.parent !== undefined && (this.parent === outer || this.parent.isInside(outer));
  }

  /** Does the work as this transaction's, and ends it accordingly. */
  async perform<T>(
    work: (tx: PostgresTransaction) => T | PromiseLike<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    let result: T;
    try {
      signal?.throwIfAborted();
      result = await unlessAborted(
        this.home.context.run(this, async () => work(this)),
        signal,
      );
    } catch (error) {
      await this.rollback();
      throw error;
    }
    await this.commit();
    return result;
  }

  async commit(): Promise<void> {
    this.mustBeOpen();
    this.state = 'committed';
    await this.beginning?.catch(() => {});
    const { connection, parent, home } = this;
    if (connection === undefined) return;
    if (parent !== undefined) {
      try {
        await run(connection, `RELEASE SAVEPOINT ${this.savepoint}`);
      } catch (error) {
        await this.undo(connection);
        if (error instanceof DatabaseError && error.sqlstate === FAILED_BEFORE) throw failedBefore();
        throw error;
      }
      return;
    }
    try {
      // Nothing was sent then: it is certain that it does not hold.
      if (connection.broken !== undefined) throw toDatabaseError(connection.broken, undefined);
      const done = await connection.command('COMMIT');
      if (done !== 'ROLLBACK') return;
    } catch (error) {
      throw commitError(error);
    } finally {
      home.pool.release(connection);
    }
    throw failedBefore();
  }

  /** Rolls back and stops what still runs. Never throws: when the server cannot be told, the connection is cut, which says the same. */
  async rollback(): Promise<void> {
    if (this.state !== 'open') return;
    this.state = 'rolled back';
    await this.beginning?.catch(() => {});
    const { connection } = this;
    if (connection !== undefined) await this.undo(connection);
  }

  private async undo(connection: PostgresConnection): Promise<void> {
    if (this.parent !== undefined) {
      if (!this.parent.open) return; // what was around it is gone, and it with that
      const { savepoint } = this;
      await connection.finalCommand(`ROLLBACK TO SAVEPOINT ${savepoint}; RELEASE SAVEPOINT ${savepoint}`);
      return;
    }
    connection.interruptAll();
    await connection.finalCommand('ROLLBACK');
    this.home.pool.release(connection);
  }
}

async function run(connection: PostgresConnection, command: string): Promise<void> {
  try {
    await connection.command(command);
  } catch (error) {
    throw toDatabaseError(error, command);
  }
}

/** SQLSTATE in_failed_sql_transaction. */
const FAILED_BEFORE = '25P02';

function failedBefore(): OperationalError {
  return new OperationalError(
    'the transaction could not be committed, because one of its statements had failed: all of it was rolled back. To go on after an error, put the statement that may fail into a transaction of its own inside',
    { code: 'AIO_SQL_TRANSACTION_FAILED', sqlstate: FAILED_BEFORE },
  );
}

/** An error of COMMIT. When the connection broke nobody knows whether the server still got it. */
function commitError(error: unknown): Error {
  if (error instanceof DatabaseError) return error;
  const mapped = toDatabaseError(error, 'COMMIT');
  if (mapped instanceof DatabaseError && mapped.code === 'AIO_SQL_CONNECTION') {
    return new OperationalError(
      `the connection broke during COMMIT, so it is not known whether the transaction holds: ${mapped.message}`,
      { code: 'AIO_SQL_COMMIT_UNKNOWN', sqlstate: mapped.sqlstate },
    );
  }
  return mapped;
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const aborted = (): void => reject(signal.reason);
    signal.addEventListener('abort', aborted);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}

import { sleep } from '../asyncio/index.ts';
import {
  type Database,
  DatabaseError,
  type ExecuteOptions,
  type SqlParameters,
  type SqlTransaction,
  TransactionContext,
  type TransactionScope,
} from '../sql/index.ts';
import type { PostgresConnection } from './connection.ts';
import { loadDriver, type PgDriver } from './driver.ts';
import { type Lease, PostgresExecutor } from './executor.ts';
import { type ListenOptions, NotificationHub, type NotificationListener } from './listener.ts';
import { optionsOf, type PostgresOptions, Settings } from './options.ts';
import { Pool, type PoolState } from './pool.ts';
import { PostgresTransaction, type PostgresTransactionOptions, type TransactionHome } from './transaction.ts';

/**
 * A pool of connections to PostgreSQL. Made by {@link connect}.
 *
 * Values come back as: `int8` a number, or a bigint beyond ±2^53; `numeric` and `interval` text; `date` text (`'2026-11-22'`); `timestamp` and `timestamptz` a
 * `Date`, cut to milliseconds, without a zone taken as UTC; `bytea` a `Uint8Array`; `json` parsed; arrays of these an array; all else the text that the server sends.
 *
 * @example
 * ```ts
 * import type { PostgresDatabase } from 'aiohttp-ts/postgres';
 * async function busiest(db: PostgresDatabase): Promise<void> {
 *   const { size, idle, waiting } = db.pool;
 *   console.log(`${size - idle} of ${size} connections in use, ${waiting} wait for one`);
 * }
 * ```
 */
export class PostgresDatabase extends PostgresExecutor implements Database {
  readonly #home: TransactionHome;
  readonly #hub: NotificationHub;

  /** @internal */
  constructor(driver: PgDriver, settings: Settings) {
    super();
    this.#home = {
      pool: new Pool(driver, settings),
      context: new TransactionContext<PostgresTransaction>('aiohttp-ts/postgres'),
    };
    this.#hub = new NotificationHub(driver, settings);
  }

  /** Makes sure that there is a connection. */
  async ping(): Promise<void> {
    (await this.lease(undefined, false)).release();
  }

  /** How many connections there are, idle ones among them, and how many wait for one. */
  get pool(): PoolState {
    return this.#home.pool.state;
  }

  get currentTransaction(): SqlTransaction | undefined {
    return this.#current();
  }

  /** The transaction of the calling code. One that was committed is nobody's; one that was rolled back still refuses what comes late. */
  #current(): PostgresTransaction | undefined {
    let current = this.#home.context.get();
    while (current?.committed === true) current = current.parent;
    return current;
  }

  /** @internal */
  lease(signal: AbortSignal | undefined, writes: boolean): Lease | Promise<Lease> {
    const current = this.#current();
    if (current !== undefined) return current.lease(signal, writes);
    const connection = this.#home.pool.acquire(signal);
    return connection instanceof Promise ? connection.then((one) => this.#lend(one)) : this.#lend(connection);
  }

  #lend(connection: PostgresConnection): Lease {
    return { connection, check: undefined, release: () => this.#home.pool.release(connection) };
  }

  async executemany(
    statement: string,
    parameters: Iterable<SqlParameters> | AsyncIterable<SqlParameters>,
    options: ExecuteOptions = {},
  ): Promise<number> {
    const current = this.#current();
    if (current !== undefined) return await current.executemany(statement, parameters, options);
    const transaction = new PostgresTransaction(this.#home, undefined, options);
    return await transaction.perform((tx) => tx.many(statement, parameters, options), options.signal);
  }

  async transaction<T>(
    work: (tx: SqlTransaction) => T | PromiseLike<T>,
    options: PostgresTransactionOptions = {},
  ): Promise<T> {
    const current = this.#current();
    if (current !== undefined) return await current.transaction(work, options);
    const { retries = 0, signal } = options;
    for (let attempt = 0; ; attempt++) {
      try {
        return await new PostgresTransaction(this.#home, undefined, options).perform(work, signal);
      } catch (error) {
        if (attempt >= retries || !isWorthRetrying(error)) throw error;
      }
      // Apart from each other, so that they do not meet again.
      await sleep(Math.random() * Math.min(10 * 2 ** attempt, 1_000));
    }
  }

  transactionScope(options?: PostgresTransactionOptions): TransactionScope {
    const transaction = new PostgresTransaction(this.#home, this.#current(), options);
    const { context } = this.#home;
    return {
      get begun(): boolean {
        return transaction.begun;
      },
      run: (work) => context.run(transaction, work),
      commit: () => transaction.commit(),
      rollback: () => transaction.rollback(),
    };
  }

  /**
   * Listens to a channel of `NOTIFY`, over a connection besides the pool. It is active when this resolves; after a lost connection it comes back by
   * itself, and `onGap` tells that something may be missing.
   *
   * @throws OperationalError when there is no connection
   *
   * @example
   * ```ts
   * import { connect } from 'aiohttp-ts/postgres';
   * await using db = await connect('postgres://localhost/app');
   * await using orders = await db.listen('orders', { onGap: () => console.log('read the table again') });
   * for await (const { payload } of orders) console.log(`order ${payload}`);
   * ```
   */
  async listen(channel: string, options: ListenOptions = {}): Promise<NotificationListener> {
    return await this.#hub.listen(channel, options);
  }

  /** Sends a notification; inside of a transaction it goes out when that is committed. */
  async notify(channel: string, payload: string = ''): Promise<void> {
    await this.fetchone('SELECT pg_notify($1, $2)', [channel, payload]);
  }

  async close(): Promise<void> {
    await Promise.all([this.#hub.close(), this.#home.pool.close()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function isWorthRetrying(error: unknown): boolean {
  return error instanceof DatabaseError && (error.sqlstate === '40001' || error.sqlstate === '40P01');
}

/**
 * Connects to PostgreSQL. One connection is made at once, so that a wrong address or password is known here; others follow as they are needed.
 *
 * @param target `postgres://user:password@host:port/database?sslmode=require`, or options
 * @throws OperationalError `AIO_SQL_CONNECTION` when the server cannot be reached or refuses; RangeError `AIO_SQL_URL`, `AIO_SQL_OPTION`; InterfaceError
 *   `AIO_SQL_DRIVER` when the package `pg` is not installed
 *
 * @example
 * ```ts
 * import { connect } from 'aiohttp-ts/postgres';
 * import { sql } from 'aiohttp-ts/sql';
 * await using db = await connect('postgres://app@localhost/app', { max: 20 });
 * const name = 'ada';
 * console.log(await db.fetchone<{ id: number }>(sql`SELECT id FROM users WHERE name = ${name}`));
 * ```
 */
export async function connect(
  target: string | PostgresOptions,
  options: PostgresOptions = {},
): Promise<PostgresDatabase> {
  const all = typeof target === 'string' ? { ...optionsOf(target), ...options } : { ...target, ...options };
  const settings = new Settings(all);
  const database = new PostgresDatabase(await loadDriver(), settings);
  try {
    await database.ping();
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

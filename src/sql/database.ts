import type { SqlQuery } from './query.ts';

/** The SQL that a database speaks: how it names placeholders and what its statements may hold. */
export type Dialect = 'sqlite' | 'postgres';

/**
 * A value that a statement can carry. Integers beyond ±2^53 are `bigint`s, and come back as such: nothing is rounded. What a `Date` or an
 * object becomes is the rule of the database, written at its `connect`; what has no rule is refused before a statement runs.
 */
export type SqlValue = null | string | number | bigint | boolean | Uint8Array | Date;

/** Values for a statement: in the order of its placeholders, or by name. */
export type SqlParameters = readonly SqlValue[] | Readonly<Record<string, SqlValue>>;

/** A statement: text, with its values beside it, or one that `` sql`…` `` made with its values inside. */
export type Statement = string | SqlQuery;

/** A row, by the names of its columns. */
export type Row = Record<string, unknown>;

/** What a statement gave: its rows, as far as they were read, and what it changed. */
export interface Cursor<R = Row> extends AsyncIterable<R>, AsyncDisposable {
  /** Rowid of the row that an INSERT made; `undefined` where the statement or the database (postgres: use RETURNING) has none. */
  readonly lastrowid: number | bigint | undefined;
  /** Rows that the statement changed; -1 for statements that change none (DB-API 2.0). */
  readonly rowcount: number;
  /** Names of the columns, in order; `undefined` when the statement gives no rows. */
  readonly columns: readonly string[] | undefined;
  /** The next row; `undefined` after the last one. */
  fetchone(): Promise<R | undefined>;
  /** The next rows, at most `size` (1 by default, as in DB-API 2.0). */
  fetchmany(size?: number): Promise<R[]>;
  /** All rows that were not read yet. */
  fetchall(): Promise<R[]>;
  /** Gives up the rows that were not read. A cursor that was read to its end is closed already. */
  close(): Promise<void>;
}

/** Options of one statement. */
export interface ExecuteOptions {
  /** Ends the statement when it aborts: it is interrupted, not left to run. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link SqlExecutor.transaction}. */
export interface TransactionOptions {
  /** `true`: only reads, so nobody waits for it and it waits for nobody. `false` by default. */
  readonly readOnly?: boolean | undefined;
  /** Longest wait for the right to write, in ms; the database's own `busyTimeout` by default. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What runs statements: a database, or a transaction on it. The same code serves both, and both dialects. */
export interface SqlExecutor {
  readonly dialect: Dialect;
  /** Runs one statement. Its cursor holds what it gave; a statement without rows needs no close. */
  execute<R = Row>(
    statement: Statement,
    parameters?: SqlParameters,
    options?: ExecuteOptions,
  ): Promise<Cursor<R>>;
  /** Runs one statement for each of the parameters, all in one transaction; gives how many rows they changed. */
  executemany(
    statement: string,
    parameters: Iterable<SqlParameters> | AsyncIterable<SqlParameters>,
    options?: ExecuteOptions,
  ): Promise<number>;
  /** Runs several statements without values: a schema. */
  executescript(script: string, options?: ExecuteOptions): Promise<void>;
  /** The first row of a statement; `undefined` when it gives none. */
  fetchone<R = Row>(
    statement: Statement,
    parameters?: SqlParameters,
    options?: ExecuteOptions,
  ): Promise<R | undefined>;
  /** All rows of a statement. */
  fetchall<R = Row>(statement: Statement, parameters?: SqlParameters, options?: ExecuteOptions): Promise<R[]>;
  /**
   * Runs `work` in a transaction: it commits when `work` returns and rolls back when `work` throws or is cancelled. Inside of another transaction it is a
   * savepoint. Statements that `work` (and what it awaits) gives to the database itself belong to the transaction too.
   */
  transaction<T>(work: (tx: SqlTransaction) => T | PromiseLike<T>, options?: TransactionOptions): Promise<T>;
}

/** A transaction while it is open. After its end every call throws. */
export interface SqlTransaction extends SqlExecutor {
  /** Whether it still takes statements. */
  readonly open: boolean;
}

/** A database: what `connect` and `open` give. */
export interface Database extends SqlExecutor, AsyncDisposable {
  /**
   * The transaction that the calling code runs in, as `transaction` of this database set it; `undefined` outside. It travels with the asynchronous
   * context, so requests never see each other's.
   */
  readonly currentTransaction: SqlTransaction | undefined;
  /**
   * Starts a transaction whose end is not the end of a function. It begins with its first statement, and must be ended by `commit` or `rollback`.
   * What `run` calls (and what that awaits) gives its statements to it. For middlewares; everything else wants `transaction`.
   */
  transactionScope(options?: TransactionOptions): TransactionScope;
  /** Waits for what runs, then closes. Further calls throw. */
  close(): Promise<void>;
}

/** A transaction that a middleware holds around a handler. */
export interface TransactionScope {
  /** Whether a statement that writes began it. */
  readonly begun: boolean;
  /** Calls `work` with this transaction as the current one. */
  run<T>(work: () => T): T;
  /** Commits, when it was begun; waits for statements that still run. */
  commit(): Promise<void>;
  /** Rolls back, when it was begun; statements that come later throw. */
  rollback(): Promise<void>;
}

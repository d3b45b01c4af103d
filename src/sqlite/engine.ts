import type { Bound, Driver, DriverDatabase, DriverName, DriverStatement, DriverValue } from './driver.ts';
import { loadDriver } from './driver.ts';
import { type Failure, failureOf, isTooLarge } from './failures.ts';
import { type Plan, Plans } from './plan.ts';

/** How much of a result is wanted: all of it; one row and no more; a first part, with a cursor for the rest. */
export type Take = 'all' | 'one' | 'part';

/** Rows that a cursor reads at a time. */
export const PART = 64;

/** What a statement gave. */
export interface Result {
  readonly columns: readonly string[] | undefined;
  readonly rows: readonly DriverValue[][];
  /** Number of the cursor that has the other rows; 0 when there are none. */
  readonly cursor: number;
  /** Rows that were changed; -1 for a statement that changes none. */
  readonly changes: number;
  readonly lastrowid: number | bigint | undefined;
}

/** How a connection is opened. Goes to the thread as it is. */
export interface EngineOptions {
  readonly path: string;
  readonly driver: DriverName;
  readonly role: 'writer' | 'reader';
  readonly readOnly: boolean;
  readonly journalMode: string;
  readonly synchronous: string;
  readonly foreignKeys: boolean;
  readonly statementCache: number;
}

interface Prepared {
  readonly statement: DriverStatement;
  columns: readonly string[] | undefined;
  /** Whether integers are read as bigints, because some did not fit into a number. */
  big: boolean;
  /** Whether rows are arrays by the driver's own doing. */
  readonly arrays: boolean;
}

interface OpenCursor {
  readonly prepared: Prepared;
  readonly rows: Iterator<unknown>;
}

/** An error of the driver, with what has become of the transaction. */
export class EngineError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, cause: unknown) {
    super(failure.message, { cause });
    this.failure = failure;
  }
}

/** One function of the program for SQL, see `Connection.createFunction`. */
export interface SqlFunction {
  readonly name: string;
  readonly options: object;
  readonly fn: (...args: never[]) => unknown;
}

/** A function that SQLite calls may not use the connection that calls it: the driver would crash. */
function reentered(): EngineError {
  const message = 'a function that SQLite calls cannot use the connection that it is called by';
  return new EngineError({ message, code: 'ERR_REENTERED', errcode: undefined, lost: false }, undefined);
}

/**
 * One connection to the database, used synchronously: on the main thread, or in a thread of its own. Knows nothing of waiting.
 */
export class Engine {
  private readonly driver: Driver;
  private readonly stopped: (() => boolean) | undefined;
  private readonly database: DriverDatabase;
  /** Whether the driver keeps files open, after they were closed, until its statements are collected as garbage: then SQLite moves nothing. */
  private readonly lingers: boolean;
  private readonly plans: Plans;
  private readonly statements: Map<string, Prepared>;
  private readonly limit: number;
  private readonly cursors: Map<number, OpenCursor>;
  private cursorCount: number;
  private running: boolean;

  /** @param stopped asked between rows whether a read shall stop; not given where nobody could say so while it runs */
  constructor(options: EngineOptions, stopped?: () => boolean) {
    const { driver } = loadDriver(options.driver);
    this.driver = driver;
    this.stopped = stopped;
    this.limit = options.statementCache;
    this.plans = new Plans(this.limit);
    this.statements = new Map();
    this.cursors = new Map();
    this.cursorCount = 0;
    this.running = false;
    this.database = open(driver, options);
    this.lingers =
      options.driver === '@photostructure/sqlite' && options.role === 'writer' && !options.readOnly;
  }

  /** Runs a statement. */
  query(plan: Plan, values: Bound, take: Take): Result {
    this.enter();
    try {
      return this.run(plan, values, take);
    } catch (error) {
      throw this.failed(error);
    } finally {
      this.running = false;
    }
  }

  /** As `query`, for callers that have no plan. */
  queryText(text: string, values: Bound, take: Take): Result {
    return this.query(this.plans.of(text), values, take);
  }

  /** Runs a statement for each of several lists of values; gives how many rows they changed. */
  many(text: string, list: readonly Bound[]): number {
    this.enter();
    try {
      const { statement } = this.prepared(this.plans.of(text));
      let changes = 0;
      for (const values of list) changes += Number(runWith(statement, values).changes);
      return changes;
    } catch (error) {
      throw this.failed(error);
    } finally {
      this.running = false;
    }
  }

  /** The next rows of a cursor; fewer than `count` when there are no more, and then it is closed. */
  fetch(id: number, count: number): readonly DriverValue[][] {
    const cursor = this.cursors.get(id);
    if (cursor === undefined) return [];
    this.enter();
    try {
      const rows = step(cursor.prepared, cursor.rows, count);
      if (rows.length < count) this.cursors.delete(id);
      return small(rows);
    } catch (error) {
      this.cursors.delete(id);
      throw this.failed(error);
    } finally {
      this.running = false;
    }
  }

  /** Gives up the rest of a cursor. */
  closeCursor(id: number): void {
    const cursor = this.cursors.get(id);
    this.cursors.delete(id);
    cursor?.rows.return?.();
  }

  /** Whether a transaction is open. */
  inTransaction(): boolean {
    const { isTransaction } = this.database;
    if (typeof isTransaction === 'boolean') return isTransaction;
    // Node 22 does not tell. Inside of a transaction BEGIN fails, and changes nothing.
    try {
      this.database.exec('BEGIN');
    } catch {
      return true;
    }
    this.database.exec('ROLLBACK');
    return false;
  }

  /** Makes a function known to SQL. */
  define({ name, options, fn }: SqlFunction): void {
    this.database.function(name, options, fn);
  }

  /** Copies the database into a file, some pages at a time, in the thread pool of Node. */
  async backup(
    path: string,
    pages: number,
    progress: (remaining: number, total: number) => void,
  ): Promise<void> {
    const { backup } = this.driver;
    try {
      if (backup === undefined) this.database.prepare('VACUUM INTO ?').run(path);
      else {
        await backup(this.database, path, {
          rate: pages,
          progress: ({ remainingPages, totalPages }) => progress(remainingPages, totalPages),
        });
      }
    } catch (error) {
      throw this.failed(error);
    }
  }

  close(): void {
    if (this.running) throw reentered();
    for (const id of [...this.cursors.keys()]) this.closeCursor(id);
    this.statements.clear();
    if (this.lingers) this.checkpoint();
    this.database.close();
  }

  /** Moves what the WAL has into the file, so that whoever copies the file alone after `close` has all of it. */
  private checkpoint(): void {
    try {
      this.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // Another process reads from it; the last one to close does it.
    }
  }

  private enter(): void {
    if (this.running) throw reentered();
    this.running = true;
  }

  private failed(error: unknown): EngineError {
    return error instanceof EngineError
      ? error
      : new EngineError(failureOf(error, !this.inTransaction()), error);
  }

  private run(plan: Plan, values: Bound, take: Take): Result {
    const prepared = this.prepared(plan);
    if (!plan.rows) {
      const { changes, lastInsertRowid } = runWith(prepared.statement, values);
      return {
        columns: undefined,
        rows: [],
        cursor: 0,
        changes: plan.changes ? Number(changes) : -1,
        lastrowid: plan.inserts ? lastInsertRowid : undefined,
      };
    }
    if (plan.changes) return this.returning(plan, prepared, values);
    const result =
      take === 'part' ? this.part(plan, prepared, values) : this.whole(plan, prepared, values, take);
    const [row] = result.rows;
    if (row === undefined || row.length === result.columns!.length) return result;
    // The schema has changed since the statement was prepared. Node 22 counts columns before SQLite prepares it again, and gives too few values.
    this.closeCursor(result.cursor);
    this.statements.delete(plan.text);
    return this.run(plan, values, take);
  }

  private whole(plan: Plan, prepared: Prepared, values: Bound, take: Take): Result {
    const rows = this.read(prepared, values, take);
    return { columns: namesOf(plan, prepared), rows, cursor: 0, changes: -1, lastrowid: undefined };
  }

  /** Rows of a statement that changes nothing, so that it can run again when an integer turns out too large for a number. */
  private read(prepared: Prepared, values: Bound, take: Take): readonly DriverValue[][] {
    if (!prepared.big) {
      try {
        return this.rows(prepared, values, take);
      } catch (error) {
        if (!isTooLarge(error)) throw error;
        prepared.big = true;
        prepared.statement.setReadBigInts(true);
      }
    }
    return small(this.rows(prepared, values, take));
  }

  /** Rows of a read, one by one where it can be stopped. */
  private rows(prepared: Prepared, values: Bound, take: Take): DriverValue[][] {
    const { stopped } = this;
    if (stopped === undefined || take === 'one') return rowsWith(prepared, values, take);
    const { statement } = prepared;
    const iterator = Array.isArray(values) ? statement.iterate(...values) : statement.iterate(values);
    const rows: DriverValue[][] = [];
    for (;;) {
      const some = step(prepared, iterator, PART);
      for (const row of some) rows.push(row);
      if (some.length < PART) return rows;
      if (stopped()) {
        iterator.return?.();
        throw new EngineError(
          { message: 'interrupted', code: 'ERR_SQLITE_ERROR', errcode: 9, lost: false },
          undefined,
        );
      }
    }
  }

  private part(plan: Plan, prepared: Prepared, values: Bound): Result {
    useBigInts(prepared);
    const iterator = Array.isArray(values)
      ? prepared.statement.iterate(...values)
      : prepared.statement.iterate(values);
    const rows = step(prepared, iterator, PART);
    let cursor = 0;
    if (rows.length === PART) {
      cursor = ++this.cursorCount;
      this.cursors.set(cursor, { prepared, rows: iterator });
      // Nobody else may run the statement while it gives rows.
      this.statements.delete(plan.text);
    }
    return {
      columns: namesOf(plan, prepared),
      rows: small(rows),
      cursor,
      changes: -1,
      lastrowid: undefined,
    };
  }

  /** A statement that changes something and gives rows: it runs to its end at once, and only once. */
  private returning(plan: Plan, prepared: Prepared, values: Bound): Result {
    useBigInts(prepared);
    const rows = small(rowsWith(prepared, values, 'all'));
    const [counts] = small(
      rowsWith(this.prepared(this.plans.of('SELECT changes(), last_insert_rowid()'), true), [], 'all'),
    );
    return {
      columns: namesOf(plan, prepared),
      rows,
      cursor: 0,
      changes: Number(counts![0]),
      lastrowid: plan.inserts ? (counts![1] as number | bigint) : undefined,
    };
  }

  private prepared(plan: Plan, big = false): Prepared {
    const { text } = plan;
    const known = this.statements.get(text);
    if (known !== undefined) {
      // Put behind all others, so that the one used longest ago is the first.
      this.statements.delete(text);
      this.statements.set(text, known);
      return known;
    }
    const statement = this.database.prepare(text);
    const arrays = plan.rows && statement.setReturnArrays !== undefined;
    if (arrays) statement.setReturnArrays!(true);
    const prepared: Prepared = { statement, columns: undefined, big: false, arrays };
    if (big) useBigInts(prepared);
    // What changes rows and gives all of their columns must not run on stale columns: it cannot run twice.
    if ((plan.kind !== 'read' && plan.kind !== 'write') || (plan.star && plan.changes)) return prepared;
    if (this.statements.size >= this.limit) this.statements.delete(this.statements.keys().next().value!);
    this.statements.set(text, prepared);
    return prepared;
  }
}

function open(driver: Driver, options: EngineOptions): DriverDatabase {
  let database: DriverDatabase | undefined;
  try {
    database = new driver.DatabaseSync(options.path, {
      readOnly: options.readOnly,
      enableForeignKeyConstraints: options.foreignKeys,
    });
    // Waiting is done outside, where it blocks nobody.
    database.exec(`PRAGMA busy_timeout = 0; PRAGMA foreign_keys = ${options.foreignKeys ? 'ON' : 'OFF'}`);
    database.exec(`PRAGMA synchronous = ${options.synchronous}`);
    if (options.role === 'reader') database.exec('PRAGMA query_only = ON');
    return database;
  } catch (error) {
    database?.close();
    throw new EngineError(failureOf(error, false), error);
  }
}

function runWith(statement: DriverStatement, values: Bound): ReturnType<DriverStatement['run']> {
  return Array.isArray(values) ? statement.run(...values) : statement.run(values);
}

function rowsWith(prepared: Prepared, values: Bound, take: Take): DriverValue[][] {
  const { statement, arrays } = prepared;
  let rows: unknown[];
  if (take === 'one') {
    const row = Array.isArray(values) ? statement.get(...values) : statement.get(values);
    rows = row === undefined ? [] : [row];
  } else rows = Array.isArray(values) ? statement.all(...values) : statement.all(values);
  return arrays ? (rows as DriverValue[][]) : rows.map((row) => toArray(prepared, row));
}

/** Node 22.13 to 22.15 gives objects only; there they are the only ones who know the names of columns. */
function toArray(prepared: Prepared, row: unknown): DriverValue[] {
  prepared.columns = Object.keys(row as object);
  return Object.values(row as Record<string, DriverValue>);
}

function step(prepared: Prepared, iterator: Iterator<unknown>, count: number): DriverValue[][] {
  const rows: DriverValue[][] = [];
  while (rows.length < count) {
    const { value, done } = iterator.next();
    if (done) break;
    rows.push(prepared.arrays ? (value as DriverValue[]) : toArray(prepared, value));
  }
  return rows;
}

function useBigInts(prepared: Prepared): void {
  if (prepared.big) return;
  prepared.big = true;
  prepared.statement.setReadBigInts(true);
}

/** Bigints that fit into a number become one. */
function small(rows: DriverValue[][]): DriverValue[][] {
  for (const row of rows) {
    for (let index = 0; index < row.length; index++) {
      const value = row[index];
      if (typeof value !== 'bigint') continue;
      const number = Number(value);
      if (Number.isSafeInteger(number)) row[index] = number;
    }
  }
  return rows;
}

function namesOf(plan: Plan, prepared: Prepared): readonly string[] {
  const { statement } = prepared;
  if (statement.columns === undefined) return prepared.columns ?? [];
  if (prepared.columns === undefined || plan.star) {
    prepared.columns = statement.columns().map(({ name }) => name);
  }
  return prepared.columns;
}

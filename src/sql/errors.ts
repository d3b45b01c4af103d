/** Which kind of constraint a statement broke; `other` when the database does not say. */
export type ConstraintKind =
  | 'unique'
  | 'primary key'
  | 'foreign key'
  | 'not null'
  | 'check'
  | 'exclusion'
  | 'trigger'
  | 'datatype'
  | 'other';

/** What is known about a failure. */
export interface DatabaseErrorOptions {
  /** Stable code, listed in `docs/errors.md`; default: the one of the class. */
  readonly code?: string | undefined;
  /** The text of the statement. Its values are never kept: logs are no place for what users typed. */
  readonly statement?: string | undefined;
  /** Extended result code of SQLite. */
  readonly sqliteCode?: number | undefined;
  /** Five characters of PostgreSQL. */
  readonly sqlstate?: string | undefined;
  /** The error of the driver. */
  readonly cause?: unknown;
}

/**
 * Base of everything that goes wrong between a program and its database.
 *
 * Source: PEP 249 (DB-API 2.0), `DatabaseError`; its `Error` and `DatabaseError` are one class here.
 *
 * @example
 * ```ts
 * import { DatabaseError, IntegrityError } from 'aiohttp-ts/sql';
 * function explain(error: unknown): string {
 *   if (error instanceof IntegrityError && error.constraint === 'unique') return 'that title is taken';
 *   if (error instanceof DatabaseError) return `${error.code}: ${error.message}`;
 *   throw error;
 * }
 * console.log(explain(new IntegrityError('UNIQUE constraint failed: posts.title', 'unique')));
 * ```
 */
export class DatabaseError extends Error {
  static {
    DatabaseError.prototype.name = 'DatabaseError';
  }

  /** Stable, listed in `docs/errors.md`. */
  readonly code: string;
  /** The statement that failed, without its values; `undefined` when no statement was running. */
  readonly statement: string | undefined;
  /** Extended result code of SQLite (2067: unique); `undefined` on other databases. */
  readonly sqliteCode: number | undefined;
  /** SQLSTATE of PostgreSQL (23505: unique); `undefined` on other databases. */
  readonly sqlstate: string | undefined;

  constructor(message: string, options: DatabaseErrorOptions = {}, code = 'AIO_SQL_ERROR') {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? code;
    this.statement = options.statement;
    this.sqliteCode = options.sqliteCode;
    this.sqlstate = options.sqlstate;
  }
}

/** A constraint of the schema refused the change (DB-API 2.0 `IntegrityError`). The statement had no effect. */
export class IntegrityError extends DatabaseError {
  static {
    IntegrityError.prototype.name = 'IntegrityError';
  }

  /** Which kind of constraint. */
  readonly constraint: ConstraintKind;

  constructor(message: string, constraint: ConstraintKind = 'other', options: DatabaseErrorOptions = {}) {
    super(message, options, 'AIO_SQL_INTEGRITY');
    this.constraint = constraint;
  }
}

/**
 * The database could not do it now or here: locked, disk full, connection lost, no such table (DB-API 2.0 `OperationalError`). `AIO_SQL_BUSY` means that
 * trying again later makes sense.
 */
export class OperationalError extends DatabaseError {
  static {
    OperationalError.prototype.name = 'OperationalError';
  }

  constructor(message: string, options: DatabaseErrorOptions = {}) {
    super(message, options, 'AIO_SQL_OPERATIONAL');
  }
}

/** The program asked for something that cannot be meant: wrong number of values, a transaction that has ended (DB-API 2.0 `ProgrammingError`). */
export class ProgrammingError extends DatabaseError {
  static {
    ProgrammingError.prototype.name = 'ProgrammingError';
  }

  constructor(message: string, options: DatabaseErrorOptions = {}) {
    super(message, options, 'AIO_SQL_PROGRAMMING');
  }
}

/** A value that the database cannot hold or compute: out of range, too long, division by zero (DB-API 2.0 `DataError`). */
export class DataError extends DatabaseError {
  static {
    DataError.prototype.name = 'DataError';
  }

  constructor(message: string, options: DatabaseErrorOptions = {}) {
    super(message, options, 'AIO_SQL_DATA');
  }
}

/** The fault lies with the driver, not with the database: none fits, a connection was used after its end (DB-API 2.0 `InterfaceError`). */
export class InterfaceError extends DatabaseError {
  static {
    InterfaceError.prototype.name = 'InterfaceError';
  }

  constructor(message: string, options: DatabaseErrorOptions = {}) {
    super(message, options, 'AIO_SQL_INTERFACE');
  }
}

/** The database or the way it is used here has no such thing (DB-API 2.0 `NotSupportedError`). */
export class NotSupportedError extends DatabaseError {
  static {
    NotSupportedError.prototype.name = 'NotSupportedError';
  }

  constructor(message: string, options: DatabaseErrorOptions = {}) {
    super(message, options, 'AIO_SQL_NOT_SUPPORTED');
  }
}

/** The database itself is broken: a malformed file, a bug (DB-API 2.0 `InternalError`). */
export class InternalError extends DatabaseError {
  static {
    InternalError.prototype.name = 'InternalError';
  }

  constructor(message: string, options: DatabaseErrorOptions = {}) {
    super(message, options, 'AIO_SQL_INTERNAL');
  }
}

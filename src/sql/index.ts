/**
 * What every database of the package shares: the interface, the template tag, the errors.
 *
 * @module
 */
export type {
  Cursor,
  Database,
  Dialect,
  ExecuteOptions,
  Row,
  SqlExecutor,
  SqlParameters,
  SqlTransaction,
  SqlValue,
  Statement,
  TransactionOptions,
  TransactionScope,
} from './database.ts';
export {
  type ConstraintKind,
  DatabaseError,
  type DatabaseErrorOptions,
  DataError,
  IntegrityError,
  InterfaceError,
  InternalError,
  NotSupportedError,
  OperationalError,
  ProgrammingError,
} from './errors.ts';
export { type Sql, type SqlInput, SqlQuery, sql } from './query.ts';
export { TransactionContext } from './transaction-context.ts';

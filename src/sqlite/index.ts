/**
 * SQLite, as aiosqlite has it: connections, cursors, and transactions that belong to one request.
 *
 * @module
 */
export type {
  Cursor,
  ExecuteOptions,
  Row,
  SqlParameters,
  SqlTransaction,
  SqlValue,
  Statement,
  TransactionOptions,
  TransactionScope,
} from '../sql/index.ts';
export {
  DatabaseError,
  DataError,
  IntegrityError,
  InterfaceError,
  InternalError,
  NotSupportedError,
  OperationalError,
  ProgrammingError,
  sql,
} from '../sql/index.ts';
export type { DateRule } from './binding.ts';
export { type BackupOptions, Connection, connect, type FunctionOptions } from './connection.ts';
export { objectRow, type RowFactory, tupleRow } from './cursor.ts';
export type { DriverName } from './driver.ts';
export type { ConnectOptions, SlowQuery } from './options.ts';

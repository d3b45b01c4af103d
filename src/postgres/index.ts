/**
 * PostgreSQL over the package `pg`, with the interface that sqlite has too, and what only PostgreSQL has: a pool, LISTEN, isolation levels.
 *
 * @module
 */
export type { GapReason, ListenOptions, Notification, NotificationListener } from './listener.ts';
export type { PostgresOptions } from './options.ts';
export type { PoolState } from './pool.ts';
export { connect, PostgresDatabase } from './postgres-database.ts';
export type { IsolationLevel, PostgresTransactionOptions } from './transaction.ts';

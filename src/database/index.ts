/**
 * What works on every database: opening one by its URL, migrations, a transaction for each request.
 *
 * @module
 */
export { type MigrateOptions, type MigrationProgress, type MigrationResult, migrate } from './migrate.ts';
export { type Migration, MigrationError } from './migration-files.ts';
export { type OpenOptions, open } from './open.ts';
export { type TransactionMiddlewareOptions, transactionMiddleware } from './transaction-middleware.ts';

import type {
  Cursor,
  Dialect,
  ExecuteOptions,
  Row,
  SqlExecutor,
  SqlParameters,
  SqlTransaction,
  Statement,
  TransactionOptions,
} from '../sql/index.ts';
import type { PostgresConnection } from './connection.ts';
import { HeldRows, mapped, PortalRows, PostgresCursor } from './cursor.ts';
import { BatchRun, Script } from './run.ts';
import {
  encodeParameters,
  onlyReads,
  readsRows,
  refuseTransactionControl,
  toWire,
  transactionControlError,
} from './values.ts';

/** A connection for a statement. */
export interface Lease {
  readonly connection: PostgresConnection;
  /** Throws when the transaction that it belongs to has ended; `undefined` outside of transactions. */
  readonly check: (() => void) | undefined;
  /** Gives it back. */
  release(): void;
}

/** How many sets of values `executemany` sends before it waits for an answer. */
const BATCH = 100;

/** What a database and a transaction have in common: they run statements, on whatever connection they are given. */
export abstract class PostgresExecutor implements SqlExecutor {
  readonly dialect: Dialect = 'postgres';

  /** @internal @param writes whether what it is for must not get into a savepoint of another task */
  abstract lease(signal: AbortSignal | undefined, writes: boolean): Lease | Promise<Lease>;
  abstract transaction<T>(
    work: (tx: SqlTransaction) => T | PromiseLike<T>,
    options?: TransactionOptions,
  ): Promise<T>;
  abstract executemany(
    statement: string,
    parameters: Iterable<SqlParameters> | AsyncIterable<SqlParameters>,
    options?: ExecuteOptions,
  ): Promise<number>;

  /** Runs one statement. Many rows are read in pieces of `fetchSize`: read the cursor to its end, or close it. */
  async execute<R = Row>(
    statement: Statement,
    parameters?: SqlParameters,
    options?: ExecuteOptions,
  ): Promise<Cursor<R>> {
    const { text, values } = toWire(statement, parameters);
    refuseTransactionControl(text);
    const signal = options?.signal;
    const leased = this.lease(signal, !onlyReads(text));
    // At hand, nearly always: a promise less.
    const lease = leased instanceof Promise ? await leased : leased;
    const { connection, check } = lease;
    let held = false;
    try {
      if (!readsRows(text)) {
        return new PostgresCursor<R>(await connection.statement(text, { values }, signal), undefined);
      }
      const rows = connection.fetchSize;
      if (check !== undefined) {
        const portal = connection.portalName();
        const run = await connection.statement(text, { values, rows, portal }, signal);
        const source = new PortalRows(run, connection, signal, check);
        if (run.suspended) return new PostgresCursor<R>(run, source);
        await source.close();
        return new PostgresCursor<R>(run, undefined);
      }
      const run = await connection.hold(text, { values, rows }, signal);
      if (run.ended) return new PostgresCursor<R>(run, undefined);
      held = true;
      return new PostgresCursor<R>(run, new HeldRows(run, connection, signal, () => lease.release()));
    } catch (error) {
      throw mapped(error, signal, text);
    } finally {
      if (!held) lease.release();
    }
  }

  async fetchone<R = Row>(
    statement: Statement,
    parameters?: SqlParameters,
    options?: ExecuteOptions,
  ): Promise<R | undefined> {
    // What changes rows changes all of them, however many are read.
    return (await this.#rows<R>(statement, parameters, options, 1))[0];
  }

  async fetchall<R = Row>(
    statement: Statement,
    parameters?: SqlParameters,
    options?: ExecuteOptions,
  ): Promise<R[]> {
    return await this.#rows<R>(statement, parameters, options, 0);
  }

  async #rows<R>(
    statement: Statement,
    parameters: SqlParameters | undefined,
    options: ExecuteOptions | undefined,
    rows: number,
  ): Promise<R[]> {
    const { text, values } = toWire(statement, parameters);
    refuseTransactionControl(text);
    const signal = options?.signal;
    const leased = this.lease(signal, !onlyReads(text));
    // At hand, nearly always: a promise less.
    const lease = leased instanceof Promise ? await leased : leased;
    try {
      return (await lease.connection.statement(text, { values, rows }, signal)).rows as R[];
    } catch (error) {
      throw mapped(error, signal, text);
    } finally {
      lease.release();
    }
  }

  /** Runs several statements without values, all or none of them. They may not begin or end transactions. */
  async executescript(script: string, options?: ExecuteOptions): Promise<void> {
    const signal = options?.signal;
    const leased = this.lease(signal, true);
    // At hand, nearly always: a promise less.
    const lease = leased instanceof Promise ? await leased : leased;
    const { connection, check } = lease;
    try {
      await connection.runInterruptibly(new Script(script), signal);
      if (check === undefined && connection.status !== 'I') {
        throw transactionControlError('the script left a transaction open, which was rolled back', script);
      }
      if (check !== undefined && connection.status === 'I') {
        throw transactionControlError('the script ended the transaction that it was run in', script);
      }
    } catch (error) {
      throw mapped(error, signal, script);
    } finally {
      lease.release();
    }
  }
}

/** Runs a statement for each set of values, some at a time; the connection is in a transaction. */
export async function executeMany(
  connection: PostgresConnection,
  statement: string,
  parameters: Iterable<SqlParameters> | AsyncIterable<SqlParameters>,
  signal: AbortSignal | undefined,
): Promise<number> {
  refuseTransactionControl(statement);
  let changed = 0;
  let batch: ReturnType<typeof encodeParameters>[] = [];
  const send = async (): Promise<void> => {
    const sets = batch;
    batch = [];
    try {
      const run = new BatchRun(statement, sets, connection.statements);
      await connection.runInterruptibly(run, signal);
      changed += Math.max(run.rowcount, 0);
    } catch (error) {
      throw mapped(error, signal, statement);
    }
  };
  for await (const values of parameters) {
    batch.push(encodeParameters(values, statement));
    if (batch.length === BATCH) await send();
  }
  if (batch.length > 0) await send();
  return changed;
}

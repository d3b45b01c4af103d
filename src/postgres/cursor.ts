import { isCancelled } from '../asyncio/index.ts';
import type { Cursor, Row } from '../sql/index.ts';
import { interruptible, type PostgresConnection } from './connection.ts';
import { toDatabaseError } from './errors.ts';
import { FetchRun, type HeldRun, type StatementRun } from './run.ts';

/** Where a cursor gets its rows from when those that came first are used up. */
export interface RowSource {
  /** The next rows; none when there are no more. */
  next(): Promise<Row[]>;
  close(): Promise<void>;
}

/** What a statement gave; its rows come in pieces of `fetchSize`. */
export class PostgresCursor<R> implements Cursor<R> {
  /** PostgreSQL has none: use `RETURNING`. */
  readonly lastrowid: undefined = undefined;
  readonly rowcount: number;
  readonly columns: readonly string[] | undefined;
  #rows: Row[];
  #position: number;
  #source: RowSource | undefined;
  #fetching: Promise<void> | undefined;

  constructor(run: StatementRun, source: RowSource | undefined) {
    this.rowcount = run.rowcount;
    this.columns = run.columns;
    this.#rows = run.rows;
    this.#position = 0;
    this.#source = source;
    this.#fetching = undefined;
    if (source !== undefined) forgotten.register(this, source, this);
  }

  /** Whether rows are at hand. Asked again after each wait: others who read from the same cursor may have been faster. */
  get #ready(): boolean {
    return this.#position < this.#rows.length;
  }

  /** Gets the next rows, once for all who wait for them; false when there are none. */
  async #arrive(): Promise<boolean> {
    const source = this.#source;
    if (source === undefined) return false;
    this.#fetching ??= this.#fetch(source).finally(() => {
      this.#fetching = undefined;
    });
    await this.#fetching;
    return true;
  }

  async #fetch(source: RowSource): Promise<void> {
    const rows = await source.next();
    if (this.#source === undefined) return; // closed meanwhile
    this.#rows = rows;
    this.#position = 0;
    if (rows.length === 0) this.#letGo();
  }

  #letGo(): RowSource | undefined {
    const source = this.#source;
    this.#source = undefined;
    if (source !== undefined) forgotten.unregister(this);
    return source;
  }

  async fetchone(): Promise<R | undefined> {
    while (!this.#ready) if (!(await this.#arrive())) return undefined;
    return this.#rows[this.#position++] as R;
  }

  async fetchmany(size = 1): Promise<R[]> {
    if (!Number.isInteger(size) || size < 1)
      throw new RangeError(`size is a whole number of rows >= 1, got ${size}`);
    return await this.#upTo(size);
  }

  async #upTo(size: number): Promise<R[]> {
    const rows: Row[] = [];
    while (rows.length < size && (this.#ready || (await this.#arrive()))) {
      const piece = this.#rows.slice(this.#position, this.#position + size - rows.length);
      this.#position += piece.length;
      for (const row of piece) rows.push(row);
    }
    return rows as R[];
  }

  async fetchall(): Promise<R[]> {
    return await this.#upTo(Number.POSITIVE_INFINITY);
  }

  async close(): Promise<void> {
    this.#rows = [];
    await this.#letGo()?.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    try {
      for (;;) {
        if (this.#ready) yield this.#rows[this.#position++] as R;
        else if (!(await this.#arrive())) return;
      }
    } finally {
      await this.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** A cursor that was dropped without being read or closed must not keep its connection. */
const forgotten = new FinalizationRegistry<RowSource>((source) => {
  source.close().catch(() => {});
});

/** Rows outside of transactions: they hold a connection of the pool. */
export class HeldRows implements RowSource {
  private readonly run: HeldRun;
  private readonly connection: PostgresConnection;
  private readonly signal: AbortSignal | undefined;
  private release: (() => void) | undefined;

  constructor(
    run: HeldRun,
    connection: PostgresConnection,
    signal: AbortSignal | undefined,
    release: () => void,
  ) {
    this.run = run;
    this.connection = connection;
    this.signal = signal;
    this.release = release;
  }

  async next(): Promise<Row[]> {
    const { run, connection, signal } = this;
    if (run.ended) {
      if (run.failure !== undefined) throw mapped(run.failure, signal, run.text);
      return [];
    }
    try {
      await interruptible(
        () => run.more(),
        () => connection.interrupt(run),
        signal,
        'rows of PostgreSQL',
      );
    } catch (error) {
      this.giveBack();
      throw mapped(error, signal, run.text);
    }
    if (run.ended) this.giveBack();
    return run.rows;
  }

  async close(): Promise<void> {
    const { run, connection } = this;
    if (!run.ended) {
      if (run.suspended) run.giveUp().catch(() => {});
      else connection.interrupt(run);
      await run.done.catch(() => {}); // what went wrong behind the rows that were wanted is nobody's concern
    }
    this.giveBack();
  }

  private giveBack(): void {
    const { release } = this;
    this.release = undefined;
    release?.();
  }
}

/** Rows inside of a transaction: a portal, beside which other statements may run. */
export class PortalRows implements RowSource {
  private readonly first: StatementRun;
  private readonly connection: PostgresConnection;
  private readonly signal: AbortSignal | undefined;
  private readonly check: () => void;
  private done: boolean;

  /** @param check - throws when the transaction has ended */
  constructor(
    first: StatementRun,
    connection: PostgresConnection,
    signal: AbortSignal | undefined,
    check: () => void,
  ) {
    this.first = first;
    this.connection = connection;
    this.signal = signal;
    this.check = check;
    this.done = false;
  }

  async next(): Promise<Row[]> {
    if (this.done) return [];
    this.check();
    const { first, connection, signal } = this;
    const run = new FetchRun(first);
    try {
      await connection.runInterruptibly(run, signal);
    } catch (error) {
      throw mapped(error, signal, first.text);
    }
    if (!run.suspended) await this.close();
    return run.rows;
  }

  async close(): Promise<void> {
    if (this.done) return;
    this.done = true;
    this.connection.statements.dropPortal(this.first.portal);
  }
}

/** An error of ours for whatever went wrong; cancellations and abort reasons stay what they are. */
export function mapped(error: unknown, signal: AbortSignal | undefined, text: string | undefined): unknown {
  if (signal?.aborted === true && error === signal.reason) return error;
  return isCancelled(error) ? error : toDatabaseError(error, text);
}

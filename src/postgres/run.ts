import type { Row } from '../sql/index.ts';
import type { PgConnection, PgField, Submittable, WireValue } from './driver.ts';
import { endsConnection, isServerError } from './errors.ts';
import type { StatementCache } from './statement-cache.ts';
import { type Decoder, decoderOf } from './types.ts';

/**
 * One turn of the extended query protocol (PostgreSQL §55.2.3): messages go out, and it is over when the server is ready again. `pg` calls the `handle…`
 * methods; `settle` and `abandon` come from our connection, which sees "ready" after errors too, and the end of the socket.
 */
export abstract class Run implements Submittable {
  /** The text, for errors. */
  readonly text: string;
  /** Ends when the server is ready for the next run. */
  readonly done: Promise<void>;
  rows: Row[];
  columns: readonly string[] | undefined;
  /** Rows that INSERT, UPDATE, DELETE, MERGE or COPY changed; -1 for others. */
  rowcount: number;
  /** What the server says has been done: `INSERT 0 1`. */
  tag: string;
  /** Whether there are more rows behind those that were asked for. */
  suspended: boolean;
  ended: boolean;
  protected error: Error | undefined;
  private decoders: readonly Decoder[];
  declare private resolve: () => void;
  declare private reject: (error: Error) => void;

  constructor(text: string) {
    this.text = text;
    this.rows = [];
    this.columns = undefined;
    this.rowcount = -1;
    this.tag = '';
    this.suspended = false;
    this.ended = false;
    this.error = undefined;
    this.decoders = [];
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** What went wrong with it. */
  get failure(): Error | undefined {
    return this.error;
  }

  /** Writes the messages. */
  protected abstract send(connection: PgConnection): void;

  submit(connection: PgConnection): null {
    const { stream } = connection;
    stream.cork?.();
    try {
      this.send(connection);
    } finally {
      stream.uncork?.();
    }
    return null;
  }

  /** The server is ready for the next one. */
  settle(): void {
    if (this.ended) return;
    this.ended = true;
    if (this.error === undefined) this.resolve();
    else this.reject(this.error);
  }

  /** There will be no answer any more. */
  abandon(error: Error): void {
    this.error ??= error;
    this.settle();
  }

  /** For those that read a portal which an earlier run described. */
  protected describedAs(other: Run): void {
    this.columns = other.columns;
    this.decoders = other.decoders;
  }

  handleRowDescription({ fields }: { readonly fields: readonly PgField[] }): void {
    this.columns = fields.map(({ name }) => name);
    this.decoders = fields.map(({ dataTypeID }) => decoderOf(dataTypeID));
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const { columns, decoders } = this;
    if (columns === undefined || this.error !== undefined) return;
    const row: Row = {};
    try {
      for (let index = 0; index < columns.length; index++) {
        const text = fields[index] ?? null;
        const name = columns[index]!;
        const value = text === null ? null : decoders[index]!(text);
        if (name !== '__proto__') row[name] = value;
        else
          Object.defineProperty(row, name, { value, enumerable: true, configurable: true, writable: true });
      }
      this.rows.push(row);
    } catch (error) {
      this.error = error as Error;
    }
  }

  handleCommandComplete({ text }: { readonly text: string }, _connection: PgConnection): void {
    this.tag = text;
    const changed = /^(?:INSERT \d+|UPDATE|DELETE|MERGE|COPY) (\d+)$/.exec(text)?.[1];
    if (changed !== undefined) this.rowcount = Math.max(this.rowcount, 0) + Number(changed);
  }

  handlePortalSuspended(_connection: PgConnection): void {
    this.suspended = true;
  }

  handleError(error: Error, _connection: PgConnection): void {
    this.error ??= error;
    // After an error of the server it will be ready again, unless that was its last word.
    if (!isServerError(error)) this.abandon(error);
  }

  handleEmptyQuery(_connection: PgConnection): void {}
  handleReadyForQuery(_connection: PgConnection): void {}

  handleCopyInResponse(connection: PgConnection): void {
    connection.sendCopyFail('COPY FROM STDIN is not offered here');
  }

  handleCopyData(_message: unknown, _connection: PgConnection): void {
    this.error ??= new Error('COPY TO STDOUT is not offered here');
  }
}

/** Text without values, also several statements: the simple query protocol. */
export class Script extends Run {
  protected override send(connection: PgConnection): void {
    connection.query(this.text);
  }
}

/** What a {@link StatementRun} sends and how much it reads. */
export interface StatementOptions {
  readonly values: readonly WireValue[];
  readonly statements: StatementCache;
  /** Rows to read at most; 0: all. */
  readonly rows?: number;
  /** Name under which the rest can be read later in the same transaction. */
  readonly portal?: string;
}

/** One statement with its values. */
export class StatementRun extends Run {
  readonly maxRows: number;
  readonly portal: string;
  /** Whether it was run as a statement that the server had parsed earlier. */
  reused: boolean;
  protected readonly statements: StatementCache;
  private readonly values: readonly WireValue[];
  private parsedNow: boolean;

  constructor(text: string, options: StatementOptions) {
    super(text);
    this.values = options.values;
    this.statements = options.statements;
    this.maxRows = options.rows ?? 0;
    this.portal = options.portal ?? '';
    this.reused = false;
    this.parsedNow = false;
  }

  protected override send(connection: PgConnection): void {
    const name = this.prepare(connection);
    const { portal } = this;
    connection.bind({ portal, statement: name, values: this.values });
    connection.describe({ type: 'P', name: portal });
    connection.execute({ portal, rows: this.maxRows });
    this.finish(connection);
  }

  protected prepare(connection: PgConnection): string {
    const { statements, text } = this;
    for (const dropped of statements.takeDropped()) connection.close(dropped);
    const { name, parse } = statements.use(text);
    if (parse) connection.parse({ text, name });
    this.parsedNow = parse && name !== '';
    this.reused = !parse;
    return name;
  }

  protected finish(connection: PgConnection): void {
    connection.sync();
  }

  override handleError(error: Error, connection: PgConnection): void {
    // Parsed in this run, perhaps in vain; or parsed before the tables changed, or forgotten by the server.
    if (this.parsedNow || (this.reused && isStale(error))) this.statements.drop(this.text);
    super.handleError(error, connection);
  }

  /** The server takes no Sync while it waits for data, so it needs another one. */
  override handleCopyInResponse(connection: PgConnection): void {
    super.handleCopyInResponse(connection);
    connection.sync();
  }
}

/** "cached plan must not change result type" (0A000) and "prepared statement does not exist" (26000): nothing was done, trying again helps. */
export function isStale(error: unknown): boolean {
  return isServerError(error) && (error.code === '0A000' || error.code === '26000');
}

/** One statement for many sets of values, all in one turn. */
export class BatchRun extends StatementRun {
  private readonly sets: readonly (readonly WireValue[])[];

  constructor(text: string, sets: readonly (readonly WireValue[])[], statements: StatementCache) {
    super(text, { values: [], statements });
    this.sets = sets;
  }

  protected override send(connection: PgConnection): void {
    const statement = this.prepare(connection);
    for (const values of this.sets) {
      connection.bind({ portal: '', statement, values });
      connection.execute({ portal: '', rows: 0 });
    }
    connection.sync();
  }
}

/** The next rows of a portal that is still open in its transaction. */
export class FetchRun extends Run {
  private readonly portal: string;
  private readonly maxRows: number;

  constructor(first: StatementRun) {
    super(first.text);
    this.portal = first.portal;
    this.maxRows = first.maxRows;
    this.describedAs(first);
  }

  protected override send(connection: PgConnection): void {
    connection.execute({ portal: this.portal, rows: this.maxRows });
    connection.sync();
  }
}

/**
 * A statement outside of transactions whose rows are read piece by piece. Its portal lives until the next Sync, so the connection is its own until then.
 */
export class HeldRun extends StatementRun {
  /** Ends when the rows that were asked for are here. */
  batch: Promise<void>;
  private connection: PgConnection | undefined;
  /** One Sync ends the turn; a second one would be answered as if it belonged to the next run. */
  private synced: boolean;
  declare private arrived: () => void;
  declare private failed: (error: Error) => void;

  constructor(text: string, options: StatementOptions) {
    super(text, options);
    this.connection = undefined;
    this.synced = false;
    this.batch = this.nextBatch();
  }

  private nextBatch(): Promise<void> {
    const batch = new Promise<void>((resolve, reject) => {
      this.arrived = resolve;
      this.failed = reject;
    });
    batch.catch(() => {});
    return batch;
  }

  protected override finish(connection: PgConnection): void {
    this.connection = connection;
    connection.flush();
  }

  /** Asks for the next rows. */
  more(): Promise<void> {
    this.rows = [];
    this.suspended = false;
    this.batch = this.nextBatch();
    this.connection?.execute({ portal: this.portal, rows: this.maxRows });
    this.connection?.flush();
    return this.batch;
  }

  /** Gives up what was not read. Only between batches: while one is on its way the statement has to be interrupted. */
  async giveUp(): Promise<void> {
    if (!this.ended && this.suspended && this.connection !== undefined) this.sync(this.connection);
    await this.done;
  }

  private sync(connection: PgConnection): void {
    if (this.synced) return;
    this.synced = true;
    connection.sync();
  }

  override handlePortalSuspended(connection: PgConnection): void {
    super.handlePortalSuspended(connection);
    this.arrived();
  }

  override handleCommandComplete(message: { readonly text: string }, connection: PgConnection): void {
    super.handleCommandComplete(message, connection);
    this.suspended = false;
    this.sync(connection);
  }

  override handleEmptyQuery(connection: PgConnection): void {
    this.sync(connection);
  }

  override handleError(error: Error, connection: PgConnection): void {
    super.handleError(error, connection);
    if (isServerError(error) && !endsConnection(error)) this.sync(connection);
  }

  override settle(): void {
    super.settle();
    if (this.error === undefined) this.arrived();
    else this.failed(this.error);
  }
}

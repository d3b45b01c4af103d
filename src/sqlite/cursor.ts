import type { Cursor } from '../sql/index.ts';
import type { DriverValue } from './driver.ts';
import { PART, type Result } from './engine.ts';

/**
 * Makes a row out of its columns and values.
 *
 * Source: `sqlite3.Connection.row_factory`.
 */
export type RowFactory = (columns: readonly string[], values: readonly unknown[]) => unknown;

/** Where the other rows of a cursor come from. */
export interface CursorSource {
  fetch(count: number): Promise<readonly DriverValue[][]>;
  close(): void;
}

/**
 * Row factory for rows as plain objects, which is what a connection has without another. Of two columns with one name the last counts.
 *
 * @example
 * ```ts
 * import { objectRow } from 'aiohttp-ts/sqlite';
 * console.log(objectRow(['id', 'title'], [1, 'one'])); // { id: 1, title: 'one' }
 * ```
 */
export function objectRow(columns: readonly string[], values: readonly unknown[]): unknown {
  const row: Record<string, unknown> = {};
  for (let index = 0; index < columns.length; index++) {
    const name = columns[index]!;
    if (name === '__proto__') {
      Object.defineProperty(row, name, {
        value: values[index],
        enumerable: true,
        writable: true,
        configurable: true,
      });
    } else row[name] = values[index];
  }
  return row;
}

/**
 * Row factory for rows that are arrays of values, so that columns of one name stay apart.
 *
 * Source: `sqlite3`'s rows without a factory.
 *
 * @example
 * ```ts
 * import * as sqlite from 'aiohttp-ts/sqlite';
 * await using db = await sqlite.connect(':memory:', { rowFactory: sqlite.tupleRow });
 * console.log(await db.fetchone('SELECT 1 AS a, 2 AS a')); // [ 1, 2 ]
 * ```
 */
export function tupleRow(_columns: readonly string[], values: readonly unknown[]): unknown {
  return values;
}

/** Rows of a result. */
export function rowsOf<R>(result: Result, factory: RowFactory): R[] {
  const { columns, rows } = result;
  const made = new Array<R>(rows.length);
  for (let index = 0; index < rows.length; index++) made[index] = factory(columns!, rows[index]!) as R;
  return made;
}

/** What `execute` gives. Reads some rows ahead, and the others when they are asked for. */
export class SqliteCursor<R> implements Cursor<R> {
  readonly lastrowid: number | bigint | undefined;
  readonly rowcount: number;
  readonly columns: readonly string[] | undefined;
  private readonly factory: RowFactory;
  private rows: readonly DriverValue[][];
  private position: number;
  private source: CursorSource | undefined;
  private fetching: Promise<boolean> | undefined;

  constructor(result: Result, source: CursorSource | undefined, factory: RowFactory) {
    this.lastrowid = result.lastrowid;
    this.rowcount = result.changes;
    this.columns = result.columns;
    this.factory = factory;
    this.rows = result.rows;
    this.position = 0;
    this.source = source;
    this.fetching = undefined;
    if (source !== undefined) forgotten.register(this, source, this);
  }

  async fetchone(): Promise<R | undefined> {
    // Looked at again after each wait: others who read from the same cursor may have been faster.
    while (this.position >= this.rows.length) if (!(await this.more(PART))) return undefined;
    return this.take();
  }

  async fetchmany(size = 1): Promise<R[]> {
    if (!Number.isInteger(size) || size < 1)
      throw new RangeError(`size is a whole number of rows >= 1, got ${size}`);
    const rows: R[] = [];
    while (rows.length < size) {
      if (this.position < this.rows.length) rows.push(this.take());
      else if (!(await this.more(Math.max(PART, size - rows.length)))) break;
    }
    return rows;
  }

  async fetchall(): Promise<R[]> {
    const rows: R[] = [];
    do {
      while (this.position < this.rows.length) rows.push(this.take());
    } while (await this.more(PART * 8));
    return rows;
  }

  async close(): Promise<void> {
    this.rows = [];
    this.position = 0;
    this.letGo();
  }

  [Symbol.asyncIterator](): AsyncIterator<R> {
    return {
      next: async () => {
        const value = await this.fetchone();
        return value === undefined && this.rows.length === 0
          ? { value: undefined, done: true }
          : { value: value as R, done: false };
      },
      return: async () => {
        await this.close();
        return { value: undefined, done: true };
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private take(): R {
    return this.factory(this.columns!, this.rows[this.position++]!) as R;
  }

  /** Gets the next rows, once for all who wait for them; false when there are none. */
  private more(count: number): Promise<boolean> {
    this.fetching ??= this.fetchMore(count).finally(() => {
      this.fetching = undefined;
    });
    return this.fetching;
  }

  private async fetchMore(count: number): Promise<boolean> {
    const { source } = this;
    this.rows = [];
    this.position = 0;
    if (source === undefined) return false;
    const rows = await source.fetch(count);
    // Closed while it waited.
    if (this.source !== source) return false;
    this.rows = rows;
    if (rows.length < count) this.letGo();
    return rows.length > 0;
  }

  private letGo(): void {
    const { source } = this;
    if (source === undefined) return;
    this.source = undefined;
    forgotten.unregister(this);
    source.close();
  }
}

/** A cursor that was dropped without being read or closed must not keep its connection. */
const forgotten = new FinalizationRegistry<CursorSource>((source) => source.close());

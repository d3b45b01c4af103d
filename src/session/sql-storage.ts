import { Context, outside } from '../asyncio/index.ts';
import type { Database, Dialect, SqlExecutor, SqlValue } from '../sql/index.ts';
import { InterfaceError, OperationalError } from '../sql/index.ts';
import { checkAmount, SessionUnavailableError, wrongOption } from './errors.ts';
import { parseRecord } from './record.ts';
import type { ServerStorage, SessionWrite, StoredSession, UserSession, WriteOutcome } from './storage.ts';
import { nextVersion } from './version.ts';

/** Options of {@link SqlStorage}. */
export interface SqlStorageOptions {
  /** Name of the table. Default `'aiohttp_sessions'`. */
  readonly table?: string | undefined;
  /** How often expired sessions are deleted, in ms. Default 10 minutes; 0: never, `purge()` is yours to call. */
  readonly purgeEvery?: number | undefined;
  /** Whether the table and its indexes are made when the application starts and they are not there. Default `true`. */
  readonly createTable?: boolean | undefined;
  /** Told when the purge fails. */
  readonly onPurgeError?: ((error: unknown) => void) | undefined;
}

/** A database, or what gives it once the application has started. */
export type DatabaseSource = Database | (() => Database);

/** Rows that one statement of the purge deletes, so that nobody waits long for it. */
const PURGE_BATCH = 1000;

/** The statements, with the placeholders of the database. */
function statementsFor(dialect: Dialect, table: string) {
  const at = (position: number): string => (dialect === 'sqlite' ? '?' : `$${position}`);
  const columns = 'id, value, version, expires, user_id';
  return {
    schema: `CREATE TABLE IF NOT EXISTS ${table} (
  id TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  version TEXT NOT NULL,
  expires BIGINT NOT NULL,
  user_id TEXT
);
CREATE INDEX IF NOT EXISTS ${table}_expires ON ${table} (expires);
CREATE INDEX IF NOT EXISTS ${table}_user ON ${table} (user_id) WHERE user_id IS NOT NULL;`,
    load: `SELECT value, version, expires FROM ${table} WHERE id = ${at(1)} AND expires > ${at(2)}`,
    create: `INSERT INTO ${table} (${columns}) VALUES (${at(1)}, ${at(2)}, ${at(3)}, ${at(4)}, ${at(5)}) ON CONFLICT (id) DO NOTHING`,
    // One statement is one step: nobody comes between the comparison and the write.
    replace: `UPDATE ${table} SET id = ${at(1)}, value = ${at(2)}, version = ${at(3)}, expires = ${at(4)}, user_id = ${at(5)} WHERE id = ${at(6)} AND version = ${at(7)} AND expires > ${at(8)}`,
    touch: `UPDATE ${table} SET expires = ${at(1)} WHERE id = ${at(2)} AND expires > ${at(3)}`,
    delete: `DELETE FROM ${table} WHERE id = ${at(1)}`,
    sessionsOf: `SELECT id, value, expires FROM ${table} WHERE user_id = ${at(1)} AND expires > ${at(2)} ORDER BY expires`,
    revokeAll: `DELETE FROM ${table} WHERE user_id = ${at(1)} AND id <> ${at(2)} AND expires > ${at(3)}`,
    purge: `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE expires <= ${at(1)} LIMIT ${PURGE_BATCH})`,
  };
}

interface StoredRow {
  readonly value: string;
  readonly version: string;
  readonly expires: number | bigint | string;
}

/**
 * Sessions in a table of the application's own database. Use {@link SqliteStorage} or {@link PostgresStorage}.
 *
 * Its writes are no part of the request's transaction: a session is kept, and a failed login counted, also when the request rolls back. (Of SQLite only: an
 * answer that is prepared inside of a transaction saves its session in it, since there is one writer at a time.)
 */
export abstract class SqlStorage implements ServerStorage {
  readonly kind: 'server' = 'server';
  readonly #source: DatabaseSource;
  readonly #dialect: Dialect;
  readonly #table: string;
  readonly #statements: ReturnType<typeof statementsFor>;
  readonly #purgeEvery: number;
  readonly #createTable: boolean;
  readonly #onPurgeError: ((error: unknown) => void) | undefined;
  #database: Database | undefined;
  #timer: NodeJS.Timeout | undefined;
  #purging: Promise<unknown> | undefined;

  /** @throws RangeError `AIO_SESSION_SETTING` */
  constructor(dialect: Dialect, database: DatabaseSource, options: SqlStorageOptions = {}) {
    const { table = 'aiohttp_sessions' } = options;
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,40}$/.test(table)) {
      throw wrongOption(
        `table must be a name of at most 41 letters, digits and _, got ${JSON.stringify(table)}.`,
      );
    }
    this.#source = database;
    this.#dialect = dialect;
    this.#table = table;
    this.#statements = statementsFor(dialect, table);
    this.#purgeEvery = checkAmount('purgeEvery', options.purgeEvery ?? 600_000, true);
    this.#createTable = options.createTable ?? true;
    this.#onPurgeError = options.onPurgeError;
    this.#database = undefined;
    this.#timer = undefined;
    this.#purging = undefined;
  }

  get #db(): Database {
    if (this.#database !== undefined) return this.#database;
    const database = typeof this.#source === 'function' ? this.#source() : this.#source;
    if (database.dialect !== this.#dialect) {
      throw wrongOption(`This storage is for ${this.#dialect}, and the database is ${database.dialect}.`);
    }
    this.#database = database;
    return database;
  }

  /** Makes the table when it is not there, and begins to purge. */
  async open(): Promise<void> {
    if (this.#createTable) await this.#apart((db) => db.executescript(this.#statements.schema));
    if (this.#purgeEvery === 0 || this.#timer !== undefined) return;
    this.#timer = outside(() => setInterval(() => this.#purgeNow(), this.#purgeEvery));
    this.#timer.unref();
  }

  /** Stops to purge. The database stays open. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#purging;
  }

  /** Deletes what has expired; gives how many there were. Called by itself from time to time. */
  async purge(): Promise<number> {
    for (let total = 0; ; ) {
      const count = await this.#change(this.#statements.purge, [Date.now()]);
      total += count;
      if (count < PURGE_BATCH) return total;
    }
  }

  #purgeNow(): void {
    this.#purging ??= this.purge()
      .catch((error: unknown) => this.#onPurgeError?.(error))
      .finally(() => {
        this.#purging = undefined;
      });
  }

  async load(key: string): Promise<StoredSession | undefined> {
    const now = Date.now();
    const row = await this.#read((db) => db.fetchone<StoredRow>(this.#statements.load, [key, now]));
    if (row === undefined) return undefined;
    return { value: row.value, version: row.version, expiresIn: Number(row.expires) - now };
  }

  async create(key: string, write: SessionWrite): Promise<string | undefined> {
    const version = nextVersion();
    const { value, ttl, user } = write;
    const values = [key, value, version, expiry(ttl), user ?? null];
    return (await this.#change(this.#statements.create, values)) === 1 ? version : undefined;
  }

  replace(key: string, version: string, write: SessionWrite): Promise<WriteOutcome> {
    return this.#update(key, key, version, write);
  }

  async rename(
    key: string,
    newKey: string,
    version: string,
    write: SessionWrite,
    pointer?: { readonly value: string; readonly grace: number },
  ): Promise<WriteOutcome> {
    if (pointer === undefined) return this.#update(key, newKey, version, write);
    return this.#write((db) =>
      db.transaction(async (tx) => {
        const outcome = await this.#update(key, newKey, version, write, tx);
        if (outcome.status === 'written') {
          const values = [key, pointer.value, nextVersion(), expiry(pointer.grace), null];
          await tx.execute(this.#statements.create, values);
        }
        return outcome;
      }),
    );
  }

  async #update(
    key: string,
    newKey: string,
    version: string,
    write: SessionWrite,
    tx?: SqlExecutor,
  ): Promise<WriteOutcome> {
    const next = nextVersion();
    const { value, ttl, user } = write;
    const values = [newKey, value, next, expiry(ttl), user ?? null, key, version, Date.now()];
    if ((await this.#change(this.#statements.replace, values, tx)) === 1) {
      return { status: 'written', version: next };
    }
    const now = Date.now();
    const row = await this.#write((db) => (tx ?? db).fetchone<StoredRow>(this.#statements.load, [key, now]));
    if (row === undefined) return { status: 'gone' };
    const current = { value: row.value, version: row.version, expiresIn: Number(row.expires) - now };
    return { status: 'conflict', current };
  }

  async touch(key: string, ttl: number): Promise<boolean> {
    return (await this.#change(this.#statements.touch, [expiry(ttl), key, Date.now()])) === 1;
  }

  async delete(key: string): Promise<boolean> {
    return (await this.#change(this.#statements.delete, [key])) === 1;
  }

  async sessionsOf(user: string): Promise<readonly UserSession[]> {
    const now = Date.now();
    const rows = await this.#read((db) =>
      db.fetchall<StoredRow & { readonly id: string }>(this.#statements.sessionsOf, [user, now]),
    );
    return rows.flatMap(({ id, value, expires }) => {
      const record = parseRecord(value);
      if (record === undefined) return [];
      const { created, data } = record;
      return [{ key: id, created, expiresIn: Number(expires) - now, data: Object.fromEntries(data) }];
    });
  }

  revokeAll(user: string, except: string = ''): Promise<number> {
    return this.#change(this.#statements.revokeAll, [user, except, Date.now()]);
  }

  #change(statement: string, values: readonly SqlValue[], tx?: SqlExecutor): Promise<number> {
    return this.#write(async (db) => {
      const cursor = await (tx ?? db).execute(statement, values);
      return cursor.rowcount;
    });
  }

  /**
   * Reads on the connection that the request holds anyway, when it is in a transaction: one that needs two of a pool can wait for ever. A
   * transaction that has failed already reads nothing more, then it is another connection after all.
   */
  #read<R>(work: (executor: SqlExecutor) => Promise<R>): Promise<R> {
    const tx = this.#db.currentTransaction;
    if (tx?.open !== true) return this.#write(work);
    return work(tx).catch(() => this.#apart(work));
  }

  /**
   * Writes outside of the transaction that the request may be in. In SQLite, where there is one writer at a time, it would wait for itself: there it
   * joins one that is still open, which only answers are that were prepared inside of it.
   */
  #write<R>(work: (db: Database) => Promise<R>): Promise<R> {
    const joins = this.#dialect === 'sqlite' && this.#db.currentTransaction?.open === true;
    return joins ? this.#explained(() => work(this.#db)) : this.#apart(work);
  }

  #apart<R>(work: (db: Database) => Promise<R>): Promise<R> {
    const db = this.#db;
    return this.#explained(() =>
      db.currentTransaction === undefined ? work(db) : new Context().run(() => work(db)),
    );
  }

  async #explained<R>(work: () => Promise<R>): Promise<R> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof OperationalError || error instanceof InterfaceError) {
        throw new SessionUnavailableError(`the table ${this.#table} cannot be used: ${error.message}`, error);
      }
      throw error;
    }
  }
}

/** When something ends, in whole ms since 1970. */
function expiry(ttl: number): number {
  return Math.min(Math.ceil(Date.now() + ttl), Number.MAX_SAFE_INTEGER);
}

import { createHash } from 'node:crypto';
import { type Database, DatabaseError, type SqlTransaction, sql } from '../sql/index.ts';
import { type Migration, MigrationError, type Step, stepsOf } from './migration-files.ts';

/** A migration that is about to be applied, or was. */
export interface MigrationProgress {
  readonly version: number;
  readonly name: string;
  /** `'applying'` before it runs, `'applied'` when it holds. */
  readonly state: 'applying' | 'applied';
  /** Of the newest migration that there is. */
  readonly last: number;
}

/** Options of {@link migrate}. */
export interface MigrateOptions {
  /** The table that remembers what was applied; `aiohttp_migrations` by default. */
  readonly table?: string | undefined;
  /** Called before and after each migration that is applied: for a log. */
  readonly onProgress?: ((progress: MigrationProgress) => void) | undefined;
  /** Longest wait for another process that is at it, in ms; 60,000 by default. */
  readonly timeout?: number | undefined;
  /** Whether the database may have migrations that this program does not know, because a newer one ran there. `false` by default. */
  readonly allowUnknown?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What {@link migrate} did. */
export interface MigrationResult {
  /** Versions that were applied by this call. */
  readonly applied: readonly number[];
  /** The newest version that the database has now; 0 for none. */
  readonly version: number;
}

interface Applied {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

/**
 * Brings a database up to date: applies the migrations that it has not seen, in order, each in a transaction of its own. Any number of processes may
 * call it at the same time: one applies a migration, the others wait and see it done.
 *
 * Files are named `001_users.sql`; where databases need different texts, `001_users.sqlite.sql` and `001_users.postgres.sql`. Other files are left alone.
 * An applied file must not change any more. Statements that no transaction can hold (`VACUUM`, `CREATE INDEX CONCURRENTLY`) are not for migrations.
 *
 * @param source a folder, or the migrations themselves
 * @throws MigrationError
 *
 * @example
 * ```ts
 * import { migrate, open } from 'aiohttp-ts/database';
 * await using db = await open('sqlite::memory:');
 * const { version } = await migrate(db, [
 *   { version: 1, name: 'posts', sql: 'CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT NOT NULL)' },
 * ]);
 * console.log(version); // 1
 * ```
 */
export async function migrate(
  db: Database,
  source: string | URL | readonly Migration[],
  options: MigrateOptions = {},
): Promise<MigrationResult> {
  const { onProgress, timeout = 60_000, signal } = options;
  const table = options.table ?? 'aiohttp_migrations';
  const steps = await stepsOf(source, db.dialect);
  const last = steps.length;
  const applied: number[] = [];
  let version = 0;
  // One more turn than there are steps: the first only looks, when there are none.
  for (let done = false; !done; ) {
    const step = await db.transaction(
      async (tx): Promise<Step | undefined> => {
        const seen = await lockAndRead(tx, table);
        check(seen, steps, options);
        version = Math.max(0, ...seen.map((one) => one.version));
        const next = steps.find((one) => one.version > version);
        if (next === undefined) return undefined;
        onProgress?.({ version: next.version, name: next.name, state: 'applying', last });
        await apply(tx, next, table);
        return next;
      },
      { timeout, signal },
    );
    if (step === undefined) done = true;
    else {
      applied.push(step.version);
      onProgress?.({ version: step.version, name: step.name, state: 'applied', last });
    }
  }
  return { applied, version };
}

/** Keeps other processes out until the transaction ends, and reads what was applied. */
async function lockAndRead(tx: SqlTransaction, table: string): Promise<Applied[]> {
  if (tx.dialect === 'postgres') {
    // A number that only this table's migrations use; the transaction on sqlite holds the only right to write.
    const key = createHash('sha256').update(`aiohttp-ts migrations ${table}`).digest().readBigInt64BE(0);
    await tx.fetchone(sql`SELECT pg_advisory_xact_lock(${key})`);
  }
  await tx.execute(
    sql`CREATE TABLE IF NOT EXISTS ${sql.identifier(table)} (
      version INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      checksum TEXT NOT NULL,
      applied_at TEXT NOT NULL
    )`,
  );
  return await tx.fetchall<Applied>(
    sql`SELECT version, name, checksum FROM ${sql.identifier(table)} ORDER BY version`,
  );
}

function check(seen: readonly Applied[], steps: readonly Step[], { allowUnknown }: MigrateOptions): void {
  for (const { version, name, checksum } of seen) {
    const step = steps[version - 1];
    if (step === undefined) {
      if (allowUnknown === true) continue;
      throw new MigrationError(
        'AIO_MIGRATION_UNKNOWN',
        `the database has migration ${version} (${name}), which this program does not know: it is older than the database. allowUnknown lets it run nevertheless`,
      );
    }
    if (step.checksum !== checksum || step.name !== name) {
      throw new MigrationError(
        'AIO_MIGRATION_CHANGED',
        `${step.label} was changed after it had been applied${step.name === name ? '' : ` as ${name}`}: put it back, and write a new migration for what is new`,
      );
    }
  }
}

async function apply(tx: SqlTransaction, step: Step, table: string): Promise<void> {
  try {
    await tx.executescript(step.text);
    await tx.execute(
      sql`INSERT INTO ${sql.identifier(table)} (version, name, checksum, applied_at)
        VALUES (${step.version}, ${step.name}, ${step.checksum}, ${new Date().toISOString()})`,
    );
  } catch (cause) {
    const what =
      cause instanceof DatabaseError && cause.code === 'AIO_SQL_TRANSACTION_CONTROL'
        ? 'failed, and parts of it may be applied: take BEGIN, COMMIT and ROLLBACK out of it, a migration runs in a transaction of its own'
        : 'failed, and nothing of it was applied';
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MigrationError('AIO_MIGRATION_FAILED', `${step.label} ${what}: ${why}`, cause);
  }
}

import { sql } from '../sql/index.ts';
import { scan } from './tokens.ts';
import type { Transaction } from './transaction.ts';

interface SchemaEntry {
  readonly type: string;
  readonly name: string;
  readonly sql: string;
}

const SCHEMA = String.raw`SELECT type, name, sql FROM sqlite_schema
  WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY rowid`;

/** The database as SQL, of the moment in which the transaction begins; it is ended here. */
export async function* dumpOf(tx: Transaction): AsyncGenerator<string, void, undefined> {
  await tx.begin();
  try {
    yield 'PRAGMA foreign_keys=OFF;';
    yield 'BEGIN TRANSACTION;';
    const entries = await tx.fetchall<SchemaEntry>(SCHEMA);
    // Indexes would slow the rows down, triggers would act on them: both come after.
    for (const entry of entries) if (entry.type === 'table') yield* tableOf(tx, entry);
    // Where AUTOINCREMENT goes on. The table is there as soon as one that needs it is.
    if (entries.some(isCounted)) {
      yield 'DELETE FROM "sqlite_sequence";';
      yield* rowsOf(tx, 'sqlite_sequence');
    }
    for (const entry of entries) if (entry.type !== 'table') yield `${entry.sql};`;
    yield 'COMMIT;';
  } finally {
    await tx.finish(false);
  }
}

async function* tableOf(tx: Transaction, entry: SchemaEntry): AsyncGenerator<string, void, undefined> {
  yield `${entry.sql};`;
  if (/^\s*CREATE\s+VIRTUAL\b/i.test(entry.sql)) return;
  yield* rowsOf(tx, entry.name);
}

function isCounted({ type, sql: text }: SchemaEntry): boolean {
  return type === 'table' && scan(text).some(({ word }) => word === 'AUTOINCREMENT');
}

async function* rowsOf(tx: Transaction, name: string): AsyncGenerator<string, void, undefined> {
  const columns = await tx.fetchall<{ readonly name: string }>(
    sql`SELECT name FROM pragma_table_info(${name})`,
  );
  const table = sql.identifier(name);
  const values = sql.join(
    columns.map((column) => sql`quote(${sql.identifier(column.name)})`),
    ` || ',' || `,
  );
  const insert = `INSERT INTO ${table.render('sqlite')} VALUES(`;
  for await (const { line } of await tx.execute<{ readonly line: string }>(
    sql`SELECT ${values} AS line FROM ${table}`,
  )) {
    yield `${insert}${line});`;
  }
}

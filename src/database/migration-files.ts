import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dialect } from '../sql/index.ts';

/** One step of the schema. */
export interface Migration {
  /** 1 for the first; the next is one more. */
  readonly version: number;
  /** For people: letters, digits, `-`, `_` and `.`. */
  readonly name: string;
  /** Statements without values; one text for every database, or one for each. */
  readonly sql: string | Readonly<Partial<Record<Dialect, string>>>;
}

/** A migration as it runs on one database. */
export interface Step {
  readonly version: number;
  readonly name: string;
  /** As messages call it: its file, or version and name. */
  readonly label: string;
  readonly text: string;
  readonly checksum: string;
}

/**
 * Migrations that cannot be applied: files that do not fit together or with what the database has seen, or a statement that failed, which is the `cause`
 * then. Nothing of the migration that it names was applied.
 *
 * @example
 * ```ts
 * import { MigrationError, migrate, open } from 'aiohttp-ts/database';
 * await using db = await open('sqlite::memory:');
 * try {
 *   await migrate(db, [{ version: 2, name: 'too-early', sql: '' }]);
 * } catch (error) {
 *   console.log(error instanceof MigrationError && error.code); // AIO_MIGRATION_GAP
 * }
 * ```
 */
export class MigrationError extends Error {
  static {
    MigrationError.prototype.name = 'MigrationError';
  }

  /**
   * `AIO_MIGRATION_NAME`, `AIO_MIGRATION_GAP`, `AIO_MIGRATION_DUPLICATE`, `AIO_MIGRATION_VARIANT`, `AIO_MIGRATION_CHANGED`, `AIO_MIGRATION_UNKNOWN` or
   * `AIO_MIGRATION_FAILED`.
   */
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

interface Variant {
  readonly version: number;
  readonly name: string;
  readonly dialect: Dialect | undefined;
  readonly label: string;
  readonly text: string;
}

const fileName = /^(\d{1,9})_([\w.-]+?)(?:\.(sqlite|postgres))?\.sql$/;

/** The steps for a database, in order. */
export async function stepsOf(
  source: string | URL | readonly Migration[],
  dialect: Dialect,
): Promise<readonly Step[]> {
  const variants =
    typeof source === 'string' || source instanceof URL ? await readFolder(source) : variantsOf(source);
  const steps = [...byVersion(variants)].map(([, of]) => choose(of, dialect));
  steps.sort((a, b) => a.version - b.version);
  for (const [index, { version, label }] of steps.entries()) {
    if (version === index + 1) continue;
    throw new MigrationError(
      'AIO_MIGRATION_GAP',
      `there is no migration ${index + 1} before ${label}: numbers begin with 1 and leave none out`,
    );
  }
  return steps;
}

async function readFolder(folder: string | URL): Promise<Variant[]> {
  const directory = typeof folder === 'string' ? folder : fileURLToPath(folder);
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql'));
  return await Promise.all(
    names.map(async (label) => {
      const parts = fileName.exec(label);
      if (parts === null) {
        throw new MigrationError(
          'AIO_MIGRATION_NAME',
          `${path.join(directory, label)} is not named like 001_name.sql, 001_name.sqlite.sql or 001_name.postgres.sql`,
        );
      }
      return {
        version: Number(parts[1]),
        name: parts[2]!,
        dialect: parts[3] as Dialect | undefined,
        label,
        text: await readFile(path.join(directory, label), 'utf8'),
      };
    }),
  );
}

function variantsOf(list: readonly Migration[]): Variant[] {
  return list.flatMap(({ version, name, sql }) => {
    const label = `${String(version).padStart(3, '0')}_${name}`;
    if (!Number.isInteger(version) || version < 1 || !/^[\w.-]+$/.test(name)) {
      throw new MigrationError(
        'AIO_MIGRATION_NAME',
        `a migration has a version from 1 on and a name of letters, digits, -, _ and .; got ${label}`,
      );
    }
    const texts = typeof sql === 'string' ? [[undefined, sql] as const] : Object.entries(sql);
    return texts.map(([dialect, text]) => ({
      version,
      name,
      label,
      text: text ?? '',
      dialect: dialect as Dialect | undefined,
    }));
  });
}

function byVersion(variants: readonly Variant[]): Map<number, Variant[]> {
  const versions = new Map<number, Variant[]>();
  for (const variant of variants) {
    const others = versions.get(variant.version) ?? [];
    const twin = others.find(({ name, dialect }) => name !== variant.name || dialect === variant.dialect);
    if (twin !== undefined) {
      const [first, second] = [twin.label, variant.label].sort();
      throw new MigrationError(
        'AIO_MIGRATION_DUPLICATE',
        `${first} and ${second} have the same number: give the later one the next that is free`,
      );
    }
    versions.set(variant.version, [...others, variant]);
  }
  return versions;
}

function choose(variants: readonly Variant[], dialect: Dialect): Step {
  const chosen =
    variants.find((variant) => variant.dialect === dialect) ??
    variants.find((variant) => variant.dialect === undefined);
  if (chosen === undefined) {
    const [other] = variants;
    throw new MigrationError(
      'AIO_MIGRATION_VARIANT',
      `${other!.label} is for another database only: ${dialect} needs its own, which may be empty`,
    );
  }
  const { version, name, label } = chosen;
  // A checkout on Windows is no change.
  const text = chosen.text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n');
  return { version, name, label, text, checksum: createHash('sha256').update(text).digest('hex') };
}

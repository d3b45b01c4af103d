import { createRequire } from 'node:module';
import { InterfaceError } from '../sql/index.ts';

/** A value as it crosses to SQLite and back. */
export type DriverValue = null | string | number | bigint | Uint8Array;

/** What a statement is given: values in order, or by their full names (`:id`). */
export type Bound = readonly DriverValue[] | Readonly<Record<string, DriverValue>>;

/** What is used of `StatementSync`. */
export interface DriverStatement {
  run(...values: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint };
  all(...values: readonly unknown[]): unknown[];
  get(...values: readonly unknown[]): unknown;
  iterate(...values: readonly unknown[]): Iterator<unknown>;
  setReadBigInts(enabled: boolean): void;
  setReturnArrays?(enabled: boolean): void;
  columns?(): readonly { readonly name: string }[];
}

/** What is used of `DatabaseSync`. */
export interface DriverDatabase {
  readonly isTransaction?: boolean;
  prepare(text: string): DriverStatement;
  exec(text: string): void;
  function(name: string, options: object, fn: (...args: never[]) => unknown): void;
  close(): void;
}

/** What is used of a module with the interface of `node:sqlite`. */
export interface Driver {
  readonly DatabaseSync: new (path: string, options: object) => DriverDatabase;
  readonly backup?: (
    source: DriverDatabase,
    path: string,
    options: { rate: number; progress: (state: { totalPages: number; remainingPages: number }) => void },
  ) => Promise<number>;
}

/** Modules that `connect` can use, in the order in which they are tried. */
export type DriverName = 'node:sqlite' | '@photostructure/sqlite';

const loaded = new Map<DriverName, Driver>();
const require = createRequire(import.meta.url);

function unfit(message: string, cause?: unknown): InterfaceError {
  return new InterfaceError(message, { code: 'AIO_SQL_DRIVER', cause });
}

function loadBuiltIn(): Driver | undefined {
  const { emitWarning } = process;
  // Node 22 warns that the module is experimental when it is loaded. Users of this package did not choose it, and cannot act on it.
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    const text = typeof warning === 'string' ? warning : warning.message;
    if (!text.startsWith('SQLite is an experimental feature')) {
      (emitWarning as (...args: unknown[]) => void).call(process, warning, ...rest);
    }
  }) as typeof process.emitWarning;
  try {
    return require('node:sqlite') as unknown as Driver;
  } catch {
    return undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** `[22, 13]` of '22.13.0'. */
function numbers(version: string): readonly [number, number] {
  const [major, minor] = version.split('.').map(Number);
  return [major ?? 0, minor ?? 0];
}

/**
 * The version is read before the module is loaded: native code that was built for another Node does not throw, it ends the process.
 */
function loadPhotostructure(): Driver {
  let about: { version: string; engines?: { node?: string } };
  try {
    about = require('@photostructure/sqlite/package.json');
  } catch (cause) {
    throw unfit(
      `Node ${process.versions.node} has no usable 'node:sqlite' (22.13 and later have): install the driver with 'npm install @photostructure/sqlite', or use a newer Node`,
      cause,
    );
  }
  const needed = /(\d+)(?:\.(\d+))?/.exec(about.engines?.node ?? '');
  const [major, minor] = numbers(process.versions.node);
  if (needed !== null) {
    const [least, leastMinor] = [Number(needed[1]), Number(needed[2] ?? 0)];
    if (major < least || (major === least && minor < leastMinor)) {
      throw unfit(
        `@photostructure/sqlite ${about.version} needs Node ${about.engines?.node}, this is ${process.versions.node}: install '@photostructure/sqlite@1'`,
      );
    }
  }
  try {
    return require('@photostructure/sqlite') as Driver;
  } catch (cause) {
    throw unfit(
      `@photostructure/sqlite ${about.version} could not be loaded: ${(cause as Error).message}`,
      cause,
    );
  }
}

/**
 * Loads a driver: the one that was named, else the first one that fits this Node.
 *
 * @throws InterfaceError (`AIO_SQL_DRIVER`) with what to do about it
 */
export function loadDriver(name?: DriverName): { readonly name: DriverName; readonly driver: Driver } {
  if (name !== '@photostructure/sqlite') {
    const [major, minor] = numbers(process.versions.node);
    const fits = major > 22 || (major === 22 && minor >= 13);
    const driver = loaded.get('node:sqlite') ?? (fits ? loadBuiltIn() : undefined);
    if (driver !== undefined) {
      loaded.set('node:sqlite', driver);
      return { name: 'node:sqlite', driver };
    }
    if (name === 'node:sqlite') {
      throw unfit(`'node:sqlite' needs Node 22.13 or later, this is ${process.versions.node}`);
    }
  }
  let driver = loaded.get('@photostructure/sqlite');
  if (driver === undefined) {
    driver = loadPhotostructure();
    loaded.set('@photostructure/sqlite', driver);
  }
  return { name: '@photostructure/sqlite', driver };
}

/** Values that a driver changes without a word. */
export interface DriverLosses {
  /** Numbers between 0 and 2^-52 become 0: `@photostructure/sqlite`. */
  readonly tiny: boolean;
  /** Text ends at its first NUL: that one, and Node 22. */
  readonly nul: boolean;
}

const losses = new Map<DriverName, DriverLosses>();

/** Tries what a driver does to values. */
export function lossesOf(name: DriverName): DriverLosses {
  const known = losses.get(name);
  if (known !== undefined) return known;
  const { driver } = loadDriver(name);
  const database = new driver.DatabaseSync(':memory:', {});
  try {
    const row = database.prepare('SELECT ? AS tiny, ? AS nul').get(1e-17, 'a\0b') as {
      readonly tiny: unknown;
      readonly nul: unknown;
    };
    const found: DriverLosses = { tiny: row.tiny !== 1e-17, nul: row.nul !== 'a\0b' };
    losses.set(name, found);
    return found;
  } finally {
    database.close();
  }
}

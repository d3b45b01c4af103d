import type { DateRule } from './binding.ts';
import { objectRow, type RowFactory } from './cursor.ts';
import { type DriverName, loadDriver } from './driver.ts';
import type { EngineOptions } from './engine.ts';

/** A statement that kept the event loop. */
export interface SlowQuery {
  /** Its text, without values. */
  readonly statement: string;
  /** How long, in ms. */
  readonly duration: number;
}

/** Options of {@link connect}. */
export interface ConnectOptions {
  /**
   * Where statements run. `'main'` (default): on the main thread, which is fastest as long as statements take less than some milliseconds. `'worker'`: in
   * threads, so that no statement keeps the event loop.
   */
  readonly mode?: 'main' | 'worker' | undefined;
  /** Module to use; default: `node:sqlite`, where Node has it (22.13 and later), else `@photostructure/sqlite`. */
  readonly driver?: DriverName | undefined;
  /** Opens an existing file, and never writes to it. `false` by default. */
  readonly readOnly?: boolean | undefined;
  /** Connections that read beside the one that writes; 4 by default, 2 in threads. A database in memory has one connection for all. */
  readonly readers?: number | undefined;
  /** Longest wait for a lock, for the right to write and for a free connection, in ms; 5000 by default. */
  readonly busyTimeout?: number | undefined;
  /** How long a transaction that `execute('BEGIN')` opened may lie idle before it is rolled back, in ms; 5000 by default, `Infinity`: for ever. */
  readonly idleTransactionTimeout?: number | undefined;
  /** `'wal'` by default: readers and the writer do not wait for each other. */
  readonly journalMode?: 'wal' | 'delete' | 'truncate' | 'persist' | 'memory' | undefined;
  /** `'normal'` by default: what was committed outlives a crash of the process; `'full'`: also one of the machine. */
  readonly synchronous?: 'off' | 'normal' | 'full' | 'extra' | undefined;
  /** Whether foreign keys are checked; `true` by default. */
  readonly foreignKeys?: boolean | undefined;
  /** What a `Date` becomes: `'iso'` (default) its text in UTC, `'ms'` its milliseconds since 1970, `'refuse'` an error. */
  readonly dates?: DateRule | undefined;
  /** Makes rows; plain objects by default. */
  readonly rowFactory?: RowFactory | undefined;
  /** Prepared statements that are kept, per connection; 200 by default. */
  readonly statementCache?: number | undefined;
  /** Statements that keep the main thread longer than this are reported, in ms; 20 by default, `Infinity`: none. */
  readonly slowQuery?: number | undefined;
  /** Told of slow statements; default: a process warning with code `AIO_SQL_SLOW`, once per statement. */
  readonly onSlowQuery?: ((query: SlowQuery) => void) | undefined;
}

/** Options with everything decided. */
export interface Decided {
  readonly worker: boolean;
  /** Whether one connection serves all. */
  readonly single: boolean;
  readonly readers: number;
  readonly busyTimeout: number;
  readonly idleTransactionTimeout: number;
  readonly dates: DateRule;
  readonly rowFactory: RowFactory;
  readonly slowQuery: number;
  readonly onSlowQuery: ((query: SlowQuery) => void) | undefined;
  readonly engine: EngineOptions;
}

function wrong(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: 'AIO_SQL_OPTION' });
}

function oneOf<T extends string>(name: string, value: T | undefined, allowed: readonly [T, ...T[]]): T {
  if (value === undefined) return allowed[0];
  if (allowed.includes(value)) return value;
  throw wrong(`${name} is one of ${allowed.join(', ')}, got ${JSON.stringify(value)}`);
}

function number(name: string, value: number | undefined, standard: number, least: number): number {
  if (value === undefined) return standard;
  if (typeof value === 'number' && value >= least) return value;
  throw wrong(`${name} is a number of at least ${least}, got ${String(value)}`);
}

function whole(name: string, value: number | undefined, standard: number): number {
  const checked = number(name, value, standard, 1);
  if (!Number.isInteger(checked)) throw wrong(`${name} is a whole number, got ${checked}`);
  return checked;
}

function inMemory(path: string): boolean {
  return (
    path === '' || path === ':memory:' || (path.startsWith('file:') && /:memory:|mode=memory/.test(path))
  );
}

/** Checks options, and fills in what was left out. */
export function decide(path: string, options: ConnectOptions): Decided {
  if (typeof path !== 'string' || path.includes('\0')) {
    throw Object.assign(new TypeError('the path of a database is a string without NUL, or a file: URL'), {
      code: 'AIO_SQL_OPTION',
    });
  }
  const worker = oneOf('mode', options.mode, ['main', 'worker']) === 'worker';
  const driver =
    options.driver === undefined
      ? undefined
      : oneOf('driver', options.driver, ['node:sqlite', '@photostructure/sqlite']);
  return {
    worker,
    single: inMemory(path),
    readers: whole('readers', options.readers, worker ? 2 : 4),
    busyTimeout: number('busyTimeout', options.busyTimeout, 5_000, 0),
    idleTransactionTimeout: number('idleTransactionTimeout', options.idleTransactionTimeout, 5_000, 1),
    dates: oneOf('dates', options.dates, ['iso', 'ms', 'refuse']),
    rowFactory: options.rowFactory ?? objectRow,
    slowQuery: number('slowQuery', options.slowQuery, 20, 0),
    onSlowQuery: options.onSlowQuery,
    engine: {
      path,
      driver: loadDriver(driver).name,
      role: 'writer',
      readOnly: options.readOnly ?? false,
      journalMode: oneOf('journalMode', options.journalMode, [
        'wal',
        'delete',
        'truncate',
        'persist',
        'memory',
      ]),
      synchronous: oneOf('synchronous', options.synchronous, ['normal', 'off', 'full', 'extra']),
      foreignKeys: options.foreignKeys ?? true,
      statementCache: whole('statementCache', options.statementCache, 200),
    },
  };
}

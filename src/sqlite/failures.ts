import {
  type ConstraintKind,
  DatabaseError,
  DataError,
  IntegrityError,
  InterfaceError,
  InternalError,
  NotSupportedError,
  OperationalError,
} from '../sql/index.ts';

/** What a driver's error says. Errors lose their properties between threads, so this goes instead. */
export interface Failure {
  readonly message: string;
  readonly code: string | undefined;
  /** Extended result code of SQLite. */
  readonly errcode: number | undefined;
  /** Whether the transaction that it happened in is gone: SQLite rolls back by itself when a disk is full, and on `OR ROLLBACK`. */
  readonly lost: boolean;
}

/**
 * What `@photostructure/sqlite` does not tell: errors of its `all` and `iterate` have the words of SQLite, and no code. A broken primary key is "UNIQUE"
 * in words, too.
 */
const codesByWords: readonly (readonly [string, number])[] = [
  ['UNIQUE constraint failed', 2067],
  ['NOT NULL constraint failed', 1299],
  ['CHECK constraint failed', 275],
  ['FOREIGN KEY constraint failed', 787],
  ['cannot store ', 3091],
  ['database is locked', 5],
  ['database table is locked', 6],
  ['database schema is locked', 6],
  ['attempt to write a readonly database', 8],
  ['interrupted', 9],
  ['disk I/O error', 10],
  ['database disk image is malformed', 11],
  ['database or disk is full', 13],
  ['string or blob too big', 18],
  ['datatype mismatch', 20],
  ['file is not a database', 26],
];

function codeByWords(message: string): number {
  return codesByWords.find(([words]) => message.startsWith(words))?.[1] ?? 1;
}

/** Takes an error of a driver apart. */
export function failureOf(error: unknown, lost: boolean): Failure {
  const { message: words, code, errcode } = error as Partial<Failure>;
  const message = String(words ?? error);
  return {
    message,
    code,
    errcode: errcode ?? (code === 'ERR_SQLITE_ERROR' ? codeByWords(message) : undefined),
    lost,
  };
}

// Result codes: https://sqlite.org/rescode.html. The low byte is the kind.
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const MISUSE = 21;

const constraints: Readonly<Record<number, ConstraintKind>> = {
  275: 'check',
  531: 'other',
  787: 'foreign key',
  1043: 'other',
  1299: 'not null',
  1555: 'primary key',
  1811: 'trigger',
  2067: 'unique',
  2323: 'other',
  2579: 'primary key',
  3091: 'datatype',
};

function kindOf({ errcode }: Failure): number {
  return errcode === undefined ? 0 : errcode & 255;
}

/** Whether another connection holds the lock, so that trying again makes sense. */
export function isBusy(failure: Failure): boolean {
  const kind = kindOf(failure);
  return kind === BUSY || kind === LOCKED;
}

/** Whether a connection that only reads was asked to write. */
export function wasRefused(error: unknown): boolean {
  return error instanceof OperationalError && ((error.sqliteCode ?? 0) & 255) === READONLY;
}

/** Whether an integer did not fit into a number: `node:sqlite` has a code for it, the other driver only words. */
export function isTooLarge(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return (
    code === 'ERR_OUT_OF_RANGE' ||
    (typeof message === 'string' && message.startsWith('Value is too large to be represented'))
  );
}

/** The error that a caller gets. */
export function errorOf(failure: Failure, statement: string | undefined, cause?: unknown): DatabaseError {
  const { message, errcode } = failure;
  const options = { statement, sqliteCode: errcode, cause };
  switch (kindOf(failure)) {
    case 19:
      return new IntegrityError(message, constraints[errcode!] ?? 'other', options);
    case BUSY:
    case LOCKED:
      return new OperationalError(message, { ...options, code: 'AIO_SQL_BUSY' });
    case 18:
    case 20:
    case 25:
      return new DataError(message, options);
    case MISUSE:
      return new InterfaceError(message, options);
    case 2:
      return new InternalError(message, options);
    case 11:
    case 26:
      return new DatabaseError(message, options);
    case 22:
      return new NotSupportedError(message, options);
    case 0:
      // No error of SQLite: one of the driver, or of a function of the program.
      return failure.code?.startsWith('ERR_')
        ? new InterfaceError(message, options)
        : new OperationalError(message, options);
    default:
      return new OperationalError(message, options);
  }
}

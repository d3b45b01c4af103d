import {
  DataError,
  NotSupportedError,
  ProgrammingError,
  type SqlParameters,
  SqlQuery,
  type SqlValue,
  type Statement,
} from '../sql/index.ts';
import type { WireValue } from './driver.ts';

/** A statement as it goes to the server. */
export interface WireText {
  readonly text: string;
  readonly values: readonly WireValue[];
}

/** The protocol counts parameters in 16 bits. */
const MAX_PARAMETERS = 65_535;

/** @throws ProgrammingError `AIO_SQL_PARAMETERS`, DataError `AIO_SQL_VALUE` */
export function toWire(statement: Statement, parameters: SqlParameters | undefined): WireText {
  if (statement instanceof SqlQuery) {
    const text = statement.render('postgres');
    if (parameters !== undefined) {
      throw new ProgrammingError('a statement of sql`…` has its values inside: give no others', {
        code: 'AIO_SQL_PARAMETERS',
        statement: text,
      });
    }
    return { text, values: encodeAll(statement.values, text) };
  }
  if (typeof statement !== 'string') {
    throw Object.assign(
      new TypeError(
        `a statement is a string or made by sql\`…\`, got ${statement === null ? 'null' : typeof statement}`,
      ),
      { code: 'AIO_SQL_VALUE' },
    );
  }
  return { text: statement, values: encodeParameters(parameters, statement) };
}

export function encodeParameters(parameters: SqlParameters | undefined, statement: string): WireValue[] {
  if (parameters === undefined) return [];
  if (!Array.isArray(parameters)) {
    throw new ProgrammingError(
      'PostgreSQL knows its parameters by number: write $1, $2 … and give an array, or write the statement with sql`…`',
      { code: 'AIO_SQL_PARAMETERS', statement },
    );
  }
  return encodeAll(parameters, statement);
}

function encodeAll(values: readonly SqlValue[], statement: string): WireValue[] {
  if (values.length > MAX_PARAMETERS) {
    throw new ProgrammingError(
      `a statement takes at most ${MAX_PARAMETERS} values, got ${values.length}: use several statements, or executemany`,
      { code: 'AIO_SQL_PARAMETERS', statement },
    );
  }
  return values.map((value, index) => encode(value, index, statement));
}

function refuse(index: number, why: string, statement: string): DataError {
  return new DataError(`value ${index + 1} ${why}`, { code: 'AIO_SQL_VALUE', statement });
}

function encode(value: SqlValue, index: number, statement: string): WireValue {
  switch (typeof value) {
    case 'string':
      if (!(value as string & { isWellFormed(): boolean }).isWellFormed()) {
        throw refuse(index, 'has half of a surrogate pair, which UTF-8 cannot hold', statement);
      }
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'object':
      if (value === null) return null;
      if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      if (value instanceof Date) return encodeDate(value, index, statement);
  }
  const allowed = 'PostgreSQL takes null, strings, numbers, bigints, booleans, Uint8Array and Date';
  throw refuse(index, `is ${describe(value)}: ${allowed}`, statement);
}

function describe(value: unknown): string {
  if (value === undefined) return 'undefined (null is NULL)';
  if (Array.isArray(value)) return 'an array (for IN use sql.join; for ANY give the text \'{"a","b"}\')';
  return typeof value === 'object' ? 'an object (for json give JSON.stringify of it)' : `a ${typeof value}`;
}

/** ISO 8601, in UTC; PostgreSQL writes years before 1 as BC and wants no sign. */
function encodeDate(date: Date, index: number, statement: string): string {
  const time = date.getTime();
  if (Number.isNaN(time)) throw refuse(index, 'is an invalid Date', statement);
  const year = date.getUTCFullYear();
  const text = date.toISOString();
  if (year >= 1 && year <= 9999) return text;
  const rest = text.slice(text.indexOf('-', 1));
  return year > 9999 ? `${year}${rest}` : `${String(1 - year).padStart(4, '0')}${rest} BC`;
}

/** What transaction() does, and what would leave a pooled connection in a state that nobody knows of. */
const transactionControl =
  /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/|;)*(?:BEGIN|START\s+TRANSACTION|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE\s+TRANSACTION)(?![\w$])/i;

/** @throws NotSupportedError `AIO_SQL_TRANSACTION_CONTROL` */
export function refuseTransactionControl(text: string): void {
  if (!transactionControl.test(text)) return;
  throw transactionControlError(
    'BEGIN, COMMIT, ROLLBACK and SAVEPOINT are not run as statements, because each statement may get another connection: use transaction() or transactionScope()',
    text,
  );
}

export function transactionControlError(message: string, statement: string): NotSupportedError {
  return new NotSupportedError(message, { code: 'AIO_SQL_TRANSACTION_CONTROL', statement });
}

/** Whether a statement certainly changes nothing, as far as its first word tells. */
export function onlyReads(text: string): boolean {
  return readsRows(text) && !/\bWITH\b/i.test(text);
}

/** Whether a statement may give many rows that are worth reading piece by piece. What changes rows runs to its end anyway. */
export function readsRows(text: string): boolean {
  return /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/|\()*(?:SELECT|WITH|VALUES|TABLE|FETCH)(?![\w$])/i.test(
    text,
  );
}

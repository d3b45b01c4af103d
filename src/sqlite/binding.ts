import { DataError, ProgrammingError, type SqlParameters } from '../sql/index.ts';
import type { Bound, DriverLosses, DriverValue } from './driver.ts';
import type { Plan } from './plan.ts';

/** What a `Date` becomes: its ISO 8601 text in UTC, its milliseconds since 1970, or an error. */
export type DateRule = 'iso' | 'ms' | 'refuse';

/** How values are put. */
export interface BindingRules {
  readonly dates: DateRule;
  /** What the driver would change without a word. */
  readonly losses: DriverLosses;
}

const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;
/** Node 22 binds NULL for an array without memory, and an empty one that was sent to a thread has none. */
const EMPTY = new Uint8Array(1).subarray(0, 0);
const nothing: readonly DriverValue[] = [];

function describe(value: unknown): string {
  if (value === undefined) return 'undefined (null is NULL)';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return `an object of class ${value?.constructor?.name ?? 'null'}`;
  return `a ${typeof value}`;
}

function refuse(place: string | number, why: string, statement: string): DataError {
  const which = typeof place === 'number' ? `value ${place + 1}` : `the value of ${place}`;
  return new DataError(`${which} ${why}`, { code: 'AIO_SQL_VALUE', statement });
}

/**
 * One value, as the driver takes it. Whole numbers go as integers on every driver: `node:sqlite` alone would store 5 as 5.0 where the column has no type,
 * and NaN as NULL.
 */
function bindValue(
  value: unknown,
  place: string | number,
  rules: BindingRules,
  statement: string,
): DriverValue {
  switch (typeof value) {
    case 'string':
      if (!(value as string & { isWellFormed(): boolean }).isWellFormed()) {
        throw refuse(place, 'has half of a surrogate pair, which UTF-8 cannot hold', statement);
      }
      if (rules.losses.nul && value.includes('\0')) {
        throw refuse(place, 'has a NUL, where the driver of this Node would cut the text off', statement);
      }
      return value;
    case 'number':
      if (Number.isSafeInteger(value)) return BigInt(value);
      if (Number.isNaN(value)) throw refuse(place, 'is NaN, which SQLite cannot hold', statement);
      if (rules.losses.tiny && value > 0 && value < Number.EPSILON) {
        throw refuse(
          place,
          'is too small a number for the driver of this Node, which would store 0',
          statement,
        );
      }
      return value;
    case 'bigint':
      if (value < LEAST || value > MOST) throw refuse(place, 'does not fit into 64 bits', statement);
      return value;
    case 'boolean':
      return value ? 1n : 0n;
    default:
      if (value === null) return null;
      if (value instanceof Uint8Array) return value.byteLength === 0 ? EMPTY : value;
      if (value instanceof Date) return bindDate(value, place, rules.dates, statement);
      throw refuse(
        place,
        `is ${describe(value)}: SQLite takes null, strings, numbers, bigints, booleans, Uint8Array and Date`,
        statement,
      );
  }
}

function bindDate(value: Date, place: string | number, dates: DateRule, statement: string): DriverValue {
  const time = value.getTime();
  if (dates === 'refuse')
    throw refuse(place, 'is a Date, which \'dates: "refuse"\' does not convert', statement);
  if (Number.isNaN(time)) throw refuse(place, 'is an invalid Date', statement);
  return dates === 'iso' ? value.toISOString() : BigInt(time);
}

function wrong(message: string, statement: string): ProgrammingError {
  return new ProgrammingError(message, { code: 'AIO_SQL_PARAMETERS', statement });
}

/**
 * Puts values to the placeholders of a statement. Drivers bind NULL for what is missing; here every placeholder has its value, and every value its
 * placeholder.
 */
export function bind(plan: Plan, parameters: SqlParameters | undefined, rules: BindingRules): Bound {
  const { names, count, text } = plan;
  if (parameters === undefined) {
    if (count === 0 && names.length === 0) return nothing;
    throw wrong(`the statement has ${count + names.length} placeholders, and no values were given`, text);
  }
  if (Array.isArray(parameters)) {
    if (names.length > 0) {
      throw wrong(`the placeholders have names (${names.join(', ')}): give an object with the values`, text);
    }
    if (parameters.length !== count) {
      throw wrong(
        `the statement has ${count} placeholders, and ${parameters.length} values were given`,
        text,
      );
    }
    if (plan.numbered) {
      return Object.fromEntries(
        parameters.map((value, index) => [`?${index + 1}`, bindValue(value, index, rules, text)]),
      );
    }
    const bound = new Array<DriverValue>(count);
    for (let index = 0; index < count; index++) {
      bound[index] = bindValue(parameters[index], index, rules, text);
    }
    return bound;
  }
  return bindNamed(plan, parameters, rules);
}

function bindNamed(plan: Plan, parameters: unknown, rules: BindingRules): Bound {
  const { names, count, text } = plan;
  const prototype =
    typeof parameters === 'object' && parameters !== null && Object.getPrototypeOf(parameters);
  if (prototype !== Object.prototype && prototype !== null) {
    throw wrong(
      `values are an array, or a plain object for named placeholders, not ${describe(parameters)}`,
      text,
    );
  }
  if (count > 0) throw wrong(`the ${count} placeholders have no names: give an array with the values`, text);
  const given = parameters as Readonly<Record<string, unknown>>;
  const bound: Record<string, DriverValue> = {};
  const known = new Set<string>();
  for (const name of names) {
    const key = name.slice(1);
    if (!Object.hasOwn(given, key)) throw wrong(`no value was given for ${name}`, text);
    known.add(key);
    bound[name] = bindValue(given[key], name, rules, text);
  }
  for (const key of Object.keys(given)) {
    if (!known.has(key)) {
      throw wrong(
        `the statement has no placeholder for '${key}': it has ${names.join(', ') || 'none at all'}`,
        text,
      );
    }
  }
  return bound;
}

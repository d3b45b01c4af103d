import type { Dialect, SqlValue } from './database.ts';

/** What may stand inside of `` sql`…${here}…` ``: a value, which goes to the database beside the text, or another fragment. */
export type SqlInput = SqlValue | SqlQuery;

/** Texts of a template that has only values, by dialect: the same template is rendered once, however often it runs. */
type Texts = { sqlite: string | undefined; postgres: string | undefined };

const textsOf = new WeakMap<readonly string[], Texts>();

/**
 * A statement, or a part of one, with its values inside. Made by {@link sql}; never changes.
 */
export class SqlQuery {
  /** The text around the values: always one more than there are values. */
  readonly parts: readonly string[];
  /** The values, in the order of their places. */
  readonly values: readonly SqlValue[];

  /** @internal Use `sql`. */
  constructor(parts: readonly string[], values: readonly SqlValue[]) {
    this.parts = parts;
    this.values = values;
  }

  /** The text for a database: `?` for each value on sqlite, `$1`, `$2` … on postgres. Its values are in `values`. */
  render(dialect: Dialect): string {
    const known = textsOf.get(this.parts);
    if (known !== undefined) return (known[dialect] ??= this.text(dialect));
    return this.text(dialect);
  }

  private text(dialect: Dialect): string {
    const { parts } = this;
    let text = parts[0]!;
    for (let index = 1; index < parts.length; index++) {
      text += (dialect === 'sqlite' ? '?' : `$${index}`) + parts[index]!;
    }
    return text;
  }
}

function wrongInput(value: unknown): TypeError {
  const what = Array.isArray(value)
    ? 'an array: use sql.join(list) for a list of values'
    : value === undefined
      ? 'undefined: use null for NULL'
      : typeof value === 'object'
        ? `an object of class ${(value as object).constructor?.name ?? 'null'}`
        : `a ${typeof value}`;
  return Object.assign(
    new TypeError(
      `a value in sql\`…\` is null, a string, number, bigint, boolean, Uint8Array, Date or another sql\`…\`, not ${what}`,
    ),
    { code: 'AIO_SQL_VALUE' },
  );
}

function checkValue(value: unknown): asserts value is SqlValue {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return;
    default:
      if (value === null || value instanceof Uint8Array || value instanceof Date) return;
      throw wrongInput(value);
  }
}

/** Puts fragments and values between texts: `texts` has one more than `inputs`. */
function combine(texts: readonly string[], inputs: readonly SqlInput[]): SqlQuery {
  const parts: string[] = [texts[0]!];
  const values: SqlValue[] = [];
  for (let index = 0; index < inputs.length; index++) {
    const input = inputs[index];
    const after = texts[index + 1]!;
    if (input instanceof SqlQuery) {
      parts[parts.length - 1] += input.parts[0]!;
      for (let inner = 1; inner < input.parts.length; inner++) parts.push(input.parts[inner]!);
      for (const value of input.values) values.push(value);
      parts[parts.length - 1] += after;
    } else {
      checkValue(input);
      values.push(input);
      parts.push(after);
    }
  }
  return new SqlQuery(parts, values);
}

/** The function behind `` sql`…` ``, with what it has besides. */
export interface Sql {
  /** Makes a statement; every `${}` is a value, or another fragment. */
  (strings: TemplateStringsArray, ...inputs: readonly SqlInput[]): SqlQuery;
  /**
   * A list of values or fragments, for `IN (…)`, `VALUES …`, `SET …`.
   *
   * @param separator text between them, `', '` by default
   * @throws RangeError (`AIO_SQL_EMPTY_LIST`) for an empty list, which is no valid SQL anywhere
   */
  join(list: Iterable<SqlInput>, separator?: string): SqlQuery;
  /**
   * A quoted name of a table or column; several are joined by dots.
   *
   * @throws RangeError (`AIO_SQL_IDENTIFIER`) for an empty name, or one with a NUL
   */
  identifier(...names: readonly [string, ...string[]]): SqlQuery;
  /** Text that goes into the statement as it is. Never anything that came from outside of the program. */
  unsafeRaw(text: string): SqlQuery;
}

function tag(strings: TemplateStringsArray, ...inputs: readonly SqlInput[]): SqlQuery {
  for (const input of inputs) {
    if (input instanceof SqlQuery) return combine(strings, inputs);
    checkValue(input);
  }
  if (!textsOf.has(strings)) textsOf.set(strings, { sqlite: undefined, postgres: undefined });
  return new SqlQuery(strings, inputs as readonly SqlValue[]);
}

function join(list: Iterable<SqlInput>, separator = ', '): SqlQuery {
  const inputs = [...list];
  if (inputs.length === 0) {
    throw Object.assign(
      new RangeError(
        'sql.join was given an empty list, which no SQL can hold: leave the condition out, or answer without asking',
      ),
      { code: 'AIO_SQL_EMPTY_LIST' },
    );
  }
  return combine(['', ...new Array<string>(inputs.length - 1).fill(separator), ''], inputs);
}

function identifier(...names: readonly [string, ...string[]]): SqlQuery {
  const quoted = names.map((name) => {
    if (typeof name !== 'string' || name === '' || name.includes('\0')) {
      throw Object.assign(
        new RangeError(`a name in SQL is a string, not empty and without NUL, got ${JSON.stringify(name)}`),
        { code: 'AIO_SQL_IDENTIFIER' },
      );
    }
    return `"${name.replaceAll('"', '""')}"`;
  });
  return new SqlQuery([quoted.join('.')], []);
}

function unsafeRaw(text: string): SqlQuery {
  return new SqlQuery([text], []);
}

/**
 * Writes a statement that runs on sqlite and on postgres, with its values where they belong: nothing that stands in `${}` becomes part of the text.
 *
 * @throws TypeError (`AIO_SQL_VALUE`) for a value that no statement can carry, `undefined` and arrays among them
 *
 * @example
 * ```ts
 * import { sql } from 'aiohttp-ts/sql';
 * const owners = ['ada', 'grace'];
 * const query = sql`SELECT * FROM ${sql.identifier('posts')} WHERE owner IN (${sql.join(owners)}) AND id > ${7}`;
 * console.log(query.render('sqlite')); // SELECT * FROM "posts" WHERE owner IN (?, ?) AND id > ?
 * console.log(query.render('postgres'), query.values); // … IN ($1, $2) AND id > $3 [ 'ada', 'grace', 7 ]
 * ```
 */
export const sql: Sql = Object.freeze(Object.assign(tag, { join, identifier, unsafeRaw }));

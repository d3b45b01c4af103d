import { isInteger, modulo } from './arithmetic.ts';
import type { NativeFilter, Test } from './callables.ts';
import { contains, equal, greater, greaterOrEqual, less, lessOrEqual, numeric } from './comparing.ts';
import { isGenerator } from './filters/generators.ts';
import { hasHtml } from './markup.ts';
import { TemplateObject } from './objects.ts';
import { str } from './printing.ts';
import { Undefined } from './undefined.ts';
import { Float, isMapping, isText, Range } from './values.ts';

const test = (
  name: string,
  run: (value: unknown, ...args: unknown[]) => boolean,
  ...parameters: string[]
): NativeFilter => ({
  name,
  parameters,
  run: (_context, value, ...args) => run(value, ...args),
});

const isFloat = (value: unknown): boolean =>
  value instanceof Float || (typeof value === 'number' && !Number.isInteger(value));
const isWhole = (value: unknown): boolean => typeof value !== 'boolean' && isInteger(value);
const same = (left: unknown, right: unknown): boolean =>
  left === right || (left instanceof Undefined && right instanceof Undefined && left === right);
const cased = (value: unknown): string => str(value);

const eq = test('eq', (value, other) => equal(value, other), 'other');
const ne = test('ne', (value, other) => !equal(value, other), 'other');
const lt = test('lt', (value, other) => less(value, other), 'other');
const le = test('le', (value, other) => lessOrEqual(value, other), 'other');
const gt = test('gt', (value, other) => greater(value, other), 'other');
const ge = test('ge', (value, other) => greaterOrEqual(value, other), 'other');

/** Python's sequences: what has a length and items by position (dicts pass too, as in Jinja2). */
function isSequence(value: unknown): boolean {
  if (value instanceof Undefined) return true;
  return (
    Array.isArray(value) ||
    isText(value) ||
    value instanceof Range ||
    isMapping(value) ||
    value instanceof Uint8Array
  );
}

function isIterable(value: unknown): boolean {
  if (isSequence(value) || value instanceof Set || isGenerator(value)) return true;
  return (
    typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)
  );
}

/** The tests that every environment has. */
export const builtInTests: Readonly<Record<string, Test>> = {
  odd: test('odd', (value) => equal(modulo(value, 2), 1)),
  even: test('even', (value) => equal(modulo(value, 2), 0)),
  divisibleby: test('divisibleby', (value, by) => equal(modulo(value, by), 0), 'num'),
  defined: test('defined', (value) => !(value instanceof Undefined) && value !== undefined),
  undefined: test('undefined', (value) => value instanceof Undefined || value === undefined),
  filter: {
    name: 'filter',
    parameters: [],
    run: ({ environment }, value) => environment.filters[str(value)] !== undefined,
  },
  test: {
    name: 'test',
    parameters: [],
    run: ({ environment }, value) => environment.tests[str(value)] !== undefined,
  },
  none: test('none', (value) => value === null),
  boolean: test('boolean', (value) => typeof value === 'boolean'),
  false: test('false', (value) => value === false),
  true: test('true', (value) => value === true),
  integer: test('integer', isWhole),
  float: test('float', isFloat),
  lower: test('lower', (value) =>
    /\p{Lowercase}/u.test(cased(value)) && !/[\p{Uppercase}\p{Lt}]/u.test(cased(value))),
  upper: test('upper', (value) =>
    /\p{Uppercase}/u.test(cased(value)) && !/[\p{Lowercase}\p{Lt}]/u.test(cased(value))),
  string: test('string', isText),
  mapping: test('mapping', isMapping),
  number: test('number', (value) => numeric(value) !== undefined),
  sequence: test('sequence', isSequence),
  iterable: test('iterable', isIterable),
  callable: test('callable', (value) =>
    typeof value === 'function' || (value instanceof TemplateObject && value.callable)),
  sameas: test('sameas', same, 'other'),
  escaped: test('escaped', hasHtml),
  in: test('in', (value, container) => contains(container, value), 'seq'),
  '==': eq,
  eq,
  equalto: eq,
  '!=': ne,
  ne,
  '>': gt,
  gt,
  greaterthan: gt,
  '>=': ge,
  ge,
  '<': lt,
  lt,
  lessthan: lt,
  '<=': le,
  le,
};

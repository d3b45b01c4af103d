import { TemplateTypeError } from './errors.ts';
import { step } from './growth.ts';
import { Markup } from './markup.ts';
import { Undefined } from './undefined.ts';
import {
  Dict,
  DictView,
  entriesOf,
  Float,
  isMapping,
  isText,
  Namespace,
  Range,
  sizeOf,
  Tuple,
  textOf,
  typeName,
} from './values.ts';

/** `bool(value)`: zero, empty texts and empty collections are false. */
export function truth(value: unknown): boolean {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'string':
      return value !== '';
    case 'number':
      return value !== 0;
    case 'undefined':
      return false;
    case 'bigint':
      return value !== 0n;
    case 'object':
      break;
    default:
      return true;
  }
  if (value === null) return false;
  if (Array.isArray(value)) return value.length !== 0;
  if (value instanceof Undefined) return value.test();
  if (value instanceof Markup) return value.html !== '';
  if (value instanceof Float) return value.number !== 0;
  if (value instanceof Range || value instanceof DictView) return value.length !== 0;
  if (value instanceof Set) return value.size !== 0;
  if (value instanceof Uint8Array) return value.length !== 0;
  if (isMapping(value)) return sizeOf(value) !== 0;
  return true;
}

/** A number for what Python compares as one (`True` is 1), otherwise undefined. */
export function numeric(value: unknown): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value instanceof Float ? value.number : undefined;
}

/** `left == right`: by content for collections; numbers by value, whatever their kind. */
export function equal(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left === 'string' && typeof right === 'string') return false;
  if (left instanceof Undefined) return left.equals(right);
  if (right instanceof Undefined) return right.equals(left);
  if (left === null || right === null || left === undefined || right === undefined) return false;
  const a = numeric(left);
  if (a !== undefined) {
    const b = numeric(right);
    // Loose on purpose: a bigint equals the number of the same value.
    // biome-ignore lint/suspicious/noDoubleEquals: 1n == 1 is what is meant
    return b !== undefined && a == b;
  }
  if (typeof left !== 'object' || typeof right !== 'object') {
    return isText(left) && isText(right) && textOf(left) === textOf(right);
  }
  if (left instanceof Markup) return right instanceof Markup && left.html === right.html;
  if (Array.isArray(left)) {
    step();
    return (
      Array.isArray(right) &&
      left instanceof Tuple === right instanceof Tuple &&
      left.length === right.length &&
      left.every((item, i) => equal(item, right[i]))
    );
  }
  if (isMapping(left)) return isMapping(right) && equalMappings(left as Dict, right as Dict);
  if (left instanceof Set) {
    return right instanceof Set && left.size === right.size && [...left].every((item) => right.has(item));
  }
  if (left instanceof Range) {
    return (
      right instanceof Range &&
      left.length === right.length &&
      (left.length === 0 || (left.start === right.start && (left.length === 1 || left.step === right.step)))
    );
  }
  if (left instanceof Date) return right instanceof Date && left.getTime() === right.getTime();
  return false;
}

function equalMappings(left: Dict, right: Dict): boolean {
  step();
  if (sizeOf(left) !== sizeOf(right)) return false;
  const other = right instanceof Dict ? right : new Dict(entriesOf(right));
  for (const [key, value] of entriesOf(left)) {
    if (!other.has(key) || !equal(value, other.get(key))) return false;
  }
  return true;
}

const SURROGATE = /[\ud800-\udfff]/;

/** Order of two strings by code points, as in Python (UTF-16 order puts U+FFxx after astral characters). */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  if (!SURROGATE.test(a) && !SURROGATE.test(b)) return a < b ? -1 : 1;
  const x = [...a];
  const y = [...b];
  for (let i = 0; i < x.length && i < y.length; i++) {
    const difference =
      ((x[i] as string).codePointAt(0) as number) - ((y[i] as string).codePointAt(0) as number);
    if (difference !== 0) return difference;
  }
  return x.length - y.length;
}

/**
 * Order of two values: negative, zero or positive; `NaN` when numbers can't be ordered.
 *
 * @throws {TypeError} for values that Python doesn't order.
 */
export function compare(left: unknown, right: unknown, operator: string): number {
  if (left instanceof Undefined) return left.fail();
  if (right instanceof Undefined) return right.fail();
  const a = numeric(left);
  const b = numeric(right);
  if (a !== undefined && b !== undefined) return a < b ? -1 : a > b ? 1 : a <= b ? 0 : Number.NaN;
  if (isText(left) && isText(right)) return compareText(textOf(left), textOf(right));
  if (Array.isArray(left) && Array.isArray(right) && left instanceof Tuple === right instanceof Tuple) {
    step();
    for (let i = 0; i < left.length && i < right.length; i++) {
      if (!equal(left[i], right[i])) return compare(left[i], right[i], operator);
    }
    return left.length - right.length;
  }
  if (left instanceof Date && right instanceof Date) return left.getTime() - right.getTime();
  throw new TemplateTypeError(
    `'${operator}' not supported between instances of '${typeName(left)}' and '${typeName(right)}'`,
  );
}

export function less(left: unknown, right: unknown): boolean {
  return typeof left === 'number' && typeof right === 'number' ? left < right : compare(left, right, '<') < 0;
}

export function lessOrEqual(left: unknown, right: unknown): boolean {
  return typeof left === 'number' && typeof right === 'number'
    ? left <= right
    : compare(left, right, '<=') <= 0;
}

export function greater(left: unknown, right: unknown): boolean {
  return typeof left === 'number' && typeof right === 'number' ? left > right : compare(left, right, '>') > 0;
}

export function greaterOrEqual(left: unknown, right: unknown): boolean {
  return typeof left === 'number' && typeof right === 'number'
    ? left >= right
    : compare(left, right, '>=') >= 0;
}

/** `item in container`. */
export function contains(container: unknown, item: unknown): boolean {
  if (isText(container)) {
    if (item instanceof Undefined) item.fail();
    if (!isText(item)) {
      throw new TemplateTypeError(`'in <string>' requires string as left operand, not ${typeName(item)}`);
    }
    return textOf(container).includes(textOf(item));
  }
  if (container instanceof Undefined) return container.items().length !== 0;
  if (Array.isArray(container)) return container.some((member) => equal(member, item));
  if (container instanceof Dict) return container.has(item);
  if (container instanceof Map)
    return container.has(item) || (item instanceof Markup && container.has(item.html));
  if (container instanceof Set) {
    return container.has(item) || [...container].some((member) => equal(member, item));
  }
  if (isMapping(container)) return isText(item) && Object.hasOwn(container, textOf(item));
  if (container instanceof Range) {
    const number = numeric(item);
    if (typeof number !== 'number') return false;
    const steps = (number - container.start) / container.step;
    return Number.isInteger(steps) && steps >= 0 && steps < container.length;
  }
  if (container instanceof Namespace)
    throw new TemplateTypeError("argument of type 'Namespace' is not iterable");
  const iterate = (container as Iterable<unknown> | null | undefined)?.[Symbol.iterator];
  if (typeof iterate === 'function') {
    for (const member of container as Iterable<unknown>) if (equal(member, item)) return true;
    return false;
  }
  throw new TemplateTypeError(`argument of type '${typeName(container)}' is not iterable`);
}

import { isInteger } from '../arithmetic.ts';
import { compare, equal, numeric } from '../comparing.ts';
import { LookupError, TemplateTypeError, ValueError } from '../errors.ts';
import type { Keywords } from '../objects.ts';
import { formatDate, repr } from '../printing.ts';
import { pairsOf, toArray } from '../sequences.ts';
import { Dict, DictView, entriesOf, Float, isMapping, isText, Tuple, textOf } from '../values.ts';
import { decode } from './bytes.ts';
import { strftime } from './dates.ts';
import { placeArguments } from './text.ts';

type Mapping = Record<string, unknown> | Dict | Map<unknown, unknown>;

/** A method: its parameters' names (for keywords), whether it changes its object, and its body. */
interface Method<T> {
  readonly parameters: readonly string[];
  readonly mutates?: boolean;
  readonly run: (self: T, args: readonly unknown[], keywords: Keywords | undefined) => unknown;
}

const reads = <T>(run: Method<T>['run'], ...parameters: string[]): Method<T> => ({ parameters, run });
const changes = <T>(run: Method<T>['run'], ...parameters: string[]): Method<T> => ({
  parameters,
  run,
  mutates: true,
});

function position(
  list: readonly unknown[],
  value: unknown,
  start: unknown = 0,
  stop: unknown = list.length,
): number {
  const from = Number(start) < 0 ? Math.max(0, Number(start) + list.length) : Number(start);
  const to = Number(stop) < 0 ? Number(stop) + list.length : Math.min(Number(stop), list.length);
  for (let i = from; i < to; i++) if (equal(list[i], value)) return i;
  throw new ValueError(`${repr(value)} is not in list`);
}

const LIST: Readonly<Record<string, Method<unknown[]>>> = {
  append: changes((list, [item]) => {
    list.push(item);
    return null;
  }, 'object'),
  clear: changes((list) => {
    list.length = 0;
    return null;
  }),
  copy: reads((list) => [...list]),
  count: reads((list, [value]) => list.filter((item) => equal(item, value)).length, 'value'),
  extend: changes((list, [items]) => {
    for (const item of [...toArray(items)]) list.push(item);
    return null;
  }, 'iterable'),
  index: reads((list, [value, start, stop]) => position(list, value, start, stop), 'value', 'start', 'stop'),
  insert: changes(
    (list, [index, item]) => {
      list.splice(Number(index), 0, item);
      return null;
    },
    'index',
    'object',
  ),
  pop: changes((list, [index = -1]) => {
    if (list.length === 0) throw new LookupError('IndexError', 'pop from empty list');
    if (!isInteger(index)) throw new TemplateTypeError('list.pop() takes an integer');
    const at = Number(index) < 0 ? Number(index) + list.length : Number(index);
    if (at < 0 || at >= list.length) throw new LookupError('IndexError', 'pop index out of range');
    return list.splice(at, 1)[0];
  }, 'index'),
  remove: changes((list, [value]) => {
    const at = list.findIndex((item) => equal(item, value));
    if (at < 0) throw new ValueError('list.remove(x): x not in list');
    list.splice(at, 1);
    return null;
  }, 'value'),
  reverse: changes((list) => {
    list.reverse();
    return null;
  }),
  sort: changes((list, [reverse]) => {
    list.sort((a, b) => (reverse === true ? compare(b, a, '<') : compare(a, b, '<')));
    return null;
  }, 'reverse'),
};

const TUPLE: Readonly<Record<string, Method<unknown[]>>> = { count: LIST['count']!, index: LIST['index']! };

function has(mapping: Mapping, key: unknown): boolean {
  if (mapping instanceof Dict || mapping instanceof Map) return mapping.has(key);
  return isText(key) && Object.hasOwn(mapping, textOf(key));
}

function read(mapping: Mapping, key: unknown): unknown {
  if (mapping instanceof Dict || mapping instanceof Map) return mapping.get(key);
  return mapping[textOf(key as string)];
}

function write(mapping: Mapping, key: unknown, value: unknown): void {
  if (mapping instanceof Dict || mapping instanceof Map) mapping.set(key, value);
  else if (!isText(key)) throw new TemplateTypeError(`a key of this mapping must be a str, not ${repr(key)}`);
  // Not an assignment: the name may be __proto__.
  else
    Object.defineProperty(mapping, textOf(key), {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
}

function remove(mapping: Mapping, key: unknown): void {
  if (mapping instanceof Dict || mapping instanceof Map) mapping.delete(key);
  else delete mapping[textOf(key as string)];
}

const DICT: Readonly<Record<string, Method<Mapping>>> = {
  clear: changes((mapping) => {
    for (const key of [...entriesOf(mapping)].map(([key]) => key)) remove(mapping, key);
    return null;
  }),
  copy: reads((mapping) => new Dict(entriesOf(mapping))),
  get: reads(
    (mapping, [key, fallback = null]) => (has(mapping, key) ? read(mapping, key) : fallback),
    'key',
    'default',
  ),
  items: reads(
    (mapping) =>
      new DictView(
        'items',
        Array.from(entriesOf(mapping), (pair) => Tuple.make(pair)),
      ),
  ),
  keys: reads(
    (mapping) =>
      new DictView(
        'keys',
        Array.from(entriesOf(mapping), ([key]) => key),
      ),
  ),
  pop: changes(
    (mapping, args) => {
      const [key, fallback] = args;
      if (!has(mapping, key)) {
        if (args.length > 1) return fallback;
        throw new LookupError('KeyError', repr(key));
      }
      const value = read(mapping, key);
      remove(mapping, key);
      return value;
    },
    'key',
    'default',
  ),
  popitem: changes((mapping) => {
    const last = [...entriesOf(mapping)].pop();
    if (last === undefined) throw new LookupError('KeyError', "'popitem(): dictionary is empty'");
    remove(mapping, last[0]);
    return Tuple.make(last);
  }),
  setdefault: changes(
    (mapping, [key, fallback = null]) => {
      if (!has(mapping, key)) write(mapping, key, fallback);
      return read(mapping, key);
    },
    'key',
    'default',
  ),
  update: changes((mapping, [other], keywords) => {
    if (other !== undefined) for (const [key, value] of pairsOf(other)) write(mapping, key, value);
    for (const [key, value] of Object.entries(keywords ?? {})) write(mapping, key, value);
    return null;
  }, 'other'),
  values: reads(
    (mapping) =>
      new DictView(
        'values',
        Array.from(entriesOf(mapping), ([, value]) => value),
      ),
  ),
};

const SET: Readonly<Record<string, Method<Set<unknown>>>> = {
  add: changes((set, [item]) => {
    set.add(item);
    return null;
  }, 'item'),
  copy: reads((set) => new Set(set)),
  difference: reads(
    (set, [other]) => new Set([...set].filter((item) => !toArray(other).includes(item))),
    'other',
  ),
  discard: changes((set, [item]) => {
    set.delete(item);
    return null;
  }, 'item'),
  intersection: reads(
    (set, [other]) => new Set([...set].filter((item) => toArray(other).includes(item))),
    'other',
  ),
  issubset: reads((set, [other]) => [...set].every((item) => toArray(other).includes(item)), 'other'),
  issuperset: reads((set, [other]) => toArray(other).every((item) => set.has(item)), 'other'),
  union: reads((set, [other]) => new Set([...set, ...toArray(other)]), 'other'),
};

const DATE: Readonly<Record<string, Method<Date>>> = {
  isoformat: reads((date) => formatDate(date).replace(' ', 'T')),
  strftime: reads((date, [format]) => strftime(date, textOf(format as string)), 'format'),
  timestamp: reads((date) => {
    const seconds = date.getTime() / 1000;
    return Number.isInteger(seconds) ? new Float(seconds) : seconds;
  }),
  weekday: reads((date) => (date.getUTCDay() + 6) % 7),
  isoweekday: reads((date) => date.getUTCDay() || 7),
};

const DATE_FIELDS: Readonly<Record<string, (date: Date) => number>> = {
  year: (date) => date.getUTCFullYear(),
  month: (date) => date.getUTCMonth() + 1,
  day: (date) => date.getUTCDate(),
  hour: (date) => date.getUTCHours(),
  minute: (date) => date.getUTCMinutes(),
  second: (date) => date.getUTCSeconds(),
  microsecond: (date) => date.getUTCMilliseconds() * 1000,
};

const NUMBER: Readonly<Record<string, Method<unknown>>> = {
  bit_length: reads((value) => {
    const size = BigInt(numeric(value) as number);
    return size === 0n ? 0 : (size < 0n ? -size : size).toString(2).length;
  }),
  conjugate: reads((value) => value),
  is_integer: reads((value) => Number.isInteger(Number(numeric(value)))),
};

const BYTES: Readonly<Record<string, Method<Uint8Array>>> = {
  decode: reads(
    (bytes, [encoding = 'utf-8', errors = 'strict']) => decode(bytes, String(encoding), String(errors)),
    'encoding',
    'errors',
  ),
  hex: reads((bytes) => Buffer.from(bytes).toString('hex')),
};

// biome-ignore lint/suspicious/noExplicitAny: the table that fits the value is chosen by its type
function tableOf(value: unknown): Readonly<Record<string, Method<any>>> | undefined {
  if (typeof value === 'object' && value !== null) {
    if (value instanceof Tuple) return TUPLE;
    if (Array.isArray(value)) return LIST;
    if (isMapping(value)) return DICT;
    if (value instanceof Set) return SET;
    if (value instanceof Date) return DATE;
    if (value instanceof Uint8Array) return BYTES;
    return value instanceof Float ? NUMBER : undefined;
  }
  return numeric(value) === undefined ? undefined : NUMBER;
}

/** Names of every method of lists, dicts, sets, dates and numbers. */
export const collectionMethodNames: ReadonlySet<string> = new Set(
  [LIST, DICT, SET, DATE, BYTES, NUMBER].flatMap((table) => Object.keys(table)),
);

/** True when a value of this kind has a method of this name. */
export function hasMethod(value: unknown, name: string): boolean {
  const table = tableOf(value);
  return table !== undefined && Object.hasOwn(table, name);
}

/** True when the method changes its object: the immutable sandbox refuses it. */
export function changesObject(value: unknown, name: string): boolean {
  const table = tableOf(value);
  return table !== undefined && Object.hasOwn(table, name) && table[name]?.mutates === true;
}

/** Calls a method for which {@link hasMethod} holds. */
export function callMethodOf(
  value: unknown,
  name: string,
  args: readonly unknown[],
  keywords: Keywords | undefined,
): unknown {
  const method = tableOf(value)?.[name] as Method<unknown>;
  if (name === 'update') return method.run(value, args, keywords);
  return method.run(value, placeArguments(name, method.parameters, args, keywords), undefined);
}

/** A data attribute of a value that isn't a plain object: parts of a date. */
export function fieldOf(value: unknown, name: string): unknown {
  if (value instanceof Date && Object.hasOwn(DATE_FIELDS, name)) return DATE_FIELDS[name]?.(value);
  if (numeric(value) !== undefined) {
    if (name === 'real') return value;
    if (name === 'imag') return 0;
  }
  return undefined;
}

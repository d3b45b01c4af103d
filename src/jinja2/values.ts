import { Markup } from './markup.ts';

/**
 * A float whose value has no fraction: `4 / 2` is `2.0` in a template. Floats with a fraction are plain numbers, integers too;
 * an object is made only where the two would look alike.
 */
export class Float {
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }

  valueOf(): number {
    return this.number;
  }

  toJSON(): number {
    return this.number;
  }
}

/** The template's float for a JavaScript number. */
export function float(number: number): number | Float {
  return Number.isInteger(number) ? new Float(number) : number;
}

/** A Python tuple: an array that prints with parentheses and cannot be changed by a template. */
export class Tuple extends Array<unknown> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** A tuple with these items (the constructor would take one number for a length). */
  static make(items: Iterable<unknown>): Tuple {
    const tuple = new Tuple();
    for (const item of items) tuple.push(item);
    return tuple;
  }
}

/** The key under which a dict finds a value: numbers that are equal in Python are one key, and tuples compare by content. */
function keyOf(key: unknown): unknown {
  switch (typeof key) {
    case 'string':
      return key;
    case 'number':
      return key;
    case 'boolean':
      return key ? 1 : 0;
    case 'bigint':
      return key;
    default:
      if (key instanceof Float) return key.number;
      if (key instanceof Markup) return key.html;
      if (key instanceof Tuple)
        return `\u0000tuple:${key.map((item) => `${typeof item}:${String(keyOf(item))}`).join('\u0000')}`;
      return key;
  }
}

/** A Python dict: insertion order, keys of any hashable type, `1`, `1.0` and `true` are the same key. */
export class Dict {
  readonly #entries: Map<unknown, [key: unknown, value: unknown]>;

  constructor(entries: Iterable<readonly [unknown, unknown]> = []) {
    this.#entries = new Map();
    for (const [key, value] of entries) this.set(key, value);
  }

  get size(): number {
    return this.#entries.size;
  }

  has(key: unknown): boolean {
    return this.#entries.has(keyOf(key));
  }

  get(key: unknown): unknown {
    return this.#entries.get(keyOf(key))?.[1];
  }

  set(key: unknown, value: unknown): this {
    const at = keyOf(key);
    const entry = this.#entries.get(at);
    if (entry === undefined) this.#entries.set(at, [key, value]);
    else entry[1] = value;
    return this;
  }

  delete(key: unknown): boolean {
    return this.#entries.delete(keyOf(key));
  }

  clear(): void {
    this.#entries.clear();
  }

  *keys(): Generator<unknown> {
    for (const entry of this.#entries.values()) yield entry[0];
  }

  *values(): Generator<unknown> {
    for (const entry of this.#entries.values()) yield entry[1];
  }

  entries(): IterableIterator<[unknown, unknown]> {
    return this.#entries.values();
  }

  [Symbol.iterator](): IterableIterator<[unknown, unknown]> {
    return this.#entries.values();
  }

  toJSON(): Record<string, unknown> {
    return Object.fromEntries([...this].map(([key, value]) => [String(key), value]));
  }
}

/** A Python range: counts without making a list. */
export class Range {
  readonly start: number;
  readonly stop: number;
  readonly step: number;
  readonly length: number;

  constructor(start: number, stop: number, step: number = 1) {
    this.start = start;
    this.stop = stop;
    this.step = step;
    this.length = Math.max(0, Math.ceil((stop - start) / step));
  }

  at(index: number): number | undefined {
    const i = index < 0 ? index + this.length : index;
    return i >= 0 && i < this.length ? this.start + i * this.step : undefined;
  }

  *[Symbol.iterator](): Generator<number> {
    for (let i = 0; i < this.length; i++) yield this.start + i * this.step;
  }
}

/** `items()`, `keys()` or `values()` of a dict: can be looped over and has a length, but no items by position. */
export class DictView {
  readonly kind: 'items' | 'keys' | 'values';
  readonly #items: readonly unknown[];

  constructor(kind: 'items' | 'keys' | 'values', items: readonly unknown[]) {
    this.kind = kind;
    this.#items = items;
  }

  get length(): number {
    return this.#items.length;
  }

  [Symbol.iterator](): Iterator<unknown> {
    return this.#items[Symbol.iterator]();
  }

  toJSON(): readonly unknown[] {
    return this.#items;
  }
}

/** A value that may change during a loop, made by `namespace()`; only its attributes can be assigned to. */
export class Namespace {
  readonly attributes: Map<string, unknown> = new Map();
}

/** The class of a value as `value.__class__` shows it: a name and nothing else. */
export class TypeName {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

const objectPrototype = Object.prototype;

/** An object literal or a record without prototype: templates see it as a dict. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value) as unknown;
  return prototype === objectPrototype || prototype === null;
}

/** True for what Python's `str` covers: strings and `Markup`. */
export function isText(value: unknown): value is string | Markup {
  return typeof value === 'string' || value instanceof Markup;
}

/** The plain string of a `str`. */
export function textOf(value: string | Markup): string {
  return typeof value === 'string' ? value : value.html;
}

/** True for what Python's `dict` covers. */
export function isMapping(
  value: unknown,
): value is Record<string, unknown> | Dict | ReadonlyMap<unknown, unknown> {
  return value instanceof Dict || value instanceof Map || isRecord(value);
}

/** Keys and values of a mapping, in its order. */
export function entriesOf(
  value: Record<string, unknown> | Dict | ReadonlyMap<unknown, unknown>,
): Iterable<[unknown, unknown]> {
  return value instanceof Dict || value instanceof Map
    ? (value as Iterable<[unknown, unknown]>)
    : (Object.entries(value) as Iterable<[unknown, unknown]>);
}

/** Number of items of a mapping. */
export function sizeOf(value: Record<string, unknown> | Dict | ReadonlyMap<unknown, unknown>): number {
  return value instanceof Dict || value instanceof Map ? value.size : Object.keys(value).length;
}

/** Something that must be awaited. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

/** Python's name for the type of a value, used in messages. */
export function typeName(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 'str';
    case 'boolean':
      return 'bool';
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float';
    case 'bigint':
      return 'int';
    case 'function':
      return 'function';
    case 'symbol':
      return 'symbol';
    case 'undefined':
      return 'Undefined';
    default:
  }
  if (value === null) return 'NoneType';
  if (value instanceof Tuple) return 'tuple';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Markup) return 'Markup';
  if (value instanceof Float) return 'float';
  if (value instanceof Range) return 'range';
  if (value instanceof DictView) return `dict_${value.kind}`;
  if (isMapping(value)) return 'dict';
  if (value instanceof Set) return 'set';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof TypeName) return 'type';
  return (value as object).constructor?.name || 'object';
}

import { codedTypeError, shown } from './errors.ts';

/**
 * What a multidict can be made from: pairs (an array of them, a `Map`, `Headers`, `URLSearchParams`, another multidict) or a plain
 * object, whose arrays stand for repeated keys and whose `undefined` values are left out.
 */
export type MultiDictInit<V = string> =
  | Iterable<readonly [string, V]>
  | Readonly<Record<string, V | readonly V[] | undefined>>;

/** The read-only face of a `MultiDict` (multidict `MultiDictProxy`). */
export interface MultiDictProxy<V = string> extends Iterable<[string, V]> {
  readonly size: number;
  get(key: string): V | undefined;
  getOne(key: string): V | undefined;
  getAll(key: string): V[];
  has(key: string): boolean;
  keys(): IterableIterator<string>;
  values(): IterableIterator<V>;
  entries(): IterableIterator<[string, V]>;
  forEach(callback: (value: V, key: string, dict: MultiDictProxy<V>) => void): void;
  copy(): MultiDict<V>;
  toJSON(): Record<string, V | V[]>;
}

/** The read-only face of a `CIMultiDict` (multidict `CIMultiDictProxy`): what `request.headers` is. */
export interface CIMultiDictProxy extends MultiDictProxy<string> {
  readonly raw: readonly string[];
  getSetCookie(): string[];
  copy(): CIMultiDict;
}

/**
 * A dictionary that keeps insertion order and may hold a key several times (multidict `MultiDict`). Look-ups are linear: it is made
 * for the dozen keys of a query or a form, where that is faster than hashing.
 *
 * Changing it while iterating is safe: an iterator gives the keys that were there when it began.
 *
 * @example
 * ```ts
 * import { MultiDict } from 'aiohttp-ts';
 * const query = new MultiDict([['a', '1'], ['a', '2'], ['b', '']]);
 * query.get('a'); // '1'
 * query.getAll('a'); // ['1', '2']
 * query.get('c') ?? 'none'; // 'none'
 * ```
 */
export class MultiDict<V = string> implements MultiDictProxy<V> {
  // One flat array `[key, value, key, value …]`: one allocation however many pairs, and the parser's own array can be adopted.
  // Removing replaces the array instead of shifting it, so that iterators keep theirs.
  protected flat: (string | V)[];

  /**
   * @param init Pairs, a plain object, or nothing.
   * @throws TypeError `AIO_MULTIDICT_INIT` when it is neither.
   */
  constructor(init?: MultiDictInit<V>) {
    this.flat = init === undefined ? [] : MultiDict.flatten(init);
  }

  /** Number of pairs; a repeated key counts each time. */
  get size(): number {
    return this.flat.length >> 1;
  }

  /** First value of `key`, `undefined` when absent. */
  get(key: string): V | undefined {
    return this.getOne(key);
  }

  /** First value of `key`, `undefined` when absent (multidict `getone`). */
  getOne(key: string): V | undefined {
    const index = this.find(key, 0);
    return index === -1 ? undefined : (this.flat[index + 1] as V);
  }

  /** All values of `key` in order, an empty array when absent (multidict `getall`). */
  getAll(key: string): V[] {
    const found: V[] = [];
    for (let i = this.find(key, 0); i !== -1; i = this.find(key, i + 2)) found.push(this.flat[i + 1] as V);
    return found;
  }

  has(key: string): boolean {
    return this.find(key, 0) !== -1;
  }

  /** Adds a pair at the end, beside those that have the same key. */
  add(key: string, value: V): this {
    this.flat.push(key, value);
    return this;
  }

  /** Replaces every value of `key` by one, in the place of the first, or adds the pair at the end. */
  set(key: string, value: V): this {
    const index = this.find(key, 0);
    if (index === -1) return this.add(key, value);
    this.flat[index] = key;
    this.flat[index + 1] = value;
    this.removeFrom(key, index + 2);
    return this;
  }

  /** First value of `key`; when absent, adds `value` and returns it (multidict `setdefault`). */
  setDefault(key: string, value: V): V {
    const index = this.find(key, 0);
    if (index !== -1) return this.flat[index + 1] as V;
    this.flat.push(key, value);
    return value;
  }

  /** Removes every pair of `key`; whether there was one. */
  delete(key: string): boolean {
    return this.removeFrom(key, 0);
  }

  clear(): void {
    this.flat = [];
  }

  /** Adds all pairs of `init` at the end (multidict `extend`). */
  extend(init: MultiDictInit<V>): this {
    for (const part of MultiDict.flatten(init)) this.flat.push(part);
    return this;
  }

  /** Sets each key of `init`: its values here are replaced by all those that `init` has for it (multidict `update`). */
  update(init: MultiDictInit<V>): this {
    const added = MultiDict.flatten(init);
    // The places of replaced values are used in order; values beyond them go to the end; places left over disappear.
    const places = new Map<string, number>();
    for (let i = 0; i < added.length; i += 2) {
      const key = added[i] as string;
      const id = this.identity(key);
      const index = this.find(key, places.get(id) ?? 0);
      if (index === -1) {
        this.flat.push(key, added[i + 1] as V);
        places.set(id, this.flat.length);
      } else {
        this.flat[index] = key;
        this.flat[index + 1] = added[i + 1] as V;
        places.set(id, index + 2);
      }
    }
    for (const [id, from] of places) this.removeFrom(id, from);
    return this;
  }

  /** Adds the pairs of `init` whose key is not here yet (multidict `merge`). */
  merge(init: MultiDictInit<V>): this {
    const added = MultiDict.flatten(init);
    const kept: (string | V)[] = [];
    for (let i = 0; i < added.length; i += 2) {
      if (!this.has(added[i] as string)) kept.push(added[i] as string, added[i + 1] as V);
    }
    for (const part of kept) this.flat.push(part);
    return this;
  }

  /** Removes the first pair of `key` and returns its value, `undefined` when absent (multidict `popone`). */
  popOne(key: string): V | undefined {
    const index = this.find(key, 0);
    if (index === -1) return undefined;
    const value = this.flat[index + 1] as V;
    this.flat = this.flat.toSpliced(index, 2);
    return value;
  }

  /** Removes every pair of `key` and returns their values, an empty array when absent (multidict `popall`). */
  popAll(key: string): V[] {
    const values = this.getAll(key);
    if (values.length !== 0) this.removeFrom(key, 0);
    return values;
  }

  /** Removes the last pair and returns it, `undefined` when there is none (multidict `popitem`). */
  popItem(): [string, V] | undefined {
    const last = this.flat.length - 2;
    if (last < 0) return undefined;
    const pair: [string, V] = [this.flat[last] as string, this.flat[last + 1] as V];
    this.flat = this.flat.slice(0, last);
    return pair;
  }

  *keys(): IterableIterator<string> {
    const { flat } = this;
    for (let i = 0, end = flat.length; i < end; i += 2) yield flat[i] as string;
  }

  *values(): IterableIterator<V> {
    const { flat } = this;
    for (let i = 0, end = flat.length; i < end; i += 2) yield flat[i + 1] as V;
  }

  *entries(): IterableIterator<[string, V]> {
    const { flat } = this;
    for (let i = 0, end = flat.length; i < end; i += 2) yield [flat[i] as string, flat[i + 1] as V];
  }

  [Symbol.iterator](): IterableIterator<[string, V]> {
    return this.entries();
  }

  /** Calls `callback(value, key, dict)` for each pair, as the platform's `Headers` and `Map` do. */
  forEach(callback: (value: V, key: string, dict: MultiDictProxy<V>) => void): void {
    for (const [key, value] of this.entries()) callback(value, key, this);
  }

  /** A shallow copy. */
  copy(): MultiDict<V> {
    const copy = new MultiDict<V>();
    copy.flat = this.flat.slice();
    return copy;
  }

  /** A plain object: a value for a key that occurs once, an array for one that is repeated. */
  toJSON(): Record<string, V | V[]> {
    const groups = new Map<string, [string, V[]]>();
    for (const [key, value] of this.entries()) {
      const id = this.identity(key);
      const group = groups.get(id);
      if (group === undefined) groups.set(id, [key, [value]]);
      else group[1].push(value);
    }
    // Defines own properties, so that a key `__proto__` stays a key.
    return Object.fromEntries(
      Array.from(groups.values(), ([key, values]) => [key, values.length === 1 ? values[0]! : values]),
    );
  }

  /** What makes two keys the same key. */
  protected identity(key: string): string {
    return key;
  }

  /** Index of the first pair of `key` at or after `from`, or -1. */
  protected find(key: string, from: number): number {
    const { flat } = this;
    for (let i = from; i < flat.length; i += 2) if (flat[i] === key) return i;
    return -1;
  }

  /** The pairs of `init` in a new flat array. */
  private static flatten<V>(init: MultiDictInit<V>): (string | V)[] {
    if (init instanceof MultiDict) return (init as MultiDict<V>).flat.slice();
    if (typeof init !== 'object' || init === null) {
      throw codedTypeError(
        'AIO_MULTIDICT_INIT',
        `a multidict is made from pairs or a plain object, not from ${shown(init)}`,
      );
    }
    const flat: (string | V)[] = [];
    if (isPairs(init)) {
      for (const pair of init) {
        if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== 'string') {
          throw codedTypeError(
            'AIO_MULTIDICT_INIT',
            `a multidict is made from [string, value] pairs; one of them is ${shown(pair)}`,
          );
        }
        flat.push(pair[0], pair[1]);
      }
      return flat;
    }
    for (const key of Object.keys(init)) {
      const value = init[key];
      if (Array.isArray(value)) for (const one of value as readonly V[]) flat.push(key, one);
      else if (value !== undefined) flat.push(key, value as V);
    }
    return flat;
  }

  private removeFrom(key: string, from: number): boolean {
    let found = this.find(key, from);
    if (found === -1) return false;
    const { flat } = this;
    const kept = flat.slice(0, found);
    while (found !== -1) {
      const next = this.find(key, found + 2);
      for (let i = found + 2, end = next === -1 ? flat.length : next; i < end; i++) kept.push(flat[i]!);
      found = next;
    }
    this.flat = kept;
    return true;
  }
}

/**
 * Header fields: a `MultiDict` of strings whose keys are case-insensitive and keep their case, in order, repeats kept apart
 * (multidict `CIMultiDict`). Reads as the platform's `Headers` do: `get()` joins repeats, `getSetCookie()`.
 *
 * Names and values are not checked here: whatever writes a head checks all of it, once.
 *
 * @example
 * ```ts
 * import { CIMultiDict } from 'aiohttp-ts';
 * const headers = new CIMultiDict({ 'Content-Type': 'text/plain', Vary: ['Accept', 'Origin'] });
 * headers.get('content-type'); // 'text/plain'
 * headers.get('vary'); // 'Accept, Origin'
 * headers.getAll('vary'); // ['Accept', 'Origin']
 * ```
 */
export class CIMultiDict extends MultiDict<string> implements CIMultiDictProxy {
  declare protected flat: string[];

  /**
   * Adopts `[name, value, name, value …]` without copying: the caller must not change the array afterwards.
   *
   * @throws TypeError `AIO_MULTIDICT_INIT` when its length is odd.
   */
  static fromRaw(flat: string[]): CIMultiDict {
    if ((flat.length & 1) === 1)
      throw codedTypeError('AIO_MULTIDICT_INIT', 'raw headers have a name without a value');
    const headers = new CIMultiDict();
    headers.flat = flat;
    return headers;
  }

  /** The fields as they stand: `[name, value, name, value …]`. A view: it may change with the headers. */
  get raw(): readonly string[] {
    return this.flat;
  }

  /**
   * Value of a field; when it is repeated, all values joined with `', '` (RFC 9110 §5.3), those of Cookie with `'; '`
   * (RFC 9113 §8.2.3). Set-Cookie cannot be joined: its first value; see {@link getSetCookie}. `undefined` when absent.
   */
  override get(name: string): string | undefined {
    const { flat } = this;
    let index = this.find(name, 0);
    if (index === -1) return undefined;
    let value = flat[index + 1]!;
    index = this.find(name, index + 2);
    if (index === -1 || sameName(name, 'set-cookie')) return value;
    const separator = sameName(name, 'cookie') ? '; ' : ', ';
    for (; index !== -1; index = this.find(name, index + 2)) value += separator + flat[index + 1]!;
    return value;
  }

  /** All values of Set-Cookie, as `Headers.getSetCookie()`. */
  getSetCookie(): string[] {
    return this.getAll('set-cookie');
  }

  override copy(): CIMultiDict {
    return CIMultiDict.fromRaw(this.flat.slice());
  }

  protected override identity(key: string): string {
    return key.toLowerCase();
  }

  protected override find(name: string, from: number): number {
    const { flat } = this;
    const { length } = name;
    for (let i = from; i < flat.length; i += 2) {
      const candidate = flat[i]!;
      if (candidate.length === length && (candidate === name || equalFolded(candidate, name))) return i;
    }
    return -1;
  }
}

/**
 * Whether two field names are the same: equal but for the case of ASCII letters (RFC 9110 §5.1). Look-alikes such as the Kelvin sign
 * are other characters.
 *
 * @example
 * ```ts
 * sameName('Content-Type', 'content-type'); // true
 * ```
 */
export function sameName(one: string, other: string): boolean {
  return one.length === other.length && (one === other || equalFolded(one, other));
}

function equalFolded(one: string, other: string): boolean {
  for (let i = 0; i < one.length; i++) {
    const a = one.charCodeAt(i);
    const b = other.charCodeAt(i);
    if (a === b) continue;
    const lower = a | 0x20;
    if ((a ^ b) !== 0x20 || lower < 0x61 || lower > 0x7a) return false;
  }
  return true;
}

function isPairs<V>(init: MultiDictInit<V>): init is Iterable<readonly [string, V]> {
  return Symbol.iterator in init;
}

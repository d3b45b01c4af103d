import { isInteger } from './arithmetic.ts';
import { numeric } from './comparing.ts';
import { TemplateTypeError, ValueError } from './errors.ts';
import { checkItems } from './growth.ts';
import { Markup } from './markup.ts';
import { Undefined } from './undefined.ts';
import { Dict, entriesOf, isMapping, isText, Range, sizeOf, Tuple, textOf, typeName } from './values.ts';

const SURROGATE = /[\ud800-\udfff]/;

/** True when positions in a string are not positions of characters, because some lie outside the basic plane. */
export function hasAstral(text: string): boolean {
  return SURROGATE.test(text);
}

/** Number of characters (code points) of a string. */
export function countCharacters(text: string): number {
  if (!hasAstral(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/**
 * What a loop over the value visits: items, keys of a mapping, characters of a text.
 *
 * @throws {TypeError} when Python couldn't loop over it.
 */
export function iterable(value: unknown): Iterable<unknown> {
  if (Array.isArray(value) || typeof value === 'string') return value as Iterable<unknown>;
  if (value instanceof Markup) return value.html;
  if (value instanceof Undefined) return value.items();
  if (value instanceof Dict || value instanceof Map) return value.keys();
  if (value instanceof Range) return value;
  if (
    value !== null &&
    value !== undefined &&
    typeof (value as Iterable<unknown>)[Symbol.iterator] === 'function'
  ) {
    return value as Iterable<unknown>;
  }
  if (isMapping(value)) return Object.keys(value);
  if (value === undefined) return [];
  throw new TemplateTypeError(`'${typeName(value)}' object is not iterable`);
}

/** The items of {@link iterable} as an array, which may be the value itself. */
export function toArray(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value instanceof Range) checkItems(value.length);
  const items = iterable(value);
  return Array.isArray(items) ? items : [...items];
}

/** Keys and values of a mapping, or the pairs of a sequence. */
export function pairsOf(value: unknown): Iterable<readonly [unknown, unknown]> {
  if (isMapping(value)) return entriesOf(value);
  return toArray(value).map((pair) => {
    const items = toArray(pair);
    if (items.length !== 2) {
      throw new ValueError(`dictionary update sequence element has length ${items.length}; 2 is required`);
    }
    return items as [unknown, unknown];
  });
}

/** `len(value)`, or undefined when Python has none for it. */
export function lengthOf(value: unknown): number | undefined {
  if (typeof value === 'string') return countCharacters(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof Markup) return countCharacters(value.html);
  if (value instanceof Undefined) return value.items().length;
  if (value instanceof Range || value instanceof Uint8Array) return value.length;
  if (value instanceof Set) return value.size;
  if (isMapping(value)) return sizeOf(value);
  const length = (value as { length?: unknown } | null | undefined)?.length;
  return typeof value === 'object' && typeof length === 'number' ? length : undefined;
}

/** Exactly `count` items for `{% for a, b in … %}` and `{% set a, b = … %}`. */
export function unpack(value: unknown, count: number): readonly unknown[] {
  if (Array.isArray(value) && value.length === count) return value;
  if (value instanceof Undefined) value.fail();
  if (typeof value !== 'object' && typeof value !== 'string') {
    throw new TemplateTypeError(`cannot unpack non-iterable ${typeName(value)} object`);
  }
  if (value === null) throw new TemplateTypeError('cannot unpack non-iterable NoneType object');
  const items = toArray(value);
  if (items.length === count) return items;
  throw new ValueError(
    items.length < count
      ? `not enough values to unpack (expected ${count}, got ${items.length})`
      : `too many values to unpack (expected ${count})`,
  );
}

function bound(value: unknown, fallback: number, length: number, lowest: number, highest: number): number {
  if (value === null || value === undefined) return fallback;
  if (!isInteger(value)) {
    if (value instanceof Undefined) value.fail();
    throw new TemplateTypeError('slice indices must be integers or None or have an __index__ method');
  }
  let index = Number(value);
  if (index < 0) index += length;
  return Math.min(Math.max(index, lowest), highest);
}

function pick<T>(
  length: number,
  start: unknown,
  stop: unknown,
  step: unknown,
  at: (index: number) => T,
): T[] {
  const stride = step === null || step === undefined ? 1 : Number(numeric(step) ?? Number.NaN);
  if (stride === 0) throw new ValueError('slice step cannot be zero');
  if (!Number.isInteger(stride)) {
    throw new TemplateTypeError('slice indices must be integers or None or have an __index__ method');
  }
  const out: T[] = [];
  if (stride > 0) {
    const to = bound(stop, length, length, 0, length);
    for (let i = bound(start, 0, length, 0, length); i < to; i += stride) out.push(at(i));
  } else {
    const to = bound(stop, -1, length, -1, length - 1);
    for (let i = bound(start, length - 1, length, -1, length - 1); i > to; i += stride) out.push(at(i));
  }
  return out;
}

/** `value[start:stop:step]`, or undefined when the value can't be sliced. */
export function slice(value: unknown, start: unknown, stop: unknown, step: unknown): unknown {
  if (Array.isArray(value)) {
    const items = pick(value.length, start, stop, step, (i) => value[i] as unknown);
    return value instanceof Tuple ? Tuple.make(items) : items;
  }
  if (isText(value)) {
    const text = textOf(value);
    const characters: string | string[] = hasAstral(text) ? [...text] : text;
    const sliced = pick(characters.length, start, stop, step, (i) => characters[i] as string).join('');
    return value instanceof Markup ? new Markup(sliced) : sliced;
  }
  if (value instanceof Range) {
    const items = pick(value.length, start, stop, step, (i) => value.start + i * value.step);
    const stride = value.step * (step === null || step === undefined ? 1 : Number(step));
    if (items.length === 0) return new Range(0, 0, 1);
    return new Range(items[0] as number, (items[items.length - 1] as number) + Math.sign(stride), stride);
  }
  return undefined;
}

/** `sequence[index]` with negative positions, or undefined when there is no such item. */
export function itemAt(value: unknown, index: number): unknown {
  if (Array.isArray(value)) return value[index < 0 ? index + value.length : index];
  if (value instanceof Range) return value.at(index);
  if (isText(value)) {
    const text = textOf(value);
    const characters: string | string[] = hasAstral(text) ? [...text] : text;
    const found = characters[index < 0 ? index + characters.length : index];
    return found === undefined || typeof value === 'string' ? found : new Markup(found);
  }
  return value instanceof Uint8Array ? value[index < 0 ? index + value.length : index] : undefined;
}

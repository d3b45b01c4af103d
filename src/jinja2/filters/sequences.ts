import { add } from '../arithmetic.ts';
import type { NativeFilter } from '../callables.ts';
import { applyFilter } from '../callables.ts';
import { compare, equal, truth } from '../comparing.ts';
import type { EvalContext } from '../context.ts';
import { FilterArgumentError, TemplateRuntimeError, TemplateTypeError } from '../errors.ts';
import { checkItems } from '../growth.ts';
import { Markup } from '../markup.ts';
import type { Keywords } from '../objects.ts';
import { repr, str } from '../printing.ts';
import { iterable, lengthOf, pairsOf, toArray } from '../sequences.ts';
import { Undefined } from '../undefined.ts';
import { Dict, entriesOf, isMapping, isText, isThenable, Tuple, textOf, typeName } from '../values.ts';
import { attributeGetter, attributesGetter } from './attributes.ts';

/** Texts compare without regard to case unless asked for. */
function folded(value: unknown, caseSensitive: boolean): unknown {
  return !caseSensitive && isText(value) ? textOf(value).toLowerCase() : value;
}

function sorted<T>(items: readonly T[], key: (item: T) => unknown, reverse: boolean): T[] {
  const keyed = items.map((item) => ({ item, key: key(item) }));
  // Stable both ways, as in Python.
  keyed.sort((a, b) => (reverse ? compare(b.key, a.key, '<') : compare(a.key, b.key, '<')));
  return keyed.map(({ item }) => item);
}

/** A pair of `groupby`: a tuple with names. */
function group(grouper: unknown, list: readonly unknown[]): Tuple {
  const pair = Tuple.make([grouper, list]);
  Object.defineProperties(pair, { grouper: { value: grouper }, list: { value: list } });
  return pair;
}

/** Items one after the other, each computed when it is read; promises are awaited in an asynchronous render. */
function lazily(context: EvalContext, value: unknown, f: (item: unknown) => unknown): unknown {
  if (context.isAsync) {
    const results = toArray(value).map(f);
    return results.some(isThenable) ? Promise.all(results) : results;
  }
  return (function* () {
    for (const item of iterable(value)) yield f(item);
  })();
}

function filtered(
  context: EvalContext,
  value: unknown,
  f: (item: unknown) => unknown,
  wanted: boolean,
): unknown {
  if (context.isAsync) {
    const items = toArray(value);
    const keep = (results: readonly unknown[]): unknown[] =>
      items.filter((_, i) => truth(results[i]) === wanted);
    const results = items.map(f);
    return results.some(isThenable) ? Promise.all(results).then(keep) : keep(results);
  }
  return (function* () {
    for (const item of iterable(value)) if (truth(f(item)) === wanted) yield item;
  })();
}

/** The function of `select`, `reject` and their `attr` forms: a test by name, or the truth of the value. */
function testFunction(
  context: EvalContext,
  args: readonly unknown[],
  keywords: Keywords | undefined,
): (item: unknown) => unknown {
  const [name, ...rest] = args;
  if (name === undefined) return (item) => item;
  const test = context.environment.tests[str(name)];
  if (test === undefined) throw new TemplateRuntimeError(`No test named ${repr(str(name))}.`);
  return (item) => applyFilter(test, context, item, rest, keywords);
}

const selecting = (name: string, wanted: boolean): NativeFilter => ({
  name,
  parameters: [],
  isVariadic: true,
  run: (context, value, args, keywords) => {
    if (value === null || (value instanceof Undefined && !truth(value))) return [];
    return filtered(context, value, testFunction(context, args as unknown[], keywords as Keywords), wanted);
  },
});

const selectingByAttribute = (name: string, wanted: boolean): NativeFilter => ({
  name,
  parameters: [],
  isVariadic: true,
  run: (context, value, args, keywords) => {
    const [attribute, ...rest] = args as unknown[];
    if (attribute === undefined) throw new FilterArgumentError('Missing parameter for attribute name');
    if (value === null || (value instanceof Undefined && !truth(value))) return [];
    const get = attributeGetter(context.environment, attribute);
    const test = testFunction(context, rest, keywords as Keywords);
    return filtered(context, value, (item) => test(get(item)), wanted);
  },
});

const extreme = (name: 'min' | 'max'): NativeFilter => ({
  name,
  parameters: ['case_sensitive', 'attribute'],
  run: ({ environment }, value, caseSensitive = false, attribute = null) => {
    const get = attribute === null ? (item: unknown) => item : attributeGetter(environment, attribute);
    const items = toArray(value);
    if (items.length === 0) return environment.undefinedHint('No aggregated item, sequence was empty.');
    const key = (item: unknown): unknown => folded(get(item), truth(caseSensitive));
    let best = items[0];
    for (const item of items.slice(1)) {
      const order = compare(key(item), key(best), name === 'min' ? '<' : '>');
      if (name === 'min' ? order < 0 : order > 0) best = item;
    }
    return best;
  },
});

/** Filters that work on sequences and mappings. */
export const sequenceFilters: Readonly<Record<string, NativeFilter>> = {
  length: {
    name: 'length',
    parameters: [],
    run: (_context, value) => {
      const length = lengthOf(value);
      if (length === undefined)
        throw new TemplateTypeError(`object of type '${typeName(value)}' has no len()`);
      return length;
    },
  },
  first: {
    name: 'first',
    parameters: [],
    run: ({ environment }, value) => {
      for (const item of iterable(value)) return item;
      return environment.undefinedHint('No first item, sequence was empty.');
    },
  },
  last: {
    name: 'last',
    parameters: [],
    run: ({ environment }, value) => {
      const items = toArray(value);
      return items.length === 0
        ? environment.undefinedHint('No last item, sequence was empty.')
        : items[items.length - 1];
    },
  },
  random: {
    name: 'random',
    parameters: [],
    run: ({ environment }, value) => {
      const items = toArray(value);
      return items.length === 0
        ? environment.undefinedHint('No random item, sequence was empty.')
        : items[Math.floor(Math.random() * items.length)];
    },
  },
  list: { name: 'list', parameters: [], run: (_context, value) => [...toArray(value)] },
  reverse: {
    name: 'reverse',
    parameters: [],
    run: (_context, value) => {
      if (isText(value)) {
        const reversed = [...textOf(value)].reverse().join('');
        return value instanceof Markup ? new Markup(reversed) : reversed;
      }
      const items = [...iterable(value)].reverse();
      return (function* () {
        yield* items;
      })();
    },
  },
  sort: {
    name: 'sort',
    parameters: ['reverse', 'case_sensitive', 'attribute'],
    run: ({ environment }, value, reverse = false, caseSensitive = false, attribute = null) => {
      const sensitive = truth(caseSensitive);
      if (attribute === null)
        return sorted(toArray(value), (item) => folded(item, sensitive), truth(reverse));
      const get = attributesGetter(environment, attribute);
      return sorted(
        toArray(value),
        (item) => get(item).map((part) => folded(part, sensitive)),
        truth(reverse),
      );
    },
  },
  dictsort: {
    name: 'dictsort',
    parameters: ['case_sensitive', 'by', 'reverse'],
    run: (_context, value, caseSensitive = false, by = 'key', reverse = false) => {
      const at = by === 'key' ? 0 : by === 'value' ? 1 : -1;
      if (at < 0) throw new FilterArgumentError('You can only sort by either "key" or "value"');
      if (value instanceof Undefined) value.fail();
      const pairs = Array.from(pairsOf(value), (pair) => Tuple.make(pair));
      return sorted(pairs, (pair) => folded(pair[at], truth(caseSensitive)), truth(reverse));
    },
  },
  items: {
    name: 'items',
    parameters: [],
    run: (_context, value) => {
      // As in Python, what is wrong with the value shows when the pairs are read.
      return (function* () {
        if (value instanceof Undefined) return;
        if (!isMapping(value)) throw new TemplateTypeError('Can only get item pairs from a mapping.');
        for (const pair of entriesOf(value)) yield Tuple.make(pair);
      })();
    },
  },
  unique: {
    name: 'unique',
    parameters: ['case_sensitive', 'attribute'],
    run: ({ environment }, value, caseSensitive = false, attribute = null) => {
      const get = attribute === null ? (item: unknown) => item : attributeGetter(environment, attribute);
      return (function* () {
        const seen = new Dict();
        for (const item of iterable(value)) {
          const key = folded(get(item), truth(caseSensitive));
          if (seen.has(key)) continue;
          seen.set(key, true);
          yield item;
        }
      })();
    },
  },
  min: extreme('min'),
  max: extreme('max'),
  sum: {
    name: 'sum',
    parameters: ['attribute', 'start'],
    run: ({ environment }, value, attribute = null, start = 0) => {
      const get = attribute === null ? (item: unknown) => item : attributeGetter(environment, attribute);
      let total: unknown = start;
      for (const item of iterable(value)) total = add(total, get(item));
      return total;
    },
  },
  map: {
    name: 'map',
    parameters: [],
    isVariadic: true,
    run: (context, value, args, keywords) => {
      if (value === null || (value instanceof Undefined && !truth(value))) return [];
      const [name, ...rest] = args as unknown[];
      const named = { ...(keywords as Keywords | undefined) };
      if (name === undefined && 'attribute' in named) {
        const { attribute, default: fallback, ...others } = named;
        const [unexpected] = Object.keys(others);
        if (unexpected !== undefined)
          throw new FilterArgumentError(`Unexpected keyword argument '${unexpected}'`);
        return lazily(context, value, attributeGetter(context.environment, attribute, fallback));
      }
      if (name === undefined) throw new FilterArgumentError('map requires a filter argument');
      const filter = context.environment.filters[str(name)];
      if (filter === undefined) throw new TemplateRuntimeError(`No filter named ${repr(str(name))}.`);
      return lazily(context, value, (item) =>
        applyFilter(filter, context, item, rest, keywords as Keywords | undefined),
      );
    },
  },
  select: selecting('select', true),
  reject: selecting('reject', false),
  selectattr: selectingByAttribute('selectattr', true),
  rejectattr: selectingByAttribute('rejectattr', false),
  groupby: {
    name: 'groupby',
    parameters: ['attribute', 'default', 'case_sensitive'],
    run: ({ environment }, value, attribute, fallback = undefined, caseSensitive = false) => {
      if (attribute === undefined)
        throw new TemplateTypeError("groupby() missing a required argument: 'attribute'");
      const get = attributeGetter(environment, attribute, fallback === null ? undefined : fallback);
      const key = (item: unknown): unknown => folded(get(item), truth(caseSensitive));
      const groups: { key: unknown; items: unknown[] }[] = [];
      for (const item of sorted(toArray(value), key, false)) {
        const last = groups[groups.length - 1];
        const own = key(item);
        if (last !== undefined && equal(last.key, own)) last.items.push(item);
        else groups.push({ key: own, items: [item] });
      }
      // The group's name is that of its first item, in its own case.
      return groups.map(({ items }) => group(get(items[0]), items));
    },
  },
  batch: {
    name: 'batch',
    parameters: ['linecount', 'fill_with'],
    run: (_context, value, count, fill = null) => {
      const size = Number(count);
      if (fill !== null) checkItems(size);
      return (function* () {
        let row: unknown[] = [];
        for (const item of iterable(value)) {
          if (row.length === size) {
            yield row;
            row = [];
          }
          row.push(item);
        }
        if (row.length === 0) return;
        while (fill !== null && row.length < size) row.push(fill);
        yield row;
      })();
    },
  },
  slice: {
    name: 'slice',
    parameters: ['slices', 'fill_with'],
    run: (_context, value, slices, fill = null) => {
      const items = [...iterable(value)];
      const count = Number(slices);
      checkItems(count);
      const size = Math.floor(items.length / count);
      const longer = items.length % count;
      return (function* () {
        let from = 0;
        for (let i = 0; i < count; i++) {
          const to = from + size + (i < longer ? 1 : 0);
          const column = items.slice(from, to);
          if (fill !== null && i >= longer) column.push(fill);
          yield column;
          from = to;
        }
      })();
    },
  },
};

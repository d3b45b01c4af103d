import { compare } from '../comparing.ts';
import { repr } from '../printing.ts';
import { entriesOf, isMapping, Tuple } from '../values.ts';

const WIDTH = 80;

/** A value over several lines when it is longer than one (Python's `pprint`). */
export function prettyPrint(value: unknown, indent: number = 0, allowance: number = 0): string {
  const flat = repr(sortKeys(value));
  if (flat.length <= WIDTH - indent - allowance) return flat;
  if (Array.isArray(value)) {
    const [open, close] = value instanceof Tuple ? ['(', value.length === 1 ? ',)' : ')'] : ['[', ']'];
    const items = value.map((item, i) =>
      prettyPrint(item, indent + 1, i === value.length - 1 ? allowance + 1 : 1),
    );
    return `${open}${items.join(`,\n${' '.repeat(indent + 1)}`)}${close}`;
  }
  if (isMapping(value)) {
    const entries = sortedEntries(value as Record<string, unknown>);
    const items = entries.map(([key, item], i) => {
      const name = `${repr(key)}: `;
      return name + prettyPrint(item, indent + 1 + name.length, i === entries.length - 1 ? allowance + 1 : 1);
    });
    return `{${items.join(`,\n${' '.repeat(indent + 1)}`)}}`;
  }
  return flat;
}

function sortedEntries(value: Record<string, unknown>): [unknown, unknown][] {
  const entries = [...entriesOf(value)];
  try {
    return entries.sort(([a], [b]) => compare(a, b, '<'));
  } catch {
    // Keys of several types have no order: they stay as they are.
    return entries;
  }
}

function sortKeys(value: unknown): unknown {
  if (value instanceof Tuple) return Tuple.make(value.map(sortKeys));
  if (Array.isArray(value)) return value.map(sortKeys);
  return isMapping(value)
    ? new Map(sortedEntries(value as Record<string, unknown>).map(([key, item]) => [key, sortKeys(item)]))
    : value;
}

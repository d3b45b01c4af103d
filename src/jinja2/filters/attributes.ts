import type { Environment } from '../environment.ts';
import { isText, textOf } from '../values.ts';

function partOf(part: string): string | number {
  return /^\d+$/.test(part) ? Number(part) : part;
}

/**
 * A function that reads `a.b.0` from a value, piece by piece as `[…]` does.
 *
 * @param fallback Used for every piece that is undefined; `undefined` for none.
 */
export function attributeGetter(
  environment: Environment,
  attribute: unknown,
  fallback?: unknown,
): (item: unknown) => unknown {
  const parts = isText(attribute) ? textOf(attribute).split('.').map(partOf) : [attribute];
  return (item) => {
    let value = item;
    for (const part of parts) {
      value = environment.getItem(value, part);
      if (fallback !== undefined && environment.isUndefined(value)) value = fallback;
    }
    return value;
  };
}

/** Several attributes, parted by commas, as a list of values. */
export function attributesGetter(
  environment: Environment,
  attribute: unknown,
): (item: unknown) => readonly unknown[] {
  const getters = (isText(attribute) ? textOf(attribute).split(',') : [attribute]).map((part) =>
    attributeGetter(environment, typeof part === 'string' ? part.trim() : part),
  );
  return (item) => getters.map((get) => get(item));
}

import { OverflowError, SecurityError } from './errors.ts';

/** How many characters one operation may make; Python's limit is the memory. */
const MAX_CHARACTERS = 1 << 27;
/** How many items one operation may make. */
const MAX_ITEMS = 1 << 24;

// One operation runs to its end before another begins, so that what holds for it can be kept here instead of being handed through
// every function. `withCeiling` puts back what was before, also when operations nest.
let characters = MAX_CHARACTERS;
let items = MAX_ITEMS;
let steps = Number.POSITIVE_INFINITY;

function refuse(what: string, most: number, isSandbox: boolean): never {
  const message = `an operation would make more than ${most} ${what}`;
  throw isSandbox ? new SecurityError(message) : new OverflowError(message);
}

/** Refuses a text that would be too long; gives the length back. */
export function checkGrowth(length: number): number {
  if (length > characters) refuse('characters', characters, characters !== MAX_CHARACTERS);
  return length;
}

/** Refuses a list that would be too long. */
export function checkItems(count: number): void {
  if (count > items) refuse('items', items, items !== MAX_ITEMS);
}

/** Counts a step into a nested value: lists that share their items can be exponentially larger than what made them. */
export function step(): void {
  if (--steps < 0) refuse('steps', items, true);
}

/** `texts.join(glue)` that is refused before it is made when it would be too long. */
export function joinTexts(texts: readonly string[], glue: string): string {
  let length = glue.length * texts.length;
  for (const text of texts) length += text.length;
  checkGrowth(length);
  return texts.join(glue);
}

/** Runs one synchronous operation that may make at most so many characters and items. */
export function withCeiling<T>(mostCharacters: number, mostItems: number, operation: () => T): T {
  const before = characters;
  const itemsBefore = items;
  const stepsBefore = steps;
  characters = Math.min(mostCharacters, MAX_CHARACTERS);
  items = Math.min(mostItems, MAX_ITEMS);
  steps = mostItems;
  try {
    return operation();
  } finally {
    characters = before;
    items = itemsBefore;
    steps = stepsBefore;
  }
}

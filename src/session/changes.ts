import { SessionError } from './errors.ts';
import type { SessionRecord } from './record.ts';

/** Computes a value from the one that is there. */
export type Update = (value: unknown) => unknown;

/** What a request did to a session, so that it can be done again to a newer version of it. */
export interface Changes {
  readonly set: ReadonlyMap<string, unknown>;
  readonly removed: ReadonlySet<string>;
  readonly updates: ReadonlyMap<string, readonly Update[]>;
  /** Present where the field was set. */
  readonly user?: {
    readonly name: string | undefined;
    readonly epoch: number | undefined;
    /** When it became somebody's whose it was not before: its age counts from this login on. */
    readonly since: number | undefined;
  };
  readonly maxAge?: { readonly milliseconds: number | undefined };
}

/** The record after the changes: keys that the changes do not name stay as they are in `record`. */
export function applyChanges(record: SessionRecord, changes: Changes): SessionRecord {
  const data = new Map(record.data);
  for (const key of changes.removed) data.delete(key);
  for (const [key, value] of changes.set) data.set(key, value);
  for (const [key, updates] of changes.updates) {
    let value = data.get(key);
    for (const update of updates) value = checked(key, update(value));
    if (value === undefined) data.delete(key);
    else data.set(key, value);
  }
  const { user, maxAge } = changes;
  return {
    created: user?.since ?? record.created,
    data,
    user: user === undefined ? record.user : user.name,
    epoch: user === undefined ? record.epoch : user.epoch,
    maxAge: maxAge === undefined ? record.maxAge : maxAge.milliseconds,
    issued: record.issued,
  };
}

/** A value that JSON can hold, as it is; `undefined` stands for "no value". */
export function checked(key: string, value: unknown): unknown {
  if (value === undefined || value === null) return value;
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value;
      throw unfit(key, `${value} has no form in JSON`);
    default:
      // What an async function fails with later is told here, as its first mistake.
      if (value instanceof Promise) value.catch(() => {});
      if (LOSSY.some((kind) => value instanceof kind)) {
        throw unfit(key, `JSON keeps nothing of a ${value.constructor.name}${hintFor(value)}`);
      }
      textOf(key, value);
      return value;
  }
}

/** JSON makes `{}` of them, without a word. */
const LOSSY = [Promise, Map, Set, WeakMap, WeakSet];

function hintFor(value: object): string {
  return value instanceof Promise ? ': await it first (what update() is given must not be async)' : '';
}

/** A name that a record can hold: anything else would make its JSON, and so the whole session, unreadable. */
export function checkKey(key: unknown): asserts key is string {
  if (typeof key === 'string') return;
  throw new SessionError(
    'AIO_SESSION_VALUE',
    `A session names its values by strings, got ${typeof key} ${String(key)}.`,
  );
}

/** The JSON of a value. */
export function textOf(key: string, value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw unfit(key, error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error), error);
  }
  if (text === undefined) throw unfit(key, `a ${typeof value} has no form in JSON`);
  return text;
}

function unfit(key: string, why: string, cause?: unknown): SessionError {
  return new SessionError(
    'AIO_SESSION_VALUE',
    `The value of '${key}' cannot be kept in a session: ${why}. A session keeps what JSON keeps.`,
    cause,
  );
}

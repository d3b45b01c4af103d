import { KeyMissingError } from './errors.ts';

/**
 * A typed key of `Application` state. Keys are compared by identity: two keys of the same name are two keys.
 *
 * Counterpart of `aiohttp.web.AppKey`.
 *
 * @example
 * ```ts
 * const DB = new web.AppKey<Database>('db');
 * app.set(DB, await openDatabase());
 * const db = app.get(DB); // Database
 * ```
 */
export class AppKey<T> {
  /** For error messages only. */
  readonly name: string;
  /** Never there at run time: it makes the type parameter count. */
  declare protected readonly valueType: T;

  /** @throws TypeError when `name` is not a non-empty string: the name is all that an error message can show. */
  constructor(name: string) {
    if (typeof name !== 'string' || name === '') {
      throw new TypeError(
        `AppKey needs a name that error messages can show, got ${typeof name} ${String(name)}`,
      );
    }
    this.name = name;
  }

  toString(): string {
    return `<AppKey(${this.name})>`;
  }
}

/** What state is stored under. A string key has a value of type `unknown`. */
export type StateKey = AppKey<unknown> | string;

/** The type of the value under a key. */
export type StateValue<K extends StateKey> = K extends AppKey<infer T> ? T : unknown;

/** The key as a person would recognise it. */
export function describeKey(key: StateKey): string {
  return typeof key === 'string' ? `'${key}'` : String(key);
}

export function missingKey(key: StateKey, owner: string): KeyMissingError {
  return new KeyMissingError(
    `${describeKey(key)} is not set in ${owner}. Set it with app.set(KEY, value) before the application starts or in app.onStartup or app.cleanupCtx, or read it with a fallback: get(KEY, fallback)`,
  );
}

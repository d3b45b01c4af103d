import { StateError } from './errors.ts';
import type { Awaitable } from './types.ts';

/**
 * A list that closes: once frozen it cannot change any more. Counterpart of `frozenlist.FrozenList`.
 *
 * @example
 * ```ts
 * app.middlewares.append(timing, authentication);
 * ```
 */
export class FreezableList<T> implements Iterable<T> {
  readonly #items: T[] = [];
  readonly #what: string;
  readonly #check: ((item: T) => void) | undefined;
  #frozen = false;

  /**
   * @param what - names the list in error messages
   * @param check - throws for an item that may not be in the list
   */
  constructor(what: string, check?: (item: T) => void) {
    this.#what = what;
    this.#check = check;
  }

  get length(): number {
    return this.#items.length;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** The item at `index`, counted from the end when negative. */
  at(index: number): T | undefined {
    return this.#items.at(index);
  }

  /** Adds items behind the others. @throws StateError when the list is frozen. */
  append(...items: T[]): void {
    this.insert(this.#items.length, ...items);
  }

  /** Adds items before the one at `index`. @throws StateError when the list is frozen. */
  insert(index: number, ...items: T[]): void {
    this.#mustBeOpen();
    if (this.#check !== undefined) for (const item of items) this.#check(item);
    this.#items.splice(index, 0, ...items);
  }

  /** Takes the first occurrence out; tells whether there was one. @throws StateError when the list is frozen. */
  remove(item: T): boolean {
    this.#mustBeOpen();
    const index = this.#items.indexOf(item);
    if (index >= 0) this.#items.splice(index, 1);
    return index >= 0;
  }

  freeze(): void {
    this.#frozen = true;
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#items[Symbol.iterator]();
  }

  #mustBeOpen(): void {
    if (!this.#frozen) return;
    throw new StateError(
      'AIO_FROZEN',
      `${this.#what} cannot change any more: the application was started or added to another one. Change it before that.`,
    );
  }
}

/** A receiver of a `Signal`. */
export type SignalHandler<Args extends readonly unknown[]> = (...args: Args) => Awaitable<unknown>;

function mustBeFunction(handler: unknown): void {
  if (typeof handler !== 'function') {
    throw new TypeError(
      `A signal's handler must be a function, got ${handler === null ? 'null' : typeof handler}`,
    );
  }
}

/**
 * A freezable list of functions that are called one after another, each one awaited; the first that throws ends the call.
 * Counterpart of `aiosignal.Signal`.
 *
 * @example
 * ```ts
 * app.onStartup.append(async (app) => { app.set(DB, await openDatabase()); });
 * ```
 */
export class Signal<Args extends readonly unknown[]> extends FreezableList<SignalHandler<Args>> {
  constructor(what: string) {
    super(what, mustBeFunction);
  }

  async send(...args: Args): Promise<void> {
    for (const handler of this) await handler(...args);
  }
}

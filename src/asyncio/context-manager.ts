import { InvalidStateError } from './errors.ts';

/** Something that is released at the end of a block. */
export type Releasable = Disposable | AsyncDisposable;

/** Releases it; the asynchronous way when it has both. */
export async function release(resource: Releasable): Promise<void> {
  if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]();
  else resource[Symbol.dispose]();
}

/** An entered {@link AsyncContextManager}: `value` is what the generator yielded; disposing runs the rest of the generator. */
export class Entered<T> implements AsyncDisposable {
  /** What the generator yielded. */
  readonly value: T;
  private generator: AsyncGenerator<T, unknown, undefined> | undefined;

  /** @internal */
  constructor(value: T, generator: AsyncGenerator<T, unknown, undefined>) {
    this.value = value;
    this.generator = generator;
  }

  /** Runs what comes after `yield`. Does nothing the second time. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { generator } = this;
    this.generator = undefined;
    if (generator === undefined) return;
    // next(), not return(): what comes after `yield` outside of a `finally` has to run as well.
    requireEnd(await generator.next(), generator);
  }

  /** @internal Throws the error of the block at the `yield`; false when the generator has caught it. */
  async fail(error: unknown): Promise<boolean> {
    const { generator } = this;
    this.generator = undefined;
    if (generator === undefined) return true;
    try {
      requireEnd(await generator.throw(error), generator);
    } catch (thrown) {
      if (thrown === error) return true;
      throw thrown;
    }
    return false;
  }
}

function requireEnd(step: IteratorResult<unknown, unknown>, generator: AsyncGenerator<unknown>): void {
  if (step.done) return;
  void generator.return(undefined).catch(() => {});
  throw new InvalidStateError(
    "The generator of a context manager yielded a second time: it must end after its only 'yield'.",
  );
}

/** What a function made by {@link asyncContextManager} returns. Can be entered once. */
export class AsyncContextManager<T> {
  private generator: AsyncGenerator<T, unknown, undefined> | undefined;

  /** @internal */
  constructor(generator: AsyncGenerator<T, unknown, undefined>) {
    this.generator = generator;
  }

  /**
   * Runs the generator up to its `yield`: `await using db = await connection(url).enter()`. The generator does not see errors of the
   * block; with `use` it does.
   *
   * @throws InvalidStateError when it was entered already, or the generator ends without a `yield`
   */
  async enter(): Promise<Entered<T>> {
    const { generator } = this;
    if (generator === undefined) throw new InvalidStateError('A context manager can be entered only once.');
    this.generator = undefined;
    const step = await generator.next();
    if (step.done) throw new InvalidStateError("The generator of a context manager ended without a 'yield'.");
    return new Entered(step.value, generator);
  }

  /**
   * Runs a function between the two halves of the generator. An error of the function is thrown at the `yield`, as in Python; a
   * generator that catches it and ends has dealt with it, and undefined is returned.
   */
  async use<R>(body: (value: T) => R | PromiseLike<R>): Promise<R | undefined> {
    const entered = await this.enter();
    let result: R;
    try {
      result = await body(entered.value);
    } catch (error) {
      if (await entered.fail(error)) throw error;
      return undefined;
    }
    await entered[Symbol.asyncDispose]();
    return result;
  }
}

/**
 * Makes a resource out of an async generator: what comes before its one `yield` sets up, what comes after it tears down.
 *
 * Source: `contextlib.asynccontextmanager`.
 *
 * @param fn the generator function
 * @returns a function with the same parameters that gives the resource, to be entered by `enter()` or `use(body)`
 *
 * @example
 * ```ts
 * import { asyncContextManager } from 'aiohttp-ts/asyncio';
 * const connection = asyncContextManager(async function* (name: string) {
 *   console.log('open', name);
 *   try {
 *     yield name.length;
 *   } finally {
 *     console.log('close', name);
 *   }
 * });
 * await connection('db').use((length) => console.log(length));
 * ```
 */
export function asyncContextManager<A extends readonly unknown[], T>(
  fn: (...args: A) => AsyncGenerator<T, unknown, undefined>,
): (...args: A) => AsyncContextManager<T> {
  return (...args) => new AsyncContextManager(fn(...args));
}

/** See {@link aclosing}. */
export interface Closing<T> extends AsyncIterable<T>, AsyncDisposable {}

/**
 * Closes an async generator at the end of the block, also when it is left in the middle of the iteration.
 *
 * Source: `contextlib.aclosing`.
 *
 * @example
 * ```ts
 * import { aclosing } from 'aiohttp-ts/asyncio';
 * async function* numbers() {
 *   try {
 *     for (let n = 0; ; n++) yield n;
 *   } finally {
 *     console.log('closed');
 *   }
 * }
 * await using all = aclosing(numbers());
 * for await (const n of all) if (n === 3) break;
 * ```
 */
export function aclosing<T>(iterable: AsyncIterableIterator<T>): Closing<T> {
  return {
    [Symbol.asyncIterator]: () => iterable[Symbol.asyncIterator](),
    [Symbol.asyncDispose]: async () => {
      await iterable.return?.();
    },
  };
}

import { type Awaitable, ensureFuture, type ResultOf } from './awaitable.ts';
import { CANCELLED, FAILED, FULFILLED, Future, type Listener, PENDING } from './future.ts';

/** Options of {@link gather}. */
export interface GatherOptions {
  /** Whether errors are put into the list of results instead of being thrown; default false. */
  returnExceptions?: boolean | undefined;
}

/** The results of {@link gather}: a tuple for a tuple. */
export type GatherResults<A extends readonly Awaitable<unknown>[]> = {
  -readonly [K in keyof A]: ResultOf<A[K]>;
};

/** The results of {@link gather} with `returnExceptions`. */
export type SettledResults<A extends readonly Awaitable<unknown>[]> = {
  -readonly [K in keyof A]: ResultOf<A[K]> | Error;
};

/** The future of a `gather`. */
export class Gathering extends Future<unknown[]> implements Listener {
  readonly children: readonly Future<unknown>[];
  private readonly returnExceptions: boolean;
  private left: number;
  private cancelRequested: boolean;

  constructor(children: readonly Future<unknown>[], returnExceptions: boolean) {
    super();
    this.children = children;
    this.returnExceptions = returnExceptions;
    this.cancelRequested = false;
    // The same future given twice runs once and is counted once.
    const distinct = new Set(children);
    this.left = distinct.size;
    if (this.left === 0) this.settle(FULFILLED, []);
    for (const child of distinct) {
      if (child.state === PENDING) child.subscribe(this);
      else this.settled(child);
    }
  }

  settled(child: Future<unknown>): void {
    // The first error is the one that is thrown; those that come later count as seen, as in asyncio.
    child.retrieve();
    this.left--;
    if (this.state !== PENDING) return;
    if (child.state !== FULFILLED && !this.returnExceptions) this.settle(child.state, child.value);
    else if (this.left === 0) {
      const cancelled = this.cancelRequested
        ? this.children.find((other) => other.state === CANCELLED)
        : undefined;
      if (cancelled !== undefined) this.settle(CANCELLED, cancelled.value);
      else this.settle(FULFILLED, this.children.map(outcome));
    }
  }

  /** Cancels everything that is gathered. The gathering ends when that has. */
  override cancel(message?: string): boolean {
    if (this.state !== PENDING) return false;
    let requested = false;
    this.passingOn = true;
    for (const child of this.children) if (child.cancel(message)) requested = true;
    this.passingOn = false;
    if (requested) this.cancelRequested = true;
    return requested;
  }

  /** @internal */
  override describe(): string {
    return `a gather of ${this.children.length}`;
  }
}

function outcome(child: Future<unknown>): unknown {
  const { state, value } = child;
  if ((state === FAILED || state === CANCELLED) && !(value instanceof Error)) {
    return new Error(`thrown: ${String(value)}`, { cause: value });
  }
  return value;
}

/**
 * Runs everything at once and gives the results in the order of the arguments. The first error is thrown as soon as it
 * happens; the others go on (use `taskGroup` to end them). Cancelling the caller cancels all of them.
 *
 * Functions become tasks. A task given twice runs once and is in the results twice. With `returnExceptions` errors are put in the
 * results (what is thrown without being an Error is wrapped in one, as its `cause`), and nothing is thrown.
 *
 * Source: `asyncio.gather`.
 *
 * @param awaitables tasks, promises, functions: as arguments or, with options, as one array
 * @returns a future of the results, typed as a tuple
 *
 * @example
 * ```ts
 * import { gather, sleep } from 'aiohttp-ts/asyncio';
 * const [text, count] = await gather(
 *   () => sleep(2, 'a'),
 *   () => sleep(1, 1),
 * );
 * console.log(text.toUpperCase(), count + 1); // A 2
 * const mixed = await gather([() => sleep(1, 'a'), Promise.reject(new Error('no'))], { returnExceptions: true });
 * console.log(mixed[1] instanceof Error); // true
 * ```
 */
export function gather<const A extends readonly Awaitable<unknown>[]>(
  awaitables: A,
  options: GatherOptions & { returnExceptions: true },
): Future<SettledResults<A>>;
export function gather<const A extends readonly Awaitable<unknown>[]>(
  awaitables: A,
  options?: GatherOptions & { returnExceptions?: false | undefined },
): Future<GatherResults<A>>;
export function gather<const A extends readonly Awaitable<unknown>[]>(
  ...awaitables: A
): Future<GatherResults<A>>;
export function gather(...given: readonly unknown[]): unknown {
  const [first, options] = given;
  if (Array.isArray(first)) {
    return new Gathering(
      (first as readonly Awaitable<unknown>[]).map((awaitable) => ensureFuture(awaitable)),
      (options as GatherOptions | undefined)?.returnExceptions ?? false,
    );
  }
  return new Gathering(
    (given as readonly Awaitable<unknown>[]).map((awaitable) => ensureFuture(awaitable)),
    false,
  );
}

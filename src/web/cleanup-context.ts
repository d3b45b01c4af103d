import type { Application } from './application.ts';
import { FreezableList } from './signal.ts';
import type { Awaitable } from './types.ts';

/**
 * What `app.cleanupCtx` takes: an async generator function that sets up, yields once and cleans up, or a function that returns a
 * disposable (or a promise of one).
 */
export type CleanupContextFunction = (
  app: Application,
) => AsyncGenerator<unknown, unknown, unknown> | Awaitable<AsyncDisposable | Disposable>;

/**
 * Several clean-ups failed. `errors` has them in the order in which they ran. One failure alone is thrown as it is.
 * Counterpart of `aiohttp.web.CleanupError`.
 *
 * @example
 * ```ts
 * await app.cleanup().catch((error) => {
 *   for (const each of error instanceof web.CleanupError ? error.errors : [error]) console.error(each);
 * });
 * ```
 */
export class CleanupError extends AggregateError {
  override readonly name: string = 'CleanupError';
  readonly code: string = 'AIO_CLEANUP';

  constructor(errors: readonly unknown[]) {
    super(errors, `Multiple errors on cleanup stage: ${errors.map(String).join('; ')}`);
  }
}

/** Throws the one error there is, or a `CleanupError` of all; nothing when there is none. */
export function throwCollected(errors: readonly unknown[]): void {
  if (errors.length === 0) return;
  if (errors.length === 1) throw errors[0];
  // An aggregate of aggregates would hide what happened one level deeper for every sub-application.
  throw new CleanupError(errors.flatMap((error) => (error instanceof CleanupError ? error.errors : [error])));
}

type Exit = () => Awaitable<unknown>;

function isGenerator(value: object): value is AsyncGenerator<unknown, unknown, unknown> {
  return 'next' in value && Symbol.asyncIterator in value;
}

async function enterGenerator(
  name: string,
  generator: AsyncGenerator<unknown, unknown, unknown>,
): Promise<Exit> {
  const entered = await generator.next();
  if (entered.done === true) {
    throw new TypeError(
      `Cleanup context ${name} never yielded: it must yield once, between set-up and clean-up`,
    );
  }
  return async () => {
    const left = await generator.next();
    if (left.done === true) return;
    await generator.return(undefined); // so that its finally blocks run
    throw new TypeError(
      `Cleanup context ${name} yielded twice: it must yield once, between set-up and clean-up`,
    );
  };
}

async function enter(context: CleanupContextFunction, app: Application): Promise<Exit> {
  const name = context.name || '(anonymous)';
  const made = context(app);
  if (typeof made === 'object' && made !== null && isGenerator(made)) return enterGenerator(name, made);
  const disposable: unknown = await made;
  if (typeof disposable === 'object' && disposable !== null) {
    if (Symbol.asyncDispose in disposable) {
      const { [Symbol.asyncDispose]: dispose } = disposable as AsyncDisposable;
      return () => dispose.call(disposable);
    }
    if (Symbol.dispose in disposable) {
      const { [Symbol.dispose]: dispose } = disposable as Disposable;
      return () => dispose.call(disposable);
    }
  }
  throw new TypeError(
    `Cleanup context ${name} must be an async generator function (async function*) or return an object with Symbol.asyncDispose, got ${disposable === null ? 'null' : typeof disposable}`,
  );
}

/**
 * What an application holds from its start to its end, each part's set-up beside its clean-up. Entered in order when the
 * application starts, before every `onStartup` function, and left in reverse when it ends, before every `onCleanup` function.
 * Counterpart of `Application.cleanup_ctx`.
 *
 * @example
 * ```ts
 * app.cleanupCtx.append(async function* database(app) {
 *   const db = await openDatabase();
 *   app.set(DB, db);
 *   yield;
 *   await db.close();
 * });
 * ```
 */
export class CleanupContext extends FreezableList<CleanupContextFunction> {
  #exits: Exit[] = [];

  constructor() {
    super('app.cleanupCtx', (context) => {
      if (typeof context !== 'function') {
        throw new TypeError(`A cleanup context must be a function, got ${typeof context}`);
      }
    });
  }

  /** Enters every context in order. When one fails, those before it stay entered until `exit()`. */
  async enter(app: Application): Promise<void> {
    for (const context of this) this.#exits.push(await enter(context, app));
  }

  /**
   * Leaves what was entered, the last one first. Every exit runs, whatever the others do.
   * @throws the error of an exit; `CleanupError` when several failed
   */
  async exit(): Promise<void> {
    const exits = this.#exits.reverse();
    this.#exits = [];
    const errors: unknown[] = [];
    for (const leave of exits) {
      try {
        await leave();
      } catch (error) {
        errors.push(error);
      }
    }
    throwCollected(errors);
  }
}

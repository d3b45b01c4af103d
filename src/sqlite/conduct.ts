import { OperationalError, type TransactionOptions } from '../sql/index.ts';
import type { Core } from './core.ts';
import type { Transaction } from './transaction.ts';

/** Begins a transaction, does the work, and ends the transaction by how the work ended. */
export async function conduct<T>(
  core: Core,
  tx: Transaction,
  work: (tx: Transaction) => T | PromiseLike<T>,
  options: TransactionOptions,
  inContext: boolean,
): Promise<T> {
  options.signal?.throwIfAborted();
  await tx.begin();
  let value: T;
  try {
    const working = inContext ? core.context.run(tx, () => work(tx)) : work(tx);
    value = options.signal === undefined ? await working : await unlessAborted(core, working, options.signal);
  } catch (error) {
    try {
      await tx.finish(false);
    } catch (cause) {
      // What went wrong first is what the caller has to know.
      if (error instanceof OperationalError && error.cause === undefined) error.cause = cause;
    }
    throw error;
  }
  await tx.finish(true);
  return value;
}

function unlessAborted<T>(core: Core, working: T | PromiseLike<T>, signal: AbortSignal): Promise<T> {
  return core.waits.until<T>(
    (resolve, reject) => {
      Promise.resolve(working).then(resolve, reject);
      return () => {};
    },
    { signal },
  );
}

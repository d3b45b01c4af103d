import type { MessagePort } from 'node:worker_threads';

/** What the pool sends to a thread: a function, as its source or as the name of an export, and the arguments. */
export type Job = { readonly id: number; readonly args: readonly unknown[] } & (
  | { readonly source: string; readonly module?: never }
  | { readonly module: string; readonly name: string; readonly source?: never }
);

/** An error on its way between threads: structured cloning alone would lose its class's name, its code and its properties. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** What a thread answers. */
export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: SentError }
  | { readonly id: number; readonly thrown: unknown };

/**
 * The program of a thread. It is sent as source text, so that no file has to be found beside a bundled program: it must not
 * use anything from outside of itself.
 */
export function threadMain(port: MessagePort, load: (url: string) => Promise<object>): void {
  const compiled = new Map<string, (...args: readonly unknown[]) => unknown>();
  const LIMIT = 100;

  async function find(job: Job): Promise<(...args: readonly unknown[]) => unknown> {
    if (job.module !== undefined) {
      const fn = ((await load(job.module)) as Record<string, unknown>)[job.name];
      if (typeof fn !== 'function')
        throw new TypeError(`'${job.name}' is not a function that ${job.module} exports`);
      return fn as (...args: readonly unknown[]) => unknown;
    }
    let fn = compiled.get(job.source);
    if (fn === undefined) {
      // The text is that of a function of the calling program, which has compiled and trusted it already.
      fn = new Function(`"use strict"; return (${job.source}\n);`)() as (
        ...args: readonly unknown[]
      ) => unknown;
      if (compiled.size >= LIMIT) compiled.clear();
      compiled.set(job.source, fn);
    }
    return fn;
  }

  function explain(error: unknown, job: Job): void {
    if (job.source === undefined || !(error instanceof ReferenceError)) return;
    error.message +=
      ': the function given to toThread runs in another thread and sees nothing of the module around it; ' +
      'give it what it needs as arguments, or use threadModule';
  }

  function pack(error: Error): SentError {
    const properties: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(error)) {
      try {
        properties[key] = structuredClone(value);
      } catch {
        properties[key] = String(value);
      }
    }
    return { name: error.name, message: error.message, stack: error.stack, properties };
  }

  port.on('message', async (job: Job) => {
    try {
      const fn = await find(job);
      const value = await fn(...job.args);
      port.postMessage({ id: job.id, value } satisfies Answer);
    } catch (error) {
      explain(error, job);
      if (error instanceof Error) port.postMessage({ id: job.id, error: pack(error) } satisfies Answer);
      else port.postMessage({ id: job.id, thrown: structuredClone(error) } satisfies Answer);
    }
  });
}

// The feature test of the package, run when the first module of asyncio is loaded: a host that lacks a part is told which one,
// instead of failing in the middle of a wait. Symbols that compilers lower `using` to are made where they are missing.

/** What the package needs of its host, beside `node:async_hooks`. */
const NEEDED: readonly string[] = [
  'queueMicrotask',
  'FinalizationRegistry',
  'AbortController',
  'process',
  'setTimeout',
];

/**
 * Throws when the host lacks something that tasks need.
 *
 * @param host the global object to look at
 */
export function checkHost(host: object = globalThis): void {
  const missing = NEEDED.filter((name) => (host as Record<string, unknown>)[name] === undefined);
  if (missing.length > 0) {
    throw new Error(
      `aiohttp-ts/asyncio cannot run here: ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing. ` +
        'It needs Node.js 20.19 or later, Bun 1.1 or later, or Deno 2 or later.',
    );
  }
  for (const name of ['dispose', 'asyncDispose']) {
    if (name in Symbol) continue;
    Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) });
  }
}

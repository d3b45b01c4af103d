const seen = new WeakSet<Error>();

/**
 * Puts the lines of the calling code into an error's stack, once. An error of a connection is made while data comes in, where nobody
 * knows who waits; the function that throws it on still has its callers, as `at async` lines. Costs nothing as long as nothing fails.
 *
 * @param below the function whose callers are wanted; itself and what it called is left out
 */
export function addCaller(error: Error, below: (...args: never[]) => unknown): void {
  if (seen.has(error)) return;
  seen.add(error);
  const here: { stack?: string } = {};
  Error.captureStackTrace(here, below);
  const stack = error.stack ?? String(error);
  const lines = (here.stack ?? '')
    .split('\n')
    .slice(1)
    .filter((line) => !stack.includes(line));
  if (lines.length === 0) return;
  // A frozen error keeps the stack that it has.
  Reflect.defineProperty(error, 'stack', {
    value: `${stack}\n${lines.join('\n')}`,
    writable: true,
    configurable: true,
  });
}

import { TimeoutError } from '../asyncio/index.ts';
import { ClientError } from './errors.ts';

const seen = new WeakSet<Error>();

/**
 * Puts the lines of the calling code into an error's stack. An error of a connection is made while data comes in, where nobody knows
 * who waits; the function that catches it and throws it on still has its callers, as `at async` lines. Costs nothing as long as
 * nothing fails.
 *
 * Call it in an async function that its caller awaits, in the `catch` block.
 */
export function withCaller(error: unknown): unknown {
  if (!(error instanceof ClientError || error instanceof TimeoutError) || seen.has(error)) return error;
  seen.add(error);
  const here: { stack?: string } = {};
  Error.captureStackTrace(here, withCaller);
  const stack = error.stack ?? String(error);
  const lines = (here.stack ?? '')
    .split('\n')
    .slice(1)
    .filter((line) => !stack.includes(line));
  if (lines.length > 0) {
    Object.defineProperty(error, 'stack', {
      value: `${stack}\n${lines.join('\n')}`,
      writable: true,
      configurable: true,
    });
  }
  return error;
}

import { isThenable } from './handler-result.ts';
import type { Request } from './request.ts';
import type { StreamResponse } from './stream-response.ts';
import type { ResponsePrepareHandler } from './types.ts';

/** Calls one function after another, with a promise only from the first on that gives one. The first that throws ends it. */
export function runPrepareHandlers(
  handlers: readonly ResponsePrepareHandler[],
  request: Request,
  response: StreamResponse,
): Promise<void> | undefined {
  for (let index = 0; index < handlers.length; index++) {
    const result = handlers[index]?.(request, response);
    if (isThenable(result)) return runAfter(result, handlers.slice(index + 1), request, response);
  }
  return undefined;
}

async function runAfter(
  first: PromiseLike<unknown>,
  rest: readonly ResponsePrepareHandler[],
  request: Request,
  response: StreamResponse,
): Promise<void> {
  await first;
  for (const handler of rest) await handler(request, response);
}

import { escapeForLog } from './access-log.ts';
import { HandlerResultError } from './errors.ts';
import { HTTPException } from './http-exceptions.ts';
import { fromPlatformResponse } from './platform.ts';
import type { Request } from './request.ts';
import { StreamResponse } from './stream-response.ts';

/** Whether a value must be waited for. */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as { then?: unknown } | undefined | null)?.then === 'function';
}

/** The request as an operator would look for it in a log: `GET /users/7`, without a character that could forge a line. */
export function describeRequest(request: Request): string {
  return escapeForLog(`${request.method} ${request.rawPath}`);
}

/** The route as it was registered: `GET /users/{id}`; the request itself when it has none. */
function describeRoute(request: Request): string {
  const route = request._match?.route;
  return route?.resource === undefined
    ? describeRequest(request)
    : `${route.method} ${route.resource.canonical}`;
}

function describeResult(result: unknown): string {
  if (result === undefined) return 'nothing (undefined). Is a return statement missing?';
  if (result === null) return 'null. Return a web.Response';
  if (typeof result === 'function') {
    return `a function${result.name === '' ? '' : ` (${result.name})`}. Is it a factory that must be called first?`;
  }
  const kind = typeof result === 'object' ? (result.constructor?.name ?? 'object') : typeof result;
  return `a value of type ${kind}. Return a web.Response, for example web.jsonResponse(value)`;
}

/**
 * Turns what a handler or middleware returned into a response.
 * @throws HandlerResultError when it is none; the message says who returned what for which route
 */
export function toStreamResponse(
  result: unknown,
  request: Request,
  kind: string,
  name: string,
): StreamResponse {
  if (result instanceof StreamResponse) return kept(result, request);
  if (result instanceof HTTPException) return result.toResponse();
  if (result instanceof globalThis.Response) return kept(fromPlatformResponse(result), request);
  throw new HandlerResultError(
    `${kind} ${name || '(anonymous)'} of ${describeRoute(request)} returned ${describeResult(result)}`,
  );
}

/** A middleware may answer with something else, or throw: then nobody reads what the response holds, a file or a connection. */
function kept(response: StreamResponse, request: Request): StreamResponse {
  const source = response._source();
  if (source !== undefined) {
    request.onDone((error) =>
      source.release(error ?? new Error('Another answer was sent: the source is not read.')),
    );
  }
  return response;
}

/** The same for what comes out of a whole chain: names the outermost middleware when there is one, else the handler. */
export function toFinalResponse(result: unknown, request: Request): StreamResponse {
  const match = request._match;
  for (const app of match?.apps ?? []) {
    const outermost = app.middlewares.at(0);
    if (outermost !== undefined) return toStreamResponse(result, request, 'Middleware', outermost.name);
  }
  return toStreamResponse(result, request, 'Handler', match?.handler?.name ?? '');
}

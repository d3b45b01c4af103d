import type { Application } from './application.ts';
import { isThenable, toStreamResponse } from './handler-result.ts';
import type { Request } from './request.ts';
import type { StreamResponse } from './stream-response.ts';
import type { Awaitable, Chain, HandlerResult, Middleware, NextHandler } from './types.ts';

/**
 * Marks a function as a middleware and gives it its type; the function itself is returned. A bare function serves as well.
 * Counterpart of `@aiohttp.web.middleware`.
 *
 * @example
 * ```ts
 * const errors = web.middleware(async (request, handler) => {
 *   try {
 *     return await handler(request);
 *   } catch (error) {
 *     if (error instanceof web.HTTPException && error.status === 404) return web.jsonResponse({ error: 'not found' }, { status: 404 });
 *     throw error;
 *   }
 * });
 * ```
 */
export function middleware(fn: Middleware): Middleware {
  mustBeMiddleware(fn);
  return fn;
}

/** @throws TypeError when `value` cannot be called */
export function mustBeMiddleware(value: unknown): void {
  if (typeof value === 'function') return;
  throw new TypeError(
    `A middleware must be a function (request, handler) => response, got ${value === null ? 'null' : typeof value}`,
  );
}

/**
 * Lets middlewares read what was set on the handler function (`handler.loginRequired`), static fields of views included.
 */
function carryAttributes(from: object, to: (request: Request) => Awaitable<StreamResponse>): NextHandler {
  const source = from as Record<string | symbol, unknown>;
  const target = to as unknown as Record<string | symbol, unknown>;
  for (const key in source) target[key] = source[key]; // inherited ones too: a view's static fields
  for (const key of Object.getOwnPropertySymbols(from)) target[key] = source[key];
  Object.defineProperty(to, 'name', { value: source['name'], configurable: true });
  return to as NextHandler;
}

/**
 * The promise that was settled last. A middleware that hands on what `handler(request)` gave it returns this very promise, which needs
 * no second look: a promise less for each such middleware.
 */
let settled: PromiseLike<StreamResponse> | undefined;

/** The innermost piece: whatever the handler returns, the middlewares around it see a `StreamResponse`. */
function settleHandler(call: Chain, name: string): (request: Request) => Awaitable<StreamResponse> {
  return (request) => {
    const result = call(request);
    if (!isThenable(result)) return toStreamResponse(result, request, 'Handler', name);
    settled = result.then((value) => toStreamResponse(value, request, 'Handler', name));
    return settled;
  };
}

function settleMiddleware(
  fn: Middleware,
  next: NextHandler,
): (request: Request) => Awaitable<StreamResponse> {
  const { name } = fn;
  return (request) => {
    const result = fn(request, next);
    if (!isThenable(result)) return toStreamResponse(result, request, 'Middleware', name);
    if (result === settled) return settled;
    settled = result.then((value) => toStreamResponse(value, request, 'Middleware', name));
    return settled;
  };
}

async function leaveAfter<T>(result: PromiseLike<T>, request: Request, outer: Application): Promise<T> {
  try {
    return await result;
  } finally {
    request._app = outer;
  }
}

/** `request.app` is `inner` behind this piece and `outer` again when it was left. */
function switchApplication<T>(
  inner: Application,
  outer: Application,
  next: (request: Request) => Awaitable<T>,
): (request: Request) => Awaitable<T> {
  return (request) => {
    request._app = inner;
    let result: Awaitable<T>;
    try {
      result = next(request);
    } catch (error) {
      request._app = outer;
      throw error;
    }
    if (isThenable(result)) return leaveAfter(result, request, outer);
    request._app = outer;
    return result;
  };
}

/** How a handler is called, and the function or class that the user registered: its attributes and name. */
export interface ChainEnd {
  readonly call: Chain;
  readonly source: object;
}

/**
 * Puts the middlewares of `apps` (from the root to the application that has the route) around a handler. Done once for each
 * route when the application freezes; without middlewares and sub-applications the handler is its own chain.
 *
 * The outermost result is left as it is: `dispatch` turns it into a response, which saves one promise.
 */
export function composeChain(end: ChainEnd, apps: readonly Application[]): Chain {
  const wrapped = apps.some((app) => app.middlewares.length > 0);
  if (!wrapped) return enterApplications(end.call, apps);

  let next = carryAttributes(end.source, settleHandler(end.call, nameOf(end.source)));
  let outermost: Chain = next;
  for (let index = apps.length - 1; index >= 0; index--) {
    const app = apps[index] as Application;
    for (const fn of [...app.middlewares].reverse()) {
      const behind = next;
      outermost = (request): Awaitable<HandlerResult> => fn(request, behind);
      next = carryAttributes(end.source, settleMiddleware(fn, behind));
    }
    const outer = apps[index - 1];
    if (outer === undefined) break;
    outermost = switchApplication(app, outer, outermost);
    next = carryAttributes(end.source, switchApplication(app, outer, next));
  }
  return outermost;
}

function enterApplications(call: Chain, apps: readonly Application[]): Chain {
  const inner = apps.at(-1);
  const root = apps[0];
  return inner === undefined || root === undefined || inner === root
    ? call
    : switchApplication(inner, root, call);
}

function nameOf(source: object): string {
  const { name } = source as { name?: unknown };
  return typeof name === 'string' ? name : '';
}

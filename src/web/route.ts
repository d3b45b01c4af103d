import type { RelURL } from '../message/index.ts';
import { codedTypeError, isToken, shown } from '../message/index.ts';
import { Match, NO_PARAMS } from './match.ts';
import type { Request } from './request.ts';
import type { Resource, UrlParts } from './resource.ts';
import type { UrlDispatcher } from './router.ts';
import type { StreamResponse } from './stream-response.ts';
import type { Awaitable, Chain, Handler, HandlerResult, Params } from './types.ts';
import type { ViewClass } from './view.ts';
import { dispatchView, isViewClass } from './view.ts';

/** What a route calls: a function from request to response, synchronous or asynchronous, or a subclass of `View`. */
export type RouteHandler<P extends Params = Params> = Handler<P> | ViewClass<P>;

/**
 * Called instead of the default for a request with an `Expect` header, before the handler. What it returns is the answer; when it returns
 * nothing the handler goes on.
 */
export type ExpectHandler = (request: Request) => Awaitable<StreamResponse | undefined>;

/**
 * One method of one resource, and the handler for it. Made by `router.addRoute()` and the functions around it, never by hand.
 *
 * aiohttp: `ResourceRoute`.
 */
export class Route {
  /** Upper case; `*` serves every method. */
  readonly method: string;
  /** As it was registered; its own properties are what middlewares see on their `handler`. */
  readonly handler: RouteHandler;
  /** `undefined` for the system route only. */
  readonly resource: Resource | undefined;
  readonly expectHandler: ExpectHandler | undefined;
  /** Whether this is the route of requests that no route serves. */
  readonly isSystem: boolean;
  /** The handler as a plain function, for a `View` as well. */
  readonly invoke: Chain;
  /** Middlewares composed around {@link invoke}; the application sets it when it freezes. */
  chain: Chain | undefined;
  private shared: Match | undefined;

  constructor(
    method: string,
    handler: RouteHandler,
    resource: Resource | undefined,
    expectHandler: ExpectHandler | undefined,
    isSystem: boolean = false,
  ) {
    this.method = method;
    this.handler = handler;
    this.resource = resource;
    this.expectHandler = expectHandler;
    this.isSystem = isSystem;
    this.invoke = isViewClass(handler) ? (request) => dispatchView(handler, request) : handler;
    this.chain = undefined;
    this.shared = undefined;
  }

  /** The name of the resource. */
  get name(): string | undefined {
    return this.resource?.name;
  }

  /** @throws Error for the system route; else as `resource.urlFor` */
  urlFor(parts?: UrlParts): RelURL {
    if (this.resource === undefined) throw new Error('The system route has no URL');
    return this.resource.urlFor(parts);
  }

  getInfo(): Readonly<Record<string, unknown>> {
    return this.resource?.getInfo() ?? {};
  }

  /** The match of every request for this route, when its path has no parameters. */
  matchOf(router: UrlDispatcher): Match {
    return (this.shared ??= new Match(router, this, NO_PARAMS));
  }

  toString(): string {
    return `${this.method} ${this.resource?.canonical ?? '(system)'}`;
  }
}

/** The one route of a router for all that it does not serve: its handler throws the match's 404 or 405. */
export class SystemRoute extends Route {
  constructor() {
    super('*', throwHttpException, undefined, undefined, true);
  }
}

function throwHttpException(request: Request): HandlerResult {
  throw (
    request.match.httpException ?? new Error('The system route was called for a request that has a route')
  );
}

const COMMON_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', '*'];

/**
 * The method as routes keep it.
 * @throws RangeError when it is not a token (RFC 9110 §9.1)
 */
export function normalizeMethod(method: string): string {
  if (typeof method !== 'string') {
    throw codedTypeError(
      'AIO_ROUTE_METHOD',
      `A method must be a string such as 'GET', got ${describe(method)}`,
    );
  }
  const upper = method.toUpperCase();
  // The constant and not the string just made: the parser has constants too, and comparing two of them costs nothing.
  const known = COMMON_METHODS.find((common) => common === upper);
  if (known !== undefined) return known;
  if (isToken(upper)) return upper;
  throw Object.assign(
    new RangeError(
      `${shown(method)} is not an HTTP method: it must be a token such as 'GET', or '*' for all`,
    ),
    { code: 'AIO_ROUTE_METHOD' },
  );
}

/**
 * Refuses what could never answer, where it is registered and not when the first request comes.
 * @throws TypeError that says what was given
 */
export function checkHandler(handler: unknown, where: string): asserts handler is RouteHandler {
  const problem = handlerProblem(handler);
  if (problem === undefined) return;
  throw codedTypeError(
    'AIO_ROUTE_HANDLER',
    `The handler of ${where} must be a function (request) => response or a subclass of View, got ${problem}`,
  );
}

function handlerProblem(handler: unknown): string | undefined {
  if (typeof handler !== 'function') {
    if (typeof (handler as { then?: unknown } | null | undefined)?.then === 'function') {
      return 'a promise: pass the function itself, do not call it';
    }
    return describe(handler);
  }
  if (isViewClass(handler)) return undefined;
  const text = Function.prototype.toString.call(handler);
  const name = handler.name || '(anonymous)';
  if (/^class\b/.test(text)) return `the class ${name}, which does not extend View`;
  if (/^\[object (?:Async)?GeneratorFunction\]$/.test(Object.prototype.toString.call(handler))) {
    return `the generator function ${name}, which returns an iterator and no response`;
  }
  return undefined;
}

/** Kind of a value, for error messages. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'undefined (is its import or its name right?)';
  if (typeof value === 'string') return `the string ${shown(value)}`;
  if (typeof value === 'object') return `an object of type ${value.constructor?.name ?? 'Object'}`;
  return `the ${typeof value} ${String(value)}`;
}

import { HTTPMethodNotAllowed } from './http-exceptions.ts';
import type { Request } from './request.ts';
import type { Awaitable, Handler, HandlerResult, Params } from './types.ts';

/** Standard methods and the members of a view that serve them. A look-up here keeps `GETTER` or `CONSTRUCTOR` out. */
const MEMBERS: ReadonlyMap<string, string> = new Map(
  ['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'].map((method) => [
    method,
    method.toLowerCase(),
  ]),
);

/**
 * A class whose methods `get`, `post`, `put`, `patch`, `delete`, `head`, `options`, `trace` and `connect` answer the HTTP methods of their
 * names. One instance is made for each request. A method that it does not have is answered with 405; `HEAD` is not served by `get`.
 *
 * aiohttp: `aiohttp.web.View`.
 *
 * @example
 * ```ts
 * class Article extends web.View<{ id: string }> {
 *   get(): web.Response {
 *     return web.jsonResponse({ id: this.request.matchInfo.id });
 *   }
 *
 *   async delete(): Promise<web.Response> {
 *     return new web.Response({ status: 204 });
 *   }
 * }
 * app.addRoutes([web.view('/articles/{id}', Article)]);
 * ```
 */
export abstract class View<P extends Params = Params> {
  readonly request: Request<P>;

  constructor(request: Request<P>) {
    this.request = request;
  }
}

/** A subclass of {@link View} whose constructor takes the request alone. */
export type ViewClass<P extends Params = Params> = new (request: Request<P>) => View;

/** Whether `value` is a subclass of {@link View} (not `View` itself, which serves no method). */
export function isViewClass(value: unknown): value is ViewClass {
  return typeof value === 'function' && value.prototype instanceof View;
}

/**
 * Answers `request` with a new instance of `view`.
 * @throws HTTPMethodNotAllowed with the methods that the view has
 */
export function dispatchView(view: ViewClass, request: Request): Awaitable<HandlerResult> {
  const instance = new view(request);
  const name = MEMBERS.get(request.method);
  const method = name === undefined ? undefined : memberOf(instance, name);
  if (method === undefined) throw new HTTPMethodNotAllowed(request.method, allowedMethods(instance));
  return method.call(instance, request);
}

function memberOf(instance: View, name: string): Handler | undefined {
  const value: unknown = Reflect.get(instance, name);
  return typeof value === 'function' ? (value as Handler) : undefined;
}

function allowedMethods(instance: View): string[] {
  return [...MEMBERS].filter(([, name]) => memberOf(instance, name) !== undefined).map(([method]) => method);
}

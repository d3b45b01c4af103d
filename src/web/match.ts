import type { Application } from './application.ts';
import type { HTTPException } from './http-exceptions.ts';
import { HTTPMethodNotAllowed, HTTPNotFound } from './http-exceptions.ts';
import type { AbstractResource } from './resource.ts';
import type { ExpectHandler, Route, RouteHandler } from './route.ts';
import type { UrlDispatcher } from './router.ts';
import type { Params } from './types.ts';

/** The `params` of every route without parameters. */
export const NO_PARAMS: Params = Object.freeze({});

/**
 * What the router found for a request: the route and the values taken out of the path. A request that no route serves has a match as
 * well: its route is the router's system route and {@link httpException} is the 404 or 405 that the system route throws.
 *
 * A match never changes, so routes without parameters share one among all their requests.
 *
 * aiohttp: `UrlMappingMatchInfo`. Its `current_app` is `request.app` here.
 *
 * @example
 * ```ts
 * const where = web.middleware((request, handler) => {
 *   const route = request.match.httpException === undefined ? request.match.route.resource?.canonical : 'none';
 *   console.info(`${request.method} ${request.path} is served by ${route}`);
 *   return handler(request);
 * });
 * ```
 */
export class Match {
  readonly route: Route;
  /** Decoded values by parameter name: `request.matchInfo`. */
  readonly params: Params;
  /** The router that has the route: the one of a sub-application when its prefix or domain matched. */
  readonly router: UrlDispatcher;
  /** Sorted methods that the path does serve; set when the method was the only thing wrong (405). */
  readonly allowedMethods: readonly string[] | undefined;
  /** @internal Plain fields: one match is made for each request with parameters. */
  readonly _method: string;
  /** @internal */
  _exception: HTTPException | undefined;

  constructor(
    router: UrlDispatcher,
    route: Route,
    params: Params,
    method: string = '',
    allowedMethods: readonly string[] | undefined = undefined,
  ) {
    this.route = route;
    this.params = params;
    this.router = router;
    this.allowedMethods = allowedMethods;
    this._method = method;
    this._exception = undefined;
  }

  /** The handler as it was registered: a function, or a subclass of `View`. */
  get handler(): RouteHandler {
    return this.route.handler;
  }

  get resource(): AbstractResource | undefined {
    return this.route.resource;
  }

  get expectHandler(): ExpectHandler | undefined {
    return this.route.expectHandler;
  }

  /** Applications that the request goes through, the root first. */
  get apps(): readonly Application[] {
    return this.router.apps;
  }

  /** `undefined` when a route was found, else the `HTTPNotFound` or `HTTPMethodNotAllowed` of this request. */
  get httpException(): HTTPException | undefined {
    if (!this.route.isSystem) return undefined;
    // Made on first touch and never shared: middlewares may set headers and cookies on it.
    this._exception ??=
      this.allowedMethods === undefined
        ? new HTTPNotFound()
        : new HTTPMethodNotAllowed(this._method, this.allowedMethods);
    return this._exception;
  }

  getInfo(): Readonly<Record<string, unknown>> {
    const { httpException } = this;
    return httpException === undefined ? this.route.getInfo() : { httpException };
  }
}

import type { PathParams } from './path-params.ts';
import type { RouteOptions } from './resource.ts';
import type { Route, RouteHandler } from './route.ts';
import type { GetOptions, UrlDispatcher } from './router.ts';
import type { StaticOptions } from './static-resource.ts';
import type { Params } from './types.ts';
import type { ViewClass } from './view.ts';

/** Something that `app.addRoutes()` takes. aiohttp: `AbstractRouteDef`. */
export interface RouteDefinition {
  /** Adds its routes and returns them. */
  register(router: UrlDispatcher): readonly Route[];
}

/**
 * A route that is not registered yet: what `web.get()` and its like return. aiohttp: `RouteDef`.
 */
export class RouteDef implements RouteDefinition {
  readonly method: string;
  readonly path: string;
  readonly handler: RouteHandler;
  readonly options: GetOptions;

  /** @param options `allowHead` is for GET only */
  constructor(method: string, path: string, handler: RouteHandler, options: GetOptions = {}) {
    this.method = method;
    this.path = path;
    this.handler = handler;
    this.options = options;
  }

  register(router: UrlDispatcher): readonly Route[] {
    const { method, path, handler, options } = this;
    if (method !== 'GET') return [router.addRoute(method, path, handler, options)];
    const route = router.addGet(path, handler, options);
    if (options.allowHead === false) return [route];
    const head = route.resource?.routes.find((other) => other.method === 'HEAD');
    return head === undefined ? [route] : [head, route];
  }

  toString(): string {
    return `${this.method} ${this.path}`;
  }
}

/** Files of a directory that are not registered yet: what `web.static()` returns. aiohttp: `StaticDef`. */
export class StaticDef implements RouteDefinition {
  readonly prefix: string;
  readonly directory: string | URL;
  readonly options: StaticOptions;

  constructor(prefix: string, directory: string | URL, options: StaticOptions = {}) {
    this.prefix = prefix;
    this.directory = directory;
    this.options = options;
  }

  register(router: UrlDispatcher): readonly Route[] {
    return router.addStatic(this.prefix, this.directory, this.options).routes;
  }

  toString(): string {
    return `static ${this.prefix} from ${String(this.directory)}`;
  }
}

/**
 * A route for any method; `*` is all of them. For GET it does not add HEAD: {@link get} does.
 *
 * @example
 * ```ts
 * app.addRoutes([web.route('PROPFIND', '/dav/{path:.*}', list)]);
 * ```
 */
export function route<const P extends string>(
  method: string,
  path: P,
  handler: RouteHandler<PathParams<P>>,
  options?: RouteOptions,
): RouteDef {
  return define(method, path, handler, { allowHead: false, ...options });
}

/**
 * A route for GET, and for HEAD unless `allowHead` is `false`. The pattern gives the type of `request.matchInfo`.
 *
 * Mistakes (a malformed path, an expression that could take long, a handler that is none) are reported by `app.addRoutes()`.
 *
 * @example
 * ```ts
 * app.addRoutes([
 *   web.get('/users/{id:\\d+}', (request) => web.jsonResponse({ id: request.matchInfo.id }), { name: 'user' }),
 * ]);
 * ```
 */
export function get<const P extends string>(
  path: P,
  handler: RouteHandler<PathParams<P>>,
  options?: GetOptions,
): RouteDef {
  return define('GET', path, handler, options);
}

/** A route for HEAD alone. */
export function head<const P extends string>(
  path: P,
  handler: RouteHandler<PathParams<P>>,
  options?: RouteOptions,
): RouteDef {
  return define('HEAD', path, handler, options);
}

/** A route for OPTIONS. The path `*` is the target of `OPTIONS *` (RFC 9112 §3.2.4). */
export function options<const P extends string>(
  path: P,
  handler: RouteHandler<PathParams<P>>,
  routeOptions?: RouteOptions,
): RouteDef {
  return define('OPTIONS', path, handler, routeOptions);
}

/** A route for POST. */
export function post<const P extends string>(
  path: P,
  handler: RouteHandler<PathParams<P>>,
  options?: RouteOptions,
): RouteDef {
  return define('POST', path, handler, options);
}

/** A route for PUT. */
export function put<const P extends string>(
  path: P,
  handler: RouteHandler<PathParams<P>>,
  options?: RouteOptions,
): RouteDef {
  return define('PUT', path, handler, options);
}

/** A route for PATCH. */
export function patch<const P extends string>(
  path: P,
  handler: RouteHandler<PathParams<P>>,
  options?: RouteOptions,
): RouteDef {
  return define('PATCH', path, handler, options);
}

/** A route for DELETE. */
function delete_<const P extends string>(
  path: P,
  handler: RouteHandler<PathParams<P>>,
  options?: RouteOptions,
): RouteDef {
  return define('DELETE', path, handler, options);
}

export { delete_ as delete };

/**
 * The files of a directory under a prefix, for GET and HEAD. Mistakes are reported by `app.addRoutes()`; see `StaticResource`.
 *
 * @param directory A path, which begins at the working directory when it is relative, or a `file:` URL.
 * @example
 * ```ts
 * app.addRoutes([web.static('/static', new URL('public', import.meta.url), { maxAge: 3_600_000 })]);
 * ```
 */
function static_(prefix: string, directory: string | URL, options?: StaticOptions): StaticDef {
  return new StaticDef(prefix, directory, options);
}

export { static_ as static };

/** A subclass of `View`, which answers every method that it has a member for. */
export function view<const P extends string>(
  path: P,
  handler: ViewClass<PathParams<P>>,
  options?: RouteOptions,
): RouteDef {
  return define('*', path, handler, options);
}

function define<P extends Params>(
  method: string,
  path: string,
  handler: RouteHandler<P>,
  options?: GetOptions,
): RouteDef {
  // What the handler reads of `matchInfo` is what the path has: that is what the public signatures say.
  return new RouteDef(method, path, handler as RouteHandler, options);
}

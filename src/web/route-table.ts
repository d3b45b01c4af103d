import { codedTypeError } from '../message/index.ts';
import type { PathParams } from './path-params.ts';
import type { Request } from './request.ts';
import type { RouteOptions } from './resource.ts';
import type { Route, RouteHandler } from './route.ts';
import { describe } from './route.ts';
import type { RouteDefinition } from './route-def.ts';
import { RouteDef, StaticDef } from './route-def.ts';
import type { GetOptions, UrlDispatcher } from './router.ts';
import type { StaticOptions } from './static-resource.ts';
import type { Awaitable, Handler, HandlerResult, Params } from './types.ts';
import type { ViewClass } from './view.ts';

/** Decorator for a method of a class: `@routes.get('/')`. */
export type MethodDecoratorFor<P extends Params> = <
  This,
  Method extends (this: This, request: Request<P>) => Awaitable<HandlerResult>,
>(
  method: Method,
  context: ClassMethodDecoratorContext<This, Method>,
) => void;

/** Decorator for a subclass of `View`: `@routes.view('/users')`. */
export type ViewDecoratorFor<P extends Params> = <Class extends ViewClass<P>>(
  view: Class,
  context: ClassDecoratorContext<Class>,
) => void;

/** A place in the table for a method of a class whose `this` is not known yet. */
class MethodDef implements RouteDefinition {
  readonly #define: (handler: Handler) => RouteDef;
  readonly #label: string;
  #definition: RouteDef | undefined;

  constructor(label: string, define: (handler: Handler) => RouteDef) {
    this.#label = label;
    this.#define = define;
  }

  get isBound(): boolean {
    return this.#definition !== undefined;
  }

  get label(): string {
    return this.#label;
  }

  bind(instance: object, method: Handler): void {
    const bound: Handler = (request) => Reflect.apply(method, instance, [request]);
    Object.defineProperty(bound, 'name', { value: method.name, configurable: true });
    // Middlewares find on their handler what other decorators left on the method.
    this.#definition = this.#define(Object.assign(bound, method));
  }

  register(router: UrlDispatcher): readonly Route[] {
    if (this.#definition !== undefined) return this.#definition.register(router);
    throw Object.assign(
      new Error(
        `${this.#label} is a method of instances, and no instance is known: call routes.bind(new …()) before addRoutes(), or make the method static`,
      ),
      { code: 'AIO_ROUTE_UNBOUND' },
    );
  }
}

/**
 * A list of routes that grows where the handlers are written. Given to `app.addRoutes()`.
 *
 * Each function works in two ways. With a handler it adds a route and returns the handler. Without one it returns a standard
 * decorator for a method:
 * - a static method is called with its class as `this`, and needs nothing else;
 * - a method of instances is called on the instance that was given to {@link RouteTableDef.bind}.
 *
 * `view` decorates a subclass of `View`. The order in the table is the order of the source.
 *
 * aiohttp: `RouteTableDef`.
 *
 * @example
 * ```ts
 * const routes = new web.RouteTableDef();
 *
 * routes.get('/', () => new web.Response({ text: 'Hello' }));
 *
 * class Users {
 *   readonly names = new Map([['1', 'Ann']]);
 *
 *   @routes.get('/users/{id}')
 *   show(request: web.Request<{ id: string }>): web.Response {
 *     return web.jsonResponse({ name: this.names.get(request.matchInfo.id) });
 *   }
 * }
 * routes.bind(new Users());
 *
 * app.addRoutes(routes);
 * ```
 */
export class RouteTableDef implements Iterable<RouteDefinition> {
  readonly #items: RouteDefinition[] = [];
  /** The methods of each instance that are in this table, noted when it is constructed. */
  readonly #methods = new WeakMap<object, { readonly item: MethodDef; readonly method: Handler }[]>();

  /** How many routes there are; one for GET and HEAD counts once. */
  get length(): number {
    return this.#items.length;
  }

  /** The item at an index, from the end when it is negative. */
  at(index: number): RouteDefinition | undefined {
    return this.#items.at(index);
  }

  [Symbol.iterator](): Iterator<RouteDefinition> {
    return this.#items[Symbol.iterator]();
  }

  route<const P extends string, H extends RouteHandler<PathParams<P>>>(
    method: string,
    path: P,
    handler: H,
    options?: RouteOptions,
  ): H;
  route<const P extends string>(
    method: string,
    path: P,
    options?: RouteOptions,
  ): MethodDecoratorFor<PathParams<P>>;
  route(method: string, path: string, ...rest: unknown[]): unknown {
    return this.#add(method, path, rest, { allowHead: false });
  }

  /** GET, and HEAD unless `allowHead` is `false`. */
  get<const P extends string, H extends RouteHandler<PathParams<P>>>(
    path: P,
    handler: H,
    options?: GetOptions,
  ): H;
  get<const P extends string>(path: P, options?: GetOptions): MethodDecoratorFor<PathParams<P>>;
  get(path: string, ...rest: unknown[]): unknown {
    return this.#add('GET', path, rest);
  }

  head<const P extends string, H extends RouteHandler<PathParams<P>>>(
    path: P,
    handler: H,
    options?: RouteOptions,
  ): H;
  head<const P extends string>(path: P, options?: RouteOptions): MethodDecoratorFor<PathParams<P>>;
  head(path: string, ...rest: unknown[]): unknown {
    return this.#add('HEAD', path, rest);
  }

  options<const P extends string, H extends RouteHandler<PathParams<P>>>(
    path: P,
    handler: H,
    options?: RouteOptions,
  ): H;
  options<const P extends string>(path: P, options?: RouteOptions): MethodDecoratorFor<PathParams<P>>;
  options(path: string, ...rest: unknown[]): unknown {
    return this.#add('OPTIONS', path, rest);
  }

  post<const P extends string, H extends RouteHandler<PathParams<P>>>(
    path: P,
    handler: H,
    options?: RouteOptions,
  ): H;
  post<const P extends string>(path: P, options?: RouteOptions): MethodDecoratorFor<PathParams<P>>;
  post(path: string, ...rest: unknown[]): unknown {
    return this.#add('POST', path, rest);
  }

  put<const P extends string, H extends RouteHandler<PathParams<P>>>(
    path: P,
    handler: H,
    options?: RouteOptions,
  ): H;
  put<const P extends string>(path: P, options?: RouteOptions): MethodDecoratorFor<PathParams<P>>;
  put(path: string, ...rest: unknown[]): unknown {
    return this.#add('PUT', path, rest);
  }

  patch<const P extends string, H extends RouteHandler<PathParams<P>>>(
    path: P,
    handler: H,
    options?: RouteOptions,
  ): H;
  patch<const P extends string>(path: P, options?: RouteOptions): MethodDecoratorFor<PathParams<P>>;
  patch(path: string, ...rest: unknown[]): unknown {
    return this.#add('PATCH', path, rest);
  }

  delete<const P extends string, H extends RouteHandler<PathParams<P>>>(
    path: P,
    handler: H,
    options?: RouteOptions,
  ): H;
  delete<const P extends string>(path: P, options?: RouteOptions): MethodDecoratorFor<PathParams<P>>;
  delete(path: string, ...rest: unknown[]): unknown {
    return this.#add('DELETE', path, rest);
  }

  /** A subclass of `View`, for all methods that it has; as a decorator, of the class itself. */
  view<const P extends string, V extends ViewClass<PathParams<P>>>(
    path: P,
    view: V,
    options?: RouteOptions,
  ): V;
  view<const P extends string>(path: P, options?: RouteOptions): ViewDecoratorFor<PathParams<P>>;
  view(path: string, ...rest: unknown[]): unknown {
    return this.#add('*', path, rest);
  }

  /** The files of a directory; see `web.static()`. */
  static(prefix: string, directory: string | URL, options?: StaticOptions): void {
    this.#items.push(new StaticDef(prefix, directory, options));
  }

  /**
   * Says on which instance the decorated methods of its class are called; methods of base classes too, as far as they are not overridden.
   *
   * @returns the instance
   * @throws Error `AIO_ROUTE_UNBOUND` when none of its methods is in this table, or another instance of the class was bound before
   */
  bind<T extends object>(instance: T): T {
    const methods = this.#methods.get(instance);
    if (methods === undefined) {
      throw Object.assign(
        new Error(
          `No method of ${describe(instance)} is decorated with this table: write @routes.get('/path') above one`,
        ),
        { code: 'AIO_ROUTE_UNBOUND' },
      );
    }
    const taken = methods.find(({ item }) => item.isBound);
    if (taken !== undefined) {
      throw Object.assign(
        new Error(
          `${taken.item.label} is bound already: a table serves one instance of a class, make a table for each`,
        ),
        { code: 'AIO_ROUTE_UNBOUND' },
      );
    }
    for (const { item, method } of methods) item.bind(instance, method);
    return instance;
  }

  #add(method: string, path: string, rest: unknown[], defaults?: GetOptions): unknown {
    const isDecorator = rest.length === 0 || (rest.length === 1 && isOptions(rest[0]));
    const options = { ...defaults, ...(rest[isDecorator ? 0 : 1] as GetOptions | undefined) };
    const define = (handler: RouteHandler): RouteDef =>
      new RouteDef(method.toUpperCase?.() ?? method, path, handler, options);
    if (!isDecorator) {
      const handler = rest[0] as RouteHandler;
      this.#items.push(define(handler));
      return handler;
    }
    return (value: unknown, context: unknown): void =>
      this.#decorate(`${method} ${path}`, define, value, context);
  }

  #decorate(
    label: string,
    define: (handler: RouteHandler) => RouteDef,
    value: unknown,
    context: unknown,
  ): void {
    if (!isDecoratorContext(context)) {
      throw codedTypeError(
        'AIO_ROUTE_DECORATOR',
        `The decorator for ${label} was not called as a standard decorator: turn off "experimentalDecorators" in tsconfig.json`,
      );
    }
    if (context.kind === 'class') {
      this.#items.push(define(value as RouteHandler));
      return;
    }
    if (context.kind !== 'method') {
      throw codedTypeError(
        'AIO_ROUTE_DECORATOR',
        `${label} decorates a ${context.kind}: only methods and View classes can be routes`,
      );
    }
    const method = value as Handler;
    const item = new MethodDef(`${label} (${String(context.name)})`, define);
    this.#items.push(item);
    const { static: isStatic } = context;
    const methods = this.#methods;
    context.addInitializer(function (this: unknown) {
      const owner = this as object;
      if (isStatic) {
        item.bind(owner, method);
        return;
      }
      // A method that a subclass overrides without a decorator of its own is called as overridden.
      const actual: unknown = context.access.get(owner);
      const known = methods.get(owner);
      const entry = { item, method: typeof actual === 'function' ? (actual as Handler) : method };
      if (known === undefined) methods.set(owner, [entry]);
      else known.push(entry);
    });
  }
}

/** Options alone mean a decorator; any other object is a handler by mistake, which `addRoutes()` reports. */
function isOptions(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isDecoratorContext(value: unknown): value is ClassMethodDecoratorContext | ClassDecoratorContext {
  return typeof value === 'object' && value !== null && 'kind' in value && 'addInitializer' in value;
}

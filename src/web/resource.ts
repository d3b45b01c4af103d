import { codedRangeError, RelURL, shown } from '../message/index.ts';
import { StateError } from './errors.ts';
import { PathPattern } from './path-pattern.ts';
import type { Step } from './pattern-steps.ts';
import { stepsOf } from './pattern-steps.ts';
import type { ExpectHandler, RouteHandler } from './route.ts';
import { checkHandler, describe, normalizeMethod, Route } from './route.ts';
import type { UrlDispatcher } from './router.ts';
import type { Params } from './types.ts';

/** Values for the parameters of a path, by name. More than are needed may be given. */
export type UrlParts = Readonly<Record<string, string>>;

/** What may be said about a route beside its path and handler. */
export interface RouteOptions {
  /** A name for `router.get(name)`: identifiers joined by `.`, `:` or `-`. */
  readonly name?: string | undefined;
  /** Called for requests with an `Expect` header before the handler; by default `100-continue` is answered and the rest refused. */
  readonly expectHandler?: ExpectHandler | undefined;
}

/** One entry of a router: a path with its routes, or a sub-application. aiohttp: `AbstractResource`. */
export abstract class AbstractResource implements Iterable<Route> {
  readonly name: string | undefined;
  /** @internal The router that it was registered in. */
  _router: UrlDispatcher | undefined = undefined;

  /** @param name identifiers joined by `.`, `:` or `-` */
  constructor(name?: string) {
    if (name !== undefined) checkName(name);
    this.name = name;
  }

  /** The path, with `{name}` for each parameter, or the domain. */
  abstract get canonical(): string;
  abstract get routes(): readonly Route[];
  /**
   * The URL of this resource, with these values for its parameters. Values are percent-encoded, but a `/` stays.
   * @throws TypeError `AIO_URL_PART` when a value is missing or is not a string
   */
  abstract urlFor(parts?: UrlParts): RelURL;
  abstract getInfo(): Readonly<Record<string, unknown>>;
  /** @internal Puts it under the prefix of an application. */
  abstract _addPrefix(prefix: string): void;

  get size(): number {
    return this.routes.length;
  }

  [Symbol.iterator](): Iterator<Route> {
    return this.routes[Symbol.iterator]();
  }
}

/** A path with one route for each method. aiohttp: `Resource`. */
export abstract class Resource extends AbstractResource {
  /** @internal */
  _pattern: PathPattern;
  readonly #routes: Route[] = [];

  constructor(pattern: PathPattern, name?: string) {
    super(name);
    this._pattern = pattern;
  }

  get canonical(): string {
    return this._pattern.canonical;
  }

  get routes(): readonly Route[] {
    return this.#routes;
  }

  /**
   * Adds the handler for one more method.
   *
   * @param method a token, `*` for all methods that have no route of their own
   * @throws TypeError when the handler is no function and no subclass of `View`
   * @throws RangeError when the method is no token
   * @throws StateError when the router is frozen
   * @throws Error `AIO_ROUTE_DEAD` when the route could never be reached
   */
  addRoute<P extends Params = Params>(
    method: string,
    handler: RouteHandler<P>,
    options: RouteOptions = {},
  ): Route {
    const upper = normalizeMethod(method);
    checkHandler(handler, `${upper} ${this._pattern.text || "''"}`);
    if (options.expectHandler !== undefined && typeof options.expectHandler !== 'function') {
      throw Object.assign(
        new TypeError(`expectHandler must be a function, got ${describe(options.expectHandler)}`),
        {
          code: 'AIO_ROUTE_HANDLER',
        },
      );
    }
    if (this._router?.frozen) throw frozenError();
    const before = this.#routes.find((route) => route.method === upper || route.method === '*');
    if (before !== undefined) throw deadRoute(upper, this, before);
    this._router?._checkReachable(this, upper);
    const route = new Route(upper, handler, this, options.expectHandler);
    this.#routes.push(route);
    return route;
  }

  /** Whether it was registered with exactly this text. */
  rawMatch(path: string): boolean {
    return this._pattern.text === path;
  }

  urlFor(parts: UrlParts = {}): RelURL {
    return new RelURL(this._pattern.format(parts));
  }

  /** @internal */
  _addPrefix(prefix: string): void {
    this._pattern = this._pattern.withPrefix(prefix);
  }
}

/** A path without parameters. */
export class PlainResource extends Resource {
  /**
   * @param path decoded; `''` is the bare prefix of a sub-application, and `/` elsewhere; `*` is the target of `OPTIONS *`
   * @throws RangeError when the path is malformed, has parameters, or could never match
   */
  constructor(path: string, options: { readonly name?: string | undefined } = {}) {
    const pattern = PathPattern.parse(path);
    if (!pattern.isPlain)
      throw codedRangeError('AIO_ROUTE_PATH', `${shown(path)} has parameters: use DynamicResource`);
    super(pattern, options.name);
  }

  getInfo(): Readonly<Record<string, unknown>> {
    return { path: this.canonical };
  }
}

/** A path with parameters. */
export class DynamicResource extends Resource {
  /** @internal */
  _steps: readonly Step[];
  /** @internal Another way here, without parameters. */
  _bareSteps: readonly Step[] | undefined = undefined;

  /**
   * @param path decoded, with `{name}` and `{name:regex}`
   * @throws RangeError when the path is malformed or could never match, or matching one of its expressions could take long
   */
  constructor(path: string, options: { readonly name?: string | undefined } = {}) {
    const pattern = PathPattern.parse(path);
    if (pattern.isPlain)
      throw codedRangeError('AIO_ROUTE_PATH', `${shown(path)} has no parameters: use PlainResource`);
    super(pattern, options.name);
    this._steps = stepsOf(pattern);
  }

  /** `formatter` has the names of the parameters only, `pattern` their expressions too. */
  getInfo(): Readonly<Record<string, unknown>> {
    return { formatter: this.canonical, pattern: this._pattern.text };
  }

  /** @internal */
  override _addPrefix(prefix: string): void {
    super._addPrefix(prefix);
    this._steps = stepsOf(this._pattern);
  }
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

function checkName(name: string): void {
  if (typeof name !== 'string') {
    throw Object.assign(new TypeError(`The name of a route must be a string, got ${describe(name)}`), {
      code: 'AIO_ROUTE_NAME',
    });
  }
  if (name.split(/[.:-]/).every((part) => IDENTIFIER.test(part))) return;
  throw codedRangeError(
    'AIO_ROUTE_NAME',
    `Incorrect route name ${shown(name)}: it must be identifiers joined by '.', ':' or '-'`,
  );
}

/** The error for a route that another one always comes before. */
export function deadRoute(
  method: string,
  resource: AbstractResource,
  before: Route | AbstractResource,
): Error {
  const by =
    before instanceof Route
      ? `method ${before.method} is already registered for ${before.resource?.canonical}`
      : `everything there goes to ${before.toString()}`;
  return Object.assign(
    new Error(`Added route will never be executed: ${method} ${resource.canonical}, ${by}`),
    { code: 'AIO_ROUTE_DEAD' },
  );
}

export function frozenError(): StateError {
  return new StateError(
    'AIO_FROZEN',
    'Cannot register a resource into frozen router: add routes before the application starts',
  );
}

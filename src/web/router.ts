import { codedRangeError, shown } from '../message/index.ts';
import type { Application } from './application.ts';
import { Match, NO_PARAMS } from './match.ts';
import { competitionKey, isCovered, obstacleFor } from './reachability.ts';
import type { RouteOptions } from './resource.ts';
import {
  AbstractResource,
  DynamicResource,
  deadRoute,
  frozenError,
  PlainResource,
  Resource,
} from './resource.ts';
import type { Route, RouteHandler } from './route.ts';
import { describe, SystemRoute } from './route.ts';
import type { RouteDefinition } from './route-def.ts';
import { findRoute, RouteTrie } from './route-trie.ts';
import { type StaticOptions, StaticResource } from './static-resource.ts';
import { MatchedSubAppResource, PrefixedSubAppResource } from './sub-app-resource.ts';
import type { Mount } from './trie-node.ts';
import { paramsConstructor } from './trie-node.ts';
import type { Params } from './types.ts';

/** What the router must know of a request. */
export interface RouteRequest {
  /** Upper case. */
  readonly method: string;
  /** The path as `decodePathSafe` gives it. */
  readonly routePath: string;
  /** Host and port; read only when the application has domains. */
  readonly host: string | undefined;
}

/** Options of `get` and `addGet`. */
export interface GetOptions extends RouteOptions {
  /** Whether the handler serves HEAD as well. Default `true`. */
  readonly allowHead?: boolean | undefined;
}

/** What {@link UrlDispatcher.resolve} works with, made of the resources when they are complete. */
interface Table {
  readonly plain: ReadonlyMap<string, readonly PlainResource[]>;
  /** 1 at the {@link markOf} of each plain path. */
  readonly plainMarks: Uint8Array;
  readonly trie: RouteTrie;
  readonly hasTrie: boolean;
  readonly domains: readonly MatchedSubAppResource[];
}

const MARKS = 1024;

/**
 * A number that two paths rarely share. A path fresh from the wire has no hash, and making one to find that no plain path
 * equals it takes a tenth of a look-up.
 */
function markOf(path: string): number {
  const { length } = path;
  return ((length << 6) ^ (path.charCodeAt(length - 1) << 3) ^ path.charCodeAt(length >> 1)) & (MARKS - 1);
}

interface SubAppMount extends Mount {
  readonly resource: PrefixedSubAppResource;
}

/**
 * Finds the route of a request. `app.router` is one; routes are usually added by `app.addRoutes()`.
 *
 * The order in which resources are tried:
 * 1. domains, in the order of registration;
 * 2. the resource whose path is exactly the path of the request;
 * 3. resources with parameters and sub-applications, those with the longest static prefix first, and those with the same one in the order of
 *    registration. The static prefix of `/repos/{owner}/x{id}` is `/repos`.
 *
 * The first that has a route for the method wins. When there is none, the answer is 405 with the methods of all resources whose path
 * matched, or 404. A sub-application whose prefix or domain matched is final.
 *
 * aiohttp: `UrlDispatcher`. There step 2 is a part of step 3, so that `/{tail:.*}` takes `/` from a later `/`.
 *
 * @example
 * ```ts
 * app.router.addGet('/users/{id}', showUser, { name: 'user' });
 * app.router.get('user')?.urlFor({ id: '7' }).toString(); // '/users/7'
 * ```
 */
export class UrlDispatcher implements Iterable<string> {
  /** The route of all requests that this router has no route for. */
  readonly systemRoute: Route = new SystemRoute();
  /** The applications from the root to the one that this router belongs to; set when they freeze. */
  apps: readonly Application[] = [];
  private table: Table | undefined = undefined;
  readonly #resources: AbstractResource[] = [];
  readonly #named = new Map<string, AbstractResource>();
  /** Resources that may come before each other, by {@link competitionKey}. */
  readonly #competitors = new Map<string, AbstractResource[]>();
  #frozen = false;

  get frozen(): boolean {
    return this.#frozen;
  }

  /**
   * The route for a request, or the reason why there is none (`match.httpException`). Takes time in proportion to the length of
   * the path, whatever the path.
   */
  resolve(request: RouteRequest): Match {
    const table = this.table ?? this.compile();
    if (table.domains.length !== 0) {
      const domain = table.domains.find((resource) => resource.rule.match(request));
      if (domain !== undefined) return domain.app.router.resolve(request);
    }
    const { method, routePath } = request;
    const plain = table.plainMarks[markOf(routePath)] === 1 ? table.plain.get(routePath) : undefined;
    if (plain !== undefined) {
      for (let index = 0; index < plain.length; index++) {
        const route = findRoute(plain[index]!.routes, method);
        if (route !== undefined) return route.matchOf(this);
      }
    }
    if (table.hasTrie) {
      const { trie } = table;
      if (trie.search(method, routePath)) {
        if (trie.mount !== undefined) return (trie.mount as SubAppMount).resource.app.router.resolve(request);
        return new Match(this, trie.route!, trie.params(routePath));
      }
    }
    return this.fail(table, method, routePath);
  }

  private fail(table: Table, method: string, path: string): Match {
    const allowed = new Set<string>();
    for (const resource of table.plain.get(path) ?? [])
      for (const route of resource.routes) allowed.add(route.method);
    if (table.hasTrie) table.trie.collect(path, allowed);
    const methods = allowed.size === 0 ? undefined : [...allowed].sort();
    return new Match(this, this.systemRoute, NO_PARAMS, method, methods);
  }

  private compile(): Table {
    const plain = new Map<string, PlainResource[]>();
    const ranked: { readonly resource: DynamicResource | PrefixedSubAppResource; readonly prefix: string }[] =
      [];
    for (const resource of this.#resources) {
      if (resource instanceof PlainResource) {
        const path = resource.canonical;
        plain.set(path, [...(plain.get(path) ?? []), resource]);
      } else if (resource instanceof DynamicResource) {
        ranked.push({ resource, prefix: resource._pattern.staticPrefix });
      } else if (resource instanceof PrefixedSubAppResource) {
        ranked.push({ resource, prefix: resource.canonical });
      }
    }
    // Static prefixes of resources that match one path are prefixes of each other; the sort keeps the order among equals.
    ranked.sort((a, b) => b.prefix.length - a.prefix.length);
    const trie = new RouteTrie();
    ranked.forEach(({ resource, prefix }, rank) => {
      if (resource instanceof PrefixedSubAppResource) {
        const mount: SubAppMount = { rank, resource };
        trie.addMount(prefix, mount);
      } else {
        trie.add(resource._steps, {
          rank,
          makeParams: paramsConstructor(resource._pattern.names),
          routes: resource.routes,
        });
        const bare = resource._bareSteps;
        if (bare !== undefined) {
          trie.add(bare, { rank, makeParams: paramsConstructor([]), routes: resource.routes });
        }
      }
    });
    const domains = this.#resources.filter((resource) => resource instanceof MatchedSubAppResource);
    const plainMarks = new Uint8Array(MARKS);
    for (const path of plain.keys()) plainMarks[markOf(path)] = 1;
    this.table = { plain, plainMarks, trie: trie.seal(), hasTrie: ranked.length > 0, domains };
    return this.table;
  }

  /**
   * Adds a resource that was made by hand.
   * @throws StateError when the router is frozen
   * @throws RangeError when its name is taken
   * @throws Error `AIO_ROUTE_DEAD` when something registered before would always take its requests
   */
  registerResource(resource: AbstractResource): void {
    if (!(resource instanceof AbstractResource)) {
      throw new TypeError(`Only resources can be registered, got ${describe(resource)}`);
    }
    if (this.#frozen) throw frozenError();
    const { name } = resource;
    const known = name === undefined ? undefined : this.#named.get(name);
    if (known !== undefined) {
      throw codedRangeError(
        'AIO_ROUTE_NAME',
        `Duplicate ${shown(name)}, already handled by ${known.canonical}`,
      );
    }
    for (const route of resource instanceof Resource ? resource.routes : [])
      this._checkReachable(resource, route.method);
    if (!(resource instanceof Resource)) this._checkReachable(resource, '*');
    if (name !== undefined) this.#named.set(name, resource);
    resource._router = this;
    this.#resources.push(resource);
    this.#compete(resource);
    this.table = undefined;
  }

  /**
   * The resource for a path: the last one added, when path and name are the same, else a new one.
   *
   * @param path decoded; begins with `/` or is empty; may have parameters `{name}` and `{name:regex}`
   * @throws RangeError when the path or the name is malformed or the name is taken
   */
  addResource(path: string, options: { readonly name?: string | undefined } = {}): Resource {
    const last = this.#resources.at(-1);
    if (last instanceof Resource && last.name === options.name && last.rawMatch(path)) return last;
    const isDynamic = typeof path === 'string' && /[{}]/.test(path);
    const resource = isDynamic ? new DynamicResource(path, options) : new PlainResource(path, options);
    this.registerResource(resource);
    return resource;
  }

  /**
   * Adds a handler for a method of a path.
   * @param method a token; `*` for all
   * @throws as {@link addResource} and `resource.addRoute`
   */
  addRoute<P extends Params = Params>(
    method: string,
    path: string,
    handler: RouteHandler<P>,
    options: RouteOptions = {},
  ): Route {
    return this.addResource(path, options).addRoute(method, handler, options);
  }

  /** Adds a handler for GET, and for HEAD unless `allowHead` is `false`. */
  addGet<P extends Params = Params>(path: string, handler: RouteHandler<P>, options: GetOptions = {}): Route {
    const resource = this.addResource(path, options);
    if (options.allowHead !== false) resource.addRoute('HEAD', handler, options);
    return resource.addRoute('GET', handler, options);
  }

  addHead<P extends Params = Params>(path: string, handler: RouteHandler<P>, options?: RouteOptions): Route {
    return this.addRoute('HEAD', path, handler, options);
  }

  addOptions<P extends Params = Params>(
    path: string,
    handler: RouteHandler<P>,
    options?: RouteOptions,
  ): Route {
    return this.addRoute('OPTIONS', path, handler, options);
  }

  addPost<P extends Params = Params>(path: string, handler: RouteHandler<P>, options?: RouteOptions): Route {
    return this.addRoute('POST', path, handler, options);
  }

  addPut<P extends Params = Params>(path: string, handler: RouteHandler<P>, options?: RouteOptions): Route {
    return this.addRoute('PUT', path, handler, options);
  }

  addPatch<P extends Params = Params>(path: string, handler: RouteHandler<P>, options?: RouteOptions): Route {
    return this.addRoute('PATCH', path, handler, options);
  }

  addDelete<P extends Params = Params>(
    path: string,
    handler: RouteHandler<P>,
    options?: RouteOptions,
  ): Route {
    return this.addRoute('DELETE', path, handler, options);
  }

  /** Adds a subclass of `View` for all methods. */
  addView<P extends Params = Params>(path: string, view: RouteHandler<P>, options?: RouteOptions): Route {
    return this.addRoute('*', path, view, options);
  }

  /**
   * Serves the files of a directory for GET and HEAD.
   *
   * @param prefix a path without parameters
   * @param directory a path or a `file:` URL; it must exist
   * @throws as {@link StaticResource}
   * @example
   * ```ts
   * app.router.addStatic('/static', new URL('public', import.meta.url), { name: 'static', maxAge: 3_600_000 });
   * ```
   */
  addStatic(prefix: string, directory: string | URL, options: StaticOptions = {}): StaticResource {
    const resource = new StaticResource(prefix, directory, options);
    this.registerResource(resource);
    return resource;
  }

  /** Adds what `web.get` and its like made; returns the routes. */
  addRoutes(definitions: Iterable<RouteDefinition>): Route[] {
    if (typeof definitions?.[Symbol.iterator] !== 'function') {
      throw new TypeError(
        `addRoutes() takes a list such as [web.get('/', handler)], got ${describe(definitions)}`,
      );
    }
    const routes: Route[] = [];
    for (const definition of definitions) {
      if (typeof definition?.register !== 'function') {
        throw new TypeError(
          `addRoutes() takes what web.get(), web.post() … return, got ${describe(definition)}`,
        );
      }
      routes.push(...definition.register(this));
    }
    return routes;
  }

  /** All resources, in the order of registration. */
  resources(): readonly AbstractResource[] {
    return [...this.#resources];
  }

  /** All routes, those of sub-applications too. */
  routes(): readonly Route[] {
    return this.#resources.flatMap((resource) => [...resource.routes]);
  }

  /** Resources by name; a copy. */
  namedResources(): ReadonlyMap<string, AbstractResource> {
    return new Map(this.#named);
  }

  /** The resource with this name. */
  get(name: string): AbstractResource | undefined {
    return this.#named.get(name);
  }

  has(name: string): boolean {
    return this.#named.has(name);
  }

  /** How many resources have a name. */
  get size(): number {
    return this.#named.size;
  }

  /** The names. */
  [Symbol.iterator](): Iterator<string> {
    return this.#named.keys();
  }

  /**
   * Ends registration; the path `''` of an application without a prefix becomes `/`.
   * @throws Error `AIO_ROUTE_DEAD` when both `''` and `/` have a route for a method
   */
  freeze(): void {
    if (this.#frozen) return;
    const bare = this.#resources.filter(
      (resource) => resource instanceof PlainResource && resource.canonical === '',
    );
    for (const resource of bare) resource._addPrefix('/');
    this.#indexCompetitors();
    for (const resource of bare)
      for (const route of resource.routes) this._checkReachable(resource, route.method);
    this.#frozen = true;
    this.compile();
  }

  /** @internal Puts all resources under the prefix of a sub-application. */
  _addPrefix(prefix: string): void {
    for (const resource of this.#resources) resource._addPrefix(prefix);
    this.#indexCompetitors();
    this.table = undefined;
  }

  #indexCompetitors(): void {
    this.#competitors.clear();
    for (const resource of this.#resources) this.#compete(resource);
  }

  /**
   * @internal
   * @throws Error `AIO_ROUTE_DEAD` when `method` of a resource could never be reached, or would keep one registered later from it
   */
  _checkReachable(resource: AbstractResource, method: string): void {
    const others = this.#competitors.get(competitionKey(resource)) ?? [];
    const place = others.indexOf(resource);
    const earlier = place === -1 ? others : others.slice(0, place);
    for (const other of earlier) {
      const obstacle = obstacleFor(resource, method, other);
      if (obstacle !== undefined) throw deadRoute(method, resource, obstacle);
    }
    for (const other of place === -1 ? [] : others.slice(place + 1)) {
      const lost = other.routes.find((route) => method === '*' || route.method === method);
      // The route is not there yet, so it is asked for by the resource that has the same paths.
      if (lost !== undefined && isCovered(other, resource)) throw deadRoute(lost.method, other, resource);
    }
  }

  #compete(resource: AbstractResource): void {
    const key = competitionKey(resource);
    const others = this.#competitors.get(key);
    if (others === undefined) this.#competitors.set(key, [resource]);
    else others.push(resource);
  }
}

import * as web from '../web/index.ts';
import { corsSetupError } from './errors.ts';
import { type Admission, Origins } from './origins.ts';
import { includes, type OriginOptions, requestedNames } from './resource-options.ts';

/** Options of {@link setup}. */
export interface CorsOptions {
  /** What every resource that is added starts from, by origin. Default: no origin may do anything. */
  readonly defaults?: OriginOptions | undefined;
}

/** A resource that is open for other origins: all of its methods, or some. */
interface SharedResource {
  whole: Origins | undefined;
  config: OriginOptions;
  readonly methods: Map<string, Origins>;
}

/** Fields that every script may read (Fetch, CORS-safelisted response-header name), and those that none may. */
const SAFELISTED = new Set([
  'cache-control',
  'content-language',
  'content-length',
  'content-type',
  'expires',
  'last-modified',
  'pragma',
  'set-cookie',
  'vary',
]);

const applications = new WeakSet<web.Application>();

/**
 * Which resources of an application are open for which origins. Made by {@link setup}.
 *
 * aiohttp-cors: `CorsConfig`.
 */
export class CorsConfig {
  readonly #defaults: OriginOptions;
  readonly #resources = new Map<web.AbstractResource, SharedResource>();
  /** Answers to preflights, which have all their fields already. */
  readonly #preflights = new WeakSet<web.StreamResponse>();

  /** @internal */
  constructor(app: web.Application, options: CorsOptions) {
    if (applications.has(app)) throw corsSetupError('CORS was set up for this application already.');
    this.#defaults = options.defaults ?? {};
    new Origins(this.#defaults); // tells what is wrong before anything is added
    // In front of all others: a preflight has no cookies, so whoever asks for a login would refuse it.
    app.middlewares.insert(0, (request, handler) => this.#answerPreflight(request) ?? handler(request));
    app.onResponsePrepare.append((request, response) => this.#share(request, response));
    applications.add(app);
  }

  /**
   * Opens a resource, or one route of it, for the origins of the defaults and of `config`, which go first. Preflight requests to it are answered
   * from now on, before any middleware of the application: no route for OPTIONS is needed, and there must be none.
   *
   * @returns what was added
   * @throws RangeError `AIO_CORS_OPTIONS` for what is no origin or option
   * @throws Error `AIO_CORS_SETUP` when it is no route or resource with a path, or the resource has a route for OPTIONS
   * @example
   * ```ts
   * const cors = setup(app, { defaults: { 'https://app.example': {} } });
   * cors.add(app.router.addGet('/users', listUsers));
   * ```
   */
  add<T extends web.Route | web.Resource>(entity: T, config: OriginOptions = {}): T {
    const resource = entity instanceof web.Route ? entity.resource : entity;
    if (!(resource instanceof web.Resource)) {
      throw corsSetupError(
        'cors.add() takes a route or a resource of this application, such as app.router.addGet(…).',
      );
    }
    const shared = this.#resources.get(resource) ?? this.#open(resource);
    if (entity instanceof web.Route) {
      shared.methods.set(entity.method, new Origins({ ...this.#defaults, ...shared.config, ...config }));
    } else {
      shared.whole = new Origins({ ...this.#defaults, ...config });
      shared.config = config;
    }
    return entity;
  }

  #open(resource: web.Resource): SharedResource {
    const own = resource.routes.find((route) => route.method === 'OPTIONS');
    if (own !== undefined) {
      throw corsSetupError(
        `${resource.canonical} has a route for OPTIONS already, which cors.add() would have to answer: remove it.`,
      );
    }
    // A route for all methods gets OPTIONS as well; the preflights among them never reach it.
    if (!resource.routes.some((route) => route.method === '*')) addPreflightRoute(resource);
    const shared: SharedResource = { whole: undefined, config: {}, methods: new Map() };
    this.#resources.set(resource, shared);
    return shared;
  }

  #sharedOf(request: web.Request): SharedResource | undefined {
    const resource = request.match.route.resource;
    return resource === undefined ? undefined : this.#resources.get(resource);
  }

  /** Fetch, CORS-preflight fetch. `undefined` when it is no preflight of ours. */
  #answerPreflight(request: web.Request): web.StreamResponse | undefined {
    if (request.method !== 'OPTIONS') return undefined;
    const shared = this.#sharedOf(request);
    if (shared === undefined) return undefined;
    const { headers } = request;
    const origin = headers.get('Origin');
    const method = headers.get('Access-Control-Request-Method');
    if (origin === undefined || method === undefined) {
      if (!isPreflightOnly(request)) return undefined;
      throw refused(`${origin === undefined ? 'Origin' : 'Access-Control-Request-Method'} is missing`);
    }
    const admission = originsOf(shared, method)?.admit(origin);
    if (admission === undefined) throw refused('the origin or the method is not allowed');
    const { options } = admission;
    if (!hasRoute(request, method) || !includes(options.allowMethods, method))
      throw refused('the method is not allowed');
    const names = requestedNames(headers.getAll('Access-Control-Request-Headers').join(','));
    const foreign = names?.filter((name) => !includes(options.allowHeaders, name));
    if (names === undefined || foreign === undefined) throw refused('a name of a field is malformed');
    if (foreign.length > 0) throw refused(`fields are not allowed: ${foreign.join(', ').slice(0, 200)}`);

    const response = new web.Response({ status: 204 });
    response.headers.set('Access-Control-Allow-Methods', method);
    if (names.length > 0) response.headers.set('Access-Control-Allow-Headers', names.join(', '));
    if (options.maxAge !== undefined) response.headers.set('Access-Control-Max-Age', String(options.maxAge));
    if (options.allowPrivateNetwork && headers.get('Access-Control-Request-Private-Network') === 'true')
      response.headers.set('Access-Control-Allow-Private-Network', 'true');
    allow(response, admission);
    response.headers.set('Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers');
    this.#preflights.add(response);
    return response;
  }

  /** The fields of an answer that is no preflight's. */
  #share(request: web.Request, response: web.StreamResponse): void {
    const shared = this.#sharedOf(request);
    if (shared === undefined || this.#preflights.has(response)) return;
    const origins = originsOf(shared, request.method);
    if (origins === undefined) return;
    if (!origins.uniform) vary(response);
    const origin = request.headers.get('Origin');
    const admission = origin === undefined ? origins.forAll : origins.admit(origin);
    if (admission === undefined) return;
    allow(response, admission);
    const { exposeHeaders, allowCredentials } = admission.options;
    // With credentials * is the name of a field like any other.
    const exposed =
      exposeHeaders !== '*'
        ? exposeHeaders
        : allowCredentials
          ? [...new Set(response.headers.keys())].filter(isReadable)
          : ['*'];
    if (exposed.length > 0) response.headers.set('Access-Control-Expose-Headers', exposed.join(', '));
  }
}

/**
 * Prepares an application for requests from pages of other origins (CORS, the Fetch standard). Nothing is open before it is added to what this
 * returns. Each sub-application has its own set-up.
 *
 * aiohttp-cors: `aiohttp_cors.setup`.
 *
 * @throws RangeError `AIO_CORS_OPTIONS` for what is no origin or option; Error `AIO_CORS_SETUP` for an application that has it already
 * @example
 * ```ts
 * const cors = setup(app, {
 *   defaults: { 'https://app.example': { allowCredentials: true, allowHeaders: ['Content-Type'] }, '*': {} },
 * });
 * for (const route of app.router.routes()) cors.add(route);
 * ```
 */
export function setup(app: web.Application, options: CorsOptions = {}): CorsConfig {
  return new CorsConfig(app, options);
}

function originsOf(shared: SharedResource, method: string): Origins | undefined {
  const { methods, whole } = shared;
  return (
    methods.get(method) ?? (method === 'HEAD' ? methods.get('GET') : undefined) ?? methods.get('*') ?? whole
  );
}

function hasRoute(request: web.Request, method: string): boolean {
  const routes = request.match.route.resource?.routes ?? [];
  return routes.some((route) => route.method === method || route.method === '*');
}

function allow(response: web.StreamResponse, { options, allowOrigin }: Admission): void {
  response.headers.set('Access-Control-Allow-Origin', allowOrigin);
  if (options.allowCredentials) response.headers.set('Access-Control-Allow-Credentials', 'true');
}

/** The answer is another one for another origin: no cache may give it to all. */
function vary(response: web.StreamResponse): void {
  const listed = response.headers.getAll('Vary').flatMap((value) => value.toLowerCase().split(','));
  if (listed.some((name) => name.trim() === 'origin' || name.trim() === '*')) return;
  response.headers.add('Vary', 'Origin');
}

function isReadable(name: string): boolean {
  const lower = name.toLowerCase();
  return !SAFELISTED.has(lower) && !lower.startsWith('access-control-');
}

const preflightOnly = new WeakSet<web.Route>();

/** What is no preflight has nothing to do here. */
function noPreflight(): never {
  throw refused('Origin is missing');
}

function addPreflightRoute(resource: web.Resource): void {
  const route =
    resource instanceof web.StaticResource
      ? resource.setOptionsRoute(noPreflight)
      : resource.addRoute('OPTIONS', noPreflight);
  preflightOnly.add(route);
}

function isPreflightOnly(request: web.Request): boolean {
  return preflightOnly.has(request.match.route);
}

function refused(why: string): web.HTTPForbidden {
  return new web.HTTPForbidden({ text: `CORS preflight request failed: ${why}.` });
}

import type { ServerOptions } from '../net/index.ts';
import { type AppKey, describeKey, missingKey, type StateKey } from './app-key.ts';
import { badRequestMatch } from './bad-request.ts';
import { CleanupContext, throwCollected } from './cleanup-context.ts';
import { ConfigDict } from './config-dict.ts';
import { Dispatcher } from './dispatch.ts';
import { domainRule } from './domain.ts';
import { StateError } from './errors.ts';
import { answerExpectation } from './expect.ts';
import { FetchExchange } from './fetch-exchange.ts';
import { composeChain, mustBeMiddleware } from './middleware.ts';
import { runPrepareHandlers } from './prepare-signals.ts';
import type { Request } from './request.ts';
import { DEFAULT_CLIENT_MAX_SIZE } from './request-body.ts';
import type { Route } from './route.ts';
import type { RouteDefinition } from './route-def.ts';
import { UrlDispatcher } from './router.ts';
import { FreezableList, Signal } from './signal.ts';
import type { StreamResponse } from './stream-response.ts';
import { MatchedSubAppResource, PrefixedSubAppResource } from './sub-app-resource.ts';
import type { Awaitable, HandlerResult, Logger, Middleware, ResponsePrepareHandler } from './types.ts';

/** What an application is made with. */
export interface ApplicationOptions {
  /** From the outermost to the innermost. */
  readonly middlewares?: Iterable<Middleware> | undefined;
  /** Bytes of a request body that `request.read()`, `text()` and `json()` take; 0: no limit. Default 1 048 576. */
  readonly clientMaxSize?: number | undefined;
  /** Where failures of handlers are told. Default `console`. */
  readonly logger?: Logger | undefined;
  /** Options for every server of this application, unless its runner has others. */
  readonly handlerArgs?: Partial<ServerOptions> | undefined;
}

/**
 * A web application: routes, middlewares, state, and what is to be done when it starts and ends.
 *
 * Everything is set up before it starts; from then on it is frozen, and a change is an error. Counterpart of
 * `aiohttp.web.Application`.
 *
 * @example
 * ```ts
 * const app = new web.Application();
 * app.addRoutes([web.get('/{name}', (request) => new web.Response({ text: `Hello, ${request.matchInfo.name}` }))]);
 * await web.runApp(app);
 * ```
 */
export class Application {
  readonly router: UrlDispatcher = new UrlDispatcher();
  /** The first is the outermost. */
  readonly middlewares: FreezableList<Middleware> = new FreezableList<Middleware>(
    'app.middlewares',
    mustBeMiddleware,
  );
  /** Called in order before the first request; behind the entering of `cleanupCtx`. The first that throws ends the start. */
  readonly onStartup: Signal<[app: Application]> = new Signal('app.onStartup');
  /** Called when the server stops accepting, before the running handlers are waited for: close what keeps them busy. */
  readonly onShutdown: Signal<[app: Application]> = new Signal('app.onShutdown');
  /** Called at the very end, behind the leaving of `cleanupCtx`. All are called, whatever the others do. */
  readonly onCleanup: Signal<[app: Application]> = new Signal('app.onCleanup');
  /** Called for every response just before its head is sent, the root's functions before those of sub-applications. */
  readonly onResponsePrepare: Signal<[request: Request, response: StreamResponse]> = new Signal(
    'app.onResponsePrepare',
  );
  readonly cleanupCtx: CleanupContext = new CleanupContext();
  /** State of this application and of those it was added to. */
  readonly configDict: ConfigDict = new ConfigDict(this);
  readonly clientMaxSize: number;
  readonly logger: Logger;
  readonly handlerArgs: Partial<ServerOptions>;
  /**
   * Answers a platform `Request` without a socket: for Bun, Deno, workers and tests. The first call starts the application if nothing else did.
   * It is bound: `Deno.serve(app.fetch)`.
   *
   * @throws whatever the start of the application throws
   */
  readonly fetch: (request: globalThis.Request) => Promise<globalThis.Response>;

  /** @internal Whether any application of the tree has something to do in `onResponsePrepare`. */
  _hasPrepareSignal: boolean = false;

  readonly #state = new Map<StateKey, unknown>();
  readonly #subApps: Application[] = [];
  #parent: Application | undefined;
  #preFrozen = false;
  #frozen = false;
  #startup: Promise<void> | undefined;
  #started = false;
  #cleanup: Promise<void> | undefined;
  /** Those of the outer applications too. */
  #prepareHandlers: readonly ResponsePrepareHandler[] = [];
  #fetchDispatcher: Dispatcher | undefined;

  /** @throws RangeError when `clientMaxSize` is not a number of bytes; TypeError for a middleware that is no function */
  constructor(options: ApplicationOptions = {}) {
    const { clientMaxSize = DEFAULT_CLIENT_MAX_SIZE } = options;
    if (typeof clientMaxSize !== 'number' || !(clientMaxSize >= 0)) {
      throw new RangeError(
        `clientMaxSize must be a number of bytes, 0 for no limit; got ${String(clientMaxSize)}`,
      );
    }
    this.clientMaxSize = clientMaxSize;
    this.logger = options.logger ?? console;
    this.handlerArgs = options.handlerArgs ?? {};
    this.middlewares.append(...(options.middlewares ?? []));
    this.fetch = (request) => this.#fetch(request);
  }

  /** The application that this one was added to. */
  get parent(): Application | undefined {
    return this.#parent;
  }

  /** Sub-applications in the order in which they were added. */
  get subApps(): readonly Application[] {
    return this.#subApps;
  }

  /** Whether the application has started: nothing of it can change any more. */
  get frozen(): boolean {
    return this.#frozen;
  }

  /** Whether routes, middlewares and signals are closed. State may still be set until `frozen`. */
  get preFrozen(): boolean {
    return this.#preFrozen;
  }

  /**
   * The value under `key`.
   * @throws KeyMissingError when there is none and no fallback is given
   */
  get<T>(key: AppKey<T>): T;
  get(key: string): unknown;
  get<T, F>(key: AppKey<T>, fallback: F): T | F;
  get(key: string, fallback: unknown): unknown;
  get(key: StateKey, ...fallback: unknown[]): unknown {
    const value = this.#state.get(key);
    if (value !== undefined || this.#state.has(key)) return value;
    if (fallback.length > 0) return fallback[0];
    throw missingKey(key, 'the application');
  }

  /** Whether there is a value under `key`. */
  has(key: StateKey): boolean {
    return this.#state.has(key);
  }

  /** @throws StateError when the application has started: requests run side by side, so what changes belongs into an object */
  set<T>(key: AppKey<T>, value: NoInfer<T>): this;
  set(key: string, value: unknown): this;
  set(key: StateKey, value: unknown): this {
    this.#mustBeOpen(key);
    this.#state.set(key, value);
    return this;
  }

  /**
   * Removes a value; tells whether there was one.
   * @throws StateError when the application has started
   */
  delete(key: StateKey): boolean {
    this.#mustBeOpen(key);
    return this.#state.delete(key);
  }

  /**
   * Adds routes made by `web.get`, `web.view` … or collected in a `RouteTableDef`.
   * @returns the routes that were made
   */
  addRoutes(routes: Iterable<RouteDefinition>): Route[] {
    return this.router.addRoutes(routes);
  }

  /**
   * Serves everything under `prefix` by another application, with its own routes, middlewares and state. From this call on
   * its routes, middlewares and signals are closed; its start and end are part of this application's, at this place.
   *
   * @throws RangeError for an empty prefix; StateError when one of the two is frozen or `subApp` was added before
   *
   * @example
   * ```ts
   * const admin = new web.Application({ middlewares: [login] });
   * admin.addRoutes([web.get('/users', listUsers)]);
   * app.addSubapp('/admin', admin);
   * ```
   */
  addSubapp(prefix: string, subApp: Application): PrefixedSubAppResource {
    if (typeof prefix !== 'string') throw new TypeError(`A prefix must be a string, got ${typeof prefix}`);
    const trimmed = prefix.replace(/\/+$/, '');
    if (trimmed === '') {
      throw new RangeError(
        `'${prefix}' cannot be a prefix: give a path such as '/admin', or use one application`,
      );
    }
    this.#mustAccept(subApp);
    const resource = new PrefixedSubAppResource(trimmed, subApp);
    this.router.registerResource(resource);
    this.#adopt(subApp);
    return resource;
  }

  /**
   * Serves a host by another application, before any path of this one is looked at: `example.com`, `example.com:8080` or
   * `*.example.com`.
   *
   * @throws TypeError or RangeError for what is no host; StateError as `addSubapp`
   */
  addDomain(domain: string, subApp: Application): MatchedSubAppResource {
    const rule = domainRule(domain);
    this.#mustAccept(subApp);
    const resource = new MatchedSubAppResource(rule, subApp);
    this.router.registerResource(resource);
    this.#adopt(subApp);
    return resource;
  }

  #mustAccept(subApp: Application): void {
    if (!(subApp instanceof Application)) {
      throw new TypeError(`A sub-application must be a web.Application, got ${String(subApp)}`);
    }
    if (this.#preFrozen) {
      throw new StateError('AIO_APP_STATE', 'Cannot add a sub-application to an application that is frozen');
    }
    if (subApp.#frozen)
      throw new StateError('AIO_APP_STATE', 'Cannot add a sub-application that was started');
    if (subApp.#parent !== undefined || subApp === this) {
      throw new StateError('AIO_APP_STATE', 'Cannot add a sub-application twice: make one for each place');
    }
  }

  #adopt(subApp: Application): void {
    subApp.#parent = this;
    this.#subApps.push(subApp);
    this.onStartup.append(() => subApp.startup());
    this.onShutdown.append(() => subApp.shutdown());
    this.onCleanup.append(() => subApp.cleanup());
    subApp.preFreeze();
  }

  /** Closes routes, middlewares and signals, those of sub-applications too. */
  preFreeze(): void {
    if (this.#preFrozen) return;
    this.#preFrozen = true;
    this.middlewares.freeze();
    this.router.freeze();
    this.onResponsePrepare.freeze();
    this.cleanupCtx.freeze();
    this.onStartup.freeze();
    this.onShutdown.freeze();
    this.onCleanup.freeze();
    for (const subApp of this.#subApps) subApp.preFreeze();
  }

  /**
   * Closes everything, state included, and composes the middlewares around each route. Runners call it when the application
   * has started. Nothing happens when it is frozen already.
   *
   * @throws StateError for a sub-application: the outermost one freezes all
   */
  freeze(): void {
    if (this.#frozen) return;
    if (this.#parent !== undefined) {
      throw new StateError(
        'AIO_APP_STATE',
        'A sub-application is frozen and started by the one it was added to',
      );
    }
    this.preFreeze();
    this.#freezeTree([], this.#anyPrepareSignal());
  }

  #freezeTree(outer: readonly Application[], hasPrepareSignal: boolean): void {
    const apps = Object.freeze([...outer, this]);
    this.#frozen = true;
    this._hasPrepareSignal = hasPrepareSignal;
    this.router.apps = apps;
    this.#prepareHandlers = apps.flatMap((app) => [...app.onResponsePrepare]);
    for (const route of [this.router.systemRoute, ...this.router.routes()]) {
      route.chain = composeChain({ call: route.invoke, source: route.handler }, apps);
    }
    for (const subApp of this.#subApps) subApp.#freezeTree(apps, hasPrepareSignal);
  }

  #anyPrepareSignal(): boolean {
    return this.onResponsePrepare.length > 0 || this.#subApps.some((subApp) => subApp.#anyPrepareSignal());
  }

  /**
   * Enters `cleanupCtx` and calls `onStartup`, sub-applications at the place where they were added. A second call gives the same
   * promise. When it fails, `cleanup()` releases what was made until then.
   */
  startup(): Promise<void> {
    this.#startup ??= this.#start();
    return this.#startup;
  }

  async #start(): Promise<void> {
    if (this.#cleanup !== undefined) {
      throw new StateError(
        'AIO_APP_STATE',
        'The application has ended and cannot start again: make a new one',
      );
    }
    this.onStartup.freeze();
    this.cleanupCtx.freeze();
    await this.cleanupCtx.enter(this);
    await this.onStartup.send(this);
    this.#started = true;
  }

  /** Calls `onShutdown`. */
  async shutdown(): Promise<void> {
    await this.onShutdown.send(this);
  }

  /**
   * Leaves `cleanupCtx` in reverse order and calls `onCleanup`; after a start that failed only what was entered is left.
   * Everything is tried, whatever fails. A second call gives the same promise.
   *
   * @throws the error of a part; `CleanupError` when several failed
   */
  cleanup(): Promise<void> {
    this.#cleanup ??= this.#end();
    return this.#cleanup;
  }

  async #end(): Promise<void> {
    const errors: unknown[] = [];
    const attempt = async (work: () => Awaitable<unknown>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        errors.push(error);
      }
    };
    await attempt(() => this.cleanupCtx.exit());
    if (this.#started) for (const handler of this.onCleanup) await attempt(() => handler(this));
    else for (const subApp of this.#subApps) await attempt(() => subApp.cleanup());
    throwCollected(errors);
  }

  /** Shuts down and cleans up: for applications that were used through `fetch`. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.shutdown();
    } finally {
      await this.cleanup();
    }
  }

  async #fetch(request: globalThis.Request): Promise<globalThis.Response> {
    if (!this.#frozen) {
      await this.startup();
      this.freeze();
    }
    this.#fetchDispatcher ??= new Dispatcher((ours) => this._handle(ours), { logger: this.logger });
    const exchange = new FetchExchange(request);
    this.#fetchDispatcher.handle(exchange);
    return exchange.response;
  }

  /** @internal Finds the route of a request and calls its chain. */
  _handle(request: Request): Awaitable<HandlerResult> {
    request._app = this;
    const exchange = request._exchange;
    const match =
      exchange.error === undefined ? this.router.resolve(request) : badRequestMatch(this.router, request);
    request._match = match;
    const chain = match.route.chain ?? neverFrozen();
    const { head } = exchange;
    if (head.expect === false) return chain(request);
    const expectation = head.header('expect');
    return expectation === undefined
      ? chain(request)
      : answerExpectation(request, match.expectHandler, expectation, chain);
  }

  /** @internal Calls the `onResponsePrepare` functions of all applications that the request went through. */
  _runPrepareSignals(request: Request, response: StreamResponse): Promise<void> | undefined {
    const innermost = request._match?.apps.at(-1) ?? this;
    return runPrepareHandlers(innermost.#prepareHandlers, request, response);
  }

  #mustBeOpen(key: StateKey): void {
    if (!this.#frozen) return;
    throw new StateError(
      'AIO_APP_STATE',
      `Changing state of a started application is forbidden: ${describeKey(key)}. Set it before the start, in onStartup or in cleanupCtx; what changes while it runs belongs into an object that is set once`,
    );
  }
}

function neverFrozen(): never {
  throw new StateError(
    'AIO_APP_STATE',
    'The application got a request before it was frozen: call app.freeze()',
  );
}

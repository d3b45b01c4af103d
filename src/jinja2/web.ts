import * as web from '../web/index.ts';
import { type Filter, passContext } from './callables.ts';
import type { Context } from './context.ts';
import { Environment, type EnvironmentOptions } from './environment.ts';
import { TemplateNotFound, TemplateTypeError } from './errors.ts';
import type { Keywords } from './objects.ts';

/** Anything that renders a template by name: an {@link Environment} or another engine behind this face. */
export interface Engine {
  render(name: string, context: Readonly<Record<string, unknown>>): string | Promise<string>;
}

/** What is in an application under an `appKey`. */
export type Renderer = Environment | Engine;

/** Where {@link setup} keeps the environment unless told otherwise. */
export const appKey: web.AppKey<Renderer> = new web.AppKey<Renderer>('aiohttp-ts/jinja2 environment');

/** Under this key an application says where its static files are, for the global `static()`. */
export const staticRootKey: web.AppKey<string> = new web.AppKey<string>('aiohttp-ts/jinja2 static root');

/** Gives variables that every template of a request sees. */
export type ContextProcessor = (
  request: web.Request,
) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>;

/** Options of {@link setup}: those of an {@link Environment}, with `autoescape` true by default, and these. */
export interface SetupOptions extends EnvironmentOptions {
  /** Another engine instead of an environment; the environment's options then count for nothing. */
  readonly engine?: Engine;
  readonly appKey?: web.AppKey<Renderer>;
  /** Run for each request before its handler, in this order. */
  readonly contextProcessors?: readonly ContextProcessor[];
  readonly filters?: Readonly<Record<string, Filter>>;
  /** Whether templates see `url`, `static` and `app`; default true. */
  readonly defaultHelpers?: boolean;
}

/** Options of the functions that render. */
export interface RenderOptions {
  readonly appKey?: web.AppKey<Renderer>;
}

/** Options of the functions that make a response. */
export interface ResponseOptions extends RenderOptions {
  /** Default 200. */
  readonly status?: number;
  /** Encoding of the response; default `utf-8`. */
  readonly encoding?: string;
}

const processed = new web.RequestKey<Record<string, unknown>>('aiohttp-ts/jinja2 context');

/** `url('route', name='x', query_={…})` in a template: the URL of a named route. */
const url: unknown = passContext((context: Context, ...args: unknown[]) => {
  const [name, given] = args as [unknown, Keywords | undefined];
  const app = context.resolve('app') as web.Application;
  const resource = app.router.get(String(name));
  if (resource === undefined) throw new TemplateTypeError(`there is no route named '${String(name)}'`);
  const { query_: query, ...rest } = given ?? {};
  const parts: Record<string, string> = {};
  for (const [key, value] of Object.entries(rest)) {
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw new TemplateTypeError(
        `argument value should be str or int, got ${key} -> ${typeof value} ${String(value)}`,
      );
    }
    parts[key] = String(value);
  }
  const path = resource.urlFor(parts).toString();
  if (query === undefined || query === null) return path;
  return `${path}?${new URLSearchParams(Object.entries(query as object).map(([key, value]) => [key, String(value)]))}`;
});

/** `static('style.css')` in a template: the URL of a static file. */
const staticUrl: unknown = passContext((context: Context, ...args: unknown[]) => {
  const app = context.resolve('app') as web.Application;
  const root = app.configDict.get(staticRootKey, undefined);
  if (root === undefined) {
    throw new TemplateTypeError(
      "app.set(staticRootKey, '/static') must be set to the root of the static files",
    );
  }
  return `${root.replace(/\/+$/, '')}/${String(args[0]).replace(/^\/+/, '')}`;
});

/**
 * Gives an application an environment for its templates; sub-applications without one of their own use it too.
 *
 * @returns The environment, or the engine that was given.
 * @example
 * ```ts
 * import * as jinja2 from 'aiohttp-ts/jinja2';
 * import { web } from 'aiohttp-ts';
 * const app = new web.Application();
 * jinja2.setup(app, { loader: new jinja2.FileSystemLoader('templates') });
 * app.router.addGet('/', jinja2.template('index.html', () => ({ title: 'Home' })));
 * ```
 */
export function setup(app: web.Application, options: SetupOptions & { readonly engine: Engine }): Engine;
export function setup(app: web.Application, options?: SetupOptions): Environment;
export function setup(app: web.Application, options: SetupOptions = {}): Renderer {
  const {
    engine,
    appKey: key = appKey,
    contextProcessors: processors,
    filters,
    defaultHelpers = true,
    ...rest
  } = options;
  const renderer = engine ?? new Environment({ autoescape: true, ...rest });
  if (renderer instanceof Environment) {
    Object.assign(renderer.filters, filters);
    if (defaultHelpers) Object.assign(renderer.globals, { url, static: staticUrl, app });
  }
  app.set(key, renderer);
  if (processors !== undefined && processors.length > 0)
    app.middlewares.append(contextProcessors(...processors));
  return renderer;
}

/** The middleware that runs context processors; {@link setup} installs it when it is given some. */
export function contextProcessors(...processors: readonly ContextProcessor[]): web.Middleware {
  return async (request, handler) => {
    let values = { ...request.get(processed) };
    for (const processor of processors) values = { ...values, ...(await processor(request)) };
    request.set(processed, values);
    return handler(request);
  };
}

/** A context processor that lets templates see the `request`. */
export const requestProcessor: ContextProcessor = (request) => ({ request });

function failure(text: string): web.HTTPInternalServerError {
  return new web.HTTPInternalServerError({ reason: text, text });
}

function rendererOf(app: web.Application, key: web.AppKey<Renderer> = appKey): Renderer {
  const renderer = app.configDict.get(key, undefined);
  if (renderer === undefined) throw failure('Template engine is not initialized, call jinja2.setup() first');
  return renderer;
}

/**
 * The environment of an application.
 *
 * @throws {HTTPInternalServerError} when {@link setup} was not called, or with another engine.
 */
export function getEnv(app: web.Application, options: RenderOptions = {}): Environment {
  const renderer = rendererOf(app, options.appKey);
  if (renderer instanceof Environment) return renderer;
  throw failure('The template engine of this application is not a jinja2 environment');
}

function variablesOf(request: web.Request, context: unknown): Record<string, unknown> {
  if (context !== undefined && context !== null && (typeof context !== 'object' || Array.isArray(context))) {
    throw failure(`context should be mapping, not ${Array.isArray(context) ? 'Array' : typeof context}`);
  }
  return { ...request.get(processed), ...(context as Record<string, unknown> | undefined) };
}

function missing(name: string, error: unknown): unknown {
  return error instanceof TemplateNotFound && error.templateName === name
    ? failure(`Template '${name}' not found`)
    : error;
}

/**
 * A template as text, rendered synchronously.
 *
 * @throws {HTTPInternalServerError} without {@link setup}, for an unknown template and for a context that is no object.
 * @throws {TypeError} when the engine renders asynchronously: use {@link renderStringAsync}.
 */
export function renderString(
  name: string,
  request: web.Request,
  context?: object,
  options: RenderOptions = {},
): string {
  const renderer = rendererOf(request.app, options.appKey);
  const variables = variablesOf(request, context);
  try {
    const text =
      renderer instanceof Environment
        ? renderer.getTemplate(name).render(variables)
        : renderer.render(name, variables);
    if (typeof text !== 'string')
      throw new TypeError('this engine renders asynchronously: use renderStringAsync()');
    return text;
  } catch (error) {
    throw missing(name, error);
  }
}

/** {@link renderString} with promises awaited. */
export async function renderStringAsync(
  name: string,
  request: web.Request,
  context?: object,
  options: RenderOptions = {},
): Promise<string> {
  const renderer = rendererOf(request.app, options.appKey);
  const variables = variablesOf(request, context);
  try {
    if (!(renderer instanceof Environment)) return await renderer.render(name, variables);
    return await (await renderer.getTemplateAsync(name)).renderAsync(variables);
  } catch (error) {
    throw missing(name, error);
  }
}

function respond(text: string, options: ResponseOptions): web.Response {
  const { status = 200, encoding = 'utf-8' } = options;
  return new web.Response({ text, status, contentType: 'text/html', charset: encoding });
}

/** A response with a rendered template, `text/html`. */
export function renderTemplate(
  name: string,
  request: web.Request,
  context?: object,
  options: ResponseOptions = {},
): web.Response {
  return respond(renderString(name, request, context, options), options);
}

/** {@link renderTemplate} with promises awaited. */
export async function renderTemplateAsync(
  name: string,
  request: web.Request,
  context?: object,
  options: ResponseOptions = {},
): Promise<web.Response> {
  return respond(await renderStringAsync(name, request, context, options), options);
}

/** Makes a handler of a function that gives a template's variables; also a decorator of a method. */
export type TemplateDecorator = <This, Args extends unknown[]>(
  method: (this: This, ...args: Args) => unknown,
  context?: ClassMethodDecoratorContext,
) => (this: This, ...args: Args) => Promise<web.StreamResponse>;

/** What a handler under {@link template} gives: variables, or a response that goes out as it is. */
export type TemplateHandler = (request: web.Request) => unknown;

function requestOf(self: unknown, args: readonly unknown[]): web.Request {
  if (self instanceof web.View) return self.request;
  const request = args.find((argument) => argument instanceof web.Request);
  if (request === undefined)
    throw new TypeError('template() wraps a function that gets a request, or a method of a View');
  return request;
}

/**
 * Renders what a handler returns; a response it returns goes out as it is.
 *
 * @example
 * ```ts
 * import * as jinja2 from 'aiohttp-ts/jinja2';
 * const index = jinja2.template('index.html', async (request) => ({ path: request.path }), { status: 200 });
 * ```
 */
export function template(
  name: string,
  handler: TemplateHandler,
  options?: ResponseOptions,
): (request: web.Request) => Promise<web.StreamResponse>;
export function template(name: string, options?: ResponseOptions): TemplateDecorator;
export function template(
  name: string,
  first?: TemplateHandler | ResponseOptions,
  second?: ResponseOptions,
): unknown {
  const options = (typeof first === 'function' ? second : first) ?? {};
  const decorate: TemplateDecorator = (method) =>
    async function (...args) {
      const result = await method.apply(this, args);
      if (result instanceof web.StreamResponse) return result;
      const request = requestOf(this, args);
      const renderer = rendererOf(request.app, options.appKey);
      return renderer instanceof Environment && !renderer.enableAsync
        ? renderTemplate(name, request, result as object, options)
        : renderTemplateAsync(name, request, result as object, options);
    };
  return typeof first === 'function' ? decorate(first as (...args: unknown[]) => unknown) : decorate;
}

import { bind, type Factory, type Linked, link } from './compile.ts';
import { Context } from './context.ts';
import type { Environment } from './environment.ts';
import { TemplateRuntimeError } from './errors.ts';
import type { Limits } from './limits.ts';
import { TemplateObject } from './objects.ts';
import { joinPieces, joinPiecesAsync } from './pieces.ts';
import { str } from './printing.ts';
import { decorate } from './trace.ts';
import { entriesOf, isMapping } from './values.ts';

/** The forms in which a template is compiled, each when it is first needed. */
export type Variant = 'sync' | 'async' | 'syncStream' | 'asyncStream';

/** Variables of a render: an object, or a map. Names whose value is `undefined` count as absent. */
export type Variables = object | ReadonlyMap<string, unknown>;

/** What a template is made from. */
export interface TemplateOrigin {
  readonly name: string | undefined;
  readonly filename: string | undefined;
  /** Source, or code compiled ahead of time. */
  readonly source: string | undefined;
  readonly compiled?: Partial<Record<Variant, Factory>> | undefined;
  readonly isUpToDate?: (() => boolean) | undefined;
  /** More globals than the environment's. */
  readonly globals?: Readonly<Record<string, unknown>> | undefined;
}

/** How many frames of an error's stack are kept during a render. */
const STACK_FRAMES = 50;

const MODES = {
  sync: { isAsync: false, isStream: false },
  async: { isAsync: true, isStream: false },
  syncStream: { isAsync: false, isStream: true },
  asyncStream: { isAsync: true, isStream: true },
} as const;

/**
 * A template, ready to render any number of times, also at once.
 *
 * @example
 * ```ts
 * import { Environment } from 'aiohttp-ts/jinja2';
 * new Environment().fromString('Hello {{ name }}!').render({ name: 'you' }); // Hello you!
 * ```
 */
export class Template {
  readonly environment: Environment;
  /** Name under which it was loaded; undefined for a string. */
  readonly name: string | undefined;
  /** Path of its file, when it has one. */
  readonly filename: string | undefined;
  readonly globals: Readonly<Record<string, unknown>>;
  readonly #origin: TemplateOrigin;
  readonly #variants: Partial<Record<Variant, Linked>> = {};
  #module: TemplateModule | undefined;
  #moduleAsync: Promise<TemplateModule> | undefined;

  constructor(environment: Environment, origin: TemplateOrigin) {
    this.environment = environment;
    this.name = origin.name;
    this.filename = origin.filename;
    this.globals = origin.globals ?? {};
    this.#origin = origin;
  }

  /** False when the loader has something newer. */
  get isUpToDate(): boolean {
    return this.#origin.isUpToDate?.() ?? true;
  }

  /** @internal The code of a variant. */
  variant(variant: Variant): Linked {
    return (this.#variants[variant] ??= this.#make(variant));
  }

  #make(variant: Variant): Linked {
    const { compiled, source } = this.#origin;
    const factory = compiled?.[variant];
    if (factory !== undefined) return bind(factory, this.environment);
    if (source === undefined) {
      throw new TemplateRuntimeError(
        `template '${this.name}' was compiled ahead of time without its form '${variant}'`,
      );
    }
    const code = this.environment.generateCode(source, this.name, this.filename, MODES[variant]);
    return link(code, this.environment, this.name ?? '<template>', source);
  }

  /** @internal The variant that streams, or the one that gives whole texts when only that was compiled. */
  streamVariant(isAsync: boolean): Variant {
    const { compiled, source } = this.#origin;
    const wanted = isAsync ? 'asyncStream' : 'syncStream';
    return source === undefined && compiled?.[wanted] === undefined ? (isAsync ? 'async' : 'sync') : wanted;
  }

  /** @internal A context for rendering; `isShared` leaves the globals out, because the layers have them. */
  makeContext(
    layers: readonly Readonly<Record<string, unknown>>[],
    variant: Variant,
    limits?: Limits,
    isShared: boolean = false,
  ): Context {
    const blocks = Object.create(null) as Record<string, ((context: Context) => unknown)[]>;
    for (const [name, block] of Object.entries(this.variant(variant).blocks)) blocks[name] = [block];
    const all = isShared
      ? layers
      : [...layers, this.globals, this.environment.globals as Record<string, unknown>];
    return new Context(
      this.environment,
      this.name,
      all,
      blocks,
      MODES[variant].isAsync,
      limits ?? this.environment.makeLimits(),
    );
  }

  #context(variables: Variables | undefined, variant: Variant): Context {
    return this.makeContext(this.#layers(variables), variant);
  }

  #layers(variables: Variables | undefined): Readonly<Record<string, unknown>>[] {
    const layers: Readonly<Record<string, unknown>>[] = [];
    if (variables !== undefined) {
      layers.push(
        variables instanceof Map || !isMapping(variables)
          ? Object.fromEntries(
              variables instanceof Map
                ? (entriesOf(variables) as Iterable<[string, unknown]>)
                : Object.entries(variables),
            )
          : (variables as Record<string, unknown>),
      );
    }
    return layers;
  }

  /**
   * The page as a string.
   *
   * @param variables What the template sees besides the environment's globals.
   * @throws {TemplateError} and whatever functions of the application throw; the stack says where in the template.
   * @throws {TypeError} for a promise in the page: use {@link renderAsync}.
   */
  render(variables?: Variables): string {
    // The chain of templates behind an error is read from its stack, of which V8 keeps ten frames by itself.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = STACK_FRAMES;
    try {
      return this.variant('sync').root(this.#context(variables, 'sync')) as string;
    } catch (error) {
      throw decorate(error);
    } finally {
      Error.stackTraceLimit = limit;
    }
  }

  /** The page as {@link render} gives it, with every promise in it awaited: values, functions, filters, tests, loaders. */
  async renderAsync(variables?: Variables): Promise<string> {
    try {
      return (await this.variant('async').root(this.#context(variables, 'async'))) as string;
    } catch (error) {
      throw decorate(error);
    }
  }

  /** The page piece by piece; the next piece is computed when it is asked for. */
  *generate(variables?: Variables): Generator<string, void, undefined> {
    try {
      const variant = this.streamVariant(false);
      const output = this.variant(variant).root(this.#context(variables, variant));
      if (typeof output === 'string') yield output;
      else yield* output as Generator<string, void, undefined>;
    } catch (error) {
      throw decorate(error);
    }
  }

  /** {@link generate} with promises awaited: a source for a response body, with its backpressure. */
  async *generateAsync(variables?: Variables): AsyncGenerator<string, void, undefined> {
    try {
      const variant = this.streamVariant(true);
      const output = this.variant(variant).root(this.#context(variables, variant));
      if (typeof (output as { then?: unknown }).then === 'function') yield (await output) as string;
      else yield* output as AsyncGenerator<string, void, undefined>;
    } catch (error) {
      throw decorate(error);
    }
  }

  /** The macros and variables of the template's top level, computed without variables and kept. */
  module(): TemplateModule {
    return (this.#module ??= this.moduleFrom([]));
  }

  /** {@link module} for templates that await. */
  moduleAsync(): Promise<TemplateModule> {
    return (this.#moduleAsync ??= this.moduleFromAsync([]));
  }

  /**
   * The macros and variables of the template's top level, computed with variables; {@link module} computes them without any.
   *
   * @example
   * ```ts
   * import { Environment } from 'aiohttp-ts/jinja2';
   * const forms = new Environment().fromString('{% macro field(name) %}<input name="{{ name }}" form="{{ form }}">{% endmacro %}');
   * forms.makeModule({ form: 'f' }).get('field'); // a function of the name
   * ```
   */
  makeModule(variables?: Variables): TemplateModule {
    return this.moduleFrom(this.#layers(variables));
  }

  /** {@link makeModule} for templates that await. */
  makeModuleAsync(variables?: Variables): Promise<TemplateModule> {
    return this.moduleFromAsync(this.#layers(variables));
  }

  /** Names of the blocks that the template itself defines. */
  get blockNames(): readonly string[] {
    return Object.keys(this.variant('sync').blocks);
  }

  /**
   * One block of the template by itself, without what surrounds it and without the templates that it extends (Jinja2:
   * `template.blocks[name](template.new_context(variables))`).
   *
   * @throws {RangeError} when the template defines no such block.
   */
  renderBlock(name: string, variables?: Variables): string {
    const { blocks } = this.variant('sync');
    if (!Object.hasOwn(blocks, name)) {
      throw new RangeError(`there is no block '${name}'; known are ${this.blockNames.join(', ') || 'none'}`);
    }
    try {
      return (blocks[name] as (context: Context) => unknown)(this.#context(variables, 'sync')) as string;
    } catch (error) {
      throw decorate(error);
    }
  }

  /** @internal */
  moduleFrom(layers: readonly Readonly<Record<string, unknown>>[], limits?: Limits): TemplateModule {
    const context = this.makeContext(layers, 'sync', limits);
    const text = this.variant('sync').root(context);
    return new TemplateModule(
      this.name,
      context,
      typeof text === 'string' ? text : joinPieces(text as Iterable<string>),
    );
  }

  /** @internal */
  async moduleFromAsync(
    layers: readonly Readonly<Record<string, unknown>>[],
    limits?: Limits,
  ): Promise<TemplateModule> {
    const context = this.makeContext(layers, 'async', limits);
    const text = await this.variant('async').root(context);
    return new TemplateModule(
      this.name,
      context,
      typeof text === 'string' ? text : await joinPiecesAsync(text as AsyncIterable<string>),
    );
  }

  toString(): string {
    return `<Template ${this.name === undefined ? 'memory' : `'${this.name}'`}>`;
  }
}

/** What `{% import %}` gives: the exported names of a template as attributes, and its text when printed. */
export class TemplateModule extends TemplateObject {
  readonly name: string | undefined;
  readonly #context: Context;
  readonly #text: string;

  constructor(name: string | undefined, context: Context, text: string) {
    super();
    this.name = name;
    this.#context = context;
    this.#text = text;
  }

  override member(name: string): unknown {
    return this.#context.exported.has(name) ? this.#context.assigned[name] : undefined;
  }

  /** An exported macro or variable, for the application: a macro is a function. */
  get(name: string): unknown {
    const value = this.member(name);
    return value instanceof TemplateObject && value.callable
      ? (...args: unknown[]) => str(value.invoke(args, undefined, this.#context.evaluation(false)))
      : value;
  }

  __html__(): string {
    return this.#text;
  }

  override toString(): string {
    return this.#text;
  }
}

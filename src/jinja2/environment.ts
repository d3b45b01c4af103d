import { attributeOf, getAttribute, getItem, itemOf } from './attributes.ts';
import { type AutoescapePolicy, selectAutoescape } from './autoescape.ts';
import { type Filter, passedTo, type Test, wantsContext } from './callables.ts';
import type { Code } from './code.ts';
import type { EvalContext } from './context.ts';
import {
  TemplateError,
  TemplateNotFound,
  TemplateRuntimeError,
  TemplateSyntaxError,
  TemplatesNotFound,
  TemplateTypeError,
} from './errors.ts';
import type { Extension } from './extension.ts';
import { builtInFilters } from './filters/index.ts';
import { Generator, type Mode } from './generate.ts';
import { builtInGlobals } from './globals.ts';
import { Lexer } from './lexer.ts';
import { Limits } from './limits.ts';
import type { Loader, Source } from './loaders.ts';
import { type ExtensionName, extensionNamed } from './named-extensions.ts';
import type { Body } from './nodes.ts';
import { Parser } from './parser.ts';
import { checkSyntax, defaultSyntax, type Syntax } from './syntax.ts';
import { Template, type Variables } from './template.ts';
import { builtInTests } from './tests.ts';
import { TokenStream } from './token-stream.ts';
import { decorate, decorateSyntax } from './trace.ts';
import { Undefined, type UndefinedClass } from './undefined.ts';
import { isText, isThenable } from './values.ts';

/** Filters whose result may differ from render to render. */
const CONTEXTUAL_FILTERS: ReadonlySet<string> = new Set([
  'random',
  'map',
  'select',
  'reject',
  'selectattr',
  'rejectattr',
]);

/** Options of an {@link Environment}; names and defaults are those of Jinja2 unless said otherwise. */
export interface EnvironmentOptions extends Partial<Syntax> {
  /** Where templates come from; without one only strings can be rendered. */
  readonly loader?: Loader | undefined;
  /** Whether values are escaped, or by which names; default {@link selectAutoescape}, where Jinja2's is false. */
  readonly autoescape?: boolean | AutoescapePolicy;
  /** Tags besides the standard ones. */
  readonly extensions?: readonly (ExtensionName | Extension)[];
  /** The class of undefined values; default {@link Undefined}. */
  readonly undefined?: UndefinedClass;
  /** Changes each value before it is printed. */
  readonly finalize?: (value: unknown) => unknown;
  /** How many templates stay compiled; default 400, 0 for none, -1 for all. */
  readonly cacheSize?: number;
  /** Whether a template whose source changed is loaded again; default true unless `NODE_ENV` is `production`. */
  readonly autoReload?: boolean;
  /** Whether the functions for the web render with promises awaited; `renderAsync` works anyway. Default false. */
  readonly enableAsync?: boolean;
  /** Defaults of filters and tags. */
  readonly policies?: Policies;
}

/** Defaults of filters and tags (Jinja2: `env.policies`). */
export interface Policies {
  /** `rel` of links made by `urlize`; default `noopener`. */
  readonly urlizeRel?: string;
  /** `target` of links made by `urlize`. */
  readonly urlizeTarget?: string;
  /** Prefixes besides `http:` and `https:` that `urlize` makes links of, such as `tel:`. */
  readonly urlizeExtraSchemes?: readonly string[];
  /** How many characters a text may be too long before `truncate` cuts it; default 5. */
  readonly truncateLeeway?: number;
  /** Makes JSON for `tojson`, which makes it safe for HTML; default is what Python's `json.dumps(sort_keys=True)` does. */
  readonly jsonDumps?: (value: unknown, indent: number | string | undefined) => string;
  /** Whether `trans` blocks are trimmed; default false. */
  readonly i18nTrimmed?: boolean;
}

/**
 * Settings, filters and loaded templates (Jinja2: `Environment`).
 *
 * @example
 * ```ts
 * import { Environment, FileSystemLoader } from 'aiohttp-ts/jinja2';
 * const environment = new Environment({ loader: new FileSystemLoader('templates'), trimBlocks: true });
 * environment.filters['shout'] = (text: string) => `${text.toUpperCase()}!`;
 * console.log(environment.getTemplate('index.html').render({ title: 'Home' }));
 * ```
 */
export class Environment {
  readonly syntax: Syntax;
  /** Filters by name; may be added to before the first template that uses them is loaded. */
  readonly filters: Record<string, Filter>;
  /** Tests by name. */
  readonly tests: Record<string, Test>;
  /** Variables that every template sees. */
  readonly globals: Record<string, unknown>;
  readonly loader: Loader | undefined;
  readonly autoescape: AutoescapePolicy;
  readonly undefinedClass: UndefinedClass;
  readonly extensions: readonly Extension[];
  readonly autoReload: boolean;
  readonly enableAsync: boolean;
  readonly policies: Policies;
  /** True when attribute access and calls are checked. */
  readonly isSandboxed: boolean = false;
  readonly #options: EnvironmentOptions;
  readonly #finalize: ((value: unknown) => unknown) | undefined;
  readonly #tags: Map<string, Extension> = new Map();
  readonly #cacheSize: number;
  readonly #cache: Map<string, Template> = new Map();
  readonly #loading: Map<string, Promise<Template>> = new Map();

  constructor(options: EnvironmentOptions = {}) {
    const syntax = { ...defaultSyntax };
    for (const key of Object.keys(defaultSyntax) as (keyof Syntax)[]) {
      if (options[key] !== undefined) (syntax as Record<string, unknown>)[key] = options[key];
    }
    checkSyntax(syntax);
    this.syntax = syntax;
    this.filters = { __proto__: null, ...builtInFilters } as unknown as Record<string, Filter>;
    this.tests = { __proto__: null, ...builtInTests } as unknown as Record<string, Test>;
    this.globals = { __proto__: null, ...builtInGlobals() } as unknown as Record<string, unknown>;
    this.loader = options.loader;
    const { autoescape = selectAutoescape() } = options;
    this.autoescape = typeof autoescape === 'function' ? autoescape : () => autoescape;
    this.undefinedClass = options.undefined ?? Undefined;
    this.autoReload = options.autoReload ?? process.env['NODE_ENV'] !== 'production';
    this.enableAsync = options.enableAsync ?? false;
    this.policies = options.policies ?? {};
    this.#options = options;
    this.#finalize = options.finalize;
    this.#cacheSize = options.cacheSize ?? 400;
    const extensions: Extension[] = [];
    for (const given of options.extensions ?? []) {
      const extension = typeof given === 'string' ? extensionNamed(given) : given;
      if (extension !== undefined) extensions.push(extension);
    }
    this.extensions = extensions;
    for (const extension of extensions) {
      for (const tag of extension.tags) this.#tags.set(tag, extension);
      extension.install?.(this);
    }
  }

  /** Compiles a template from a string. `globals` are seen besides the environment's. */
  fromString(source: string, globals?: Readonly<Record<string, unknown>>): Template {
    const template = new Template(this, { name: undefined, filename: undefined, source, globals });
    template.variant('sync');
    return template;
  }

  /**
   * A template by name.
   *
   * @param parent Name of the template that asks; {@link joinPath} may use it.
   * @throws {TemplateNotFound} when the loader doesn't know it, {@link TemplateSyntaxError} when its source is wrong.
   * @throws {TemplateRuntimeError} when the loader is asynchronous: use {@link getTemplateAsync}.
   */
  getTemplate(name: string, parent?: string): Template {
    const path = parent === undefined ? name : this.joinPath(name, parent);
    const cached = this.#cached(path);
    if (cached !== undefined) return cached;
    const found = this.#loader(path).getSource(this, path);
    if (isThenable(found)) {
      void found.then(undefined, () => {});
      throw new TemplateRuntimeError(
        `template '${path}' is loaded asynchronously: use getTemplateAsync() and renderAsync()`,
      );
    }
    return this.#store(path, found, 'sync');
  }

  /** {@link getTemplate} for loaders that answer with a promise. */
  async getTemplateAsync(name: string, parent?: string): Promise<Template> {
    const path = parent === undefined ? name : this.joinPath(name, parent);
    const cached = this.#cached(path);
    if (cached !== undefined) return cached;
    // Two who ask at the same time get the same template.
    let loading = this.#loading.get(path);
    if (loading === undefined) {
      loading = this.#load(path).finally(() => this.#loading.delete(path));
      this.#loading.set(path, loading);
    }
    return loading;
  }

  async #load(path: string): Promise<Template> {
    const loader = this.#loader(path) as Loader & {
      getSourceAsync?: (environment: Environment, name: string) => Promise<Source>;
    };
    const source = await (loader.getSourceAsync?.(this, path) ?? loader.getSource(this, path));
    return this.#store(path, source, 'async');
  }

  /** The first of several templates that exists. */
  selectTemplate(names: readonly string[], parent?: string): Template {
    if (names.length === 0)
      throw new TemplatesNotFound([], 'Tried to select from an empty list of templates.');
    for (const name of names) {
      try {
        return this.getTemplate(name, parent);
      } catch (error) {
        if (!(error instanceof TemplateNotFound)) throw error;
      }
    }
    throw new TemplatesNotFound(names);
  }

  /** {@link selectTemplate} for loaders that answer with a promise. */
  async selectTemplateAsync(names: readonly string[], parent?: string): Promise<Template> {
    if (names.length === 0)
      throw new TemplatesNotFound([], 'Tried to select from an empty list of templates.');
    for (const name of names) {
      try {
        return await this.getTemplateAsync(name, parent);
      } catch (error) {
        if (!(error instanceof TemplateNotFound)) throw error;
      }
    }
    throw new TemplatesNotFound(names);
  }

  /**
   * Names that the loader knows.
   *
   * @param filter The endings that are wanted (`['html', 'txt']`), or a function that is true for names that are.
   * @throws {TypeError} when the loader cannot list its templates.
   */
  listTemplates(filter?: readonly string[] | ((name: string) => boolean)): readonly string[] {
    const all = this.#loader('*').listTemplates?.();
    if (all === undefined) throw new TemplateTypeError('this loader cannot iterate over all templates');
    if (filter === undefined) return all;
    return all.filter(
      typeof filter === 'function'
        ? filter
        : (name) => filter.includes(name.slice(name.lastIndexOf('.') + 1)),
    );
  }

  /**
   * An environment with other options that shares filters, tests and globals with this one (Jinja2: `overlay`); its extensions are added.
   *
   * @example
   * ```ts
   * import { Environment } from 'aiohttp-ts/jinja2';
   * const environment = new Environment();
   * const mail = environment.overlay({ autoescape: false, trimBlocks: true });
   * environment.globals['site'] = 'example.org';
   * console.log(mail.fromString('{{ site }}').render()); // example.org
   * ```
   */
  overlay(options: EnvironmentOptions): this {
    const extensions = [...this.extensions, ...(options.extensions ?? [])];
    const kind = this.constructor as new (options: EnvironmentOptions) => this;
    const made = new kind({ ...this.#options, ...options, extensions });
    return Object.assign(made, { filters: this.filters, tests: this.tests, globals: this.globals });
  }

  /** What a name means in another template; override it for relative names. */
  joinPath(name: string, _parent: string): string {
    return name;
  }

  /**
   * An expression as a function of its variables.
   *
   * @returns What the expression gives; undefined for an undefined value unless `keepUndefined`.
   */
  compileExpression(source: string, keepUndefined: boolean = false): (variables?: Variables) => unknown {
    const { blockStartString, blockEndString } = this.syntax;
    const template = this.fromString(`${blockStartString} set result = ${source}\n${blockEndString}`);
    return (variables = {}) => {
      const context = template.makeContext([variables as Record<string, unknown>], 'sync');
      try {
        template.variant('sync').root(context);
      } catch (error) {
        throw decorate(error);
      }
      const result = context.assigned['result'];
      return result instanceof Undefined && !keepUndefined ? undefined : result;
    };
  }

  /** The tree of a template, for tools; see `docs/jinja2.md`. */
  parse(source: string, name?: string, filename?: string): Body {
    let text = source;
    try {
      for (const extension of this.extensions) text = extension.preprocess?.(text, name, filename) ?? text;
      const lexed = new Lexer(text, this.syntax, name, filename).tokenize();
      return new Parser(new TokenStream(lexed, name, filename), this.#tags, this.policies).parse();
    } catch (error) {
      if (error instanceof TemplateSyntaxError) decorateSyntax(error, text);
      throw error;
    }
  }

  /** @internal Code of a template in one form. */
  generateCode(source: string, name: string | undefined, filename: string | undefined, mode: Mode): Code {
    const body = this.parse(source, name, filename);
    try {
      return this.makeGenerator(name, filename, mode).generate(body);
    } catch (error) {
      if (error instanceof TemplateSyntaxError) decorateSyntax(error, source);
      throw error;
    }
  }

  /** @internal */
  makeGenerator(name: string | undefined, filename: string | undefined, mode: Mode): Generator {
    return new Generator({
      mode,
      name,
      filename,
      autoescape: this.autoescape(name),
      guarded: this.isSandboxed,
      limited: this.isSandboxed,
      finalizes: this.#finalize !== undefined,
      folds: (kind, wanted) =>
        !CONTEXTUAL_FILTERS.has(wanted) &&
        !wantsContext((kind === 'filter' ? this.filters : this.tests)[wanted]),
      intercepts: (operator, isUnary) => this.intercepts(operator, isUnary),
      knows: (kind, wanted) => (kind === 'filter' ? this.filters : this.tests)[wanted] !== undefined,
    });
  }

  #loader(name: string): Loader {
    if (this.loader === undefined)
      throw new TemplateError(`no loader for this environment specified, so '${name}' cannot be found`);
    return this.loader;
  }

  #cached(path: string): Template | undefined {
    const template = this.#cache.get(path);
    if (template === undefined || (this.autoReload && !template.isUpToDate)) return undefined;
    if (this.#cacheSize > 0) {
      this.#cache.delete(path);
      this.#cache.set(path, template);
    }
    return template;
  }

  #store(path: string, source: Source, variant: 'sync' | 'async'): Template {
    const template = new Template(this, { ...source, name: path, filename: source.filename });
    if (source.source !== undefined) template.variant(variant);
    if (this.#cacheSize !== 0) {
      this.#cache.delete(path);
      this.#cache.set(path, template);
      if (this.#cacheSize > 0 && this.#cache.size > this.#cacheSize) {
        this.#cache.delete(this.#cache.keys().next().value as string);
      }
    }
    return template;
  }

  /** Forgets every loaded template. */
  clearCache(): void {
    this.#cache.clear();
  }

  /** True for a template; what `{% extends %}` and `{% include %}` take besides names. */
  isTemplate(value: unknown): value is Template {
    return value instanceof Template;
  }

  /** @internal */
  makeLimits(): Limits {
    return new Limits();
  }

  /** @internal Whether the environment computes an operator itself; the sandbox may. */
  intercepts(_operator: string, _isUnary: boolean): boolean {
    return false;
  }

  /** @internal Refuses a call; the sandbox overrides it. */
  checkCall(_callee: object): void {}

  /** @internal Refuses a method; the sandbox overrides it. */
  checkMethod(_object: unknown, _name: string): void {}

  /** `object.name`. */
  getAttribute(object: unknown, name: string): unknown {
    if (object instanceof Undefined) return object.member(name);
    const found = getAttribute(object, name);
    return found === undefined ? this.undefinedMember(object, name) : found;
  }

  /** `object[key]`. */
  getItem(object: unknown, key: unknown): unknown {
    if (object instanceof Undefined) return object.member(key);
    if (key instanceof Undefined && !isText(key)) return this.undefinedMember(object, key.missing);
    const found = getItem(object, key);
    return found === undefined ? this.undefinedMember(object, key) : found;
  }

  /** The attribute only (filter `attr`). */
  getOnlyAttribute(object: unknown, name: string): unknown {
    if (object instanceof Undefined) return object.member(name);
    const found =
      attributeOf(object, name) ?? (typeof object === 'object' ? undefined : itemOf(undefined, name));
    return found === undefined ? this.undefinedMember(object, name) : found;
  }

  /** True for a value that isn't there. */
  isUndefined(value: unknown): value is Undefined {
    return value instanceof Undefined;
  }

  /** @internal */
  undefinedVariable(name: string): Undefined {
    return new this.undefinedClass({ name });
  }

  /** @internal */
  undefinedMember(object: unknown, name: unknown): Undefined {
    return new this.undefinedClass({ object, name });
  }

  /** @internal */
  undefinedHint(hint: string, name?: string): Undefined {
    return new this.undefinedClass({ hint, name });
  }

  /** @internal */
  applyFinalize(context: EvalContext, value: unknown): unknown {
    const f = this.#finalize;
    return f === undefined ? value : Reflect.apply(f, undefined, [...passedTo(f, context), value]);
  }
}

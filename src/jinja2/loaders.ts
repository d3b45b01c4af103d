import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Factory } from './compile.ts';
import type { Environment } from './environment.ts';
import { TemplateNotFound } from './errors.ts';
import type { Variant } from './template.ts';
import { registerModule } from './trace.ts';

/** A template as a loader finds it. */
export interface Source {
  /** The text; undefined when `compiled` is given. */
  readonly source: string | undefined;
  /** Path of its file, for messages. */
  readonly filename?: string | undefined;
  /** False as soon as there is something newer; absent: never. */
  readonly isUpToDate?: (() => boolean) | undefined;
  /** Code compiled ahead of time. */
  readonly compiled?: Partial<Record<Variant, Factory>> | undefined;
}

/** Finds templates by name. */
export interface Loader {
  /**
   * Finds a template. A promise is allowed where only `renderAsync` and `getTemplateAsync` are used.
   *
   * @throws {TemplateNotFound}
   */
  getSource(environment: Environment, name: string): Source | Promise<Source>;
  /** Names of all templates, sorted. */
  listTemplates?(): readonly string[];
}

/** The parts of a template's name; none may lead out of a folder. */
function partsOf(name: string): string[] {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (
      part === '..' ||
      part.includes('\\') ||
      part.includes('\0') ||
      (sep !== '/' && (part.includes(sep) || part.includes(':')))
    ) {
      throw new TemplateNotFound(name);
    }
    parts.push(part);
  }
  return parts;
}

function fileStamp(path: string): string | undefined {
  try {
    const stat = statSync(path);
    return stat.isFile() ? `${stat.mtimeMs}:${stat.size}` : undefined;
  } catch {
    return undefined;
  }
}

function* filesIn(folder: string, prefix: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) yield* filesIn(join(folder, entry.name), `${prefix}${entry.name}/`);
    else if (entry.isFile()) yield prefix + entry.name;
  }
}

/** Options of {@link FileSystemLoader}. */
export interface FileSystemLoaderOptions {
  /** Default `utf8`. */
  readonly encoding?: BufferEncoding;
  /** Whether a link in a folder may lead out of it; default true, as in Jinja2: who can make links there can write templates. */
  readonly followLinks?: boolean;
}

/**
 * Templates from one or several folders; the first that has the name wins. A name cannot lead out of its folder.
 *
 * @example
 * ```ts
 * import { Environment, FileSystemLoader } from 'aiohttp-ts/jinja2';
 * const environment = new Environment({ loader: new FileSystemLoader(['templates', 'more']) });
 * ```
 */
export class FileSystemLoader implements Loader {
  readonly folders: readonly string[];
  readonly #encoding: BufferEncoding;
  readonly #followLinks: boolean;

  constructor(folders: string | URL | readonly (string | URL)[], options: FileSystemLoaderOptions = {}) {
    const list = typeof folders === 'string' || folders instanceof URL ? [folders] : folders;
    this.folders = list.map((folder) => (typeof folder === 'string' ? folder : fileURLToPath(folder)));
    this.#encoding = options.encoding ?? 'utf8';
    this.#followLinks = options.followLinks ?? true;
  }

  #find(name: string): { path: string; stamp: string } {
    const parts = partsOf(name);
    for (const folder of this.folders) {
      const path = join(folder, ...parts);
      const stamp = parts.length === 0 ? undefined : fileStamp(path);
      if (stamp === undefined) continue;
      if (!this.#followLinks && !realpathSync(path).startsWith(realpathSync(folder) + sep)) continue;
      return { path, stamp };
    }
    throw new TemplateNotFound(
      name,
      `'${name}' not found in search path${this.folders.length === 1 ? '' : 's'}: ${this.folders.map((folder) => `'${folder}'`).join(', ')}`,
    );
  }

  getSource(_environment: Environment, name: string): Source {
    const { path, stamp } = this.#find(name);
    return {
      source: readFileSync(path, this.#encoding),
      filename: path,
      isUpToDate: () => fileStamp(path) === stamp,
    };
  }

  /** The same without blocking on the file's content. */
  async getSourceAsync(_environment: Environment, name: string): Promise<Source> {
    const { path, stamp } = this.#find(name);
    return {
      source: await readFile(path, this.#encoding),
      filename: path,
      isUpToDate: () => fileStamp(path) === stamp,
    };
  }

  listTemplates(): readonly string[] {
    return [...new Set(this.folders.flatMap((folder) => [...filesIn(folder, '')]))].sort();
  }
}

/**
 * Templates that an npm package brings along.
 *
 * @param packageName The package, resolved from `from`.
 * @param path Folder in it; default `templates`.
 * @param from Module that resolves the package, usually `import.meta.url`; default the current folder.
 */
export class PackageLoader extends FileSystemLoader {
  constructor(
    packageName: string,
    path: string = 'templates',
    from: string | URL = join(process.cwd(), 'package.json'),
  ) {
    const manifest = createRequire(from).resolve(`${packageName}/package.json`);
    super(join(dirname(manifest), ...partsOf(path)));
  }
}

/** Templates from an object or a map of names and sources. */
export class DictLoader implements Loader {
  readonly #templates: Readonly<Record<string, string>> | ReadonlyMap<string, string>;

  constructor(templates: Readonly<Record<string, string>> | ReadonlyMap<string, string>) {
    this.#templates = templates;
  }

  #get(name: string): string | undefined {
    const templates = this.#templates;
    if (templates instanceof Map) return templates.get(name) as string | undefined;
    return Object.hasOwn(templates, name) ? (templates as Record<string, string>)[name] : undefined;
  }

  getSource(_environment: Environment, name: string): Source {
    const source = this.#get(name);
    if (source === undefined) throw new TemplateNotFound(name);
    return { source, isUpToDate: () => this.#get(name) === source };
  }

  listTemplates(): readonly string[] {
    return (
      this.#templates instanceof Map ? [...this.#templates.keys()] : Object.keys(this.#templates)
    ).sort();
  }
}

/** What a {@link FunctionLoader}'s function gives: a source, or undefined when it has no such template. */
export type LoadFunction = (
  name: string,
) => string | Source | undefined | Promise<string | Source | undefined>;

/** Templates from a function, which may be asynchronous. */
export class FunctionLoader implements Loader {
  readonly #load: LoadFunction;

  constructor(load: LoadFunction) {
    this.#load = load;
  }

  getSource(_environment: Environment, name: string): Source | Promise<Source> {
    const finish = (found: string | Source | undefined): Source => {
      if (found === undefined) throw new TemplateNotFound(name);
      return typeof found === 'string' ? { source: found } : found;
    };
    const found = this.#load(name);
    return found instanceof Promise ? found.then(finish) : finish(found as string | Source | undefined);
  }
}

/** The first of several loaders that knows the name. */
export class ChoiceLoader implements Loader {
  readonly loaders: readonly Loader[];

  constructor(loaders: readonly Loader[]) {
    this.loaders = loaders;
  }

  getSource(environment: Environment, name: string): Source | Promise<Source> {
    return this.#from(environment, name, 0);
  }

  #from(environment: Environment, name: string, index: number): Source | Promise<Source> {
    const next = (error: unknown): Source | Promise<Source> => {
      if (!(error instanceof TemplateNotFound)) throw error;
      return this.#from(environment, name, index + 1);
    };
    const loader = this.loaders[index];
    if (loader === undefined) throw new TemplateNotFound(name);
    try {
      const found = loader.getSource(environment, name);
      return found instanceof Promise ? found.catch(next) : found;
    } catch (error) {
      return next(error);
    }
  }

  listTemplates(): readonly string[] {
    return [...new Set(this.loaders.flatMap((loader) => loader.listTemplates?.() ?? []))].sort();
  }
}

/** Loaders by the first part of the name: `mail/greeting.txt` is `greeting.txt` of the loader `mail`. */
export class PrefixLoader implements Loader {
  readonly #loaders: Readonly<Record<string, Loader>>;
  readonly #delimiter: string;

  constructor(loaders: Readonly<Record<string, Loader>>, delimiter: string = '/') {
    this.#loaders = loaders;
    this.#delimiter = delimiter;
  }

  getSource(environment: Environment, name: string): Source | Promise<Source> {
    const at = name.indexOf(this.#delimiter);
    const prefix = name.slice(0, at);
    if (at < 0 || !Object.hasOwn(this.#loaders, prefix)) throw new TemplateNotFound(name);
    // The whole name is the one that was asked for.
    const rename = (error: unknown): never => {
      throw error instanceof TemplateNotFound ? new TemplateNotFound(name) : error;
    };
    try {
      const found = (this.#loaders[prefix] as Loader).getSource(
        environment,
        name.slice(at + this.#delimiter.length),
      );
      return found instanceof Promise ? found.catch(rename) : found;
    } catch (error) {
      return rename(error);
    }
  }

  listTemplates(): readonly string[] {
    return Object.entries(this.#loaders)
      .flatMap(([prefix, loader]) =>
        (loader.listTemplates?.() ?? []).map((name) => prefix + this.#delimiter + name),
      )
      .sort();
  }
}

/** A module made by `compileTemplates`. */
export interface CompiledModule {
  readonly templates: Readonly<Record<string, Partial<Record<Variant, Factory>>>>;
  /** Address of the module, for stack traces. */
  readonly url?: string;
  /** For each template: line of the module, line and column of the template. */
  readonly positions?: Readonly<Record<string, readonly (readonly number[])[]>>;
}

/**
 * Templates that were compiled ahead of time.
 *
 * @example
 * ```ts
 * import { CompiledLoader, type CompiledModule, Environment } from 'aiohttp-ts/jinja2';
 * declare const templates: CompiledModule; // import * as templates from './templates.mjs'
 * const environment = new Environment({ loader: new CompiledLoader(templates) });
 * ```
 */
export class CompiledLoader implements Loader {
  readonly #templates: CompiledModule['templates'];

  constructor({ templates, url, positions }: CompiledModule) {
    this.#templates = templates;
    for (const [template, places] of Object.entries(url === undefined ? {} : (positions ?? {}))) {
      const lines = places.map(([at, line, column]) => [at, [line, column]] as [number, [number, number]]);
      registerModule(url as string, { template, source: undefined, positions: new Map(lines) });
    }
  }

  getSource(_environment: Environment, name: string): Source {
    if (!Object.hasOwn(this.#templates, name)) throw new TemplateNotFound(name);
    return { source: undefined, compiled: this.#templates[name] };
  }

  listTemplates(): readonly string[] {
    return Object.keys(this.#templates).sort();
  }
}

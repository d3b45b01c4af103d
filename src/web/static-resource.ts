import {
  CIMultiDict,
  codedRangeError,
  codedTypeError,
  quotePath,
  RelURL,
  requotePath,
  shown,
} from '../message/index.ts';
import { type OpenFile, openFailure } from './file-open.ts';
import {
  checkFileOptions,
  checkFlag,
  type FileOptions,
  type FileSettings,
  IMMUTABLE,
} from './file-options.ts';
import { chooseRepresentation, FileRepresentation } from './file-representation.ts';
import { FileResponse } from './file-response.ts';
import { findSiblings } from './file-siblings.ts';
import { HTTPForbidden, HTTPMovedPermanently, HTTPNotFound } from './http-exceptions.ts';
import { PathPattern } from './path-pattern.ts';
import type { Request } from './request.ts';
import { DynamicResource, type RouteOptions, type UrlParts } from './resource.ts';
import type { HeadersInput } from './response-fields.ts';
import type { Route, RouteHandler } from './route.ts';
import { StaticCache, type StaticCacheOptions } from './static-cache.ts';
import { listDirectory } from './static-listing.ts';
import { isDotfile, isServableName } from './static-name.ts';
import { StaticRoot } from './static-root.ts';
import { FileVersions, stampOfFile } from './static-version.ts';
import type { StreamResponse } from './stream-response.ts';
import type { Awaitable } from './types.ts';

/** Options of `web.static()` and `router.addStatic()`. */
export interface StaticOptions extends RouteOptions, FileOptions {
  /** Names of the files that stand for their directory, the first that exists: `'index.html'`. By default none does. */
  readonly index?: string | readonly string[] | undefined;
  /** Whether a directory without an index is answered with a list of its files; else with 403. Default `false`. */
  readonly showIndex?: boolean | undefined;
  /** Whether symbolic links may lead out of the directory. Those that stay in it are always followed. Default `false`. */
  readonly followSymlinks?: boolean | undefined;
  /**
   * Files and directories whose name begins with a dot: `'ignore'` answers 404, `'deny'` 403, `'allow'` serves them. `.well-known` is always served.
   * Default `'ignore'`.
   */
  readonly dotfiles?: 'ignore' | 'deny' | 'allow' | undefined;
  /**
   * Whether URLs of files get `?v=` and a hash of their content (see {@link StaticResource.urlFor}). A request with the right hash is answered with
   * `Cache-Control: public, max-age=31536000, immutable`. Default `false`.
   */
  readonly appendVersion?: boolean | undefined;
  /** Keeps small files in memory, for sites of many that are asked for often. `true` takes the defaults. Default `false`. */
  readonly cache?: boolean | StaticCacheOptions | undefined;
  /** Header fields that every file is sent with. */
  readonly headers?: HeadersInput | undefined;
}

/** Options of {@link StaticResource.urlFor}. */
export interface StaticUrlOptions {
  /** Whether the URL gets the version of the file, where the file exists. By default what the resource was made with. */
  readonly appendVersion?: boolean | undefined;
}

/**
 * The files of a directory, served under a prefix for GET and HEAD. Made by `router.addStatic()`.
 *
 * Nothing outside the directory is ever served or can be found out about: paths with `..`, backslashes, NUL or, on Windows, names of drives and
 * devices are not looked for; a symbolic link that leads out is answered like a file that does not exist. Pipes, sockets and devices are not served.
 *
 * aiohttp: `StaticResource`.
 *
 * @example
 * ```ts
 * const files = app.router.addStatic('/static', 'public', { name: 'static', appendVersion: true });
 * files.urlFor({ filename: 'css/site.css' }).toString(); // '/static/css/site.css?v=…'
 * ```
 */
export class StaticResource extends DynamicResource {
  /** The directory, as a real path. */
  readonly directory: string;
  /** @internal The path without the slash at its end is the directory as well. */
  override _bareSteps: DynamicResource['_steps'];
  #prefix: string;
  readonly #root: StaticRoot;
  readonly #settings: FileSettings;
  readonly #versioned: FileSettings;
  readonly #index: readonly string[];
  readonly #showIndex: boolean;
  readonly #dotfiles: 'ignore' | 'deny' | 'allow';
  readonly #appendVersion: boolean;
  readonly #versions = new FileVersions();
  readonly #cache: StaticCache | undefined;
  readonly #headers: CIMultiDict | undefined;

  /**
   * @param prefix A path without parameters; a slash at its end means nothing.
   * @param directory A path, where `~` is the home directory, or a `file:` URL. It is resolved now, once.
   * @throws RangeError `AIO_STATIC_DIRECTORY` when there is no such directory, `AIO_ROUTE_PATH` when the prefix is no plain path,
   *   `AIO_FILE_OPTION` when an option is not allowed
   */
  constructor(prefix: string, directory: string | URL, options: StaticOptions = {}) {
    const plain = plainPrefix(prefix);
    super(`${plain}/{filename:.*}`, { name: options.name });
    this.#prefix = plain;
    this._bareSteps = stepsOfBare(plain);
    this.#settings = checkFileOptions(options);
    this.#versioned = { ...this.#settings, cacheControl: IMMUTABLE };
    this.#root = new StaticRoot(directory, checkFlag('followSymlinks', options.followSymlinks ?? false));
    this.directory = this.#root.directory;
    this.#index = checkIndex(options.index);
    this.#showIndex = checkFlag('showIndex', options.showIndex ?? false);
    this.#dotfiles = checkDotfiles(options.dotfiles);
    this.#appendVersion = checkFlag('appendVersion', options.appendVersion ?? false);
    const { cache = false } = options;
    this.#cache = cache === false ? undefined : new StaticCache(cache === true ? {} : cache);
    this.#headers = options.headers === undefined ? undefined : new CIMultiDict(options.headers);
    const handler = (request: Request): Awaitable<StreamResponse> => this.#serve(request);
    this.addRoute('HEAD', handler, options);
    this.addRoute('GET', handler, options);
  }

  /**
   * The URL of a file. With `appendVersion` it ends with `?v=` and the SHA-256 of the file, if there is one: it then changes when the file does, so
   * that clients may keep it for ever. The file is read at once, the first time and after changes.
   *
   * @throws TypeError `AIO_URL_PART` when `filename` is missing
   */
  override urlFor(parts: UrlParts = {}, options: StaticUrlOptions = {}): RelURL {
    const filename: unknown = parts['filename'];
    if (typeof filename !== 'string') {
      throw codedTypeError(
        'AIO_URL_PART',
        `The part "filename" of ${this.canonical} should be a string, got ${shown(filename)}.`,
      );
    }
    const name = filename.replace(/^\/+/, '');
    const url = `${requotePath(this.#prefix)}/${quotePath(name)}`;
    if (!(options.appendVersion ?? this.#appendVersion) || !this.#maySend(name)) return new RelURL(url);
    const version = this.#versions.ofPath(this.#root.pathOf(name), this.#root.leadsInside);
    return new RelURL(version === undefined ? url : `${url}?v=${version}`);
  }

  override getInfo(): Readonly<Record<string, unknown>> {
    return { directory: this.directory, prefix: this.#prefix, routes: this.routes };
  }

  /**
   * Answers OPTIONS, which is 405 otherwise: for CORS.
   *
   * @throws Error `AIO_ROUTE_DEAD` when there is a route for OPTIONS already
   */
  setOptionsRoute(handler: RouteHandler): Route {
    return this.addRoute('OPTIONS', handler);
  }

  /** @internal */
  override _addPrefix(prefix: string): void {
    super._addPrefix(prefix);
    this.#prefix = prefix + this.#prefix;
    this._bareSteps = stepsOfBare(this.#prefix);
  }

  #maySend(name: string): boolean {
    return isServableName(name, process.platform) && (this.#dotfiles === 'allow' || !isDotfile(name));
  }

  #serve(request: Request): Awaitable<StreamResponse> {
    // Absent for the prefix without a slash, empty for the prefix with one.
    const { filename = '' } = request.matchInfo;
    // A name that ends with a slash must be a directory.
    const isDirectory = request.matchInfo['filename'] === '' || filename.endsWith('/');
    const name = filename.endsWith('/') ? filename.slice(0, -1) : filename;
    if (filename === '/' || (name !== '' && !isServableName(name, process.platform)))
      throw new HTTPNotFound();
    if (this.#dotfiles !== 'allow' && isDotfile(name)) {
      throw this.#dotfiles === 'deny' ? new HTTPForbidden() : new HTTPNotFound();
    }
    const [index] = this.#index;
    if (!isDirectory) return this.#fromMemory(request, name) ?? this.#serveFile(request, name);
    if (index !== undefined) {
      const response = this.#fromMemory(request, indexOf(name, index));
      if (response !== undefined) return response;
    }
    return this.#serveDirectory(request, name);
  }

  /** What is in memory and need not be looked at again. */
  #fromMemory(request: Request, name: string): FileResponse | undefined {
    const cached = this.#cache?.fresh(name);
    const representation = cached?.find(request._header('accept-encoding'));
    if (cached === undefined || representation === undefined) return undefined;
    const version = this.#appendVersion ? versionOf(request) : undefined;
    if (version === undefined) return this.#respond(cached.path, representation, false);
    // Whether another version is right is found out of the file.
    if (!this.#versions.knows(cached.path, cached.stamp, version)) return undefined;
    return this.#respond(cached.path, representation, true);
  }

  /** What is in memory and still as it is on the disk. */
  async #fromCheckedMemory(request: Request, name: string): Promise<FileResponse | undefined> {
    const cached = await this.#cache?.checked(name, this.#settings.codings);
    if (cached === undefined || (this.#appendVersion && versionOf(request) !== undefined)) return undefined;
    const representation = cached.find(request._header('accept-encoding'));
    return representation === undefined ? undefined : this.#respond(cached.path, representation, false);
  }

  async #serveFile(request: Request, name: string): Promise<StreamResponse> {
    const kept = await this.#fromCheckedMemory(request, name);
    if (kept !== undefined) return kept;
    const file = await this.#root.open(name);
    if (!file.isDirectory) return this.#sendOpen(request, name, file);
    try {
      for (const index of this.#index) {
        const opened = await this.#openIndex(indexOf(name, index));
        if (opened === undefined) continue;
        opened.close();
        throw this.#moved(request, name);
      }
      return await this.#list(name, file);
    } finally {
      file.close();
    }
  }

  /** Relative links of an index begin at the directory. */
  #moved(request: Request, name: string): HTTPMovedPermanently {
    const query = request.rawPath.indexOf('?');
    const url = `${requotePath(this.#prefix)}/${name === '' ? '' : `${quotePath(name)}/`}`;
    return new HTTPMovedPermanently(query === -1 ? url : url + request.rawPath.slice(query));
  }

  async #serveDirectory(request: Request, name: string): Promise<StreamResponse> {
    for (const index of this.#index) {
      const below = indexOf(name, index);
      const kept = await this.#fromCheckedMemory(request, below);
      if (kept !== undefined) return kept;
      const opened = await this.#openIndex(below);
      if (opened !== undefined) return this.#sendOpen(request, below, opened);
    }
    const file = await this.#root.open(name);
    try {
      // A file has no slash at its end.
      if (!file.isDirectory) throw new HTTPNotFound();
      return await this.#list(name, file);
    } finally {
      file.close();
    }
  }

  async #openIndex(name: string): Promise<OpenFile | undefined> {
    try {
      const file = await this.#root.open(name);
      if (file.isFile) return file;
      file.close();
      return undefined;
    } catch (error) {
      if (error instanceof HTTPNotFound) return undefined;
      throw error;
    }
  }

  async #list(name: string, directory: OpenFile): Promise<StreamResponse> {
    if (!this.#showIndex) throw new HTTPForbidden();
    const showDotfiles = this.#dotfiles === 'allow';
    try {
      return await listDirectory(this.#root, directory, name, requotePath(this.#prefix), showDotfiles);
    } catch (error) {
      throw openFailure(error);
    }
  }

  /** Sends what was opened, which is closed however the exchange ends. */
  async #sendOpen(request: Request, name: string, file: OpenFile): Promise<StreamResponse> {
    if (!file.isFile) {
      file.close();
      throw new HTTPForbidden();
    }
    const path = this.#root.pathOf(name);
    const { codings } = this.#settings;
    let isVersioned = false;
    const version = this.#appendVersion ? versionOf(request) : undefined;
    if (version !== undefined) {
      try {
        isVersioned = await this.#versions.matches(file, path, version);
      } catch (error) {
        file.close();
        throw error;
      }
    }
    const stamp = stampOfFile(file);
    const accepted = request._header('accept-encoding');
    let representation = await chooseRepresentation(file, path, accepted, codings, this.#root.guard);
    const cache = this.#cache;
    if (cache !== undefined && representation.size <= cache.maxFileSize) {
      const { inode, changed } = representation.file!;
      representation = await FileRepresentation.inMemory(representation);
      cache.add(name, path, stamp, await findSiblings(path, codings), { representation, inode, changed });
    }
    const response = this.#respond(path, representation, isVersioned);
    // A middleware may answer with something else, so the response alone cannot be trusted with it.
    if (representation.file !== undefined) request.onDone(() => representation.close());
    return response;
  }

  #respond(path: string, representation: FileRepresentation, isVersioned: boolean): FileResponse {
    const settings = isVersioned ? this.#versioned : this.#settings;
    const response = FileResponse._of(path, settings, representation);
    if (this.#headers !== undefined) response.ownHeaders = new CIMultiDict(this.#headers);
    return response;
  }
}

function indexOf(directory: string, index: string): string {
  return directory === '' ? index : `${directory}/${index}`;
}

function versionOf(request: Request): string | undefined {
  return request.rawPath.includes('v=') ? request.query.get('v') : undefined;
}

function plainPrefix(prefix: string): string {
  const pattern = PathPattern.parse(prefix);
  if (!pattern.isPlain || prefix === '*') {
    throw codedRangeError(
      'AIO_ROUTE_PATH',
      `The prefix of static files must be a path without parameters such as '/static', got ${shown(prefix)}.`,
    );
  }
  return pattern.path.replace(/\/+$/, '');
}

function stepsOfBare(prefix: string): DynamicResource['_steps'] {
  return prefix === '' ? [] : [{ type: 'literal', text: prefix }];
}

function checkIndex(index: string | readonly string[] | undefined): readonly string[] {
  const names = index === undefined ? [] : typeof index === 'string' ? [index] : index;
  for (const name of names) {
    if (typeof name === 'string' && isServableName(name, process.platform) && !name.includes('/')) continue;
    throw codedRangeError(
      'AIO_FILE_OPTION',
      `index must be the name of a file such as 'index.html', or a list of names; got ${shown(name)}.`,
    );
  }
  return names;
}

function checkDotfiles(value: 'ignore' | 'deny' | 'allow' | undefined): 'ignore' | 'deny' | 'allow' {
  if (value === undefined) return 'ignore';
  if (value === 'ignore' || value === 'deny' || value === 'allow') return value;
  throw codedRangeError(
    'AIO_FILE_OPTION',
    `dotfiles must be 'ignore', 'deny' or 'allow', got ${shown(value)}.`,
  );
}

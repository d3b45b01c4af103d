import { codedTypeError, decodePathSafe } from '../message/index.ts';
import type { HTTPMove } from './http-exceptions.ts';
import { HTTPPermanentRedirect } from './http-exceptions.ts';
import type { Request } from './request.ts';
import { targetReference } from './request-target.ts';
import type { Middleware } from './types.ts';

/** Options of {@link normalizePathMiddleware}. */
export interface NormalizePathOptions {
  /** Try the path with `/` at its end. Default `true`, and `false` when `removeSlash` is set. */
  readonly appendSlash?: boolean | undefined;
  /** Try the path without `/` at its end. Default `false`. */
  readonly removeSlash?: boolean | undefined;
  /** Try the path with each run of `/` made one. Default `true`. */
  readonly mergeSlashes?: boolean | undefined;
  /** What to redirect with. Default `HTTPPermanentRedirect` (308: the client repeats method and body). */
  readonly redirectClass?: (new (location: string) => HTTPMove) | undefined;
}

/**
 * A middleware that redirects a request without a route to the first of these paths that has one: slashes merged; `/` appended or removed;
 * both. The query is kept, and the target is always a path of the same host.
 *
 * aiohttp: `web.normalize_path_middleware`.
 *
 * @throws TypeError when both `appendSlash` and `removeSlash` are `true`
 * @example
 * ```ts
 * const app = new web.Application({ middlewares: [web.normalizePathMiddleware()] });
 * app.addRoutes([web.get('/docs/', () => new web.Response({ text: 'docs' }))]); // serves /docs and //docs too
 * ```
 */
export function normalizePathMiddleware(options: NormalizePathOptions = {}): Middleware {
  const {
    removeSlash = false,
    appendSlash = !removeSlash,
    mergeSlashes = true,
    redirectClass = HTTPPermanentRedirect,
  } = options;
  if (appendSlash && removeSlash) {
    throw codedTypeError(
      'AIO_NORMALIZE_PATH',
      'Cannot both remove and append slash: set one of appendSlash and removeSlash',
    );
  }
  return function normalizePath(request, handler) {
    if (request.match.route.isSystem) {
      const location = findLocation(request, appendSlash, removeSlash, mergeSlashes);
      if (location !== undefined) throw new redirectClass(location);
    }
    return handler(request);
  };
}

function findLocation(
  request: Request,
  append: boolean,
  remove: boolean,
  merge: boolean,
): string | undefined {
  const target = targetReference(request.rawPath);
  if (!target.startsWith('/')) return undefined; // `*`, or the authority of CONNECT (RFC 9112 §3.2)
  const question = target.indexOf('?');
  const path = question === -1 ? target : target.slice(0, question);
  const query = question === -1 ? '' : target.slice(question);
  const endsWithSlash = path.endsWith('/');

  const candidates: string[] = [];
  if (merge) candidates.push(mergeRuns(path));
  if (append && !endsWithSlash) candidates.push(`${path}/`);
  if (remove && endsWithSlash) candidates.push(path.slice(0, -1));
  if (merge && append) candidates.push(mergeRuns(`${path}/`));
  if (merge && remove && endsWithSlash) candidates.push(mergeRuns(path).slice(0, -1));

  const found = candidates
    .map(onSameHost)
    .find((candidate) => candidate !== '' && candidate !== path && resolves(request, candidate));
  return found === undefined ? undefined : found + query;
}

function mergeRuns(path: string): string {
  return path.replace(/\/{2,}/g, '/');
}

/** `//host` at the beginning would name another host (CVE-2021-21330), and browsers read `\` as `/`. */
function onSameHost(path: string): string {
  return path.replaceAll('\\', '%5C').replace(/^\/{2,}/, '/');
}

function resolves(request: Request, path: string): boolean {
  const { method, host } = request;
  return (
    request.app.router.resolve({ method, host, routePath: decodePathSafe(path) }).httpException === undefined
  );
}

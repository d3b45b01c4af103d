import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { web } from '../../src/index.ts';
import { decodePathSafe } from '../../src/message/index.ts';

/**
 * The definition of the router's answer, with regular expressions and loops: every resource is tried in turn, bucket by bucket. The tree of
 * `RouteTrie` must give the same for all route tables and paths.
 */
class NaiveRouter {
  readonly #resources: NaiveResource[] = [];

  add(method: string, pattern: string): void {
    const last = this.#resources.at(-1);
    if (last?.pattern === pattern) last.methods.push(method);
    else this.#resources.push(new NaiveResource(pattern, [method], undefined));
  }

  mount(prefix: string, router: NaiveRouter): void {
    this.#resources.push(new NaiveResource(prefix, [], router));
  }

  resolve(method: string, path: string): string {
    const allowed = new Set<string>();
    const exact = this.#resources.filter((resource) => resource.isPlain && resource.pattern === path);
    const candidates = [...exact];
    for (let part = path; ; part = part.slice(0, part.lastIndexOf('/'))) {
      const prefix = part.replace(/\/+$/, '');
      candidates.push(
        ...this.#resources.filter((resource) => !resource.isPlain && resource.prefix === prefix),
      );
      if (prefix === '') break;
      part = prefix;
    }
    for (const resource of candidates) {
      if (resource.router !== undefined) return resource.router.resolve(method, path);
      const params = resource.match(path);
      if (params === undefined) continue;
      if (resource.methods.includes(method) || resource.methods.includes('*')) {
        return `${resource.pattern} ${JSON.stringify(params)}`;
      }
      for (const other of resource.methods) allowed.add(other);
    }
    return allowed.size === 0 ? '404' : `405 ${[...allowed].sort().join(',')}`;
  }
}

class NaiveResource {
  readonly pattern: string;
  readonly methods: string[];
  readonly router: NaiveRouter | undefined;
  readonly prefix: string;
  readonly #regex: RegExp;

  constructor(pattern: string, methods: string[], router: NaiveRouter | undefined) {
    this.pattern = pattern;
    this.methods = methods;
    this.router = router;
    const brace = pattern.indexOf('{');
    this.prefix = (brace === -1 ? pattern : pattern.slice(0, pattern.lastIndexOf('/', brace))).replace(
      /\/+$/,
      '',
    );
    let source = '';
    for (const piece of pattern.split(/(\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})/)) {
      const param = /^\{(\w+)(?::(.+))?\}$/s.exec(piece);
      if (param !== null) source += `(?<${param[1]}>${param[2] ?? '[^\\{\\}\\/]+'})`;
      else
        source += piece.replace(/[.*+?^${}()|[\]\\/-]/g, (char) => `\\x${char.charCodeAt(0).toString(16)}`);
    }
    this.#regex = new RegExp(`^${source}$`, 'us');
  }

  get isPlain(): boolean {
    return this.router === undefined && !this.pattern.includes('{');
  }

  match(path: string): Record<string, string> | undefined {
    const found = this.#regex.exec(path);
    if (found === null) return undefined;
    const params = Object.entries(found.groups ?? {});
    return Object.fromEntries(
      params.map(([name, value]) => [
        name,
        value
          .split('%25')
          .map((part) => part.replaceAll('%2F', '/'))
          .join('%'),
      ]),
    );
  }
}

// Few words and shapes, so that patterns overlap and paths match several of them.
const word = fc.constantFrom('a', 'b', 'ab', 'a-b', '1', '12', 'a.x', '%2F', 'é');
const paramShapes = [
  '{n}',
  '{n:\\d+}',
  '{n:[ab]+}',
  '{n:a|ab|12}',
  '{n:.}',
  '{n:[^/]*}',
  '{n:\\w{2}}',
  '{n}.x',
  'a{n}',
  'a{n}b',
  '{n}-{m}',
  '{n}{m}',
  '{n}-{m:a|b}',
  '{n:\\d+}-{m:[ab]+}',
  '{n:[^-/]+}{m:-?}b',
];
const tailShapes = [
  '{t:.*}',
  '{t:.+}',
  '{t:.+}/b',
  '{t:.*}x',
  'a{t:.*}',
  '{t:[^a]*}/{u}',
  '{t:(?:a|b)(?:/a)*}',
];
const numbered = (shape: string, index: number): string =>
  shape.replace(/\{([a-z])/g, (_, name: string) => `{${name}${index}`);
const segment = fc.oneof(
  { weight: 3, arbitrary: word },
  { weight: 2, arbitrary: fc.constantFrom(...paramShapes) },
);
const pattern = fc
  .tuple(
    fc.array(segment, { maxLength: 3 }),
    fc.option(fc.constantFrom('', ...tailShapes), { nil: undefined, freq: 2 }),
  )
  .map(([segments, tail]) => [
    ...segments,
    ...(tail === undefined && segments.length > 0 ? [] : [tail ?? '']),
  ])
  .map((segments) => `/${segments.map(numbered).join('/')}`);
const method = fc.constantFrom('GET', 'POST', '*');
const entry = fc.record({ method, pattern });
const mounted = fc.record({
  prefix: fc.constantFrom('/a', '/b', '/a/b', '/12'),
  routes: fc.array(entry, { maxLength: 4 }),
});
const tableOf = fc.array(fc.oneof({ weight: 8, arbitrary: entry }, { weight: 1, arbitrary: mounted }), {
  minLength: 1,
  maxLength: 12,
});
const piece = fc.constantFrom(
  '',
  'a',
  'b',
  'ab',
  'a-b',
  '-',
  'a-a-b',
  '1',
  '12',
  '1-a',
  'a.x',
  '.x',
  '%2F',
  'a%252Fb',
  '%C3%A9',
  '%F0%9F%98%80',
  '%7B',
  'x%0A',
  '%E9',
);
const target = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => `/${pieces.join('/')}`);

const handler = (): web.Response => new web.Response();

test('the tree gives the answer of the definition for all tables and paths', () => {
  fc.assert(
    fc.property(tableOf, fc.array(target, { minLength: 1, maxLength: 12 }), (table, targets) => {
      const app = new web.Application();
      const naive = new NaiveRouter();
      for (const item of table) {
        if ('prefix' in item) mountBoth(app, naive, item.prefix, item.routes);
        else addBoth(app.router, naive, item.method, item.pattern);
      }
      for (const raw of targets) {
        const path = decodePathSafe(raw);
        for (const verb of ['GET', 'POST', 'PUT'])
          assert.equal(ours(app.router, verb, path), naive.resolve(verb, path), `${verb} ${path}`);
      }
    }),
    { seed: 20241122, numRuns: 3_000 },
  );
});

function ours(router: web.UrlDispatcher, verb: string, path: string): string {
  const match = router.resolve({ method: verb, routePath: path, host: undefined });
  const { httpException, resource, params } = match;
  if (httpException instanceof web.HTTPMethodNotAllowed) return `405 ${httpException.headers.get('Allow')}`;
  if (httpException !== undefined) return '404';
  const text = resource instanceof web.DynamicResource ? resource.getInfo()['pattern'] : resource?.canonical;
  return `${text} ${JSON.stringify(params)}`;
}

/**
 * A route whose expression is not safe is left out of both. One that the router refuses because it could never be reached stays in the
 * definition: it must make no difference there.
 */
function addBoth(
  router: web.UrlDispatcher,
  naive: NaiveRouter,
  verb: string,
  path: string,
  prefix: string = '',
): void {
  try {
    router.addRoute(verb, path, handler);
  } catch (error) {
    if (codeOf(error) === 'AIO_ROUTE_REGEX') return;
    if (codeOf(error) !== 'AIO_ROUTE_DEAD') throw error;
  }
  naive.add(verb, prefix + path);
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}

function mountBoth(
  app: web.Application,
  naive: NaiveRouter,
  prefix: string,
  routes: readonly { readonly method: string; readonly pattern: string }[],
): void {
  const sub = new web.Application();
  const naiveSub = new NaiveRouter();
  for (const route of routes) addBoth(sub.router, naiveSub, route.method, route.pattern, prefix);
  try {
    app.addSubapp(prefix, sub);
  } catch (error) {
    if (codeOf(error) !== 'AIO_ROUTE_DEAD') throw error;
  }
  naive.mount(prefix, naiveSub);
}

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { web } from '../../src/index.ts';
import { decodePathSafe } from '../../src/message/index.ts';

const ok = (): web.Response => new web.Response({ text: 'ok' });

function resolve(router: web.UrlDispatcher, method: string, rawPath: string, host?: string): web.Match {
  return router.resolve({ method, routePath: decodePathSafe(rawPath), host });
}

/** `GET /users/{id} {"id":"7"}`, `404`, or `405 GET,HEAD`. */
function outcome(match: web.Match): string {
  const { httpException } = match;
  if (httpException instanceof web.HTTPMethodNotAllowed) return `405 ${httpException.headers.get('Allow')}`;
  if (httpException !== undefined) return String(httpException.status);
  return `${match.route.method} ${match.route.resource?.canonical} ${JSON.stringify(match.params)}`;
}

function table(...routes: [method: string, path: string][]): web.UrlDispatcher {
  const router = new web.UrlDispatcher();
  for (const [method, path] of routes) router.addRoute(method, path, ok);
  return router;
}

describe('resolution', () => {
  test('a static path wins over a dynamic one in whatever order they were added', () => {
    const router = table(
      ['GET', '/first/{user}/info'],
      ['GET', '/first/bob/info'],
      ['GET', '/second/bob/info'],
      ['GET', '/second/{user}/info'],
      ['GET', '/{tail:.*}'],
      ['GET', '/'],
    );
    assert.equal(outcome(resolve(router, 'GET', '/first/bob/info')), 'GET /first/bob/info {}');
    assert.equal(outcome(resolve(router, 'GET', '/second/bob/info')), 'GET /second/bob/info {}');
    assert.equal(
      outcome(resolve(router, 'GET', '/second/ann/info')),
      'GET /second/{user}/info {"user":"ann"}',
    );
    assert.equal(outcome(resolve(router, 'GET', '/')), 'GET / {}');
    assert.equal(outcome(resolve(router, 'GET', '/x')), 'GET /{tail} {"tail":"x"}');
  });

  test('dynamic paths with the same static prefix are tried in the order they were added', () => {
    const early = table(['GET', '/a/{x}/c'], ['GET', '/a/{y}/{z}']);
    assert.equal(outcome(resolve(early, 'GET', '/a/b/c')), 'GET /a/{x}/c {"x":"b"}');
    const late = table(['GET', '/a/{y}/{z}'], ['GET', '/a/{x}/c']);
    assert.equal(outcome(resolve(late, 'GET', '/a/b/c')), 'GET /a/{y}/{z} {"y":"b","z":"c"}');
  });

  test('the longest static prefix comes first', () => {
    const router = table(['GET', '/{tail:.*}'], ['GET', '/a/{tail:.*}'], ['GET', '/a/b/{tail:.*}']);
    assert.equal(outcome(resolve(router, 'GET', '/a/b/c')), 'GET /a/b/{tail} {"tail":"c"}');
    assert.equal(outcome(resolve(router, 'GET', '/a/c')), 'GET /a/{tail} {"tail":"c"}');
    assert.equal(outcome(resolve(router, 'GET', '/b')), 'GET /{tail} {"tail":"b"}');
  });

  test('a resource without the method leaves the request to the next, and 405 tells all methods', () => {
    const router = table(['GET', '/a/b'], ['POST', '/a/{x}'], ['PUT', '/{x}/b'], ['DELETE', '/{x}/b']);
    assert.equal(outcome(resolve(router, 'POST', '/a/b')), 'POST /a/{x} {"x":"b"}');
    assert.equal(outcome(resolve(router, 'PUT', '/a/b')), 'PUT /{x}/b {"x":"a"}');
    assert.equal(outcome(resolve(router, 'PATCH', '/a/b')), '405 DELETE,GET,POST,PUT');
    assert.equal(outcome(resolve(router, 'PATCH', '/a')), '404');
  });

  test('* serves the methods that have no route of their own', () => {
    const router = table(['GET', '/a'], ['*', '/a']);
    assert.equal(outcome(resolve(router, 'GET', '/a')), 'GET /a {}');
    assert.equal(outcome(resolve(router, 'BREW', '/a')), '* /a {}');
  });

  test('a slash at the end makes another path', () => {
    const router = table(['GET', '/a'], ['GET', '/b/{x}/']);
    assert.equal(outcome(resolve(router, 'GET', '/a/')), '404');
    assert.equal(outcome(resolve(router, 'GET', '/b/1')), '404');
    assert.equal(outcome(resolve(router, 'GET', '/b/1/')), 'GET /b/{x}/ {"x":"1"}');
    assert.equal(outcome(resolve(router, 'GET', '/b//')), '404');
  });

  test('the target of OPTIONS * is a path of its own', () => {
    const router = table(['OPTIONS', '*'], ['GET', '/{tail:.*}']);
    assert.equal(outcome(resolve(router, 'OPTIONS', '*')), 'OPTIONS * {}');
    assert.equal(outcome(resolve(router, 'GET', '*')), '405 OPTIONS');
  });

  test('routes added between requests are found until the router is frozen', () => {
    const router = table(['GET', '/a']);
    assert.equal(outcome(resolve(router, 'GET', '/b/1')), '404');
    router.addPost('/b/{x}', ok);
    assert.equal(outcome(resolve(router, 'GET', '/b/1')), '405 POST');
    router.freeze();
    assert.throws(() => router.addGet('/c', ok), {
      code: 'AIO_FROZEN',
      message: /Cannot register a resource into frozen router/,
    });
    const [resource] = router.resources();
    assert.ok(resource instanceof web.Resource);
    assert.throws(() => resource.addRoute('PUT', ok), { code: 'AIO_FROZEN' });
  });

  test('many slashes and long paths take linear time', () => {
    const router = table(['GET', '/{a}-{b}-{c}/x'], ['GET', '/{a:.+}/edit'], ['GET', '/{a}/{b}/{c}/{d}/{e}']);
    const millions = '-'.repeat(2_000_000);
    assert.equal(outcome(resolve(router, 'GET', `/${millions}`)), '404');
    assert.equal(outcome(resolve(router, 'GET', `/${'/'.repeat(2_000_000)}`)), '404');
    assert.equal(outcome(resolve(router, 'GET', `/${'/edi'.repeat(500_000)}`)), '404');
  });
});

describe('decoding', () => {
  for (const [pattern, target, expected] of [
    ['/u/{name}', '/u/a%2Fb%20c+d', { name: 'a/b c+d' }],
    ['/u/{name}', '/u/a%2fb', { name: 'a/b' }],
    ['/u/{name}', '/u/%252F', { name: '%2F' }],
    ['/u/{name}', '/u/%25252F', { name: '%252F' }],
    ['/u/{name}', '/u/100%25', { name: '100%' }],
    ['/u/{name}', '/u/%D1%8F', { name: 'я' }],
    ['/u/{name}', '/u/%F0%9F%98%80', { name: '😀' }],
    ['/u/{name}', '/u/%E9', { name: '%E9' }],
    ['/u/{name}', '/u/%00', { name: '\0' }],
    ['/u/{name}', '/u/x%0A', { name: 'x\n' }],
    ['/u/{tail:.*}', '/u/x%0Ay', { tail: 'x\ny' }],
    ['/u/{tail:.*}', '/u/', { tail: '' }],
    ['/u/{tail:.+}', '/u/', undefined],
    ['/u/{tail:.*}', '/u', undefined],
    ['/u/{tail:.*}', '/u/a//b%2Fc/', { tail: 'a//b/c/' }],
    ['/u/{name}', '/u/a%7Bb', undefined],
    ['/467,802/hello', '/467%2C802/hello', {}],
    ['/467,802/hello', '/467,802/hello', {}],
    ['/{a:467,802}/hello', '/467%2C802/hello', { a: '467,802' }],
    ['/café/{x}', '/caf%C3%A9/1', { x: '1' }],
    ['/a%2Fb', '/a%2Fb', {}],
    ['/a%2fb', '/a%2Fb', {}],
    ['/a%2Fb', '/a/b', undefined],
    ['/100%', '/100%25', {}],
    ['/c#', '/c%23', {}],
  ] as const) {
    test(`${pattern} and ${target}`, () => {
      const match = resolve(table(['GET', pattern]), 'GET', target);
      assert.deepEqual(match.httpException === undefined ? match.params : undefined, expected);
    });
  }

  test('the parameters are a plain object', () => {
    const { params } = resolve(table(['GET', '/{constructor}/{toString}']), 'GET', '/a/b');
    assert.deepStrictEqual(params, { constructor: 'a', toString: 'b' });
    assert.equal(Object.getPrototypeOf(params), Object.prototype);
  });
});

describe('patterns', () => {
  for (const [pattern, path, expected] of [
    ['/f/{name}.html', '/f/a.b.html', { name: 'a.b' }],
    ['/f/{name}.html', '/f/.html', undefined],
    ['/f/{name}.html', '/f/html', undefined],
    ['/{a}-{b}', '/x-y-z', { a: 'x-y', b: 'z' }],
    ['/{a}-{b}', '/x-', undefined],
    ['/{a}-{b}', '/--', undefined],
    ['/{a}-{b}', '/---', { a: '-', b: '-' }],
    ['/{a}-{b}', '/-x-', undefined],
    ['/{a}{b}', '/xyz', { a: 'xy', b: 'z' }],
    ['/{a}{b}', '/😀😀', { a: '😀', b: '😀' }],
    ['/{a}{b}', '/x', undefined],
    ['/v{major}.{minor}/x', '/v1.2.3/x', { major: '1.2', minor: '3' }],
    ['/{a}ab', '/abab', { a: 'ab' }],
    ['/{id:\\d+}', '/12', { id: '12' }],
    ['/{id:\\d+}', '/12x', undefined],
    ['/{id:\\d+}', '/1٢', undefined],
    ['/{id:\\d{3}}', '/123', { id: '123' }],
    ['/{id:\\d{3}}', '/1234', undefined],
    ['/{id:\\d{3}}', '/12', undefined],
    ['/{id:\\d{2,3}}/x', '/12/x', { id: '12' }],
    ['/{x:.}', '/😀', { x: '😀' }],
    ['/{x:[^{}/]+}', '/a', { x: 'a' }],
    ['/{page:[a-z0-9-]+\\.html}', '/a-1.html', { page: 'a-1.html' }],
    ['/{name:[a-z]+}.{type:json|xml}', '/a.json', { name: 'a', type: 'json' }],
    ['/{name}.{type:json|xml}', '/a.b.xml', { name: 'a.b', type: 'xml' }],
    ['/{name}.{type:json|xml}', '/a.txt', undefined],
    ['/{lang:(?:en|de)}/{x}', '/de/1', { lang: 'de', x: '1' }],
    ['/{lang:(en|de)}/{x}', '/de/1', { lang: 'de', x: '1' }],
    ['/{lang:(?:en|de)}/{x}', '/fr/1', undefined],
    ['/{path:.+}/edit', '/a/b/edit', { path: 'a/b' }],
    ['/{path:.+}/edit', '/a/edit/edit', { path: 'a/edit' }],
    ['/{path:.+}/edit', '/edit', undefined],
    ['/{a:.*}x{b:.*}', '/1x2x3', { a: '1x2', b: '3' }],
    ['/{a:.*?}x{b:.*}', '/1x2x3', { a: '1', b: '2x3' }],
    ['/{slug:[\\p{L}\\d-]+}', '/żółw-1', { slug: 'żółw-1' }],
    ['/{slug:[\\p{L}\\d-]+}', '/a_b', undefined],
    ['/{x:a\\-b}', '/a-b', { x: 'a-b' }],
    ['/{x:\\x61\\u0062\\u{63}}', '/abc', { x: 'abc' }],
    ['/{x:\\d*}/y', '//y', { x: '' }],
    ['/{x:(?:a|)}/y', '//y', { x: '' }],
    ['/{date:\\d{4}-\\d{2}-\\d{2}}', '/2024-01-31', { date: '2024-01-31' }],
    ['/{host:(?:[a-z0-9-]+\\.)+[a-z]+}', '/a.b.org', { host: 'a.b.org' }],
    ['/{a}/{b}/{c}/{d}/{e}', '/1/2/3/4/5', { a: '1', b: '2', c: '3', d: '4', e: '5' }],
  ] as const) {
    test(`${pattern} and ${path}`, () => {
      const match = resolve(table(['GET', pattern]), 'GET', path);
      assert.deepEqual(match.httpException === undefined ? match.params : undefined, expected);
    });
  }
});

describe('registration', () => {
  test('addGet serves HEAD too, unless allowHead is false', () => {
    const router = new web.UrlDispatcher();
    router.addGet('/a', ok);
    router.addGet('/b', ok, { allowHead: false });
    assert.equal(outcome(resolve(router, 'HEAD', '/a')), 'HEAD /a {}');
    assert.equal(outcome(resolve(router, 'HEAD', '/b')), '405 GET');
    assert.equal(outcome(resolve(router, 'POST', '/a')), '405 GET,HEAD');
  });

  test('every method has its function', () => {
    const router = new web.UrlDispatcher();
    router.addGet('/', ok, { allowHead: false });
    router.addHead('/', ok);
    router.addOptions('/', ok);
    router.addPost('/', ok);
    router.addPut('/', ok);
    router.addPatch('/', ok);
    router.addDelete('/', ok);
    assert.equal(router.resources().length, 1);
    assert.equal(outcome(resolve(router, 'TRACE', '/')), '405 DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT');
  });

  test('methods are upper-cased and must be tokens', () => {
    const router = new web.UrlDispatcher();
    assert.equal(router.addRoute('propfind', '/', ok).method, 'PROPFIND');
    for (const method of ['', 'GE T', 'GÉT', 'a\n']) {
      assert.throws(() => router.addRoute(method, '/x', ok), {
        name: 'RangeError',
        code: 'AIO_ROUTE_METHOD',
      });
    }
    assert.throws(() => router.addRoute(7 as never, '/x', ok), { name: 'TypeError' });
  });

  test('the last resource is used again for the same path and name, another is not', () => {
    const router = new web.UrlDispatcher();
    const first = router.addResource('/path', { name: 'a' });
    assert.equal(router.addResource('/path', { name: 'a' }), first);
    router.addResource('/path/2');
    assert.notEqual(router.addResource('/path'), first);
    const dynamic = router.addResource('/{x}');
    assert.equal(router.addResource('/{x}'), dynamic);
    assert.notEqual(router.addResource('/{y}'), dynamic);
  });

  test('resources for one path together make the Allow field', () => {
    const router = table(
      ['GET', '/p'],
      ['GET', '/q'],
      ['POST', '/p'],
      ['PUT', '/{x}'],
      ['GET', '/{y}'],
      ['PATCH', '/{x}'],
    );
    assert.equal(outcome(resolve(router, 'BREW', '/p')), '405 GET,PATCH,POST,PUT');
  });

  for (const [first, second, message] of [
    [['GET', '/a'], ['GET', '/a'], /Added route will never be executed.*method GET is already registered/],
    [['*', '/a'], ['GET', '/a'], /method \* is already registered/],
    [['GET', '/{x}'], ['GET', '/{x}'], /method GET is already registered/],
    [['*', '/{tail:.*}'], ['GET', '/{x}'], /GET \/\{x\}, method \* is already registered for \/\{tail\}/],
    [['GET', '/a/{tail:.*}'], ['GET', '/a/b{x}'], /already registered/],
  ] as const) {
    test(`a route that can never be reached is refused: ${second.join(' ')} after ${first.join(' ')}`, () => {
      for (const between of [false, true]) {
        const router = table([...first]);
        if (between) router.addGet('/between', ok);
        assert.throws(() => router.addRoute(second[0], second[1], ok), { code: 'AIO_ROUTE_DEAD', message });
      }
    });
  }

  test('patterns that differ in names only are the same path', () => {
    const router = table(['GET', '/{a}/x'], ['POST', '/{b}/x']);
    assert.throws(() => router.addGet('/{c}/x', ok), { code: 'AIO_ROUTE_DEAD' });
    assert.throws(() => (router.resources()[0] as web.Resource).addRoute('*', ok), {
      code: 'AIO_ROUTE_DEAD',
    });
  });

  test("'' and / of a root application are the same path", () => {
    const router = table(['GET', '']);
    router.freeze();
    assert.equal(outcome(resolve(router, 'GET', '/')), 'GET / {}');
    const both = table(['GET', ''], ['GET', '/']);
    assert.throws(() => both.freeze(), { code: 'AIO_ROUTE_DEAD' });
  });

  for (const [handler, message] of [
    [undefined, /got undefined/],
    [null, /got null/],
    ['text', /got the string "text"/],
    [{}, /got an object of type Object/],
    [Promise.resolve(), /got a promise: pass the function itself/],
    [class Plain {}, /got the class Plain, which does not extend View/],
    [web.View, /got the class View/],
    [new web.Response(), /got an object of type Response/],
    [function* words() {}, /got the generator function words/],
    [async function* words() {}, /got the generator function words/],
  ] as const) {
    test(`a handler that is none is refused: ${message}`, () => {
      const router = new web.UrlDispatcher();
      assert.throws(() => router.addGet('/', handler as never), {
        name: 'TypeError',
        code: 'AIO_ROUTE_HANDLER',
        message,
      });
    });
  }

  test('an expectHandler must be a function', () => {
    const router = new web.UrlDispatcher();
    assert.throws(() => router.addGet('/', ok, { expectHandler: 'x' as never }), {
      name: 'TypeError',
      message: /expectHandler/,
    });
    const expectHandler = (): undefined => undefined;
    router.addGet('/', ok, { expectHandler });
    assert.equal(resolve(router, 'GET', '/').expectHandler, expectHandler);
  });

  test('addRoutes says what is no route', () => {
    const router = new web.UrlDispatcher();
    assert.throws(
      () => router.addRoutes([ok as never]),
      /addRoutes\(\) takes what web\.get\(\), web\.post\(\) … return/,
    );
    assert.throws(() => router.addRoutes(7 as never), /addRoutes\(\) takes a list/);
  });
});

describe('names and URLs', () => {
  test('named resources are found by name', () => {
    const router = new web.UrlDispatcher();
    const users = router.addGet('/users/{id}', ok, { name: 'users.show' });
    router.addGet('/plain', ok);
    router.addGet('/about', ok, { name: 'about-page' });
    assert.equal(router.size, 2);
    assert.deepEqual([...router], ['users.show', 'about-page']);
    assert.ok(router.has('about-page'));
    assert.equal(router.get('users.show'), users.resource);
    assert.equal(router.get('nobody'), undefined);
    assert.deepEqual([...router.namedResources().keys()], ['users.show', 'about-page']);
    assert.equal(users.name, 'users.show');
  });

  test('names are identifiers and unique', () => {
    const router = new web.UrlDispatcher();
    router.addGet('/a', ok, { name: 'a' });
    assert.throws(() => router.addGet('/b', ok, { name: 'a' }), {
      code: 'AIO_ROUTE_NAME',
      message: /Duplicate "a", already handled by \/a/,
    });
    assert.throws(() => router.addResource('/a2', { name: 'a' }), { code: 'AIO_ROUTE_NAME' });
    for (const name of ['', '1a', 'a b', 'a..b', 'a/b', '-a']) {
      assert.throws(() => router.addResource('/x', { name }), { name: 'RangeError', code: 'AIO_ROUTE_NAME' });
    }
    for (const name of ['class', 'a.b:c-d', 'ключ', '_x1'])
      assert.equal(router.addResource(`/${name}`, { name }).name, name);
  });

  test('urlFor quotes values and keeps slashes', () => {
    const router = new web.UrlDispatcher();
    const { resource } = router.addGet('/a/{x}/{y:\\d+}', ok, { name: 'a' });
    assert.equal(String(resource?.urlFor({ x: 'é /', y: '5' })), '/a/%C3%A9%20//5');
    assert.equal(String(resource?.urlFor({ x: '?#%&+', y: '5', z: 'ignored' })), '/a/%3F%23%25&+/5');
    assert.equal(String(resource?.urlFor({ x: 'a', y: '5' }).withQuery({ q: '1 2' })), '/a/a/5?q=1+2');
    assert.equal(String(router.addGet('/ü b/%2F', ok).urlFor()), '/%C3%BC%20b/%2F');
    assert.throws(() => resource?.urlFor({ x: 'a' }), {
      name: 'TypeError',
      code: 'AIO_URL_PART',
      message: /"y" of \/a\/\{x\}\/\{y\} is missing/,
    });
    assert.throws(() => resource?.urlFor({ x: 'a', y: 5 as never }), {
      name: 'TypeError',
      message: /should be a string, got number/,
    });
    assert.throws(() => router.addGet('/{toString}', ok).urlFor({}), { code: 'AIO_URL_PART' });
  });

  test('urlFor never names another host', () => {
    const router = new web.UrlDispatcher();
    const route = router.addGet('/{tail:.*}', ok);
    assert.equal(String(route.urlFor({ tail: '/evil.example' })), '/.//evil.example');
  });

  test('what urlFor gives is matched with the same values', () => {
    const router = new web.UrlDispatcher();
    const route = router.addGet('/x/{a}/{b}', ok);
    for (const parts of [
      { a: 'é ü', b: '%2F%25' },
      { a: '+', b: '100%' },
      { a: '😀', b: 'a?b#c' },
    ]) {
      assert.deepEqual(resolve(router, 'GET', route.urlFor(parts).rawPath).params, parts);
    }
  });
});

describe('introspection', () => {
  test('resources, routes and what they tell', () => {
    const router = new web.UrlDispatcher();
    const plain = router.addGet('/plain', ok);
    const dynamic = router.addPost('/{x}/{y:\\d+}', ok);
    assert.deepEqual(router.resources(), [plain.resource, dynamic.resource]);
    assert.deepEqual(router.routes().map(String), ['HEAD /plain', 'GET /plain', 'POST /{x}/{y}']);
    assert.equal(plain.resource?.size, 2);
    assert.deepEqual(
      [...(plain.resource ?? [])].map((route) => route.method),
      ['HEAD', 'GET'],
    );
    assert.equal(plain.resource?.canonical, '/plain');
    assert.equal(dynamic.resource?.canonical, '/{x}/{y}');
    assert.deepEqual(plain.getInfo(), { path: '/plain' });
    assert.deepEqual(dynamic.getInfo(), { formatter: '/{x}/{y}', pattern: '/{x}/{y:\\d+}' });
    assert.equal(plain.handler, ok);
    const match = resolve(router, 'POST', '/a/1');
    assert.equal(match.handler, ok);
    assert.equal(match.resource, dynamic.resource);
    assert.equal(match.httpException, undefined);
    assert.deepEqual(match.getInfo(), dynamic.getInfo());
  });

  test('a request without a route has a system route, and an exception of its own', () => {
    const router = table(['GET', '/a']);
    const missing = resolve(router, 'GET', '/b');
    const other = resolve(router, 'GET', '/c');
    assert.equal(missing.route, router.systemRoute);
    assert.ok(missing.route.isSystem);
    assert.ok(missing.httpException instanceof web.HTTPNotFound);
    assert.equal(missing.httpException, missing.httpException);
    assert.notEqual(missing.httpException, other.httpException);
    assert.deepEqual(missing.getInfo(), { httpException: missing.httpException });
    const wrong = resolve(router, 'PUT', '/a');
    assert.ok(wrong.httpException instanceof web.HTTPMethodNotAllowed);
    assert.equal(wrong.httpException.method, 'PUT');
    assert.deepEqual([...wrong.httpException.allowedMethods], ['GET']);
    assert.deepEqual(wrong.allowedMethods, ['GET']);
    assert.throws(() => wrong.route.urlFor());
    assert.equal(wrong.resource, undefined);
  });

  test('nothing is kept of the paths that were asked for', () => {
    const router = table(['GET', '/a'], ['GET', '/{x}/y']);
    const route = resolve(router, 'GET', '/0').route;
    for (let index = 0; index < 1_000; index++)
      assert.equal(resolve(router, 'GET', `/${index}`).route, route);
    assert.equal(router.routes().length, 2);
  });
});

describe('sub-applications', () => {
  function mount(
    prefix: string,
    sub: web.Application,
    app: web.Application = new web.Application(),
  ): web.Application {
    app.addSubapp(prefix, sub);
    return app;
  }

  function application(...routes: [method: string, path: string][]): web.Application {
    const app = new web.Application();
    for (const [method, path] of routes) app.router.addRoute(method, path, ok);
    return app;
  }

  test('a prefix takes whole segments, and its answer is final', () => {
    const app = application(['GET', '/foobar'], ['GET', '/{x}/y'], ['GET', '/foo/own']);
    mount('/foo', application(['GET', '/a'], ['POST', '/{id}']), app);
    const go = (method: string, path: string): string => outcome(resolve(app.router, method, path));
    assert.equal(go('GET', '/foo/a'), 'GET /foo/a {}');
    assert.equal(go('POST', '/foo/7'), 'POST /foo/{id} {"id":"7"}');
    assert.equal(go('GET', '/foobar'), 'GET /foobar {}');
    assert.equal(go('GET', '/foo/y'), '405 POST');
    assert.equal(go('GET', '/foo'), '404');
    assert.equal(go('GET', '/bar/y'), 'GET /{x}/y {"x":"bar"}');
    assert.equal(go('GET', '/foo/own'), 'GET /foo/own {}');
  });

  test("'' is the bare prefix and / the prefix with a slash", () => {
    const app = mount('/sub', application(['GET', ''], ['GET', '/']));
    assert.equal(outcome(resolve(app.router, 'GET', '/sub')), 'GET /sub {}');
    assert.equal(outcome(resolve(app.router, 'GET', '/sub/')), 'GET /sub/ {}');
  });

  test('the longest of overlapping prefixes wins in whatever order they were added', () => {
    for (const order of [
      ['/s', '/s/t'],
      ['/s/t', '/s'],
    ]) {
      const app = new web.Application();
      for (const prefix of order) mount(prefix, application(['GET', '/{tail:.*}']), app);
      assert.equal(outcome(resolve(app.router, 'GET', '/s/t/x')), 'GET /s/t/{tail} {"tail":"x"}');
      assert.equal(outcome(resolve(app.router, 'GET', '/s/x')), 'GET /s/{tail} {"tail":"x"}');
    }
  });

  test('sub-applications of sub-applications have all prefixes', () => {
    const inner = application(['GET', '/{x}']);
    const app = mount('/a', mount('/b', inner, application(['GET', '/c'])));
    assert.equal(outcome(resolve(app.router, 'GET', '/a/b/1')), 'GET /a/b/{x} {"x":"1"}');
    assert.equal(outcome(resolve(app.router, 'GET', '/a/c')), 'GET /a/c {}');
    assert.deepEqual(app.router.routes().map(String), ['GET /a/c', 'GET /a/b/{x}']);
    app.freeze();
    assert.equal(resolve(app.router, 'GET', '/a/b/1').apps.length, 3);
    assert.equal(resolve(app.router, 'GET', '/a/b/1/2').apps.at(-1), inner);
    assert.equal(resolve(app.router, 'GET', '/x').apps.length, 1);
  });

  test('prefixes are decoded text', () => {
    const app = mount('/é %2F', application(['GET', '/{x}']));
    assert.equal(outcome(resolve(app.router, 'GET', '/%C3%A9%20%2F/1')), 'GET /é %2F/{x} {"x":"1"}');
  });

  test('a dynamic route inside of a prefix is refused behind it and served before it', () => {
    const before = application(['GET', '/s/{x}']);
    mount('/s', application(['GET', '/a']), before);
    assert.equal(outcome(resolve(before.router, 'GET', '/s/a')), 'GET /s/{x} {"x":"a"}');
    const behind = mount('/s', application(['GET', '/a']));
    assert.throws(() => behind.router.addGet('/s/{x}', ok), {
      code: 'AIO_ROUTE_DEAD',
      message: /everything there goes to the sub-application at \/s/,
    });
    assert.throws(() => mount('/s', application(), behind), { code: 'AIO_ROUTE_DEAD' });
  });

  test('a prefix is a path without parameters', () => {
    for (const prefix of ['x', '/{x}', '*']) {
      assert.throws(() => mount(prefix, application()), { name: 'RangeError', code: 'AIO_ROUTE_PATH' });
    }
  });

  test('what a sub-application resource tells', () => {
    const sub = application(['GET', '/a']);
    const app = new web.Application();
    const resource = app.addSubapp('/s/', sub);
    assert.equal(resource.canonical, '/s');
    assert.deepEqual(resource.getInfo(), { app: sub, prefix: '/s' });
    assert.deepEqual([...resource].map(String), ['GET /s/a']);
    assert.throws(() => resource.urlFor(), /urlFor\(\) is not supported by the sub-application at \/s/);
  });

  test('domains come before all paths', () => {
    const app = application(['GET', '/a'], ['GET', '/b']);
    app.addDomain('example.com', application(['POST', '/a']));
    app.addDomain('*.example.org', application(['GET', '/c']));
    const go = (path: string, host?: string): string => outcome(resolve(app.router, 'GET', path, host));
    assert.equal(go('/a', 'other'), 'GET /a {}');
    assert.equal(go('/a'), 'GET /a {}');
    assert.equal(go('/a', 'EXAMPLE.com'), '405 POST');
    assert.equal(go('/b', 'example.com:80'), '404');
    assert.equal(go('/b', 'example.com:8080'), 'GET /b {}');
    assert.equal(go('/c', 'WWW.example.org'), 'GET /c {}');
    assert.equal(go('/c', 'example.org'), '404');
  });
});

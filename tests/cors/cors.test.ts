import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import * as cors from '../../src/cors/index.ts';
import { web } from '../../src/index.ts';
import { testRequest } from '../../src/testing/index.ts';

const APP = 'https://app.example';
const hello: web.Handler = () => new web.Response({ text: 'hello', headers: { 'X-Total': '3' } });

function sharing(
  defaults: cors.OriginOptions,
  more?: (app: web.Application, config: cors.CorsConfig) => void,
): web.Application {
  const app = new web.Application();
  const config = cors.setup(app, { defaults });
  config.add(app.router.addGet('/', hello));
  more?.(app, config);
  return app;
}

async function simple(app: web.Application, origin: string | undefined, path = '/'): Promise<Response> {
  return testRequest(app, path, origin === undefined ? {} : { headers: { Origin: origin } });
}

async function preflight(
  app: web.Application,
  origin: string,
  method = 'GET',
  headers: Record<string, string> = {},
  path = '/',
): Promise<Response> {
  return testRequest(app, path, {
    method: 'OPTIONS',
    headers: { Origin: origin, 'Access-Control-Request-Method': method, ...headers },
  });
}

const field = (response: Response, name: string): string | null =>
  response.headers.get(`Access-Control-${name}`);

describe('answers to pages of other origins', () => {
  const cases: [string, cors.OriginOptions, string | undefined, string | null, string | null][] = [
    ['a listed origin', { [APP]: {} }, APP, APP, 'Origin'],
    ['one that is not listed', { [APP]: {} }, 'https://evil.example', null, 'Origin'],
    ['no origin', { [APP]: {} }, undefined, null, 'Origin'],
    ['one that begins alike', { [APP]: {} }, `${APP}.evil.com`, null, 'Origin'],
    ['one that ends alike', { [APP]: {} }, 'https://evil-app.example', null, 'Origin'],
    ['another scheme', { [APP]: {} }, 'http://app.example', null, 'Origin'],
    ['another port', { [APP]: {} }, `${APP}:8443`, null, 'Origin'],
    ['all origins', { '*': {} }, 'https://any.example', '*', null],
    ['all origins, and no origin', { '*': {} }, undefined, '*', null],
    ['a listed one beside all', { '*': {}, [APP]: {} }, APP, APP, 'Origin'],
    ['another one beside a listed', { '*': {}, [APP]: {} }, 'https://b.example', '*', 'Origin'],
    ['null, not listed', { [APP]: {} }, 'null', null, 'Origin'],
    ['null, listed', { null: {} }, 'null', 'null', 'Origin'],
    [
      'a sub-domain',
      { 'https://*.example.com': {} },
      'https://a.b.example.com',
      'https://a.b.example.com',
      'Origin',
    ],
    ['no sub-domain', { 'https://*.example.com': {} }, 'https://example.com', null, 'Origin'],
    ['nearly a sub-domain', { 'https://*.example.com': {} }, 'https://evil.com/.example.com', null, 'Origin'],
    ['a user in it', { 'https://*.example.com': {} }, 'https://evil.com@a.example.com', null, 'Origin'],
  ];
  for (const [name, defaults, origin, expected, vary] of cases) {
    test(`${name}: ${expected}`, async () => {
      const response = await simple(sharing(defaults), origin);
      assert.equal(response.status, 200);
      assert.equal(field(response, 'Allow-Origin'), expected);
      assert.equal(response.headers.get('Vary'), vary);
      assert.equal(field(response, 'Allow-Credentials'), null);
    });
  }

  test('credentials', async () => {
    const app = sharing({ [APP]: { allowCredentials: true }, '*': {} });
    const listed = await simple(app, APP);
    assert.equal(field(listed, 'Allow-Credentials'), 'true');
    assert.equal(field(listed, 'Allow-Origin'), APP);
    const other = await simple(app, 'https://b.example');
    assert.equal(field(other, 'Allow-Credentials'), null);
    assert.equal(field(other, 'Allow-Origin'), '*');
  });

  test('fields that scripts may read', async () => {
    const some = await simple(sharing({ '*': { exposeHeaders: ['X-Total', 'X-Page'] } }), APP);
    assert.equal(field(some, 'Expose-Headers'), 'X-Total, X-Page');
    const all = await simple(sharing({ '*': { exposeHeaders: '*' } }), APP);
    assert.equal(field(all, 'Expose-Headers'), '*');
    const withCookies = sharing({ [APP]: { exposeHeaders: '*', allowCredentials: true } });
    assert.match(
      field(await simple(withCookies, APP), 'Expose-Headers') ?? '',
      /^(?:Date, )?X-Total(?:, Date)?$/i,
    );
  });

  test('errors and streams have the fields too', async () => {
    const app = sharing({ [APP]: {} }, (target, config) => {
      config.add(
        target.router.addGet('/error', () => {
          throw new web.HTTPNotFound();
        }),
      );
      config.add(
        target.router.addGet('/stream', async (request) => {
          const response = new web.StreamResponse();
          await response.prepare(request);
          return response;
        }),
      );
    });
    assert.equal(field(await simple(app, APP, '/error'), 'Allow-Origin'), APP);
    assert.equal(field(await simple(app, APP, '/stream'), 'Allow-Origin'), APP);
  });

  test('what was not added is not open', async () => {
    const app = sharing({ '*': {} }, (target) => target.router.addGet('/closed', hello));
    assert.equal(field(await simple(app, APP, '/closed'), 'Allow-Origin'), null);
    assert.equal((await preflight(app, APP, 'GET', {}, '/closed')).status, 405);
  });

  test('Vary is not repeated', async () => {
    const app = sharing({ [APP]: {} }, (target, config) =>
      config.add(target.router.addGet('/v', () => new web.Response({ headers: { Vary: 'Cookie, origin' } }))),
    );
    assert.equal((await simple(app, APP, '/v')).headers.get('Vary'), 'Cookie, origin');
  });
});

describe('preflight', () => {
  test('is answered with what was asked for', async () => {
    const app = sharing({
      [APP]: { allowHeaders: ['X-Token', 'content-type'], allowCredentials: true, maxAge: 600 },
    });
    const response = await preflight(app, APP, 'GET', {
      'Access-Control-Request-Headers': 'Content-Type, x-token',
    });
    assert.equal(response.status, 204);
    assert.equal(field(response, 'Allow-Origin'), APP);
    assert.equal(field(response, 'Allow-Methods'), 'GET');
    assert.equal(field(response, 'Allow-Headers'), 'content-type, x-token');
    assert.equal(field(response, 'Allow-Credentials'), 'true');
    assert.equal(field(response, 'Max-Age'), '600');
    assert.match(response.headers.get('Vary') ?? '', /Origin/);
    assert.equal(await response.text(), '');
  });

  const refusals: [string, cors.OriginOptions, string, string, Record<string, string>][] = [
    ['another origin', { [APP]: {} }, 'https://evil.example', 'GET', {}],
    ['a method without a route', { [APP]: {} }, APP, 'DELETE', {}],
    ['a method that is not allowed', { [APP]: { allowMethods: ['POST'] } }, APP, 'GET', {}],
    ['a field that is not allowed', { [APP]: {} }, APP, 'GET', { 'Access-Control-Request-Headers': 'x-y' }],
    [
      'a malformed field',
      { [APP]: { allowHeaders: '*' } },
      APP,
      'GET',
      { 'Access-Control-Request-Headers': 'a b' },
    ],
  ];
  for (const [name, defaults, origin, method, headers] of refusals) {
    test(`${name} is refused`, async () => {
      const response = await preflight(sharing(defaults), origin, method, headers);
      assert.equal(response.status, 403);
      assert.match(await response.text(), /^CORS preflight request failed: /);
    });
  }

  test('any field with *', async () => {
    const response = await preflight(sharing({ '*': { allowHeaders: '*' } }), APP, 'GET', {
      'Access-Control-Request-Headers': 'authorization,x-y',
    });
    assert.equal(field(response, 'Allow-Headers'), 'authorization, x-y');
    assert.equal(field(response, 'Allow-Origin'), '*');
  });

  test('HEAD goes with GET', async () => {
    assert.equal((await preflight(sharing({ [APP]: {} }), APP, 'HEAD')).status, 204);
  });

  test('OPTIONS that is no preflight is refused', async () => {
    const response = await testRequest(sharing({ [APP]: {} }), '/', { method: 'OPTIONS' });
    assert.equal(response.status, 403);
    assert.match(await response.text(), /Origin is missing/);
  });

  test('private networks', async () => {
    const asked = { 'Access-Control-Request-Private-Network': 'true' };
    const open = await preflight(sharing({ [APP]: { allowPrivateNetwork: true } }), APP, 'GET', asked);
    assert.equal(field(open, 'Allow-Private-Network'), 'true');
    const closed = await preflight(sharing({ [APP]: {} }), APP, 'GET', asked);
    assert.equal(field(closed, 'Allow-Private-Network'), null);
  });

  test('comes before middlewares that ask for a login, whenever they were added', async () => {
    const login: web.Middleware = () => {
      throw new web.HTTPUnauthorized();
    };
    const app = new web.Application({ middlewares: [login] });
    const config = cors.setup(app, { defaults: { [APP]: {} } });
    app.middlewares.append(login);
    config.add(app.router.addGet('/', hello));
    assert.equal((await preflight(app, APP)).status, 204);
    const refused = await simple(app, APP);
    assert.equal(refused.status, 401);
    assert.equal(field(refused, 'Allow-Origin'), APP);
  });
});

describe('resources and routes', () => {
  test('options of a route go before those of its resource and of the defaults', async () => {
    const app = new web.Application();
    const config = cors.setup(app, { defaults: { [APP]: { maxAge: 1 } } });
    const resource = config.add(app.router.addResource('/r'), { 'https://b.example': {} });
    resource.addRoute('GET', hello);
    config.add(resource.addRoute('PUT', hello), { [APP]: { maxAge: 2, allowHeaders: ['x-put'] } });
    assert.equal(field(await preflight(app, APP, 'GET', {}, '/r'), 'Max-Age'), '1');
    assert.equal(field(await preflight(app, APP, 'PUT', {}, '/r'), 'Max-Age'), '2');
    assert.equal((await preflight(app, 'https://b.example', 'PUT', {}, '/r')).status, 204);
  });

  test('only the route that was added is open', async () => {
    const app = new web.Application();
    const config = cors.setup(app, { defaults: { [APP]: {} } });
    const resource = app.router.addResource('/r');
    config.add(resource.addRoute('GET', hello));
    resource.addRoute('DELETE', hello);
    assert.equal((await preflight(app, APP, 'GET', {}, '/r')).status, 204);
    assert.equal((await preflight(app, APP, 'DELETE', {}, '/r')).status, 403);
    const deleted = await testRequest(app, '/r', { method: 'DELETE', headers: { Origin: APP } });
    assert.equal(field(deleted, 'Allow-Origin'), null);
  });

  test('a view, and a route for all methods', async () => {
    class Thing extends web.View {
      get(): web.Response {
        return new web.Response({ text: 'thing' });
      }
    }
    const app = new web.Application();
    const config = cors.setup(app, { defaults: { [APP]: {} } });
    config.add(app.router.addView('/thing', Thing));
    assert.equal((await preflight(app, APP, 'GET', {}, '/thing')).status, 204);
    assert.equal(field(await simple(app, APP, '/thing'), 'Allow-Origin'), APP);
    assert.equal((await testRequest(app, '/thing', { method: 'OPTIONS' })).status, 405);
  });

  test('static files', async () => {
    const app = new web.Application();
    const config = cors.setup(app, { defaults: { '*': {} } });
    config.add(app.router.addStatic('/static', new URL('.', import.meta.url)));
    const response = await simple(app, APP, '/static/cors.test.ts');
    assert.equal(response.status, 200);
    assert.equal(field(response, 'Allow-Origin'), '*');
    await response.body?.cancel();
    assert.equal((await preflight(app, APP, 'GET', {}, '/static/cors.test.ts')).status, 204);
  });

  test('a sub-application with its own set-up', async () => {
    const sub = new web.Application();
    cors.setup(sub, { defaults: { [APP]: {} } }).add(sub.router.addGet('/', hello));
    const app = new web.Application();
    app.addSubapp('/sub', sub);
    assert.equal((await preflight(app, APP, 'GET', {}, '/sub/')).status, 204);
    assert.equal(field(await simple(app, APP, '/sub/'), 'Allow-Origin'), APP);
  });
});

describe('what is refused when it is set up', () => {
  const wrong: [string, cors.OriginOptions][] = [
    ['* with credentials', { '*': { allowCredentials: true } }],
    ['null with credentials', { null: { allowCredentials: true } }],
    ['no scheme', { 'app.example': {} }],
    ['a path', { 'https://app.example/': {} }],
    ['capitals', { 'https://App.example': {} }],
    ['the usual port', { 'https://app.example:443': {} }],
    ['a * in a name', { 'https://app*.example': {} }],
    ['a * for the top', { 'https://*': {} }],
    ['a * for the scheme', { '*://app.example': {} }],
    ['maxAge of half a second', { [APP]: { maxAge: 0.5 } }],
    ['a malformed name', { [APP]: { allowHeaders: ['a b'] } }],
    ['no list', { [APP]: { exposeHeaders: 'X-A' as '*' } }],
    ['* in a list', { [APP]: { allowMethods: ['*'] } }],
  ];
  for (const [name, defaults] of wrong) {
    test(name, () => {
      assert.throws(() => cors.setup(new web.Application(), { defaults }), { code: 'AIO_CORS_OPTIONS' });
    });
  }

  test('twice, foreign things, and a route for OPTIONS that is there', () => {
    const app = new web.Application();
    const config = cors.setup(app);
    assert.throws(() => cors.setup(app), { code: 'AIO_CORS_SETUP' });
    assert.throws(() => config.add({} as web.Route), { code: 'AIO_CORS_SETUP' });
    app.router.addOptions('/', hello);
    const route = app.router.addGet('/', hello);
    assert.throws(() => config.add(route), { code: 'AIO_CORS_SETUP' });
  });

  test('types', () => {
    const app = new web.Application();
    const config = cors.setup(app);
    const resource = config.add(app.router.addResource('/'));
    expectTypeOf(resource).toEqualTypeOf<web.Resource>();
    expectTypeOf(config.add(resource.addRoute('GET', hello))).toEqualTypeOf<web.Route>();
    expectTypeOf<cors.ResourceOptions['exposeHeaders']>().toEqualTypeOf<
      '*' | readonly string[] | undefined
    >();
  });
});

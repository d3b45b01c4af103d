import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as jinja2 from '../../src/jinja2/index.ts';
import {
  CsrfError,
  type CsrfOptions,
  csrfExempt,
  csrfMiddleware,
  csrfToken,
  isCsrfToken,
  securityProcessor,
} from '../../src/security/index.ts';
import * as session from '../../src/session/index.ts';
import { testRequest } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';

class Things extends web.View {
  async get(): Promise<web.Response> {
    return new web.Response({ text: 'things' });
  }

  async post(): Promise<web.Response> {
    return new web.Response({ text: `done ${await this.request.text()}` });
  }
}

class Hooks extends Things {}

function application(options?: CsrfOptions, sessions: boolean = true): web.Application {
  const app = new web.Application();
  if (sessions) session.setup(app, new session.MemoryStorage());
  app.middlewares.append(csrfMiddleware(options));
  app.addRoutes([
    web.get('/', () => new web.Response({ text: 'home' })),
    web.get('/token', async (request) => new web.Response({ text: await csrfToken(request) })),
    web.post('/', async (request) => new web.Response({ text: `done ${(await request.text()).length}` })),
    web.post(
      '/form',
      async (request) => new web.Response({ text: String((await request.post()).get('name')) }),
    ),
    web.put('/', () => new web.Response({ text: 'done' })),
    web.view('/things', Things),
    web.view('/hooks', csrfExempt(Hooks)),
    web.post(
      '/hook',
      csrfExempt(async (request) => new web.Response({ text: await request.text() })),
    ),
    web.post(
      '/check',
      csrfExempt(async (request) => web.jsonResponse(await isCsrfToken(request, request.query.get('token')))),
    ),
  ]);
  return app;
}

type Headers = Record<string, string>;

const cookie = { Cookie: 'any=thing' };

describe('where a request comes from', () => {
  const table: readonly [string, number, Headers, string?][] = [
    ['a page of ours', 200, { 'Sec-Fetch-Site': 'same-origin', ...cookie }],
    ['the address bar', 200, { 'Sec-Fetch-Site': 'none', ...cookie }],
    ['another host of the domain', 403, { 'Sec-Fetch-Site': 'same-site', ...cookie }],
    ['another site', 403, { 'Sec-Fetch-Site': 'cross-site', ...cookie }],
    ['another site, without cookies: a login is forged as well', 403, { 'Sec-Fetch-Site': 'cross-site' }],
    ['nonsense', 403, { 'Sec-Fetch-Site': 'SAME-ORIGIN' }],
    [
      'another site that a proxy gave our Origin',
      403,
      { 'Sec-Fetch-Site': 'cross-site', Origin: 'http://localhost' },
    ],
    ['Origin alone: ours', 200, { Origin: 'http://localhost', ...cookie }],
    ['Origin alone: ours, behind a proxy that ends TLS', 200, { Origin: 'https://localhost', ...cookie }],
    ['Origin alone: another port', 403, { Origin: 'http://localhost:8080', ...cookie }],
    ['Origin alone: another host', 403, { Origin: 'http://localhost.evil.example', ...cookie }],
    ['Origin alone: user info', 403, { Origin: 'http://localhost@evil.example', ...cookie }],
    ['Origin alone: null', 403, { Origin: 'null', ...cookie }],
    ['Origin alone: empty', 403, { Origin: '', ...cookie }],
    ['Origin alone: another scheme', 403, { Origin: 'app://localhost', ...cookie }],
    ['plain http asks https', 403, { Origin: 'http://shop.example', ...cookie }, 'https://shop.example/'],
    ['https asks https', 200, { Origin: 'https://shop.example', ...cookie }, 'https://shop.example/'],
    ['with a port', 200, { Origin: 'http://shop.example:8080', ...cookie }, 'http://shop.example:8080/'],
    ['an address', 200, { Origin: 'http://[::1]:8080', ...cookie }, 'http://[::1]:8080/'],
    ['a trusted origin', 200, { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://app.example', ...cookie }],
    ['no browser, no credentials', 200, {}],
    ['no browser, a bearer’s token', 200, { Authorization: 'Bearer abc' }],
    [
      'another site with a bearer’s token, which it must have',
      200,
      { Origin: 'https://evil.example', Authorization: 'Bearer abc' },
    ],
    [
      'another site with a bearer’s token and cookies',
      403,
      { Origin: 'https://evil.example', Authorization: 'Bearer abc', ...cookie },
    ],
    ['says nothing, and has cookies', 403, cookie],
    ['says nothing, and has a password', 403, { Authorization: 'Basic eDp5' }],
    ['says nothing, has a token of a bearer and cookies', 403, { Authorization: 'Bearer abc', ...cookie }],
  ];
  for (const [what, status, headers, url = '/'] of table) {
    test(`${status}: ${what}`, async () => {
      await using app = application({ trustedOrigins: ['https://app.example'] });
      const response = await testRequest(app, url, { method: 'POST', headers });
      assert.equal(response.status, status);
      if (status === 403) assert.match(await response.text(), /^This request could be forged: it /);
    });
  }

  test('looking is allowed from everywhere, connecting is not', async () => {
    await using app = application();
    const headers = { 'Sec-Fetch-Site': 'cross-site', ...cookie };
    for (const method of ['GET', 'HEAD']) {
      assert.equal((await testRequest(app, '/', { method, headers })).status, 200);
    }
    for (const method of ['PUT', 'POST', 'PATCH', 'DELETE', 'PROPFIND']) {
      assert.equal((await testRequest(app, '/', { method, headers })).status, 403, method);
    }
    const upgrade = { Upgrade: 'websocket', ...cookie };
    assert.equal(
      (await testRequest(app, '/', { headers: { ...upgrade, Origin: 'https://evil.example' } })).status,
      403,
    );
    assert.equal(
      (await testRequest(app, '/', { headers: { ...upgrade, Origin: 'http://localhost' } })).status,
      200,
    );
    assert.equal(
      (await testRequest(app, '/', { headers: upgrade })).status,
      200,
      'browsers always tell the origin',
    );
  });

  test('what is exempt', async () => {
    await using app = application({ exempt: (request) => request.path === '/form' });
    const init = { method: 'POST', headers: { 'Sec-Fetch-Site': 'cross-site', ...cookie }, body: 'x' };
    assert.equal((await testRequest(app, '/things', init)).status, 403);
    assert.equal(await (await testRequest(app, '/hooks', init)).text(), 'done x');
    assert.equal(await (await testRequest(app, '/hook', init)).text(), 'x');
    assert.equal((await testRequest(app, '/form', init)).status, 200);
    assert.throws(() => csrfExempt(7 as never), { name: 'TypeError', code: 'AIO_CSRF_OPTION' });
  });

  test('options that are none', () => {
    for (const origin of ['example.com', 'https://example.com/', 'https://example.com/x', 'null', '*', '']) {
      assert.throws(
        () => csrfMiddleware({ trustedOrigins: [origin] }),
        { name: 'RangeError', code: 'AIO_CSRF_OPTION' },
        origin,
      );
    }
    assert.throws(() => csrfMiddleware({ token: 'sometimes' as never }), { code: 'AIO_CSRF_OPTION' });
  });

  test('an application without sessions', async () => {
    await using app = application({ token: 'never' }, false);
    assert.equal(
      (await testRequest(app, '/', { method: 'POST', headers: { Origin: 'http://localhost', ...cookie } }))
        .status,
      200,
    );
    assert.equal((await testRequest(app, '/', { method: 'POST', headers: cookie })).status, 403);
  });

  test('a middleware outside sees which it was', async () => {
    const seen: unknown[] = [];
    await using app = new web.Application({
      middlewares: [
        async (request, handler) => {
          try {
            return await handler(request);
          } catch (error) {
            if (error instanceof CsrfError) seen.push(error.code, error.status);
            throw error;
          }
        },
        csrfMiddleware(),
      ],
    });
    await testRequest(app, '/', { method: 'POST', headers: { Origin: 'null' } });
    assert.deepEqual(seen, ['AIO_CSRF_ORIGIN', 403]);
  });
});

describe('the token', () => {
  async function visitor(app: web.Application): Promise<{ token: string; headers: Headers }> {
    const response = await testRequest(app, '/token');
    const [line] = response.headers.getSetCookie();
    return { token: await response.text(), headers: { Cookie: line?.split(';')[0] ?? '' } };
  }

  test('is another text each time, and good as long as the session', async () => {
    await using app = application();
    const { token, headers } = await visitor(app);
    const second = await (await testRequest(app, '/token', { headers })).text();
    assert.match(token, /^[\w-]{86}$/);
    assert.notEqual(token, second);
    const goodOf = async (text: string, sent: Headers): Promise<unknown> =>
      (await testRequest(app, `/check?token=${text}`, { method: 'POST', headers: sent })).json();
    assert.equal(await goodOf(token, headers), true);
    assert.equal(await goodOf(second, headers), true);
    assert.equal(await goodOf(token, {}), false);
    assert.equal(await goodOf((await visitor(app)).token, headers), false, 'of another session');
    for (const wrong of [
      '',
      'x',
      'A'.repeat(86),
      `${token}A`,
      token.slice(0, 85),
      token.toLowerCase(),
      'x'.repeat(10_000),
    ]) {
      assert.equal(await goodOf(wrong, headers), false, wrong);
    }
  });

  for (const mode of ['fallback', 'always'] as const) {
    test(`in a form, in a file form and in a header: ${mode}`, async () => {
      await using app = application({ token: mode });
      const { token, headers } = await visitor(app);
      const sent = mode === 'always' ? { ...headers, Origin: 'http://localhost' } : headers;
      const multipart = new FormData();
      multipart.set('csrf_token', token);
      multipart.set('name', 'ada');
      const body = new URLSearchParams({ csrf_token: token, name: 'ada' });
      for (const form of [body, multipart]) {
        const response = await testRequest(app, '/form', { method: 'POST', headers: sent, body: form });
        assert.equal(response.status, 200);
        assert.equal(await response.text(), 'ada', 'the handler reads the form too');
      }
      const json = await testRequest(app, '/', {
        method: 'POST',
        headers: { ...sent, 'X-CSRF-Token': token, 'Content-Type': 'application/json' },
        body: '{}',
      });
      assert.equal(json.status, 200);
      for (const wrong of [
        new URLSearchParams({ name: 'ada' }),
        new URLSearchParams({ csrf_token: 'x' }),
        JSON.stringify({ csrf_token: token }),
      ]) {
        const response = await testRequest(app, '/form', { method: 'POST', headers: sent, body: wrong });
        assert.equal(response.status, 403);
        assert.match(await response.text(), /token/);
      }
      const foreign = await testRequest(app, '/form', {
        method: 'POST',
        headers: { ...headers, Origin: 'https://evil.example' },
        body,
      });
      assert.equal(foreign.status, 403, 'a token does not help a page of another site');
    });
  }

  test('other names', async () => {
    await using app = application({ token: 'always', fieldName: '_t', headerName: 'X-T' });
    const { token, headers } = await visitor(app);
    const body = new URLSearchParams({ _t: token, name: 'ada' });
    assert.equal((await testRequest(app, '/form', { method: 'POST', headers, body })).status, 200);
    assert.equal(
      (await testRequest(app, '/', { method: 'PUT', headers: { ...headers, 'X-T': token } })).status,
      200,
    );
    assert.equal(
      (await testRequest(app, '/', { method: 'PUT', headers: { ...headers, 'X-CSRF-Token': token } })).status,
      403,
    );
  });

  test('a form that is too large is 413 and not read', async () => {
    await using app = application();
    const { headers } = await visitor(app);
    const body = new URLSearchParams({ name: 'x'.repeat(2_000_000) });
    assert.equal((await testRequest(app, '/form', { method: 'POST', headers, body })).status, 413);
  });

  test('in a template', async () => {
    await using app = application();
    jinja2.setup(app, {
      loader: new jinja2.DictLoader({ form: '{{ csrf_token() }}', plain: 'nothing' }),
      enableAsync: true,
      contextProcessors: [securityProcessor],
    });
    app.addRoutes([
      web.get(
        '/template',
        jinja2.template('form', () => ({})),
      ),
      web.get(
        '/plain',
        jinja2.template('plain', () => ({})),
      ),
    ]);
    const response = await testRequest(app, '/template');
    const headers = { Cookie: response.headers.getSetCookie()[0]?.split(';')[0] ?? '' };
    const check = `/check?token=${await response.text()}`;
    assert.equal(await (await testRequest(app, check, { method: 'POST', headers })).json(), true);
    assert.deepEqual((await testRequest(app, '/plain')).headers.getSetCookie(), []);
  });

  test('a page that was only looked at begins no session', async () => {
    await using app = application();
    assert.deepEqual((await testRequest(app, '/')).headers.getSetCookie(), []);
  });
});

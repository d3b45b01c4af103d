import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as jinja2 from '../../src/jinja2/index.ts';
import {
  cspNonce,
  type SecurityHeadersOptions,
  securityHeaders,
  securityProcessor,
} from '../../src/security/index.ts';
import { testRequest } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';

function application(options?: SecurityHeadersOptions, middlewares: web.Middleware[] = []): web.Application {
  const app = new web.Application({ middlewares, logger: { ...console, error: () => undefined } });
  app.onResponsePrepare.append(securityHeaders(options));
  app.addRoutes([
    web.get('/', () => new web.Response({ text: 'plain' })),
    web.get('/nonce', (request) => new web.Response({ text: cspNonce(request) })),
    web.get('/own', (request) => {
      cspNonce(request);
      return new web.Response({
        headers: {
          'Content-Security-Policy': "default-src 'none'",
          'Referrer-Policy': 'origin',
          'X-Frame-Options': 'SAMEORIGIN',
        },
      });
    }),
    web.get('/stored', () => new web.Response({ status: 304 })),
    web.get('/broken', () => {
      throw new Error('on purpose');
    }),
    web.get('/found', () => {
      throw new web.HTTPFound('/');
    }),
    web.get('/stream', async (request) => {
      const response = new web.StreamResponse();
      await response.prepare(request);
      await response.writeEof(Buffer.from('x'));
      return response;
    }),
  ]);
  return app;
}

async function headersOf(path: string, options?: SecurityHeadersOptions): Promise<Record<string, string>> {
  await using app = application(options);
  const response = await testRequest(app, path);
  return Object.fromEntries([...response.headers].map(([name, value]) => [name.toLowerCase(), value]));
}

const defaultPolicy =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

describe('securityHeaders', () => {
  for (const path of ['/', '/broken', '/found', '/stream', '/nowhere']) {
    test(`${path} has them`, async () => {
      const headers = await headersOf(path);
      assert.equal(headers['content-security-policy'], defaultPolicy);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['x-frame-options'], 'DENY');
      assert.equal(headers['referrer-policy'], 'same-origin');
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
      assert.equal(
        headers['permissions-policy'],
        'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
      );
      assert.equal(headers['cross-origin-embedder-policy'], undefined);
      assert.equal(headers['strict-transport-security'], undefined, 'only over TLS');
    });
  }

  test('what a handler set itself stays', async () => {
    const headers = await headersOf('/own');
    assert.equal(headers['content-security-policy'], "default-src 'none'");
    assert.equal(headers['referrer-policy'], 'origin');
    assert.equal(headers['x-frame-options'], 'SAMEORIGIN');
    assert.equal(headers['x-content-type-options'], 'nosniff');
  });

  test('an answer 304 leaves the stored policy, with the nonce of the stored page, alone', async () => {
    assert.equal((await headersOf('/stored'))['content-security-policy'], undefined);
  });

  test('Strict-Transport-Security over TLS, or where the application knows better', async () => {
    await using app = application();
    const overTls = await app.fetch(new Request('https://example.com/'));
    assert.equal(overTls.headers.get('Strict-Transport-Security'), 'max-age=31536000');
    const strictTransportSecurity = { maxAge: 2 * 365 * 86_400_000, includeSubDomains: true, preload: true };
    const behindProxy = await headersOf('/', { strictTransportSecurity, isSecure: () => true });
    assert.equal(behindProxy['strict-transport-security'], 'max-age=63072000; includeSubDomains; preload');
    assert.equal(
      (await headersOf('/', { strictTransportSecurity: false, isSecure: () => true }))[
        'strict-transport-security'
      ],
      undefined,
    );
  });

  test('everything can be turned off', async () => {
    const headers = await headersOf('/', {
      contentSecurityPolicy: false,
      contentTypeOptions: false,
      frameAncestors: false,
      referrerPolicy: false,
      openerPolicy: false,
      resourcePolicy: false,
      permissionsPolicy: false,
    });
    assert.deepEqual(
      Object.keys(headers).filter((name) =>
        /^(?:content-security|x-|referrer|cross-|permissions|strict)/.test(name),
      ),
      [],
    );
  });

  test('other values', async () => {
    const headers = await headersOf('/', {
      contentSecurityPolicy: {
        'img-src': ['https://img.example', "'self'"],
        'object-src': false,
        'upgrade-insecure-requests': true,
      },
      reportOnly: true,
      frameAncestors: ['https://a.example', 'https://b.example'],
      embedderPolicy: 'require-corp',
      permissionsPolicy: { camera: ['self', 'https://a.example'], fullscreen: ['*'], usb: [] },
    });
    assert.equal(headers['content-security-policy'], undefined);
    assert.equal(
      headers['content-security-policy-report-only'],
      "default-src 'self'; script-src 'self'; style-src 'self'; img-src https://img.example 'self'; base-uri 'none'; form-action 'self'; frame-ancestors https://a.example https://b.example; upgrade-insecure-requests",
    );
    assert.equal(headers['x-frame-options'], undefined, 'it cannot say a list');
    assert.equal(headers['cross-origin-embedder-policy'], 'require-corp');
    assert.equal(headers['permissions-policy'], 'camera=(self "https://a.example"), fullscreen=*, usb=()');
    const self = await headersOf('/', { frameAncestors: 'self' });
    assert.match(self['content-security-policy'] ?? '', /frame-ancestors 'self'$/);
    assert.equal(self['x-frame-options'], 'SAMEORIGIN');
  });

  const wrong: readonly [string, SecurityHeadersOptions][] = [
    ['AIO_CSP', { contentSecurityPolicy: { 'script-src': ['self'] } }],
    ['AIO_CSP', { contentSecurityPolicy: { 'script-src': ['nonce-abc'] } }],
    ['AIO_CSP', { contentSecurityPolicy: { 'script-src': ["'self'; object-src *"] } }],
    ['AIO_CSP', { contentSecurityPolicy: { 'script-src': ['a b'] } }],
    ['AIO_CSP', { contentSecurityPolicy: { 'script-src': ['a\r\nb'] } }],
    ['AIO_CSP', { contentSecurityPolicy: { 'script-src': ["'none'", "'self'"] } }],
    ['AIO_CSP', { contentSecurityPolicy: { 'script-src': "'self'" as never } }],
    ['AIO_CSP', { contentSecurityPolicy: { 'x y': ["'self'"] } as never }],
    ['AIO_SECURITY_HEADER', { referrerPolicy: 'a\nb' }],
    ['AIO_SECURITY_HEADER', { referrerPolicy: '' }],
    ['AIO_SECURITY_HEADER', { strictTransportSecurity: { maxAge: Number.NaN } }],
    ['AIO_SECURITY_HEADER', { permissionsPolicy: { 'a=b': [] } }],
    ['AIO_SECURITY_HEADER', { permissionsPolicy: { camera: ['"x'] } }],
  ];
  for (const [code, options] of wrong) {
    test(`${code}: ${JSON.stringify(options)}`, () => {
      assert.throws(() => securityHeaders(options), { code });
    });
  }
});

describe('cspNonce', () => {
  test('is in the policy, where it is asked for, and another for every request', async () => {
    await using app = application();
    const seen = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const response = await testRequest(app, '/nonce');
      const nonce = await response.text();
      assert.match(nonce, /^[\w-]{22}$/);
      const policy = response.headers.get('Content-Security-Policy') ?? '';
      assert.ok(
        policy.includes(`script-src 'self' 'nonce-${nonce}'; style-src 'self' 'nonce-${nonce}';`),
        policy,
      );
      seen.add(nonce);
    }
    assert.equal(seen.size, 3);
  });

  test('is the same behind a middleware that hands on a clone', async () => {
    await using app = application(undefined, [
      (request, handler) => handler(request.clone({ scheme: 'https' })),
    ]);
    const response = await testRequest(app, '/nonce');
    assert.ok(response.headers.get('Content-Security-Policy')?.includes(`'nonce-${await response.text()}'`));
  });

  test('in templates, by a context processor', async () => {
    await using app = new web.Application();
    app.onResponsePrepare.append(securityHeaders());
    jinja2.setup(app, {
      loader: new jinja2.DictLoader({
        'page.html': '<script nonce="{{ csp_nonce() }}"></script>{{ csp_nonce() }}',
      }),
      contextProcessors: [securityProcessor],
    });
    app.addRoutes([
      web.get(
        '/',
        jinja2.template('page.html', () => ({})),
      ),
    ]);
    const response = await testRequest(app, '/');
    const [, nonce, again] = /nonce="([^"]+)"><\/script>(.+)/.exec(await response.text()) ?? [];
    assert.equal(nonce, again);
    assert.ok(response.headers.get('Content-Security-Policy')?.includes(`'nonce-${nonce}'`));
  });
});

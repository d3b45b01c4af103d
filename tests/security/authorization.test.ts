import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import {
  AbstractAuthorizationPolicy,
  type AbstractIdentityPolicy,
  authorizedUserId,
  CookiesIdentityPolicy,
  checkAuthorized,
  checkPermission,
  forget,
  isAnonymous,
  JWTIdentityPolicy,
  loginRequired,
  permissionRequired,
  permits,
  remember,
  setup,
} from '../../src/security/index.ts';
import { testRequest } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';

const secret = 'a secret of at least 32 bytes: 0123456789';

/** Users 1 and 2; 1 may do everything, everybody may read, 2 may write what is theirs. */
class Users extends AbstractAuthorizationPolicy<number> {
  async authorizedUserId(identity: string): Promise<number | undefined> {
    return identity === '1' || identity === '2' ? Number(identity) : undefined;
  }

  permits(identity: string | undefined, permission: string, context?: unknown): boolean {
    return permission === 'read' || identity === '1' || (permission === 'write' && context === identity);
  }
}

function application(identityPolicy: AbstractIdentityPolicy): web.Application {
  const app = new web.Application();
  setup(app, identityPolicy, new Users());
  app.addRoutes([
    web.post('/login/{id}', async (request) => {
      const answer = new web.HTTPSeeOther('/');
      await remember(request, answer, request.matchInfo.id);
      throw answer;
    }),
    web.post('/logout', async (request) => {
      const answer = new web.Response();
      await forget(request, answer);
      return answer;
    }),
    web.get('/', async (request) =>
      web.jsonResponse({
        userId: await authorizedUserId<number>(request),
        anonymous: await isAnonymous(request),
        read: await permits(request, 'read'),
        write: await permits(request, 'write', '2'),
      }),
    ),
    web.get('/me', async (request) => web.jsonResponse(await checkAuthorized<number>(request))),
    web.get('/write', async (request) =>
      web.jsonResponse(await checkPermission<number>(request, 'write', '2')),
    ),
    web.get(
      '/notes/{id}',
      loginRequired((request, userId) => new web.Response({ text: `${userId} ${request.matchInfo.id}` })),
    ),
    web.get(
      '/admin',
      permissionRequired('admin\n', async (_request, userId) => new web.Response({ text: String(userId) })),
    ),
  ]);
  return app;
}

/** Name and value of the cookie that an answer sets. */
function cookieOf(response: { headers: { get(name: string): string | null } }): string {
  return (response.headers.get('Set-Cookie') ?? '').split(';')[0] ?? '';
}

describe('who may do what', () => {
  const jwt = new JWTIdentityPolicy(secret);
  const as = (id: string): { headers: Record<string, string> } => ({
    headers: { Authorization: `Bearer ${jwt.issue(id)}` },
  });

  test('nobody', async () => {
    await using app = application(jwt);
    assert.deepEqual(await (await testRequest(app, '/')).json(), {
      anonymous: true,
      read: true,
      write: false,
    });
    for (const path of ['/me', '/write', '/notes/7', '/admin']) {
      const response = await testRequest(app, path);
      assert.equal(response.status, 401, path);
      assert.equal(response.headers.get('WWW-Authenticate'), 'Bearer');
    }
  });

  test('a user', async () => {
    await using app = application(jwt);
    assert.deepEqual(await (await testRequest(app, '/', as('2'))).json(), {
      userId: 2,
      anonymous: false,
      read: true,
      write: true,
    });
    assert.equal(await (await testRequest(app, '/me', as('2'))).json(), 2);
    assert.equal(await (await testRequest(app, '/write', as('2'))).json(), 2);
    assert.equal(await (await testRequest(app, '/notes/7', as('2'))).text(), '2 7');
    const refused = await testRequest(app, '/admin', as('2'));
    assert.equal(refused.status, 403);
    assert.equal(refused.statusText, "User does not have 'admin?' permission");
    assert.equal((await testRequest(app, '/admin', as('1'))).status, 200);
  });

  test('an identity that the application does not know any more', async () => {
    await using app = application(jwt);
    assert.equal((await testRequest(app, '/me', as('3'))).status, 401);
    assert.deepEqual(await (await testRequest(app, '/', as('3'))).json(), {
      anonymous: false,
      read: true,
      write: false,
    });
  });

  test('a sub-application has the policies of the one around it', async () => {
    await using app = application(jwt);
    const inner = new web.Application();
    inner.addRoutes([
      web.get(
        '/me',
        loginRequired((_request, userId) => new web.Response({ text: String(userId) })),
      ),
    ]);
    app.addSubapp('/inner', inner);
    assert.equal(await (await testRequest(app, '/inner/me', as('1'))).text(), '1');
  });

  test('without setup nothing is permitted: it is an error', async () => {
    const errors: string[] = [];
    await using app = new web.Application({
      logger: { ...console, error: (text: unknown) => errors.push(String(text)) },
    });
    app.addRoutes([web.get('/', async (request) => web.jsonResponse(await permits(request, 'read')))]);
    assert.equal((await testRequest(app, '/')).status, 500);
    assert.match(errors.join(), /AIO_SECURITY_SETUP/);
  });

  test('what is no policy and what is no identity is refused', async () => {
    const app = new web.Application();
    assert.throws(() => setup(app, {} as never, new Users()), {
      name: 'TypeError',
      code: 'AIO_SECURITY_POLICY',
    });
    assert.throws(() => setup(app, jwt, null as never), { name: 'TypeError', code: 'AIO_SECURITY_POLICY' });
    const seen: unknown[] = [];
    await using other = new web.Application();
    setup(other, new CookiesIdentityPolicy(secret), new Users());
    other.addRoutes([
      web.get('/', async (request) => {
        for (const identity of ['', 7, undefined]) {
          await remember(request, new web.Response(), identity as never).catch((error) =>
            seen.push(error.code),
          );
        }
        return new web.Response();
      }),
    ]);
    await testRequest(other, '/');
    assert.deepEqual(seen, Array(3).fill('AIO_SECURITY_IDENTITY'));
  });

  test('only true permits', async () => {
    await using app = new web.Application();
    setup(app, jwt, { authorizedUserId: (id: string) => id, permits: () => 'no' as never });
    app.addRoutes([web.get('/', async (request) => web.jsonResponse(await permits(request, 'x')))]);
    assert.equal(await (await testRequest(app, '/', as('1'))).json(), false);
  });

  test('types: the user’s id is what the caller names, and the parameters of the route stay', () => {
    web.get(
      '/{year}/{slug}',
      loginRequired((request, userId) => {
        expectTypeOf(request.matchInfo).toExtend<{ readonly year: string; readonly slug: string }>();
        expectTypeOf(userId).toEqualTypeOf<string>();
        return new web.Response();
      }),
    );
  });
});

describe('CookiesIdentityPolicy', () => {
  test('an answer with a cookie is never public, whatever its handler said of caches', async () => {
    for (const [said, sent] of [
      ['public, max-age=60', 'no-store'],
      ['private, max-age=60', 'private, max-age=60'],
    ] as const) {
      const policy = new CookiesIdentityPolicy(secret);
      const app = new web.Application();
      app.router.addGet('/', async (request) => {
        const answer = new web.Response({ headers: { 'Cache-Control': said } });
        await policy.remember(request, answer, 'ada', {});
        return answer;
      });
      assert.equal((await testRequest(app, '/')).headers.get('Cache-Control'), sent);
    }
  });

  test('login, who am I, logout', async () => {
    await using app = application(new CookiesIdentityPolicy(secret));
    const login = await testRequest(app, '/login/2', { method: 'POST' });
    assert.equal(login.status, 303);
    assert.match(
      login.headers.get('Set-Cookie') ?? '',
      /^AIOHTTP_SECURITY=Mg\.\d+\.[\w-]{43}; HttpOnly; Max-Age=2592000; Path=\/; SameSite=Lax$/,
    );
    assert.equal(login.headers.get('Cache-Control'), 'no-store');
    const headers = { Cookie: cookieOf(login) };
    assert.equal(await (await testRequest(app, '/me', { headers })).json(), 2);
    const logout = await testRequest(app, '/logout', { method: 'POST', headers });
    assert.match(logout.headers.get('Set-Cookie') ?? '', /^AIOHTTP_SECURITY=(?:"")?; .*Max-Age=0/);
  });

  test('over TLS the cookie cannot be set by anybody else', async () => {
    await using app = application(new CookiesIdentityPolicy(secret));
    const login = await app.fetch(new Request('https://example.com/login/1', { method: 'POST' }));
    assert.match(login.headers.get('Set-Cookie') ?? '', /^__Host-AIOHTTP_SECURITY=.*; Secure$/);
    const me = (cookie: string): Promise<Response> =>
      app.fetch(new Request('https://example.com/me', { headers: { Cookie: cookie } }));
    assert.equal((await me(cookieOf(login))).status, 200);
    assert.equal((await me(cookieOf(login).replace('__Host-', ''))).status, 401);
  });

  test('a forged, changed, old or foreign cookie is nobody’s', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 });
    await using app = application(new CookiesIdentityPolicy(secret, { maxAge: 60_000 }));
    const cookie = cookieOf(await testRequest(app, '/login/2', { method: 'POST' }));
    const [identity, ends, signature] = cookie.slice(cookie.indexOf('=') + 1).split('.');
    const statusOf = async (value: string): Promise<number> =>
      (await testRequest(app, '/me', { headers: { Cookie: `AIOHTTP_SECURITY=${value}` } })).status;
    assert.equal(await statusOf(`${identity}.${ends}.${signature}`), 200);
    const other = cookieOf(
      await testRequest(application(new CookiesIdentityPolicy(`${secret}!`)), '/login/2', { method: 'POST' }),
    );
    for (const value of [
      '2',
      `MQ.${ends}.${signature}`,
      `${identity}.${Number(ends) + 1}.${signature}`,
      `${identity}.${ends}.${signature?.slice(1)}`,
      `${identity}.${ends}.`,
      `${identity}.${ends}.${signature}.`,
      `${identity}.${ends}`,
      `${identity}.1e99.${signature}`,
      '..',
      'x'.repeat(3000),
      other.slice(other.indexOf('=') + 1),
    ]) {
      assert.equal(await statusOf(value), 401, value.slice(0, 80));
    }
    t.mock.timers.tick(60_001);
    assert.equal(await statusOf(`${identity}.${ends}.${signature}`), 401);
  });

  test('a new secret signs, an old one is still accepted', async () => {
    const old = application(new CookiesIdentityPolicy(secret));
    const headers = { Cookie: cookieOf(await testRequest(old, '/login/1', { method: 'POST' })) };
    await using rotated = application(new CookiesIdentityPolicy([`new ${secret}`, secret]));
    assert.equal((await testRequest(rotated, '/me', { headers })).status, 200);
    await using replaced = application(new CookiesIdentityPolicy(`new ${secret}`));
    assert.equal((await testRequest(replaced, '/me', { headers })).status, 401);
    await old.cleanup();
  });

  test('a secret that can be guessed is refused', () => {
    assert.throws(() => new CookiesIdentityPolicy('short'), {
      name: 'RangeError',
      code: 'AIO_SECURITY_SECRET',
    });
    assert.throws(() => new CookiesIdentityPolicy(undefined as never), {
      name: 'TypeError',
      code: 'AIO_SECURITY_SECRET',
    });
    assert.throws(() => new CookiesIdentityPolicy(secret, { maxAge: 0 }), { code: 'AIO_SECURITY_POLICY' });
  });
});

describe('JWTIdentityPolicy', () => {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const sign = (text: string, key: string = secret, digest: string = 'sha256'): string =>
    `${text}.${createHmac(digest, key).update(text).digest('base64url')}`;
  const now = Math.floor(Date.now() / 1000);
  const HS256 = { alg: 'HS256', typ: 'JWT' };

  async function statusOf(authorization: string, policy = new JWTIdentityPolicy(secret)): Promise<number> {
    await using app = application(policy);
    return (await testRequest(app, '/me', { headers: { Authorization: authorization } })).status;
  }

  test('a token of PyJWT: jwt.encode({"login": "2"}, secret, "HS256")', async () => {
    assert.equal(await statusOf(`Bearer ${sign(`${part(HS256)}.${part({ login: '2' })}`)}`), 200);
    assert.equal(await statusOf(`bearer ${sign(`${part(HS256)}.${part({ login: '2' })}`)}`), 200);
  });

  const wrong: readonly [string, string][] = [
    ['no token', 'Bearer'],
    ['another scheme', `Basic ${sign(`${part(HS256)}.${part({ login: '2' })}`)}`],
    ['alg none', `Bearer ${part({ alg: 'none' })}.${part({ login: '2' })}.`],
    ['signed by another key', `Bearer ${sign(`${part(HS256)}.${part({ login: '2' })}`, `${secret}!`)}`],
    [
      'another algorithm than the policy’s',
      `Bearer ${sign(`${part({ alg: 'HS512' })}.${part({ login: '2' })}`, secret, 'sha512')}`,
    ],
    [
      'an algorithm that the token only names',
      `Bearer ${sign(`${part({ alg: 'HS512' })}.${part({ login: '2' })}`)}`,
    ],
    ['something critical', `Bearer ${sign(`${part({ ...HS256, crit: ['x'] })}.${part({ login: '2' })}`)}`],
    ['expired', `Bearer ${sign(`${part(HS256)}.${part({ login: '2', exp: now - 10 })}`)}`],
    ['an end that is no number', `Bearer ${sign(`${part(HS256)}.${part({ login: '2', exp: 'never' })}`)}`],
    ['not yet', `Bearer ${sign(`${part(HS256)}.${part({ login: '2', nbf: now + 100 })}`)}`],
    ['no identity', `Bearer ${sign(`${part(HS256)}.${part({ sub: '2' })}`)}`],
    ['an identity that is no string', `Bearer ${sign(`${part(HS256)}.${part({ login: 2 })}`)}`],
    ['an inherited identity', `Bearer ${sign(`${part(HS256)}.${part([])}`)}`],
    ['no JSON', `Bearer ${sign('x.y')}`],
    ['four parts', `Bearer ${sign(`${part(HS256)}.${part({ login: '2' })}`)}.x`],
    ['too long', `Bearer ${'x'.repeat(7000)}.x.x`],
  ];
  for (const [what, authorization] of wrong) {
    test(`nobody’s: ${what}`, async () => assert.equal(await statusOf(authorization), 401));
  }

  test('issue, with issuer, audience and leeway', async () => {
    const policy = new JWTIdentityPolicy(secret.repeat(2), {
      algorithm: 'HS512',
      key: 'sub',
      issuer: 'us',
      audience: 'api',
    });
    const token = policy.issue('2', { claims: { role: 'x', sub: 'overwritten' } });
    assert.equal(await statusOf(`Bearer ${token}`, policy), 200);
    const others = [
      { issuer: 'them', audience: 'api' },
      { issuer: 'us', audience: 'web' },
    ];
    for (const options of others) {
      const other = new JWTIdentityPolicy(secret.repeat(2), { algorithm: 'HS512', key: 'sub', ...options });
      assert.equal(await statusOf(`Bearer ${token}`, other), 401);
    }
    const late = `Bearer ${sign(`${part(HS256)}.${part({ login: '2', exp: now - 10 })}`)}`;
    assert.equal(await statusOf(late, new JWTIdentityPolicy(secret, { leeway: 600_000 })), 200);
  });

  test('a token lives for as long as was asked, at least: its end is a whole second', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_900 });
    const token = `Bearer ${new JWTIdentityPolicy(secret).issue('2', { maxAge: 1_000 })}`;
    t.mock.timers.tick(999);
    assert.equal(await statusOf(token), 200);
    t.mock.timers.tick(1_000);
    assert.equal(await statusOf(token), 401);
  });

  test('what it cannot do is an error', async () => {
    assert.throws(() => new JWTIdentityPolicy(secret, { algorithm: 'none' as never }), {
      code: 'AIO_SECURITY_POLICY',
    });
    assert.throws(() => new JWTIdentityPolicy(secret, { algorithm: 'HS512' }), {
      code: 'AIO_SECURITY_SECRET',
    });
    assert.throws(() => new JWTIdentityPolicy(secret).issue('2', { maxAge: -1 }), {
      code: 'AIO_SECURITY_POLICY',
    });
    assert.throws(() => new JWTIdentityPolicy(secret).remember(), { code: 'AIO_SECURITY_POLICY' });
  });
});

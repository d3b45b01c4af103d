import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import { sleep } from '../../src/asyncio/index.ts';
import * as session from '../../src/session/index.ts';
import { TestServer } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';
import { Visitor } from './visitor.ts';

const quiet: web.Logger = { info() {}, warn() {}, error() {} };

interface Fixture {
  readonly app: web.Application;
  readonly storage: session.MemoryStorage;
  readonly visitor: Visitor;
}

type Handlers = Record<string, (request: web.Request) => web.Awaitable<web.HandlerResult>>;

const ok = (): web.Response => new web.Response({ text: 'ok' });

function site(handlers: Handlers, options?: session.SessionOptions, logger: web.Logger = quiet): Fixture {
  const app = new web.Application({ logger });
  const storage = new session.MemoryStorage();
  session.setup(app, storage, options);
  for (const [path, handler] of Object.entries(handlers)) app.router.addGet(path, handler);
  return { app, storage, visitor: new Visitor(app) };
}

const common: Handlers = {
  '/put': async (request) => {
    const data = await session.getSession(request);
    for (const [key, value] of request.query) data.set(key, value);
    return ok();
  },
  '/show': async (request) => web.jsonResponse((await session.getSession(request)).toJSON()),
  '/look': async (request) => {
    (await session.getSession(request)).get('anything');
    return ok();
  },
  '/untouched': ok,
};

describe('a visitor', () => {
  test('who is only looked at leaves nothing and gets no cookie', async () => {
    const { visitor, storage } = site(common);
    const { setCookies, headers } = await visitor.get('/look');
    assert.deepEqual(setCookies, []);
    assert.equal(storage.size, 0);
    assert.equal(headers.get('vary'), 'Cookie');
    assert.equal(headers.get('cache-control'), null);
    assert.equal((await visitor.get('/untouched')).headers.get('vary'), null);
  });

  test('is known again by a cookie of 256 bits that scripts and other sites do not get', async () => {
    const { visitor, storage } = site(common);
    const { setCookies, headers } = await visitor.get('/put?name=ann');
    assert.equal(setCookies.length, 1);
    assert.match(setCookies[0]!, /^AIOHTTP_SESSION=[\w-]{43}; .*/);
    assert.deepEqual(setCookies[0]!.split('; ').slice(1).sort(), ['HttpOnly', 'Path=/', 'SameSite=Lax']);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal((await visitor.get('/show')).text, '{"name":"ann"}');
    assert.equal(storage.size, 1);
    assert.equal(await storage.load(visitor.cookie!), undefined, 'the identity itself is not stored');
    assert.ok(await storage.load(session.hashIdentity(visitor.cookie!)));
  });

  test('gets a cookie only when it changes', async () => {
    const { visitor } = site(common);
    await visitor.get('/put?a=1');
    assert.deepEqual((await visitor.get('/put?a=2')).setCookies, []);
    assert.deepEqual((await visitor.get('/show')).setCookies, []);
  });

  test('of https gets a __Host- cookie, also behind a proxy that a middleware knows of', async () => {
    const { app } = site(common);
    const secure = new Visitor(app, 'https://example.test');
    const { setCookies } = await secure.get('/put?a=1');
    assert.match(setCookies[0]!, /^__Host-AIOHTTP_SESSION=/);
    assert.match(setCookies[0]!, /; Secure/);
    assert.equal((await secure.get('/show')).text, '{"a":"1"}');

    const behind = new web.Application();
    behind.middlewares.append((request, handler) => handler(request.clone({ scheme: 'https' })));
    session.setup(behind, new session.MemoryStorage());
    behind.router.addGet('/put', common['/put']!);
    assert.match((await new Visitor(behind).get('/put?a=1')).setCookies[0]!, /^__Host-.*; Secure/);
  });

  test('keeps the other cookies and fields that the handler set', async () => {
    const { visitor } = site({
      '/': async (request) => {
        (await session.getSession(request)).set('a', 1);
        const response = new web.Response({
          headers: { 'Cache-Control': 'private, max-age=5', Vary: 'Accept-Language' },
        });
        response.setCookie('other', 'x');
        return response;
      },
    });
    const { setCookies, headers } = await visitor.get('/');
    assert.equal(setCookies.length, 2);
    assert.equal(headers.get('cache-control'), 'private, max-age=5');
    assert.equal(headers.get('vary'), 'Accept-Language, Cookie');
  });
});

describe('cookies that open nothing', () => {
  const hostile: readonly string[] = [
    'attacker',
    'x'.repeat(22),
    'x'.repeat(43),
    'x'.repeat(129),
    '../../etc/passwd',
    'OF:ann',
    '%00',
    '"quoted"',
    '*',
    'constructor',
    '__proto__',
    '{"created":1,"session":{"user":"admin"}}',
  ];

  for (const value of hostile) {
    test(`${JSON.stringify(value.slice(0, 30))} is not adopted`, async () => {
      const reasons: string[] = [];
      const { visitor, storage } = site(common, { onRejected: (reason) => reasons.push(reason) });
      visitor.cookies.set('AIOHTTP_SESSION', value);
      assert.equal((await visitor.get('/show')).text, '{}');
      assert.equal(storage.size, 0);
      await visitor.get('/put?a=1');
      assert.match(visitor.cookie!, /^[\w-]{43}$/);
      assert.notEqual(visitor.cookie, value);
      assert.deepEqual(reasons, [/^[\w-]{22,128}$/.test(value) ? 'unknown' : 'malformed', reasons[1]]);
    });
  }

  test('records that are no records open nothing, and nothing of them is taken over', async () => {
    const records = [
      'nonsense',
      '[]',
      'null',
      '{}',
      '{"created":"x","session":{}}',
      '{"created":1,"session":[]}',
      '{"created":-1,"session":{"a":1}}',
    ];
    for (const value of records) {
      const { visitor, storage } = site(common);
      const identity = session.newIdentity();
      const write = { value, ttl: 60_000, user: undefined, end: Number.POSITIVE_INFINITY, relist: true };
      await storage.create(session.hashIdentity(identity), write);
      visitor.cookies.set('AIOHTTP_SESSION', identity);
      assert.equal((await visitor.get('/show')).text, '{}', value);
      await visitor.get('/put?a=1');
      assert.notEqual(visitor.cookie, identity);
    }
  });

  test('a record cannot reach prototypes', async () => {
    const { visitor, storage } = site({
      '/': async (request) => {
        const data = await session.getSession(request);
        return web.jsonResponse([
          data.has('toString'),
          data.get('constructor') ?? null,
          data.has('polluted'),
        ]);
      },
    });
    const identity = session.newIdentity();
    const created = Math.floor(Date.now() / 1000);
    const value = `{"created":${created},"session":{"__proto__":{"polluted":1}}}`;
    const write = { value, ttl: 60_000, user: undefined, end: Number.POSITIVE_INFINITY, relist: true };
    await storage.create(session.hashIdentity(identity), write);
    visitor.cookies.set('AIOHTTP_SESSION', identity);
    assert.equal((await visitor.get('/')).text, '[false,null,false]');
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
});

describe('values', () => {
  test('are typed', () => {
    interface Visits {
      count?: number;
      name: string;
    }
    expectTypeOf(session.getSession<Visits>).returns.resolves.toEqualTypeOf<session.Session<Visits>>();
    const check = (data: session.Session<Visits>): void => {
      expectTypeOf(data.get('count')).toEqualTypeOf<number | undefined>();
      expectTypeOf(data.update('count', (count = 0) => count + 1)).toEqualTypeOf<number | undefined>();
      // @ts-expect-error not a key
      data.get('other');
      // @ts-expect-error another type
      data.set('name', 7);
    };
    void check;
    const untyped = (data: session.Session): unknown =>
      expectTypeOf(data.get('any')).toEqualTypeOf<unknown>();
    void untyped;
  });

  test('changed inside are saved', async () => {
    const { visitor } = site({
      ...common,
      '/start': async (request) => {
        (await session.getSession(request)).set('cart', { items: ['a'] });
        return ok();
      },
      '/nested': async (request) => {
        const data = await session.getSession<{ cart: { items: string[] } }>(request);
        data.get('cart')!.items.push('b');
        return ok();
      },
      '/iterated': async (request) => {
        for (const [, value] of await session.getSession<{ cart: { items: string[] } }>(request))
          value.items.push('c');
        return ok();
      },
    });
    await visitor.get('/start');
    await visitor.get('/nested');
    assert.equal((await visitor.get('/show')).text, '{"cart":{"items":["a","b"]}}');
    await visitor.get('/iterated');
    assert.equal((await visitor.get('/show')).text, '{"cart":{"items":["a","b","c"]}}');
  });

  test('that are the same in the end are not written', async () => {
    const { visitor, storage } = site({
      ...common,
      '/same': async (request) => {
        const data = await session.getSession(request);
        data.set('a', 'other');
        data.set('a', '1');
        data.set('b', 1);
        data.delete('b');
        return ok();
      },
    });
    await visitor.get('/put?a=1');
    const key = session.hashIdentity(visitor.cookie!);
    const before = await storage.load(key);
    await visitor.get('/same');
    assert.equal((await storage.load(key))?.version, before?.version);
  });

  test('that JSON cannot hold are refused where they are put in', async () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    const wrong: unknown[] = [
      () => 1,
      Symbol('x'),
      1n,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      cyclic,
      { deep: 1n },
      undefined,
    ];
    const { visitor } = site({
      '/': async (request) => {
        const data = await session.getSession(request);
        for (const value of wrong) {
          assert.throws(() => data.set('key', value as string), { code: 'AIO_SESSION_VALUE' });
        }
        assert.throws(() => data.update('key', () => 1n), { code: 'AIO_SESSION_VALUE' });
        return new web.Response({ text: String(data.empty) });
      },
    });
    assert.equal((await visitor.get('/')).text, 'true');
  });

  test('of every JSON kind come back as they were', async () => {
    const values = {
      text: 'ä\u2028"',
      number: -0.5,
      yes: true,
      nothing: null,
      list: [1, [2]],
      object: { a: { b: 1 } },
    };
    const { visitor } = site({
      ...common,
      '/all': async (request) => {
        const data = await session.getSession(request);
        for (const [key, value] of Object.entries(values)) data.set(key, value);
        return ok();
      },
    });
    await visitor.get('/all');
    assert.deepEqual(JSON.parse((await visitor.get('/show')).text), values);
  });

  test('the map', async () => {
    const { visitor } = site({
      '/': async (request) => {
        const data = await session.getSession<Record<string, number>>(request);
        assert.equal(data.new, true);
        assert.equal(data.empty, true);
        assert.equal(data.identity, undefined);
        assert.ok(Math.abs(data.created - Date.now()) < 5000);
        data.set('a', 1).set('b', 2).set('c', 3);
        assert.equal(data.delete('b'), true);
        assert.equal(data.delete('b'), false);
        assert.deepEqual(
          [...data],
          [
            ['a', 1],
            ['c', 3],
          ],
        );
        assert.deepEqual([...data.keys()], ['a', 'c']);
        assert.deepEqual([...data.values()], [1, 3]);
        assert.equal(data.size, 2);
        assert.equal(data.has('a'), true);
        assert.match(String(data), /^<Session \[new:true, changed:true, created:\d+\] \{"a":1,"c":3\}>$/);
        data.clear();
        assert.equal(data.empty, true);
        assert.equal(await session.getSession(request), data as unknown);
        return ok();
      },
    });
    const { status, setCookies } = await visitor.get('/');
    assert.equal(status, 200);
    assert.deepEqual(setCookies, []);
  });
});

describe('the end of a session', () => {
  const handlers: Handlers = {
    ...common,
    '/login': async (request) => {
      const data = await session.getSession(request);
      data.renew();
      data.set('user', 'bob');
      return ok();
    },
    '/logout': async (request) => {
      (await session.getSession(request)).invalidate();
      return ok();
    },
    '/new': async (request) => {
      (await session.newSession(request)).set('fresh', true);
      return ok();
    },
  };

  test('invalidate() deletes it and its cookie', async () => {
    const { visitor, storage } = site(handlers);
    await visitor.get('/put?a=1');
    const thief = visitor.cookies.get('AIOHTTP_SESSION')!;
    const { setCookies } = await visitor.get('/logout');
    assert.match(setCookies[0]!, /^AIOHTTP_SESSION=(?:"")?; .*Max-Age=0/);
    assert.equal(storage.size, 0);
    visitor.cookies.set('AIOHTTP_SESSION', thief);
    assert.equal((await visitor.get('/show')).text, '{}');
  });

  test('invalidate() does nothing for who has none', async () => {
    const { visitor, storage } = site(handlers);
    assert.deepEqual((await visitor.get('/logout')).setCookies, []);
    assert.equal(storage.size, 0);
  });

  test('renew() leaves whoever knew the old identity outside', async () => {
    const { visitor, storage, app } = site(handlers);
    await visitor.get('/put?a=1');
    const attacker = visitor.copy(app);
    await visitor.get('/login');
    assert.notEqual(visitor.cookie, attacker.cookie);
    assert.equal((await visitor.get('/show')).text, '{"a":"1","user":"bob"}');
    assert.equal((await attacker.get('/show')).text, '{}');
    assert.equal(storage.size, 1);
  });

  test('an identity of an attacker is not the one after a login', async () => {
    const { visitor } = site(handlers);
    const planted = session.newIdentity();
    visitor.cookies.set('AIOHTTP_SESSION', planted);
    await visitor.get('/login');
    assert.notEqual(visitor.cookie, planted);
  });

  test('newSession() deletes the one before', async () => {
    const { visitor, storage, app } = site(handlers);
    await visitor.get('/put?a=1');
    const old = visitor.copy(app);
    await visitor.get('/new');
    assert.notEqual(visitor.cookie, old.cookie);
    assert.equal((await visitor.get('/show')).text, '{"fresh":true}');
    assert.equal((await old.get('/show')).text, '{}');
    assert.equal(storage.size, 1);
  });

  test('what is put in after invalidate() begins another', async () => {
    const { visitor, app } = site({
      ...handlers,
      '/switch': async (request) => {
        const data = await session.getSession(request);
        data.invalidate();
        assert.equal(data.new, true);
        data.set('user', 'eve');
        return ok();
      },
    });
    await visitor.get('/put?a=1');
    const old = visitor.copy(app);
    await visitor.get('/switch');
    assert.equal((await visitor.get('/show')).text, '{"user":"eve"}');
    assert.equal((await old.get('/show')).text, '{}');
  });

  test('setNewIdentity() names a new session only', async () => {
    const identity = 'a'.repeat(32);
    const { visitor } = site({
      ...handlers,
      '/named': async (request) => {
        const data = await session.newSession(request);
        assert.throws(() => data.setNewIdentity('short'), { code: 'AIO_SESSION_SETTING' });
        data.setNewIdentity(identity);
        data.set('a', 1);
        return ok();
      },
      '/again': async (request) => {
        const data = await session.getSession(request);
        assert.throws(() => data.setNewIdentity(identity), { code: 'AIO_SESSION_IDENTITY' });
        return ok();
      },
    });
    assert.equal((await visitor.get('/named')).status, 200);
    assert.equal(visitor.cookie, identity);
    assert.equal((await visitor.get('/show')).text, '{"a":1}');
    assert.equal((await visitor.get('/again')).status, 200);
  });
});

describe('lifetimes', () => {
  const minute = 60_000;

  test('a session ends when it was not used for its idle time', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 });
    const { visitor, storage } = site(common, { idle: 10 * minute, absolute: 60 * minute });
    await visitor.get('/put?a=1');
    for (let minutes = 0; minutes < 27; minutes += 9) {
      t.mock.timers.tick(9 * minute);
      assert.equal((await visitor.get('/show')).text, '{"a":"1"}');
    }
    t.mock.timers.tick(10 * minute);
    assert.equal((await visitor.get('/show')).text, '{}');
    assert.equal(storage.size, 0);
  });

  test('and at its absolute age, however much it is used', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 });
    const { visitor } = site(common, { idle: 10 * minute, absolute: 30 * minute });
    await visitor.get('/put?a=1');
    for (let count = 0; count < 5; count++) {
      t.mock.timers.tick(5 * minute);
      assert.equal((await visitor.get(count % 2 ? '/show' : `/put?b=${count}`)).status, 200);
      assert.notEqual((await visitor.get('/show')).text, '{}');
    }
    t.mock.timers.tick(5 * minute);
    assert.equal((await visitor.get('/show')).text, '{}');
  });

  const logins: readonly [name: string, make: () => session.Storage][] = [
    ['on the server', () => new session.MemoryStorage()],
    ['in its cookie', () => new session.EncryptedCookieStorage(new Uint8Array(32))],
  ];
  for (const [where, make] of logins) {
    test(`a login to a session that was old before ended soon after: its age counts from the login (${where})`, async (t) => {
      t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 });
      const app = new web.Application();
      session.setup(app, make(), { idle: 60 * minute, absolute: 30 * minute, epochOf: () => 0 });
      app.router.addGet('/put', common['/put']!);
      app.router.addGet('/show', common['/show']!);
      app.router.addGet('/login', async (request) => {
        const data = await session.getSession(request);
        data.renew();
        data.setUser('ann');
        return new web.Response({ text: String(data.created) });
      });
      const visitor = new Visitor(app);
      await visitor.get('/put?a=1');
      t.mock.timers.tick(29 * minute);
      await visitor.get('/login');
      t.mock.timers.tick(29 * minute);
      assert.equal((await visitor.get('/show')).text, '{"a":"1"}');
      // The same user again is no reason to live longer.
      await visitor.get('/login');
      t.mock.timers.tick(minute);
      assert.equal((await visitor.get('/show')).text, '{}');
    });
  }

  test('using it is written down when a tenth of the idle time has passed', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 });
    const touched: number[] = [];
    class Watched extends session.MemoryStorage {
      override touch(key: string, ttl: number): Promise<boolean> {
        touched.push(ttl);
        return super.touch(key, ttl);
      }
    }
    const app = new web.Application();
    session.setup(app, new Watched(), { idle: 10 * minute });
    app.router.addGet('/put', common['/put']!);
    app.router.addGet('/show', common['/show']!);
    const visitor = new Visitor(app);
    await visitor.get('/put?a=1');
    t.mock.timers.tick(0.9 * minute);
    await visitor.get('/show');
    assert.deepEqual(touched, []);
    t.mock.timers.tick(0.2 * minute);
    await visitor.get('/show');
    await visitor.get('/show');
    assert.deepEqual(touched, [10 * minute]);
  });

  test('maxAge of a session: it outlives the browser', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 });
    const { visitor } = site({
      ...common,
      '/remember': async (request) => {
        const data = await session.getSession(request);
        data.maxAge = 14 * 24 * 60 * minute;
        data.set('a', 1);
        for (const wrong of [0, -5, Number.NaN]) {
          assert.throws(() => (data.maxAge = wrong), { code: 'AIO_SESSION_SETTING' });
        }
        return ok();
      },
    });
    const { setCookies } = await visitor.get('/remember');
    assert.match(setCookies[0]!, /; Max-Age=1209600/);
    t.mock.timers.tick(13 * 24 * 60 * minute);
    assert.equal((await visitor.get('/show')).text, '{"a":1}');
    t.mock.timers.tick(2 * 24 * 60 * minute);
    assert.equal((await visitor.get('/show')).text, '{}');
  });

  test('maxAge for all: the cookie is sent again as the session lives on', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 });
    const { visitor } = site(common, { maxAge: 60 * minute, absolute: 0 });
    assert.match((await visitor.get('/put?a=1')).setCookies[0]!, /; Max-Age=3600/);
    for (let count = 0; count < 3; count++) {
      t.mock.timers.tick(59 * minute);
      const { text, setCookies } = await visitor.get('/show');
      assert.equal(text, '{"a":"1"}');
      assert.match(setCookies[0]!, /; Max-Age=3600/);
    }
  });

  test('identities can be renewed from time to time, with the old one good for what is on its way', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 });
    const { visitor, app } = site(common, { renewEvery: 5 * minute, renewGrace: 10_000 });
    await visitor.get('/put?a=1');
    const first = visitor.cookie;
    t.mock.timers.tick(6 * minute);
    const late = visitor.copy(app);
    assert.equal((await visitor.get('/show')).text, '{"a":"1"}');
    assert.notEqual(visitor.cookie, first);
    await late.get('/put?b=2');
    assert.equal((await visitor.get('/show')).text, '{"a":"1","b":"2"}');
    t.mock.timers.tick(11_000);
    late.cookies.set('AIOHTTP_SESSION', first!);
    assert.equal((await late.get('/show')).text, '{}');
  });
});

describe('options and mistakes', () => {
  test('wrong options are refused', () => {
    const wrong: session.SessionOptions[] = [
      { cookieName: '' },
      { cookieName: 'a b' },
      { idle: 0 },
      { absolute: -1 },
      { maxAge: Number.NaN },
      { sameSite: 'None' },
      { hostPrefix: true, domain: 'example.org' },
      { retries: -1 },
    ];
    for (const options of wrong) {
      assert.throws(() => site({}, options), { code: 'AIO_SESSION_SETTING' }, JSON.stringify(options));
    }
    assert.throws(() => session.setup(new web.Application(), {} as session.Storage), {
      code: 'AIO_SESSION_SETTING',
    });
    const app = new web.Application();
    session.setup(app, new session.MemoryStorage());
    assert.throws(() => session.setup(app, new session.MemoryStorage()), { code: 'AIO_SESSION_SETUP' });
  });

  test('without sessions it says what is missing', async () => {
    const app = new web.Application();
    app.router.addGet('/', async (request) => {
      await assert.rejects(async () => session.getSession(request), { code: 'AIO_SESSION_SETUP' });
      return ok();
    });
    assert.equal((await new Visitor(app).get('/')).status, 200);
  });

  test('cookies are named and bounded as told', async () => {
    const { visitor } = site(common, {
      cookieName: 'sid',
      domain: 'example.test',
      path: '/app',
      sameSite: 'Strict',
      secure: true,
    });
    const { setCookies } = await visitor.get('/put?a=1');
    assert.deepEqual(setCookies[0]!.split('; ').slice(1).sort(), [
      'Domain=example.test',
      'HttpOnly',
      'Path=/app',
      'SameSite=Strict',
      'Secure',
    ]);
    assert.match(setCookies[0]!, /^sid=/);
  });

  test('sub-applications share the sessions, or have their own', async () => {
    const { app, visitor } = site(common);
    const shared = new web.Application();
    shared.router.addGet('/show', common['/show']!);
    const own = new web.Application();
    session.setup(own, new session.MemoryStorage(), { cookieName: 'own' });
    own.router.addGet('/put', common['/put']!);
    app.addSubapp('/shared', shared);
    app.addSubapp('/own', own);
    await visitor.get('/put?a=1');
    assert.equal((await visitor.get('/shared/show')).text, '{"a":"1"}');
    await visitor.get('/own/put?b=2');
    assert.deepEqual([...visitor.cookies.keys()], ['AIOHTTP_SESSION', 'own']);
  });
});

describe('users', () => {
  const handlers: Handlers = {
    ...common,
    '/login': async (request) => {
      const data = await session.getSession(request);
      data.renew();
      data.setUser('ann');
      data.set('device', request.query.get('device') ?? '');
      return ok();
    },
    '/others': async (request) => {
      const data = await session.getSession(request);
      const storage = session.storageOf(request) as session.ServerStorage;
      return web.jsonResponse(await storage.revokeAll(data.user!, data.key));
    },
  };

  test('have sessions that are listed and ended', async () => {
    const { app, storage } = site(handlers);
    const devices = ['laptop', 'phone', 'tablet'];
    const visitors = await Promise.all(
      devices.map(async (device) => {
        const visitor = new Visitor(app);
        await visitor.get(`/login?device=${device}`);
        return visitor;
      }),
    );
    const listed = await storage.sessionsOf('ann');
    assert.deepEqual(listed.map(({ data }) => data['device']).sort(), devices);
    assert.deepEqual(await storage.sessionsOf('bob'), []);
    assert.equal((await visitors[1]!.get('/others')).text, '2');
    const texts = await Promise.all(visitors.map((visitor) => visitor.get('/show').then(({ text }) => text)));
    assert.deepEqual(texts, ['{}', '{"device":"phone"}', '{}']);
  });

  test('of an earlier epoch are out', async () => {
    let epoch = 1;
    const { visitor } = site(handlers, { epochOf: () => epoch });
    await visitor.get('/login?device=x');
    assert.equal((await visitor.get('/show')).text, '{"device":"x"}');
    epoch = 2;
    assert.equal((await visitor.get('/show')).text, '{}');
    await visitor.get('/login?device=y');
    assert.equal((await visitor.get('/show')).text, '{"device":"y"}');
  });
});

describe('the head of the answer', () => {
  const redirect: Handlers = {
    ...common,
    '/throws': async (request) => {
      (await session.getSession(request)).set('a', 'redirect');
      throw new web.HTTPFound('/show');
    },
    '/fails': async (request) => {
      (await session.getSession(request)).update('failures', (count) => (Number(count ?? 0) || 0) + 1);
      throw new Error('broken');
    },
    '/stream': async (request) => {
      const data = await session.getSession<Record<string, number>>(request);
      data.set('before', 1);
      const response = new web.StreamResponse();
      await response.prepare(request);
      await response.write(Buffer.from('piece'));
      data.set('after', 2);
      return response;
    },
    '/late': async (request) => {
      const data = await session.getSession<Record<string, number>>(request);
      const response = new web.StreamResponse();
      await response.prepare(request);
      const codes: string[] = [];
      const attempts: (() => unknown)[] = [
        () => data.set('x', 1),
        () => data.renew(),
        () => (data.maxAge = 5000),
        () => data.setUser('x'),
        () => data.setNewIdentity('x'.repeat(30)),
      ];
      for (const attempt of attempts) {
        try {
          attempt();
          codes.push('ok');
        } catch (error) {
          codes.push((error as { code: string }).code.replace('AIO_SESSION_', ''));
        }
      }
      await response.write(Buffer.from(codes.join()));
      return response;
    },
  };

  test('brings the cookie of an HTTP exception and of the page of an error', async () => {
    const { visitor } = site(redirect);
    const thrown = await visitor.get('/throws');
    assert.deepEqual([thrown.status, thrown.setCookies.length], [302, 1]);
    assert.equal((await visitor.get('/show')).text, '{"a":"redirect"}');
    const { visitor: other } = site(redirect);
    assert.equal((await other.get('/fails')).status, 500);
    await other.get('/fails');
    assert.equal((await other.get('/show')).text, '{"failures":2}');
  });

  test('saveOnError: false drops what a failed handler did', async () => {
    const { visitor, storage } = site(redirect, { saveOnError: false });
    assert.equal((await visitor.get('/fails')).status, 500);
    assert.equal(storage.size, 0);
  });

  for (const kind of ['with a socket', 'without']) {
    test(`brings the cookie of a stream; what comes later is saved at the end (${kind})`, async () => {
      const { app, visitor: local } = site(redirect);
      await using server = kind === 'without' ? undefined : await startServer(app);
      const visitor =
        server === undefined ? local : new Visitor(String(server.makeUrl('')).replace(/\/$/, ''));
      const first = await visitor.get('/stream');
      assert.equal(first.text, 'piece');
      assert.equal(first.setCookies.length, 1);
      assert.equal((await visitor.get('/show')).text, '{"before":1,"after":2}');
      assert.equal((await visitor.get('/late')).text, 'ok,TOO_LATE,TOO_LATE,ok,TOO_LATE');
      assert.equal((await visitor.get('/show')).text, '{"before":1,"after":2,"x":1}');
      const stranger = new Visitor(
        server === undefined ? app : String(server.makeUrl('')).replace(/\/$/, ''),
      );
      assert.equal((await stranger.get('/late')).text, 'TOO_LATE,TOO_LATE,TOO_LATE,TOO_LATE,TOO_LATE');
    });
  }

  test('is followed by no change at all once the answer is over', async () => {
    let kept: session.Session | undefined;
    const { visitor } = site({
      '/': async (request) => {
        kept = await session.getSession(request);
        return ok();
      },
    });
    await visitor.get('/');
    assert.throws(() => kept!.set('a', 1), { code: 'AIO_SESSION_TOO_LATE' });
    assert.throws(() => kept!.invalidate(), { code: 'AIO_SESSION_TOO_LATE' });
  });

  test('a middleware outside that changes the session is heard too', async () => {
    const app = new web.Application();
    app.middlewares.append(async (request, handler) => {
      const response = await handler(request);
      (await session.getSession(request)).set('outer', true);
      return response;
    });
    session.setup(app, new session.MemoryStorage());
    app.router.addGet('/', ok);
    app.router.addGet('/show', common['/show']!);
    const visitor = new Visitor(app);
    await visitor.get('/');
    assert.equal((await visitor.get('/show')).text, '{"outer":true}');
  });
});

describe('the middleware alone', () => {
  const app = new web.Application({
    logger: quiet,
    middlewares: [session.sessionMiddleware(new session.MemoryStorage())],
  });
  for (const [path, handler] of Object.entries(common)) app.router.addGet(path, handler);
  app.router.addGet('/throws', async (request) => {
    (await session.getSession(request)).set('thrown', 1);
    throw new web.HTTPBadRequest();
  });
  app.router.addGet('/stream', async (request) => {
    const response = new web.StreamResponse();
    await response.prepare(request);
    (await session.getSession(request)).set('streamed', 1);
    return response;
  });
  app.router.addGet('/fails', async (request) => {
    (await session.getSession(request)).set('failed', 1);
    throw new Error('broken');
  });

  test('saves and sends the cookie', async () => {
    const visitor = new Visitor(app);
    await visitor.get('/put?a=1');
    assert.equal((await visitor.get('/throws')).status, 400);
    await visitor.get('/stream');
    assert.equal((await visitor.get('/fails')).status, 500);
    assert.equal((await visitor.get('/show')).text, '{"a":"1","thrown":1,"streamed":1,"failed":1}');
    const other = new Visitor(app);
    assert.equal((await other.get('/throws')).setCookies.length, 1);
    assert.equal((await other.get('/show')).text, '{"thrown":1}');
    const failing = new Visitor(app);
    assert.equal((await failing.get('/fails')).status, 500);
    assert.equal((await failing.get('/show')).text, '{}');
  });
});

describe('several requests at once', () => {
  const handlers: Handlers = {
    ...common,
    '/slow': async (request) => {
      const data = await session.getSession(request);
      await sleep(Number(request.query.get('ms')));
      data.set(`k${request.query.get('n')}`, 1);
      return ok();
    },
    '/count': async (request) => {
      const data = await session.getSession<{ count?: number; list?: string[] }>(request);
      await sleep(Math.random() * 3);
      data.update('count', (count = 0) => count + 1);
      data.update('list', (list = []) => [...list, request.query.get('n') ?? '']);
      return ok();
    },
    '/remove': async (request) => {
      const data = await session.getSession(request);
      await sleep(2);
      data.delete('a');
      return ok();
    },
    '/logout': async (request) => {
      (await session.getSession(request)).invalidate();
      return ok();
    },
  };

  test('all keep their changes', async () => {
    const { visitor } = site(handlers);
    await visitor.get('/put?a=1&b=2');
    const numbers = Array.from({ length: 10 }, (_, index) => index);
    await Promise.all([
      visitor.get('/remove'),
      ...numbers.map((n) => visitor.get(`/slow?n=${n}&ms=${n % 3}`)),
      ...numbers.map((n) => visitor.get(`/count?n=${n}`)),
    ]);
    const data = JSON.parse((await visitor.get('/show')).text);
    for (const n of numbers) assert.equal(data[`k${n}`], 1);
    assert.equal(data.count, 10);
    assert.deepEqual(data.list.map(Number).sort(), numbers);
    assert.equal('a' in data, false);
    assert.equal(data.b, '2');
  });

  test('a logout is final, also for a request that was slower', async () => {
    const { visitor, storage, app } = site(handlers);
    await visitor.get('/put?a=1');
    const slow = visitor.copy(app);
    const answer = slow.get('/slow?n=1&ms=20');
    await visitor.get('/logout');
    const { status, setCookies } = await answer;
    assert.equal(status, 200);
    assert.deepEqual(setCookies, []);
    assert.equal(storage.size, 0);
  });

  test('which the slower one can be told', async () => {
    const { visitor, app, storage } = site(handlers, { onGone: 'conflict' });
    await visitor.get('/put?a=1');
    const answer = visitor.copy(app).get('/slow?n=1&ms=20');
    await visitor.get('/logout');
    assert.equal((await answer).status, 409);
    assert.equal(storage.size, 0);
  });
});

async function startServer(app: web.Application): Promise<TestServer> {
  const server = new TestServer(app);
  await server.start();
  return server;
}

test('an event stream saves the session before its head: who answers its first event finds it there', async () => {
  const app = new web.Application();
  session.setup(app, new session.MemoryStorage());
  let end = (): void => {};
  app.router.addGet('/events', async (request) => {
    (await session.getSession(request)).set('listening', true);
    const response = new web.StreamResponse({ headers: { 'Content-Type': 'text/event-stream' } });
    await response.prepare(request);
    await response.write(Buffer.from('data: hello\n\n'));
    await new Promise<void>((resolve) => {
      end = resolve;
    });
    return response;
  });
  app.router.addGet('/show', async (request) =>
    web.jsonResponse(Object.fromEntries(await session.getSession(request))),
  );
  await using server = await new TestServer(app).start();
  const events = await fetch(server.makeUrl('/events'));
  const cookie = events.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const shown = await fetch(server.makeUrl('/show'), { headers: { cookie } });
  assert.deepEqual(await shown.json(), { listening: true });
  end();
  assert.equal(await events.text(), 'data: hello\n\n');
});

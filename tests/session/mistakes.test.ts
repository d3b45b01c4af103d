// What careless handlers, impatient ones and several at once did to sessions before.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Event } from '../../src/asyncio/index.ts';
import * as session from '../../src/session/index.ts';
import * as web from '../../src/web/index.ts';
import { Visitor } from './visitor.ts';

type Handlers = Record<string, (request: web.Request) => Promise<web.StreamResponse>>;
type Loose = session.Session<Record<string, unknown>>;

const quiet: web.Logger = { info() {}, warn() {}, error() {} };
const ok = (): web.Response => new web.Response({ text: 'ok' });

function site(
  handlers: Handlers,
  options?: session.SessionOptions,
  storage: session.Storage = new session.MemoryStorage(),
): { app: web.Application; visitor: Visitor } {
  const app = new web.Application({ logger: quiet });
  session.setup(app, storage, options);
  for (const [path, handler] of Object.entries(handlers)) app.router.addGet(path, handler);
  app.router.addGet('/put', async (request) => {
    const data = await session.getSession(request);
    for (const [key, value] of request.query) data.set(key, value);
    return ok();
  });
  app.router.addGet('/show', async (request) =>
    web.jsonResponse((await session.getSession(request)).toJSON()),
  );
  return { app, visitor: new Visitor(app) };
}

describe('what would be stored as {} without a word', () => {
  const lossy: readonly [name: string, value: unknown][] = [
    ['a promise that was not awaited', Promise.resolve(1)],
    ['a promise that fails', Promise.reject(new Error('nobody waits for it'))],
    ['a Map', new Map([['a', 1]])],
    ['a Set', new Set([1])],
  ];
  for (const [name, value] of lossy) {
    test(`${name} is refused`, async () => {
      const { visitor } = site({
        '/': async (request) => {
          const data = await session.getSession(request);
          assert.throws(() => data.set('key', value), { code: 'AIO_SESSION_VALUE' });
          assert.throws(() => data.update('key', () => value), { code: 'AIO_SESSION_VALUE' });
          return new web.Response({ text: String(data.empty) });
        },
      });
      assert.equal((await visitor.get('/')).text, 'true');
    });
  }

  test('update() with an async function says what to do', async () => {
    const { visitor } = site({
      '/': async (request) => {
        const data = await session.getSession(request);
        assert.throws(() => data.update('count', async () => 1), /must not be async/);
        return ok();
      },
    });
    assert.equal((await visitor.get('/')).text, 'ok');
  });
});

test('a key that is no string is refused: it made the whole record unreadable', async () => {
  const { visitor } = site({
    '/': async (request) => {
      const data: Loose = await session.getSession(request);
      for (const key of [undefined, null, 5, Symbol('key'), {}]) {
        assert.throws(() => data.set(key as string, 1), { code: 'AIO_SESSION_VALUE' });
        assert.throws(() => data.update(key as string, () => 1), { code: 'AIO_SESSION_VALUE' });
      }
      data.set('a', 1);
      return ok();
    },
  });
  assert.equal((await visitor.get('/')).text, 'ok');
  assert.equal((await visitor.get('/show')).text, '{"a":1}');
});

describe('two requests of one process that save at once', () => {
  /** Both have read before the first saves; that one then waits in its storage until the other queues behind it. */
  function meeting(handler: (data: Loose, who: string) => void): { app: web.Application; visitor: Visitor } {
    const read = new Event();
    let readers = 0;
    return site({
      '/meet': async (request) => {
        const data: Loose = await session.getSession(request);
        if (++readers === 2) read.set();
        await read.wait();
        handler(data, request.query.get('who') ?? '');
        const response = new web.StreamResponse();
        await response.prepare(request);
        return response;
      },
    });
  }

  test('see of each other what JSON keeps, not the objects themselves', async () => {
    const types: unknown[] = [];
    const { app, visitor } = meeting((data, who) => {
      if (who === 'first') data.set('when', new Date(0));
      else
        data.update('when', (when) => {
          types.push(typeof when);
          return when;
        });
    });
    await visitor.get('/put?when=never');
    await Promise.all([visitor.copy(app).get('/meet?who=first'), visitor.copy(app).get('/meet?who=second')]);
    assert.ok(types.length > 0 && types.every((type) => type === 'string'), types.join());
  });

  test('do not share an array that both push to', async () => {
    const lists: unknown[][] = [];
    const { app, visitor } = meeting((data, who) => {
      data.update('list', (list) => {
        const same = Array.isArray(list) ? list : [];
        same.push(who);
        return same;
      });
    });
    app.middlewares.append(async (request, handler) => {
      const answer = await handler(request);
      if (request.path === '/meet') lists.push((await session.getSession(request)).get('list') as unknown[]);
      return answer;
    });
    await visitor.get('/put?a=1');
    await Promise.all([visitor.copy(app).get('/meet?who=a'), visitor.copy(app).get('/meet?who=b')]);
    assert.deepEqual(JSON.parse((await visitor.get('/show')).text).list.sort(), ['a', 'b']);
    assert.equal(lists.length, 2);
    assert.notEqual(lists[0], lists[1]);
  });
});

test('a change while prepare() saves the session is refused: it was in neither of the two saves', async () => {
  const { visitor } = site({
    '/': async (request) => {
      const data = await session.getSession(request);
      data.set('a', 2);
      const response = new web.StreamResponse();
      const prepared = response.prepare(request);
      assert.throws(() => data.set('lost', 1), { code: 'AIO_SESSION_TOO_LATE', message: /await/ });
      assert.throws(() => data.invalidate(), { code: 'AIO_SESSION_TOO_LATE' });
      await prepared;
      data.set('kept', 1);
      return response;
    },
  });
  await visitor.get('/put?a=1');
  assert.equal((await visitor.get('/')).status, 200);
  assert.deepEqual(JSON.parse((await visitor.get('/show')).text), { a: 2, kept: 1 });
});

for (const [name, storage] of [
  ['on the server', new session.MemoryStorage()],
  ['in its cookie', new session.EncryptedCookieStorage('k'.repeat(43))],
] as const) {
  test(`the session ${name} that changes the password stays logged in when setUser() names the same user`, async () => {
    let epoch = 1;
    const login: Handlers['/'] = async (request) => {
      const data = await session.getSession(request);
      data.renew();
      data.setUser('ann');
      data.set('device', 'phone');
      return ok();
    };
    const { app, visitor } = site(
      {
        '/login': login,
        '/password': (request) => {
          epoch++;
          return login(request);
        },
      },
      { epochOf: () => epoch },
      storage,
    );
    await visitor.get('/login');
    const other = visitor.copy(app);
    await visitor.get('/password');
    assert.equal((await visitor.get('/show')).text, '{"device":"phone"}');
    assert.equal((await other.get('/show')).text, '{}');
  });
}

test('failOpen: a logout that the storage did not do is not answered as one', async () => {
  let down = false;
  class Failing extends session.MemoryStorage {
    override delete(key: string): Promise<boolean> {
      return down ? Promise.reject(new session.SessionUnavailableError('down')) : super.delete(key);
    }
  }
  const { visitor } = site(
    {
      '/logout': async (request) => {
        (await session.getSession(request)).invalidate();
        return ok();
      },
    },
    { failOpen: true },
    new Failing(),
  );
  await visitor.get('/put?a=1');
  down = true;
  assert.equal((await visitor.get('/logout')).status, 503);
  down = false;
  assert.equal((await visitor.get('/logout')).status, 200);
  assert.equal((await visitor.get('/show')).text, '{}');
});

describe('a shared cache gets no cookie to give to others, whatever the handler says of the page', () => {
  const cases: readonly [said: string | undefined, sent: string][] = [
    [undefined, 'no-store'],
    ['public, max-age=3600, s-maxage=60', 'private, max-age=3600'],
    ['max-age=5', 'private, max-age=5'],
    ['no-cache', 'private, no-cache'],
    ['private="X-Name"', 'private, private="X-Name"'],
    ['Private, max-age=5', 'Private, max-age=5'],
    ['max-age=5, NO-STORE', 'max-age=5, NO-STORE'],
  ];
  for (const [said, sent] of cases) {
    test(String(said), async () => {
      const { visitor } = site({
        '/': async (request) => {
          (await session.getSession(request)).set('a', 1);
          return new web.Response({
            text: 'page',
            headers: said === undefined ? {} : { 'Cache-Control': said },
          });
        },
      });
      const first = await visitor.get('/');
      assert.equal(first.setCookies.length, 1);
      assert.equal(first.headers.get('cache-control'), sent);
      // Where no cookie is sent the page is the handler's own business.
      assert.equal((await visitor.get('/')).headers.get('cache-control'), said ?? null);
    });
  }
});

describe('identities that are renewed, with a time in which the old one works', () => {
  const minute = 60_000;
  const options: session.SessionOptions = {
    renewEvery: 10 * minute,
    renewGrace: 8 * minute,
    maxAge: 60 * minute,
  };
  const renew: Handlers = {
    '/renew': async (request) => {
      (await session.getSession(request)).renew();
      return ok();
    },
    '/logout': async (request) => {
      (await session.getSession(request)).invalidate();
      return ok();
    },
    '/both': async (request) => {
      const data = await session.getSession(request);
      meeting.push(request.path);
      if (meeting.length === 2) met.set();
      await met.wait();
      data.set(request.query.get('key') ?? '', 1);
      return ok();
    },
    '/meet-logout': async (request) => {
      const data = await session.getSession(request);
      meeting.push(request.path);
      await met.wait();
      data.invalidate();
      return ok();
    },
  };
  let meeting: string[] = [];
  let met = new Event();
  const begin = (): void => {
    meeting = [];
    met = new Event();
  };

  test('one that was renewed twice is found by the first: it was taken for a damaged one', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 });
    const { app, visitor } = site(renew, { ...options, renewEvery: 2 * minute });
    await visitor.get('/put?a=1');
    const late = visitor.copy(app);
    for (let times = 0; times < 3; times++) {
      t.mock.timers.tick(2 * minute + 1000);
      assert.equal((await visitor.get('/show')).setCookies.length, 1);
    }
    assert.equal((await late.get('/show')).text, '{"a":"1"}');
    await late.get('/put?b=2');
    assert.equal((await visitor.get('/show')).text, '{"a":"1","b":"2"}');
  });

  test('a late request does not give the client its old identity back', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 });
    const { app, visitor } = site(renew, options);
    await visitor.get('/put?a=1');
    const late = visitor.copy(app);
    t.mock.timers.tick(11 * minute);
    await visitor.get('/show');
    t.mock.timers.tick(7 * minute); // more than a tenth of the hour: using the session is written down
    assert.deepEqual((await late.get('/show')).setCookies, []);
    assert.equal((await late.get('/show')).text, '{"a":"1"}');
  });

  test('two requests at once renew an identity once', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 });
    const { app, visitor } = site(renew, options);
    await visitor.get('/put?a=1');
    t.mock.timers.tick(11 * minute);
    begin();
    const answers = await Promise.all([
      visitor.copy(app).get('/both?key=b'),
      visitor.copy(app).get('/both?key=c'),
    ]);
    const cookies = answers.flatMap(({ setCookies }) => setCookies);
    assert.equal(cookies.length, 1);
    visitor.cookies.set('AIOHTTP_SESSION', /=([\w-]+)/.exec(cookies[0]!)![1]!);
    t.mock.timers.tick(9 * minute);
    assert.equal((await visitor.get('/show')).text, '{"a":"1","b":1,"c":1}');
  });

  test('renew() after a login let whoever knew the identity before in, as long as the grace lasted', async () => {
    const { app, visitor } = site(renew, options);
    await visitor.get('/put?planted=1');
    const attacker = visitor.copy(app);
    await visitor.get('/renew');
    await visitor.get('/put?user=ann');
    assert.equal((await attacker.get('/show')).text, '{}');
    await attacker.get('/put?user=eve');
    assert.equal((await visitor.get('/show')).text, '{"planted":"1","user":"ann"}');
  });

  test('without renewGrace what was on its way lost its changes when renewEvery came between', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 });
    const { app, visitor } = site(renew, { renewEvery: 10 * minute });
    await visitor.get('/put?a=1');
    t.mock.timers.tick(11 * minute);
    const late = visitor.copy(app);
    await visitor.get('/show');
    await late.get('/put?b=2');
    assert.equal((await visitor.get('/show')).text, '{"a":"1","b":"2"}');
  });

  test('a logout ends the session that another request has just renewed', async () => {
    const storage = new session.MemoryStorage();
    const { app, visitor } = site(renew, options, storage);
    await visitor.get('/put?a=1');
    begin();
    const logout = visitor.copy(app).get('/meet-logout');
    while (meeting.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await visitor.get('/renew');
    met.set();
    await logout;
    assert.equal((await visitor.get('/show')).text, '{}');
    assert.equal(storage.size, 0);
  });
});

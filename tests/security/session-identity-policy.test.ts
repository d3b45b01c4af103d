import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  AbstractAuthorizationPolicy,
  authorizedUserId,
  csrfToken,
  forget,
  isCsrfToken,
  remember,
  SessionIdentityPolicy,
  setup,
} from '../../src/security/index.ts';
import * as session from '../../src/session/index.ts';
import { testRequest } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';

class Everybody extends AbstractAuthorizationPolicy {
  authorizedUserId(identity: string): string {
    return identity;
  }

  permits(identity: string | undefined): boolean {
    return identity !== undefined;
  }
}

interface Site {
  readonly app: web.Application;
  readonly storage: session.MemoryStorage;
}

function site(): Site {
  const app = new web.Application();
  const storage = new session.MemoryStorage();
  session.setup(app, storage);
  setup(app, new SessionIdentityPolicy(), new Everybody());
  app.addRoutes([
    web.get('/', async (request) => {
      const visit = await session.getSession<{ cart?: string }>(request);
      return web.jsonResponse({ user: await authorizedUserId(request), cart: visit.get('cart') });
    }),
    web.post('/cart', async (request) => {
      (await session.getSession<{ cart?: string }>(request)).set('cart', 'book');
      return new web.Response();
    }),
    web.post('/login/{name}', async (request) => {
      const answer = new web.HTTPSeeOther('/');
      const maxAge = request.query.has('long') ? 14 * 86_400_000 : undefined;
      await remember(request, answer, request.matchInfo.name, { maxAge });
      throw answer;
    }),
    web.post('/logout', async (request) => {
      const answer = new web.Response();
      await forget(request, answer);
      return answer;
    }),
    web.get('/token', async (request) => new web.Response({ text: await csrfToken(request) })),
    web.get('/token/{token}', async (request) =>
      web.jsonResponse(await isCsrfToken(request, request.matchInfo.token)),
    ),
  ]);
  return { app, storage };
}

/** A browser with one cookie. */
class Visitor {
  cookie: string | undefined;
  readonly #app: web.Application;

  constructor(app: web.Application, cookie?: string) {
    this.#app = app;
    this.cookie = cookie;
  }

  async ask(path: string, method: string = 'GET'): Promise<Response> {
    const headers = this.cookie === undefined ? {} : { Cookie: this.cookie };
    const response = await testRequest(this.#app, path, { method, headers });
    const [line] = response.headers.getSetCookie();
    if (line !== undefined) this.cookie = /Max-Age=0/.test(line) ? undefined : line.split(';')[0];
    return response;
  }

  async who(): Promise<unknown> {
    return (await this.ask('/')).json();
  }
}

describe('SessionIdentityPolicy', () => {
  test('a login gives the session a new id and keeps what is in it; the old id is worth nothing', async () => {
    const { app } = site();
    const visitor = new Visitor(app);
    await visitor.ask('/cart', 'POST');
    const planted = visitor.cookie;
    assert.ok(planted);
    const login = await visitor.ask('/login/ada', 'POST');
    assert.equal(login.status, 303);
    assert.notEqual(visitor.cookie, planted);
    assert.deepEqual(await visitor.who(), { user: 'ada', cart: 'book' });
    assert.deepEqual(await new Visitor(app, planted).who(), {}, 'fixation');
    await app.cleanup();
  });

  test('a logout ends the session on the server', async () => {
    const { app, storage } = site();
    const visitor = new Visitor(app);
    await visitor.ask('/login/ada', 'POST');
    const stolen = visitor.cookie;
    assert.equal((await storage.sessionsOf('ada')).length, 1);
    const logout = await visitor.ask('/logout', 'POST');
    assert.equal(logout.status, 200);
    assert.equal(visitor.cookie, undefined);
    assert.deepEqual(await new Visitor(app, stolen).who(), {});
    assert.equal((await storage.sessionsOf('ada')).length, 0);
    await app.cleanup();
  });

  test('a logout of nobody does nothing: a cart stays', async () => {
    const { app } = site();
    const visitor = new Visitor(app);
    assert.deepEqual((await visitor.ask('/logout', 'POST')).headers.getSetCookie(), []);
    await visitor.ask('/cart', 'POST');
    await visitor.ask('/logout', 'POST');
    assert.deepEqual(await visitor.who(), { cart: 'book' });
    await app.cleanup();
  });

  test('another user begins with an empty session', async () => {
    const { app, storage } = site();
    const visitor = new Visitor(app);
    await visitor.ask('/login/ada', 'POST');
    await visitor.ask('/cart', 'POST');
    await visitor.ask('/login/ada', 'POST');
    assert.deepEqual(await visitor.who(), { user: 'ada', cart: 'book' }, 'the same user again');
    await visitor.ask('/login/bob', 'POST');
    assert.deepEqual(await visitor.who(), { user: 'bob' });
    assert.equal((await storage.sessionsOf('ada')).length, 0);
    assert.equal((await storage.sessionsOf('bob')).length, 1);
    await app.cleanup();
  });

  test('the sessions of a user can be ended from outside', async () => {
    const { app, storage } = site();
    const [phone, desk] = [new Visitor(app), new Visitor(app)];
    await phone.ask('/login/ada', 'POST');
    await desk.ask('/login/ada', 'POST');
    assert.equal(await storage.revokeAll('ada'), 2);
    assert.deepEqual([await phone.who(), await desk.who()], [{}, {}]);
    await app.cleanup();
  });

  test('“remember me” outlives the browser', async () => {
    const { app } = site();
    const visitor = new Visitor(app);
    assert.doesNotMatch((await visitor.ask('/login/ada', 'POST')).headers.getSetCookie().join(), /Max-Age/);
    assert.match(
      (await new Visitor(app).ask('/login/ada?long', 'POST')).headers.getSetCookie().join(),
      /Max-Age=1209600/,
    );
    await app.cleanup();
  });

  test('a CSRF token from before the login is worth nothing after it', async () => {
    const { app } = site();
    const visitor = new Visitor(app);
    const token = await (await visitor.ask('/token')).text();
    assert.equal(await (await visitor.ask(`/token/${token}`)).json(), true);
    await visitor.ask('/login/ada', 'POST');
    assert.equal(await (await visitor.ask(`/token/${token}`)).json(), false);
    await app.cleanup();
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { web } from '../../src/index.ts';
import { testRequest } from '../../src/testing/index.ts';
import { collectingLogger } from './collecting-logger.ts';

const { Application, Response } = web;

/** A middleware that writes down when it is entered and left, and which application it sees. */
function tracing(log: string[], name: string, names?: Map<web.Application, string>): web.Middleware {
  const seen = (request: web.Request): string => (names === undefined ? '' : ` ${names.get(request.app)}`);
  return async (request, handler) => {
    log.push(`${name}${seen(request)}`);
    try {
      return await handler(request);
    } finally {
      log.push(`/${name}${seen(request)}`);
    }
  };
}

describe('order', () => {
  test('the first is the outermost', async () => {
    const log: string[] = [];
    const app = new Application({ middlewares: [tracing(log, 'a'), tracing(log, 'b')] });
    app.addRoutes([
      web.get('/', () => {
        log.push('handler');
        return new Response();
      }),
    ]);
    await testRequest(app, '/');
    assert.deepEqual(log, ['a', 'b', 'handler', '/b', '/a']);
    await app.cleanup();
  });

  test('the root, then sub-applications; request.app is the one whose code runs', async () => {
    const log: string[] = [];
    const root = new Application();
    const middle = new Application();
    const inner = new Application();
    const names = new Map([
      [root, 'root'],
      [middle, 'middle'],
      [inner, 'inner'],
    ]);
    root.middlewares.append(tracing(log, 'A', names), tracing(log, 'B', names));
    inner.middlewares.append(tracing(log, 'C', names));
    inner.addRoutes([
      web.get('/x', (request) => {
        log.push(`handler ${names.get(request.app)}`);
        return new Response();
      }),
    ]);
    middle.addSubapp('/inner', inner);
    root.addSubapp('/middle', middle);
    await testRequest(root, '/middle/inner/x');
    assert.deepEqual(log, ['A root', 'B root', 'C inner', 'handler inner', '/C inner', '/B root', '/A root']);
    await root.cleanup();
  });

  test('request.app of a sub-application without middlewares', async () => {
    const root = new Application();
    const sub = new Application();
    let seen: web.Application | undefined;
    sub.addRoutes([
      web.get('/x', (request) => {
        seen = request.app;
        return new Response();
      }),
    ]);
    root.addSubapp('/sub', sub);
    await testRequest(root, '/sub/x');
    assert.equal(seen, sub);
    await root.cleanup();
  });

  test('request.app is the root again after a sub-application failed, also without a promise', async () => {
    const root = new Application();
    const sub = new Application();
    const seen: unknown[] = [];
    root.middlewares.append((request, handler) => {
      try {
        return handler(request);
      } catch (error) {
        seen.push(request.app === root, (error as Error).message);
        return new Response({ text: 'caught' });
      }
    });
    sub.addRoutes([
      web.get('/x', () => {
        throw new Error('boom');
      }),
    ]);
    root.addSubapp('/sub', sub);
    assert.equal(await (await testRequest(root, '/sub/x')).text(), 'caught');
    assert.deepEqual(seen, [true, 'boom']);
    await root.cleanup();
  });
});

describe('what they see', () => {
  test('404 and 405 as thrown exceptions, of the root or of the sub-application', async () => {
    const log: string[] = [];
    const root = new Application({ middlewares: [tracing(log, 'root')] });
    const sub = new Application({ middlewares: [tracing(log, 'sub')] });
    sub.addRoutes([web.post('/x', () => new Response())]);
    root.addSubapp('/sub', sub);
    assert.equal((await testRequest(root, '/none')).status, 404);
    assert.deepEqual(log.splice(0), ['root', '/root']);
    assert.equal((await testRequest(root, '/sub/none')).status, 404);
    assert.deepEqual(log.splice(0), ['root', 'sub', '/sub', '/root']);
    const wrongMethod = await testRequest(root, '/sub/x');
    assert.equal(wrongMethod.status, 405);
    assert.equal(wrongMethod.headers.get('allow'), 'POST');
    assert.deepEqual(log, ['root', 'sub', '/sub', '/root']);
    await root.cleanup();
  });

  test('may turn an exception into a response', async () => {
    const app = new Application({
      middlewares: [
        async (request, handler) => {
          try {
            return await handler(request);
          } catch (error) {
            assert.ok(error instanceof web.HTTPNotFound);
            return web.jsonResponse({ missing: request.path }, { status: 404 });
          }
        },
      ],
    });
    const response = await testRequest(app, '/nowhere');
    assert.equal(response.status, 404);
    assert.deepEqual(await response.json(), { missing: '/nowhere' });
    await app.cleanup();
  });

  test('a StreamResponse whatever the handler or the next middleware returned', async () => {
    const kinds: boolean[] = [];
    const check: web.Middleware = async (request, handler) => {
      const response = await handler(request);
      kinds.push(response instanceof web.StreamResponse);
      response.headers.set('X-Checked', 'yes');
      return response;
    };
    const swap: web.Middleware = async (request, handler) => {
      const response = await handler(request);
      return request.path === '/swapped' ? globalThis.Response.json({ swapped: true }) : response;
    };
    const app = new Application({ middlewares: [check, swap] });
    app.addRoutes([
      web.get('/platform', async () => new globalThis.Response('platform', { status: 201 })),
      web.get('/exception', () => new web.HTTPAccepted({ text: 'later' })),
      web.get('/swapped', () => new Response()),
    ]);
    const platform = await testRequest(app, '/platform');
    assert.deepEqual(
      [platform.status, platform.headers.get('x-checked'), await platform.text()],
      [201, 'yes', 'platform'],
    );
    const returned = await testRequest(app, '/exception');
    assert.deepEqual(
      [returned.status, returned.headers.get('x-checked'), await returned.text()],
      [202, 'yes', 'later'],
    );
    const swapped = await testRequest(app, '/swapped');
    assert.deepEqual([swapped.headers.get('x-checked'), await swapped.json()], ['yes', { swapped: true }]);
    assert.deepEqual(kinds, [true, true, true]);
    await app.cleanup();
  });

  test('the attributes and the name of the handler, through the whole chain', async () => {
    const LOGIN = Symbol('login');
    const seen: unknown[] = [];
    const look: web.Middleware = (request, handler) => {
      seen.push(handler['role'], handler[LOGIN], handler.name);
      return handler(request);
    };
    const app = new Application({ middlewares: [look, (request, handler) => handler(request), look] });
    const sub = new Application({ middlewares: [look] });
    const secret = Object.assign(
      async function secret() {
        return new Response();
      },
      { role: 'admin', [LOGIN]: true },
    );
    class Base extends web.View {
      static role = 'viewer';
    }
    class Page extends Base {
      get(): web.Response {
        return new Response();
      }
    }
    app.addRoutes([web.get('/secret', secret), web.view('/page', Page)]);
    sub.addRoutes([web.get('/secret', secret)]);
    app.addSubapp('/sub', sub);
    await testRequest(app, '/secret');
    assert.deepEqual(seen.splice(0), ['admin', true, 'secret', 'admin', true, 'secret']);
    await testRequest(app, '/page');
    assert.deepEqual(seen.splice(0), ['viewer', undefined, 'Page', 'viewer', undefined, 'Page']);
    await testRequest(app, '/sub/secret');
    assert.deepEqual(seen, Array(3).fill(['admin', true, 'secret']).flat());
    await app.cleanup();
  });

  test('a clone of the request that another middleware handed on', async () => {
    const app = new Application({
      middlewares: [(request, handler) => handler(request.clone({ scheme: 'https', remote: '192.0.2.1' }))],
    });
    app.addRoutes([
      web.get(
        '/{id}',
        (request) => new Response({ text: `${request.scheme} ${request.remote} ${request.matchInfo.id}` }),
      ),
    ]);
    assert.equal(await (await testRequest(app, '/7')).text(), 'https 192.0.2.1 7');
    await app.cleanup();
  });
});

describe('kinds', () => {
  test('bound methods and marked functions serve', async () => {
    class Counter {
      count = 0;
      handle(request: web.Request, handler: web.NextHandler): web.Awaitable<web.HandlerResult> {
        this.count++;
        return handler(request);
      }
    }
    const counter = new Counter();
    const app = new Application({
      middlewares: [counter.handle.bind(counter), web.middleware((request, handler) => handler(request))],
    });
    await testRequest(app, '/');
    assert.equal(counter.count, 1);
    await app.cleanup();
  });

  test('what is no function is refused at once', () => {
    assert.throws(() => web.middleware({} as never), { name: 'TypeError', message: /got object/ });
    const app = new Application();
    assert.throws(() => app.middlewares.append(null as never), { name: 'TypeError', message: /got null/ });
  });

  test('a factory that was not called is found out', async () => {
    const logger = collectingLogger();
    const factory = () => (request: web.Request, handler: web.NextHandler) => handler(request);
    const app = new Application({ logger, middlewares: [factory as never] });
    assert.equal((await testRequest(app, '/')).status, 500);
    assert.match(
      logger.errors[0] ?? '',
      /Middleware factory .*returned a function.*factory that must be called/,
    );
    await app.cleanup();
  });

  test('synchronous ones around a synchronous handler need no promise', async () => {
    const results: unknown[] = [];
    const app = new Application({
      middlewares: [
        (request, handler) => {
          const result = handler(request);
          results.push(result instanceof web.StreamResponse);
          return result;
        },
      ],
    });
    app.addRoutes([web.get('/', () => new Response())]);
    await testRequest(app, '/');
    assert.deepEqual(results, [true]);
    await app.cleanup();
  });
});

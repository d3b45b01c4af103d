import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import { web } from '../../src/index.ts';
import { collectingLogger } from './collecting-logger.ts';

class Article extends web.View<{ id: string }> {
  static readonly loginRequired = true;
  readonly trace = (): web.Response => new web.Response({ text: 'trace is a field' });

  get(): web.Response {
    return new web.Response({ text: `get ${this.request.matchInfo.id}` });
  }

  async post(request: web.Request): Promise<web.Response> {
    assert.equal(request, this.request);
    return new web.Response({ text: await this.request.text() });
  }

  delete(): never {
    throw new web.HTTPForbidden();
  }

  // Not a method of HTTP: no request may reach it.
  purge(): web.Response {
    return new web.Response({ text: 'purged' });
  }
}

async function ask(method: string, body?: string): Promise<string> {
  const app = new web.Application({ logger: collectingLogger() });
  app.addRoutes([web.view('/{id}', Article)]);
  const response = await app.fetch(new globalThis.Request('http://h/7', { method, body: body ?? null }));
  return `${response.status} ${response.headers.get('allow') ?? ''} ${await response.text()}`;
}

describe('View', () => {
  test('each method answers the HTTP method of its name, on an instance for each request', async () => {
    assert.equal(await ask('GET'), '200  get 7');
    assert.equal(await ask('POST', 'text'), '200  text');
    assert.equal(await ask('DELETE'), '403  403: Forbidden');
  });

  test('others are 405 with the methods it has; HEAD is not served by get', async () => {
    for (const method of ['PUT', 'HEAD', 'PURGE', 'CONSTRUCTOR', 'REQUEST']) {
      const expected = '405 DELETE,GET,POST,TRACE ';
      assert.ok((await ask(method)).startsWith(expected), method);
    }
  });

  test('the class is what the route and the middlewares see', async () => {
    let seen: unknown;
    const app = new web.Application({
      middlewares: [
        (request, handler) => {
          seen = handler['loginRequired'];
          return handler(request);
        },
      ],
    });
    const [route] = app.addRoutes([web.view('/{id}', Article, { name: 'article' })]);
    assert.equal(route?.handler, Article);
    assert.equal(route?.method, '*');
    await app.fetch(new globalThis.Request('http://h/7'));
    assert.equal(seen, true);
  });

  test('it can stand where a handler stands', async () => {
    const app = new web.Application();
    app.addRoutes([web.get('/{id}', Article)]);
    app.router.addView('/v/{id}', Article);
    assert.equal(await (await app.fetch(new globalThis.Request('http://h/1'))).text(), 'get 1');
    assert.equal(await (await app.fetch(new globalThis.Request('http://h/v/2'))).text(), 'get 2');
    assert.equal((await app.fetch(new globalThis.Request('http://h/1', { method: 'POST' }))).status, 405);
  });

  test('types', () => {
    expectTypeOf<Article['request']>().toEqualTypeOf<web.Request<{ id: string }>>();
    web.view('/{id}', Article);
    class Plain extends web.View {
      get(): web.Response {
        return new web.Response({ text: this.request.matchInfo['id'] ?? '' });
      }
    }
    web.view('/{id}', Plain);
    // @ts-expect-error not a View
    web.view('/', class {});
  });
});

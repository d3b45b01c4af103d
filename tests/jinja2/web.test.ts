import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as jinja2 from '../../src/jinja2/index.ts';
import * as web from '../../src/web/index.ts';

const loader = new jinja2.DictLoader({
  'index.html':
    'Hello {{ name }}{{ user }}{{ url("user", id=7, query_={"a": "b c"}) }}|{{ static("x.css") }}',
  'request.html': '{{ request.path }}',
  'sub.html': 'sub',
});

async function get(app: web.Application, path: string): Promise<[number, string, string | null]> {
  const response = await app.fetch(new Request(`http://localhost${path}`));
  return [response.status, await response.text(), response.headers.get('content-type')];
}

describe('templates in an application', () => {
  test('a handler’s variables are rendered, the helpers work', async () => {
    const app = new web.Application();
    jinja2.setup(app, { loader, contextProcessors: [() => ({ user: '<u>', name: 'overridden' })] });
    app.set(jinja2.staticRootKey, '/static');
    app.router.addGet(
      '/',
      jinja2.template('index.html', () => ({ name: 'you' }), { status: 201 }),
    );
    app.router.addGet('/user/{id}', () => new web.Response(), { name: 'user' });
    assert.deepEqual(await get(app, '/'), [
      201,
      'Hello you&lt;u&gt;/user/7?a=b+c|/static/x.css',
      'text/html; charset=utf-8',
    ]);
  });

  test('a response goes out as it is', async () => {
    const app = new web.Application();
    jinja2.setup(app, { loader });
    app.router.addGet(
      '/',
      jinja2.template('index.html', () => new web.Response({ text: 'plain' })),
    );
    assert.equal((await get(app, '/'))[1], 'plain');
  });

  test('a sub-application uses the environment of its parent', async () => {
    const app = new web.Application();
    const sub = new web.Application();
    jinja2.setup(app, { loader });
    sub.router.addGet('/', (request) => jinja2.renderTemplate('sub.html', request));
    app.addSubapp('/sub/', sub);
    assert.equal((await get(app, '/sub/'))[1], 'sub');
  });

  test('the request, another engine, and what is missing', async () => {
    const app = new web.Application();
    jinja2.setup(app, { loader, contextProcessors: [jinja2.requestProcessor] });
    const key = new web.AppKey<jinja2.Renderer>('other');
    jinja2.setup(app, { appKey: key, engine: { render: async (name, { a }) => `${name} ${String(a)}` } });
    app.router.addGet(
      '/request',
      jinja2.template('request.html', () => ({})),
    );
    app.router.addGet(
      '/other',
      jinja2.template('x', () => ({ a: 1 }), { appKey: key }),
    );
    app.router.addGet(
      '/missing',
      jinja2.template('nope.html', () => ({})),
    );
    assert.equal((await get(app, '/request'))[1], '/request');
    assert.equal((await get(app, '/other'))[1], 'x 1');
    assert.deepEqual((await get(app, '/missing')).slice(0, 2), [500, "Template 'nope.html' not found"]);
  });

  test('without setup', () => {
    assert.throws(() => jinja2.getEnv(new web.Application()), web.HTTPInternalServerError);
  });
});

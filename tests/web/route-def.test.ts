// biome-ignore-all lint/complexity/noStaticOnlyClass: static methods are one of the things that become routes
// biome-ignore-all lint/complexity/noThisInStatic: what `this` is in them is what is tested

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import { web } from '../../src/index.ts';

function text(value: string): web.Response {
  return new web.Response({ text: value });
}

async function ask(app: web.Application, method: string, path: string): Promise<string> {
  const response = await app.fetch(new globalThis.Request(`http://h${path}`, { method }));
  return `${response.status} ${await response.text()}`;
}

function serve(routes: Iterable<web.RouteDefinition>): web.Application {
  const app = new web.Application();
  app.addRoutes(routes);
  return app;
}

describe('functions', () => {
  test('each makes a route for its method', () => {
    const handler = (): web.Response => text('');
    const app = new web.Application();
    const routes = app.addRoutes([
      web.get('/g', handler, { name: 'g' }),
      web.get('/n', handler, { allowHead: false }),
      web.head('/h', handler),
      web.options('/o', handler),
      web.post('/p', handler),
      web.put('/p', handler),
      web.patch('/p', handler),
      web.delete('/p', handler),
      web.route('propfind', '/r', handler),
      web.route('GET', '/r', handler),
      web.route('*', '/s', handler),
    ]);
    assert.deepEqual(routes.map(String), [
      'HEAD /g',
      'GET /g',
      'GET /n',
      'HEAD /h',
      'OPTIONS /o',
      'POST /p',
      'PUT /p',
      'PATCH /p',
      'DELETE /p',
      'PROPFIND /r',
      'GET /r',
      '* /s',
    ]);
    assert.ok(routes.every((route) => route.handler === handler));
    assert.equal(app.router.get('g'), routes[0]?.resource);
    assert.deepEqual(app.router.routes(), routes);
  });

  test('a definition can be looked at before it is registered', () => {
    const handler = (): web.Response => text('');
    const definition = web.get('/{x}', handler, { name: 'x' });
    assert.equal(definition.method, 'GET');
    assert.equal(definition.path, '/{x}');
    assert.equal(definition.handler, handler);
    assert.deepEqual(definition.options, { name: 'x' });
    assert.equal(String(definition), 'GET /{x}');
  });
});

describe('RouteTableDef', () => {
  test('as functions it returns the handler', async () => {
    const routes = new web.RouteTableDef();
    const show = routes.get('/{id}', (request) => {
      expectTypeOf(request.matchInfo).toEqualTypeOf<{ id: string }>();
      return text(`get ${request.matchInfo.id}`);
    });
    routes.post('/{id}', async () => text('post'));
    routes.put('/{id}', () => text('put'), { name: 'put' });
    routes.patch('/{id}', () => text('patch'));
    routes.delete('/{id}', () => text('delete'));
    routes.options('/{id}', () => text('options'));
    routes.head('/only/head', () => text(''));
    routes.route('propfind', '/{id}', () => text('propfind'));
    assert.equal(typeof show, 'function');
    assert.equal(routes.length, 8);
    assert.equal(String(routes.at(-1)), 'PROPFIND /{id}');
    assert.equal([...routes].length, 8);
    const app = serve(routes);
    assert.equal(await ask(app, 'GET', '/7'), '200 get 7');
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      assert.equal(await ask(app, method, '/7'), `200 ${method.toLowerCase()}`);
    }
    assert.equal(await ask(app, 'GET', '/only/head'), '405 405: Method Not Allowed');
  });

  test('a table can be added to two applications', async () => {
    const routes = new web.RouteTableDef();
    routes.get('/', () => text('here'));
    assert.equal(await ask(serve(routes), 'GET', '/'), '200 here');
    assert.equal(await ask(serve(routes), 'GET', '/'), '200 here');
  });

  test('mistakes are reported by addRoutes', () => {
    const routes = new web.RouteTableDef();
    routes.get('/', undefined as never);
    assert.throws(() => serve(routes), {
      name: 'TypeError',
      code: 'AIO_ROUTE_HANDLER',
      message: /handler of HEAD \/ must be a function.*got undefined/,
    });
    const promised = new web.RouteTableDef();
    promised.get('/', Promise.resolve(text('')) as never);
    assert.throws(() => serve(promised), /got a promise/);
    const response = new web.RouteTableDef();
    response.get('/', text('') as never);
    assert.throws(() => serve(response), /got an object of type Response/);
  });
});

describe('decorators', () => {
  test('static methods are called with their class as this', async () => {
    const routes = new web.RouteTableDef();
    class Pages {
      static title = 'hello';

      @routes.get('/')
      static index(): web.Response {
        return text(this.title);
      }

      @routes.get('/{name}', { name: 'page' })
      static async page(request: web.Request<{ name: string }>): Promise<web.Response> {
        return text(`${this.title} ${request.matchInfo.name}`);
      }

      @routes.post('/{name}')
      static #hidden(): web.Response {
        return text('private');
      }

      static hidden(): unknown {
        return Pages.#hidden;
      }
    }
    assert.equal(typeof Pages.hidden(), 'function');
    const app = serve(routes);
    assert.equal(await ask(app, 'GET', '/'), '200 hello');
    assert.equal(await ask(app, 'GET', '/ann'), '200 hello ann');
    assert.equal(await ask(app, 'POST', '/ann'), '200 private');
    assert.ok(app.router.has('page'));
    Pages.title = 'bye';
    assert.equal(await ask(app, 'GET', '/'), '200 bye');
  });

  test('methods of instances are called on the instance that was bound', async () => {
    const routes = new web.RouteTableDef();
    class Counter {
      #count = 0;

      @routes.get('/')
      read(): web.Response {
        return text(`${this.#count}`);
      }

      @routes.post('/')
      async add(): Promise<web.Response> {
        return text(`${++this.#count}`);
      }
    }
    const counter = new Counter();
    assert.throws(() => serve(routes), {
      code: 'AIO_ROUTE_UNBOUND',
      message: /GET \/ \(read\) is a method of instances, and no instance is known: call routes\.bind/,
    });
    assert.equal(routes.bind(counter), counter);
    const app = serve(routes);
    assert.equal(await ask(app, 'POST', '/'), '200 1');
    assert.equal(await ask(app, 'GET', '/'), '200 1');
    assert.throws(() => routes.bind(new Counter()), {
      code: 'AIO_ROUTE_UNBOUND',
      message: /is bound already/,
    });
    assert.throws(() => routes.bind({}), {
      code: 'AIO_ROUTE_UNBOUND',
      message: /No method of an object of type Object is decorated/,
    });
  });

  test('classes that share a table and method names are kept apart, and subclasses override', async () => {
    const routes = new web.RouteTableDef();
    class A {
      @routes.get('/a')
      show(): web.Response {
        return text('A');
      }
    }
    class B {
      @routes.get('/b')
      show(): web.Response {
        return text('B');
      }
    }
    class C extends B {
      override show(): web.Response {
        return text('C');
      }
    }
    routes.bind(new A());
    routes.bind(new C());
    const app = serve(routes);
    assert.equal(await ask(app, 'GET', '/a'), '200 A');
    assert.equal(await ask(app, 'GET', '/b'), '200 C');
  });

  test('the order in the table is the order of the source', () => {
    const routes = new web.RouteTableDef();
    routes.get('/1', () => text(''));
    class Pages {
      @routes.get('/2')
      static two(): web.Response {
        return text('');
      }

      @routes.get('/3')
      three(): web.Response {
        return text('');
      }
    }
    routes.get('/4', () => text(''));
    routes.bind(new Pages());
    const paths = serve(routes)
      .router.resources()
      .map((resource) => resource.canonical);
    assert.deepEqual(paths, ['/1', '/2', '/3', '/4']);
  });

  test('a View class can be decorated', async () => {
    const routes = new web.RouteTableDef();
    @routes.view('/v/{id}')
    class Item extends web.View<{ id: string }> {
      get(): web.Response {
        return text(`item ${this.request.matchInfo.id}`);
      }
    }
    const app = serve(routes);
    assert.equal(await ask(app, 'GET', '/v/1'), '200 item 1');
    assert.equal(app.router.routes()[0]?.handler, Item);
    const other = new web.RouteTableDef();
    assert.equal(other.view('/w/{id}', Item), Item);
    assert.equal(await ask(serve(other), 'GET', '/w/2'), '200 item 2');
  });

  test('what other decorators left on the method is on the handler', () => {
    const routes = new web.RouteTableDef();
    function marked<F extends object>(method: F): F {
      return Object.assign(method, { loginRequired: true });
    }
    class Pages {
      @routes.get('/')
      @marked
      static index(): web.Response {
        return text('');
      }
    }
    assert.ok(Pages);
    const [route] = serve(routes).router.routes();
    assert.equal((route?.handler as { loginRequired?: boolean } | undefined)?.loginRequired, true);
    assert.equal(route?.handler.name, 'index');
  });

  test('old decorators and other places are refused', () => {
    const routes = new web.RouteTableDef();
    const decorate = routes.get('/') as unknown as (...values: unknown[]) => void;
    assert.throws(() => decorate({}, 'index', {}), {
      code: 'AIO_ROUTE_DECORATOR',
      message: /experimentalDecorators/,
    });
    assert.throws(() => decorate(undefined, { kind: 'field', addInitializer() {} }), {
      code: 'AIO_ROUTE_DECORATOR',
      message: /decorates a field/,
    });
  });

  test('types: the method must fit the path', () => {
    const routes = new web.RouteTableDef();
    class Pages {
      // @ts-expect-error the path has no parameter 'name'
      @routes.get('/{id}')
      static index(request: web.Request<{ name: string }>): web.Response {
        return text(request.matchInfo.name);
      }
    }
    assert.ok(Pages);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { web } from '../../src/index.ts';
import { rawRequest } from './raw-request.ts';

const ok = (): web.Response => new web.Response({ text: 'ok' });

function application(options: web.NormalizePathOptions, paths: readonly string[]): web.Application {
  const app = new web.Application({ middlewares: [web.normalizePathMiddleware(options)] });
  app.addRoutes(paths.map((path) => web.get(path, ok)));
  return app;
}

/** `308 /path` or `200`, for the target exactly as it is written. */
async function go(app: web.Application, target: string, method = 'GET'): Promise<string> {
  const runner = new web.AppRunner(app);
  await runner.setup();
  try {
    const site = new web.TCPSite(runner, '127.0.0.1', 0);
    await site.start();
    const answer = await rawRequest(
      site.port,
      `${method} ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
    );
    const status = answer.slice(9, 12);
    const location = /^location: (.*)$/im.exec(answer)?.[1];
    return location === undefined ? status : `${status} ${location.trim()}`;
  } finally {
    await runner.cleanup();
  }
}

describe('by default it merges and appends', () => {
  const paths = ['/', '/a/{x}/', '/b', '/{x}/', '/{x}/{y}/'];
  for (const [target, expected] of [
    ['/', '200'],
    ['/a/1/', '200'],
    ['/a/1', '308 /a/1/'],
    ['/a/1?q=1&q=/x/', '308 /a/1/?q=1&q=/x/'],
    ['//a///1', '308 /a/1/'],
    ['/slash//', '308 /slash/'],
    ['/slash?a=1', '308 /slash/?a=1'],
    ['/b', '200'],
    ['/b/', '200'],
    ['/a/b/c/d', '404'],
    ['/%2Fx', '308 /%2Fx/'],
    ['/caf%C3%A9', '308 /caf%C3%A9/'],
    ['//evil.example', '308 /evil.example/'],
    ['///evil.example/', '308 /evil.example/'],
    ['//evil.example/..%2f', '308 /evil.example/..%2f/'],
    ['//evil.example/%2e%2e', '308 /evil.example/%2e%2e/'],
    ['http://h//evil.example', '308 /evil.example/'],
    ['http://h', '200'],
  ] as const) {
    test(target, async () => assert.equal(await go(application({}, paths), target), expected));
  }

  test('a backslash cannot name a host', async () => {
    const location = await go(application({}, paths), '/\\evil.example');
    assert.equal(location, '308 /%5Cevil.example/');
  });

  test('an asterisk is no path', async () => {
    assert.equal(await go(application({}, paths), '*', 'OPTIONS'), '404');
  });
});

describe('options', () => {
  test('removeSlash', async () => {
    const app = (): web.Application => application({ removeSlash: true }, ['/', '/a/{x}', '/b']);
    assert.equal(await go(app(), '/a/1/'), '308 /a/1');
    assert.equal(await go(app(), '/a//1//'), '308 /a/1');
    assert.equal(await go(app(), '/b/?q'), '308 /b?q');
    assert.equal(await go(app(), '//'), '308 /');
    assert.equal(await go(app(), '/c/'), '404');
  });

  test('without merging', async () => {
    const app = (): web.Application => application({ mergeSlashes: false }, ['/a/']);
    assert.equal(await go(app(), '/a'), '308 /a/');
    assert.equal(await go(app(), '/a//'), '404');
    assert.equal(await go(app(), '//a'), '308 /a/');
  });

  test('nothing at all', async () => {
    const app = application({ mergeSlashes: false, appendSlash: false }, ['/a/']);
    assert.equal(await go(app, '/a'), '404');
  });

  test('redirectClass', async () => {
    assert.equal(await go(application({ redirectClass: web.HTTPFound }, ['/a/']), '/a'), '302 /a/');
  });

  test('to append and to remove is refused', () => {
    assert.throws(() => web.normalizePathMiddleware({ appendSlash: true, removeSlash: true }), {
      name: 'TypeError',
      code: 'AIO_NORMALIZE_PATH',
      message: /Cannot both remove and append slash/,
    });
  });
});

test('it redirects only to what resolves, for the method of the request (bug 3669)', async () => {
  const app = (): web.Application =>
    application({ appendSlash: false, removeSlash: true }, ['/paymethod', '/paymethods']);
  assert.equal(await go(app(), '/paymethods'), '200');
  assert.equal(await go(app(), '/paymethodx'), '404');
  assert.equal(await go(app(), '/paymethod/', 'POST'), '404');
  assert.equal(await go(app(), '/paymethod', 'POST'), '405');
});

test('in a sub-application it looks at the routes of that application', async () => {
  const sub = application({}, ['/x/']);
  const app = new web.Application();
  app.addSubapp('/sub', sub);
  assert.equal(await go(app, '/sub/x'), '308 /sub/x/');
});

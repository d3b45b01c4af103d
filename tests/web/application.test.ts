import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import { web } from '../../src/index.ts';
import { testRequest } from '../../src/testing/index.ts';

const { AppKey, Application, Response } = web;

const ok = (): web.Response => new Response({ text: 'ok' });

function logContexts(app: web.Application, log: string[], name: string): void {
  for (const number of [1, 2]) {
    app.cleanupCtx.append(async function* () {
      log.push(`${name}.ctx${number}:enter`);
      yield;
      log.push(`${name}.ctx${number}:exit`);
    });
  }
}

describe('state', () => {
  const COUNT = new AppKey<number>('count');

  test('is typed by its key', () => {
    const app = new Application();
    app.set(COUNT, 7);
    assert.equal(app.get(COUNT), 7);
    assert.equal(app.has(COUNT), true);
    assert.equal(app.delete(COUNT), true);
    assert.equal(app.delete(COUNT), false);
    assert.equal(app.has(COUNT), false);
    expectTypeOf(() => app.get(COUNT)).returns.toEqualTypeOf<number>();
    expectTypeOf(() => app.get(COUNT, undefined)).returns.toEqualTypeOf<number | undefined>();
    expectTypeOf(() => app.get('text')).returns.toEqualTypeOf<unknown>();
    // @ts-expect-error a value of another type
    app.set(COUNT, 'seven');
  });

  test('keys of the same name do not collide', () => {
    const app = new Application();
    const other = new AppKey<string>('count');
    app.set(COUNT, 1).set(other, 'one').set('count', 'text');
    assert.deepEqual([app.get(COUNT), app.get(other), app.get('count')], [1, 'one', 'text']);
    assert.equal(String(COUNT), '<AppKey(count)>');
  });

  test('says which key is missing, unless there is a fallback', () => {
    const app = new Application();
    const missing = {
      name: 'KeyMissingError',
      code: 'AIO_KEY_MISSING',
      message: /<AppKey\(count\)> is not set/,
    };
    assert.throws(() => app.get(COUNT), missing);
    assert.throws(() => app.get('db'), /'db' is not set/);
    assert.equal(app.get(COUNT, 5), 5);
    assert.equal(app.get('db', undefined), undefined);
    app.set('empty', undefined);
    assert.equal(app.get('empty', 'fallback'), undefined);
  });

  test('may be set during the start and not behind it', async () => {
    const app = new Application();
    app.onStartup.append((inner) => void inner.set(COUNT, 3));
    await app.startup();
    app.freeze();
    const forbidden = {
      name: 'StateError',
      code: 'AIO_APP_STATE',
      message: /Changing state of a started application is forbidden: <AppKey\(count\)>/,
    };
    assert.throws(() => app.set(COUNT, 4), forbidden);
    assert.throws(() => app.delete(COUNT), forbidden);
    assert.equal(app.get(COUNT), 3);
    await app.cleanup();
  });

  test('a key needs a name', () => {
    assert.throws(() => new AppKey(''), TypeError);
    assert.throws(() => new AppKey(undefined as never), TypeError);
  });
});

describe('configDict', () => {
  const A = new AppKey<string>('a');
  const B = new AppKey<string>('b');
  const C = new AppKey<string>('c');

  test('looks in the sub-application first, then in its parents', () => {
    const root = new Application();
    const middle = new Application();
    const inner = new Application();
    middle.addSubapp('/inner', inner);
    root.addSubapp('/middle', middle);
    root.set(A, 'root').set(B, 'root').set(C, 'root');
    middle.set(B, 'middle').set(C, 'middle');
    inner.set(C, 'inner');
    assert.deepEqual(
      [A, B, C].map((key) => inner.configDict.get(key)),
      ['root', 'middle', 'inner'],
    );
    assert.deepEqual(
      [A, B, C].map((key) => root.configDict.get(key)),
      ['root', 'root', 'root'],
    );
    expectTypeOf(() => inner.configDict.get(A)).returns.toEqualTypeOf<string>();
  });

  test('names a key that nobody has', () => {
    const app = new Application();
    assert.equal(app.configDict.has(A), false);
    assert.equal(app.configDict.get(A, 'x'), 'x');
    assert.throws(() => app.configDict.get(A), { code: 'AIO_KEY_MISSING', message: /<AppKey\(a\)>/ });
  });

  test('never shows the keys of a sub-application to its parent', () => {
    const root = new Application();
    const sub = new Application();
    root.addSubapp('/sub', sub);
    sub.set(A, 'sub');
    assert.equal(root.configDict.has(A), false);
  });
});

describe('freezing', () => {
  test('closes lists and routes', () => {
    const app = new Application();
    app.freeze();
    app.freeze();
    assert.equal(app.frozen, true);
    const frozen = { code: 'AIO_FROZEN' };
    assert.throws(() => app.middlewares.append((request, handler) => handler(request)), frozen);
    assert.throws(() => app.onStartup.append(ok), frozen);
    assert.throws(() => app.onShutdown.append(ok), frozen);
    assert.throws(() => app.onCleanup.append(ok), frozen);
    assert.throws(() => app.onResponsePrepare.append(ok), frozen);
    assert.throws(() => app.cleanupCtx.append(async function* () {}), frozen);
    assert.throws(() => app.router.addGet('/x', ok), /frozen/);
    assert.throws(() => app.addSubapp('/x', new Application()), { code: 'AIO_APP_STATE' });
  });

  test('adding a sub-application closes it at once, but for its state', () => {
    const app = new Application();
    const sub = new Application();
    app.addSubapp('/sub/', sub);
    assert.equal(sub.preFrozen, true);
    assert.equal(sub.frozen, false);
    assert.throws(() => sub.onStartup.append(ok), { code: 'AIO_FROZEN' });
    assert.throws(() => sub.addRoutes([web.get('/', ok)]), /frozen/);
    sub.set('key', 1);
    assert.throws(() => sub.freeze(), { code: 'AIO_APP_STATE' });
    app.freeze();
    assert.equal(sub.frozen, true);
    assert.throws(() => sub.set('key', 2), { code: 'AIO_APP_STATE' });
  });
});

describe('sub-applications', () => {
  test('are refused where they could not work', () => {
    const app = new Application();
    for (const prefix of ['', '/', '//'])
      assert.throws(() => app.addSubapp(prefix, new Application()), RangeError);
    assert.throws(() => app.addSubapp(1 as never, new Application()), TypeError);
    assert.throws(() => app.addSubapp('/x', {} as never), TypeError);
    assert.throws(() => app.addSubapp('/x', app), { code: 'AIO_APP_STATE' });
    const sub = new Application();
    app.addSubapp('/one', sub);
    assert.throws(() => app.addSubapp('/two', sub), { code: 'AIO_APP_STATE', message: /twice/ });
    const started = new Application();
    started.freeze();
    assert.throws(() => app.addSubapp('/three', started), { code: 'AIO_APP_STATE' });
  });

  test('and domains are refused by what is no domain', () => {
    const app = new Application();
    assert.throws(() => app.addDomain(123 as never, new Application()), TypeError);
    assert.throws(() => app.addDomain('http://example.com', new Application()), /Scheme not supported/);
  });

  test('start, shut down and clean up in the verified order', async () => {
    const log: string[] = [];
    const root = new Application();
    const sub = new Application();
    const note = (text: string) => () => void log.push(text);
    logContexts(root, log, 'root');
    logContexts(sub, log, 'sub');
    root.onStartup.append(note('root.startup'));
    root.onShutdown.append(note('root.shutdown'));
    root.onCleanup.append(note('root.cleanup'));
    sub.onStartup.append(note('sub.startup'));
    sub.onShutdown.append(note('sub.shutdown'));
    sub.onCleanup.append(note('sub.cleanup'));
    root.addSubapp('/sub', sub);
    root.onStartup.append(note('root.startup2'));
    root.onCleanup.append(note('root.cleanup2'));
    await root.startup();
    log.push('|');
    await root.shutdown();
    log.push('|');
    await root.cleanup();
    assert.deepEqual(log, [
      ...['root.ctx1:enter', 'root.ctx2:enter', 'root.startup'],
      ...['sub.ctx1:enter', 'sub.ctx2:enter', 'sub.startup', 'root.startup2', '|'],
      ...['root.shutdown', 'sub.shutdown', '|'],
      ...['root.ctx2:exit', 'root.ctx1:exit', 'root.cleanup'],
      ...['sub.ctx2:exit', 'sub.ctx1:exit', 'sub.cleanup', 'root.cleanup2'],
    ]);
  });

  test('serve what is under their prefix, and nothing else does', async () => {
    const root = new Application();
    const sub = new Application();
    sub.addRoutes([
      web.get('/hello', () => new Response({ text: 'sub' })),
      web.get('', () => new Response({ text: 'bare' })),
    ]);
    root.addSubapp('/sub', sub);
    root.addRoutes([web.get('/{tail:.*}', ok)]);
    const text = async (path: string) => {
      const response = await testRequest(root, path);
      return `${response.status} ${await response.text()}`;
    };
    assert.equal(await text('/sub/hello'), '200 sub');
    assert.equal(await text('/sub'), '200 bare');
    assert.equal(await text('/sub/'), '404 404: Not Found');
    assert.equal(await text('/sub/other'), '404 404: Not Found');
    assert.equal(await text('/subway'), '200 ok');
    await root.cleanup();
  });

  test('of a domain are tried before any path', async () => {
    const root = new Application();
    const sub = new Application();
    root.addRoutes([web.get('/', () => new Response({ text: 'root' }))]);
    sub.addRoutes([web.get('/', () => new Response({ text: 'sub' }))]);
    root.addDomain('*.example.com', sub);
    const get = async (host: string) => (await testRequest(root, `http://${host}/`)).text();
    assert.equal(await get('API.example.com'), 'sub');
    assert.equal(await get('example.org'), 'root');
    await root.cleanup();
  });
});

describe('lifecycle', () => {
  test('starting twice starts once, and never again after the end', async () => {
    const app = new Application();
    let starts = 0;
    app.onStartup.append(() => void starts++);
    await Promise.all([app.startup(), app.startup()]);
    assert.equal(starts, 1);
    await app.cleanup();
    const late = new Application();
    await late.cleanup();
    await assert.rejects(late.startup(), { code: 'AIO_APP_STATE', message: /cannot start again/ });
  });

  test('cleans up once', async () => {
    const app = new Application();
    let ends = 0;
    app.onCleanup.append(() => void ends++);
    await app.startup();
    await Promise.all([app.cleanup(), app.cleanup()]);
    assert.equal(ends, 1);
  });

  test('is disposable', async () => {
    const log: string[] = [];
    const app = new Application();
    app.onShutdown.append(() => void log.push('shutdown'));
    app.onCleanup.append(() => void log.push('cleanup'));
    await app.startup();
    await app[Symbol.asyncDispose]();
    assert.deepEqual(log, ['shutdown', 'cleanup']);
  });

  test('checks its options', () => {
    assert.throws(() => new Application({ clientMaxSize: -1 }), RangeError);
    assert.throws(() => new Application({ clientMaxSize: '1' as never }), RangeError);
    assert.throws(() => new Application({ middlewares: [undefined as never] }), {
      name: 'TypeError',
      message: /middleware must be a function.*undefined/,
    });
  });
});

describe('onResponsePrepare', () => {
  test('is called for every response, the root first, and may change headers', async () => {
    const log: string[] = [];
    const root = new Application();
    const sub = new Application();
    root.onResponsePrepare.append((request, response) => {
      log.push(`root ${request.path} ${response.status}`);
      response.headers.set('X-Root', '1');
    });
    sub.onResponsePrepare.append(async (_request, response) => {
      log.push('sub');
      response.headers.set('X-Sub', '1');
    });
    sub.addRoutes([web.get('/x', ok)]);
    root.addSubapp('/sub', sub);
    root.addRoutes([web.get('/x', ok)]);
    const inSub = await testRequest(root, '/sub/x');
    assert.equal(inSub.headers.get('x-root'), '1');
    assert.equal(inSub.headers.get('x-sub'), '1');
    assert.equal(await inSub.text(), 'ok');
    const inRoot = await testRequest(root, '/x');
    assert.equal(inRoot.headers.get('x-root'), '1');
    assert.equal(inRoot.headers.get('x-sub'), null);
    assert.equal((await testRequest(root, '/missing')).headers.get('x-root'), '1');
    assert.deepEqual(log, ['root /sub/x 200', 'sub', 'root /x 200', 'root /missing 404']);
    await root.cleanup();
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { web } from '../../src/index.ts';

const { Application, CleanupError } = web;

function logged(log: string[], name: string): web.CleanupContextFunction {
  return async function* () {
    log.push(`${name}:enter`);
    yield;
    log.push(`${name}:exit`);
  };
}

async function runThrough(app: web.Application): Promise<void> {
  await app.startup();
  app.freeze();
  await app.shutdown();
  await app.cleanup();
}

describe('cleanupCtx', () => {
  test('enters in order and exits in reverse', async () => {
    const log: string[] = [];
    const app = new Application();
    app.cleanupCtx.append(logged(log, 'one'), logged(log, 'two'));
    app.onStartup.append(() => void log.push('startup'));
    app.onCleanup.append(() => void log.push('cleanup'));
    await runThrough(app);
    assert.deepEqual(log, ['one:enter', 'two:enter', 'startup', 'two:exit', 'one:exit', 'cleanup']);
  });

  test('takes functions that return a disposable, a promise of one, or a synchronous one', async () => {
    const log: string[] = [];
    const app = new Application();
    app.cleanupCtx.append(
      () => ({ [Symbol.asyncDispose]: async () => void log.push('async') }),
      async () => ({ [Symbol.asyncDispose]: async () => void log.push('promised') }),
      () => ({ [Symbol.dispose]: () => void log.push('sync') }),
      logged(log, 'generator'),
    );
    await runThrough(app);
    assert.deepEqual(log, ['generator:enter', 'generator:exit', 'sync', 'promised', 'async']);
  });

  test('gives the application to set state on', async () => {
    const DB = new web.AppKey<{ open: boolean }>('db');
    const app = new Application();
    const db = { open: true };
    app.cleanupCtx.append(async function* (inner) {
      inner.set(DB, db);
      yield;
      inner.get(DB).open = false;
    });
    await app.startup();
    app.freeze();
    assert.equal(app.get(DB).open, true);
    await app.cleanup();
    assert.equal(db.open, false);
  });

  test('a third context that fails to start leaves the first two to be exited', async () => {
    const log: string[] = [];
    const app = new Application();
    app.cleanupCtx.append(logged(log, 'one'), logged(log, 'two'), async function* () {
      log.push('three:enter');
      yield* [];
      throw new Error('no third');
    });
    app.onCleanup.append(() => void log.push('cleanup'));
    await assert.rejects(app.startup(), /no third/);
    await app.cleanup();
    assert.deepEqual(log, ['one:enter', 'two:enter', 'three:enter', 'two:exit', 'one:exit']);
  });

  test('a start-up function that fails leaves the contexts to be exited, and onCleanup uncalled', async () => {
    const log: string[] = [];
    const app = new Application();
    app.cleanupCtx.append(logged(log, 'one'), logged(log, 'two'));
    app.onStartup.append(() => {
      log.push('startup');
      throw new Error('boom');
    });
    app.onCleanup.append(() => void log.push('cleanup'));
    await assert.rejects(app.startup(), /boom/);
    await app.cleanup();
    assert.deepEqual(log, ['one:enter', 'two:enter', 'startup', 'two:exit', 'one:exit']);
  });

  test('one failing exit is thrown as it is, and the others run', async () => {
    const log: string[] = [];
    const app = new Application();
    const failure = new Error('exit');
    app.cleanupCtx.append(logged(log, 'one'), async function* () {
      yield;
      throw failure;
    });
    await app.startup();
    await assert.rejects(app.cleanup(), (error) => error === failure);
    assert.deepEqual(log, ['one:enter', 'one:exit']);
  });

  test('several failing exits make a CleanupError in exit order', async () => {
    const app = new Application();
    for (const name of ['one', 'two', 'three']) {
      app.cleanupCtx.append(async function* () {
        yield;
        throw new Error(name);
      });
    }
    await app.startup();
    await assert.rejects(app.cleanup(), (error: unknown) => {
      assert.ok(error instanceof CleanupError);
      assert.equal(error.code, 'AIO_CLEANUP');
      assert.match(error.message, /^Multiple errors on cleanup stage/);
      assert.deepEqual(
        error.errors.map((inner: Error) => inner.message),
        ['three', 'two', 'one'],
      );
      return true;
    });
  });

  test('a generator that yields twice is ended and reported', async () => {
    const log: string[] = [];
    const app = new Application();
    app.cleanupCtx.append(async function* twice() {
      try {
        yield;
        yield;
      } finally {
        log.push('finally');
      }
    });
    await app.startup();
    await assert.rejects(app.cleanup(), /twice yielded twice/);
    assert.deepEqual(log, ['finally']);
  });

  test('a generator that never yields fails the start', async () => {
    const app = new Application();
    app.cleanupCtx.append(async function* never() {});
    await assert.rejects(app.startup(), /never never yielded/);
    await app.cleanup();
  });

  test('says what is wrong with a function that returns nothing to exit', async () => {
    const app = new Application();
    app.cleanupCtx.append((async () => {}) as never);
    await assert.rejects(app.startup(), {
      name: 'TypeError',
      message: /Symbol\.asyncDispose, got undefined/,
    });
    await app.cleanup();
  });

  test('a failing exit does not keep onCleanup functions and sub-applications from ending', async () => {
    const log: string[] = [];
    const app = new Application();
    const sub = new Application();
    sub.cleanupCtx.append(logged(log, 'sub'));
    app.cleanupCtx.append(async function* () {
      yield;
      throw new Error('root exit');
    });
    app.onCleanup.append(() => {
      throw new Error('root cleanup');
    });
    app.addSubapp('/sub', sub);
    await app.startup();
    await assert.rejects(app.cleanup(), CleanupError);
    assert.deepEqual(log, ['sub:enter', 'sub:exit']);
  });

  test('contexts of a sub-application are exited when a later start-up function of the root fails', async () => {
    const log: string[] = [];
    const app = new Application();
    const sub = new Application();
    sub.cleanupCtx.append(logged(log, 'sub'));
    app.addSubapp('/sub', sub);
    app.onStartup.append(() => {
      throw new Error('late');
    });
    await assert.rejects(app.startup(), /late/);
    await app.cleanup();
    assert.deepEqual(log, ['sub:enter', 'sub:exit']);
  });
});

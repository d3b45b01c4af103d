import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import * as asyncio from '../../src/asyncio/index.ts';
import { runProgram } from './child.ts';

const { CancelledError, createTask, ThreadPool, threadModule, toThread } = asyncio;

/** What thread-work.mjs exports. */
interface ThreadWork {
  double(n: number): number;
  slowly(text: string): Promise<string>;
  fail(): never;
  readonly notAFunction: number;
}

/** Keeps a processor busy. */
function spin(): never {
  for (;;);
}

describe('toThread', () => {
  test('functions of every form, with arguments', async () => {
    assert.equal(await toThread((a: number, b: number) => a + b, 1, 2), 3);
    assert.equal(await toThread(async (text: string) => text.toUpperCase(), 'x'), 'X');
    assert.equal(
      await toThread(function named() {
        return 1;
      }),
      1,
    );
    assert.deepEqual(
      await toThread(() => new Map([['a', new Uint8Array([1])]])),
      new Map([['a', new Uint8Array([1])]]),
    );
    const promise = toThread((n: number) => String(n), 1);
    expectTypeOf(promise).resolves.toEqualTypeOf<string>();
    await promise;
  });

  test('it is another thread, and the event loop goes on', async () => {
    const id = await toThread(async () => (await import('node:worker_threads')).threadId);
    assert.notEqual(id, (await import('node:worker_threads')).threadId);
    // The thread waits for what only the event loop of this one can do.
    const flag = new Int32Array(new SharedArrayBuffer(4));
    setTimeout(() => {
      Atomics.store(flag, 0, 1);
      Atomics.notify(flag, 0);
    }, 1);
    const woken = await toThread((shared: typeof flag) => Atomics.wait(shared, 0, 0, 60_000), flag);
    assert.notEqual(woken, 'timed-out');
  });

  test('errors come back with class, message, code, properties and the stack of both sides', async () => {
    await assert.rejects(
      toThread(() => {
        throw Object.assign(new TypeError('bad'), { code: 'X', extra: [1] });
      }),
      (error: Error & { code?: string; extra?: unknown }) => {
        assert.ok(error instanceof TypeError);
        assert.deepEqual([error.message, error.code, error.extra], ['bad', 'X', [1]]);
        assert.match(error.stack!, /TypeError: bad[\s\S]*in a thread, called/);
        return true;
      },
    );
    await assert.rejects(
      toThread(() => {
        class Mine extends Error {
          override name = 'Mine';
        }
        throw new Mine('own class');
      }),
      { name: 'Mine', message: 'own class' },
    );
    await assert.rejects(
      toThread(() => Promise.reject('no Error')),
      (thrown) => thrown === 'no Error',
    );
  });

  test('a function that uses its surroundings is told so', async () => {
    const surroundings = 1;
    await assert.rejects(
      toThread(() => surroundings + 1),
      {
        name: 'ReferenceError',
        message:
          /surroundings is not defined: the function given to toThread runs in another thread.*threadModule/,
      },
    );
  });

  test('what cannot be sent is refused', async () => {
    assert.throws(() => toThread(5 as never), TypeError);
    assert.throws(() => toThread(Math.max, 1, 2), { name: 'TypeError', message: /native or bound/ });
    const object = {
      method(): number {
        return 1;
      },
    };
    assert.throws(() => toThread(object.method), { name: 'TypeError', message: /methods and classes/ });
    await assert.rejects(
      toThread(
        (fn: () => void) => fn(),
        () => {},
      ),
      { name: 'TypeError', message: /arguments cannot be sent/ },
    );
    await assert.rejects(
      toThread(() => () => {}),
      { message: /could not be cloned/ },
    );
    assert.equal(await toThread(() => 'still works'), 'still works');
  });

  test('cancelling ends the thread, and the next work has another', async () => {
    await using pool = new ThreadPool({ size: 1 });
    const task = createTask(() => pool.run(spin));
    await asyncio.sleep(20);
    const queued = pool.run(() => 'next');
    task.cancel();
    await assert.rejects(async () => await task, CancelledError);
    assert.equal(await queued, 'next');
    await assert.rejects(
      asyncio.timeout(20, () => pool.run(spin)),
      asyncio.TimeoutError,
    );
  });

  test('work that waits for a thread can be cancelled', async () => {
    await using pool = new ThreadPool({ size: 1 });
    const first = pool.run(async () => await new Promise((resolve) => setTimeout(resolve, 30, 'first')));
    const second = createTask(() => pool.run(() => 'second'));
    await asyncio.sleep(0);
    second.cancel();
    await assert.rejects(async () => await second, CancelledError);
    assert.equal(await first, 'first');
  });

  test('a thread that ends itself: the error says so', async () => {
    await using pool = new ThreadPool({ size: 1 });
    await assert.rejects(
      pool.run(() => process.exit(3)),
      /exit code 3/,
    );
    assert.equal(await pool.run(() => 1), 1);
  });

  test('never more threads than its size; close ends what runs', async () => {
    const pool = new ThreadPool({ size: 2 });
    const ids = await Promise.all(
      Array.from({ length: 8 }, () => pool.run(async () => (await import('node:worker_threads')).threadId)),
    );
    assert.ok(new Set(ids).size <= 2);
    const running = assert.rejects(pool.run(spin), { code: 'AIO_INVALID_STATE' });
    const queued = Array.from({ length: 3 }, () =>
      assert.rejects(pool.run(spin), { code: 'AIO_INVALID_STATE' }),
    );
    await pool.close();
    await running;
    await Promise.all(queued);
    await assert.rejects(
      pool.run(() => 1),
      { code: 'AIO_INVALID_STATE', message: /closed/ },
    );
    assert.throws(() => new ThreadPool({ size: 0 }), RangeError);
  });

  test('idle threads end after a while, and do not keep the process', async () => {
    const { code, stdout } = await runProgram(`console.log(await asyncio.toThread((n) => n + 1, 1));`);
    assert.deepEqual([code, stdout], [0, '2\n']);
    await using pool = new ThreadPool({ size: 1, idleTimeout: 1 });
    const first = await pool.run(async () => (await import('node:worker_threads')).threadId);
    await asyncio.sleep(50);
    const second = await pool.run(async () => (await import('node:worker_threads')).threadId);
    assert.notEqual(first, second);
  });
});

describe('threadModule', () => {
  const work = threadModule<ThreadWork>(new URL('./thread-work.mjs', import.meta.url));

  test('the exports of a module', async () => {
    assert.equal(await work.double(21), 42);
    assert.equal(await work.slowly('text'), 'text');
    expectTypeOf(work.double).toEqualTypeOf<(n: number) => Promise<number>>();
    expectTypeOf(work.slowly).toEqualTypeOf<(text: string) => Promise<string>>();
    expectTypeOf<keyof typeof work>().toEqualTypeOf<'double' | 'slowly' | 'fail'>();
    await assert.rejects(work.fail(), (error: Error & { code?: string; detail?: unknown; fn?: unknown }) => {
      assert.ok(error instanceof RangeError);
      assert.deepEqual([error.code, error.detail, typeof error.fn], ['MINE', { a: 1 }, 'string']);
      return true;
    });
  });

  test('can be returned from an async function; what is no function is refused', async () => {
    const same = await (async () => work)();
    assert.equal(await same.double(1), 2);
    const loose = work as unknown as Record<string, () => Promise<unknown>>;
    await assert.rejects(loose['notAFunction']!(), {
      name: 'TypeError',
      message: /'notAFunction' is not a function/,
    });
    await assert.rejects(loose['missing']!(), TypeError);
  });

  test('a module of Node', async () => {
    const zlib = threadModule<typeof import('node:zlib')>(new URL('node:zlib'));
    assert.ok((await zlib.gzipSync('text')).length > 0);
  });
});

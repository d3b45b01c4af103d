import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { expectTypeOf } from 'expect-type';
import * as asyncio from '../../src/asyncio/index.ts';

const { ContextVar, copyContext, createTask, sleep } = asyncio;

describe('ContextVar', () => {
  test('a task has a copy; what it sets is its own, through its waits', async () => {
    const variable = new ContextVar<number>('n');
    variable.set(1);
    const seen: number[] = [];
    await asyncio.gather(
      ...[10, 20].map((n) => async () => {
        seen.push(variable.get());
        variable.set(n);
        await sleep(0);
        seen.push(variable.get());
        await createTask(() => seen.push(variable.get() + 1));
      }),
    );
    seen.push(variable.get());
    assert.deepEqual(
      seen.sort((a, b) => a - b),
      [1, 1, 1, 10, 11, 20, 21],
    );
    assert.equal(asyncio.contextVarsInUse(), true);
  });

  test('an awaited function shares the values of its caller', async () => {
    const variable = new ContextVar('v', { default: 'unset' });
    await createTask(async () => {
      await (async () => {
        variable.set('set inside');
      })();
      assert.equal(variable.get(), 'set inside');
      await asyncio.timeout(60_000, () => variable.set('in a timeout'));
      await asyncio.taskGroup(() => {
        assert.equal(variable.get(), 'in a timeout');
      });
    });
    assert.equal(variable.get(), 'unset');
  });

  test('get: the value, the fallback, the default, LookupError', async () => {
    const variable = new ContextVar<number | undefined>('empty');
    assert.throws(() => variable.get(), { name: 'LookupError', code: 'AIO_NO_VALUE', message: /'empty'/ });
    assert.equal(variable.get(5), 5);
    assert.equal(new ContextVar('d', { default: 3 }).get(), 3);
    assert.equal(new ContextVar('d', { default: 3 }).get(4), 4);
    await copyContext().run(async () => {
      variable.set(undefined);
      assert.equal(variable.get(1), undefined);
    });
    expectTypeOf(new ContextVar('x', { default: 'a' }).get()).toEqualTypeOf<string>();
  });

  test('reset by token: back to the value before, or to none; a token serves once', () => {
    copyContext().run(() => {
      const variable = new ContextVar<number>('r');
      const first = variable.set(1);
      const second = variable.set(2);
      assert.equal(second.oldValue, 1);
      variable.reset(second);
      assert.equal(variable.get(), 1);
      variable.reset(first);
      assert.throws(() => variable.get(), { code: 'AIO_NO_VALUE' });
      assert.throws(() => variable.reset(first), /used already/);
      const other = new ContextVar<number>('other');
      const foreign = other.set(1);
      assert.throws(() => variable.reset(foreign as never), /belongs to 'other'/);
      copyContext().run(() => assert.throws(() => other.reset(foreign), /another task or context/));
      {
        using _token = variable.set(9);
        assert.equal(variable.get(), 9);
      }
      assert.throws(() => variable.get(), { code: 'AIO_NO_VALUE' });
    });
  });
});

describe('Context', () => {
  test('copyContext().run: what is set stays in it, also after waits', async () => {
    const variable = new ContextVar('v', { default: 0 });
    const context = copyContext();
    await context.run(async () => {
      variable.set(1);
      await sleep(0);
      variable.set(variable.get() + 1);
    });
    assert.equal(variable.get(), 0);
    assert.equal(context.get(variable), 2);
    assert.equal(context.has(variable as never), true);
    assert.equal(context.size >= 1, true);
    const copy = context.copy();
    copy.run(() => variable.set(99));
    assert.equal(context.get(variable), 2);
    assert.equal(
      new asyncio.Context().run(() => variable.get()),
      0,
    );
  });

  test('createTask with a context: the task sets its variables in it', async () => {
    const variable = new ContextVar('v', { default: 0 });
    const context = copyContext();
    await createTask(() => variable.set(5), { context });
    assert.equal(context.get(variable), 5);
    assert.equal(variable.get(), 0);
  });

  test('inside of a task, run keeps the task: a wait in it can be cancelled', async () => {
    const task: asyncio.Task<void> = createTask(() =>
      copyContext().run(async () => {
        assert.equal(asyncio.currentTask(), task);
        await sleep(60_000);
      }),
    );
    await sleep(0);
    task.cancel();
    await assert.rejects(async () => await task, asyncio.CancelledError);
  });
});

test('a program that never makes a task never enters an AsyncLocalStorage', () => {
  const program = `
    import { AsyncLocalStorage } from 'node:async_hooks';
    let used = 0;
    for (const name of ['run', 'getStore', 'enterWith', 'exit']) {
      const original = AsyncLocalStorage.prototype[name];
      AsyncLocalStorage.prototype[name] = function (...args) { used++; return original.apply(this, args); };
    }
    const asyncio = await import(${JSON.stringify(new URL('../../src/asyncio/index.ts', import.meta.url).href)});
    const queue = new asyncio.Queue(1), lock = new asyncio.Lock(), event = new asyncio.Event();
    await asyncio.sleep(1);
    setTimeout(() => queue.putNowait(1), 1);
    await queue.get();
    (await lock.acquire()).release();
    asyncio.outside(() => event.set());
    await event.wait();
    await asyncio.suspend((resolve) => setTimeout(resolve, 1));
    await asyncio.cancellable(Promise.resolve());
    await asyncio.ensureFuture(Promise.resolve());
    if (asyncio.currentTask() !== undefined) throw new Error();
    console.log('before', used);
    await asyncio.createTask(() => {});
    console.log('after', used > 0);
  `;
  const printed = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
  });
  assert.equal(printed, 'before 0\nafter true\n');
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import * as asyncio from '../../src/asyncio/index.ts';
import { fakeClock, turn } from './clock.ts';

const { asCompleted, CancelledError, createTask, sleep, TimeoutError, wait } = asyncio;

const failing = async (ms: number): Promise<never> => {
  await sleep(ms);
  throw new Error('failed');
};

describe('wait', () => {
  test('ALL_COMPLETED: returns sets when all have ended, and throws no error of theirs', async (t) => {
    const clock = fakeClock(t);
    const tasks = [createTask(() => sleep(20)), createTask(() => failing(10))];
    const waiting = wait(tasks);
    await clock.advance(20);
    const { done, pending } = await waiting;
    assert.deepEqual([done, pending], [new Set(tasks), new Set()]);
    assert.match(String(tasks[1]!.exception()), /failed/);
  });

  test('FIRST_COMPLETED', async (t) => {
    const clock = fakeClock(t);
    const slow = createTask(() => sleep(20, 'slow'));
    const quick = createTask(() => sleep(10, 'quick'));
    const waiting = wait([slow, quick], { returnWhen: asyncio.FIRST_COMPLETED });
    await clock.advance(10);
    const { done, pending } = await waiting;
    assert.deepEqual(
      [...done].map((task) => task.result()),
      ['quick'],
    );
    assert.deepEqual(pending, new Set([slow]));
    assert.equal(slow.cancelling(), 0);
    const again = await wait([quick, slow], { returnWhen: 'FIRST_COMPLETED' });
    assert.equal(again.done.size, 1);
    await clock.advance(10);
  });

  test('FIRST_EXCEPTION: at the first error, else when all have ended', async (t) => {
    const clock = fakeClock(t);
    const slow = createTask(() => sleep(30));
    const quick = createTask(() => sleep(5));
    const bad = createTask(() => failing(10));
    const waiting = wait([slow, quick, bad], { returnWhen: asyncio.FIRST_EXCEPTION });
    await clock.advance(10);
    const { done, pending } = await waiting;
    assert.deepEqual([done, pending], [new Set([quick, bad]), new Set([slow])]);
    assert.match(String(bad.exception()), /failed/);
    const rest = wait([slow, quick], { returnWhen: asyncio.FIRST_EXCEPTION });
    await clock.advance(20);
    assert.equal((await rest).pending.size, 0);
  });

  test('timeout neither throws nor cancels', async (t) => {
    const clock = fakeClock(t);
    const task = createTask(() => sleep(100));
    const waiting = wait([task], { timeout: 10 });
    await clock.advance(10);
    assert.deepEqual(await waiting, { done: new Set(), pending: new Set([task]) });
    assert.equal(task.cancelling(), 0);
    await clock.advance(90);
    assert.equal(task.done(), true);
  });

  test('cancelling the caller does not cancel the tasks, and leaves nothing behind', async () => {
    const gate = new asyncio.Event();
    const task = createTask(() => gate.wait());
    const caller = createTask(() => wait([task], { timeout: 60_000 }));
    await turn();
    caller.cancel();
    await assert.rejects(async () => await caller, CancelledError);
    assert.equal(task.cancelling(), 0);
    gate.set();
    await task;
  });

  test('refuses functions, promises and nothing at all', async () => {
    await assert.rejects(wait([(() => 1) as never]), {
      name: 'TypeError',
      message: /functions are forbidden, use createTask explicitly/,
    });
    await assert.rejects(wait([Promise.resolve() as never]), { name: 'TypeError', message: /a promise/ });
    await assert.rejects(wait([]), { name: 'RangeError', message: 'Set of Tasks/Futures is empty.' });
    await assert.rejects(wait([createTask(() => 1)], { returnWhen: 'SOMETIMES' as never }), RangeError);
  });

  test('types: sets of the tasks that were given', async () => {
    const tasks = [createTask(() => 1)];
    const waiting = wait(tasks);
    expectTypeOf(waiting).resolves.toEqualTypeOf<asyncio.WaitResult<asyncio.Task<number>>>();
    const { done } = await waiting;
    expectTypeOf(done).toEqualTypeOf<Set<asyncio.Task<number>>>();
  });
});

describe('asCompleted', () => {
  test('gives the results in the order in which the work ends', async (t) => {
    const clock = fakeClock(t);
    const seen: unknown[] = [];
    const loop = (async () => {
      for await (const value of asCompleted([
        createTask(() => sleep(20, 'b')),
        () => sleep(10, 'a'),
        Promise.resolve('c'),
      ])) {
        expectTypeOf(value).toEqualTypeOf<string>();
        seen.push(value);
      }
    })();
    await clock.advance(20);
    await loop;
    assert.deepEqual(seen, ['c', 'a', 'b']);
  });

  test('for await ends with the first error; the promises of the plain form carry one each', async () => {
    await assert.rejects(async () => {
      for await (const _ of asCompleted([() => failing(0), () => sleep(60_000)])) assert.fail();
    }, /failed/);
    for (const task of asyncio.allTasks()) task.cancel();

    const results: string[] = [];
    const gate = new asyncio.Event();
    for (const next of asCompleted([() => failing(0), () => gate.wait().then(() => 'fine')])) {
      results.push(await next.catch(() => 'error'));
      gate.set();
    }
    assert.deepEqual(results, ['error', 'fine']);
    const first = createTask(() => sleep(0, 1));
    const second = createTask(() => first.then(() => 2));
    assert.deepEqual(await Promise.all(asCompleted([second, first])), [1, 2]);
  });

  test('timeout: what has ended comes out, then TimeoutError', async (t) => {
    const clock = fakeClock(t);
    const slow = createTask(() => sleep(100));
    const seen: unknown[] = [];
    const loop = (async () => {
      for await (const value of asCompleted([slow, () => sleep(5, 'quick')], { timeout: 10 }))
        seen.push(value);
    })();
    const caught = assert.rejects(loop, TimeoutError);
    await clock.advance(10);
    await caught;
    assert.deepEqual(seen, ['quick']);
    assert.equal(slow.cancelling(), 0);
    await clock.advance(90);

    const hanging = createTask(() => sleep(60_000));
    const promises = [...asCompleted([hanging, Promise.resolve(1)], { timeout: 5 })];
    const settled = Promise.allSettled(promises);
    await clock.advance(5);
    assert.deepEqual(
      (await settled).map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    hanging.cancel();
  });

  test('leaving the loop early cancels nothing; cancelling the caller ends the loop', async () => {
    const tasks = [createTask(() => sleep(1, 1)), createTask(() => sleep(2, 2))];
    for await (const value of asCompleted(tasks, { timeout: 60_000 })) {
      assert.equal(typeof value, 'number');
      break;
    }
    assert.deepEqual(await asyncio.gather(tasks), [1, 2]);
    const hanging = createTask(() => sleep(60_000));
    const caller = createTask(async () => {
      for await (const _ of asCompleted([hanging])) assert.fail();
    });
    await turn();
    caller.cancel();
    await assert.rejects(async () => await caller, CancelledError);
    assert.equal(hanging.cancelling(), 0);
    hanging.cancel();
    for await (const _ of asCompleted([])) assert.fail();
  });
});

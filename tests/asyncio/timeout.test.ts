import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import * as asyncio from '../../src/asyncio/index.ts';
import { fakeClock, turn } from './clock.ts';

const { CancelledError, createTask, sleep, TimeoutError, timeout, timeoutAt, waitFor } = asyncio;

describe('sleep', () => {
  test('gives its result after its time', async (t) => {
    const clock = fakeClock(t);
    const task = createTask(() => sleep(10, 'rested'));
    expectTypeOf(task).toEqualTypeOf<asyncio.Task<string>>();
    await clock.advance(9);
    assert.equal(task.done(), false);
    await clock.advance(1);
    assert.equal(task.result(), 'rested');
  });

  test('sleep(0) and less lets the others run once: tasks interleave', async () => {
    const order: string[] = [];
    const work = (name: string, ms: number) => async (): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        order.push(name);
        await sleep(ms);
      }
    };
    await asyncio.gather(work('a', 0), work('b', -5));
    assert.deepEqual(order, ['a', 'b', 'a', 'b', 'a', 'b']);
  });

  test('lengths beyond what a timer of Node holds', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const month = 30 * 24 * 3_600_000;
    const task = createTask(() => sleep(month));
    const forever = createTask(() => sleep(Number.POSITIVE_INFINITY));
    await turn();
    t.mock.timers.tick(2 ** 31 - 1);
    await turn();
    assert.equal(task.done(), false);
    t.mock.timers.tick(month - (2 ** 31 - 1));
    await turn();
    assert.equal(task.done(), true);
    assert.equal(forever.done(), false);
    forever.cancel();
    await assert.rejects(async () => await forever, CancelledError);
  });

  test('refuses what is no number', () => {
    assert.throws(() => sleep('1' as never), TypeError);
    assert.throws(() => sleep(Number.NaN), RangeError);
  });
});

describe('timeout', () => {
  test('a block that ends in time gives its value; the timer is gone', async () => {
    assert.equal(await createTask(() => timeout(60_000, () => sleep(0, 'x'))), 'x');
    assert.equal(await timeout(60_000, () => 'outside of a task, at once'), 'outside of a task, at once');
    expectTypeOf(timeout(1, async () => 1)).resolves.toEqualTypeOf<number>();
  });

  test('too late: the wait is cancelled, finally blocks run, TimeoutError with its cause', async (t) => {
    const clock = fakeClock(t);
    const order: string[] = [];
    const task = createTask(() =>
      timeout(10, async () => {
        try {
          await sleep(60_000);
        } finally {
          await sleep(5);
          order.push('cleaned up');
        }
      }),
    );
    const caught = assert.rejects(
      async () => await task,
      (error: Error) => {
        assert.ok(error instanceof TimeoutError);
        assert.equal(error.code, 'AIO_TIMEOUT');
        assert.equal(error.message, 'the time limit of 10 ms passed');
        assert.ok(error.cause instanceof CancelledError);
        return true;
      },
    );
    await clock.advance(15);
    await caught;
    assert.deepEqual(order, ['cleaned up']);
    assert.equal(task.cancelling(), 0);
  });

  test('a cancellation from outside stays a cancellation', async (t) => {
    const clock = fakeClock(t);
    const task = createTask(() => timeout(10, () => sleep(60_000)));
    await clock.advance(5);
    task.cancel('outside');
    await assert.rejects(async () => await task, { code: 'AIO_CANCELLED', message: 'outside' });
  });

  test('both at once: the cancellation from outside wins', async (t) => {
    const clock = fakeClock(t);
    const task = createTask(() =>
      timeout(10, async () => {
        try {
          await sleep(60_000);
        } finally {
          await sleep(5);
        }
      }),
    );
    await clock.advance(12);
    task.cancel('outside');
    await assert.rejects(async () => await task, { code: 'AIO_CANCELLED', message: 'outside' });
  });

  test('nested: each turns only its own', async (t) => {
    const clock = fakeClock(t);
    const order: string[] = [];
    const inner = createTask(() =>
      timeout(100, async () => {
        await assert.rejects(
          timeout(10, () => sleep(60_000)),
          TimeoutError,
        );
        order.push('inner passed');
        return await sleep(5, 'the outer block goes on');
      }),
    );
    await clock.advance(15);
    assert.equal(await inner, 'the outer block goes on');

    const outer = createTask(() =>
      timeout(10, async () => {
        try {
          await timeout(100, () => sleep(60_000));
        } catch (error) {
          order.push((error as Error).name);
          throw error;
        }
      }),
    );
    const caught = assert.rejects(async () => await outer, TimeoutError);
    await clock.advance(10);
    await caught;
    assert.deepEqual(order, ['inner passed', 'CancelledError']);
  });

  test('two limits side by side in one task do not touch each other', async (t) => {
    const clock = fakeClock(t);
    const task = createTask(() =>
      Promise.allSettled([
        timeout(10, () => sleep(60_000)),
        timeout(100, () => sleep(20, 'in time')),
        sleep(30, 'free'),
      ]),
    );
    await clock.advance(30);
    const results = await task;
    assert.deepEqual(
      results.map((result) => (result.status === 'fulfilled' ? result.value : (result.reason as Error).name)),
      ['TimeoutError', 'in time', 'free'],
    );
  });

  test('expired, when, reschedule', async (t) => {
    const clock = fakeClock(t);
    const task = createTask(async () => {
      let limit: asyncio.Timeout | undefined;
      const start = asyncio.time();
      const value = await timeout(10, async (scope) => {
        limit = scope;
        assert.equal(scope.when(), start + 10);
        assert.equal(scope.expired(), false);
        scope.reschedule(asyncio.time() + 50);
        await sleep(40);
        scope.reschedule(undefined);
        assert.equal(scope.when(), undefined);
        await sleep(100);
        return 'done';
      });
      assert.throws(() => limit!.reschedule(1), { code: 'AIO_INVALID_STATE', message: /finished/ });
      return value;
    });
    await clock.advance(140);
    assert.equal(await task, 'done');

    const late = createTask(() =>
      timeout(undefined, async (scope) => {
        scope.reschedule(asyncio.time() + 10);
        try {
          await sleep(60_000);
        } finally {
          assert.equal(scope.expired(), true);
          assert.throws(() => scope.reschedule(1), /expired/);
        }
      }),
    );
    const caught = assert.rejects(async () => await late, TimeoutError);
    await clock.advance(10);
    await caught;
  });

  test('zero and less: the first wait ends, and a block without a wait gives its value', async () => {
    await assert.rejects(
      timeout(0, () => sleep(60_000)),
      TimeoutError,
    );
    await assert.rejects(
      timeoutAt(asyncio.time() - 1, () => sleep(60_000)),
      TimeoutError,
    );
    assert.equal(await timeout(-1, () => 'no wait'), 'no wait');
  });

  test('an error of the block is thrown as it is', async () => {
    await assert.rejects(
      timeout(60_000, () => Promise.reject(new RangeError('mine'))),
      RangeError,
    );
  });

  test('a task that is awaited in the block is cancelled', async (t) => {
    const clock = fakeClock(t);
    const inner = createTask(() => sleep(60_000));
    const task = createTask(() => timeout(10, () => inner));
    const caught = assert.rejects(async () => await task, TimeoutError);
    await clock.advance(10);
    await caught;
    assert.equal(inner.cancelled(), true);
  });

  test('timeoutAt ends at a time, however many blocks share it', async (t) => {
    const clock = fakeClock(t);
    const task = createTask(async () => {
      const end = asyncio.time() + 10;
      await timeoutAt(end, () => sleep(6));
      await timeoutAt(end, () => sleep(6));
    });
    const caught = assert.rejects(async () => await task, TimeoutError);
    await clock.advance(10);
    await caught;
  });
});

describe('waitFor', () => {
  test('in time; without a limit', async () => {
    assert.equal(await waitFor(() => sleep(0, 1), 60_000), 1);
    assert.equal(
      await waitFor(
        createTask(() => 2),
        60_000,
      ),
      2,
    );
    assert.equal(await waitFor(Promise.resolve(3), 60_000), 3);
    assert.equal(await waitFor(() => 4, undefined), 4);
  });

  test('too late: cancels, and waits until it has ended', async (t) => {
    const clock = fakeClock(t);
    let cleaned = false;
    const inner = createTask(async () => {
      try {
        await sleep(60_000);
      } finally {
        await sleep(5);
        cleaned = true;
      }
    });
    const waiting = waitFor(inner, 10).catch((error: Error) => [error.name, cleaned]);
    await clock.advance(15);
    assert.deepEqual(await waiting, ['TimeoutError', true]);
    assert.equal(inner.cancelled(), true);
  });

  test('what swallows the cancellation and returns, returns', async (t) => {
    const clock = fakeClock(t);
    const inner = createTask(async () => {
      try {
        await sleep(60_000);
      } catch {
        return 'all the same';
      }
      return 'never';
    });
    const waiting = waitFor(inner, 10);
    await clock.advance(10);
    assert.equal(await waiting, 'all the same');
  });

  test('zero and less: a function is not started, a task cancelled, a result that is there given', async () => {
    let started = false;
    await assert.rejects(
      waitFor(() => {
        started = true;
      }, 0),
      TimeoutError,
    );
    assert.equal(started, false);
    const task = createTask(() => sleep(60_000));
    await assert.rejects(waitFor(task, -1), TimeoutError);
    assert.equal(task.cancelled(), true);
    const done = createTask(() => 1);
    await done;
    assert.equal(await waitFor(done, 0), 1);
    assert.equal(await waitFor(Promise.resolve(2), 0), 2);
    await assert.rejects(waitFor(new Promise(() => {}), 0), TimeoutError);
  });

  test('cancelling the caller cancels what it waits for', async () => {
    const inner = createTask(() => sleep(60_000));
    const caller = createTask(() => waitFor(inner, 60_000));
    await turn();
    caller.cancel();
    await assert.rejects(async () => await caller, CancelledError);
    assert.equal(inner.cancelled(), true);
  });

  test('a foreign promise: the wait for it ends', async (t) => {
    const clock = fakeClock(t);
    const waiting = assert.rejects(waitFor(new Promise(() => {}), 10), TimeoutError);
    await clock.advance(10);
    await waiting;
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import * as asyncio from '../../src/asyncio/index.ts';
import { fakeClock, turn } from './clock.ts';

const { CancelledError, createTask, gather, sleep } = asyncio;

describe('gather', () => {
  test('results in the order of the arguments, whatever the order of ending', async (t) => {
    const clock = fakeClock(t);
    const ended: number[] = [];
    const work = (n: number, ms: number) => async (): Promise<number> => {
      await sleep(ms);
      ended.push(n);
      return n;
    };
    const results = gather(work(1, 30), work(2, 10), work(3, 20));
    await clock.advance(30);
    assert.deepEqual(await results, [1, 2, 3]);
    assert.deepEqual(ended, [2, 3, 1]);
  });

  test('nothing at all gives an empty list', async () => {
    assert.deepEqual(await gather(), []);
    assert.deepEqual(await gather([]), []);
  });

  test('the same task twice runs once and gives its result twice', async () => {
    let runs = 0;
    const task = createTask(() => ++runs);
    assert.deepEqual(await gather(task, task), [1, 1]);
  });

  test('the first error is thrown at once; the others go on', async (t) => {
    const clock = fakeClock(t);
    const slow = createTask(() => sleep(20, 'slow'));
    const gathered = gather(slow, async () => {
      await sleep(10);
      throw new RangeError('first');
    });
    const caught = assert.rejects(async () => await gathered, { name: 'RangeError', message: 'first' });
    await clock.advance(10);
    await caught;
    assert.equal(slow.done(), false);
    await clock.advance(10);
    assert.equal(slow.result(), 'slow');
  });

  test('returnExceptions puts errors into the list, and wraps what is no Error', async () => {
    const cancelled = createTask(() => sleep(60_000));
    cancelled.cancel();
    const results = await gather(
      [() => 1, () => Promise.reject(new RangeError('no')), cancelled, () => Promise.reject('text')],
      { returnExceptions: true },
    );
    assert.equal(results[0], 1);
    assert.ok((results[1] as unknown) instanceof RangeError);
    assert.ok((results[2] as unknown) instanceof CancelledError);
    assert.equal((results[3] as Error).cause, 'text');
  });

  test('a cancelled child is an error for the gathering', async () => {
    const child = createTask(() => sleep(60_000));
    const gathered = gather(child, () => sleep(0));
    await turn();
    child.cancel('just this one');
    await assert.rejects(async () => await gathered, { code: 'AIO_CANCELLED', message: 'just this one' });
  });

  test('cancelling the caller cancels all; cancelling the gathering too', async () => {
    for (const returnExceptions of [false, true]) {
      const children = [1, 2, 3].map(() => createTask(() => sleep(60_000)));
      const caller = createTask(
        async () => await gather(children, { returnExceptions } as { returnExceptions: true }),
      );
      await turn();
      caller.cancel();
      await assert.rejects(async () => await caller, CancelledError);
      await turn();
      assert.deepEqual(
        children.map((child) => child.cancelled()),
        [true, true, true],
      );
    }
    const child = createTask(() => sleep(60_000));
    const gathered = gather(child);
    await turn();
    assert.equal(gathered.cancel(), true);
    await assert.rejects(async () => await gathered, CancelledError);
    assert.equal(child.cancelled(), true);
    assert.equal(gathered.cancel(), false);
  });

  test('errors after the first are seen, and not reported', async () => {
    const told: unknown[] = [];
    asyncio.setExceptionHandler((context) => told.push(context));
    try {
      await asyncio.run(async () => {
        await assert.rejects(
          async () =>
            await gather(
              () => Promise.reject(new Error('one')),
              async () => {
                await sleep(1);
                throw new Error('two');
              },
            ),
          /one/,
        );
        await sleep(5);
      });
    } finally {
      asyncio.setExceptionHandler(undefined);
    }
    assert.deepEqual(told, []);
  });

  test('types: a tuple', async () => {
    const one = createTask(() => 1);
    const gathered = gather(one, () => 'a', Promise.resolve(true));
    expectTypeOf(gathered).resolves.toEqualTypeOf<[number, string, boolean]>();
    expectTypeOf(gather([one, () => 'a'])).resolves.toEqualTypeOf<[number, string]>();
    expectTypeOf(gather([one, async () => 'a'], { returnExceptions: true })).resolves.toEqualTypeOf<
      [number | Error, string | Error]
    >();
    const many: asyncio.Task<number>[] = [one];
    expectTypeOf(gather(many)).resolves.toEqualTypeOf<number[]>();
    expectTypeOf(gather(...many)).resolves.toEqualTypeOf<number[]>();
    assert.deepEqual(await gathered, [1, 'a', true]);
  });
});

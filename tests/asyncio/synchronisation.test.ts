import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as asyncio from '../../src/asyncio/index.ts';
import { turn } from './clock.ts';

const {
  Barrier,
  BoundedSemaphore,
  CancelledError,
  Condition,
  createTask,
  Event,
  gather,
  Lock,
  Semaphore,
  sleep,
} = asyncio;

describe('Lock', () => {
  test('one at a time, in the order of coming', async () => {
    const lock = new Lock();
    const order: string[] = [];
    await gather(
      ...['a', 'b', 'c'].map((name) => async () => {
        using _held = await lock.acquire();
        order.push(`${name} in`);
        await sleep(0);
        order.push(`${name} out`);
      }),
    );
    assert.deepEqual(order, ['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
    assert.equal(lock.locked(), false);
  });

  test('release: of a lock that nobody holds; twice through what acquire gave does nothing', async () => {
    const lock = new Lock();
    assert.throws(() => lock.release(), { code: 'AIO_INVALID_STATE', message: 'Lock is not acquired.' });
    const first = await lock.acquire();
    lock.release();
    const second = await lock.acquire();
    first.release();
    first[Symbol.dispose]();
    assert.equal(lock.locked(), true);
    second.release();
    second.release();
    assert.equal(lock.locked(), false);
  });

  test('works with await using, and is not re-entrant', async () => {
    const lock = new Lock();
    const task = createTask(async () => {
      await using _held = await lock.acquire();
      await lock.acquire();
    });
    await turn();
    assert.equal(task.done(), false);
    task.cancel();
    await assert.rejects(async () => await task, CancelledError);
    assert.equal(lock.locked(), false);
  });

  test('a cancelled waiter leaves; the lock goes to the next', async () => {
    const lock = new Lock();
    const held = await lock.acquire();
    const [one, two, three] = [1, 2, 3].map((n) => createTask(() => lock.acquire().then(() => n)));
    await turn();
    two!.cancel();
    one!.cancel();
    await turn();
    held.release();
    assert.equal(await three, 3);
    assert.equal(lock.locked(), true);
  });

  test('a waiter that is cancelled just after the lock was handed to it gives it back', async () => {
    const lock = new Lock();
    const held = await lock.acquire();
    const waiter = createTask(async () => {
      using _held = await lock.acquire();
      await sleep(60_000);
    });
    await turn();
    held.release();
    waiter.cancel();
    await assert.rejects(async () => await waiter, CancelledError);
    assert.equal(lock.locked(), false);
  });

  test('handed to a task that returns it: a late cancellation does not lose it', async () => {
    const lock = new Lock();
    const held = await lock.acquire();
    const waiter = createTask(() => lock.acquire());
    await turn();
    held.release();
    waiter.cancel();
    (await waiter).release();
    assert.equal(lock.locked(), false);
  });
});

describe('Event', () => {
  test('set wakes all and lets later ones pass; clear holds them again', async () => {
    const event = new Event();
    let woken = 0;
    const waiter = (): asyncio.Task<void> => createTask(() => event.wait().then(() => void woken++));
    const tasks = [waiter(), waiter()];
    await turn();
    assert.equal(woken, 0);
    event.set();
    assert.equal(event.isSet(), true);
    await gather(tasks);
    await waiter();
    assert.equal(woken, 3);
    event.clear();
    const late = waiter();
    await turn();
    assert.equal(late.done(), false);
    late.cancel();
    await assert.rejects(async () => await late, CancelledError);
  });
});

describe('Condition', () => {
  test('wait, notify one, notify all; the lock is held again', async () => {
    const condition = new Condition();
    const order: string[] = [];
    const tasks = ['a', 'b', 'c'].map((name) =>
      createTask(async () => {
        using _held = await condition.acquire();
        await condition.wait();
        assert.equal(condition.locked(), true);
        order.push(name);
      }),
    );
    await turn();
    {
      using _held = await condition.acquire();
      condition.notify();
    }
    await turn();
    assert.deepEqual(order, ['a']);
    {
      using _held = await condition.acquire();
      condition.notifyAll();
    }
    await gather(tasks);
    assert.deepEqual(order, ['a', 'b', 'c']);
    assert.equal(condition.locked(), false);
  });

  test('waitFor gives what the predicate gave; a shared lock', async () => {
    const lock = new Lock();
    const condition = new Condition(lock);
    let value = 0;
    const task = createTask(async () => {
      using _held = await condition.acquire();
      return await condition.waitFor(() => value > 1 && `value ${value}`);
    });
    for (let i = 0; i < 3; i++) {
      await turn();
      using _held = await lock.acquire();
      value++;
      condition.notify();
    }
    assert.equal(await task, 'value 2');
  });

  test('without the lock: wait and notify are refused', async () => {
    const condition = new Condition();
    await assert.rejects(condition.wait(), { code: 'AIO_INVALID_STATE', message: /un-acquired/ });
    assert.throws(() => condition.notify(), { code: 'AIO_INVALID_STATE', message: /un-acquired/ });
    assert.throws(() => condition.release(), { code: 'AIO_INVALID_STATE' });
  });

  test('a cancelled waiter holds the lock when it sees the error, also if it has to wait for it', async () => {
    const condition = new Condition();
    const order: string[] = [];
    const waiter = createTask(async () => {
      using _held = await condition.acquire();
      try {
        await condition.wait();
      } finally {
        order.push(`waiter, locked ${condition.locked()}`);
      }
    });
    await turn();
    const held = await condition.acquire();
    waiter.cancel();
    await turn();
    waiter.cancel();
    await turn();
    assert.equal(waiter.done(), false);
    order.push('release');
    held.release();
    await assert.rejects(async () => await waiter, CancelledError);
    assert.deepEqual(order, ['release', 'waiter, locked true']);
    assert.equal(condition.locked(), false);
  });
});

describe('Semaphore', () => {
  test('so many at a time, first come first served', async () => {
    const semaphore = new Semaphore(2);
    let now = 0;
    let most = 0;
    const order: number[] = [];
    await gather(
      ...[1, 2, 3, 4, 5].map((n) => async () => {
        using _place = await semaphore.acquire();
        order.push(n);
        most = Math.max(most, ++now);
        await sleep(0);
        now--;
      }),
    );
    assert.deepEqual([most, order, semaphore.value], [2, [1, 2, 3, 4, 5], 2]);
  });

  test('values', async () => {
    assert.throws(() => new Semaphore(-1), RangeError);
    assert.throws(() => new Semaphore(1.5), RangeError);
    const semaphore = new Semaphore();
    assert.equal(semaphore.locked(), false);
    const place = await semaphore.acquire();
    assert.equal(semaphore.locked(), true);
    place.release();
    place.release();
    assert.equal(semaphore.value, 1);
    semaphore.release();
    assert.equal(semaphore.value, 2);
  });

  test('bounded: too many releases are refused', async () => {
    const semaphore = new BoundedSemaphore(1);
    assert.throws(() => semaphore.release(), {
      name: 'RangeError',
      message: 'BoundedSemaphore released too many times',
    });
    await semaphore.acquire();
    semaphore.release();
    assert.throws(() => semaphore.release(), RangeError);
  });

  test('a cancelled waiter takes no place', async () => {
    const semaphore = new Semaphore(0);
    const [one, two] = [1, 2].map((n) => createTask(() => semaphore.acquire().then(() => n)));
    await turn();
    one!.cancel();
    await turn();
    semaphore.release();
    assert.equal(await two, 2);
  });
});

describe('Barrier', () => {
  test('all go on when the last has come, with a number each; again and again', async () => {
    const barrier = new Barrier(2);
    for (let round = 0; round < 3; round++) {
      assert.deepEqual(
        await gather(
          () => barrier.wait(),
          () => barrier.wait(),
        ),
        [0, 1],
      );
      assert.equal(barrier.nWaiting, 0);
    }
    assert.equal(await new Barrier(1).wait(), 0);
    assert.throws(() => new Barrier(0), RangeError);
  });

  test('a cancelled one leaves, and the numbers have no gap', async () => {
    const barrier = new Barrier(3);
    const [a, b] = [1, 2].map(() => createTask(() => barrier.wait()));
    await turn();
    a!.cancel();
    await turn();
    assert.equal(barrier.nWaiting, 1);
    assert.deepEqual(
      await gather(
        b!,
        () => barrier.wait(),
        () => barrier.wait(),
      ),
      [0, 1, 2],
    );
  });

  test('abort and reset', async () => {
    const barrier = new Barrier(2);
    const waiter = createTask(() => barrier.wait());
    await turn();
    await barrier.abort();
    await assert.rejects(async () => await waiter, {
      name: 'BrokenBarrierError',
      code: 'AIO_BROKEN_BARRIER',
    });
    assert.equal(barrier.broken, true);
    await assert.rejects(barrier.wait(), asyncio.BrokenBarrierError);
    await barrier.reset();
    assert.equal(barrier.broken, false);
    const other = createTask(() => barrier.wait());
    await turn();
    await barrier.reset();
    await assert.rejects(async () => await other, asyncio.BrokenBarrierError);
    assert.deepEqual(
      await gather(
        () => barrier.wait(),
        () => barrier.wait(),
      ),
      [0, 1],
    );
  });
});

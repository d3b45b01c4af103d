import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as asyncio from '../../src/asyncio/index.ts';
import { turn } from './clock.ts';

const {
  CancelledError,
  createTask,
  gather,
  LifoQueue,
  PriorityQueue,
  Queue,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
} = asyncio;

describe('Queue', () => {
  test('first in, first out; getNowait and putNowait', async () => {
    const queue = new Queue<number>(2);
    assert.throws(() => queue.getNowait(), { name: 'QueueEmpty', code: 'AIO_QUEUE_EMPTY' });
    queue.putNowait(1);
    await queue.put(2);
    assert.deepEqual([queue.qsize(), queue.full(), queue.empty(), queue.maxsize], [2, true, false, 2]);
    assert.throws(() => queue.putNowait(3), { name: 'QueueFull', code: 'AIO_QUEUE_FULL' });
    assert.deepEqual([await queue.get(), queue.getNowait()], [1, 2]);
    assert.equal(queue.empty(), true);
    assert.throws(() => new Queue(1.5), RangeError);
    assert.equal(new Queue(-1).maxsize, 0);
  });

  test('a full queue makes put wait; items keep their order', async () => {
    const queue = new Queue<number>(1);
    const got: number[] = [];
    const producer = createTask(async () => {
      for (let n = 0; n < 5; n++) await queue.put(n);
    });
    await turn();
    assert.equal(queue.qsize(), 1);
    for (let n = 0; n < 5; n++) got.push(await queue.get());
    await producer;
    assert.deepEqual(got, [0, 1, 2, 3, 4]);
  });

  test('those who get are served in the order of coming', async () => {
    const queue = new Queue<string>();
    const getters = [1, 2, 3].map((n) => createTask(async () => `${n}${await queue.get()}`));
    await turn();
    for (const item of 'abc') queue.putNowait(item);
    assert.deepEqual(await gather(getters), ['1a', '2b', '3c']);
  });

  test('a cancelled getter passes on; a cancelled putter puts nothing', async () => {
    const queue = new Queue<string>(1);
    const [one, two] = [1, 2].map((n) => createTask(async () => `${n}${await queue.get()}`));
    await turn();
    one!.cancel();
    await turn();
    queue.putNowait('a');
    assert.equal(await two, '2a');
    queue.putNowait('b');
    const putter = createTask(() => queue.put('never'));
    await turn();
    putter.cancel();
    await assert.rejects(async () => await putter, CancelledError);
    assert.equal(await queue.get(), 'b');
    assert.equal(queue.empty(), true);
  });

  test('an item that was handed over is not lost by a late cancellation or time limit', async () => {
    const queue = new Queue<string>();
    const getter = createTask(() => queue.get());
    await turn();
    queue.putNowait('kept');
    getter.cancel();
    assert.equal(await getter, 'kept');
  });

  test('join and taskDone', async () => {
    const queue = new Queue<number>();
    await queue.join();
    queue.putNowait(1);
    queue.putNowait(2);
    const joined = createTask(() => queue.join());
    for (let i = 0; i < 2; i++) {
      await queue.get();
      await turn();
      assert.equal(joined.done(), false);
      queue.taskDone();
    }
    await joined;
    assert.throws(() => queue.taskDone(), {
      name: 'RangeError',
      message: 'task_done() called too many times',
    });
  });

  test('shutdown: what is in it can be got, then QueueShutDown; those who wait are told', async () => {
    const queue = new Queue<number>(1);
    queue.putNowait(1);
    const putter = createTask(() => queue.put(2));
    await turn();
    queue.shutdown();
    await assert.rejects(async () => await putter, { name: 'QueueShutDown', code: 'AIO_QUEUE_SHUT_DOWN' });
    await assert.rejects(queue.put(3), QueueShutDown);
    assert.throws(() => queue.putNowait(3), QueueShutDown);
    assert.equal(await queue.get(), 1);
    await assert.rejects(queue.get(), QueueShutDown);
    assert.throws(() => queue.getNowait(), QueueShutDown);

    const empty = new Queue<number>();
    const getter = createTask(() => empty.get());
    await turn();
    empty.shutdown();
    await assert.rejects(async () => await getter, QueueShutDown);
  });

  test('shutdown immediate throws the items away and lets join pass', async () => {
    const queue = new Queue<number>();
    queue.putNowait(1);
    queue.putNowait(2);
    const joined = createTask(() => queue.join());
    await turn();
    queue.shutdown(true);
    await joined;
    assert.equal(queue.empty(), true);
  });

  test('iteration ends with the queue', async () => {
    const queue = new Queue<number>();
    const sum = createTask(async () => {
      let total = 0;
      for await (const n of queue) total += n;
      return total;
    });
    for (const n of [1, 2, 3]) await queue.put(n);
    queue.shutdown();
    assert.equal(await sum, 6);
  });

  test('a long queue, grown and emptied', () => {
    const queue = new Queue<number>();
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 5_000; n++) queue.putNowait(n);
      for (let n = 0; n < 5_000; n++) assert.equal(queue.getNowait(), n);
    }
    assert.throws(() => queue.getNowait(), QueueEmpty);
  });
});

test('LifoQueue: the last first', async () => {
  const queue = new LifoQueue<number>(2);
  queue.putNowait(1);
  queue.putNowait(2);
  assert.throws(() => queue.putNowait(3), QueueFull);
  assert.deepEqual([await queue.get(), await queue.get()], [2, 1]);
});

describe('PriorityQueue', () => {
  test('the least first; tuples by their elements; equal ones in order; a comparison of one’s own', async () => {
    const queue = new PriorityQueue<[number, string]>();
    for (const item of [
      [2, 'b'],
      [1, 'z'],
      [1, 'a'],
      [3, 'c'],
    ] as [number, string][])
      queue.putNowait(item);
    const names: string[] = [];
    while (!queue.empty()) names.push((await queue.get())[1]);
    assert.deepEqual(names, ['a', 'z', 'b', 'c']);

    const jobs = new PriorityQueue<{ p: number; id: string }>(0, (a, b) => b.p - a.p);
    for (const id of ['x', 'y', 'z']) jobs.putNowait({ p: id === 'y' ? 9 : 1, id });
    assert.deepEqual([(await jobs.get()).id, (await jobs.get()).id, (await jobs.get()).id], ['y', 'x', 'z']);
  });

  test('comes out sorted, whatever goes in', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (numbers) => {
        const queue = new PriorityQueue<number>();
        for (const n of numbers) queue.putNowait(n);
        const out = numbers.map(() => queue.getNowait());
        assert.deepEqual(
          out,
          [...numbers].sort((a, b) => a - b),
        );
      }),
      { seed: 3 },
    );
  });
});

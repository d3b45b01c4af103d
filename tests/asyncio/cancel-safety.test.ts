// Programs of random steps, with a cancellation at any of them: nothing that is handed over may be lost or doubled. The seeds are
// fixed, so that a failure can be repeated.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as asyncio from '../../src/asyncio/index.ts';

const { createTask, isCancelled, sleep } = asyncio;

/** A small generator of pseudo-random numbers (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Lets between none and a few microtasks, or one turn of the loop, pass. */
async function step(pick: (below: number) => number): Promise<void> {
  const hops = pick(8);
  if (hops === 7) await new Promise<void>((resolve) => setImmediate(resolve));
  else for (let i = 0; i < hops; i++) await null;
}

const SEEDS = 300;

async function quietly(task: asyncio.Task<unknown>): Promise<void> {
  try {
    await task;
  } catch (error) {
    if (!isCancelled(error)) throw error;
  }
}

test('queue: every item is got once, or still there', async () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const pick = random(seed);
    const queue = new asyncio.Queue<number>(pick(3));
    const put: number[] = [];
    const got: number[] = [];
    let next = 0;
    const tasks: asyncio.Task<unknown>[] = [];
    for (let i = 0; i < 4; i++) {
      tasks.push(
        createTask(async () => {
          for (let n = 0; n < 5; n++) {
            const item = next++;
            await queue.put(item);
            put.push(item);
            await step(pick);
          }
        }),
        createTask(async () => {
          for (;;) {
            // In half of them the item goes through one more task and a time limit.
            got.push(i % 2 === 0 ? await queue.get() : await asyncio.timeout(60_000, () => queue.get()));
            await step(pick);
          }
        }),
      );
    }
    for (let n = 0; n < 12; n++) {
      await step(pick);
      tasks[pick(tasks.length)]!.cancel();
      if (pick(3) === 0) tasks.push(createTask(async () => void got.push(await queue.get())));
    }
    for (const task of tasks) task.cancel();
    await Promise.all(tasks.map(quietly));
    while (!queue.empty()) got.push(queue.getNowait());
    got.sort((a, b) => a - b);
    put.sort((a, b) => a - b);
    // A putter that was cancelled after its item had been taken over did not get to write it down.
    assert.equal(new Set(got).size, got.length, `seed ${seed}: an item was got twice`);
    for (const item of put) assert.ok(got.includes(item), `seed ${seed}: item ${item} was lost`);
  }
});

for (const [name, make] of [
  ['lock', () => new asyncio.Lock()],
  ['semaphore', () => new asyncio.Semaphore(2)],
] as const) {
  test(`${name}: never held by too many, and free at the end`, async () => {
    const most = name === 'lock' ? 1 : 2;
    for (let seed = 0; seed < SEEDS; seed++) {
      const pick = random(seed);
      const lock = make();
      let inside = 0;
      const worker = async (): Promise<void> => {
        for (let n = 0; n < 4; n++) {
          using _held = await lock.acquire();
          assert.ok(++inside <= most, `seed ${seed}`);
          try {
            if (pick(2) === 0) await sleep(0);
            else await step(pick);
          } finally {
            inside--;
          }
        }
      };
      const tasks = Array.from({ length: 5 }, () => createTask(worker));
      for (let n = 0; n < 8; n++) {
        await step(pick);
        tasks[pick(tasks.length)]!.cancel();
      }
      await Promise.all(tasks.map(quietly));
      assert.equal(lock.locked(), false, `seed ${seed}: somebody still holds it`);
      (await lock.acquire()).release();
    }
  });
}

test('condition: no notification is lost while somebody waits', async () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const pick = random(seed);
    const condition = new asyncio.Condition();
    let tokens = 0;
    let taken = 0;
    const consumer = async (): Promise<void> => {
      using _held = await condition.acquire();
      await condition.waitFor(() => tokens > 0);
      tokens--;
      taken++;
    };
    const consumers = Array.from({ length: 6 }, () => createTask(consumer));
    let made = 0;
    for (let n = 0; n < 4; n++) {
      await step(pick);
      consumers[pick(3)]!.cancel();
      using _held = await condition.acquire();
      tokens++;
      made++;
      condition.notify();
    }
    for (let i = 0; i < 5; i++) await sleep(0);
    const waiting = consumers.filter((task) => !task.done()).length;
    // Whoever still waits does so because no token is left.
    assert.ok(tokens === 0 || waiting === 0, `seed ${seed}: ${tokens} tokens and ${waiting} who wait`);
    assert.equal(taken + tokens, made);
    for (const task of consumers) task.cancel();
    await Promise.all(consumers.map(quietly));
    assert.equal(condition.locked(), false, `seed ${seed}`);
  }
});

test('groups, time limits, shields and gathers: cancelled at any step, everything ends', async () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const pick = random(seed);
    let open = 0;
    const leaf = async (): Promise<void> => {
      open++;
      try {
        await step(pick);
        if (pick(10) === 0) throw new Error('leaf');
        await sleep(pick(2));
        await step(pick);
      } finally {
        await step(pick);
        open--;
      }
    };
    const tree = async (depth: number): Promise<void> => {
      if (depth === 0) return await leaf();
      const below = (): Promise<void> => tree(depth - 1);
      switch (pick(4)) {
        case 0:
          return await asyncio.taskGroup((group) => {
            group.createTask(below);
            group.createTask(below);
          });
        case 1:
          return await asyncio.timeout(pick(3), below);
        case 2:
          return void (await asyncio.gather([below, below], { returnExceptions: true }));
        default:
          return await asyncio.waitFor(createTask(below), 1 + pick(3));
      }
    };
    const task = createTask(() => tree(3));
    for (let n = pick(10); n > 0; n--) await step(pick);
    task.cancel();
    await asyncio.wait([task], { timeout: 5_000 });
    assert.ok(task.done(), `seed ${seed}: it never ends\n${asyncio.callGraph()}`);
    if (!task.cancelled()) task.exception();
    assert.equal(open, 0, `seed ${seed}: work goes on behind it`);
  }
});

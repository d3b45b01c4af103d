// The cost of tasks in memory: many of them, ended in every way, must leave nothing behind. (A million of them take the same:
// this is the short form.)
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as asyncio from '../../src/asyncio/index.ts';

const { createTask, sleep } = asyncio;

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

async function heapAfter(work: () => Promise<void>): Promise<number> {
  await work();
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    gc();
  }
  return process.memoryUsage().heapUsed;
}

test('200,000 tasks, cancelled and not, leave memory and listeners flat', { timeout: 300_000 }, async () => {
  const controller = new AbortController();
  const event = new asyncio.Event();
  const lock = new asyncio.Lock();
  const queue = new asyncio.Queue<number>();
  const longLived = createTask(() => event.wait());

  const batch = async (): Promise<void> => {
    const tasks: asyncio.Task<unknown>[] = [];
    for (let i = 0; i < 125; i++) {
      tasks.push(
        createTask(() => i),
        createTask(async () => await asyncio.shield(longLived)),
        createTask(() => sleep(60_000)),
        createTask(() => lock.acquire().then((held) => held.release())),
        createTask(() => asyncio.timeout(60_000, () => queue.get())),
        createTask(() => asyncio.wait([longLived], { timeout: 60_000 })),
        createTask(async () => {
          asyncio.cancelOn(controller.signal);
          await event.wait();
        }),
        createTask(() => Promise.reject(new Error('expected'))),
      );
    }
    await null;
    await null;
    for (const task of tasks) task.cancel();
    await asyncio.gather(tasks, { returnExceptions: true });
  };

  const rounds = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await batch();
  };
  const before = await heapAfter(() => rounds(20));
  const after = await heapAfter(() => rounds(180));
  const perTask = (after - before) / 180_000;
  assert.ok(perTask < 8, `${perTask.toFixed(1)} bytes per task are left`);

  const { getEventListeners } = await import('node:events');
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
  assert.deepEqual(asyncio.allTasks(), new Set([longLived]));
  assert.equal(longLived.listeners instanceof Set ? longLived.listeners.size : longLived.listeners, 0);
  event.set();
  await longLived;
});

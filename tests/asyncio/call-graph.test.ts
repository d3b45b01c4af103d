import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as asyncio from '../../src/asyncio/index.ts';

const { callGraph, createTask, sleep } = asyncio;

test('who waits for whom, and for what', async () => {
  await asyncio.run(async () => {
    asyncio.currentTask()!.name = 'main';
    const queue = new asyncio.Queue<number>();
    const lock = new asyncio.Lock();
    await lock.acquire();
    const reader = createTask(() => queue.get(), { name: 'reader' });
    const boss = createTask(
      () =>
        asyncio.taskGroup((group) => {
          group.createTask(() => lock.acquire(), { name: 'locker' });
          group.createTask(() => sleep(60_000), { name: 'sleeper' });
        }),
      { name: 'boss' },
    );
    const gatherer = createTask(async () => await asyncio.gather(reader, asyncio.shield(boss)), {
      name: 'gatherer',
    });
    const waiter = createTask(() => asyncio.wait([reader, boss], { returnWhen: 'FIRST_COMPLETED' }), {
      name: 'waiter',
    });
    let end: (() => void) | undefined;
    createTask(() => new Promise<void>((resolve) => (end = resolve)), { name: 'foreign' });
    await sleep(0);
    const graph = callGraph();
    assert.equal(
      graph,
      [
        'main: runs, or is inside of a foreign promise',
        'gatherer: waits for a gather of 2',
        '├── reader: waits for Queue.get',
        '└── boss: waits for a task group',
        '    ├── locker: waits for Lock.acquire',
        '    └── sleeper: waits for sleep(60000)',
        'waiter: waits for one of 2',
        '├── reader: waits for Queue.get (see above)',
        '└── boss: waits for a task group (see above)',
        'foreign: runs, or is inside of a foreign promise',
      ].join('\n'),
    );
    for (const task of [gatherer, waiter, boss]) task.cancel();
    end!();
  });
});

test('no tasks', async () => {
  for (const task of asyncio.allTasks()) task.cancel();
  await sleep(1);
  assert.match(callGraph(), /^(no tasks|foreign: )/);
});

test('in debug mode it tells where the tasks were made', async () => {
  await asyncio.run(
    async () => {
      const task = createTask(() => sleep(60_000), { name: 'made here' });
      await sleep(0);
      assert.match(callGraph(), /made here: waits for sleep\(60000\)\n.*made at .*call-graph\.test\.ts/);
      task.cancel();
    },
    { debug: true },
  );
});

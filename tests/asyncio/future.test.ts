import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import * as asyncio from '../../src/asyncio/index.ts';
import { turn } from './clock.ts';

const { CancelledError, createTask, Future, shield, sleep } = asyncio;

test('a future: result before it is set, set twice, awaited by many', async () => {
  const future = new Future<number>();
  assert.throws(() => future.result(), { code: 'AIO_INVALID_STATE', message: /^Result is not set/ });
  const readers = [1, 2].map(() => createTask(async () => await future));
  await turn();
  future.setResult(7);
  assert.throws(() => future.setResult(8), { code: 'AIO_INVALID_STATE', message: /already set/ });
  assert.throws(() => future.setException(new Error()), { code: 'AIO_INVALID_STATE' });
  assert.deepEqual(await asyncio.gather(readers), [7, 7]);
  assert.equal(future.result(), 7);
  assert.equal(future.cancel(), false);
});

test('cancelling a task that awaits a future cancels the future, and so everybody who awaits it', async () => {
  const future = new Future<void>();
  const [one, two] = [1, 2].map(() => createTask(async () => await future));
  await turn();
  one!.cancel('enough');
  await assert.rejects(async () => await one, { code: 'AIO_CANCELLED', message: 'enough' });
  await assert.rejects(async () => await two, CancelledError);
  assert.equal(future.cancelled(), true);
});

test('withResolvers: settling twice does nothing, as with promises', async () => {
  const { promise, resolve, reject } = asyncio.withResolvers<string>();
  expectTypeOf(promise).toEqualTypeOf<asyncio.Future<string>>();
  resolve('a');
  resolve('b');
  reject(new Error());
  assert.equal(await promise, 'a');
  const other = asyncio.withResolvers();
  other.reject(new RangeError());
  await assert.rejects(async () => await other.promise, RangeError);
});

test('ensureFuture: futures as they are, promises watched, functions as tasks, nothing else', async () => {
  const future = new Future<number>();
  assert.equal(asyncio.ensureFuture(future), future);
  assert.equal(await asyncio.ensureFuture(Promise.resolve(1)), 1);
  assert.ok(asyncio.ensureFuture(() => 1) instanceof asyncio.Task);
  await assert.rejects(async () => await asyncio.ensureFuture(Promise.reject(new Error('no'))), /no/);
  assert.throws(() => asyncio.ensureFuture(5 as never), { name: 'TypeError', message: /got number 5/ });
  const watched = asyncio.ensureFuture(new Promise<void>((resolve) => setTimeout(resolve, 1)));
  watched.cancel();
  await assert.rejects(async () => await watched, CancelledError);
});

test('shield: the wait ends, the work goes on', async () => {
  const gate = new asyncio.Event();
  const inner = createTask(async () => {
    await gate.wait();
    return 'saved';
  });
  const outer = createTask(async () => await shield(inner));
  await turn();
  outer.cancel();
  await assert.rejects(async () => await outer, CancelledError);
  assert.equal(inner.done(), false);
  gate.set();
  assert.equal(await inner, 'saved');
});

test('shield: results, errors and cancellation of the work itself come through', async () => {
  assert.equal(await shield(() => sleep(0, 1)), 1);
  assert.equal(await shield(createTask(() => 2)), 2);
  assert.equal(await shield(Promise.resolve(3)), 3);
  const done = createTask(() => 4);
  await done;
  assert.equal(await shield(done), 4);
  await assert.rejects(async () => await shield(() => Promise.reject(new Error('no'))), /no/);
  const inner = createTask(() => sleep(60_000));
  const shielded = shield(inner);
  await turn();
  inner.cancel();
  await assert.rejects(async () => await shielded, CancelledError);
});

test('shield: an error of work that nobody waits for any more is reported', async () => {
  const told: string[] = [];
  asyncio.setExceptionHandler(({ message }) => told.push(message));
  try {
    await asyncio.run(async () => {
      const outer = createTask(async () => {
        await shield(async () => {
          await sleep(1);
          throw new Error('behind the shield');
        });
      });
      await sleep(0);
      outer.cancel();
      await sleep(5);
    });
  } finally {
    asyncio.setExceptionHandler(undefined);
  }
  assert.equal(told.length, 1);
  assert.match(told[0]!, /never retrieved/);
});

test('shield protects the clean-up of a task', async () => {
  const order: string[] = [];
  const gate = new asyncio.Event();
  let flush: asyncio.Task<void> | undefined;
  const task = createTask(async () => {
    try {
      await sleep(60_000);
    } finally {
      flush = createTask(async () => {
        await gate.wait();
        order.push('flushed');
      });
      await shield(flush);
    }
  });
  await turn();
  task.cancel();
  await turn();
  task.cancel();
  await assert.rejects(async () => await task, CancelledError);
  assert.deepEqual(order, []);
  gate.set();
  await flush;
  assert.deepEqual(order, ['flushed']);
});

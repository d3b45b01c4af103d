import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTask, isCancelled, sleep } from '../../src/asyncio/index.ts';
import { Turnstile } from '../../src/sqlite/turnstile.ts';
import { Waits } from '../../src/sqlite/waits.ts';

const late = (): Error => new Error('late');

test('everybody enters in the order of arrival; those who share, together', async () => {
  const turnstile = new Turnstile(new Waits());
  const order: string[] = [];
  assert.equal(turnstile.tryEnter(false), true);
  const wanted: readonly (readonly [string, boolean])[] = [
    ['shared 1', true],
    ['shared 2', true],
    ['alone 1', false],
    ['shared 3', true],
    ['alone 2', false],
  ];
  const entered = wanted.map(([name, shared]) =>
    turnstile.enter(shared, { late }).then(() => void order.push(name)),
  );
  assert.equal(turnstile.length, 5);
  assert.equal(turnstile.tryEnter(true), false);
  turnstile.leave(false);
  await Promise.all(entered.slice(0, 2));
  assert.deepEqual(order, ['shared 1', 'shared 2']);
  turnstile.leave(true);
  await sleep(0);
  assert.equal(order.length, 2);
  turnstile.leave(true);
  await entered[2];
  turnstile.leave(false);
  await entered[3];
  turnstile.leave(true);
  await entered[4];
  assert.deepEqual(
    order,
    wanted.map(([name]) => name),
  );
  turnstile.leave(false);
  assert.equal(turnstile.tryEnter(false), true);
});

test('whoever leaves the queue lets the others pass', async () => {
  const waits = new Waits();
  const turnstile = new Turnstile(waits);
  turnstile.tryEnter(true);
  const controller = new AbortController();
  const aborted = turnstile.enter(false, { signal: controller.signal, late });
  const task = createTask(() => turnstile.enter(false, { late }));
  const tooLate = turnstile.enter(false, { timeout: 1, late });
  const shared = turnstile.enter(true, { late });
  await assert.rejects(tooLate, /late/);
  controller.abort(new Error('aborted'));
  await assert.rejects(aborted, /aborted/);
  task.cancel();
  await assert.rejects(task.then(), isCancelled);
  await shared;
  const interrupted = turnstile.enter(false, { late });
  waits.interrupt(new Error('interrupted'));
  await assert.rejects(interrupted, /interrupted/);
  assert.equal(turnstile.length, 0);
  await assert.rejects(
    turnstile.enter(true, { signal: AbortSignal.abort(new Error('before')), late }),
    /before/,
  );
});

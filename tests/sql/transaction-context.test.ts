import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Context, createTask, sleep } from '../../src/asyncio/index.ts';
import { TransactionContext } from '../../src/sql/index.ts';

describe('the current transaction', () => {
  test('belongs to the function of run, and to what it awaits', async () => {
    const context = new TransactionContext<{ id: number }>('test');
    const one = { id: 1 };
    const two = { id: 2 };
    await Promise.all([
      context.run(one, async () => {
        await sleep(1);
        assert.equal(context.get(), one);
        await context.run(two, async () => {
          await sleep(1);
          assert.equal(context.get(), two);
        });
        assert.equal(context.get(), one);
      }),
      context.run(two, async () => {
        await sleep(1);
        assert.equal(context.get(), two);
      }),
    ]);
    assert.equal(context.get(), undefined);
  });

  test('entered in a request, is seen there alone, from the next line on', async () => {
    const context = new TransactionContext<{ id: number }>('test');
    const request = (id: number): Promise<void> =>
      new Context().run(async () => {
        const transaction = { id };
        const begin = async (): Promise<void> => {
          context.enter(transaction);
          await sleep(1);
        };
        await begin();
        assert.equal(context.get(), transaction);
        await createTask(async () => {
          await sleep(0);
          assert.equal(context.get(), transaction);
        });
        context.leave(transaction);
        assert.equal(context.get(), undefined);
      });
    await Promise.all([request(1), request(2), request(3)]);
    assert.equal(context.get(), undefined);
  });

  test('entered outside of every request and task, is not seen inside of them', async () => {
    const context = new TransactionContext<{ id: number }>('test');
    const mine = { id: 1 };
    context.enter(mine);
    assert.equal(context.get(), mine);
    assert.equal(await createTask(async () => context.get()), undefined);
    context.leave({ id: 1 });
    assert.equal(context.get(), mine);
    context.leave(mine);
    assert.equal(context.get(), undefined);
  });

  test('of two databases are two', () => {
    const [left, right] = [new TransactionContext<object>('left'), new TransactionContext<object>('right')];
    left.run({}, () => assert.equal(right.get(), undefined));
  });
});

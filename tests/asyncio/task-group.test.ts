import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import * as asyncio from '../../src/asyncio/index.ts';
import { turn } from './clock.ts';

const { CancelledError, createTask, ExceptionGroup, sleep, TaskGroup, taskGroup } = asyncio;

const fail = async (error: Error): Promise<never> => {
  await sleep(0);
  throw error;
};

async function groupError(promise: PromiseLike<unknown>): Promise<asyncio.ExceptionGroup> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof ExceptionGroup, String(error));
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('taskGroup', () => {
  test('waits for all tasks and gives what the body returns', async () => {
    const ended: number[] = [];
    const value = await taskGroup(async (group) => {
      for (const n of [1, 2, 3]) {
        group.createTask(async () => {
          await sleep(4 - n);
          ended.push(n);
        });
      }
      return 'value';
    });
    assert.equal(value, 'value');
    assert.equal(ended.length, 3);
    expectTypeOf(taskGroup(async () => 1)).resolves.toEqualTypeOf<number>();
    await taskGroup(() => {});
  });

  test('the failure of one cancels the others and the body, and is thrown in a group', async () => {
    const ended: string[] = [];
    const hang = (name: string) => async (): Promise<void> => {
      try {
        await sleep(60_000);
      } finally {
        ended.push(name);
      }
    };
    const error = await groupError(
      taskGroup(async (group) => {
        group.createTask(hang('sibling'));
        group.createTask(() => fail(new RangeError('first')));
        await hang('body')();
      }),
    );
    assert.deepEqual(ended.sort(), ['body', 'sibling']);
    assert.equal(error.message, 'unhandled errors in a TaskGroup (1 sub-exception)');
    assert.deepEqual(error.errors.map(String), ['RangeError: first']);
  });

  test('errors of siblings while they are cancelled, and of the body, are all in it; the body’s is the last', async () => {
    const error = await groupError(
      taskGroup(async (group) => {
        group.createTask(async () => {
          try {
            await sleep(60_000);
          } finally {
            await fail(new Error('in the clean-up'));
          }
        });
        group.createTask(() => fail(new Error('first')));
        try {
          await sleep(60_000);
        } catch {
          throw new Error('body');
        }
      }),
    );
    assert.deepEqual(
      error.errors.map((e) => (e as Error).message),
      ['first', 'in the clean-up', 'body'],
    );
  });

  test('an error of the body cancels the tasks', async () => {
    let task: asyncio.Task<void> | undefined;
    const error = await groupError(
      taskGroup(async (group) => {
        task = group.createTask(() => sleep(60_000));
        await sleep(0);
        throw new TypeError('body');
      }),
    );
    assert.equal(task!.cancelled(), true);
    assert.deepEqual(error.errors.map(String), ['TypeError: body']);
  });

  test('cancelling the caller cancels all tasks and stays a cancellation', async () => {
    for (const inBody of [true, false]) {
      const children: asyncio.Task<void>[] = [];
      const caller = createTask(() =>
        taskGroup(async (group) => {
          children.push(
            group.createTask(() => sleep(60_000)),
            group.createTask(() => sleep(60_000)),
          );
          if (inBody) await sleep(60_000);
        }),
      );
      await turn(2);
      caller.cancel('outside');
      await assert.rejects(async () => await caller, { code: 'AIO_CANCELLED' });
      assert.deepEqual(
        children.map((child) => child.cancelled()),
        [true, true],
      );
    }
  });

  test('cancelled from outside and failed: the errors are thrown, and the cancellation meets the next wait', async () => {
    const order: string[] = [];
    const caller = createTask(async () => {
      const error = await groupError(
        taskGroup(async (group) => {
          group.createTask(async () => {
            try {
              await sleep(60_000);
            } finally {
              await fail(new Error('in the clean-up'));
            }
          });
          await sleep(60_000);
        }),
      );
      order.push((error.errors[0] as Error).message);
      await sleep(60_000);
    });
    await turn(2);
    caller.cancel();
    await assert.rejects(async () => await caller, CancelledError);
    assert.deepEqual(order, ['in the clean-up']);
  });

  test('a task that is cancelled on its own disturbs nobody', async () => {
    const value = await taskGroup(async (group) => {
      const one = group.createTask(() => sleep(60_000));
      const two = group.createTask(() => sleep(2, 'fine'));
      await sleep(0);
      one.cancel();
      return await two;
    });
    assert.equal(value, 'fine');
  });

  test('no tasks for a group that has ended or is shutting down', async () => {
    let ended: asyncio.TaskGroup | undefined;
    await taskGroup((group) => {
      ended = group;
    });
    assert.throws(() => ended!.createTask(() => {}), { code: 'AIO_INVALID_STATE', message: /is finished/ });
    await groupError(
      taskGroup(async (group) => {
        group.createTask(() => fail(new Error('x')));
        try {
          await sleep(60_000);
        } finally {
          assert.throws(() => group.createTask(() => {}), /is shutting down/);
        }
      }),
    );
  });

  test('tasks may start further tasks of the group', async () => {
    let count = 0;
    await taskGroup((group) => {
      const grow = (depth: number) => async (): Promise<void> => {
        count++;
        await sleep(0);
        if (depth > 0) for (let i = 0; i < 2; i++) group.createTask(grow(depth - 1));
      };
      group.createTask(grow(3));
    });
    assert.equal(count, 15);
  });

  test('groups in groups: a group of groups', async () => {
    const error = await groupError(
      taskGroup((outer) => {
        outer.createTask(() =>
          taskGroup((inner) => {
            inner.createTask(() => fail(new RangeError('deep')));
          }),
        );
        outer.createTask(() => fail(new TypeError('shallow')));
      }),
    );
    const [ranges, rest] = error.split(RangeError);
    assert.ok(rest!.errors.every((e) => e instanceof TypeError));
    assert.ok(ranges === undefined || ranges.errors[0] instanceof ExceptionGroup);
  });

  test('in a timeout: the limit ends the tasks', async () => {
    let task: asyncio.Task<void> | undefined;
    await assert.rejects(
      asyncio.timeout(2, () =>
        taskGroup((group) => {
          task = group.createTask(() => sleep(60_000));
        }),
      ),
      asyncio.TimeoutError,
    );
    assert.equal(task!.cancelled(), true);
  });
});

describe('the block form', () => {
  test('join waits; the tasks have ended', async () => {
    await using group = new TaskGroup();
    const tasks = [1, 2].map((n) => group.createTask(() => sleep(n, n)));
    await group.join();
    assert.deepEqual(
      tasks.map((task) => task.result()),
      [1, 2],
    );
    assert.throws(() => group.createTask(() => {}), /is finished/);
  });

  test('join throws the group of errors, after the others were cancelled', async () => {
    await using group = new TaskGroup();
    const hanging = group.createTask(() => sleep(60_000));
    group.createTask(() => fail(new Error('one')));
    const error = await groupError(group.join());
    assert.equal(error.errors.length, 1);
    assert.equal(hanging.cancelled(), true);
  });

  test('left without join: the tasks are cancelled and have ended; the error of the block is the one thrown', async () => {
    let task: asyncio.Task<void> | undefined;
    let cleaned = false;
    await assert.rejects(
      async () => {
        await using group = new TaskGroup();
        task = group.createTask(async () => {
          try {
            await sleep(60_000);
          } finally {
            await sleep(1);
            cleaned = true;
          }
        });
        await sleep(0);
        throw new Error('block');
      },
      { message: 'block' },
    );
    assert.equal(task!.cancelled(), true);
    assert.equal(cleaned, true);
  });

  test('left without join: errors of tasks are reported', async () => {
    const told: unknown[] = [];
    asyncio.setExceptionHandler(({ error }) => told.push((error as Error).message));
    try {
      await using group = new TaskGroup();
      group.createTask(() => fail(new Error('lost')));
      await turn(3);
    } finally {
      asyncio.setExceptionHandler(undefined);
    }
    assert.deepEqual(told, ['lost']);
  });

  test('cancelling the caller in join cancels the tasks', async () => {
    let child: asyncio.Task<void> | undefined;
    const caller = createTask(async () => {
      await using group = new TaskGroup();
      child = group.createTask(() => sleep(60_000));
      await group.join();
    });
    await turn(2);
    caller.cancel();
    await assert.rejects(async () => await caller, CancelledError);
    assert.equal(child!.cancelled(), true);
  });
});

describe('ExceptionGroup', () => {
  const tree = new ExceptionGroup('outer', [
    new TypeError('t1'),
    new ExceptionGroup('inner', [new RangeError('r1'), new TypeError('t2')]),
    new RangeError('r2'),
  ]);

  test('the message tells how many', () => {
    assert.equal(tree.message, 'outer (3 sub-exceptions)');
    assert.equal(tree.name, 'ExceptionGroup');
    assert.ok(tree instanceof AggregateError);
    assert.equal(tree.code, 'AIO_EXCEPTION_GROUP');
    assert.throws(() => new ExceptionGroup('none', []), RangeError);
  });

  test('split by class and by function keeps the nesting', () => {
    const [types, rest] = tree.split(TypeError);
    const shape = (error: unknown): unknown =>
      error instanceof ExceptionGroup ? error.errors.map(shape) : (error as Error).message;
    assert.deepEqual(shape(types), ['t1', ['t2']]);
    assert.deepEqual(shape(rest), [['r1'], 'r2']);
    assert.deepEqual(shape(tree.subgroup((error) => error instanceof Error && error.message.endsWith('2'))), [
      ['t2'],
      'r2',
    ]);
    assert.equal(tree.subgroup(SyntaxError), undefined);
    assert.deepEqual(tree.split(Error), [tree, undefined]);
    assert.equal(tree.split(SyntaxError)[1], tree);
    assert.equal(types!.message, 'outer (2 sub-exceptions)');
    assert.equal(types!.stack, tree.stack);
  });
});

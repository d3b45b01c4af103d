import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import * as asyncio from '../../src/asyncio/index.ts';
import { turn } from './clock.ts';

const { createTask, CancelledError, sleep } = asyncio;

describe('createTask', () => {
  test('begins in a later microtask, not at once', async () => {
    const order: string[] = [];
    const task = createTask(() => {
      order.push('task');
    });
    order.push('caller');
    await task;
    assert.deepEqual(order, ['caller', 'task']);
  });

  test('tasks begin in the order in which they were made', async () => {
    const order: number[] = [];
    await Promise.all([1, 2, 3].map((n) => createTask(() => order.push(n))));
    assert.deepEqual(order, [1, 2, 3]);
  });

  test('names are Task-N, or the one given, and can be changed', async () => {
    const unnamed = createTask(() => {});
    assert.match(unnamed.name, /^Task-\d+$/);
    const named = createTask(() => {}, { name: 'worker' });
    assert.equal(named.name, 'worker');
    named.name = 'other';
    assert.equal(named.name, 'other');
    await asyncio.gather(unnamed, named);
  });

  test('refuses a promise, with what to write instead', () => {
    assert.throws(() => createTask(Promise.resolve() as never), {
      name: 'TypeError',
      message: /takes a function.*got a promise: write createTask\(\(\) => work\(\)\)/,
    });
    assert.throws(() => createTask(5 as never), { name: 'TypeError', message: /got number 5/ });
  });

  test('the result: of a plain function, of an async one, of one that returns a task', async () => {
    assert.equal(await createTask(() => 1), 1);
    assert.equal(await createTask(async () => 2), 2);
    assert.equal(await createTask(() => createTask(() => 3)), 3);
    // biome-ignore lint/suspicious/noThenProperty: a foreign thenable is what is tested
    const thenable = { then: (ok: (n: number) => void) => ok(4) } as PromiseLike<number>;
    assert.equal(await createTask(() => thenable), 4);
  });

  test('errors are thrown to everybody who awaits', async () => {
    const error = new RangeError('no');
    const task = createTask(() => {
      throw error;
    });
    await assert.rejects(async () => await task, error);
    await assert.rejects(async () => await task, error);
    await assert.rejects(async () => await createTask(() => Promise.reject(error)), error);
  });

  test('types: the result of what the function returns', () => {
    expectTypeOf(createTask(() => 1)).toEqualTypeOf<asyncio.Task<number>>();
    expectTypeOf(createTask(async () => 'a')).toEqualTypeOf<asyncio.Task<string>>();
    expectTypeOf<Awaited<asyncio.Task<Date>>>().toEqualTypeOf<Date>();
    const some: asyncio.Task<unknown>[] = [createTask(() => 1), createTask(() => 'a')];
    assert.equal(some.length, 2);
  });
});

describe('Task', () => {
  test('done, result, exception before and after the end', async () => {
    const task = createTask(() => sleep(0, 'x'));
    assert.equal(task.done(), false);
    assert.throws(() => task.result(), {
      name: 'InvalidStateError',
      code: 'AIO_INVALID_STATE',
      message: /^Result is not set/,
    });
    assert.throws(() => task.exception(), { name: 'InvalidStateError', message: /^Exception is not set/ });
    await task;
    assert.equal(task.done(), true);
    assert.equal(task.result(), 'x');
    assert.equal(task.exception(), undefined);

    const failed = createTask(() => {
      throw new Error('no');
    });
    await turn();
    assert.throws(() => failed.result(), /^Error: no$/);
    assert.equal((failed.exception() as Error).message, 'no');
    assert.equal(failed.cancelled(), false);
  });

  test('setResult and setException are refused', async () => {
    const task = createTask(() => 1);
    assert.throws(() => task.setResult(2), { code: 'AIO_INVALID_STATE' });
    assert.throws(() => task.setException(new Error()), { code: 'AIO_INVALID_STATE' });
    assert.equal(await task, 1);
  });

  test('done-callbacks run in a microtask after the end, in the context of who registered them', async () => {
    const order: string[] = [];
    const variable = new asyncio.ContextVar('v', { default: 'outside' });
    const task = createTask(() => {
      variable.set('task');
      order.push('body');
    });
    const twice = (): void => {
      order.push('removed');
    };
    task.addDoneCallback(twice);
    task.addDoneCallback(twice);
    assert.equal(task.removeDoneCallback(twice), 2);
    assert.equal(task.removeDoneCallback(twice), 0);
    task.addDoneCallback((t) =>
      order.push(`callback ${t === task} ${variable.get()} ${asyncio.currentTask()?.name}`),
    );
    await task;
    await turn();
    assert.deepEqual(order, ['body', 'callback true outside undefined']);
    task.addDoneCallback(() => order.push('late'));
    assert.equal(order.includes('late'), false);
    await null;
    assert.equal(order.at(-1), 'late');
  });

  test('an error of a done-callback goes to the exception handler', async () => {
    const told: asyncio.ExceptionContext[] = [];
    asyncio.setExceptionHandler((context) => told.push(context));
    try {
      const task = createTask(() => {}, { name: 'quiet' });
      task.addDoneCallback(() => {
        throw new Error('in the callback');
      });
      await task;
      await turn();
    } finally {
      asyncio.setExceptionHandler(undefined);
    }
    assert.deepEqual(
      told.map(({ message, error }) => [message, (error as Error).message]),
      [['a done-callback of quiet failed', 'in the callback']],
    );
  });

  test('a task that waits for itself is told so', async () => {
    const task: asyncio.Task<void> = createTask(async () => {
      await turn();
      await task;
    });
    await assert.rejects(async () => await task, {
      code: 'AIO_INVALID_STATE',
      message: /cannot wait for itself/,
    });
  });

  test('currentTask and allTasks', async () => {
    assert.equal(asyncio.currentTask(), undefined);
    const seen: unknown[] = [];
    const task = createTask(async () => {
      seen.push(asyncio.currentTask());
      await sleep(0);
      seen.push(asyncio.currentTask(), asyncio.allTasks().has(task));
      await createTask(() => seen.push(asyncio.currentTask() === task));
    });
    assert.equal(asyncio.allTasks().has(task), true);
    await task;
    assert.deepEqual(seen, [task, task, true, false]);
    assert.equal(asyncio.allTasks().has(task), false);
  });

  test('outside: a timer made in a task does not belong to it', async () => {
    const { promise, resolve } = asyncio.withResolvers<unknown>();
    const inside = asyncio.withResolvers<unknown>();
    const task = createTask(() => {
      asyncio.outside(() => setTimeout(() => resolve(asyncio.currentTask()?.name), 1));
      setTimeout(() => inside.resolve(asyncio.currentTask()?.name), 1);
    });
    await task;
    assert.equal(await promise, undefined);
    assert.equal(await inside.promise, task.name);
  });
});

describe('cancel', () => {
  test('a task that has not begun never begins', async () => {
    let ran = false;
    const task = createTask(() => {
      ran = true;
    });
    assert.equal(task.cancel(), true);
    await assert.rejects(async () => await task, CancelledError);
    assert.equal(ran, false);
    assert.equal(task.cancelled(), true);
    assert.throws(() => task.result(), CancelledError);
    assert.throws(() => task.exception(), CancelledError);
  });

  test('the wait throws, with the message; finally blocks run and may wait themselves', async () => {
    const order: string[] = [];
    const task = createTask(async () => {
      try {
        await sleep(60_000);
      } catch (error) {
        assert.ok(asyncio.isCancelled(error));
        order.push(error.message, String(error.reason));
        throw error;
      } finally {
        await sleep(1);
        order.push('cleaned up');
      }
    });
    await turn();
    assert.equal(task.cancel('go away'), true);
    assert.equal(task.done(), false);
    await assert.rejects(async () => await task, { code: 'AIO_CANCELLED', message: 'go away' });
    assert.deepEqual(order, ['go away', 'go away', 'cleaned up']);
    assert.equal(task.cancel(), false);
  });

  test('a task may catch it and go on', async () => {
    const task = createTask(async () => {
      try {
        await sleep(60_000);
      } catch {
        assert.equal(asyncio.currentTask()!.cancelling(), 1);
        assert.equal(asyncio.currentTask()!.uncancel(), 0);
      }
      return await sleep(1, 'went on');
    });
    await turn();
    task.cancel();
    assert.equal(await task, 'went on');
    assert.equal(task.cancelled(), false);
    assert.equal(task.cancelling(), 0);
  });

  test('the idiom: catch errors of work, let the cancellation pass', async () => {
    let swallowed = false;
    const task = createTask(async () => {
      for (;;) {
        try {
          await sleep(60_000);
        } catch (error) {
          if (asyncio.isCancelled(error)) throw error;
          swallowed = true;
        }
      }
    });
    await turn();
    task.cancel();
    await assert.rejects(async () => await task, CancelledError);
    assert.equal(swallowed, false);
  });

  test('is passed on to the task that it waits for, and the waiting ends when that has ended', async () => {
    const order: string[] = [];
    const inner = createTask(async () => {
      try {
        await sleep(60_000);
      } finally {
        await sleep(1);
        order.push('inner');
      }
    });
    const outer = createTask(async () => {
      try {
        await inner;
      } finally {
        order.push('outer');
      }
    });
    await turn();
    outer.cancel('both');
    await assert.rejects(async () => await outer, { message: 'both' });
    assert.deepEqual(order, ['inner', 'outer']);
    assert.equal(inner.cancelled(), true);
  });

  test('when the inner task swallows it, the outer goes on with the result', async () => {
    const inner = createTask(async () => {
      try {
        await sleep(60_000);
      } catch {
        return 'stubborn';
      }
      return 'never';
    });
    const outer = createTask(async () => await inner);
    await turn();
    outer.cancel();
    assert.equal(await outer, 'stubborn');
  });

  test('inside of a foreign promise it meets the next wait of ours', async () => {
    const foreign = later();
    const order: string[] = [];
    const task = createTask(async () => {
      await foreign.promise;
      order.push('the foreign promise was not interrupted');
      await sleep(60_000);
    });
    await turn();
    task.cancel();
    await turn();
    assert.deepEqual(order, []);
    foreign.resolve();
    await assert.rejects(async () => await task, CancelledError);
    assert.deepEqual(order, ['the foreign promise was not interrupted']);
  });

  test('a result that was there before the next wait is not thrown away', async () => {
    const foreign = later();
    const task = createTask(async () => {
      await foreign.promise;
      return 'kept';
    });
    await turn();
    task.cancel();
    foreign.resolve();
    assert.equal(await task, 'kept');
  });

  test('a task that cancels itself and returns has been cancelled', async () => {
    const task = createTask(() => {
      asyncio.currentTask()!.cancel();
      return 12;
    });
    await assert.rejects(async () => await task, CancelledError);
    assert.equal(task.cancelled(), true);
  });

  test('reaches all waits of a task that waits for several things at once', async () => {
    const ended: number[] = [];
    const wait = async (n: number): Promise<void> => {
      try {
        await sleep(60_000);
      } finally {
        ended.push(n);
      }
    };
    const task = createTask(() => Promise.all([wait(1), wait(2), wait(3)]));
    await turn();
    task.cancel();
    await assert.rejects(async () => await task, CancelledError);
    assert.deepEqual(ended, [1, 2, 3]);
  });

  test('tasks that wait for each other in a circle can be cancelled', async () => {
    const tasks: asyncio.Task<void>[] = [];
    for (const other of [1, 0]) {
      tasks.push(
        createTask(async () => {
          await tasks[other];
        }),
      );
    }
    await turn();
    assert.match(asyncio.callGraph(), /waits for itself/);
    tasks[0]!.cancel();
    await assert.rejects(async () => await tasks[0], CancelledError);
    await assert.rejects(async () => await tasks[1], CancelledError);
  });

  test('a wait that failed because of it is no unhandled rejection, awaited or not', async () => {
    const task = createTask(async () => {
      const forgotten = sleep(60_000);
      void forgotten;
      await sleep(60_000);
    });
    await turn();
    task.cancel();
    await assert.rejects(async () => await task, CancelledError);
    await turn(3);
  });
});

describe('signals', () => {
  test('task.signal is aborted by cancel, with the error as reason', async () => {
    let signal: AbortSignal | undefined;
    const task = createTask(async () => {
      signal = asyncio.currentTask()!.signal;
      assert.equal(signal.aborted, false);
      await sleep(60_000);
    });
    await turn();
    task.cancel('gone');
    assert.equal(signal!.aborted, true);
    assert.equal((signal!.reason as Error).message, 'gone');
    await assert.rejects(async () => await task, CancelledError);
    assert.equal(task.signal.aborted, true);
  });

  test('the signal of a task that was cancelled before anybody asked is aborted', async () => {
    const task = createTask(() => {});
    task.cancel();
    assert.equal(task.signal.aborted, true);
    await assert.rejects(async () => await task, CancelledError);
    const other = createTask(() => {});
    other.cancel();
    await assert.rejects(async () => await other, CancelledError);
    assert.equal(other.signal.aborted, true);
  });

  test('cancelOn cancels the task, and leaves no listener when the task ends', async () => {
    const { getEventListeners } = await import('node:events');
    const controller = new AbortController();
    const task = createTask(async () => {
      asyncio.cancelOn(controller.signal);
      await sleep(60_000);
    });
    await turn();
    assert.equal(getEventListeners(controller.signal, 'abort').length, 1);
    controller.abort(new Error('user left'));
    await assert.rejects(async () => await task, { code: 'AIO_CANCELLED', message: 'user left' });
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0);

    const fresh = new AbortController();
    const quick = createTask(() => {});
    asyncio.cancelOn(fresh.signal, quick);
    await quick;
    assert.equal(getEventListeners(fresh.signal, 'abort').length, 0);

    const untied = createTask(() => sleep(0));
    asyncio.cancelOn(fresh.signal, untied)[Symbol.dispose]();
    fresh.abort();
    await untied;

    const already = createTask(() => sleep(60_000));
    asyncio.cancelOn(fresh.signal, already);
    await assert.rejects(async () => await already, CancelledError);
    assert.throws(() => asyncio.cancelOn(fresh.signal), { code: 'AIO_INVALID_STATE' });
  });

  test('cancellable: a promise', async () => {
    const task = createTask(() => asyncio.cancellable(new Promise(() => {})));
    await turn();
    task.cancel();
    await assert.rejects(async () => await task, CancelledError);
    assert.equal(await asyncio.cancellable(Promise.resolve(1)), 1);
    await assert.rejects(asyncio.cancellable(Promise.reject(new Error('no'))), /no/);
  });

  test('cancellable: a function is given a signal that ends the work', async () => {
    const seen: string[] = [];
    const task = createTask(() =>
      asyncio.cancellable(
        (signal) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              seen.push((signal.reason as Error).name);
              reject(signal.reason);
            });
          }),
      ),
    );
    await turn();
    task.cancel();
    await assert.rejects(async () => await task, CancelledError);
    assert.deepEqual(seen, ['CancelledError']);
    assert.equal(await asyncio.cancellable(() => 'at once'), 'at once');
    await assert.rejects(
      asyncio.cancellable(() => {
        throw new RangeError('sync');
      }),
      RangeError,
    );
  });
});

describe('suspend', () => {
  test('outside of a task it is a promise', async () => {
    assert.equal(await asyncio.suspend((resolve) => resolve(1)), 1);
    await assert.rejects(
      asyncio.suspend((_, reject) => reject(new Error('no'))),
      /no/,
    );
    await assert.rejects(
      asyncio.suspend(() => {
        throw new Error('arm');
      }),
      /arm/,
    );
  });

  test('in a task: the first of resolve, reject and cancel counts; what arm returned stops it once', async () => {
    let stops = 0;
    let finish: ((value: string) => void) | undefined;
    const waiting = (): Promise<string> =>
      asyncio.suspend<string>((resolve) => {
        finish = resolve;
        return () => stops++;
      });
    const resolved = createTask(waiting);
    await turn();
    finish!('first');
    finish!('second');
    resolved.cancel();
    assert.equal(await resolved, 'first');
    assert.equal(stops, 0);

    const cancelled = createTask(waiting);
    await turn();
    cancelled.cancel();
    finish!('too late');
    await assert.rejects(async () => await cancelled, CancelledError);
    assert.equal(stops, 1);
  });

  test('cancelled by what arm itself calls: it is stopped all the same', async () => {
    let stopped = false;
    const task = createTask(() =>
      asyncio.suspend(() => {
        asyncio.currentTask()!.cancel();
        return () => {
          stopped = true;
        };
      }),
    );
    await assert.rejects(async () => await task, CancelledError);
    assert.equal(stopped, true);
  });
});

function later(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((ok) => {
    resolve = ok;
  });
  return { promise, resolve };
}

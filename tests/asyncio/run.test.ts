import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import * as asyncio from '../../src/asyncio/index.ts';
import { runProgram } from './child.ts';
import { turn } from './clock.ts';

const { CancelledError, createTask, run, Runner, sleep } = asyncio;

/** Collects what would be reported. */
async function reportsOf(work: () => Promise<void>): Promise<asyncio.ExceptionContext[]> {
  const told: asyncio.ExceptionContext[] = [];
  asyncio.setExceptionHandler((context) => told.push(context));
  try {
    await work();
  } finally {
    asyncio.setExceptionHandler(undefined);
  }
  return told;
}

describe('run', () => {
  test('gives the result, throws the error', async () => {
    assert.equal(await run(() => sleep(0, 'x')), 'x');
    expectTypeOf(run(async () => 1)).resolves.toEqualTypeOf<number>();
    await assert.rejects(
      run(() => Promise.reject(new RangeError('no'))),
      RangeError,
    );
  });

  test('refuses what is not a function', async () => {
    await assert.rejects(run(5 as never), { name: 'TypeError', message: /a function.*got number 5/ });
    await assert.rejects(run(sleep(0) as never), {
      name: 'TypeError',
      message: /got a promise: write asyncio.run\(main\)/,
    });
  });

  test('cannot be nested', async () => {
    await run(async () => {
      await assert.rejects(
        run(() => 1),
        { code: 'AIO_INVALID_STATE', message: /cannot be called from inside of another run/ },
      );
      await createTask(() =>
        assert.rejects(
          run(() => 1),
          { code: 'AIO_INVALID_STATE' },
        ),
      );
    });
  });

  test('cancels the tasks that are left, and waits for their finally blocks', async () => {
    const log: string[] = [];
    const outside = createTask(() => sleep(1, 'untouched'));
    await run(async () => {
      createTask(async () => {
        try {
          await sleep(60_000);
        } finally {
          await sleep(1);
          log.push('cleaned up');
        }
      });
      await sleep(0);
      assert.equal(asyncio.allTasks().size, 2);
      assert.equal(asyncio.allTasks().has(outside), false);
      log.push('main ends');
    });
    assert.deepEqual(log, ['main ends', 'cleaned up']);
    assert.equal(await outside, 'untouched');
  });

  test('an error of a task that was left is reported', async () => {
    const told = await reportsOf(() =>
      run(async () => {
        createTask(
          async () => {
            try {
              await sleep(60_000);
            } finally {
              // biome-ignore lint/correctness/noUnsafeFinally: what is tested
              throw new Error('in the clean-up');
            }
          },
          { name: 'left' },
        );
        await sleep(0);
      }),
    );
    assert.deepEqual(
      told.map(({ message, task, error }) => [message, task, (error as Error).message]),
      [['a task failed while run() was ending', 'left', 'in the clean-up']],
    );
  });

  test('a task that does not end in time is reported and left alone', async () => {
    const told = await reportsOf(() =>
      run(
        async () => {
          createTask(() => new Promise(() => {}), { name: 'stuck' });
          await sleep(0);
        },
        { shutdownTimeout: 5 },
      ),
    );
    assert.deepEqual(
      told.map(({ message }) => message),
      ['stuck was cancelled by the end of run() and did not end within 0.005 s'],
    );
  });

  test('the error of a task that nobody retrieved is reported at the end, with name and place', async () => {
    const told = await reportsOf(() =>
      run(async () => {
        createTask(
          () => {
            throw new Error('unseen');
          },
          { name: 'lonely' },
        );
        const seen = createTask(() => Promise.reject(new Error('seen')));
        await sleep(0);
        assert.match(String(seen.exception()), /seen/);
      }),
    );
    assert.equal(told.length, 1);
    assert.equal(told[0]!.message, 'the error of lonely was never retrieved');
    assert.equal((told[0]!.error as Error).message, 'unseen');
    assert.match(told[0]!.madeAt!, /run\.test\.ts/);
  });

  test('cancelled from within: CancelledError', async () => {
    await assert.rejects(
      run(async () => {
        asyncio.currentTask()!.cancel('enough');
        await sleep(60_000);
      }),
      { code: 'AIO_CANCELLED', message: 'enough' },
    );
  });

  test('leaves no listener behind', async () => {
    const count = (): number[] =>
      ['SIGINT', 'unhandledRejection', 'beforeExit', 'exit'].map((name) => process.listenerCount(name));
    const before = count();
    await run(() => sleep(0));
    await assert.rejects(
      run(() => {
        throw new Error('x');
      }),
    );
    assert.deepEqual(count(), before);
  });
});

describe('Runner', () => {
  test('several main functions in one context', async () => {
    const variable = new asyncio.ContextVar('v', { default: 0 });
    let left: asyncio.Task<void> | undefined;
    {
      await using runner = new Runner();
      await runner.run(async () => {
        variable.set(1);
        left = createTask(() => sleep(60_000));
      });
      assert.equal(await runner.run(() => variable.get()), 1);
      assert.equal(left!.done(), false);
      const busy = runner.run(() => turn());
      await assert.rejects(
        runner.run(() => {}),
        { code: 'AIO_INVALID_STATE' },
      );
      await busy;
    }
    assert.equal(left!.cancelled(), true);
    assert.equal(variable.get(), 0);
  });

  test('closed: refuses', async () => {
    const runner = new Runner();
    await runner.close();
    await runner.close();
    await assert.rejects(
      runner.run(() => {}),
      { code: 'AIO_INVALID_STATE', message: /closed/ },
    );
  });

  test('debug is on for as long as it lives', async () => {
    assert.equal(asyncio.isDebug(), false);
    await run(() => assert.equal(asyncio.isDebug(), true), { debug: true });
    assert.equal(asyncio.isDebug(), false);
  });
});

describe('debug mode', () => {
  test('a task that was cancelled and ends normally is reported; one that took it back is not', async () => {
    const told = await reportsOf(() =>
      run(
        async () => {
          const swallow = (uncancel: boolean) => async (): Promise<void> => {
            try {
              await sleep(60_000);
            } catch {
              if (uncancel) asyncio.currentTask()!.uncancel();
            }
          };
          const tasks = [
            createTask(swallow(false), { name: 'bad' }),
            createTask(swallow(true), { name: 'good' }),
          ];
          await sleep(0);
          for (const task of tasks) task.cancel();
          await asyncio.wait(tasks);
        },
        { debug: true },
      ),
    );
    // A busy machine may have made the loop stand still as well.
    assert.deepEqual(
      told.map(({ message }) => message).filter((message) => !message.startsWith('the event loop')),
      ['bad was cancelled and ended normally all the same'],
    );
  });

  test('an event loop that stands still is reported', async () => {
    const told = await reportsOf(() =>
      run(
        async () => {
          await sleep(30);
          const end = performance.now() + 200;
          while (performance.now() < end);
          await sleep(30);
        },
        { debug: true },
      ),
    );
    assert.ok(told.some(({ message }) => /^the event loop stood still for \d+ ms$/.test(message)));
  });
});

describe('in a process of its own', { concurrency: 2 }, () => {
  test('ctrl-C once: finally blocks run, KeyboardInterrupt, exit code 130', async () => {
    const { code, stdout, stderr } = await runProgram(
      `await asyncio.run(async () => {
        try { console.log('ready'); await asyncio.sleep(60_000); }
        finally { await asyncio.sleep(1); console.log('cleaned up'); }
      });`,
      { ready: 'SIGINT' },
    );
    assert.equal(stdout, 'ready\ncleaned up\n');
    assert.match(stderr, /KeyboardInterrupt: interrupted by ctrl-C/);
    assert.equal(code, 130);
  });

  test('ctrl-C, caught: the program goes on and ends with 0', async () => {
    const { code, stdout } = await runProgram(
      `try { await asyncio.run(async () => { console.log('ready'); await asyncio.sleep(60_000); }); }
       catch (error) { console.log(error instanceof asyncio.KeyboardInterrupt, error.code, process.listenerCount('SIGINT')); }`,
      { ready: 'SIGINT' },
    );
    assert.equal(stdout, 'ready\ntrue AIO_INTERRUPTED 0\n');
    assert.equal(code, 0);
  });

  test('ctrl-C, and main deals with it: its result', async () => {
    const { code, stdout } = await runProgram(
      `console.log(await asyncio.run(async () => {
        try { console.log('ready'); await asyncio.sleep(60_000); } catch { return 'stopped'; }
      }));`,
      { ready: 'SIGINT' },
    );
    assert.equal(stdout, 'ready\nstopped\n');
    assert.equal(code, 0);
  });

  test('ctrl-C twice ends the process at once', async () => {
    const { code, stdout } = await runProgram(
      `await asyncio.run(async () => {
        try { console.log('ready'); await asyncio.sleep(60_000); }
        finally { console.log('again'); await asyncio.sleep(60_000); console.log('never'); }
      });`,
      { ready: 'SIGINT', again: 'SIGINT' },
    );
    assert.equal(stdout, 'ready\nagain\n');
    assert.equal(code, 130);
  });

  test('handleSignals: false, or a listener of the program: ctrl-C is not ours', async () => {
    const off = await runProgram(
      `await asyncio.run(async () => { console.log('ready'); await asyncio.sleep(60_000); }, { handleSignals: false });`,
      { ready: 'SIGINT' },
    );
    assert.equal(off.signal, 'SIGINT');
    const own = await runProgram(
      `let wake; process.on('SIGINT', () => { console.log('mine'); wake(); });
       await asyncio.run(async () => { const { promise, resolve } = asyncio.withResolvers(); wake = resolve;
         const beat = setInterval(() => {}, 1000); console.log('ready'); await promise; clearInterval(beat); });`,
      { ready: 'SIGINT' },
    );
    assert.deepEqual([own.code, own.stdout], [0, 'ready\nmine\n']);
  });

  test('main waits for what nobody will ever do: DeadlockError with the call graph', async () => {
    const ours = await runProgram(
      `await asyncio.run(async function main() {
        const queue = new asyncio.Queue();
        try { await asyncio.createTask(() => queue.get(), { name: 'reader' }); } finally { console.log('cleaned up'); }
      });`,
    );
    assert.equal(ours.code, 1);
    assert.equal(ours.stdout, 'cleaned up\n');
    assert.match(ours.stderr, /DeadlockError: .*nothing is left/);
    assert.match(ours.stderr, /Task-\d+ \(main\): waits for reader\n└── reader: waits for Queue\.get/);
    const foreign = await runProgram(
      `await asyncio.run(() => new Promise(() => {}), { shutdownTimeout: 1 });`,
    );
    assert.equal(foreign.code, 1);
    assert.match(foreign.stderr, /DeadlockError/);
  });

  test('no unhandled rejection from tasks; promises that were left when a task was cancelled do not end the process', async () => {
    const { code, stdout, stderr } = await runProgram(
      `await asyncio.run(async () => {
        const work = async () => { await asyncio.sleep(60_000); };
        const task = asyncio.createTask(async () => { const forgotten = work(); await asyncio.sleep(60_000); await forgotten; });
        await asyncio.sleep(0);
        task.cancel();
        try { await task; } catch (error) { console.log(asyncio.isCancelled(error)); }
        await asyncio.sleep(5);
      });
      console.log('end');`,
    );
    assert.deepEqual([code, stdout, stderr], [0, 'true\nend\n', '']);
  });

  test('an unhandled rejection of another kind ends the process as always', async () => {
    const { code, stderr } = await runProgram(
      `await asyncio.run(async () => { Promise.reject(new Error('forgotten')); await asyncio.sleep(1_000); });`,
    );
    assert.equal(code, 1);
    assert.match(stderr, /forgotten/);
  });

  test('an error that nobody retrieved is reported when its task is collected, or when the process ends', async () => {
    const collected = await runProgram(
      `asyncio.createTask(function doomed() { throw new Error('unseen'); });
       for (let i = 0; i < 50; i++) { await new Promise((resolve) => setTimeout(resolve, 10)); gc(); }
       console.log('end');`,
      {},
      ['--expose-gc'],
    );
    assert.match(
      collected.stderr,
      /^asyncio: the error of Task-1 \(doomed\) was never retrieved\n {2}task: Task-1 \(doomed\)\n {2}made at /,
    );
    assert.match(collected.stderr, /Error: unseen/);
    assert.equal(collected.code, 0);
    const ended = await runProgram(
      `asyncio.createTask(() => { throw new Error('unseen'); }, { name: 'doomed' });`,
    );
    assert.equal(ended.stderr.split('never retrieved').length, 2);
    const retrieved = await runProgram(
      `const task = asyncio.createTask(() => { throw new Error('seen'); }); await asyncio.wait([task]); task.exception();`,
    );
    assert.deepEqual([retrieved.code, retrieved.stderr], [0, '']);
  });

  test('a SIGINT listener is there only while it runs', async () => {
    const { signal, stdout } = await runProgram(
      `await asyncio.run(() => {}); console.log('ready'); await new Promise((resolve) => setTimeout(resolve, 60_000));`,
      { ready: 'SIGINT' },
    );
    assert.deepEqual([signal, stdout], ['SIGINT', 'ready\n']);
  });
});

test('CancelledError is exported for instanceof too', () => {
  assert.ok(asyncio.isCancelled(new CancelledError()));
  assert.equal(asyncio.isCancelled(new Error()), false);
  assert.equal(asyncio.isCancelled(undefined), false);
  assert.equal(
    asyncio.isCancelled(Object.assign(new Error('of another copy'), { code: 'AIO_CANCELLED' })),
    true,
  );
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as runs from '../../examples/seed/asyncio-run.ts';
import * as tasks from '../../examples/seed/asyncio-tasks.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a program on a faked clock; the lines that it prints, each with the second in which it printed them. */
async function linesBySecond(
  t: TestContext,
  program: () => Promise<void>,
): Promise<[second: number, line: string][]> {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  let second = 0;
  const lines: [number, string][] = [];
  t.mock.method(console, 'log', (line: unknown) => lines.push([second, String(line)]));
  let ended = false;
  const end = program().finally(() => {
    ended = true;
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await turn();
  while (!ended && second < 100) {
    second++;
    t.mock.timers.tick(1_000);
    await turn();
  }
  await end;
  return lines;
}

describe('seed/asyncio-run', () => {
  for (const [name, program] of Object.entries(runs)) {
    test(`${name} prints a number of Fibonacci’s each second`, async (t) => {
      assert.deepEqual(await linesBySecond(t, program), [
        [1, '0'],
        [2, '1'],
        [3, '1'],
      ]);
    });
  }
});

describe('seed/asyncio-tasks', () => {
  const work: [number, string][] = [
    [0, 'Begin sleep for 2'],
    [0, 'Begin sleep for 3'],
    [0, 'Begin sleep for 5'],
    [2, 'Awake from 2'],
    [3, 'Awake from 3'],
    [5, 'Awake from 5'],
  ];

  test('gather: order of the arguments, and the whole takes as long as the longest task', async (t) => {
    assert.deepEqual(await linesBySecond(t, () => tasks.timed(tasks.main)), [
      ...work,
      [5, 'resuluts:  [2, 3, 5]'],
      [5, 'Excetion time: 5.00 seconds.'],
    ]);
  });

  test('wait: the results of the tasks that are done', async (t) => {
    assert.deepEqual(await linesBySecond(t, () => tasks.timed(tasks.mainWithWait)), [
      ...work,
      [5, 'resuluts:  [5, 3, 2]'],
      [5, 'pending:  set()'],
      [5, 'Excetion time: 5.00 seconds.'],
    ]);
  });

  test('started as a program', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', 'examples/seed/asyncio-tasks.ts'],
      { cwd: root, encoding: 'utf8', timeout: 60_000 },
    );
    assert.equal(stderr, '');
    assert.match(
      stdout,
      /^Begin sleep for 2\n(.*\n){5}resuluts: {2}\[2, 3, 5\]\nExcetion time: \d+\.\d\d seconds\.\n$/,
    );
    assert.equal(status, 0);
  });
});

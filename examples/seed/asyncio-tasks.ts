// Several tasks at once: together they take as long as the longest. `--wait` runs the form that is commented out in the post.
// What is printed is what the post's program prints, to the letter.

import { fileURLToPath } from 'node:url';
import * as asyncio from 'aiohttp-ts/asyncio';

async function longRunningTask(secondsToSleep: number): Promise<number> {
  console.log(`Begin sleep for ${secondsToSleep}`);
  await asyncio.sleep(secondsToSleep * 1_000);
  console.log(`Awake from ${secondsToSleep}`);
  return secondsToSleep;
}

function startTasks(): [asyncio.Task<number>, asyncio.Task<number>, asyncio.Task<number>] {
  const task1 = asyncio.createTask(() => longRunningTask(2));
  const task2 = asyncio.createTask(() => longRunningTask(3));
  const task3 = asyncio.createTask(() => longRunningTask(5));
  return [task1, task2, task3];
}

/** The results come in the order of the arguments. */
export async function main(): Promise<void> {
  const [task1, task2, task3] = startTasks();
  const results = await asyncio.gather(task1, task2, task3);
  console.log(`resuluts:  [${results.join(', ')}]`);
}

/** The results are in the tasks that are done, in the order in which the tasks were given. */
export async function mainWithWait(): Promise<void> {
  const [task1, task2, task3] = startTasks();
  const results: number[] = [];
  const { done, pending } = await asyncio.wait([task3, task2, task1]);
  for (const task of done) results.push(task.result());
  console.log(`resuluts:  [${results.join(', ')}]`);
  console.log(`pending:  ${pending.size === 0 ? 'set()' : [...pending].map((task) => task.name).join(', ')}`);
}

export async function timed(program: () => Promise<void>): Promise<void> {
  const start = asyncio.time();
  await asyncio.run(program);
  const elapsed = (asyncio.time() - start) / 1_000;
  console.log(`Excetion time: ${elapsed.toFixed(2)} seconds.`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await timed(process.argv.includes('--wait') ? mainWithWait : main);
}

// Running a coroutine, in the three forms that the post shows, the modern one first. Each prints 0, 1, 1: one number a second.

import { fileURLToPath } from 'node:url';
import * as asyncio from 'aiohttp-ts/asyncio';

async function fib(n: number): Promise<number> {
  let [a, b] = [0, 1];
  for (let i = 0; i < n; i++) [a, b] = [b, a + b];
  return a;
}

async function coro(n: number): Promise<void> {
  for (let x = 0; x < n; x++) {
    await asyncio.sleep(1_000);
    const f = await fib(x);
    console.log(f);
  }
}

/** Python 3.7: `asyncio.run(coro(3))`. */
export async function withRun(): Promise<void> {
  await asyncio.run(() => coro(3));
}

/** Python 3.5: a loop of one's own, `loop.run_until_complete(coro(3))`. What was the loop is a runner here. */
export async function withRunner(): Promise<void> {
  const runner = new asyncio.Runner();
  try {
    await runner.run(() => coro(3));
  } finally {
    await runner.close();
  }
}

/** What a generator gives out to be waited for: `yield from` in Python, `yield*` here. */
type Coroutine<T> = Generator<PromiseLike<unknown>, T, void>;

// biome-ignore lint/correctness/useYield: in Python, too, the decorator made a coroutine of it
function* oldFib(n: number): Coroutine<number> {
  let [a, b] = [0, 1];
  for (let i = 0; i < n; i++) [a, b] = [b, a + b];
  return a;
}

function* oldCoro(n: number): Coroutine<void> {
  for (let x = 0; x < n; x++) {
    yield asyncio.sleep(1_000);
    const f = yield* oldFib(x);
    console.log(f);
  }
}

/** What `@asyncio.coroutine` did: waits for everything that the generator gives out. */
async function drive<T>(coroutine: Coroutine<T>): Promise<T> {
  let step = coroutine.next();
  while (!step.done) {
    const [outcome] = await Promise.allSettled([step.value]);
    step = outcome.status === 'rejected' ? coroutine.throw(outcome.reason) : coroutine.next();
  }
  return step.value;
}

/** Before Python 3.5: generators, because there was no `await`. */
export async function withGenerators(): Promise<void> {
  await asyncio.run(() => drive(oldCoro(3)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await withRun();
  await withRunner();
  await withGenerators();
}

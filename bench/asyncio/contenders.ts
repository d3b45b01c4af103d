// The same work, written as each library wants it. Every contender is measured in a process of its own and imports nothing but
// its own library, because on Node 20 and 22 the first task of a process makes every await dearer.

/** Does something `n` times. */
export type Work = (n: number) => Promise<unknown>;

/** What is measured, by its name. A contender that has no such thing leaves it out, and the report says so. */
export interface Scenarios {
  /** Start a function as a task, wait for its result. */
  readonly 'create and await'?: Work;
  /** As a task with thirteen waits in it, about what a request of a server has. */
  readonly 'task with 13 awaits'?: Work;
  /** 1,000 at once; counted for each. */
  readonly 'gather of 1,000'?: Work;
  /** One puts, one gets, each waits for the other. */
  readonly 'queue hand-over'?: Work;
  /** Ten take turns at one place. */
  readonly 'contended lock'?: Work;
  /** A block with a time limit that does not pass. */
  readonly 'timeout scope'?: Work;
  /** A wait that is cancelled, from its start to its end. */
  readonly 'cancelled wait'?: Work;
}

export type ScenarioName = keyof Scenarios;

export const scenarioNames: readonly ScenarioName[] = [
  'create and await',
  'task with 13 awaits',
  'gather of 1,000',
  'queue hand-over',
  'contended lock',
  'timeout scope',
  'cancelled wait',
];

const A_MINUTE = 60_000;

async function one(): Promise<number> {
  return 1;
}

async function thirteen(): Promise<number> {
  let sum = 0;
  for (let i = 0; i < 13; i++) sum += await one();
  return sum;
}

/** Ten at once do a tenth of the work each. */
async function byTen(n: number, work: (n: number) => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: 10 }, () => work(Math.ceil(n / 10))));
}

function plain(): Scenarios {
  return {
    'create and await': async (n) => {
      for (let i = 0; i < n; i++) await one();
    },
    'task with 13 awaits': async (n) => {
      for (let i = 0; i < n; i++) await thirteen();
    },
    'gather of 1,000': async (n) => {
      for (let i = 0; i < n; i += 1_000) await Promise.all(Array.from({ length: 1_000 }, one));
    },
    'timeout scope': async (n) => {
      for (let i = 0; i < n; i++) {
        await new Promise((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error('too late')), A_MINUTE);
          one()
            .then(resolve, reject)
            .finally(() => clearTimeout(timer));
        });
      }
    },
    'cancelled wait': async (n) => {
      for (let i = 0; i < n; i++) {
        const controller = new AbortController();
        const { signal } = controller;
        const wait = new Promise((_, reject) => {
          const timer = setTimeout(reject, A_MINUTE);
          signal.addEventListener('abort', () => {
            clearTimeout(timer);
            reject(signal.reason);
          });
        });
        controller.abort();
        await wait.catch(() => {});
      }
    },
  };
}

async function asyncio(): Promise<Scenarios> {
  const asyncio = await import('aiohttp-ts/asyncio');
  const { createTask } = asyncio;
  return {
    'create and await': async (n) => {
      for (let i = 0; i < n; i++) await createTask(one);
    },
    'task with 13 awaits': async (n) => {
      for (let i = 0; i < n; i++) await createTask(thirteen);
    },
    'gather of 1,000': async (n) => {
      const thousand = Array.from({ length: 1_000 }, () => one);
      for (let i = 0; i < n; i += 1_000) await asyncio.gather(thousand);
    },
    'queue hand-over': async (n) => {
      const queue = new asyncio.Queue<number>(1);
      const consumer = createTask(async () => {
        for (let i = 0; i < n; i++) await queue.get();
      });
      const producer = createTask(async () => {
        for (let i = 0; i < n; i++) await queue.put(i);
      });
      await asyncio.gather(consumer, producer);
    },
    'contended lock': async (n) => {
      const lock = new asyncio.Lock();
      await byTen(n, (share) =>
        Promise.resolve(
          createTask(async () => {
            for (let i = 0; i < share; i++) {
              const held = await lock.acquire();
              try {
                await one();
              } finally {
                held.release();
              }
            }
          }),
        ),
      );
    },
    'timeout scope': (n) =>
      Promise.resolve(
        createTask(async () => {
          for (let i = 0; i < n; i++) await asyncio.timeout(A_MINUTE, one);
        }),
      ),
    'cancelled wait': async (n) => {
      for (let i = 0; i < n; i++) {
        const task = createTask(() => asyncio.sleep(A_MINUTE));
        await null;
        task.cancel();
        await task.then(undefined, () => {});
      }
    },
  };
}

async function pLimit(): Promise<Scenarios> {
  const { default: makeLimit } = await import('p-limit');
  return {
    'create and await': async (n) => {
      const limit = makeLimit(10);
      for (let i = 0; i < n; i++) await limit(one);
    },
    'task with 13 awaits': async (n) => {
      const limit = makeLimit(10);
      for (let i = 0; i < n; i++) await limit(thirteen);
    },
    'gather of 1,000': async (n) => {
      const limit = makeLimit(1_000);
      for (let i = 0; i < n; i += 1_000) await Promise.all(Array.from({ length: 1_000 }, () => limit(one)));
    },
    'contended lock': async (n) => {
      const limit = makeLimit(1);
      await byTen(n, async (share) => {
        for (let i = 0; i < share; i++) await limit(one);
      });
    },
  };
}

async function pQueue(): Promise<Scenarios> {
  const { default: PQueue } = await import('p-queue');
  return {
    'create and await': async (n) => {
      const queue = new PQueue({ concurrency: 10 });
      for (let i = 0; i < n; i++) await queue.add(one);
    },
    'task with 13 awaits': async (n) => {
      const queue = new PQueue({ concurrency: 10 });
      for (let i = 0; i < n; i++) await queue.add(thirteen);
    },
    'gather of 1,000': async (n) => {
      const queue = new PQueue({ concurrency: 1_000 });
      const thousand = Array.from({ length: 1_000 }, () => one);
      for (let i = 0; i < n; i += 1_000) await queue.addAll(thousand);
    },
    'contended lock': async (n) => {
      const queue = new PQueue({ concurrency: 1 });
      await byTen(n, async (share) => {
        for (let i = 0; i < share; i++) await queue.add(one);
      });
    },
    'timeout scope': async (n) => {
      const queue = new PQueue({ concurrency: 10, timeout: A_MINUTE });
      for (let i = 0; i < n; i++) await queue.add(one);
    },
    'cancelled wait': async (n) => {
      // It ends the wait for work that has not begun.
      const queue = new PQueue({ concurrency: 1 });
      let end: (() => void) | undefined;
      void queue.add(
        () =>
          new Promise<void>((resolve) => {
            end = resolve;
          }),
      );
      for (let i = 0; i < n; i++) {
        const controller = new AbortController();
        const wait = queue.add(one, { signal: controller.signal });
        controller.abort();
        await wait.catch(() => {});
      }
      end?.();
      await queue.onIdle();
    },
  };
}

async function asyncSema(): Promise<Scenarios> {
  const { Sema } = await import('async-sema');
  return {
    'queue hand-over': async (n) => {
      // A queue of one place, made of two semaphores.
      const free = new Sema(1);
      const full = new Sema(1);
      await full.acquire();
      let slot = 0;
      const consume = async (): Promise<number> => {
        let sum = 0;
        for (let i = 0; i < n; i++) {
          await full.acquire();
          sum += slot;
          free.release();
        }
        return sum;
      };
      const produce = async (): Promise<void> => {
        for (let i = 0; i < n; i++) {
          await free.acquire();
          slot = i;
          full.release();
        }
      };
      await Promise.all([consume(), produce()]);
    },
    'contended lock': async (n) => {
      const sema = new Sema(1);
      await byTen(n, async (share) => {
        for (let i = 0; i < share; i++) {
          await sema.acquire();
          try {
            await one();
          } finally {
            sema.release();
          }
        }
      });
    },
  };
}

async function effect(): Promise<Scenarios> {
  const { Deferred, Effect, Fiber, Queue, Semaphore } = await import('effect');
  const single = Effect.promise(one);
  const thirteenWaits = Effect.gen(function* () {
    let sum = 0;
    for (let i = 0; i < 13; i++) sum += yield* single;
    return sum;
  });
  const repeat = <A>(n: number, work: ReturnType<typeof Effect.sync<A>>): Promise<void> =>
    Effect.runPromise(
      Effect.gen(function* () {
        for (let i = 0; i < n; i++) yield* work;
      }),
    );
  const asTask = <A>(work: ReturnType<typeof Effect.sync<A>>): ReturnType<typeof Effect.sync<A>> =>
    Effect.gen(function* () {
      return yield* Fiber.join(yield* Effect.forkChild(work));
    });
  return {
    'create and await': (n) => repeat(n, asTask(single)),
    'task with 13 awaits': (n) => repeat(n, asTask(thirteenWaits)),
    'gather of 1,000': (n) => {
      const thousand = Array.from({ length: 1_000 }, () => single);
      return repeat(Math.ceil(n / 1_000), Effect.all(thousand, { concurrency: 'unbounded' }));
    },
    'queue hand-over': (n) =>
      Effect.runPromise(
        Effect.gen(function* () {
          const queue = yield* Queue.bounded<number>(1);
          const consumer = yield* Effect.forkChild(
            Effect.gen(function* () {
              for (let i = 0; i < n; i++) yield* Queue.take(queue);
            }),
          );
          for (let i = 0; i < n; i++) yield* Queue.offer(queue, i);
          yield* Fiber.join(consumer);
        }),
      ),
    'contended lock': async (n) => {
      const semaphore = Semaphore.makeUnsafe(1);
      await byTen(n, (share) => repeat(share, Semaphore.withPermit(semaphore, single)));
    },
    'timeout scope': (n) => repeat(n, Effect.orDie(Effect.timeout(single, A_MINUTE))),
    'cancelled wait': (n) =>
      repeat(
        n,
        Effect.gen(function* () {
          const never = yield* Deferred.make<void>();
          const fiber = yield* Effect.forkChild(Effect.timeout(Deferred.await(never), A_MINUTE));
          yield* Effect.promise(one);
          yield* Fiber.interrupt(fiber);
        }),
      ),
  };
}

/** Plain promises with the package imported and no task made: must cost what they cost without it. */
async function imported(): Promise<Scenarios> {
  const asyncio = await import('aiohttp-ts/asyncio');
  asyncio.outside(() => {});
  return plain();
}

/** Plain promises in a process that has made a task. */
async function afterTask(): Promise<Scenarios> {
  const asyncio = await import('aiohttp-ts/asyncio');
  await asyncio.createTask(one);
  return plain();
}

export const contenders: Readonly<Record<string, () => Scenarios | Promise<Scenarios>>> = {
  'aiohttp-ts': asyncio,
  'p-limit': pLimit,
  'p-queue': pQueue,
  'async-sema': asyncSema,
  effect,
  promises: plain,
  'promises, asyncio imported': imported,
  'promises, a task was made': afterTask,
};

import type { TestContext } from 'node:test';

/** Lets everything that is ready run, on the real event loop. */
export async function turn(times = 1): Promise<void> {
  for (let i = 0; i < times; i++) await new Promise<void>((resolve) => realSetImmediate(resolve));
}

const realSetImmediate = setImmediate;

/** A faked clock, which moves only when told to. */
export interface Clock {
  /** Moves it, one millisecond at a time, and lets the tasks that were woken go on in between. */
  advance(ms: number): Promise<void>;
}

export function fakeClock(t: TestContext): Clock {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  return {
    async advance(ms) {
      await turn();
      for (let i = 0; i < ms; i++) {
        t.mock.timers.tick(1);
        await turn();
      }
    },
  };
}

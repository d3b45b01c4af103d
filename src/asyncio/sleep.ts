import { suspend } from './suspend.ts';
import { checkDuration, startTimer } from './timer.ts';

/**
 * Waits. `sleep(0)`, and any negative time, lets everything else that is ready run once: tasks, and I/O.
 *
 * Source: `asyncio.sleep`.
 *
 * @param ms milliseconds, any length
 * @param result what the promise resolves with
 * @throws CancelledError when the task is cancelled
 *
 * @example
 * ```ts
 * import { sleep } from 'aiohttp-ts/asyncio';
 * console.log(await sleep(10, 'rested'));
 * ```
 */
export function sleep(ms: number): Promise<void>;
export function sleep<T>(ms: number, result: T): Promise<T>;
export function sleep<T>(ms: number, result?: T): Promise<T | undefined> {
  checkDuration(ms, 'The time to sleep');
  return suspend<T | undefined>((resolve) => startTimer(ms, () => resolve(result)), `sleep(${ms})`);
}

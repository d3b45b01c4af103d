import { cancellable, Semaphore } from '../asyncio/index.ts';
import { PasswordQueueFullError } from './errors.ts';

// libuv's thread pool serves file reads and DNS look-ups too: logins never take its last thread.
const threads = Number(process.env['UV_THREADPOOL_SIZE']) || 4;

/** How many hashes are computed at once. */
const atOnce = Math.max(1, Math.min(threads, 1024) - 1);

/** How many more may wait: at 50 to 250 ms each, the last one of them has waited for seconds. */
const mayWait = 64 * atOnce;

const places = new Semaphore(atOnce);
let waiting = 0;

/**
 * Runs `work` when a thread is free for it: first come, first served.
 *
 * @throws PasswordQueueFullError when too many wait already
 * @throws CancelledError when the task is cancelled; a hash that was begun keeps its place until it is computed
 */
export async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (places.locked() && waiting >= mayWait) throw new PasswordQueueFullError();
  waiting++;
  try {
    await places.acquire();
  } finally {
    waiting--;
  }
  const result = work();
  const leave = (): void => places.release();
  result.then(leave, leave);
  return cancellable(result);
}

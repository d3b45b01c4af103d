import { report, type Site } from './report.ts';

let enabled = process.env['AIOHTTP_TS_ASYNCIO_DEBUG'] === '1';

/** Whether debug mode is on. */
export function isDebug(): boolean {
  return enabled;
}

/**
 * Turns debug mode on or off for the whole process; `run(main, { debug: true })` and the environment variable
 * `AIOHTTP_TS_ASYNCIO_DEBUG=1` do so too.
 *
 * In debug mode every task remembers the whole stack of the place where it was made, a task that was cancelled and ends normally
 * all the same is reported, and a `run` reports whenever the event loop stood still for more than 100 ms.
 *
 * Source: `loop.set_debug`, `PYTHONASYNCIODEBUG`.
 *
 * @example
 * ```ts
 * import { setDebug } from 'aiohttp-ts/asyncio';
 * setDebug(true);
 * setDebug(false);
 * ```
 */
export function setDebug(on: boolean): void {
  enabled = on;
}

/** How long the loop may stand still in debug mode. Source: `loop.slow_callback_duration`, 100 ms. */
const SLOW_MS = 100;
const BEAT_MS = 20;

/** Reports blockings of the event loop until the returned function is called. */
export function watchLoop(): () => void {
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const late = now - last - BEAT_MS;
    last = now;
    if (late > SLOW_MS) report(`the event loop stood still for ${Math.round(late)} ms`, undefined);
  }, BEAT_MS);
  timer.unref();
  return () => clearInterval(timer);
}

// Capturing even one stack frame costs as much as a whole short task (2.7 µs on Node 20). So outside of debug mode the place
// is captured for at most about a thousand tasks a second: a program that makes fewer always learns where a task was made, and
// one that makes a million pays nothing that it could measure.
const BURST = 256;
const REFILL_MS = 250;
let tokens = BURST;
let countdown = 0;
let refilled = 0;

/** Where the caller of `above` was called, unless tasks are being made too fast to look. */
// biome-ignore lint/complexity/noBannedTypes: any function can be the one that is left out of the stack
export function captureSite(above: Function): Site | undefined {
  if (tokens > 0) tokens--;
  else if (!enabled && !refill()) return undefined;
  const site: Site = {};
  const limit = Error.stackTraceLimit;
  if (!enabled) Error.stackTraceLimit = 3;
  Error.captureStackTrace(site, above);
  Error.stackTraceLimit = limit;
  return site;
}

function refill(): boolean {
  if (countdown > 0) {
    countdown--;
    return false;
  }
  countdown = BURST;
  const now = performance.now();
  if (now - refilled < REFILL_MS) return false;
  refilled = now;
  tokens = BURST;
  return true;
}

import type { ServerOptions } from './options.ts';

/**
 * Watches that a request body does not come too slowly to be honest (`bodyMinRate`), so that it cannot hold a handler for ever. Each
 * `bodyGracePeriod` is judged alone: a fast beginning does not pay for a body that then stops.
 */
export class BodyRate {
  #bytes: number;
  /** Milliseconds in which the body could have come: time in which nobody wanted to read does not count. */
  #time: number;
  #checkedAt: number;

  constructor() {
    this.#bytes = 0;
    this.#time = 0;
    this.#checkedAt = 0;
  }

  begin(now: number): void {
    this.#bytes = 0;
    this.#time = 0;
    this.#checkedAt = now;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Takes the time since the last check into account; `waiting` tells whether the body was being read in it. */
  isTooSlow(now: number, waiting: boolean, options: ServerOptions): boolean {
    if (waiting) this.#time += now - this.#checkedAt;
    this.#checkedAt = now;
    if (options.bodyMinRate === 0 || this.#time < options.bodyGracePeriod) return false;
    const tooSlow = this.#bytes * 1000 < options.bodyMinRate * this.#time;
    this.begin(now);
    return tooSlow;
  }
}

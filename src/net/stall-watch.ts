import type { Socket } from 'node:net';

/** Watches that a peer takes something of what waits for it now and then (`sendTimeout`). */
export class StallWatch {
  #since: number;
  #waiting: number;

  constructor() {
    this.#since = 0;
    this.#waiting = 0;
  }

  reset(): void {
    this.#waiting = 0;
  }

  /** The peer has taken nothing for `timeout` milliseconds (0: any time is fine). */
  isStalled(socket: Socket, now: number, timeout: number): boolean {
    const waiting = socket.writableLength;
    if (waiting === 0 || waiting !== this.#waiting) {
      this.#waiting = waiting;
      this.#since = now;
      return false;
    }
    return timeout > 0 && now - this.#since >= timeout;
  }
}

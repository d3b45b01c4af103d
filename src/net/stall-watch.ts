import type { Socket } from 'node:net';

/** Watches that a peer takes something of what waits for it now and then (`sendTimeout`). */
export class StallWatch {
  #waiting: number;
  #since: number;

  constructor() {
    this.#waiting = 0;
    this.#since = 0;
  }

  reset(): void {
    this.#waiting = 0;
  }

  /** The peer has taken nothing for `timeout` milliseconds (0: any time is fine). */
  isStalled(socket: Socket, now: number, timeout: number): boolean {
    const waiting = waitingBytes(socket);
    if (waiting === 0 || waiting !== this.#waiting) {
      this.#waiting = waiting;
      this.#since = now;
      return false;
    }
    return timeout > 0 && now - this.#since >= timeout;
  }
}

/**
 * `writableLength` only shrinks when a whole write is done, which can take a slow peer minutes. How much of it is gone is known to
 * the handle under the socket; Node's own `socket.setTimeout()` looks there too, but takes input for a sign of life.
 */
function waitingBytes(socket: Socket): number {
  const handle = (socket as { _handle?: { writeQueueSize?: number } | null })._handle;
  return socket.writableLength + (handle?.writeQueueSize ?? 0);
}

import type { Socket } from 'node:net';

/**
 * Cuts the connection when its peer takes nothing of what waits for it for `timeout` milliseconds (0: any time is fine). The
 * timer is the socket's own, because only the socket sees how much of one long write is gone; it exists only while output waits.
 * Input counts as a sign of life too, so whoever watches must see to it that a peer cannot go on sending for ever.
 */
export function watchStall(socket: Socket, timeout: number): void {
  if (timeout > 0 && !socket.timeout) socket.setTimeout(timeout, cutStalled);
}

/** The peer took everything. */
export function unwatchStall(socket: Socket): void {
  if (socket.timeout) socket.setTimeout(0, cutStalled);
}

function cutStalled(this: Socket): void {
  this.destroy();
}

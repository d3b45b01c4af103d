import type { Socket } from 'node:net';
import { outside, suspend, time } from '../asyncio/index.ts';
import { Output, StallWatch } from '../net/index.ts';
import type { Frame } from './frame-writer.ts';

/** Gathered bytes are given to the socket at this size at the latest. */
const FLUSH_SIZE = 65_536;

const ignore = (): void => {};

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Frames on their way out. Those that are sent in one turn of the event loop leave in one write; who sends more than the peer takes waits. A peer
 * that takes nothing at all for `sendTimeout` is given up.
 */
export class FrameOutput {
  private readonly socket: Socket;
  private readonly limit: number;
  private readonly sendTimeout: number;
  private readonly output: Output;
  private scheduled: boolean;
  private waiters: Set<Waiter> | undefined;
  private stall: NodeJS.Timeout | undefined;
  private failure: Error | undefined;

  /**
   * @param limit - bytes that may wait for the peer before whoever sends has to wait
   * @param sendTimeout - milliseconds; 0: none
   */
  constructor(socket: Socket, limit: number, sendTimeout: number) {
    this.socket = socket;
    this.limit = limit;
    this.sendTimeout = sendTimeout;
    this.output = new Output(socket);
    this.scheduled = false;
    this.waiters = undefined;
    this.stall = undefined;
    this.failure = undefined;
  }

  /** The peer has more to take than it should. */
  get isFull(): boolean {
    return this.output.size + this.socket.writableLength > this.limit;
  }

  /** Returns a promise when the peer does not keep up, or when the bytes are the caller's own and still needed. */
  write(frame: Frame): Promise<void> | undefined {
    if (this.failure !== undefined) return undefined;
    if (!(frame instanceof Uint8Array)) return this.writeApart(frame);
    const { output } = this;
    output.bytes(frame);
    if (output.size >= FLUSH_SIZE) {
      this.flush();
    } else if (!this.scheduled) {
      this.scheduled = true;
      process.nextTick(flushScheduled, this);
    }
    return this.isFull ? this.pace() : undefined;
  }

  /** Gives everything to the socket. */
  flush(): void {
    if (this.failure !== undefined || this.output.flush()) return;
    this.watch();
  }

  /** @internal */
  flushNow(): void {
    this.scheduled = false;
    this.flush();
  }

  /** The socket took everything. */
  drained(): void {
    this.unwatch();
    const { waiters } = this;
    if (waiters === undefined) return;
    this.waiters = undefined;
    for (const waiter of waiters) waiter.resolve();
  }

  /** The connection is gone: nobody may wait for it any longer. */
  fail(error: Error): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.output.clear();
    this.unwatch();
    const { waiters } = this;
    this.waiters = undefined;
    for (const waiter of waiters ?? []) waiter.reject(error);
  }

  /** The payload is not copied: until the system has it, its owner must not change it. */
  private writeApart(parts: readonly Uint8Array[]): Promise<void> | undefined {
    this.flush();
    const { socket } = this;
    let done: (() => void) | undefined;
    const last = parts.length - 1;
    socket.cork();
    for (let index = 0; index < last; index++) socket.write(parts[index]!);
    // A write that fails ends the connection, which `fail` tells; Node may not tell it here.
    const ready = socket.write(parts[last]!, (error) => {
      if (!error && !socket.destroyed) done?.();
    });
    socket.uncork();
    if (!ready) this.watch();
    if (socket.writableLength === 0) return undefined;
    return this.wait((waiter) => {
      done = waiter.resolve;
    });
  }

  private pace(): Promise<void> | undefined {
    this.flush();
    return this.socket.writableNeedDrain && this.isFull ? this.wait(ignore) : undefined;
  }

  /** Until the socket took everything, or `arm`'s waiter is told so earlier. */
  private wait(arm: (waiter: Waiter) => void): Promise<void> {
    const wait = suspend<void>((resolve, reject) => {
      const waiter = { resolve, reject };
      this.waiters ??= new Set();
      this.waiters.add(waiter);
      arm({ resolve: () => this.release(waiter), reject });
      return () => this.waiters?.delete(waiter);
    }, 'a WebSocket whose peer takes too little');
    // Who does not wait for what it sends must not be ended by a peer that leaves: no rejection of this promise is unhandled.
    wait.catch(ignore);
    return wait;
  }

  private release(waiter: Waiter): void {
    if (this.waiters?.delete(waiter)) waiter.resolve();
  }

  private watch(): void {
    if (this.sendTimeout === 0 || this.stall !== undefined) return;
    const { socket, sendTimeout } = this;
    const stall = new StallWatch();
    const look = (): void => {
      if (stall.isStalled(socket, time(), sendTimeout)) socket.destroy();
    };
    look();
    this.stall = outside(() => setInterval(look, Math.max(10, sendTimeout / 4)));
  }

  private unwatch(): void {
    clearInterval(this.stall);
    this.stall = undefined;
  }
}

function flushScheduled(output: FrameOutput): void {
  output.flushNow();
}

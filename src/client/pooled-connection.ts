import type { ClientConnection } from '../net/index.ts';
import type { ConnectionKey } from './connection-key.ts';
import type { PoolEntry } from './connector-pool.ts';

/** How long the phases of making a connection took, in milliseconds; `undefined` for those that were not needed. */
export interface ConnectTimings {
  readonly dns: number | undefined;
  readonly connect: number | undefined;
  /** SOCKS or CONNECT. */
  readonly proxy: number | undefined;
  readonly tls: number | undefined;
}

/**
 * A connection that is ours for one message. It goes back by itself when the message is over; `release()` and `close()` do
 * nothing from then on, so each place in the pool is given back exactly once.
 *
 * Source: aiohttp's `Connection`.
 */
export class PooledConnection {
  readonly connection: ClientConnection;
  readonly key: ConnectionKey;
  /** It carried a message before. */
  readonly reused: boolean;
  /** Of the making of this connection; `undefined` when it was reused. */
  readonly timings: ConnectTimings | undefined;
  /** Called once, when the connection is no longer ours. */
  onReleased: (() => void) | undefined;
  private entry: PoolEntry | undefined;

  constructor(entry: PoolEntry, reused: boolean, timings: ConnectTimings | undefined) {
    this.connection = entry.connection;
    this.key = entry.key;
    this.reused = reused;
    this.timings = timings;
    this.onReleased = undefined;
    this.entry = entry;
  }

  /** It is no longer ours: the message is over, or it was given back. */
  get released(): boolean {
    return this.entry === undefined;
  }

  /** Gives it back: to the pool when no message is under way, else it is closed (an unread body would be in the way of the next). */
  release(): void {
    this.entry?.giveBack();
  }

  /** Closes the connection; a message under way fails with `error`. */
  close(error?: Error): void {
    this.entry?.connection.close(error);
    this.entry?.giveBack();
  }

  /** @internal The pool has taken it back. */
  ended(): void {
    this.entry = undefined;
    const { onReleased } = this;
    this.onReleased = undefined;
    onReleased?.();
  }
}

import type { ConnectionKey } from './connection-key.ts';

/** Limits of making a connection, in milliseconds; `undefined` and 0 mean none. */
export interface ConnectTimeouts {
  /** Waiting for a place in the pool. */
  readonly poolWait?: number | undefined;
  /** Waiting for a place and making the connection, together. */
  readonly connect?: number | undefined;
  /** Making the connection: name look-up, TCP, proxy and TLS together. */
  readonly sockConnect?: number | undefined;
}

/** Who is told what happens while a connection is made. Each may return a promise, which is waited for. */
export interface ConnectTrace {
  connectionQueuedStart(): unknown;
  connectionQueuedEnd(): unknown;
  connectionCreateStart(): unknown;
  connectionCreateEnd(): unknown;
  connectionReuseconn(): unknown;
  dnsCacheHit(host: string): unknown;
  dnsCacheMiss(host: string): unknown;
  dnsResolvehostStart(host: string): unknown;
  dnsResolvehostEnd(host: string): unknown;
}

/** What a connector is asked for. */
export interface ConnectRequest {
  readonly key: ConnectionKey;
  readonly timeouts: ConnectTimeouts;
  readonly traces: readonly ConnectTrace[] | undefined;
  /** Is given, at once, what ends the waiting: for a deadline or a signal of whoever asks. */
  readonly onStart?: ((abort: (error: Error) => void) => void) | undefined;
}

import { isCancelled } from '../asyncio/index.ts';
import { codedRangeError, shown } from '../message/index.ts';
import { ClientConnection, type Dialed, TimerWheel } from '../net/index.ts';
import { ConnectLimit } from './connect-limit.ts';
import type { ConnectRequest, ConnectTrace } from './connect-request.ts';
import { connectionFailure } from './connection-failure.ts';
import type { ConnectionKey } from './connection-key.ts';
import { ConnectionPool, PLACE, type PoolEntry } from './connector-pool.ts';
import { ClientConnectionError, ClientError, ConnectionTimeoutError } from './errors.ts';
import { ownOptions } from './own-options.ts';
import type { ConnectTimings, PooledConnection } from './pooled-connection.ts';

/** Deadlines of connections are met within this many milliseconds, never early. */
const TICK = 100;

/** Options that all connectors have. */
export interface ConnectorOptions {
  /** Most connections at once over all hosts, idle ones included; 0 for no limit. Default 100. */
  readonly limit?: number | undefined;
  /** Most connections in use at once to one host and port; 0 for no limit. Default 0. */
  readonly limitPerHost?: number | undefined;
  /** How long an idle connection is kept, in milliseconds. Default 15 000. */
  readonly keepaliveTimeout?: number | undefined;
  /** Every connection is closed after its message. Default `false`. */
  readonly forceClose?: boolean | undefined;
}

/** What a connector has at the moment, and has done so far. */
export interface ConnectorStats {
  /** Connections that wait for a request. */
  readonly idle: number;
  /** Connections in use. */
  readonly busy: number;
  /** Connections being made. */
  readonly connecting: number;
  /** Requests that wait for a connection. */
  readonly waiting: number;
  /** Connections made so far. */
  readonly opened: number;
  /** How often a connection was used again. */
  readonly reused: number;
}

/** A socket that is ready for HTTP, and how long that took. */
export interface MadeConnection extends Dialed {
  readonly timings: ConnectTimings;
}

/**
 * Makes connections, keeps them while they are idle, and lets no more exist than allowed. A session has one; several sessions may share
 * one. Requests that have to wait are served in their order.
 *
 * Source: `aiohttp.BaseConnector`.
 */
export abstract class BaseConnector implements AsyncDisposable {
  readonly limit: number;
  readonly limitPerHost: number;
  readonly keepaliveTimeout: number;
  readonly forceClose: boolean;
  /** Schemes that may be asked for. */
  readonly allowedProtocolSchemas: ReadonlySet<string>;
  /**
   * One coarse timer for everything about this connector's connections; runs from the first `connect()` to `close()`, without keeping
   * the process alive.
   * @internal
   */
  readonly wheel: TimerWheel;
  private readonly pool: ConnectionPool;
  /** Requests that wait, or whose connection is being made. */
  private readonly pending: Set<ConnectLimit>;
  private openedCount: number;
  private reusedCount: number;

  /** @throws RangeError `AIO_CONNECTOR_OPTION` for a number out of range, or `forceClose` with a `keepaliveTimeout`. */
  constructor(options: ConnectorOptions, schemas: readonly string[] = HTTP_SCHEMAS) {
    const { limit = 100, limitPerHost = 0, keepaliveTimeout, forceClose = false } = ownOptions(options);
    checkCount('limit', limit);
    checkCount('limitPerHost', limitPerHost);
    if (forceClose && keepaliveTimeout !== undefined) {
      throw codedRangeError('AIO_CONNECTOR_OPTION', 'keepaliveTimeout cannot be set if forceClose is true');
    }
    if (keepaliveTimeout !== undefined && !(keepaliveTimeout > 0)) {
      throw codedRangeError(
        'AIO_CONNECTOR_OPTION',
        `keepaliveTimeout is a positive number of milliseconds, got ${shown(keepaliveTimeout)}`,
      );
    }
    this.limit = limit;
    this.limitPerHost = limitPerHost;
    this.keepaliveTimeout = keepaliveTimeout ?? 15_000;
    this.forceClose = forceClose;
    this.allowedProtocolSchemas = new Set(schemas);
    this.wheel = new TimerWheel(TICK, () => {});
    this.pool = new ConnectionPool(this);
    this.pending = new Set();
    this.openedCount = 0;
    this.reusedCount = 0;
  }

  /** It was closed and gives no connections any more. */
  get closed(): boolean {
    return this.pool.closed;
  }

  get stats(): ConnectorStats {
    const { pool } = this;
    return {
      idle: pool.idleCount,
      busy: pool.entries.size - pool.idleCount,
      connecting: pool.connecting,
      waiting: pool.waiting,
      opened: this.openedCount,
      reused: this.reusedCount,
    };
  }

  /**
   * An idle connection, at once and without a promise; `undefined` when there is none: then `connect`. Nothing is traced.
   */
  reuse(key: ConnectionKey): PooledConnection | undefined {
    const entry = this.pool.reuse(key);
    if (entry === undefined) return undefined;
    this.reusedCount++;
    return entry.take(true, undefined);
  }

  /** Closes the connections of a key that are idle. */
  closeIdle(key: ConnectionKey): void {
    this.pool.dropIdle(key);
  }

  /**
   * A connection, made if there is none. It is the caller's until its message is over, or it is released. When the task is cancelled,
   * what was begun is undone.
   *
   * @throws ClientConnectorError and its kinds, ConnectionTimeoutError, ServerFingerprintMismatch, ClientHttpProxyError,
   * ClientConnectionError when the connector is or gets closed, CancelledError
   */
  async connect(request: ConnectRequest): Promise<PooledConnection> {
    this.throwIfClosed();
    const { key, timeouts, traces } = request;
    const limit = new ConnectLimit();
    this.pending.add(limit);
    request.onStart?.((error) => limit.abort(error));
    this.wheel.start();
    limit.within(timeouts.connect, () => this.timedOut(key, 'connect', timeouts.connect));
    try {
      for (;;) {
        const entry = this.pool.acquire(key) ?? (await this.waitForTurn(request, limit));
        if (entry === PLACE) return await this.make(request, limit);
        // It may have been closed since it was passed on.
        if (entry.connection.closed) {
          this.throwIfClosed();
          continue;
        }
        this.reusedCount++;
        const lease = entry.take(true, undefined);
        if (traces !== undefined)
          await this.tellOrRelease(traces, lease, (trace) => trace.connectionReuseconn());
        return lease;
      }
    } finally {
      limit.clear();
      this.pending.delete(limit);
    }
  }

  /** Closes all connections, those in use too, and ends all waits. Resolves when the sockets are closed. */
  async close(): Promise<void> {
    const { pool } = this;
    pool.closed = true;
    for (const limit of [...this.pending]) limit.abort(closedError());
    const closing = [...pool.entries].map(({ connection }) => {
      const { socket } = connection;
      const closed = socket.closed
        ? undefined
        : new Promise<void>((resolve) => socket.once('close', () => resolve()));
      connection.close(closedError());
      return closed;
    });
    this.wheel.stop();
    await Promise.all(closing);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Makes a connection. What was begun must be undone when it throws. */
  protected abstract open(request: ConnectRequest, limit: ConnectLimit): Promise<MadeConnection>;

  private async waitForTurn(request: ConnectRequest, limit: ConnectLimit): Promise<PoolEntry | typeof PLACE> {
    const { key, timeouts, traces } = request;
    const { pool } = this;
    if (traces !== undefined) await tell(traces, (trace) => trace.connectionQueuedStart());
    const unlimit = limit.within(timeouts.poolWait, () => this.timedOut(key, 'poolWait', timeouts.poolWait));
    let granted: PoolEntry | undefined;
    try {
      granted = await limit.wait<PoolEntry | undefined>((resolve) => {
        const waiter = pool.enqueue(key, resolve);
        return () => pool.cancel(waiter);
      }, 'a connection of the pool');
    } finally {
      unlimit();
    }
    if (traces !== undefined) {
      try {
        await tell(traces, (trace) => trace.connectionQueuedEnd());
      } catch (error) {
        if (granted === undefined) pool.giveUpPlace(key);
        else pool.free(granted, true);
        throw error;
      }
    }
    return granted ?? PLACE;
  }

  /** Makes a connection in the place that was taken for it. */
  private async make(request: ConnectRequest, limit: ConnectLimit): Promise<PooledConnection> {
    const { key, timeouts, traces } = request;
    let made: MadeConnection;
    const unlimit = limit.within(timeouts.sockConnect, () =>
      this.timedOut(key, 'sockConnect', timeouts.sockConnect),
    );
    try {
      if (traces !== undefined) await tell(traces, (trace) => trace.connectionCreateStart());
      made = await this.open(request, limit);
      if (this.closed) {
        made.socket.destroy();
        throw closedError();
      }
    } catch (error) {
      this.pool.giveUpPlace(key);
      throw error;
    } finally {
      unlimit();
    }
    this.openedCount++;
    const { socket, reader, timings } = made;
    const connection = new ClientConnection(socket, this.wheel, reader, connectionFailure);
    const lease = this.pool.add(key, connection).take(false, timings);
    if (traces !== undefined) await this.tellOrRelease(traces, lease, (trace) => trace.connectionCreateEnd());
    return lease;
  }

  private async tellOrRelease(
    traces: readonly ConnectTrace[],
    lease: PooledConnection,
    call: (trace: ConnectTrace) => unknown,
  ): Promise<void> {
    try {
      await tell(traces, call);
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  private throwIfClosed(): void {
    if (!this.closed) return;
    // Somebody may have started it to limit the request.
    this.wheel.stop();
    throw closedError();
  }

  private timedOut(key: ConnectionKey, phase: 'poolWait' | 'connect' | 'sockConnect', delay = 0): Error {
    if (phase === 'poolWait') {
      return new ConnectionTimeoutError(
        `No connection to ${key} was free within ${delay} ms (limit ${this.limit}, per host ${this.limitPerHost})`,
        phase,
      );
    }
    return new ConnectionTimeoutError(
      `Connection timeout to host ${key} after ${delay} ms (${phase})`,
      phase,
    );
  }
}

const HTTP_SCHEMAS: readonly string[] = ['http', 'https', 'ws', 'wss'];

/** Tells all traces of an event, one after the other. */
export async function tell(
  traces: readonly ConnectTrace[],
  call: (trace: ConnectTrace) => unknown,
): Promise<void> {
  for (const trace of traces) await call(trace);
}

/** Errors that already say what they should. */
export function isFinalError(error: unknown): boolean {
  return isCancelled(error) || error instanceof ClientError || error instanceof ConnectionTimeoutError;
}

function closedError(): Error {
  return new ClientConnectionError('Connector is closed');
}

function checkCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw codedRangeError(
    'AIO_CONNECTOR_OPTION',
    `${name} is a whole number of connections, 0 for no limit; got ${shown(value)}`,
  );
}

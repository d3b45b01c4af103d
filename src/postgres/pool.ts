import { outside } from '../asyncio/index.ts';
import { InterfaceError, OperationalError } from '../sql/index.ts';
import { interruptible, PostgresConnection } from './connection.ts';
import type { PgDriver } from './driver.ts';
import { toDatabaseError } from './errors.ts';
import type { Settings } from './options.ts';

/** Somebody who waits for a connection. */
interface Waiter {
  readonly give: (connection: PostgresConnection) => void;
  readonly refuse: (error: Error) => void;
  timer: NodeJS.Timeout;
}

/** What `using` the pool looks like at a moment. */
export interface PoolState {
  /** Open connections. */
  readonly size: number;
  /** Of these, those that nobody uses. */
  readonly idle: number;
  /** How many wait for one. */
  readonly waiting: number;
}

/** A bounded set of connections. Those who wait get one in the order in which they came. */
export class Pool {
  private readonly driver: PgDriver;
  private readonly settings: Settings;
  private readonly all: Set<PostgresConnection>;
  private readonly idle: PostgresConnection[];
  private readonly waiters: Set<Waiter>;
  private connecting: number;
  private closed: boolean;
  /** Why the last connection could not be made, as long as none was made since. */
  private failure: Error | undefined;
  private sweep: NodeJS.Timeout | undefined;
  private emptied: (() => void) | undefined;
  private readonly ending: Set<Promise<void>>;

  constructor(driver: PgDriver, settings: Settings) {
    this.driver = driver;
    this.settings = settings;
    this.all = new Set();
    this.idle = [];
    this.waiters = new Set();
    this.connecting = 0;
    this.closed = false;
    this.failure = undefined;
    this.sweep = undefined;
    this.emptied = undefined;
    this.ending = new Set();
  }

  /** Longest wait for what somebody else uses, in ms. */
  get acquireTimeout(): number {
    return this.settings.acquireTimeout;
  }

  get state(): PoolState {
    return { size: this.all.size, idle: this.idle.length, waiting: this.waiters.size };
  }

  /**
   * A connection of the caller's own, to be released.
   *
   * @throws OperationalError `AIO_SQL_BUSY` when none became free in time or too many wait; InterfaceError `AIO_SQL_CLOSED`
   */
  acquire(
    signal: AbortSignal | undefined,
    timeout: number = this.settings.acquireTimeout,
  ): PostgresConnection | Promise<PostgresConnection> {
    if (this.closed) throw closedError();
    signal?.throwIfAborted();
    const ready = this.waiters.size === 0 ? this.idle.pop() : undefined;
    return ready ?? this.wait(signal, timeout);
  }

  private async wait(signal: AbortSignal | undefined, timeout: number): Promise<PostgresConnection> {
    if (this.waiters.size >= this.settings.maxWaiting) {
      throw new OperationalError(
        `${this.waiters.size} wait for a connection already, which is maxWaiting: the database is slower than what comes in`,
        { code: 'AIO_SQL_BUSY' },
      );
    }
    let waiter: Waiter | undefined;
    let given: PostgresConnection | undefined;
    return await interruptible(
      () =>
        new Promise<PostgresConnection>((resolve, refuse) => {
          const give = (connection: PostgresConnection): void => {
            given = connection;
            resolve(connection);
          };
          waiter = outside(() => this.enqueue(give, refuse, timeout));
        }),
      () => {
        // Between the gift and its arrival.
        if (given !== undefined) this.release(given);
        else if (waiter !== undefined) this.forget(waiter);
      },
      signal,
      'a PostgreSQL connection',
    );
  }

  private enqueue(
    give: (connection: PostgresConnection) => void,
    refuse: (error: Error) => void,
    timeout: number,
  ): Waiter {
    // Nobody uses a connection that is just being made: a server that takes long to let us in has a time limit of its own.
    const latest = performance.now() + timeout + this.settings.connectTimeout;
    const late = (): void => {
      if (this.connecting > 0 && performance.now() < latest) {
        waiter.timer = setTimeout(late, Math.max(timeout, 10));
        return;
      }
      this.forget(waiter);
      refuse(this.tooLate(timeout));
    };
    const waiter: Waiter = { give, refuse, timer: setTimeout(late, timeout) };
    this.waiters.add(waiter);
    this.grow();
    return waiter;
  }

  private tooLate(timeout: number): OperationalError {
    const { all, failure, settings } = this;
    const why =
      failure === undefined
        ? `all ${settings.max} are in use. Close cursors, keep transactions short, or raise max`
        : `${all.size} are in use, and the last attempt to make another failed: ${failure.message}`;
    return new OperationalError(`no connection became free within ${timeout} ms: ${why}`, {
      code: 'AIO_SQL_BUSY',
    });
  }

  private forget(waiter: Waiter): void {
    clearTimeout(waiter.timer);
    this.waiters.delete(waiter);
  }

  private grow(): void {
    const { max } = this.settings;
    while (this.waiters.size > this.connecting && this.all.size + this.connecting < max) {
      this.connecting++;
      PostgresConnection.open(this.driver, this.settings).then(
        (connection) => {
          this.connecting--;
          this.failure = undefined;
          connection.onBroken = () => this.remove(connection);
          this.all.add(connection);
          this.release(connection);
        },
        (error: unknown) => {
          this.connecting--;
          // While others work, theirs will be free some time; when there is no other, waiting is in vain.
          this.failure = toDatabaseError(error, undefined);
          if (this.all.size === 0 && this.connecting === 0) this.refuseAll(this.failure);
          this.checkEmpty();
        },
      );
    }
  }

  private refuseAll(error: Error): void {
    for (const waiter of [...this.waiters]) {
      this.forget(waiter);
      waiter.refuse(error);
    }
  }

  /** Gives a connection back. What still runs on it is waited for, what was left open is rolled back. */
  release(connection: PostgresConnection): void {
    if (connection.broken !== undefined) {
      this.remove(connection);
      return;
    }
    if (connection.busy) {
      void connection.settled().then(() => this.release(connection));
      return;
    }
    if (connection.status !== 'I') {
      connection.command('ROLLBACK').then(
        () => this.release(connection),
        () => {
          connection.destroy();
          this.remove(connection);
        },
      );
      return;
    }
    const [waiter] = this.waiters;
    if (waiter !== undefined) {
      this.forget(waiter);
      waiter.give(connection);
    } else if (this.closed) {
      this.end(connection);
    } else {
      connection.idleSince = performance.now();
      this.idle.push(connection);
      this.planSweep();
    }
  }

  private remove(connection: PostgresConnection): void {
    const place = this.idle.indexOf(connection);
    if (place >= 0) this.idle.splice(place, 1);
    if (this.all.delete(connection)) this.grow();
    this.checkEmpty();
  }

  private end(connection: PostgresConnection): void {
    const end = connection.end().finally(() => this.ending.delete(end));
    this.ending.add(end);
    this.remove(connection);
  }

  /** One timer for all: it looks after the longest idle ones, which stand first. */
  private planSweep(): void {
    const { idleTimeout } = this.settings;
    const oldest = this.idle[0];
    if (this.sweep !== undefined || idleTimeout === 0 || oldest === undefined) return;
    const wait = Math.max(oldest.idleSince + idleTimeout - performance.now(), 1);
    this.sweep = outside(() =>
      setTimeout(() => {
        this.sweep = undefined;
        const due = performance.now() - idleTimeout;
        while (this.idle[0] !== undefined && this.idle[0].idleSince <= due) this.end(this.idle[0]);
        this.planSweep();
      }, wait).unref(),
    );
  }

  /** Waits for what is in use, then ends all. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.sweep);
    this.refuseAll(closedError());
    for (const connection of [...this.idle]) this.end(connection);
    if (this.all.size > 0 || this.connecting > 0) {
      const limit = outside(() =>
        setTimeout(() => {
          for (const connection of [...this.all]) connection.destroy();
        }, this.settings.closeTimeout),
      );
      await new Promise<void>((resolve) => {
        this.emptied = resolve;
      });
      clearTimeout(limit);
    }
    await Promise.all(this.ending);
  }

  private checkEmpty(): void {
    if (this.closed && this.all.size === 0 && this.connecting === 0) this.emptied?.();
  }
}

export function closedError(): InterfaceError {
  return new InterfaceError('the database was closed', { code: 'AIO_SQL_CLOSED' });
}

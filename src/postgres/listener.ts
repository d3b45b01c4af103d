import { outside, suspend } from '../asyncio/index.ts';
import { PostgresConnection } from './connection.ts';
import type { PgDriver, PgNotification } from './driver.ts';
import { toDatabaseError } from './errors.ts';
import type { Settings } from './options.ts';
import { closedError } from './pool.ts';
import { Script } from './run.ts';

/** What somebody sent with `NOTIFY`. */
export interface Notification {
  readonly channel: string;
  /** Empty when it was sent without one. */
  readonly payload: string;
  /** Process of the server that sent it. */
  readonly processId: number;
}

/** Why notifications may be missing: the connection was lost and made anew, or more came than were read. */
export type GapReason = 'reconnected' | 'overflow';

/** Options of {@link PostgresDatabase.listen}. */
export interface ListenOptions {
  /** How many notifications may wait to be read; the oldest are dropped beyond. 1,000 by default. */
  readonly maxQueue?: number | undefined;
  /** Called when some may be missing: read afresh what they tell about. */
  readonly onGap?: ((reason: GapReason) => void) | undefined;
  /** Ends the listening when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** Waits between attempts to connect again, in ms: doubled each time. */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 5_000;

/** The notifications of one channel, as they come. Iterate it, and close it when it is not needed any more (`break` and `await using` do). */
export class NotificationListener implements AsyncIterable<Notification>, AsyncDisposable {
  /** The channel that it listens to. */
  readonly channel: string;
  readonly #hub: NotificationHub;
  readonly #maxQueue: number;
  readonly #onGap: ((reason: GapReason) => void) | undefined;
  #queue: Notification[] = [];
  #wake: Set<() => void> = new Set();
  #closed = false;
  #unfollow: (() => void) | undefined;

  /** @internal */
  constructor(hub: NotificationHub, channel: string, options: ListenOptions) {
    this.#hub = hub;
    this.channel = channel;
    this.#maxQueue = options.maxQueue ?? 1_000;
    this.#onGap = options.onGap;
  }

  /** The next notification; `undefined` after `close`. */
  async next(): Promise<Notification | undefined> {
    for (;;) {
      const notification = this.#queue.shift();
      if (notification !== undefined || this.#closed) return notification;
      await suspend<void>((resolve) => {
        const wake = (): void => resolve();
        this.#wake.add(wake);
        return () => this.#wake.delete(wake);
      }, `a notification of ${this.channel}`);
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Notification, void, undefined> {
    try {
      for (;;) {
        const notification = await this.next();
        if (notification === undefined) return;
        yield notification;
      }
    } finally {
      await this.close();
    }
  }

  /** Stops listening. Whoever iterates gets what has come already, then the end. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.end();
    await this.#hub.remove(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal */
  push(notification: Notification): void {
    const overflow = this.#queue.length >= this.#maxQueue;
    if (overflow) this.#queue.shift();
    this.#queue.push(notification);
    this.#wakeAll();
    if (overflow) this.gap('overflow');
  }

  /** @internal */
  gap(reason: GapReason): void {
    this.#onGap?.(reason);
  }

  /** @internal Closes with the signal, which may live on for long: nothing of this stays with it. */
  follow(signal: AbortSignal): void {
    const close = (): void => void this.close();
    if (signal.aborted) close();
    else {
      outside(() => signal.addEventListener('abort', close, { once: true }));
      this.#unfollow = () => signal.removeEventListener('abort', close);
    }
  }

  /** @internal */
  end(): void {
    this.#closed = true;
    this.#unfollow?.();
    this.#wakeAll();
  }

  #wakeAll(): void {
    const waiting = this.#wake;
    this.#wake = new Set();
    for (const wake of waiting) wake();
  }
}

/** One connection of its own for all that listen; it comes back by itself. */
export class NotificationHub {
  private readonly driver: PgDriver;
  private readonly settings: Settings;
  private readonly listeners: Map<string, Set<NotificationListener>>;
  private connection: Promise<PostgresConnection> | undefined;
  private retry: NodeJS.Timeout | undefined;
  private closed: boolean;

  constructor(driver: PgDriver, settings: Settings) {
    this.driver = driver;
    this.settings = settings;
    this.listeners = new Map();
    this.connection = undefined;
    this.retry = undefined;
    this.closed = false;
  }

  async listen(channel: string, options: ListenOptions): Promise<NotificationListener> {
    const { maxQueue, signal } = options;
    if (maxQueue !== undefined && !(Number.isInteger(maxQueue) && maxQueue >= 1)) {
      throw Object.assign(new RangeError(`maxQueue must be an integer from 1 on, got ${String(maxQueue)}`), {
        code: 'AIO_SQL_OPTION',
      });
    }
    if (this.closed) throw closedError();
    signal?.throwIfAborted();
    const command = `LISTEN ${quoted(channel)}`;
    const listener = new NotificationListener(this, channel, options);
    const others = this.listeners.get(channel);
    if (others === undefined) this.listeners.set(channel, new Set([listener]));
    else others.add(listener);
    try {
      const connection = await this.connected();
      await connection.command(command);
    } catch (error) {
      listener.end();
      await this.remove(listener);
      throw toDatabaseError(error, undefined);
    }
    if (signal !== undefined) listener.follow(signal);
    return listener;
  }

  async remove(listener: NotificationListener): Promise<void> {
    const { channel } = listener;
    const others = this.listeners.get(channel);
    if (others === undefined || !others.delete(listener) || others.size > 0) return;
    this.listeners.delete(channel);
    const connection = await this.connection?.catch(() => undefined);
    if (this.listeners.size === 0) await this.disconnect();
    else if (!this.listeners.has(channel))
      await connection?.command(`UNLISTEN ${quoted(channel)}`).catch(() => {});
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const listener of [...this.listeners.values()].flatMap((all) => [...all])) listener.end();
    this.listeners.clear();
    await this.disconnect();
  }

  private connected(): Promise<PostgresConnection> {
    clearTimeout(this.retry);
    if (this.connection !== undefined) return this.connection;
    const isOurs = (): boolean => this.connection === opening;
    const opening = this.connect(() => {
      if (!isOurs()) return;
      this.connection = undefined;
      this.reconnect(FIRST_DELAY);
    }).catch((error: unknown) => {
      if (isOurs()) this.connection = undefined;
      throw error;
    });
    this.connection = opening;
    return opening;
  }

  private async connect(onBroken: () => void): Promise<PostgresConnection> {
    const connection = await PostgresConnection.open(this.driver, this.settings);
    connection.onNotification((message) => this.deliver(message));
    connection.onBroken = onBroken;
    return connection;
  }

  private async disconnect(): Promise<void> {
    clearTimeout(this.retry);
    // Taken away at once: who begins to listen meanwhile gets another.
    const { connection } = this;
    this.connection = undefined;
    await (await connection?.catch(() => undefined))?.end();
  }

  private deliver({ channel, payload, processId }: PgNotification): void {
    for (const listener of this.listeners.get(channel) ?? []) {
      listener.push({ channel, payload: payload ?? '', processId });
    }
  }

  private reconnect(delay: number): void {
    if (this.closed || this.listeners.size === 0) return;
    clearTimeout(this.retry);
    // Spread, so that all the processes of an application do not come back at the same moment.
    const wait = delay * (0.5 + Math.random());
    this.retry = outside(() => setTimeout(() => void this.resume(delay), wait));
  }

  private async resume(delay: number): Promise<void> {
    try {
      const connection = await this.connected();
      const channels = [...this.listeners.keys()];
      if (channels.length === 0) return;
      await connection.run(new Script(channels.map((channel) => `LISTEN ${quoted(channel)}`).join('; ')));
      for (const all of this.listeners.values()) for (const listener of all) listener.gap('reconnected');
    } catch {
      this.reconnect(Math.min(delay * 2, LONGEST_DELAY));
    }
  }
}

function quoted(channel: string): string {
  if (
    typeof channel !== 'string' ||
    channel === '' ||
    channel.includes('\0') ||
    Buffer.byteLength(channel) > 63
  ) {
    throw Object.assign(
      new RangeError(`a channel is a name of 1 to 63 bytes without NUL, got ${JSON.stringify(channel)}`),
      { code: 'AIO_SQL_IDENTIFIER' },
    );
  }
  return `"${channel.replaceAll('"', '""')}"`;
}

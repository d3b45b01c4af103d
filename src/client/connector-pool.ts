import type { ClientConnection, ConnectionOwner } from '../net/index.ts';
import type { ConnectionKey } from './connection-key.ts';
import { type ConnectTimings, PooledConnection } from './pooled-connection.ts';

/**
 * How often a connection may be passed on to a request of its own key while requests of other keys have waited longer for a place. In
 * strict order two busy hosts at the limit would open a new connection for every second request; without bound one host could keep the
 * others waiting for ever.
 */
const MAX_OVERTAKING = 16;

/** Connections in use, and requests that wait for one to end, per host and port. */
interface Host {
  readonly name: string;
  active: number;
  /** Waiters that `limitPerHost` keeps back. */
  readonly blocked: Set<Waiter>;
}

/** Everything that shares a key. */
interface Group {
  readonly key: ConnectionKey;
  readonly host: Host;
  /** Newest last: it is the least likely to have been closed meanwhile. */
  readonly idle: PoolEntry[];
  readonly waiters: Set<Waiter>;
  /** Connections that are open or being made. */
  size: number;
}

/** A request that waits for a place or for a connection. */
export class Waiter {
  readonly group: Group;
  /** Takes a connection, or the right to make one. */
  readonly grant: (entry: PoolEntry | undefined) => void;
  /** Its host allows one more: it counts as active there, and waits for the limit over all hosts only. */
  ready: boolean;

  constructor(group: Group, grant: (entry: PoolEntry | undefined) => void) {
    this.group = group;
    this.grant = grant;
    this.ready = false;
  }
}

/** A connection in the pool, busy or idle. */
export class PoolEntry implements ConnectionOwner {
  readonly connection: ClientConnection;
  readonly group: Group;
  readonly pool: ConnectionPool;
  /** Whose it is at the moment. */
  lease: PooledConnection | undefined;
  idle: boolean;
  /** Counts the connections of the pool that became idle: the lowest has been for longest. */
  idleSince: number;
  /** How often it was passed on over the heads of others. */
  overtook: number;

  constructor(pool: ConnectionPool, group: Group, connection: ClientConnection) {
    this.pool = pool;
    this.group = group;
    this.connection = connection;
    this.lease = undefined;
    this.idle = false;
    this.idleSince = 0;
    this.overtook = 0;
    connection.owner = this;
  }

  get key(): ConnectionKey {
    return this.group.key;
  }

  messageEnded(reusable: boolean): void {
    this.pool.free(this, reusable);
  }

  idleEnded(): void {
    this.pool.free(this, false);
  }

  /** The one who has it is done with it. */
  giveBack(): void {
    const { connection } = this;
    // What is under way ends with this, and the end is told to `messageEnded`.
    connection.abandon();
    if (this.lease !== undefined && !connection.closed) this.pool.free(this, true);
  }

  /** Makes it the property of one request. */
  take(reused: boolean, timings: ConnectTimings | undefined): PooledConnection {
    const lease = new PooledConnection(this, reused, timings);
    this.lease = lease;
    return lease;
  }
}

export interface PoolOptions {
  /** Most connections over all hosts, idle ones and those being made included; 0: no limit. */
  readonly limit: number;
  /** Most connections in use per host and port; 0: no limit. */
  readonly limitPerHost: number;
  readonly keepaliveTimeout: number;
  readonly forceClose: boolean;
}

/** The right to make a connection. */
export const PLACE: unique symbol = Symbol('place');

/**
 * Who may have a connection and when. Knows nothing of sockets and does not wait: everything here happens at once, so between two of
 * its calls the numbers always fit. A place is taken before a connection is made and given back after it is destroyed.
 *
 * Idle connections give way: when all places are taken, the one that was idle for longest is closed for a request that needs another.
 */
export class ConnectionPool {
  readonly options: PoolOptions;
  /** All connections that are open. */
  readonly entries: Set<PoolEntry>;
  /** Places taken: open connections and those being made. */
  places: number;
  closed: boolean;
  private readonly groups: Map<string, Group>;
  private readonly hosts: Map<string, Host>;
  /** Connections that are idle now. */
  idleCount: number;
  private idleTurns: number;
  /** Those who wait for a place, in order. */
  private readonly ready: Set<Waiter>;
  private waitingCount: number;

  constructor(options: PoolOptions) {
    this.options = options;
    this.entries = new Set();
    this.places = 0;
    this.closed = false;
    this.groups = new Map();
    this.hosts = new Map();
    this.idleCount = 0;
    this.idleTurns = 0;
    this.ready = new Set();
    this.waitingCount = 0;
  }

  get waiting(): number {
    return this.waitingCount;
  }

  get connecting(): number {
    return this.places - this.entries.size;
  }

  /** An idle connection, if there is one and the host's limit allows it. */
  reuse(key: ConnectionKey): PoolEntry | undefined {
    const group = this.groups.get(key.id);
    if (group === undefined || group.idle.length === 0 || this.hostIsFull(group.host)) return undefined;
    return this.takeIdle(group);
  }

  /** An idle connection, the right to make one, or `undefined`: then `enqueue`. */
  acquire(key: ConnectionKey): PoolEntry | typeof PLACE | undefined {
    const group = this.group(key);
    if (this.hostIsFull(group.host)) return undefined;
    const entry = this.takeIdle(group);
    if (entry !== undefined) return entry;
    if (this.ready.size > 0 || !this.makeRoom()) return undefined;
    this.takePlace(group);
    group.host.active++;
    return PLACE;
  }

  /** Puts a request into the queue. `grant` is called once, later, unless `cancel` comes first. */
  enqueue(key: ConnectionKey, grant: (entry: PoolEntry | undefined) => void): Waiter {
    const group = this.group(key);
    const waiter = new Waiter(group, grant);
    group.waiters.add(waiter);
    this.waitingCount++;
    if (this.hostIsFull(group.host)) group.host.blocked.add(waiter);
    else this.makeReady(waiter);
    return waiter;
  }

  /** A waiter gives up: its place in the queue is free. */
  cancel(waiter: Waiter): void {
    const { group } = waiter;
    if (!group.waiters.has(waiter)) return;
    this.leaveQueue(waiter);
    if (waiter.ready) this.hostHasOneLess(group.host);
    this.prune(group);
  }

  /** A connection was made in a place that was taken for it. */
  add(key: ConnectionKey, connection: ClientConnection): PoolEntry {
    const entry = new PoolEntry(this, this.group(key), connection);
    this.entries.add(entry);
    return entry;
  }

  /** No connection could be made. */
  giveUpPlace(key: ConnectionKey): void {
    this.leavePlace(this.group(key));
  }

  /** Closes the idle connections of a key. */
  dropIdle(key: ConnectionKey): void {
    for (const entry of [...(this.groups.get(key.id)?.idle ?? [])]) this.drop(entry);
  }

  /** A connection is not used any more: it is kept, passed on, or gone. */
  free(entry: PoolEntry, reusable: boolean): void {
    if (!this.entries.has(entry)) return;
    const { lease } = entry;
    entry.lease = undefined;
    if (reusable && !this.closed && !this.options.forceClose && !entry.connection.closed) this.keep(entry);
    else this.drop(entry);
    lease?.ended();
  }

  private keep(entry: PoolEntry): void {
    const { group } = entry;
    const { host } = group;
    if (group.waiters.size > 0) {
      const same = first(group.waiters)!;
      const next = first(this.ready);
      if (next === undefined || next === same || entry.overtook < MAX_OVERTAKING) {
        entry.overtook = next === undefined || next === same ? 0 : entry.overtook + 1;
        this.leaveQueue(same);
        // One less in use and one more: only a waiter that was counted already changes the host's number.
        if (same.ready) this.hostHasOneLess(host);
        same.grant(entry);
        return;
      }
    }
    entry.idle = true;
    entry.idleSince = this.idleTurns++;
    group.idle.push(entry);
    this.idleCount++;
    entry.connection.rest(this.options.keepaliveTimeout);
    this.hostHasOneLess(host);
  }

  private drop(entry: PoolEntry): void {
    const { group } = entry;
    this.entries.delete(entry);
    const wasIdle = entry.idle;
    if (wasIdle) {
      entry.idle = false;
      this.idleCount--;
      group.idle.splice(group.idle.indexOf(entry), 1);
      // It does not count as in use, but what follows takes one off.
      group.host.active++;
    }
    entry.connection.owner = undefined;
    entry.connection.close();
    this.leavePlace(group);
  }

  private takeIdle(group: Group): PoolEntry | undefined {
    for (;;) {
      const entry = group.idle.pop();
      if (entry === undefined) return undefined;
      this.idleCount--;
      entry.idle = false;
      group.host.active++;
      if (!entry.connection.closed) {
        entry.connection.wake();
        return entry;
      }
      this.drop(entry);
    }
  }

  private takePlace(group: Group): void {
    this.places++;
    group.size++;
  }

  private leavePlace(group: Group): void {
    this.places--;
    group.size--;
    this.hostHasOneLess(group.host);
    this.prune(group);
  }

  private hasRoom(): boolean {
    const { limit } = this.options;
    return limit === 0 || this.places < limit;
  }

  /** Whether one more connection may be made; closes an idle one if need be. */
  private makeRoom(): boolean {
    if (this.hasRoom()) return true;
    const oldest = this.longestIdle();
    if (oldest === undefined) return false;
    this.drop(oldest);
    return this.hasRoom();
  }

  /** Looked for among all, who are `limit` at most: cheaper than keeping an order at every request. */
  private longestIdle(): PoolEntry | undefined {
    let found: PoolEntry | undefined;
    if (this.idleCount === 0) return undefined;
    for (const entry of this.entries) {
      if (entry.idle && (found === undefined || entry.idleSince < found.idleSince)) found = entry;
    }
    return found;
  }

  private hostIsFull(host: Host): boolean {
    const { limitPerHost } = this.options;
    return limitPerHost > 0 && host.active >= limitPerHost;
  }

  private hostHasOneLess(host: Host): void {
    host.active--;
    while (host.blocked.size > 0 && !this.hostIsFull(host)) {
      const waiter = first(host.blocked)!;
      host.blocked.delete(waiter);
      this.makeReady(waiter);
    }
    this.serve();
  }

  private makeReady(waiter: Waiter): void {
    waiter.ready = true;
    waiter.group.host.active++;
    this.ready.add(waiter);
  }

  /** Gives what is free to those who wait, in order. */
  private serve(): void {
    while (this.ready.size > 0 && !this.closed) {
      const waiter = first(this.ready)!;
      const { group } = waiter;
      const idle = this.takeIdle(group);
      if (idle !== undefined) {
        // It is in use now, and so is the waiter's own count.
        group.host.active--;
        this.leaveQueue(waiter);
        waiter.grant(idle);
      } else if (this.hasRoom()) {
        this.leaveQueue(waiter);
        this.takePlace(group);
        waiter.grant(undefined);
      } else {
        const oldest = this.longestIdle();
        if (oldest === undefined) return;
        // Comes back here when its place is free.
        this.drop(oldest);
      }
    }
  }

  private leaveQueue(waiter: Waiter): void {
    this.waitingCount--;
    waiter.group.waiters.delete(waiter);
    if (waiter.ready) this.ready.delete(waiter);
    else waiter.group.host.blocked.delete(waiter);
  }

  private group(key: ConnectionKey): Group {
    const known = this.groups.get(key.id);
    if (known !== undefined) return known;
    const group: Group = { key, host: this.host(key), idle: [], waiters: new Set(), size: 0 };
    this.groups.set(key.id, group);
    return group;
  }

  private host(key: ConnectionKey): Host {
    const name = `${key.host} ${key.port} ${key.secure}`;
    let host = this.hosts.get(name);
    if (host === undefined) {
      host = { name, active: 0, blocked: new Set() };
      this.hosts.set(name, host);
    }
    return host;
  }

  private prune(group: Group): void {
    if (group.size > 0 || group.waiters.size > 0) return;
    this.groups.delete(group.key.id);
    if (group.host.active === 0 && group.host.blocked.size === 0) this.hosts.delete(group.host.name);
  }
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  for (const value of set) return value;
  return undefined;
}

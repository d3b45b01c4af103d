/** A client or pool of node-redis, or anything else that sends one command. */
export interface RedisCommandClient {
  sendCommand(args: string[]): Promise<unknown>;
}

/** A Sentinel client of node-redis: it is told whether a replica may answer. */
export interface RedisSentinelClient {
  sendCommand(isReadonly: boolean | undefined, args: string[]): Promise<unknown>;
}

/** A cluster client of node-redis: it is told the key that decides on the shard. */
export interface RedisClusterClient {
  sendCommand(
    firstKey: string | undefined,
    isReadonly: boolean | undefined,
    args: string[],
  ): Promise<unknown>;
}

/** A client of ioredis, or its `Cluster`. */
export interface IoRedisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
}

/**
 * Any client of Redis (or Valkey) that can send a command: those of `@redis/client` (client, pool, sentinel, cluster), of ioredis (`Redis`,
 * `Cluster`), or an object of yours with `sendCommand(args)`. The forms of `sendCommand` are told apart by their number of parameters: up to two
 * (client), three (sentinel), four and more (cluster).
 *
 * It should fail at once while it is not connected, and needs no timeout of its own (node-redis: `disableOfflineQueue: true` and
 * `commandOptions: { timeout: 0 }`, which makes every command up to six times cheaper).
 */
export type RedisClientLike = RedisCommandClient | RedisSentinelClient | RedisClusterClient | IoRedisClient;

/** Sends one command; `key` decides on the shard. */
export type Send = (args: string[], key: string | undefined) => Promise<unknown>;

/** How a client is spoken to. */
export interface Sender {
  readonly send: Send;
  /** Whether keys live on several shards, so that a script must not name two of them. */
  readonly cluster: boolean;
}

type Callable = (...args: unknown[]) => Promise<unknown>;

/** @throws TypeError `AIO_REDIS_CLIENT` for what is no client */
export function senderOf(client: RedisClientLike): Sender {
  const object = client as { call?: unknown; sendCommand?: unknown; isCluster?: unknown } | null | undefined;
  // ioredis has a sendCommand too, for objects of its own.
  if (typeof object?.call === 'function') {
    const target = object as { call: Callable; isCluster?: unknown };
    return { send: (args) => target.call(...args), cluster: target.isCluster === true };
  }
  if (typeof object?.sendCommand !== 'function') {
    const what = object === null || object === undefined ? String(object) : typeof object;
    throw Object.assign(
      new TypeError(
        `A Redis client needs sendCommand(args) (node-redis) or call(command, ...args) (ioredis); got ${what}.`,
      ),
      { code: 'AIO_REDIS_CLIENT' },
    );
  }
  const target = object as { sendCommand: Callable };
  const { length } = target.sendCommand;
  if (length >= 4) return { send: (args, key) => target.sendCommand(key, false, args), cluster: true };
  if (length === 3) return { send: (args) => target.sendCommand(false, args), cluster: false };
  return { send: (args) => target.sendCommand(args), cluster: false };
}

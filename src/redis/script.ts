import { createHash } from 'node:crypto';

/**
 * A Lua script that Redis runs as one step. It is sent by its hash; its text follows only when the server does not have it yet.
 *
 * @example
 * ```ts
 * import { GuardedRedis, RedisScript } from 'aiohttp-ts/redis';
 * const takeOne = new RedisScript("if (tonumber(redis.call('GET', KEYS[1])) or 0) > 0 then return redis.call('DECR', KEYS[1]) end return -1");
 * const left = (redis: GuardedRedis) => redis.run(takeOne, ['tickets']);
 * ```
 */
export class RedisScript {
  readonly source: string;
  /** What `EVALSHA` calls it. */
  readonly sha1: string;

  /** @param source - Lua, with `KEYS` and `ARGV` */
  constructor(source: string) {
    this.source = source;
    this.sha1 = createHash('sha1').update(source).digest('hex');
  }
}

import { GuardedRedis, type GuardedRedisOptions, type RedisClientLike, RedisScript } from '../redis/index.ts';
import type { Rate, RateDecision, RateLimitStore } from './store.ts';

/** Options of {@link RedisStore}, and of the guard around its client when that has none yet. */
export interface RedisStoreOptions extends GuardedRedisOptions {
  /** What the names of all keys begin with. Default `AIOHTTP_RATE_LIMIT_`. */
  readonly prefix?: string | undefined;
}

/**
 * The rule of `countRequest`, by the clock of Redis: those of several machines differ. Numbers are sent as text, which keeps their fractions.
 * KEYS: the key. ARGV: interval, capacity. Returns allowed, full, wait.
 */
const TAKE = new RedisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local interval, capacity = tonumber(ARGV[1]), tonumber(ARGV[2])
local before = tonumber(redis.call('GET', KEYS[1]) or now)
if before < now then before = now end
if before > now + capacity then
  before = now + capacity
  redis.call('SET', KEYS[1], string.format('%.3f', before), 'PX', math.ceil(capacity))
end
local after = before + interval
local early = after - capacity - now
if early > 0.01 then
  return {0, string.format('%.3f', before - now), string.format('%.3f', early)}
end
redis.call('SET', KEYS[1], string.format('%.3f', after), 'PX', math.ceil(after - now))
return {1, string.format('%.3f', after - now), string.format('%.3f', math.max(0, early + interval))}
`);

/**
 * State in Redis or Valkey, for several processes and machines: one script and one key for each request, so that Cluster and Sentinel serve as
 * well. Keys expire by themselves. An ill Redis is not waited for longer than `deadline`, and not asked for a while.
 *
 * @throws TypeError `AIO_REDIS_CLIENT`, RangeError `AIO_REDIS_OPTION`
 * @example
 * ```ts
 * import { createClient } from '@redis/client';
 * import { RedisStore, rateLimitMiddleware } from 'aiohttp-ts/rate-limit';
 * const client = createClient({ disableOfflineQueue: true, commandOptions: { timeout: 0 } });
 * client.on('error', (error) => console.error(error.message));
 * await client.connect();
 * const limit = rateLimitMiddleware({ limit: 100, window: 60_000, store: new RedisStore(client, { deadline: 100 }) });
 * ```
 */
export class RedisStore implements RateLimitStore {
  readonly #redis: GuardedRedis;
  readonly #prefix: string;

  constructor(client: RedisClientLike | GuardedRedis, options: RedisStoreOptions = {}) {
    this.#redis = GuardedRedis.of(client, options);
    this.#prefix = options.prefix ?? 'AIOHTTP_RATE_LIMIT_';
  }

  async take(key: string, { interval, capacity }: Rate): Promise<RateDecision> {
    const reply = await this.#redis.run(TAKE, [this.#prefix + key], [String(interval), String(capacity)]);
    const [allowed, full, wait] = reply as [number, string, string];
    return { allowed: Number(allowed) === 1, full: Number(full), wait: Number(wait) };
  }
}

/**
 * Redis for extensions: any client, with a deadline, a circuit breaker and scripts. It depends on no client.
 *
 * @module
 */
export type { BreakerState } from './breaker.ts';
export type {
  IoRedisClient,
  RedisClientLike,
  RedisClusterClient,
  RedisCommandClient,
  RedisSentinelClient,
} from './client.ts';
export { RedisUnavailableError, type RedisUnavailableReason } from './errors.ts';
export { GuardedRedis, type GuardedRedisOptions } from './guarded-redis.ts';
export { RedisScript } from './script.ts';

/**
 * Limits on how fast each client may ask, in one process or, with Redis, in many.
 *
 * @module
 */
export type { FieldStyle } from './fields.ts';
export { MemoryStore, type MemoryStoreOptions } from './memory-store.ts';
export { limited, type RateLimitOptions, rateLimitMiddleware } from './middleware.ts';
export { RedisStore, type RedisStoreOptions } from './redis-store.ts';
export { countRequest, type Rate, type RateDecision, type RateLimitStore } from './store.ts';

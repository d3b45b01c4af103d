/** Why Redis could not be asked: it did not answer in time, the connection failed, it says so itself, or it failed just before. */
export type RedisUnavailableReason = 'deadline' | 'connection' | 'reply' | 'circuit-open';

/**
 * Redis did not do what was asked, and not because of what was asked: whoever waits should be told to come back (503). `cause` is the
 * client's own error where there is one.
 *
 * @example
 * ```ts
 * import { GuardedRedis, RedisUnavailableError } from 'aiohttp-ts/redis';
 * async function hits(redis: GuardedRedis): Promise<number | undefined> {
 *   try {
 *     return Number(await redis.command(['INCR', 'hits'], 'hits'));
 *   } catch (error) {
 *     if (error instanceof RedisUnavailableError) return undefined;
 *     throw error;
 *   }
 * }
 * ```
 */
export class RedisUnavailableError extends Error {
  override readonly name: string = 'RedisUnavailableError';
  readonly code: string = 'AIO_REDIS_UNAVAILABLE';
  readonly reason: RedisUnavailableReason;

  constructor(reason: RedisUnavailableReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

const STATES =
  'LOADING|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|READONLY|BUSY|OOM|MISCONF|NOREPLICAS|UNKILLABLE|NOAUTH|WRONGPASS';

/**
 * Replies that say something about the state of the server or of the connection, not about the command. Before 7.0, Redis wraps those to a script:
 * `ERR Error running script (call to f_…): @user_script:6: … -READONLY You can't write …`.
 */
const ILL = new RegExp(
  `^-?(?:(?:${STATES})\\b|ERR max number of clients reached|ERR Error running script .*[ @]-(?:${STATES})\\b)`,
);

/** Redis' own error replies begin with a word in capitals: `WRONGTYPE Operation against a key …`. */
const REPLY = /^-?[A-Z][A-Z0-9]* /;

/** The error as callers get it: a reply to this command stays what it is, everything else means that Redis is unavailable. */
export function classify(error: unknown): unknown {
  if (error instanceof RedisUnavailableError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (ILL.test(message)) return new RedisUnavailableError('reply', `Redis refuses: ${message}`, error);
  if (REPLY.test(message)) return error;
  return new RedisUnavailableError('connection', `Redis cannot be reached: ${message}`, error);
}

/** Whether Redis does not know a script (any more). */
export function isNoScript(error: unknown): boolean {
  return error instanceof Error && /^-?NOSCRIPT\b/.test(error.message);
}

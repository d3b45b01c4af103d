import { suspend } from '../asyncio/index.ts';
import { type BreakerState, CircuitBreaker } from './breaker.ts';
import { type RedisClientLike, type Sender, senderOf } from './client.ts';
import { Deadlines, Waiting } from './deadline.ts';
import { classify, isNoScript, RedisUnavailableError } from './errors.ts';
import type { RedisScript } from './script.ts';

/** Options of {@link GuardedRedis}. Durations are milliseconds. */
export interface GuardedRedisOptions {
  /** Longest wait for an answer. Default 1000. */
  readonly deadline?: number | undefined;
  /** Failures in a row after which Redis is not asked for a while. Default 3. */
  readonly failures?: number | undefined;
  /** How long it is not asked then, before one command is let through to see. Default 1000. */
  readonly retryAfter?: number | undefined;
  /** Called when Redis is given up (`open`), tried again (`half-open`) and back (`closed`). For logs. */
  readonly onStateChange?: ((state: BreakerState) => void) | undefined;
}

/**
 * A client of Redis whose commands always end: within a deadline, and at once while Redis is known to be ill. Neither node-redis nor ioredis
 * ends a command that a server has received and does not answer. What was given up may still be done by Redis later.
 *
 * @example
 * ```ts
 * import { createClient } from '@redis/client';
 * import { GuardedRedis } from 'aiohttp-ts/redis';
 * const client = createClient({ disableOfflineQueue: true, commandOptions: { timeout: 0 } });
 * client.on('error', (error) => console.error(error.message)); // it connects again by itself
 * await client.connect();
 * const redis = new GuardedRedis(client, { deadline: 500 });
 * await redis.command(['SET', 'greeting', 'hello'], 'greeting');
 * ```
 */
export class GuardedRedis {
  /** Whether keys live on several shards: a script must then name one key (or keys of one hash slot) only. */
  readonly cluster: boolean;
  /** ms */
  readonly deadline: number;
  readonly #send: Sender['send'];
  readonly #breaker: CircuitBreaker;
  readonly #deadlines: Deadlines;

  /**
   * @throws TypeError `AIO_REDIS_CLIENT` when `client` cannot send commands
   * @throws RangeError `AIO_REDIS_OPTION` for a duration or number that is not positive
   */
  constructor(client: RedisClientLike, options: GuardedRedisOptions = {}) {
    const { send, cluster } = senderOf(client);
    const deadline = positive('deadline', options.deadline ?? 1000);
    const { onStateChange } = options;
    const now = (): number => performance.now();
    this.cluster = cluster;
    this.deadline = deadline;
    this.#send = send;
    this.#deadlines = new Deadlines(deadline, now);
    this.#breaker = new CircuitBreaker(
      positive('failures', options.failures ?? 3),
      positive('retryAfter', options.retryAfter ?? 1000),
      now,
      (state) => {
        try {
          onStateChange?.(state);
        } catch (error) {
          // Those who wait for a command must hear of it in any case; the mistake is told like every one that nobody catches.
          queueMicrotask(() => {
            throw error;
          });
        }
      },
    );
  }

  /** The client itself when it is guarded already, else a guard around it. */
  static of(client: RedisClientLike | GuardedRedis, options?: GuardedRedisOptions): GuardedRedis {
    return client instanceof GuardedRedis ? client : new GuardedRedis(client, options);
  }

  /** What the circuit breaker does: `closed` is the usual state. */
  get state(): BreakerState {
    return this.#breaker.state;
  }

  /**
   * Sends one command.
   *
   * @param key - the key that it is about, which decides on the shard of a cluster
   * @throws RedisUnavailableError when Redis did not answer within the deadline, cannot be reached, or failed just before
   * @throws CancelledError when the task that waits is cancelled; the command is not taken back
   * @throws what the client throws for a command that Redis refuses
   */
  command(args: readonly string[], key?: string): Promise<unknown> {
    return suspend((resolve, reject) => {
      // Asked in here: a task that was cancelled before does not get so far, and whoever is let through must tell how it went.
      if (!this.#breaker.allows()) {
        reject(
          new RedisUnavailableError('circuit-open', 'Redis has failed just before and is not asked now.'),
        );
        return;
      }
      const waiting = new Command(resolve, reject, this.#breaker, this.#deadlines);
      this.#deadlines.add(waiting);
      try {
        this.#send(args as string[], key).then(
          (value) => waiting.answered(value),
          (error) => waiting.failed(error),
        );
      } catch (error) {
        waiting.failed(error);
      }
    }, 'a Redis command');
  }

  /**
   * Runs a script as one step.
   *
   * @throws as {@link command}
   */
  run(script: RedisScript, keys: readonly string[], args: readonly string[] = []): Promise<unknown> {
    const tail = [String(keys.length), ...keys, ...args];
    return this.command(['EVALSHA', script.sha1, ...tail], keys[0]).catch((error: unknown) => {
      if (!isNoScript(error)) throw error;
      return this.command(['EVAL', script.source, ...tail], keys[0]);
    });
  }
}

/** A command that was sent. */
class Command extends Waiting {
  private readonly resolve: (value: unknown) => void;
  private readonly reject: (error: unknown) => void;
  private readonly breaker: CircuitBreaker;
  private readonly deadlines: Deadlines;

  constructor(
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
    breaker: CircuitBreaker,
    deadlines: Deadlines,
  ) {
    super();
    this.resolve = resolve;
    this.reject = reject;
    this.breaker = breaker;
    this.deadlines = deadlines;
  }

  answered(value: unknown): void {
    this.breaker.succeeded();
    if (!this.listed) return;
    this.deadlines.remove(this);
    this.resolve(value);
  }

  failed(error: unknown): void {
    const classified = classify(error);
    // Too late: it was counted when the deadline came.
    if (!this.listed) return;
    this.deadlines.remove(this);
    if (classified instanceof RedisUnavailableError) this.breaker.failed();
    else this.breaker.succeeded();
    this.reject(classified);
  }

  override expire(): void {
    this.breaker.failed();
    this.reject(new RedisUnavailableError('deadline', 'Redis did not answer within the deadline.'));
  }
}

function positive(name: string, value: number): number {
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
  throw Object.assign(new RangeError(`${name} must be a positive number, got ${String(value)}.`), {
    code: 'AIO_REDIS_OPTION',
  });
}

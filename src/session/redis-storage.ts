import {
  GuardedRedis,
  type GuardedRedisOptions,
  type RedisClientLike,
  RedisScript,
  RedisUnavailableError,
} from '../redis/index.ts';
import { SessionUnavailableError, wrongOption } from './errors.ts';
import { parseRecord } from './record.ts';
import type { ServerStorage, SessionWrite, StoredSession, UserSession, WriteOutcome } from './storage.ts';
import { nextVersion } from './version.ts';

/** Options of {@link RedisStorage}. The deadline and what follows are those of `GuardedRedis`. */
export interface RedisStorageOptions extends GuardedRedisOptions {
  /** What the names of all keys begin with. Default `'AIOHTTP_SESSION_'`, as in aiohttp-session. */
  readonly prefix?: string | undefined;
  /**
   * Whether the key is the prefix and the identity itself, as aiohttp-session names them (needed to share sessions with it). Whoever can read
   * Redis, or a copy of it, can then use every session. Default `false`: the key has the identity's SHA-256.
   */
  readonly plainKeys?: boolean | undefined;
}

/*
 * A value ends in `,"version":"…"}`. A script compares just that end with what the writer has read; of a value that aiohttp-session wrote, which
 * has no version, the whole. All scripts name one key, so they run on every shard of a cluster.
 */

const LOAD = new RedisScript(`
local value = redis.call('GET', KEYS[1])
if not value then return false end
return {value, redis.call('PTTL', KEYS[1])}`);

// ARGV: version, value, ttl. Gives 1 when written, 0 when there is nothing, else what is there.
const REPLACE = new RedisScript(`
local value = redis.call('GET', KEYS[1])
if not value then return 0 end
if string.sub(value, -#ARGV[1]) ~= ARGV[1] then return {value, redis.call('PTTL', KEYS[1])} end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`);

// ARGV: version, pointer, grace.
const LEAVE = new RedisScript(`
local value = redis.call('GET', KEYS[1])
if not value then return 0 end
if string.sub(value, -#ARGV[1]) ~= ARGV[1] then return {value, redis.call('PTTL', KEYS[1])} end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`);

// The same with the new key in one step, where both keys are on one server. ARGV: version, pointer, grace, value, ttl.
const MOVE = new RedisScript(`
local value = redis.call('GET', KEYS[1])
if not value then return 0 end
if string.sub(value, -#ARGV[1]) ~= ARGV[1] then return {value, redis.call('PTTL', KEYS[1])} end
redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[5])
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`);

// The list of a user: keys by the time of their end. What has ended goes, and the list itself with the last of them. ARGV: key, end, now.
const LIST = new RedisScript(`
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('PEXPIREAT', KEYS[1], redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2])
return 1`);

/** Somebody who logs in again and again must not keep `revokeAll` busy for ever. */
const MOST_ROUNDS = 10;

/** The list of a user forgets a session after so long in any case; browsers keep cookies for 400 days at most (RFC 6265bis §5.5). */
const LONGEST = 400 * 86_400_000;

const VERSION = /,"version":"[^"]+"\}$/;

/**
 * Sessions in Redis or Valkey: one server, Sentinel or Cluster. A session is one key with a time to live; a write is one script that compares the
 * version first. Also the sessions of a user are listed, in a sorted set of their own.
 *
 * Every command ends within a deadline (one second by default); a Redis that is ill costs 503s, not waiting requests, and is used again by
 * itself when it is back.
 *
 * aiohttp-session: `redis_storage.RedisStorage`. With `plainKeys: true` both read each other's sessions.
 *
 * @example
 * ```ts
 * import { createClient } from '@redis/client';
 * import * as session from 'aiohttp-ts/session';
 * const client = createClient({ url: 'redis://127.0.0.1:6379', disableOfflineQueue: true, commandOptions: { timeout: 0 } });
 * client.on('error', (error) => console.error(error.message)); // it connects again by itself
 * await client.connect();
 * const storage = new session.RedisStorage(client);
 * ```
 */
export class RedisStorage implements ServerStorage {
  readonly kind: 'server' = 'server';
  readonly plainKeys: boolean;
  readonly #redis: GuardedRedis;
  readonly #prefix: string;
  readonly #usersPrefix: string;

  /**
   * @param client - a client of node-redis or ioredis, or a `GuardedRedis` that others use too; closing it is yours
   * @throws TypeError `AIO_REDIS_CLIENT`; RangeError `AIO_SESSION_SETTING`, `AIO_REDIS_OPTION`
   */
  constructor(client: RedisClientLike | GuardedRedis, options: RedisStorageOptions = {}) {
    const { prefix = 'AIOHTTP_SESSION_' } = options;
    if (typeof prefix !== 'string' || prefix === '') {
      throw wrongOption(`prefix must be a text that is not empty, got ${JSON.stringify(prefix)}.`);
    }
    this.#redis = GuardedRedis.of(client, options);
    this.plainKeys = options.plainKeys ?? false;
    this.#prefix = prefix;
    // No session has such a key: there is no colon in what follows the prefix.
    this.#usersPrefix = `${prefix}OF:`;
  }

  async load(key: string): Promise<StoredSession | undefined> {
    const found = await this.#run(LOAD, [this.#prefix + key]);
    return found === null || found === undefined ? undefined : storedFrom(found);
  }

  async create(key: string, write: SessionWrite): Promise<string | undefined> {
    await this.#list(key, write);
    const { value, version } = withVersion(write.value);
    const name = this.#prefix + key;
    const reply = await this.#command(['SET', name, value, 'PX', whole(write.ttl), 'NX'], name);
    return reply === null ? undefined : version;
  }

  async replace(key: string, version: string, write: SessionWrite): Promise<WriteOutcome> {
    await this.#list(key, write);
    const next = withVersion(write.value);
    const reply = await this.#run(REPLACE, [this.#prefix + key], [version, next.value, whole(write.ttl)]);
    return outcomeFrom(reply, next.version);
  }

  async rename(
    key: string,
    newKey: string,
    version: string,
    write: SessionWrite,
    pointer?: { readonly value: string; readonly grace: number },
  ): Promise<WriteOutcome> {
    await this.#list(newKey, write);
    const next = withVersion(write.value);
    const leaving = [
      version,
      pointer === undefined ? '' : withVersion(pointer.value).value,
      whole(pointer?.grace ?? 1),
    ];
    const [oldName, newName] = [this.#prefix + key, this.#prefix + newKey];
    if (!this.#redis.cluster) {
      const reply = await this.#run(MOVE, [oldName, newName], [...leaving, next.value, whole(write.ttl)]);
      return outcomeFrom(reply, next.version);
    }
    // The keys are on different shards. The new one is there before the old one goes, and nobody knows its identity before both are done.
    await this.#command(['SET', newName, next.value, 'PX', whole(write.ttl)], newName);
    const outcome = outcomeFrom(await this.#run(LEAVE, [oldName], leaving), next.version);
    if (outcome.status !== 'written') await this.#command(['DEL', newName], newName);
    return outcome;
  }

  async touch(key: string, ttl: number): Promise<boolean> {
    const name = this.#prefix + key;
    return (await this.#command(['PEXPIRE', name, whole(ttl)], name)) === 1;
  }

  async delete(key: string): Promise<boolean> {
    const name = this.#prefix + key;
    return (await this.#command(['DEL', name], name)) === 1;
  }

  async sessionsOf(user: string): Promise<readonly UserSession[]> {
    const index = this.#usersPrefix + user;
    const keys = (await this.#command(['ZRANGE', index, '0', '-1'], index)) as string[];
    const found: UserSession[] = [];
    for (const key of keys) {
      const stored = await this.load(key);
      const record = stored === undefined ? undefined : parseRecord(stored.value);
      if (stored === undefined || record?.user !== user) continue;
      const { created, data } = record;
      found.push({ key, created, expiresIn: stored.expiresIn, data: Object.fromEntries(data) });
    }
    return found;
  }

  async revokeAll(user: string, except?: string): Promise<number> {
    let total = 0;
    // One that another request moves to a new key meanwhile is found there the next time.
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const sessions = (await this.sessionsOf(user)).filter(({ key }) => key !== except);
      if (sessions.length === 0) break;
      const ended = await Promise.all(sessions.map(({ key }) => this.delete(key)));
      total += ended.filter(Boolean).length;
    }
    return total;
  }

  /** Listed first, written second: a session that exists can always be found and revoked. */
  async #list(key: string, { user, end, relist }: SessionWrite): Promise<void> {
    if (user === undefined || !relist) return;
    const now = Date.now();
    await this.#run(
      LIST,
      [this.#usersPrefix + user],
      [key, whole(Math.min(end, now + LONGEST)), String(now)],
    );
  }

  #command(args: readonly string[], key: string): Promise<unknown> {
    return this.#redis.command(args, key).catch(outage);
  }

  #run(script: RedisScript, keys: readonly string[], args?: readonly string[]): Promise<unknown> {
    return this.#redis.run(script, keys, args).catch(outage);
  }
}

function outage(error: unknown): never {
  if (error instanceof RedisUnavailableError) throw new SessionUnavailableError(error.message, error);
  throw error;
}

/** The value with a version that no write had before. */
function withVersion(value: string): { readonly value: string; readonly version: string } {
  const version = `,"version":"${nextVersion()}"}`;
  return { value: value.slice(0, -1) + version, version };
}

function storedFrom(reply: unknown): StoredSession {
  const [value, ttl] = reply as [string, number];
  return {
    value,
    version: VERSION.exec(value)?.[0] ?? value,
    expiresIn: ttl < 0 ? Number.POSITIVE_INFINITY : Number(ttl),
  };
}

function outcomeFrom(reply: unknown, version: string): WriteOutcome {
  if (reply === 1) return { status: 'written', version };
  if (reply === 0) return { status: 'gone' };
  return { status: 'conflict', current: storedFrom(reply) };
}

/** Redis takes whole milliseconds, and none below 1. */
function whole(milliseconds: number): string {
  return String(Math.max(1, Math.min(Math.ceil(milliseconds), 4e15)));
}

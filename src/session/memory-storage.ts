import { checkAmount } from './errors.ts';
import { parseRecord } from './record.ts';
import type { ServerStorage, SessionWrite, StoredSession, UserSession, WriteOutcome } from './storage.ts';

/** Options of {@link MemoryStorage}. */
export interface MemoryStorageOptions {
  /** How many sessions are kept; then the one that was not used for the longest time goes. Default 10 000. */
  readonly maxSessions?: number | undefined;
}

interface Kept {
  readonly value: string;
  readonly version: number;
  readonly expires: number;
  readonly user: string | undefined;
}

/** What of a write is kept. */
type Write = Pick<SessionWrite, 'value' | 'ttl' | 'user'>;

/**
 * Sessions in the memory of this process, for tests and trials: gone when it ends, and unknown to any other. The number of sessions is
 * limited, so strangers can crowd out the sessions of others.
 *
 * @example
 * ```ts
 * setup(app, new MemoryStorage());
 * ```
 */
export class MemoryStorage implements ServerStorage {
  readonly kind: 'server' = 'server';
  readonly #maxSessions: number;
  /** In the order of their last use. */
  readonly #sessions = new Map<string, Kept>();
  #version = 0;

  /** @throws RangeError `AIO_SESSION_SETTING` when `maxSessions` is not positive */
  constructor(options: MemoryStorageOptions = {}) {
    this.#maxSessions = checkAmount('maxSessions', options.maxSessions ?? 10_000);
  }

  /** How many sessions it holds. */
  get size(): number {
    return this.#sessions.size;
  }

  async load(key: string): Promise<StoredSession | undefined> {
    const kept = this.#find(key);
    if (kept === undefined) return undefined;
    this.#put(key, kept);
    return asStored(kept);
  }

  async create(key: string, write: SessionWrite): Promise<string | undefined> {
    return this.#find(key) === undefined ? this.#write(key, write) : undefined;
  }

  async replace(key: string, version: string, write: SessionWrite): Promise<WriteOutcome> {
    return this.#check(key, version) ?? { status: 'written', version: this.#write(key, write) };
  }

  async rename(
    key: string,
    newKey: string,
    version: string,
    write: SessionWrite,
    pointer?: { readonly value: string; readonly grace: number },
  ): Promise<WriteOutcome> {
    const refused = this.#check(key, version);
    if (refused !== undefined) return refused;
    this.#sessions.delete(key);
    if (pointer !== undefined)
      this.#write(key, { value: pointer.value, ttl: pointer.grace, user: undefined });
    return { status: 'written', version: this.#write(newKey, write) };
  }

  async touch(key: string, ttl: number): Promise<boolean> {
    const kept = this.#find(key);
    if (kept === undefined) return false;
    this.#put(key, { ...kept, expires: Date.now() + ttl });
    return true;
  }

  async delete(key: string): Promise<boolean> {
    return this.#find(key) !== undefined && this.#sessions.delete(key);
  }

  async sessionsOf(user: string): Promise<readonly UserSession[]> {
    const now = Date.now();
    const found: UserSession[] = [];
    for (const [key, { value, expires, user: owner }] of this.#sessions) {
      if (owner !== user || expires <= now) continue;
      const record = parseRecord(value);
      if (record === undefined) continue;
      found.push({
        key,
        created: record.created,
        expiresIn: expires - now,
        data: Object.fromEntries(record.data),
      });
    }
    return found;
  }

  async revokeAll(user: string, except?: string): Promise<number> {
    const keys = (await this.sessionsOf(user)).map(({ key }) => key).filter((key) => key !== except);
    for (const key of keys) this.#sessions.delete(key);
    return keys.length;
  }

  #find(key: string): Kept | undefined {
    const kept = this.#sessions.get(key);
    if (kept === undefined || kept.expires > Date.now()) return kept;
    this.#sessions.delete(key);
    return undefined;
  }

  #check(key: string, version: string): WriteOutcome | undefined {
    const kept = this.#find(key);
    if (kept === undefined) return { status: 'gone' };
    return String(kept.version) === version ? undefined : { status: 'conflict', current: asStored(kept) };
  }

  #write(key: string, write: Write): string {
    const version = ++this.#version;
    const { value, ttl, user } = write;
    this.#put(key, { value, version, expires: Date.now() + ttl, user });
    return String(version);
  }

  /** Puts it behind all others, and lets the first go when there are too many. */
  #put(key: string, kept: Kept): void {
    this.#sessions.delete(key);
    this.#sessions.set(key, kept);
    if (this.#sessions.size <= this.#maxSessions) return;
    for (const oldest of this.#sessions.keys()) {
      this.#sessions.delete(oldest);
      return;
    }
  }
}

function asStored({ value, version, expires }: Kept): StoredSession {
  return { value, version: String(version), expiresIn: expires - Date.now() };
}

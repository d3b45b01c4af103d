import { sleep } from '../asyncio/index.ts';
import { applyChanges, type Changes } from './changes.ts';
import { SessionError } from './errors.ts';
import { isIdentity, keyOf, newIdentity } from './identity.ts';
import { endOf, ttlOf, wantsTouch } from './lifetime.ts';
import type { RejectedReason, Settings } from './options.ts';
import { formatPointer, formatRecord, parsePointer, parseRecord, type SessionRecord } from './record.ts';
import { Session, type StoredAs } from './session.ts';
import type { ServerStorage, SessionWrite, StoredSession, WriteOutcome } from './storage.ts';
import { WriteQueue } from './write-queue.ts';

/** What the client must be told about its cookie: another value, that there is none any more, or nothing. */
export type CookieChange =
  | { readonly value: string; readonly maxAge: number | undefined }
  | 'clear'
  | undefined;

/** A session, or why the cookie opened none. */
export type Loaded = Session | RejectedReason;

const NO_CHANGES: Changes = { set: new Map(), removed: new Set(), updates: new Map() };

/** Identities that a session may have had within `renewGrace` and still be found by the first. */
const MOST_MOVES = 8;

/** What the last writer of this process left. */
interface Written {
  readonly key: string;
  readonly version: string;
  readonly record: SessionRecord;
  /** The record's text. */
  readonly value: string;
}

/** Loads and saves sessions whose data is on the server, and of which the cookie has the identity only. */
export class ServerSessions {
  private readonly storage: ServerStorage;
  private readonly settings: Settings;
  private readonly writers: WriteQueue<Written> = new WriteQueue();

  constructor(storage: ServerStorage, settings: Settings) {
    this.storage = storage;
    this.settings = settings;
  }

  fresh(record: SessionRecord): Session {
    return new Session(undefined, record, undefined, false, true);
  }

  /** What the session of a cookie is stored under; `undefined` when it names none. */
  keyIn(cookie: string): string | undefined {
    return isIdentity(cookie) ? keyOf(cookie, this.storage.plainKeys) : undefined;
  }

  async load(cookie: string): Promise<Loaded> {
    const presented = this.keyIn(cookie);
    if (presented === undefined) return 'malformed';
    const found = await this.follow(presented, await this.storage.load(presented));
    if (found === undefined) return 'unknown';
    const { key, stored } = found;
    const record = parseRecord(stored.value);
    if (record === undefined) return 'corrupt';
    if (Date.now() >= endOf(record, this.settings)) {
      await this.storage.delete(key);
      return 'expired';
    }
    const { epochOf } = this.settings;
    if (epochOf !== undefined && record.user !== undefined) {
      if ((record.epoch ?? 0) < (await epochOf(record.user))) {
        await this.storage.delete(key);
        return 'revoked';
      }
    }
    const { version, expiresIn } = stored;
    return new Session(cookie, record, { key, version, expiresIn }, false, false);
  }

  /** Whether there is anything to be done before the head of the answer goes out, or at its end. */
  wantsSave(session: Session, changes: Changes | undefined, cookiePossible: boolean): boolean {
    if (session._ended.length > 0 || changes !== undefined) return true;
    if (session._stored === undefined) return false;
    if (!cookiePossible) return false;
    return session._renewing || this.isOld(session) || this.isIdle(session);
  }

  private isOld(session: Session): boolean {
    const { renewEvery } = this.settings;
    const { issued, created } = session._record;
    return renewEvery > 0 && Date.now() - (issued ?? created) > renewEvery;
  }

  private isIdle(session: Session): boolean {
    const ttl = ttlOf(session._record, this.settings, Date.now());
    return wantsTouch(session._stored!.expiresIn, ttl);
  }

  async save(session: Session, changes: Changes | undefined, cookiePossible: boolean): Promise<CookieChange> {
    const ended = session._ended;
    if (ended.length > 0) {
      session._ended = [];
      for (const key of ended) await this.end(key);
    }
    if (session._stored === undefined) {
      if (changes !== undefined && !cookiePossible) {
        throw new SessionError(
          'AIO_SESSION_TOO_LATE',
          'A session began after the head of the answer was sent, and needs a cookie in it.',
        );
      }
      const created = changes === undefined ? undefined : await this.create(session, changes);
      return created ?? (ended.length > 0 ? 'clear' : undefined);
    }
    const renews = cookiePossible && (session._renewing || this.isOld(session));
    if (renews || changes !== undefined) return this.update(session, changes ?? NO_CHANGES, renews);
    return this.isIdle(session) ? this.touch(session) : undefined;
  }

  /** Deletes a session, also where another request has moved it to meanwhile. */
  private async end(key: string): Promise<void> {
    if (this.settings.renewGrace > 0) {
      const found = await this.follow(key, await this.storage.load(key), true);
      if (found !== undefined && found.key !== key) await this.storage.delete(found.key);
    }
    await this.storage.delete(key);
  }

  private async create(session: Session, changes: Changes): Promise<CookieChange> {
    const record = this.stamped(session._current(changes));
    // Nothing is kept of a visitor about whom there is nothing to remember.
    if (record.data.size === 0 && record.user === undefined) return undefined;
    const identity = session._wanted ?? newIdentity();
    const key = keyOf(identity, this.storage.plainKeys);
    const write = this.write(record, true);
    const version = await this.storage.create(key, write);
    if (version === undefined) {
      throw new SessionError('AIO_SESSION_IDENTITY', 'There is a session of this identity already.');
    }
    session._saved(identity, record, { key, version, expiresIn: write.ttl });
    return this.cookie(identity, record);
  }

  private async touch(session: Session): Promise<CookieChange> {
    const record = session._record;
    const { key, version } = session._stored!;
    const ttl = ttlOf(record, this.settings, Date.now());
    if (!(await this.storage.touch(key, ttl))) return undefined;
    session._stored = { key, version, expiresIn: ttl };
    if (this.hasMoved(session)) return undefined;
    // A cookie that outlives the browser must live as long as the session.
    const change = this.cookie(session.identity!, record);
    return change.maxAge === undefined ? undefined : change;
  }

  /** Whether the identity that the request came with is an old one: the client has got another, and must keep that. */
  private hasMoved(session: Session): boolean {
    return keyOf(session.identity!, this.storage.plainKeys) !== session._stored!.key;
  }

  private async update(session: Session, changes: Changes, renews: boolean): Promise<CookieChange> {
    const stored = session._stored!;
    const next = renews ? newIdentity() : undefined;
    const newKey = next === undefined ? undefined : keyOf(next, this.storage.plainKeys);
    const written = await this.writers.run(stored.key, (latest) =>
      this.rewrite(session, stored, changes, newKey, latest),
    );
    if (written === undefined) {
      session._vanished();
      return undefined;
    }
    const { key, version, record } = written;
    const renewed = key === newKey;
    const identity = renewed ? next! : session.identity!;
    session._saved(identity, record, { key, version, expiresIn: ttlOf(record, this.settings, Date.now()) });
    const tells = renewed || (changes.maxAge !== undefined && !this.hasMoved(session));
    return tells ? this.cookie(identity, record) : undefined;
  }

  /** Writes the changes on top of what is there, again and again when somebody else was faster. */
  private async rewrite(
    session: Session,
    stored: StoredAs,
    changes: Changes,
    newKey: string | undefined,
    latest: Written | undefined,
  ): Promise<Written | undefined> {
    let { key, version } = stored;
    let target = newKey;
    let record = session._current(changes);
    const relist = newKey !== undefined || changes.user !== undefined || changes.maxAge !== undefined;
    if (latest !== undefined && latest.key === key && latest.version !== version) {
      version = latest.version;
      // Not its record: what is in that belongs to the other request, whose handler may still change it, and is not yet what JSON makes of it.
      record = applyChanges(parseRecord(latest.value) ?? latest.record, changes);
    }
    for (let attempt = 0; ; attempt++) {
      if (target !== undefined) record = this.stamped(record);
      const write = this.write(record, relist);
      if (write.ttl <= 0) {
        await this.storage.delete(key);
        return undefined;
      }
      const outcome = await this.send(key, target, version, write, session._renewing);
      if (outcome.status === 'written') {
        return { key: target ?? key, version: outcome.version, record, value: write.value };
      }
      if (outcome.status === 'gone') return undefined;
      if (attempt >= this.settings.retries) throw conflict(attempt + 1);
      if (attempt > 0) await sleep(Math.random() * Math.min(2 ** attempt, 50));
      const next = await this.follow(key, outcome.current);
      const newer = next === undefined ? undefined : parseRecord(next.stored.value);
      if (next === undefined || newer === undefined) return undefined;
      // Another request was first to renew an old identity. Doing it again would leave the client with the one or the other.
      if (next.key !== key && !session._renewing) target = undefined;
      key = next.key;
      version = next.stored.version;
      record = applyChanges(newer, changes);
    }
  }

  private send(
    key: string,
    newKey: string | undefined,
    version: string,
    write: SessionWrite,
    closed: boolean,
  ): Promise<WriteOutcome> {
    if (newKey === undefined) return this.storage.replace(key, version, write);
    const grace = this.settings.renewGrace;
    const pointer = grace > 0 ? { value: formatPointer({ key: newKey, closed }), grace } : undefined;
    return this.storage.rename(key, newKey, version, write, pointer);
  }

  /**
   * Where the session is now, if what was found is only where it went to: more than once when it was renewed again meanwhile.
   * @param ends - for a logout, which must find it in any case
   */
  private async follow(
    key: string,
    stored: StoredSession | undefined,
    ends: boolean = false,
  ): Promise<{ readonly key: string; readonly stored: StoredSession } | undefined> {
    for (let moves = 0; stored !== undefined && moves <= MOST_MOVES; moves++) {
      const moved = parsePointer(stored.value);
      if (moved === undefined) return { key, stored };
      if (moved.closed && !ends) return undefined;
      key = moved.key;
      stored = await this.storage.load(key);
    }
    return undefined;
  }

  private stamped(record: SessionRecord): SessionRecord {
    return this.settings.renewEvery > 0 ? { ...record, issued: Date.now() } : record;
  }

  private write(record: SessionRecord, relist: boolean): SessionWrite {
    return {
      value: formatRecord(record),
      ttl: ttlOf(record, this.settings, Date.now()),
      user: record.user,
      end: endOf(record, this.settings),
      relist,
    };
  }

  private cookie(identity: string, record: SessionRecord): { value: string; maxAge: number | undefined } {
    return { value: identity, maxAge: record.maxAge ?? this.settings.persistent };
  }
}

function conflict(attempts: number): SessionError {
  return new SessionError(
    'AIO_SESSION_CONFLICT',
    `The session was changed by others each of the ${attempts} times that its changes were to be saved.`,
  );
}

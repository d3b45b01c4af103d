import type { Changes } from './changes.ts';
import { SessionError } from './errors.ts';
import { endOf, idleOf, wantsTouch } from './lifetime.ts';
import type { Settings } from './options.ts';
import { formatRecord, parseRecord, type SessionRecord } from './record.ts';
import type { CookieChange, Loaded } from './server-sessions.ts';
import { Session } from './session.ts';
import type { CookieContext, CookieStorage } from './storage.ts';

/** Browsers ignore a cookie whose name and value are longer than this together, in bytes (RFC 6265bis §5.6). */
const MAX_COOKIE = 4096;

/** Loads and saves sessions that live in their cookies. */
export class CookieSessions {
  private readonly storage: CookieStorage;
  private readonly settings: Settings;
  /** When the cookie of a session was written; `outdated`: it is to be written again in any case. */
  private readonly issued: WeakMap<Session, { readonly at: number | undefined; readonly outdated: boolean }> =
    new WeakMap();

  constructor(storage: CookieStorage, settings: Settings) {
    this.storage = storage;
    this.settings = settings;
  }

  fresh(record: SessionRecord): Session {
    return new Session(undefined, record, undefined, true, true);
  }

  async load(cookie: string, cookieName: string): Promise<Loaded> {
    const now = Date.now();
    const opened = this.storage.open(cookie, { cookieName, now });
    if (opened === undefined) return 'malformed';
    const record = parseRecord(opened.value);
    if (record === undefined) return 'corrupt';
    const { issued, outdated } = opened;
    if (now >= endOf(record, this.settings)) return 'expired';
    if (issued !== undefined && now >= issued + idleOf(record, this.settings)) return 'expired';
    const { epochOf } = this.settings;
    if (epochOf !== undefined && record.user !== undefined) {
      if ((record.epoch ?? 0) < (await epochOf(record.user))) return 'revoked';
    }
    const session = new Session(undefined, record, undefined, true, false);
    this.issued.set(session, { at: issued, outdated });
    return session;
  }

  wantsSave(session: Session, changes: Changes | undefined, cookiePossible: boolean): boolean {
    if (!cookiePossible) return changes !== undefined;
    if (changes !== undefined || session._renewing) return true;
    const issued = this.issued.get(session);
    if (issued === undefined) return false;
    // Emptied by invalidate().
    if (session.new || issued.outdated) return true;
    if (issued.at === undefined) return false;
    const idle = idleOf(session._record, this.settings);
    return wantsTouch(issued.at + idle - Date.now(), idle);
  }

  async save(
    session: Session,
    changes: Changes | undefined,
    cookiePossible: boolean,
    cookieName: string,
  ): Promise<CookieChange> {
    if (!cookiePossible) {
      throw new SessionError(
        'AIO_SESSION_TOO_LATE',
        'A session that lives in its cookie was changed after the head of the answer was sent.',
      );
    }
    const record = session._current(changes);
    if (record.data.size === 0 && record.user === undefined) {
      session._saved(undefined, record, undefined);
      return this.issued.has(session) ? 'clear' : undefined;
    }
    const context: CookieContext = { cookieName, now: Date.now() };
    const value = this.storage.seal(formatRecord(record), context, endOf(record, this.settings));
    if (cookieName.length + value.length > MAX_COOKIE) throw tooLarge(cookieName, value, record);
    session._saved(undefined, record, undefined);
    return { value, maxAge: record.maxAge ?? this.settings.persistent };
  }
}

function tooLarge(cookieName: string, value: string, record: SessionRecord): SessionError {
  const sizes = [...record.data]
    .map(([key, data]) => ({ key, bytes: Buffer.byteLength(JSON.stringify(data)) }))
    .sort((one, other) => other.bytes - one.bytes);
  const largest = sizes.slice(0, 3).map(({ key, bytes }) => `'${key}' (${bytes} bytes)`);
  return new SessionError(
    'AIO_SESSION_COOKIE_SIZE',
    `The session does not fit into a cookie: ${cookieName.length + value.length} bytes, and browsers take ${MAX_COOKIE}. ` +
      `The largest of its values: ${largest.join(', ')}. Keep less in it, or use a storage on the server.`,
  );
}

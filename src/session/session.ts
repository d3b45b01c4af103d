import { inspect } from 'node:util';
import { type Changes, checkKey, type Update } from './changes.ts';
import { SessionError } from './errors.ts';
import { isIdentity } from './identity.ts';
import { emptyRecord, type SessionRecord, wholeSeconds } from './record.ts';
import { SessionValues } from './session-values.ts';

/** Names of what a session of type `T` keeps. */
export type SessionKey<T> = Extract<keyof T, string>;

/** A session that a storage on the server has. @internal */
export interface StoredAs {
  readonly key: string;
  readonly version: string;
  readonly expiresIn: number;
}

/** Where a request is on its way: everything can change, the session is being saved, a cookie cannot be sent any more, or nothing is saved any more. @internal */
export type Phase = 'open' | 'saving' | 'head sent' | 'over';

/**
 * What the server remembers of one visitor between requests: a map of values that JSON can hold, typed by `T`.
 *
 * Nothing is kept, and no cookie is sent, before something is put in. Changes are saved before the head of the answer goes out, also those
 * inside of objects and arrays that it holds. When several requests change the same session at once, each keeps its changes: keys that
 * only one of them changed stay as that one left them, of a key that several set the last one counts, and `update` runs again on the newer value.
 *
 * Made by `getSession` and `newSession`. aiohttp-session: `Session`.
 *
 * @example
 * ```ts
 * import { getSession } from 'aiohttp-ts/session';
 * import * as web from 'aiohttp-ts/web';
 * interface Visits { lastVisit?: number; count?: number }
 * const handler: web.Handler = async (request) => {
 *   const session = await getSession<Visits>(request);
 *   const last = session.get('lastVisit');
 *   session.set('lastVisit', Date.now());
 *   const count = session.update('count', (value = 0) => value + 1);
 *   return web.jsonResponse({ last, count });
 * };
 * ```
 */
export class Session<T extends object = Record<string, unknown>> {
  static {
    // Whoever logs a session should not log its identity.
    Object.defineProperty(Session.prototype, inspect.custom, { value: Session.prototype.toString });
  }

  /** @internal */
  _phase: Phase = 'open';
  /** @internal The storage that keeps it is the cookie: nothing can be saved without one. */
  _inCookie: boolean;
  /** @internal */
  _stored: StoredAs | undefined;
  /** @internal It is to get another identity. */
  _renewing: boolean = false;
  /** @internal The session under this key ended with `invalidate()`. */
  _ended: string[] = [];
  /** @internal An identity that was asked for. */
  _wanted: string | undefined = undefined;
  /** @internal `changed()` was called. */
  _forced: boolean = false;
  /** @internal Not kept: the storage could not be asked. */
  _unsaved: boolean = false;
  #identity: string | undefined;
  #record: SessionRecord;
  readonly #values: SessionValues;
  #user: { readonly name: string | undefined } | undefined = undefined;
  #maxAge: { readonly milliseconds: number | undefined } | undefined = undefined;
  #gone = false;

  /** @internal */
  constructor(
    identity: string | undefined,
    record: SessionRecord,
    stored: StoredAs | undefined,
    inCookie: boolean,
    isNew: boolean,
  ) {
    this.#identity = identity;
    this.#record = record;
    this.#values = new SessionValues(record.data);
    this._stored = stored;
    this._inCookie = inCookie;
    this.#new = isNew;
  }

  #new: boolean;

  /** Whether it began with this request. */
  get new(): boolean {
    return this.#new;
  }

  /**
   * What the cookie says: 256 random bits. `undefined` for a session that was not saved yet, and for those that live in their cookie.
   * Treat it like a password; `key` may be shown, unless the storage has `plainKeys`.
   */
  get identity(): string | undefined {
    return this.#identity;
  }

  /** What the storage knows the session by, as `storage.sessionsOf(user)` lists it; `undefined` for one that was not saved yet. */
  get key(): string | undefined {
    return this._stored?.key;
  }

  /** When the session began, or became its user's, in milliseconds since 1970 (in whole seconds). */
  get created(): number {
    return this.#record.created;
  }

  /** Whether nothing is in it. */
  get empty(): boolean {
    return this.#values.data.size === 0;
  }

  /** How many values are in it. */
  get size(): number {
    return this.#values.data.size;
  }

  /** Whether the session had ended (a logout in another request) when this request wanted to save its changes; they were dropped. */
  get gone(): boolean {
    return this.#gone;
  }

  /**
   * How long this session lives without being used, in ms, for "remember me": its cookie then outlives the browser. `undefined`: as `setup` says.
   */
  get maxAge(): number | undefined {
    return this.#maxAge === undefined ? this.#record.maxAge : this.#maxAge.milliseconds;
  }

  /** @throws RangeError `AIO_SESSION_SETTING` for anything but a positive number of ms or `undefined` */
  set maxAge(milliseconds: number | undefined) {
    if (milliseconds !== undefined && !(milliseconds >= 1000 && milliseconds < 1e14)) {
      throw Object.assign(
        new RangeError(`maxAge must be at least 1000 (one second, in ms), got ${String(milliseconds)}.`),
        { code: 'AIO_SESSION_SETTING' },
      );
    }
    this.#mustSendCookie('maxAge');
    this.#maxAge = { milliseconds };
  }

  /** Whose session it is, as {@link setUser} said. */
  get user(): string | undefined {
    return this.#user === undefined ? this.#record.user : this.#user.name;
  }

  /**
   * Says whose session this is, so that `storage.sessionsOf(user)` lists it and `storage.revokeAll(user)` ends it. `undefined`: nobody's.
   * Call {@link renew} too when somebody logs in; `remember` of `aiohttp-ts/security` does both.
   */
  setUser(user: string | undefined): void {
    this.#mustTake('setUser()');
    this.#user = { name: user };
  }

  /** The value under a key; `undefined` when there is none. What is changed inside of it is saved. */
  get<K extends SessionKey<T>>(key: K): T[K] | undefined {
    return this.#values.get(key) as T[K] | undefined;
  }

  /** Whether there is a value under a key. */
  has(key: SessionKey<T>): boolean {
    return this.#values.data.has(key);
  }

  /**
   * Puts a value under a key.
   *
   * @throws SessionError `AIO_SESSION_VALUE` for what JSON cannot hold and keys that are no strings; `AIO_SESSION_TOO_LATE` when the head of the answer was sent and saving this would
   *   need a new cookie, or the answer is over
   */
  set<K extends SessionKey<T>>(key: K, value: Exclude<T[K], undefined>): this {
    checkKey(key);
    this.#mustTake(`set('${key}')`);
    if (value === undefined) {
      throw new SessionError(
        'AIO_SESSION_VALUE',
        `set('${key}', undefined) has no meaning: use delete('${key}').`,
      );
    }
    this.#values.set(key, value);
    return this;
  }

  /** Removes what is under a key; tells whether there was something. */
  delete(key: SessionKey<T>): boolean {
    if (!this.#values.data.has(key)) return false;
    this.#mustTake(`delete('${key}')`);
    return this.#values.delete(key);
  }

  /** Removes everything. The session stays, with its user; see {@link invalidate}. */
  clear(): void {
    for (const key of [...this.#values.data.keys()]) this.delete(key as SessionKey<T>);
  }

  /**
   * Computes a value from the one that is there. When another request has changed the session meanwhile, `compute` runs again on the newer value: no
   * count is lost. So it should do nothing else. `undefined` removes the key.
   *
   * @returns The value as this request sees it.
   * @example
   * ```ts
   * const session = await getSession<{ cart?: string[] }>(request);
   * session.update('cart', (cart = []) => [...cart, 'book']);
   * ```
   */
  update<K extends SessionKey<T>>(
    key: K,
    compute: (value: T[K] | undefined) => T[K] | undefined,
  ): T[K] | undefined {
    checkKey(key);
    this.#mustTake(`update('${key}')`);
    return this.#values.update(key, compute as Update) as T[K] | undefined;
  }

  /** Saves the session even if nothing in it has changed. (aiohttp-session needs it for changes inside of values; here they are noticed.) */
  changed(): void {
    this.#mustTake('changed()');
    this._forced = true;
  }

  /**
   * Ends the session: it is deleted from the storage, and its cookie too. What is put in afterwards begins a new one. A visitor without a session gets none
   * by it.
   */
  invalidate(): void {
    if (
      this._phase === 'saving' ||
      this._phase === 'over' ||
      (this._phase === 'head sent' && this._inCookie)
    ) {
      throw this.#tooLate('invalidate()');
    }
    if (this._stored !== undefined) this._ended.push(this._stored.key);
    this.#restart();
  }

  /**
   * Gives the session another identity; what it holds stays. For every change of privileges: after a login nobody who knew the old identity gets in.
   *
   * @throws SessionError `AIO_SESSION_TOO_LATE` when the head of the answer was sent
   */
  renew(): void {
    this.#mustSendCookie('renew()');
    this._renewing = true;
  }

  /**
   * Chooses the identity of a new session. There is hardly a reason to: {@link renew} makes a random one.
   *
   * @throws SessionError `AIO_SESSION_IDENTITY` when the session is not new
   * @throws RangeError `AIO_SESSION_SETTING` when it is not 22 to 128 letters, digits, `-` and `_`
   */
  setNewIdentity(identity: string): void {
    this.#mustSendCookie('setNewIdentity()');
    if (!this.#new || this._stored !== undefined) {
      throw new SessionError(
        'AIO_SESSION_IDENTITY',
        'Only a new session can be given an identity: use newSession(), or renew() for a random one.',
      );
    }
    if (typeof identity !== 'string' || !isIdentity(identity)) {
      throw Object.assign(
        new RangeError('An identity is 22 to 128 letters, digits, - and _, and hard to guess.'),
        { code: 'AIO_SESSION_SETTING' },
      );
    }
    this._wanted = identity;
    this.#identity = identity;
  }

  /** Names of what is in it. */
  keys(): IterableIterator<SessionKey<T>> {
    return this.#values.data.keys() as IterableIterator<SessionKey<T>>;
  }

  /** What is in it. */
  *values(): Generator<T[SessionKey<T>]> {
    for (const key of this.#values.data.keys()) yield this.get(key as SessionKey<T>) as T[SessionKey<T>];
  }

  /** Names and values. */
  *entries(): Generator<[SessionKey<T>, T[SessionKey<T>]]> {
    for (const key of this.#values.data.keys()) {
      yield [key as SessionKey<T>, this.get(key as SessionKey<T>) as T[SessionKey<T>]];
    }
  }

  [Symbol.iterator](): Generator<[SessionKey<T>, T[SessionKey<T>]]> {
    return this.entries();
  }

  /** A plain copy of the outer level, for templates and logs. */
  toJSON(): Partial<T> {
    return Object.fromEntries(this.#values.data) as Partial<T>;
  }

  /** aiohttp-session: `<Session [new:True, changed:False, created:…] {…}>`. The identity is not shown. */
  toString(): string {
    return `<Session [new:${this.#new}, changed:${this._changes() !== undefined}, created:${this.created}] ${JSON.stringify(this)}>`;
  }

  #restart(): void {
    this.#record = emptyRecord(Date.now());
    this.#values.restart();
    this.#user = undefined;
    this.#maxAge = undefined;
    this.#identity = undefined;
    this.#new = true;
    this._stored = undefined;
    this._renewing = false;
    this._wanted = undefined;
    this._forced = false;
  }

  #mustTake(what: string): void {
    if (this._phase === 'open') return;
    if (this._phase !== 'head sent' || this._inCookie || this._stored === undefined)
      throw this.#tooLate(what);
  }

  #mustSendCookie(what: string): void {
    if (this._phase !== 'open') throw this.#tooLate(what);
  }

  #tooLate(what: string): SessionError {
    const why = {
      open: '',
      saving: 'came while the session was being saved: do it before response.prepare(), or await that first.',
      'head sent':
        'came after the head of the answer was sent, and needs a cookie in it. Do it before response.prepare().',
      over: 'came when the answer was over: nothing is saved any more.',
    };
    return new SessionError('AIO_SESSION_TOO_LATE', `${what} ${why[this._phase]}`);
  }

  /** @internal What this request changed; `undefined` when nothing. */
  _changes(): Changes | undefined {
    const values = this.#values.changes();
    const { user: owner, epoch } = this.#record;
    // Said again of the same user, it takes the session over into their present epoch.
    const told =
      this.#user !== undefined && (this.#user.name !== owner || this._renewing || epoch !== undefined);
    const user = told ? this.#user : undefined;
    const maxAge =
      this.#maxAge !== undefined && this.#maxAge.milliseconds !== this.#record.maxAge
        ? this.#maxAge
        : undefined;
    const count = values.set.size + values.removed.size + values.updates.size;
    if (count === 0 && !user && !maxAge && !this._forced) return undefined;
    return {
      ...values,
      ...(user && { user: { name: user.name, epoch: undefined, since: sinceOf(user.name, owner) } }),
      ...(maxAge && { maxAge }),
    };
  }

  /** @internal As it was read, or last saved. */
  get _record(): SessionRecord {
    return this.#record;
  }

  /** @internal As this request sees it, with its changes. */
  _current(changes: Changes | undefined): SessionRecord {
    const { created, issued } = this.#record;
    const user = changes?.user ?? { name: this.#record.user, epoch: this.#record.epoch, since: undefined };
    return {
      created: user.since ?? created,
      data: this.#values.data,
      user: user.name,
      epoch: user.epoch,
      maxAge: this.maxAge,
      issued,
    };
  }

  /** @internal The session was saved. Unless the request is over, what is there now is what further changes are told from. */
  _saved(identity: string | undefined, record: SessionRecord, stored: StoredAs | undefined): void {
    this.#identity = identity;
    this.#record = record;
    this._stored = stored;
    this._renewing = false;
    this._wanted = undefined;
    this._forced = false;
    this.#user = undefined;
    this.#maxAge = undefined;
    if (this._phase !== 'over') this.#values.saved(record.data);
  }

  /** @internal It was ended by somebody else. */
  _vanished(): void {
    this.#restart();
    this.#gone = true;
  }
}

/** A login begins the life of a session anew: how long somebody looked around before must not end it early. */
function sinceOf(user: string | undefined, before: string | undefined): number | undefined {
  return user === undefined || user === before ? undefined : wholeSeconds(Date.now());
}

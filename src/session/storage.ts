/** What a storage gives back for a key. */
export interface StoredSession {
  /** The text as it was written. */
  readonly value: string;
  /** Differs after every write of the value, also by other processes. Whatever the storage likes: a number, a random tag. */
  readonly version: string;
  /** Milliseconds until the storage forgets it unless it is touched; `Infinity` when it never does. */
  readonly expiresIn: number;
}

/** What a storage is to keep. */
export interface SessionWrite {
  readonly value: string;
  /** Milliseconds until it is to be forgotten. */
  readonly ttl: number;
  /** Whose session it is, for {@link ServerStorage.sessionsOf}; `undefined`: nobody's. */
  readonly user: string | undefined;
  /** When the session ends at the latest, in ms since 1970; `Infinity`: never. */
  readonly end: number;
  /** Whether `key`, `user` or `end` differ from what was written before, so that lists by user must be brought up to date. */
  readonly relist: boolean;
}

/** How a guarded write ended. */
export type WriteOutcome =
  | { readonly status: 'written'; readonly version: string }
  /** Another version is there; nothing was written. */
  | { readonly status: 'conflict'; readonly current: StoredSession }
  /** The session does not exist any more; nothing was written. */
  | { readonly status: 'gone' };

/** One session of a user. */
export interface UserSession {
  /** What the storage knows it by; `session.key` of the session itself. With `plainKeys` it is the identity: show it to nobody. */
  readonly key: string;
  /** When it began, in milliseconds since 1970. */
  readonly created: number;
  /** Milliseconds until it ends by itself. */
  readonly expiresIn: number;
  /** What the application keeps in it. */
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * A store of sessions on the server. Every write names the version that was read, and happens completely or not at all: that is what keeps
 * concurrent writes and lets nothing come back that was deleted. `storageContract` has the checks that an implementation must pass.
 *
 * Keys are letters, digits, `-` and `_`. When the store cannot be reached, methods throw `SessionUnavailableError`.
 *
 * @example
 * ```ts
 * import type { ServerStorage } from 'aiohttp-ts/session';
 * async function logOutEverywhere(storage: ServerStorage, user: string): Promise<number> {
 *   return storage.revokeAll(user);
 * }
 * ```
 */
export interface ServerStorage {
  readonly kind: 'server';
  /** Whether keys are the identities themselves, and not their hashes. */
  readonly plainKeys?: boolean | undefined;
  /** The session, unless it has expired. */
  load(key: string): Promise<StoredSession | undefined>;
  /** Keeps a new session; gives its version, or `undefined` when the key is taken. */
  create(key: string, write: SessionWrite): Promise<string | undefined>;
  /** Replaces a session if it still has this version. Never makes one. */
  replace(key: string, version: string, write: SessionWrite): Promise<WriteOutcome>;
  /**
   * Replaces a session and moves it to another key if it still has this version. With `grace` (ms) the old key holds `pointer` for that long,
   * else nothing.
   */
  rename(
    key: string,
    newKey: string,
    version: string,
    write: SessionWrite,
    pointer?: { readonly value: string; readonly grace: number },
  ): Promise<WriteOutcome>;
  /** Lets a session live for `ttl` milliseconds from now; the value and its version stay. `false` when there is none. */
  touch(key: string, ttl: number): Promise<boolean>;
  /** `false` when there was none. */
  delete(key: string): Promise<boolean>;
  /** The sessions of a user that have not ended. */
  sessionsOf(user: string): Promise<readonly UserSession[]>;
  /** Deletes the sessions of a user, but for the one under `except`; gives how many there were. */
  revokeAll(user: string, except?: string): Promise<number>;
  /** Called when the application starts: make tables, start to purge. */
  open?(): Promise<void>;
  /** Called when the application ends. */
  close?(): Promise<void>;
}

/** What a cookie storage knows beside the value. */
export interface CookieContext {
  /** Name of the cookie, with its prefix. */
  readonly cookieName: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What a cookie held. */
export interface OpenedCookie {
  readonly value: string;
  /** When it was written, in milliseconds since 1970; `undefined` when it does not tell. */
  readonly issued: number | undefined;
  /** It should be written again with the next answer: its key or its format is an old one. */
  readonly outdated: boolean;
}

/**
 * Keeps the whole session in its cookie. There is nothing on the server, so nothing can be taken back: a copy of an old cookie stays valid
 * until it expires, and of two answers the later one wins.
 *
 * @example
 * ```ts
 * import type { CookieStorage } from 'aiohttp-ts/session';
 * const plain: CookieStorage = {
 *   kind: 'cookie',
 *   seal: (value) => Buffer.from(value).toString('base64url'),
 *   open: (cookie) => ({ value: Buffer.from(cookie, 'base64url').toString(), issued: undefined, outdated: false }),
 * };
 * ```
 */
export interface CookieStorage {
  readonly kind: 'cookie';
  /**
   * The text for the cookie.
   * @param expires - when the session ends at the latest, in ms since 1970; `Infinity`: never
   */
  seal(value: string, context: CookieContext, expires: number): string;
  /** What is in a cookie; `undefined` when it is not ours, was changed, or has expired. Must not throw for any text. */
  open(cookie: string, context: CookieContext): OpenedCookie | undefined;
  /** Called when the application starts. */
  start?(warn: (message: string) => void): void;
}

/** Where sessions live: on the server, or in the cookie itself. */
export type Storage = ServerStorage | CookieStorage;

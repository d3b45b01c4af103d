import type * as web from '../web/index.ts';
import { checkAmount, wrongOption } from './errors.ts';

/** Why a cookie that a client sent opened no session. */
export type RejectedReason = 'malformed' | 'unknown' | 'expired' | 'corrupt' | 'revoked';

/** Options of `setup`. Durations are milliseconds. */
export interface SessionOptions {
  /** Default `'AIOHTTP_SESSION'`. On https it gets the prefix `__Host-`, see `hostPrefix`. */
  readonly cookieName?: string | undefined;
  /**
   * Whether the name begins with `__Host-` where the cookie is `Secure`, so that no other host of the domain can set it. Default: yes, unless `domain` or
   * another `path` is given.
   */
  readonly hostPrefix?: boolean | undefined;
  /** Whose sub-domains get the cookie too. Default: only this host. */
  readonly domain?: string | undefined;
  /** Default `'/'`. */
  readonly path?: string | undefined;
  /** Whether the cookie is sent over https only. Default `'auto'`: when the request came by https (`request.secure`). */
  readonly secure?: boolean | 'auto' | undefined;
  /** Whether scripts cannot read the cookie. Default `true`. */
  readonly httpOnly?: boolean | undefined;
  /** Default `'Lax'`. */
  readonly sameSite?: 'Strict' | 'Lax' | 'None' | undefined;
  /** Lifetime of a session that is not used, and of its cookie, which then outlives the browser. Default: `idle`, and the cookie ends with the browser. */
  readonly maxAge?: number | undefined;
  /** A session ends when it was not used for so long. Default 30 minutes. */
  readonly idle?: number | undefined;
  /** A session ends at this age, used or not (a longer `maxAge` counts instead); a login begins anew. Default 24 hours; 0: never. */
  readonly absolute?: number | undefined;
  /** A session gets another identity when its own is so old. Default 0: never. */
  readonly renewEvery?: number | undefined;
  /**
   * After `renewEvery` gave a session another identity the old one still works for so long, for requests that are on their way: without it their
   * changes would be lost. Default 10 seconds, at most `renewEvery`. It is not for `renew()`: whoever knows the identity from before a login stays outside at once.
   */
  readonly renewGrace?: number | undefined;
  /** Whether changes are kept when the handler throws something else than an HTTP exception. Default `true`: failed logins are counted. */
  readonly saveOnError?: boolean | undefined;
  /**
   * What happens to a request that changed a session which ended meanwhile: its changes are dropped (`'ignore'`, the default), or the client is told
   * too (`'conflict'`: 409).
   */
  readonly onGone?: 'ignore' | 'conflict' | undefined;
  /**
   * When the storage is down: `false` (default) answers 503, `true` goes on with an empty session that is not kept. A session that was to end and could not be
   * deleted is 503 in any case.
   */
  readonly failOpen?: boolean | undefined;
  /** How often a change is tried again when others change the same session. Default 8. */
  readonly retries?: number | undefined;
  /** Cache-Control of an answer that sets the cookie. What the handler set stays, but becomes `private`. Default `'no-store'`. */
  readonly cacheControl?: 'no-store' | 'private' | undefined;
  /** The present epoch of a user: sessions of an earlier one are over. For storages that cannot revoke. */
  readonly epochOf?: ((user: string) => number | PromiseLike<number>) | undefined;
  /** Called when a cookie opens no session. For counters and logs. */
  readonly onRejected?: ((reason: RejectedReason, request: web.BaseRequest) => void) | undefined;
}

/** The options with their defaults, checked. */
export interface Settings {
  readonly cookieName: string;
  readonly hostPrefix: boolean;
  readonly domain: string | undefined;
  readonly path: string;
  readonly secure: boolean | 'auto';
  readonly httpOnly: boolean;
  readonly sameSite: 'Strict' | 'Lax' | 'None';
  readonly persistent: number | undefined;
  readonly idle: number;
  readonly absolute: number;
  readonly renewEvery: number;
  readonly renewGrace: number;
  readonly saveOnError: boolean;
  readonly onGone: 'ignore' | 'conflict';
  readonly failOpen: boolean;
  readonly retries: number;
  readonly cacheControl: string;
  readonly epochOf: ((user: string) => number | PromiseLike<number>) | undefined;
  readonly onRejected: ((reason: RejectedReason, request: web.BaseRequest) => void) | undefined;
}

const MINUTE = 60_000;

/** Longer than requests of one page are on their way, in ms. */
const USUAL_GRACE = 10_000;

/** @throws RangeError `AIO_SESSION_SETTING` */
export function settingsOf(options: SessionOptions): Settings {
  const { cookieName = 'AIOHTTP_SESSION', domain, path = '/', secure = 'auto', sameSite = 'Lax' } = options;
  if (!/^[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,64}$/.test(cookieName)) {
    throw wrongOption(
      `cookieName must be a token of at most 64 characters, got ${JSON.stringify(cookieName)}.`,
    );
  }
  if (sameSite === 'None' && secure !== true) {
    throw wrongOption("sameSite: 'None' needs secure: true: browsers refuse the cookie otherwise.");
  }
  const hostPrefix = options.hostPrefix ?? (domain === undefined && path === '/');
  if (hostPrefix && (domain !== undefined || path !== '/')) {
    throw wrongOption("hostPrefix goes with neither a domain nor another path than '/'.");
  }
  const { maxAge } = options;
  const renewEvery = checkAmount('renewEvery', options.renewEvery ?? 0, true);
  return {
    cookieName,
    hostPrefix: hostPrefix && secure !== false && !/^__(?:Host|Secure)-/.test(cookieName),
    domain,
    path,
    secure,
    httpOnly: options.httpOnly ?? true,
    sameSite,
    persistent: maxAge === undefined ? undefined : checkAmount('maxAge', maxAge),
    idle: maxAge ?? checkAmount('idle', options.idle ?? 30 * MINUTE),
    absolute: checkAmount('absolute', options.absolute ?? 24 * 60 * MINUTE, true) || Number.POSITIVE_INFINITY,
    renewEvery,
    renewGrace: checkAmount('renewGrace', options.renewGrace ?? Math.min(USUAL_GRACE, renewEvery), true),
    saveOnError: options.saveOnError ?? true,
    onGone: options.onGone ?? 'ignore',
    failOpen: options.failOpen ?? false,
    retries: checkAmount('retries', options.retries ?? 8, true),
    cacheControl: options.cacheControl ?? 'no-store',
    epochOf: options.epochOf,
    onRejected: options.onRejected,
  };
}

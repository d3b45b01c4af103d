/**
 * Something was asked of a session that cannot be done, by code and not by the client. `code` is `AIO_SESSION_SETUP`, `AIO_SESSION_TOO_LATE`,
 * `AIO_SESSION_VALUE`, `AIO_SESSION_IDENTITY`, `AIO_SESSION_COOKIE_SIZE`, `AIO_SESSION_CONFLICT` or `AIO_SESSION_SETTING`.
 *
 * @example
 * ```ts
 * import { getSession, SessionError } from 'aiohttp-ts/session';
 * import type * as web from 'aiohttp-ts/web';
 * async function remember(request: web.Request): Promise<void> {
 *   try {
 *     (await getSession(request)).set('seen', true);
 *   } catch (error) {
 *     if (!(error instanceof SessionError && error.code === 'AIO_SESSION_TOO_LATE')) throw error;
 *   }
 * }
 * ```
 */
export class SessionError extends Error {
  override readonly name: string = 'SessionError';
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/**
 * A storage cannot be asked now: it is down or does not answer in time. A storage throws it; the client gets 503, or with `failOpen` a
 * session that is not kept.
 *
 * @example
 * ```ts
 * import { SessionUnavailableError } from 'aiohttp-ts/session';
 * const outage = (cause: unknown) => new SessionUnavailableError('the session table cannot be reached', cause);
 * ```
 */
export class SessionUnavailableError extends Error {
  override readonly name: string = 'SessionUnavailableError';
  readonly code: string = 'AIO_SESSION_UNAVAILABLE';

  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** An option or argument of the right kind whose value is not allowed. */
export function wrongOption(message: string): RangeError & { readonly code: string } {
  return Object.assign(new RangeError(message), { code: 'AIO_SESSION_SETTING' });
}

/** Checks a number of milliseconds (or another amount) that must be more than 0; 0 means "none" where it is allowed. */
export function checkAmount(name: string, value: number, zeroAllowed: boolean = false): number {
  if (typeof value === 'number' && (value > 0 || (zeroAllowed && value === 0))) return value;
  throw wrongOption(
    `${name} must be a ${zeroAllowed ? 'number, 0 or more' : 'positive number'}, got ${String(value)}.`,
  );
}

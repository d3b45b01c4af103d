import { getSession } from '../session/index.ts';
import type * as web from '../web/index.ts';
import { CSRF_KEY } from './csrf-token.ts';
import { AbstractIdentityPolicy, type Answer, type RememberOptions } from './policies.ts';

/**
 * The identity in the visitor's session: what an application with logins wants.
 *
 * `remember` gives the session a new id, so that nobody who knew the old one is logged in (session fixation); notes whose it is, so that the storage can
 * list and end the sessions of a user; and begins an empty one when the old one was another user's. `forget` ends the session, on the server too.
 * What the visitor had in the session before a login (a cart) stays.
 *
 * aiohttp_security: `SessionIdentityPolicy`. There the old id stays valid, and a logout leaves the session.
 *
 * @example
 * ```ts
 * class Everybody extends AbstractAuthorizationPolicy {
 *   authorizedUserId(identity: string): string {
 *     return identity;
 *   }
 *   permits(identity: string | undefined): boolean {
 *     return identity !== undefined;
 *   }
 * }
 * setup(app, new SessionIdentityPolicy(), new Everybody());
 * ```
 */
export class SessionIdentityPolicy extends AbstractIdentityPolicy {
  readonly #key: string;

  /** @param sessionKey under which the session holds the identity; default `'AIOHTTP_SECURITY'` */
  constructor(sessionKey: string = 'AIOHTTP_SECURITY') {
    super();
    this.#key = sessionKey;
  }

  async identify(request: web.Request): Promise<string | undefined> {
    const identity = (await getSession(request)).get(this.#key);
    return typeof identity === 'string' && identity !== '' ? identity : undefined;
  }

  /** `maxAge` lets the session, and its cookie, live that long without being used; else the session ends as the application's do. */
  async remember(
    request: web.Request,
    _response: Answer,
    identity: string,
    options: RememberOptions,
  ): Promise<void> {
    const session = await getSession(request);
    const before = session.get(this.#key);
    if (before === undefined || before === identity) session.renew();
    else session.invalidate();
    // A token that was read before the login is worth nothing after it.
    session.delete(CSRF_KEY);
    session.set(this.#key, identity);
    session.setUser(identity);
    session.maxAge = options.maxAge;
  }

  async forget(request: web.Request, _response: Answer): Promise<void> {
    const session = await getSession(request);
    if (session.has(this.#key)) session.invalidate();
  }
}

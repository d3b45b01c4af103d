// Who sends a request, and who may do what.

import * as security from 'aiohttp-ts/security';
import type * as web from 'aiohttp-ts/web';
import { DB, findUser, type Note, type User, userIdOfToken } from './db.ts';

/** Programs come with a token (`Authorization: Bearer …`), browsers with their session. */
export class TokenOrSession extends security.SessionIdentityPolicy {
  override readonly challenge: string = 'Bearer';

  override async identify(request: web.Request): Promise<string | undefined> {
    const authorization = request.headers.get('Authorization');
    if (authorization === undefined) return super.identify(request);
    const token = /^Bearer ([\w-]{20,100})$/i.exec(authorization)?.[1];
    return token === undefined ? undefined : userIdOfToken(request.configDict.get(DB), token);
  }
}

/** Everybody reads; a note is changed by who wrote it. */
export class Users extends security.AbstractAuthorizationPolicy<User> {
  readonly #app: web.Application;

  constructor(app: web.Application) {
    super();
    this.#app = app;
  }

  authorizedUserId(identity: string): Promise<User | undefined> {
    return findUser(this.#app.get(DB), identity);
  }

  permits(identity: string | undefined, permission: string, note?: Note): boolean {
    return permission === 'edit' && note !== undefined && note.owner_id === identity;
  }
}

import type * as web from '../web/index.ts';

/** What carries cookies and header fields to the client: a response, or an exception such as `HTTPFound` that becomes one. */
export type Answer = web.StreamResponse | web.HTTPException;

/** Options of {@link remember}. */
export interface RememberOptions {
  /** Milliseconds for which the client is remembered, where the policy can say that; its own default when left out. */
  readonly maxAge?: number | undefined;
}

/**
 * How a request says who sent it: by its session, a signed cookie, a token. The identity is a string that stands for the user, and
 * means something to the {@link AbstractAuthorizationPolicy} only: better a random or numeric id than a name that may change.
 *
 * aiohttp_security: `AbstractIdentityPolicy`.
 *
 * @example
 * ```ts
 * class ApiKeyPolicy extends AbstractIdentityPolicy {
 *   override readonly challenge: string = 'ApiKey';
 *   identify(request: web.Request): string | undefined {
 *     return request.headers.get('X-Api-Key');
 *   }
 *   remember(): void {}
 *   forget(): void {}
 * }
 * ```
 */
export abstract class AbstractIdentityPolicy {
  /** The `WWW-Authenticate` of an answer 401, which must have one (RFC 9110 §15.5.2). */
  readonly challenge: string = 'Cookie';

  /** Who the request claims to come from, checked as far as the claim itself goes; `undefined` for nobody. A claim that is wrong is nobody's. */
  abstract identify(request: web.Request): web.Awaitable<string | undefined>;

  /** Makes later requests of this client come from `identity`. */
  abstract remember(
    request: web.Request,
    response: Answer,
    identity: string,
    options: RememberOptions,
  ): web.Awaitable<void>;

  /** Makes later requests of this client come from nobody. */
  abstract forget(request: web.Request, response: Answer): web.Awaitable<void>;
}

/**
 * Who may do what.
 *
 * @typeParam Id - what stands for a user in the application
 *
 * aiohttp_security: `AbstractAuthorizationPolicy`.
 *
 * @example
 * ```ts
 * class Users extends AbstractAuthorizationPolicy<number> {
 *   async authorizedUserId(identity: string): Promise<number | undefined> {
 *     const rows = await db.all(`SELECT id FROM users WHERE id = ${Number(identity)} AND NOT disabled`);
 *     return rows.length === 0 ? undefined : Number(identity);
 *   }
 *   permits(identity: string | undefined, permission: string): boolean {
 *     return permission === 'read' || identity === '1';
 *   }
 * }
 * ```
 */
export abstract class AbstractAuthorizationPolicy<Id = string> {
  /** The user that an identity stands for; `undefined` when there is none (any more). */
  abstract authorizedUserId(identity: string): web.Awaitable<Id | undefined>;

  /** Whether the identity, or nobody, has a permission. `context` is what the caller of {@link permits} gave along. */
  abstract permits(
    identity: string | undefined,
    permission: string,
    context?: unknown,
  ): web.Awaitable<boolean>;
}

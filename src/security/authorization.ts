import * as web from '../web/index.ts';
import { SecuritySetupError, wrongKind } from './errors.ts';
import type {
  AbstractAuthorizationPolicy,
  AbstractIdentityPolicy,
  Answer,
  RememberOptions,
} from './policies.ts';

interface Policies {
  readonly identity: AbstractIdentityPolicy;
  readonly authorization: AbstractAuthorizationPolicy<unknown>;
}

const POLICIES = new web.AppKey<Policies>('aiohttp-ts/security policies');

/**
 * Tells an application how its requests say who sent them, and who may do what. Sub-applications without policies of their own use
 * these too.
 *
 * aiohttp_security: `setup`.
 *
 * @throws TypeError `AIO_SECURITY_POLICY` when one of the two is no policy
 * @example
 * ```ts
 * class Everybody extends AbstractAuthorizationPolicy {
 *   authorizedUserId(identity: string): string {
 *     return identity;
 *   }
 *   permits(identity: string | undefined, permission: string): boolean {
 *     return identity !== undefined && permission === 'write';
 *   }
 * }
 * setup(app, new SessionIdentityPolicy(), new Everybody());
 * ```
 */
export function setup(
  app: web.Application,
  identityPolicy: AbstractIdentityPolicy,
  authorizationPolicy: AbstractAuthorizationPolicy<unknown>,
): void {
  mustHave(identityPolicy, ['identify', 'remember', 'forget'], 'An identity policy');
  mustHave(authorizationPolicy, ['permits', 'authorizedUserId'], 'An authorization policy');
  app.set(POLICIES, { identity: identityPolicy, authorization: authorizationPolicy });
}

function mustHave(policy: unknown, methods: readonly string[], what: string): void {
  const given = policy as Readonly<Record<string, unknown>> | null | undefined;
  const missing = methods.filter((method) => typeof given?.[method] !== 'function');
  if (missing.length > 0)
    throw wrongKind('AIO_SECURITY_POLICY', `${what} must have ${missing.join('() and ')}().`);
}

function policiesOf(request: web.Request): Policies {
  const policies = request.configDict.get(POLICIES, undefined);
  if (policies === undefined) throw new SecuritySetupError();
  return policies;
}

/**
 * Makes later requests of this client come from `identity`: what a login does once it has checked the password. Nothing of what the client had
 * before can be used to follow it: a session gets a new id.
 *
 * aiohttp_security: `remember`.
 *
 * @param response the answer, or the redirect, that tells the client
 * @throws TypeError `AIO_SECURITY_IDENTITY` when the identity is no string with something in it
 * @throws SecuritySetupError without {@link setup}
 * @example
 * ```ts
 * app.router.addPost('/login', async (request) => {
 *   const answer = new web.HTTPSeeOther('/');
 *   await remember(request, answer, '42');
 *   return answer;
 * });
 * ```
 */
export async function remember(
  request: web.Request,
  response: Answer,
  identity: string,
  options: RememberOptions = {},
): Promise<void> {
  const { identity: policy } = policiesOf(request);
  if (typeof identity !== 'string' || identity === '') {
    const given = identity === '' ? 'an empty one' : typeof identity;
    throw wrongKind('AIO_SECURITY_IDENTITY', `An identity is a string with something in it, got ${given}.`);
  }
  await policy.remember(request, response, identity, options);
}

/**
 * Makes later requests of this client come from nobody: a logout. Nothing happens when they do already.
 *
 * aiohttp_security: `forget`.
 *
 * @throws SecuritySetupError without {@link setup}
 * @example
 * ```ts
 * app.router.addPost('/logout', async (request) => {
 *   const answer = new web.HTTPSeeOther('/');
 *   await forget(request, answer);
 *   return answer;
 * });
 * ```
 */
export async function forget(request: web.Request, response: Answer): Promise<void> {
  await policiesOf(request).identity.forget(request, response);
}

/**
 * The user who sent the request; `undefined` for nobody, and for one that the application does not know any more.
 *
 * aiohttp_security: `authorized_userid`.
 *
 * @typeParam Id - that of the application's authorization policy
 * @throws SecuritySetupError without {@link setup}
 * @example
 * ```ts
 * const userId = await authorizedUserId<number>(request);
 * ```
 */
export async function authorizedUserId<Id = string>(request: web.Request): Promise<Id | undefined> {
  const { identity, authorization } = policiesOf(request);
  const claimed = await identity.identify(request);
  if (claimed === undefined) return undefined;
  // A policy in plain JavaScript may say null for nobody.
  return ((await authorization.authorizedUserId(claimed)) ?? undefined) as Id | undefined;
}

/**
 * Whether who sent the request has a permission. Somebody who is not logged in may have some, too.
 *
 * aiohttp_security: `permits`. There, everything is permitted when `setup` was forgotten; here that is an error.
 *
 * @param context what the policy needs to decide, such as the thing that is to be changed
 * @throws SecuritySetupError without {@link setup}
 * @example
 * ```ts
 * if (await permits(request, 'delete')) console.log('shows the button');
 * ```
 */
export async function permits(request: web.Request, permission: string, context?: unknown): Promise<boolean> {
  const { identity, authorization } = policiesOf(request);
  return (await authorization.permits(await identity.identify(request), permission, context)) === true;
}

/**
 * Whether the request says nothing about who sent it, or nothing true.
 *
 * aiohttp_security: `is_anonymous`.
 *
 * @throws SecuritySetupError without {@link setup}
 * @example
 * ```ts
 * if (await isAnonymous(request)) throw new web.HTTPSeeOther('/login');
 * ```
 */
export async function isAnonymous(request: web.Request): Promise<boolean> {
  return (await policiesOf(request).identity.identify(request)) === undefined;
}

/**
 * The user who sent the request, who must be one.
 *
 * aiohttp_security: `check_authorized`.
 *
 * @throws HTTPUnauthorized (401), with the policy's challenge
 * @throws SecuritySetupError without {@link setup}
 * @example
 * ```ts
 * const userId = await checkAuthorized(request);
 * ```
 */
export async function checkAuthorized<Id = string>(request: web.Request): Promise<Id> {
  const userId = await authorizedUserId<Id>(request);
  if (userId !== undefined) return userId;
  throw new web.HTTPUnauthorized({
    headers: { 'WWW-Authenticate': policiesOf(request).identity.challenge },
  });
}

/**
 * The user who sent the request, who must have a permission.
 *
 * aiohttp_security: `check_permission`.
 *
 * @throws HTTPUnauthorized (401) for nobody, HTTPForbidden (403) for a user without the permission
 * @throws SecuritySetupError without {@link setup}
 * @example
 * ```ts
 * const note = { owner: '42' };
 * const userId = await checkPermission(request, 'edit', note);
 * ```
 */
export async function checkPermission<Id = string>(
  request: web.Request,
  permission: string,
  context?: unknown,
): Promise<Id> {
  const userId = await checkAuthorized<Id>(request);
  if (await permits(request, permission, context)) return userId;
  const named = String(permission).replace(/[^\x20-\x7e]/g, '?');
  throw new web.HTTPForbidden({ reason: `User does not have '${named}' permission` });
}

/** A handler that gets the user beside the request. */
export type UserHandler<P extends web.Params, Id> = (
  request: web.Request<P>,
  userId: Id,
) => web.Awaitable<web.HandlerResult>;

/**
 * A handler for users only: everybody else gets 401, see {@link checkAuthorized}.
 *
 * @example
 * ```ts
 * app.addRoutes([
 *   web.get('/notes/{id}', loginRequired((request, userId) => new web.Response({ text: `${userId} reads ${request.matchInfo.id}` }))),
 * ]);
 * ```
 */
export function loginRequired<P extends web.Params, Id = string>(
  handler: UserHandler<P, Id>,
): web.Handler<P> {
  return async (request: web.Request<P>) => handler(request, await checkAuthorized<Id>(request));
}

/**
 * A handler for users with a permission: everybody else gets 401 or 403, see {@link checkPermission}.
 *
 * @example
 * ```ts
 * app.addRoutes([web.get('/admin', permissionRequired('admin', (_request, userId) => web.jsonResponse({ userId })))]);
 * ```
 */
export function permissionRequired<P extends web.Params, Id = string>(
  permission: string,
  handler: UserHandler<P, Id>,
): web.Handler<P> {
  return async (request: web.Request<P>) => handler(request, await checkPermission<Id>(request, permission));
}

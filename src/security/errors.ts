import * as web from '../web/index.ts';

/**
 * A stored password hash that cannot be used: it is damaged, of an unknown kind, asks for more memory or time than is allowed, or this
 * Node cannot compute it. Never thrown for a wrong password.
 *
 * @example
 * ```ts
 * try {
 *   await verifyPassword('secret', '$argon2id$broken');
 * } catch (error) {
 *   if (error instanceof PasswordHashError) console.error(error.code, error.message);
 * }
 * ```
 */
export class PasswordHashError extends Error {
  override readonly name: string = 'PasswordHashError';
  /**
   * `AIO_PASSWORD_HASH` when it is damaged or of an unknown kind, `AIO_PASSWORD_COST` when it asks for too much, `AIO_PASSWORD_UNSUPPORTED`
   * when this Node cannot compute it.
   */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Too many passwords wait to be hashed. Nobody needs to catch it: it is answered with 503 and `Retry-After`.
 *
 * @example
 * ```ts
 * try {
 *   await hashPassword('correct horse');
 * } catch (error) {
 *   if (error instanceof PasswordQueueFullError) console.warn('many people log in at once');
 *   throw error;
 * }
 * ```
 */
export class PasswordQueueFullError extends web.HTTPServiceUnavailable {
  override readonly code: string = 'AIO_PASSWORD_BUSY';

  constructor() {
    super({ text: 'Too many logins at once. Try again in a few seconds.', headers: { 'Retry-After': '5' } });
  }
}

/** A wrong kind of argument, with its code. */
export function wrongKind(code: string, message: string): TypeError & { readonly code: string } {
  return Object.assign(new TypeError(message), { code });
}

/** A wrong value of an argument, with its code. */
export function wrongValue(code: string, message: string): RangeError & { readonly code: string } {
  return Object.assign(new RangeError(message), { code });
}

/**
 * A request was asked who sent it, in an application without policies. aiohttp_security permits everything then.
 *
 * @example
 * ```ts
 * try {
 *   await permits(request, 'delete');
 * } catch (error) {
 *   if (error instanceof SecuritySetupError) console.error(error.code); // AIO_SECURITY_SETUP
 * }
 * ```
 */
export class SecuritySetupError extends Error {
  override readonly name: string = 'SecuritySetupError';
  readonly code: string = 'AIO_SECURITY_SETUP';

  constructor() {
    super(
      'The application has no security policies: call security.setup(app, identityPolicy, authorizationPolicy).',
    );
  }
}

/**
 * The answer 403 to a request that could be forged. Middlewares outside of {@link csrfMiddleware} may catch it to show a page of their own.
 *
 * @example
 * ```ts
 * const friendly: web.Middleware = async (request, handler) => {
 *   try {
 *     return await handler(request);
 *   } catch (error) {
 *     if (error instanceof CsrfError) return new web.Response({ status: 403, text: 'Please go back, reload the page and try again.' });
 *     throw error;
 *   }
 * };
 * ```
 */
export class CsrfError extends web.HTTPForbidden {
  /** `AIO_CSRF_ORIGIN` when the request comes from another site, `AIO_CSRF_TOKEN` when its token is missing or wrong. */
  override readonly code: string;

  constructor(code: string, why: string) {
    super({ text: `This request could be forged: ${why}.` });
    this.code = code;
  }
}

/**
 * Who sends a request and what they may do, passwords, forged requests, and careful browsers. Counterpart of `aiohttp_security`.
 *
 * @module
 */
export {
  authorizedUserId,
  checkAuthorized,
  checkPermission,
  forget,
  isAnonymous,
  loginRequired,
  permissionRequired,
  permits,
  remember,
  setup,
  type UserHandler,
} from './authorization.ts';
export { type CspDirective, type CspDirectives, cspNonce } from './content-security-policy.ts';
export { type CookiesIdentityOptions, CookiesIdentityPolicy } from './cookies-identity-policy.ts';
export { type CsrfOptions, csrfExempt, csrfMiddleware } from './csrf.ts';
export { csrfToken, isCsrfToken } from './csrf-token.ts';
export { CsrfError, PasswordHashError, PasswordQueueFullError, SecuritySetupError } from './errors.ts';
export { type IssueOptions, type JWTIdentityOptions, JWTIdentityPolicy } from './jwt-identity-policy.ts';
export {
  hashPassword,
  needsRehash,
  type PasswordAlgorithm,
  type PasswordOptions,
  verifyPassword,
} from './passwords.ts';
export {
  AbstractAuthorizationPolicy,
  AbstractIdentityPolicy,
  type Answer,
  type RememberOptions,
} from './policies.ts';
export type { Secret } from './secret-key.ts';
export {
  type SecurityHeadersOptions,
  type StrictTransportSecurity,
  securityHeaders,
} from './security-headers.ts';
export { securityProcessor } from './security-processor.ts';
export { SessionIdentityPolicy } from './session-identity-policy.ts';

/**
 * Version of a message's syntax (RFC 9110 §2.5).
 *
 * @example
 * ```ts
 * import { web } from 'aiohttp-ts';
 * const isOld = (request: web.Request): boolean => request.version.minor === 0;
 * ```
 */
export interface HttpVersion {
  readonly major: number;
  readonly minor: number;
}

/** HTTP/1.0 (aiohttp `HttpVersion10`). */
export const HttpVersion10: HttpVersion = Object.freeze({ major: 1, minor: 0 });

/** HTTP/1.1 (aiohttp `HttpVersion11`). */
export const HttpVersion11: HttpVersion = Object.freeze({ major: 1, minor: 1 });

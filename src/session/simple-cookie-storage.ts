import type { CookieContext, CookieStorage, OpenedCookie } from './storage.ts';

/**
 * Sessions as plain JSON in their cookies, for trials while developing: every visitor can read and **change** them. It says so when the application starts.
 *
 * aiohttp-session: `SimpleCookieStorage`.
 *
 * @example
 * ```ts
 * setup(app, new SimpleCookieStorage());
 * ```
 */
export class SimpleCookieStorage implements CookieStorage {
  readonly kind: 'cookie' = 'cookie';
  #warned = false;

  start(warn: (message: string) => void): void {
    if (this.#warned) return;
    this.#warned = true;
    warn(
      'SimpleCookieStorage is for development: visitors can read and change their sessions. Use EncryptedCookieStorage or a storage on the server.',
    );
  }

  /** Percent-encoded, since a cookie cannot hold every character. */
  seal(value: string, _context: CookieContext, _expires: number): string {
    return encodeURIComponent(value);
  }

  open(cookie: string, _context: CookieContext): OpenedCookie | undefined {
    try {
      // What aiohttp-session wrote begins with a brace: it is not encoded.
      const value = cookie.startsWith('{') ? cookie : decodeURIComponent(cookie);
      return { value, issued: undefined, outdated: false };
    } catch {
      return undefined;
    }
  }
}

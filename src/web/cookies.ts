import { type CIMultiDict, type SetCookieAttributes, serializeSetCookie } from '../message/index.ts';

/** Attributes of a cookie that is set; `path` is `'/'` when left out. */
export type CookieOptions = SetCookieAttributes;

/** What identifies the cookie to delete: it must be what it was set with, or browsers keep it. */
export type DeleteCookieOptions = Pick<
  SetCookieAttributes,
  'domain' | 'path' | 'secure' | 'httpOnly' | 'sameSite' | 'partitioned'
>;

/**
 * Sets one cookie in `headers`, as a `Set-Cookie` line of its own (RFC 6265 §3: they are never joined). The lines are the only
 * store: what sets headers aside, copies or prints them has the cookies too. A cookie of the same name that was set before is replaced.
 */
export function setCookie(headers: CIMultiDict, name: string, value: string, options?: CookieOptions): void {
  const line = serializeSetCookie(
    name,
    value,
    options?.path === undefined ? { ...options, path: '/' } : options,
  );
  const earlier = headers.getAll('Set-Cookie');
  if (earlier.length !== 0) {
    headers.delete('Set-Cookie');
    for (const other of earlier) {
      if (cookieName(other) !== name) headers.add('Set-Cookie', other);
    }
  }
  headers.add('Set-Cookie', line);
}

/** Tells the client to forget a cookie: an empty value that expired in 1970. */
export function deleteCookie(headers: CIMultiDict, name: string, options?: DeleteCookieOptions): void {
  setCookie(headers, name, '', { ...options, maxAge: 0, expires: new Date(0) });
}

/** The cookies set so far: name to the whole `Set-Cookie` line. */
export function listCookies(headers: CIMultiDict | undefined): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const line of headers?.getAll('Set-Cookie') ?? []) cookies.set(cookieName(line), line);
  return cookies;
}

function cookieName(line: string): string {
  const equals = line.indexOf('=');
  return (equals < 0 ? line : line.slice(0, equals)).trim();
}

import type * as web from '../web/index.ts';
import type { Settings } from './options.ts';

/** The cookie's name for a request: with `__Host-` where it will be `Secure`. */
export function cookieNameFor(settings: Settings, secure: boolean): string {
  return settings.hostPrefix && secure ? `__Host-${settings.cookieName}` : settings.cookieName;
}

/** Whether the cookie is to be sent over https only. */
export function isSecure(settings: Settings, request: web.BaseRequest): boolean {
  return settings.secure === 'auto' ? request.secure : settings.secure;
}

/**
 * Sets the session's cookie.
 * @param maxAge - ms; `undefined`: until the browser ends
 */
export function sendCookie(
  response: web.StreamResponse,
  settings: Settings,
  secure: boolean,
  value: string,
  maxAge: number | undefined,
): void {
  const seconds = maxAge === undefined ? undefined : Math.floor(maxAge / 1000);
  response.setCookie(cookieNameFor(settings, secure), value, {
    ...attributes(settings, secure),
    ...(seconds !== undefined && { maxAge: seconds, expires: Date.now() + seconds * 1000 }),
  });
  forbidStoring(response, settings);
}

/** Makes the client forget the cookie. */
export function clearCookie(response: web.StreamResponse, settings: Settings, secure: boolean): void {
  response.delCookie(cookieNameFor(settings, secure), attributes(settings, secure));
  forbidStoring(response, settings);
}

function attributes(settings: Settings, secure: boolean): web.CookieOptions {
  const { domain, path, httpOnly, sameSite } = settings;
  return { path, httpOnly, sameSite, ...(secure && { secure }), ...(domain !== undefined && { domain }) };
}

/**
 * A cache must not give one visitor's cookie to another (RFC 9111 §5.2.2.5). What the handler said stays, but for the visitor's own browser only: of two
 * visitors without a cookie, the second would get the first one's from a shared cache, whatever `Vary` says.
 */
function forbidStoring(response: web.StreamResponse, settings: Settings): void {
  const { headers } = response;
  const said = headers
    .getAll('Cache-Control')
    .flatMap((line) => line.split(',').map((directive) => directive.trim()));
  if (said.length === 0) headers.set('Cache-Control', settings.cacheControl);
  else if (!said.some((directive) => /^(?:private|no-store)$/i.test(directive))) {
    const kept = said.filter(
      (directive) => directive !== '' && !/^(?:public|s-maxage\b.*)$/i.test(directive),
    );
    headers.set('Cache-Control', ['private', ...kept].join(', '));
  }
}

/** The answer depends on the cookie (RFC 9110 §12.5.5). */
export function varyByCookie(response: web.StreamResponse): void {
  const { headers } = response;
  const present = headers.getAll('Vary').join(', ');
  if (present === '') headers.set('Vary', 'Cookie');
  else if (!/(?:^|,)\s*(?:\*|cookie)\s*(?:,|$)/i.test(present)) headers.set('Vary', `${present}, Cookie`);
}

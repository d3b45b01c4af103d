import type * as web from '../web/index.ts';
import { wrongValue } from './errors.ts';

/** Where a request was sent from, as its own fields tell: by a page of the application, by one of another site, or nothing is said. */
export type RequestSource = 'same' | 'other' | 'unknown';

/**
 * Origins as browsers write them, checked.
 *
 * @throws RangeError `AIO_CSRF_OPTION`
 */
export function originsOf(origins: Iterable<string>): ReadonlySet<string> {
  const checked = new Set<string>();
  for (const origin of origins) {
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    if (url === undefined || url.origin !== origin.toLowerCase()) {
      throw wrongValue(
        'AIO_CSRF_OPTION',
        `A trusted origin is scheme and host, such as 'https://app.example.com' or 'http://localhost:8080', got '${String(origin)}'.`,
      );
    }
    checked.add(url.origin);
  }
  return checked;
}

/**
 * Who made the browser send this request. Browsers of 2023 and later say it in `Sec-Fetch-Site` (Fetch Metadata §2.4), for https and localhost; all
 * of them send `Origin` with what is not GET or HEAD (RFC 6454 §7.3), which must name the host that was asked. Pages cannot change either.
 * Programs that are no browsers send neither.
 */
export function sourceOf(request: web.Request, trusted: ReadonlySet<string>): RequestSource {
  const { headers } = request;
  const [origin, ...moreOrigins] = headers.getAll('Origin');
  const [site, ...moreSites] = headers.getAll('Sec-Fetch-Site');
  if (moreOrigins.length > 0 || moreSites.length > 0) return 'other';
  if (origin !== undefined && trusted.has(origin)) return 'same';
  // 'none': the user typed the address or opened a bookmark. 'same-site' is another host of the same domain, which may be anybody's.
  if (site !== undefined) return site === 'same-origin' || site === 'none' ? 'same' : 'other';
  if (origin === undefined) return 'unknown';
  return namesHost(origin, request) ? 'same' : 'other';
}

function namesHost(origin: string, request: web.Request): boolean {
  if (!URL.canParse(origin)) return false; // `null`, among others: a sandboxed frame, a redirect from another site
  const { protocol, host } = new URL(origin);
  if (protocol !== 'https:' && protocol !== 'http:') return false;
  // A page that somebody on the way put into http://example.com is no page of https://example.com. The reverse is a proxy that ends TLS.
  if (protocol === 'http:' && request.secure) return false;
  const asked = request.host.toLowerCase();
  const port = protocol === 'https:' ? ':443' : ':80';
  return host === (asked.endsWith(port) ? asked.slice(0, -port.length) : asked);
}

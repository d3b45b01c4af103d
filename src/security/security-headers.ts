import type * as web from '../web/index.ts';
import { type CspDirectives, CspText, usedNonce } from './content-security-policy.ts';
import { wrongValue } from './errors.ts';

/** Options of {@link securityHeaders}. Each field can be turned off with `false`; one that the response has already is left alone. */
export interface SecurityHeadersOptions {
  /**
   * Content-Security-Policy: directives that are added to the default ones or replace them. By default everything comes from the application itself,
   * scripts and styles inside a page need the nonce, plugins and `<base>` are forbidden, forms go to the application.
   */
  readonly contentSecurityPolicy?: CspDirectives | false | undefined;
  /** Sends the policy as Content-Security-Policy-Report-Only: browsers report what it would stop, and stop nothing. */
  readonly reportOnly?: boolean | undefined;
  /**
   * Who may show the pages in a frame: `'none'` (default), `'self'`, or origins. Becomes the policy's `frame-ancestors`, and X-Frame-Options
   * where that can say it.
   */
  readonly frameAncestors?: 'none' | 'self' | readonly string[] | false | undefined;
  /** Strict-Transport-Security (RFC 6797), on requests over TLS only. Default one year, without sub-domains. */
  readonly strictTransportSecurity?: StrictTransportSecurity | false | undefined;
  /** X-Content-Type-Options: nosniff. Default true. */
  readonly contentTypeOptions?: boolean | undefined;
  /** Referrer-Policy. Default `'same-origin'`. `'no-referrer'` makes browsers send `Origin: null` with forms. */
  readonly referrerPolicy?: string | false | undefined;
  /** Cross-Origin-Opener-Policy. Default `'same-origin'`. */
  readonly openerPolicy?:
    | 'same-origin'
    | 'same-origin-allow-popups'
    | 'noopener-allow-popups'
    | 'unsafe-none'
    | false
    | undefined;
  /** Cross-Origin-Resource-Policy. Default `'same-origin'`; `'cross-origin'` for what other sites embed. */
  readonly resourcePolicy?: 'same-origin' | 'same-site' | 'cross-origin' | false | undefined;
  /** Cross-Origin-Embedder-Policy. Off by default. */
  readonly embedderPolicy?: 'require-corp' | 'credentialless' | 'unsafe-none' | false | undefined;
  /**
   * Permissions-Policy: for each feature the origins that may use it, `'self'` and `'*'` among them; an empty list for nobody. By default
   * camera, microphone, geolocation, payment and usb are off.
   */
  readonly permissionsPolicy?: Readonly<Record<string, readonly string[]>> | false | undefined;
  /**
   * Whether the client's connection is encrypted; default `request.secure`, which knows the connection to this server only. Behind a proxy that ends TLS:
   * `() => true`.
   */
  readonly isSecure?: ((request: web.Request) => boolean) | undefined;
}

/** Options of Strict-Transport-Security. */
export interface StrictTransportSecurity {
  /** Milliseconds for which browsers use https only. */
  readonly maxAge: number;
  readonly includeSubDomains?: boolean | undefined;
  /** Asks to be built into browsers: see hstspreload.org before, there is no quick way back. */
  readonly preload?: boolean | undefined;
}

const defaultPolicy: CspDirectives = {
  'default-src': ["'self'"],
  'script-src': ["'self'", "'nonce'"],
  'style-src': ["'self'", "'nonce'"],
  'img-src': ["'self'", 'data:'],
  'object-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
};

const defaultPermissions = { camera: [], microphone: [], geolocation: [], payment: [], usb: [] };

const year = 365 * 24 * 3600 * 1000;

/**
 * Adds the header fields that make browsers careful, to every answer of an application: pages, errors and streams. What a handler set
 * itself stays as it is. An answer 304 keeps the policy, and the nonce in it, that the browser stored with the page.
 *
 * @throws RangeError `AIO_CSP` or `AIO_SECURITY_HEADER` for values that cannot stand in their field
 * @example
 * ```ts
 * app.onResponsePrepare.append(
 *   securityHeaders({ contentSecurityPolicy: { 'img-src': ["'self'", 'https://images.example.com'] } }),
 * );
 * ```
 */
export function securityHeaders(options: SecurityHeadersOptions = {}): web.ResponsePrepareHandler {
  const fields = plainFields(options);
  const { reportOnly = false, isSecure = (request) => request.secure } = options;
  const policy = policyOf(options);
  const policyField = reportOnly ? 'Content-Security-Policy-Report-Only' : 'Content-Security-Policy';
  const transport = transportField(options.strictTransportSecurity);
  return (request, response) => {
    const { headers } = response;
    for (const [name, value] of fields) if (!headers.has(name)) headers.set(name, value);
    if (policy !== undefined && response.status !== 304 && !headers.has(policyField)) {
      headers.set(policyField, policy.of(usedNonce(request)));
    }
    if (transport !== undefined && isSecure(request) && !headers.has('Strict-Transport-Security')) {
      headers.set('Strict-Transport-Security', transport);
    }
  };
}

function plainFields(options: SecurityHeadersOptions): readonly (readonly [string, string])[] {
  const {
    contentTypeOptions = true,
    frameAncestors = 'none',
    referrerPolicy = 'same-origin',
    openerPolicy = 'same-origin',
    resourcePolicy = 'same-origin',
    embedderPolicy = false,
    permissionsPolicy = defaultPermissions,
  } = options;
  const fields: [string, string | false | undefined][] = [
    ['X-Content-Type-Options', contentTypeOptions && 'nosniff'],
    ['X-Frame-Options', frameOptions(frameAncestors)],
    ['Referrer-Policy', referrerPolicy],
    ['Cross-Origin-Opener-Policy', openerPolicy],
    ['Cross-Origin-Resource-Policy', resourcePolicy],
    ['Cross-Origin-Embedder-Policy', embedderPolicy],
    ['Permissions-Policy', permissionsPolicy && (permissionsText(permissionsPolicy) || false)],
  ];
  const given = fields.filter((field): field is [string, string] => typeof field[1] === 'string');
  for (const [name, value] of given) {
    if (!/^[\x21-\x7e][\x20-\x7e]*$/.test(value)) throw refused(name, value);
  }
  return given;
}

/** X-Frame-Options knows two answers (RFC 7034); a list of origins is for the policy alone. */
function frameOptions(ancestors: 'none' | 'self' | readonly string[] | false): string | false {
  if (ancestors === 'none') return 'DENY';
  return ancestors === 'self' ? 'SAMEORIGIN' : false;
}

function policyOf(options: SecurityHeadersOptions): CspText | undefined {
  const { contentSecurityPolicy: own = {}, frameAncestors = 'none' } = options;
  if (own === false) return undefined;
  let ancestors: readonly string[] | false;
  if (frameAncestors === 'none' || frameAncestors === 'self') ancestors = [`'${frameAncestors}'`];
  else ancestors = frameAncestors;
  return new CspText({ ...defaultPolicy, 'frame-ancestors': ancestors, ...own });
}

function permissionsText(policy: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(policy)
    .map(([feature, allowed]) => {
      if (!/^[a-z][a-z-]*$/.test(feature)) throw refused('Permissions-Policy', feature);
      if (allowed.includes('*')) return `${feature}=*`;
      return `${feature}=(${allowed.map((origin) => (origin === 'self' ? 'self' : `"${originOf(origin)}"`)).join(' ')})`;
    })
    .join(', ');
}

function originOf(text: string): string {
  if (!/^https?:\/\/[a-z0-9.*:[\]-]+$/i.test(text)) throw refused('Permissions-Policy', text);
  return text;
}

function transportField(options: StrictTransportSecurity | false | undefined): string | undefined {
  if (options === false) return undefined;
  const { maxAge, includeSubDomains = false, preload = false } = options ?? { maxAge: year };
  if (!Number.isFinite(maxAge) || maxAge < 0) throw refused('Strict-Transport-Security', String(maxAge));
  return `max-age=${Math.floor(maxAge / 1000)}${includeSubDomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`;
}

function refused(name: string, value: string): RangeError {
  return wrongValue('AIO_SECURITY_HEADER', `${name} cannot be ${JSON.stringify(value.slice(0, 80))}.`);
}

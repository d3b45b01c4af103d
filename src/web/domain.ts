import { codedRangeError, codedTypeError, shown } from '../message/index.ts';
import type { RouteRequest } from './router.ts';

/** Decides by something else than the path whether an application serves a request. aiohttp: `AbstractRuleMatching`. */
export interface MatchingRule {
  /** How the rule shows up as `resource.canonical`. */
  readonly canonical: string;
  match(request: RouteRequest): boolean;
  getInfo(): Readonly<Record<string, unknown>>;
}

const LABEL = /^(?!-)[a-z\d_-]{1,63}(?<!-)$/;
const MASKED_LABEL = /^(?!-)[a-z\d_*-]{1,63}(?<!-)$/;

/** One host, compared with the `Host` header without regard to case. aiohttp: `Domain`. */
export class Domain implements MatchingRule {
  readonly canonical: string;

  /**
   * @param domain `example.com` or `example.com:8080`; port 80 may be left out, as a browser leaves it out
   * @throws TypeError when it is not a string
   * @throws RangeError when it is empty, has a scheme, or is no host name
   */
  constructor(domain: string) {
    this.canonical = validDomain(domain, new.target === Domain ? LABEL : MASKED_LABEL);
  }

  match(request: RouteRequest): boolean {
    const { host } = request;
    return host !== undefined && this.matchDomain(normalizeHost(host));
  }

  /** @param host lower case, without port 80 */
  matchDomain(host: string): boolean {
    return host === this.canonical;
  }

  getInfo(): Readonly<Record<string, unknown>> {
    return { domain: this.canonical };
  }
}

/**
 * Every host that fits a mask in which `*` stands for any text: `*.example.com`. Unlike aiohttp's `MaskDomain` it compares
 * without regard to case, as RFC 9110 §4.2.3 demands of hosts.
 */
export class MaskDomain extends Domain {
  readonly #pieces: readonly string[];

  /**
   * @param domain as for `Domain`, with any number of `*`
   * @throws as `Domain`
   */
  constructor(domain: string) {
    super(domain);
    this.#pieces = this.canonical.split('*');
  }

  /** Linear: each piece is looked for once, to the right of the one before it. */
  override matchDomain(host: string): boolean {
    const pieces = this.#pieces;
    const first = pieces[0] ?? '';
    const last = pieces.at(-1) ?? '';
    if (host.length < first.length + last.length || !host.startsWith(first) || !host.endsWith(last))
      return false;
    const end = host.length - last.length;
    let position = first.length;
    for (let index = 1; index < pieces.length - 1; index++) {
      const piece = pieces[index] ?? '';
      const found = host.indexOf(piece, position);
      if (found === -1 || found + piece.length > end) return false;
      position = found + piece.length;
    }
    return true;
  }
}

/** The rule for `app.addDomain(domain, …)`. */
export function domainRule(domain: string): Domain {
  return typeof domain === 'string' && domain.includes('*') ? new MaskDomain(domain) : new Domain(domain);
}

/** A `Host` field value as rules keep it: lower case, no trailing dot, no port 80. */
export function normalizeHost(host: string): string {
  let name = host.toLowerCase();
  if (name.endsWith(':80')) name = name.slice(0, -3);
  const colon = name.lastIndexOf(':');
  if (colon > 0 && name.charCodeAt(colon - 1) === 0x2e) return name.slice(0, colon - 1) + name.slice(colon);
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

function validDomain(domain: string, label: RegExp): string {
  if (typeof domain !== 'string') {
    throw codedTypeError(
      'AIO_DOMAIN',
      `A domain must be a string, got ${domain === null ? 'null' : typeof domain}`,
    );
  }
  if (domain.includes('://')) {
    throw codedRangeError(
      'AIO_DOMAIN',
      `Scheme not supported: ${shown(domain)} must be a host alone, such as 'example.com'`,
    );
  }
  const normal = normalizeHost(domain);
  if (normal === '') throw codedRangeError('AIO_DOMAIN', 'Domain cannot be empty');
  const colon = normal.lastIndexOf(':');
  const bracket = normal.lastIndexOf(']');
  const host = colon > bracket ? normal.slice(0, colon) : normal;
  const portValid = host === normal || /^\d{1,5}$/.test(normal.slice(colon + 1));
  const hostValid = /^\[[\da-f:.]+\]$/.test(host) || host.split('.').every((part) => label.test(part));
  if (portValid && hostValid) return normal;
  throw codedRangeError(
    'AIO_DOMAIN',
    `Domain not valid: ${shown(domain)} must be a host, or host:port, such as 'example.com'`,
  );
}

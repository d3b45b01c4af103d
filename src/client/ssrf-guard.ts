import { BlockList, isIP } from 'node:net';
import { codedRangeError } from '../message/index.ts';
import { ownOptions } from './own-options.ts';

/** Options of {@link SSRFGuard}. */
export interface SSRFGuardOptions {
  /** Networks or addresses that are let through though they are not public: `['10.1.0.0/16', 'fd00::5']`. */
  readonly allow?: readonly string[] | undefined;
  /** Networks or addresses that are refused besides those that are not public. */
  readonly deny?: readonly string[] | undefined;
}

/** Not globally reachable (IANA special-purpose registries, RFC 6890), multicast, and what carries an IPv4 address inside. */
const NOT_PUBLIC: readonly string[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

/**
 * Keeps requests away from the own network (server-side request forgery): loopback, private, link-local and other addresses that are not
 * public are refused. They are looked at after the name was resolved, for every connection, redirects too, and that very address is
 * connected to: a name that changes its meaning in between gains nothing.
 *
 * Behind a proxy that resolves names itself, only addresses and `localhost` are seen here.
 *
 * @example
 * ```ts
 * const guard = new SSRFGuard({ allow: ['10.1.2.0/24'] });
 * console.log(guard.allows('93.184.216.34'), guard.allows('169.254.169.254')); // true false
 * ```
 */
export class SSRFGuard {
  readonly #allowed: BlockList;
  readonly #denied: BlockList;
  readonly #notPublic: BlockList;

  /** @throws RangeError `AIO_NETWORK` for what is no address and no network. */
  constructor(options: SSRFGuardOptions = {}) {
    const { allow = [], deny = [] } = ownOptions(options);
    this.#allowed = listOf(allow);
    this.#denied = listOf(deny);
    this.#notPublic = listOf(NOT_PUBLIC);
  }

  /** Whether an IP address may be connected to. */
  allows(address: string): boolean {
    const [plain = ''] = address.split('%');
    const family = isIP(plain);
    if (family === 0) return false;
    const type = family === 6 ? 'ipv6' : 'ipv4';
    if (this.#denied.check(plain, type)) return false;
    const inner = family === 6 ? mappedIPv4(plain) : undefined;
    if (inner !== undefined) return this.allows(inner);
    return this.#allowed.check(plain, type) || !this.#notPublic.check(plain, type);
  }

  /** Whether a host that is not resolved here may be asked of a proxy. */
  allowsUnresolved(host: string): boolean {
    if (isIP(host) !== 0) return this.allows(host);
    return !/(?:^|\.)localhost\.?$/i.test(host);
  }
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const family = isIP(address);
    const bits = prefix === undefined ? undefined : Number(prefix);
    const most = family === 6 ? 128 : 32;
    if (family === 0 || (bits !== undefined && !(/^\d{1,3}$/.test(prefix!) && bits <= most))) {
      throw codedRangeError(
        'AIO_NETWORK',
        `'${network}' is neither an IP address nor a network like 10.0.0.0/8`,
      );
    }
    const type = family === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, type);
    else list.addSubnet(address, bits, type);
  }
  return list;
}

/** The IPv4 address in `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2), which the system connects to as such. */
function mappedIPv4(address: string): string | undefined {
  const text = new URL(`http://[${address}]`).hostname;
  const match = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(text);
  if (match === null) return undefined;
  const high = Number.parseInt(match[1]!, 16);
  const low = Number.parseInt(match[2]!, 16);
  return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
}

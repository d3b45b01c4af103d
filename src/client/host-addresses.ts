import { isIP } from 'node:net';
import { codedRangeError } from '../message/index.ts';
import {
  type AbstractResolver,
  type Address,
  type AddressFamily,
  DnsCache,
  type PhaseWait,
} from '../net/index.ts';
import type { ConnectRequest } from './connect-request.ts';
import type { ConnectionKey } from './connection-key.ts';
import { isFinalError, tell } from './connector.ts';
import { BlockedAddressError, ClientConnectorDNSError } from './errors.ts';
import type { SSRFGuard } from './ssrf-guard.ts';

export interface HostAddressesOptions {
  readonly resolver: AbstractResolver;
  readonly overrides: Readonly<Record<string, string | readonly string[]>> | undefined;
  readonly family: AddressFamily;
  readonly ttl: number;
  readonly maxSize: number;
  readonly guard: SSRFGuard | undefined;
}

/** The addresses of hosts: those that were given, then the cache, then the resolver; the guard sees all of them. */
export class HostAddresses {
  readonly #options: HostAddressesOptions;
  readonly #cache: DnsCache<Address>;
  readonly #overrides: Map<string, readonly Address[]>;

  /** @throws RangeError `AIO_CONNECTOR_OPTION` for an override that is no address */
  constructor(options: HostAddressesOptions) {
    this.#options = options;
    this.#cache = new DnsCache<Address>({ ttl: options.ttl, maxSize: options.maxSize });
    this.#overrides = new Map();
    for (const [name, given] of Object.entries(options.overrides ?? {})) {
      const addresses = typeof given === 'string' ? [given] : given;
      this.#overrides.set(name.toLowerCase(), addresses.map(toAddress));
    }
  }

  /** An address stands for itself. */
  literal(host: string, guarded: boolean, key: ConnectionKey): readonly Address[] {
    const address = toAddress(host);
    return guarded ? this.#allowed([address], key) : [address];
  }

  /**
   * Finds the addresses of a name.
   * @throws ClientConnectorDNSError, BlockedAddressError
   */
  async find(
    host: string,
    port: number,
    guarded: boolean,
    request: ConnectRequest,
    wait: PhaseWait,
  ): Promise<readonly Address[]> {
    const { key } = request;
    const found =
      this.#overrides.get(`${host}:${port}`) ??
      this.#overrides.get(host) ??
      (await this.#lookUp(host, port, request, wait));
    const { family } = this.#options;
    const fitting = family === 0 ? found : found.filter((address) => address.family === family);
    if (fitting.length === 0) {
      throw new ClientConnectorDNSError(
        key,
        new Error(`${host} has no ${family === 0 ? '' : `IPv${family} `}address`),
      );
    }
    return guarded ? this.#allowed(fitting, key) : fitting;
  }

  /** @throws BlockedAddressError for a host that a proxy resolves and that is known to be one of the own network */
  checkUnresolved(key: ConnectionKey): void {
    const { guard } = this.#options;
    if (guard !== undefined && !guard.allowsUnresolved(key.host)) throw blocked(key);
  }

  clear(host?: string): void {
    this.#cache.clear(host);
  }

  async #lookUp(
    host: string,
    port: number,
    request: ConnectRequest,
    wait: PhaseWait,
  ): Promise<readonly Address[]> {
    const { traces } = request;
    const known = this.#cache.get(host);
    if (known !== undefined) {
      if (traces !== undefined) await tell(traces, (trace) => trace.dnsCacheHit(host));
      return known;
    }
    if (traces !== undefined) {
      await tell(traces, (trace) => trace.dnsCacheMiss(host));
      await tell(traces, (trace) => trace.dnsResolvehostStart(host));
    }
    const { resolver, family } = this.#options;
    try {
      const found = await wait<readonly Address[]>((resolve, reject) => {
        const flight = this.#cache.lookUp(host, async () =>
          (await resolver.resolve(host, port, family)).map(({ host: address, family }) => ({
            address,
            family,
          })),
        );
        flight.then(resolve, reject);
      }, 'name look-up');
      if (traces !== undefined) await tell(traces, (trace) => trace.dnsResolvehostEnd(host));
      return found;
    } catch (error) {
      if (isFinalError(error)) throw error;
      throw new ClientConnectorDNSError(request.key, error as Error);
    }
  }

  #allowed(addresses: readonly Address[], key: ConnectionKey): readonly Address[] {
    const { guard } = this.#options;
    if (guard === undefined) return addresses;
    const allowed = addresses.filter(({ address }) => guard.allows(address));
    if (allowed.length === 0) throw blocked(key);
    return allowed;
  }
}

function blocked(key: ConnectionKey): BlockedAddressError {
  // Which address it was is nothing that the one who gave the URL should learn.
  return new BlockedAddressError(key, new Error('the address is not public'));
}

function toAddress(text: string): Address {
  const family = isIP(text);
  if (family === 4 || family === 6) return { address: text, family };
  throw codedRangeError('AIO_CONNECTOR_OPTION', `'${text}' is not an IP address`);
}

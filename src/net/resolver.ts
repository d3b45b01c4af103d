import { type LookupAddress, lookup, promises } from 'node:dns';
import { outside } from '../asyncio/index.ts';

/** Which addresses are asked for: 4, 6, or 0 for both. */
export type AddressFamily = 0 | 4 | 6;

/** One address of a host (an entry of what aiohttp's resolvers give). */
export interface ResolvedHost {
  /** The name that was asked for. */
  readonly hostname: string;
  /** The address. */
  readonly host: string;
  readonly port: number;
  readonly family: 4 | 6;
}

/**
 * Finds the addresses of a host. Write your own for service discovery or DNS over HTTPS.
 *
 * Source: `aiohttp.abc.AbstractResolver`.
 *
 * @example
 * ```ts
 * class FixedResolver extends AbstractResolver {
 *   override async resolve(host: string, port = 0) {
 *     return [{ hostname: host, host: '127.0.0.1', port, family: 4 as const }];
 *   }
 *   override async close(): Promise<void> {}
 * }
 * ```
 */
export abstract class AbstractResolver {
  /**
   * @param host a name in ASCII
   * @param family default 0: both
   * @throws an error when there is no address; its message is shown
   */
  abstract resolve(host: string, port?: number, family?: AddressFamily): Promise<readonly ResolvedHost[]>;
  /** Ends look-ups that are under way. */
  abstract close(): Promise<void>;
}

/**
 * Asks the system (`getaddrinfo`), which knows `/etc/hosts` and the like, in a thread of libuv. The default.
 *
 * Source: `aiohttp.ThreadedResolver`.
 */
export class ThreadedResolver extends AbstractResolver {
  override resolve(host: string, port: number = 0, family: AddressFamily = 0): Promise<ResolvedHost[]> {
    return outside(
      () =>
        new Promise((resolve, reject) => {
          lookup(host, { all: true, family, verbatim: true }, (error, addresses: LookupAddress[]) => {
            if (error !== null) reject(error);
            else resolve(addresses.map(({ address, family }) => resolved(host, port, address, family)));
          });
        }),
    );
  }

  override async close(): Promise<void> {}
}

/** Options of {@link AsyncResolver}. */
export interface AsyncResolverOptions {
  /** Name servers, as `['1.1.1.1', '[2606:4700::1111]:53']`; default: those of the system. */
  readonly nameservers?: readonly string[] | undefined;
  /** Milliseconds that a name server has for its answer. Default 5000. */
  readonly timeout?: number | undefined;
  /** How often each name server is asked. Default 4. */
  readonly tries?: number | undefined;
}

/**
 * Asks name servers itself (c-ares), without a thread and without `/etc/hosts`.
 *
 * Source: `aiohttp.AsyncResolver`.
 */
export class AsyncResolver extends AbstractResolver {
  readonly #dns: promises.Resolver;

  constructor(options: AsyncResolverOptions = {}) {
    super();
    const { nameservers, timeout = 5_000, tries = 4 } = options;
    this.#dns = new promises.Resolver({ timeout, tries });
    if (nameservers !== undefined) this.#dns.setServers(nameservers);
  }

  override async resolve(host: string, port: number = 0, family: AddressFamily = 0): Promise<ResolvedHost[]> {
    const [six, four] = await outside(() =>
      Promise.allSettled([
        family === 4 ? [] : this.#dns.resolve6(host),
        family === 6 ? [] : this.#dns.resolve4(host),
      ]),
    );
    const found = [
      ...(six.status === 'fulfilled' ? six.value.map((address) => resolved(host, port, address, 6)) : []),
      ...(four.status === 'fulfilled' ? four.value.map((address) => resolved(host, port, address, 4)) : []),
    ];
    if (found.length > 0) return found;
    const failure = four.status === 'rejected' ? four : six;
    throw failure.status === 'rejected' ? failure.reason : new Error(`${host} has no address`);
  }

  override async close(): Promise<void> {
    this.#dns.cancel();
  }
}

function resolved(hostname: string, port: number, host: string, family: number): ResolvedHost {
  return { hostname, host, port, family: family === 6 ? 6 : 4 };
}

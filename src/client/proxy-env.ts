import { BlockList, isIP } from 'node:net';
import { codedRangeError } from '../message/index.ts';
import { ProxyServer } from './proxy-server.ts';

/** Where a request goes, as far as a proxy depends on it. What a session keeps of a URL fits. */
export interface ProxyTarget {
  /** `http`, `https`, `ws` or `wss`. */
  readonly scheme: string;
  /** Lower case, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxies that the environment names, read once: `HTTP_PROXY`, `HTTPS_PROXY`, `WS_PROXY`, `WSS_PROXY`, for each scheme without one
 * `ALL_PROXY`, and the exceptions in `NO_PROXY`. Names in lower case win. A proxy without scheme is an `http` one.
 *
 * `NO_PROXY` is a list, separated by commas or white space, of `*`, host names (which stand for the names below them as well, with a
 * leading dot or without), addresses, and networks (`10.0.0.0/8`, `fd00::/8`); a host or address may have a port.
 *
 * In a CGI program `HTTP_PROXY` in capitals comes from the request's `Proxy` field and is ignored (CVE-2016-5385).
 *
 * Source: Python's `urllib.request.getproxies_environment`, which `aiohttp`'s `trust_env` uses; networks as in curl and Go.
 *
 * @example
 * ```ts
 * const proxies = new EnvironmentProxies({ HTTPS_PROXY: 'http://proxy.test:3128', NO_PROXY: '10.0.0.0/8,.intern' });
 * proxies.proxyFor({ scheme: 'https', host: 'example.org', port: 443 })?.host; // 'proxy.test'
 * proxies.proxyFor({ scheme: 'https', host: '10.1.2.3', port: 443 }); // undefined
 * ```
 */
export class EnvironmentProxies {
  readonly #proxies: ReadonlyMap<string, ProxyServer>;
  readonly #exceptions: Exceptions;

  /** @throws RangeError `AIO_PROXY_URL` for a proxy that is none; the message names the variable and not its value */
  constructor(environment: Environment = process.env) {
    const proxies = new Map<string, ProxyServer>();
    const fallback = proxyNamed('all', environment);
    for (const scheme of ['http', 'https', 'ws', 'wss']) {
      const proxy = proxyNamed(scheme, environment) ?? fallback;
      if (proxy !== undefined) proxies.set(scheme, proxy);
    }
    this.#proxies = proxies;
    this.#exceptions = new Exceptions(environment['no_proxy'] ?? environment['NO_PROXY'] ?? '');
  }

  /** The environment names no proxy at all. */
  get isEmpty(): boolean {
    return this.#proxies.size === 0;
  }

  /** The proxy for a request; the same object for all that use it. */
  proxyFor(target: ProxyTarget): ProxyServer | undefined {
    const proxy = this.#proxies.get(target.scheme);
    return proxy === undefined || this.#exceptions.include(target) ? undefined : proxy;
  }
}

function proxyNamed(scheme: string, environment: Environment): ProxyServer | undefined {
  const variable = `${scheme}_proxy`;
  const capitals = variable.toUpperCase();
  const isCgi = environment['REQUEST_METHOD'] !== undefined;
  const upper = scheme === 'http' && isCgi ? undefined : environment[capitals];
  const url = (environment[variable] ?? upper ?? '').trim();
  if (url === '') return undefined;
  try {
    return ProxyServer.parse(url.includes('://') ? url : `http://${url}`);
  } catch {
    // The cause may repeat the URL, which may hold a password.
    throw codedRangeError(
      'AIO_PROXY_URL',
      `the environment variable ${capitals} names no proxy: http, https, socks5 and socks5h URLs are allowed`,
    );
  }
}

interface HostException {
  readonly host: string;
  /** `undefined`: any. */
  readonly port: number | undefined;
}

/** What `NO_PROXY` says. */
class Exceptions {
  readonly #everything: boolean;
  readonly #networks: BlockList;
  readonly #hosts: readonly HostException[];

  constructor(text: string) {
    const hosts: HostException[] = [];
    this.#networks = new BlockList();
    let everything = false;
    for (const entry of text.toLowerCase().split(/[\s,]+/)) {
      if (entry === '') continue;
      if (entry === '*') everything = true;
      else if (!this.#addNetwork(entry)) hosts.push(hostException(entry));
    }
    this.#everything = everything;
    this.#hosts = hosts;
  }

  include({ host, port }: ProxyTarget): boolean {
    if (this.#everything) return true;
    const family = isIP(host);
    if (family !== 0 && this.#networks.check(host, family === 6 ? 'ipv6' : 'ipv4')) return true;
    const name = host.endsWith('.') ? host.slice(0, -1) : host;
    return this.#hosts.some(
      (exception) =>
        (exception.port === undefined || exception.port === port) &&
        (name === exception.host || (family === 0 && name.endsWith(`.${exception.host}`))),
    );
  }

  #addNetwork(entry: string): boolean {
    const [address = '', prefix] = entry.split('/');
    const plain = address.startsWith('[') && address.endsWith(']') ? address.slice(1, -1) : address;
    const family = isIP(plain);
    if (family === 0) return false;
    const type = family === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) this.#networks.addAddress(plain, type);
    else if (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 6 ? 128 : 32)) {
      this.#networks.addSubnet(plain, Number(prefix), type);
    }
    // A network that is none excepts nothing, as in curl.
    return true;
  }
}

function hostException(entry: string): HostException {
  const match = /^(?:\*?\.)?(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry);
  if (match === null) return { host: entry, port: undefined };
  const [, host = '', port] = match;
  const name = host.startsWith('[') ? host.slice(1, -1) : host.replace(/\.$/, '');
  return { host: name, port: port === undefined ? undefined : Number(port) };
}

import { isIP, type Socket } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { CIMultiDict, codedRangeError, codedTypeError, shown } from '../message/index.ts';
import {
  type AbstractResolver,
  type Address,
  type AddressFamily,
  CONNECTION_ATTEMPT_DELAY,
  type Dialed,
  dialTcp,
  interleave,
  openTunnel,
  secured,
  socksConnect,
  startTls,
  ThreadedResolver,
  TunnelRefusedError,
  tlsConnectOptions,
} from '../net/index.ts';
import type { ConnectLimit } from './connect-limit.ts';
import type { ConnectRequest } from './connect-request.ts';
import { type ConnectionKey, checkSsl, type SSLOption } from './connection-key.ts';
import { BaseConnector, type ConnectorOptions, isFinalError, type MadeConnection } from './connector.ts';
import {
  ClientConnectorError,
  ClientHttpProxyError,
  ClientProxyConnectionError,
  type RequestInfo,
} from './errors.ts';
import { Fingerprint } from './fingerprint.ts';
import { HostAddresses } from './host-addresses.ts';
import { ownOptions } from './own-options.ts';
import type { ProxyServer } from './proxy-server.ts';
import { SSRFGuard } from './ssrf-guard.ts';
import { TlsSessions } from './tls-sessions.ts';
import { checkFingerprint, settingsFor, tlsFailure } from './tls-settings.ts';

/** Options of {@link TCPConnector}. */
export interface TCPConnectorOptions extends ConnectorOptions {
  /** Results of name look-ups are kept. Default `true`. */
  readonly useDnsCache?: boolean | undefined;
  /** For how long, in milliseconds; `Infinity`: for ever. Default 10 000. */
  readonly ttlDnsCache?: number | undefined;
  /** Names that are kept at most; the one not used for longest goes. Default 1000. */
  readonly dnsCacheMaxSize?: number | undefined;
  /** 4 or 6: only addresses of this kind. Default 0: both. */
  readonly family?: AddressFamily | undefined;
  /** For requests that do not set their own. Default `true`. */
  readonly ssl?: SSLOption | undefined;
  /** Address (and port) that connections come from. */
  readonly localAddr?: { readonly host: string; readonly port?: number | undefined } | undefined;
  /** Default: a {@link ThreadedResolver}. The connector closes only its own. */
  readonly resolver?: AbstractResolver | undefined;
  /** Addresses of names, in place of look-ups: `{ 'api.test': '127.0.0.1', 'api.test:443': ['10.0.0.1', '::1'] }`. */
  readonly resolve?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /**
   * Milliseconds that an address has to itself before the next one is tried too (RFC 8305); `Infinity`: only when it failed.
   * Default 250.
   */
  readonly happyEyeballsDelay?: number | undefined;
  /** Addresses of the first family before the families take turns; 0 keeps the resolver's order. Default 1. */
  readonly interleave?: number | undefined;
  /** Makes the socket, connecting or connected. */
  readonly socketFactory?: ((address: Address, port: number) => Socket) | undefined;
  /** Refuses addresses that are not public: `true`, or a guard with exceptions. Default `false`. */
  readonly ssrfGuard?: boolean | SSRFGuard | undefined;
}

/** When the phases of {@link MadeConnection.timings} ended. */
interface Phases {
  dns: number | undefined;
  connect: number | undefined;
  proxy: number | undefined;
  tls: number | undefined;
}

/**
 * Connections over TCP and TLS, directly or by a proxy.
 *
 * Source: `aiohttp.TCPConnector`.
 *
 * @example
 * ```ts
 * await using connector = new TCPConnector({ limit: 20, limitPerHost: 5, ssrfGuard: true });
 * console.log(connector.stats);
 * ```
 */
export class TCPConnector extends BaseConnector {
  readonly family: AddressFamily;
  readonly useDnsCache: boolean;
  readonly ssl: SSLOption;
  readonly #hosts: HostAddresses;
  readonly #guard: SSRFGuard | undefined;
  readonly #ownResolver: AbstractResolver | undefined;
  readonly #sessions: TlsSessions;
  readonly #delay: number;
  readonly #firstCount: number;
  readonly #localAddr: TCPConnectorOptions['localAddr'];
  readonly #socketFactory: TCPConnectorOptions['socketFactory'];

  /** @throws RangeError, TypeError for an option that cannot be. */
  constructor(options: TCPConnectorOptions = {}) {
    const own = ownOptions(options);
    super(own);
    const { family = 0, useDnsCache = true, ttlDnsCache = 10_000, dnsCacheMaxSize = 1_000, ssl = true } = own;
    const { happyEyeballsDelay = CONNECTION_ATTEMPT_DELAY, ssrfGuard = false } = own;
    if (family !== 0 && family !== 4 && family !== 6) {
      throw codedRangeError('AIO_CONNECTOR_OPTION', `family is 0, 4 or 6, got ${shown(family)}`);
    }
    checkDelay('happyEyeballsDelay', happyEyeballsDelay);
    checkDelay('ttlDnsCache', ttlDnsCache);
    checkSsl(ssl);
    const guard = ssrfGuard === true ? new SSRFGuard() : ssrfGuard;
    if (guard !== false && !(guard instanceof SSRFGuard)) {
      throw codedTypeError('AIO_CONNECTOR_OPTION', `ssrfGuard is true, false or an SSRFGuard`);
    }
    this.family = family;
    this.useDnsCache = useDnsCache;
    this.ssl = ssl;
    this.#guard = guard === false ? undefined : guard;
    this.#ownResolver = own.resolver === undefined ? new ThreadedResolver() : undefined;
    this.#hosts = new HostAddresses({
      resolver: own.resolver ?? this.#ownResolver!,
      overrides: own.resolve,
      family,
      ttl: useDnsCache ? ttlDnsCache : 0,
      maxSize: dnsCacheMaxSize,
      guard: this.#guard,
    });
    this.#sessions = new TlsSessions();
    this.#delay = happyEyeballsDelay;
    this.#firstCount = own.interleave ?? 1;
    this.#localAddr = own.localAddr;
    this.#socketFactory = own.socketFactory;
  }

  /** Forgets addresses: of one host, or all. */
  clearDnsCache(host?: string): void {
    this.#hosts.clear(host);
  }

  override async close(): Promise<void> {
    await super.close();
    this.#hosts.clear();
    await this.#ownResolver?.close();
  }

  protected override async open(request: ConnectRequest, limit: ConnectLimit): Promise<MadeConnection> {
    const { key } = request;
    const phases: Phases = { dns: undefined, connect: undefined, proxy: undefined, tls: undefined };
    const { proxy } = key;
    if (proxy === undefined) return await this.#openDirect(request, limit, phases);
    if (key.tunnel) return await this.#openTunnel(request, proxy, limit, phases);
    this.#hosts.checkUnresolved(key);
    const dialed = await this.#dialProxy(request, proxy, limit, phases, true);
    return { ...dialed, timings: phases };
  }

  async #openDirect(request: ConnectRequest, limit: ConnectLimit, phases: Phases): Promise<MadeConnection> {
    const { key } = request;
    const addresses = await this.#addresses(request, key.host, key.port, true, limit, phases);
    const tls = key.secure ? this.#tlsOptions(key) : undefined;
    const dialed = await this.#dial(addresses, key.port, tls, true, limit, phases).catch((error: unknown) => {
      throw isFinalError(error) ? error : new ClientConnectorError(key, error as Error);
    });
    if (tls === undefined) return { ...dialed, timings: phases };
    const direct = this.#socketFactory === undefined;
    const socket = direct ? (dialed.socket as TLSSocket) : startTls(dialed.socket, tls);
    await this.#secure(key, socket, limit, phases);
    return { socket, reader: direct ? dialed.reader : undefined, timings: phases };
  }

  async #openTunnel(
    request: ConnectRequest,
    proxy: ProxyServer,
    limit: ConnectLimit,
    phases: Phases,
  ): Promise<MadeConnection> {
    const { key } = request;
    let target = key.host;
    if (proxy.scheme === 'socks5') {
      const [first] = await this.#addresses(request, key.host, key.port, true, limit, phases);
      target = first!.address;
    } else {
      this.#hosts.checkUnresolved(key);
    }
    const { socket } = await this.#dialProxy(request, proxy, limit, phases, false);
    const started = performance.now();
    const destination = { host: target, port: key.port };
    try {
      if (proxy.isSocks) {
        const { username, password = '' } = proxy;
        const credentials = username === undefined ? undefined : { username, password };
        await socksConnect(socket, destination, credentials, limit.wait);
      } else {
        await openTunnel(socket, destination, tunnelFields(key, proxy), limit.wait);
      }
    } catch (error) {
      socket.destroy();
      throw proxyFailure(key, error);
    }
    phases.proxy = performance.now() - started;
    if (!key.secure) return { socket, reader: undefined, timings: phases };
    const secure = startTls(socket, this.#tlsOptions(key));
    await this.#secure(key, secure, limit, phases);
    return { socket: secure, reader: undefined, timings: phases };
  }

  /** A connection to the proxy itself. */
  async #dialProxy(
    request: ConnectRequest,
    proxy: ProxyServer,
    limit: ConnectLimit,
    phases: Phases,
    direct: boolean,
  ): Promise<Dialed> {
    const { key } = request;
    try {
      const addresses = await this.#addresses(request, proxy.host, proxy.port, false, limit, phases);
      // A pin is for the server's certificate, not for the proxy's.
      const ssl = key.ssl === true || key.ssl instanceof Fingerprint ? this.ssl : key.ssl;
      const settings = settingsFor(ssl instanceof Fingerprint ? true : ssl);
      const tls = proxy.scheme === 'https' ? tlsConnectOptions(proxy.host, settings) : undefined;
      const dialed = await this.#dial(addresses, proxy.port, tls, direct, limit, phases);
      if (tls === undefined) return dialed;
      const wrapped = this.#socketFactory === undefined;
      const socket = wrapped ? dialed.socket : startTls(dialed.socket, tls);
      const started = performance.now();
      await secured(socket, limit.wait);
      phases.tls = performance.now() - started;
      return { socket, reader: wrapped ? dialed.reader : undefined };
    } catch (error) {
      throw proxyFailure(key, error);
    }
  }

  async #dial(
    addresses: readonly Address[],
    port: number,
    tls: ConnectionOptions | undefined,
    direct: boolean,
    limit: ConnectLimit,
    phases: Phases,
  ): Promise<Dialed> {
    const started = performance.now();
    const local = this.#localAddr;
    const dialed = await dialTcp(
      addresses,
      {
        port,
        tls,
        direct,
        delay: this.#delay,
        localAddress: local?.host,
        localPort: local?.port,
        socketFactory: this.#socketFactory,
      },
      limit.wait,
    );
    phases.connect = performance.now() - started;
    return dialed;
  }

  async #addresses(
    request: ConnectRequest,
    host: string,
    port: number,
    guarded: boolean,
    limit: ConnectLimit,
    phases: Phases,
  ): Promise<readonly Address[]> {
    if (isIP(host) === 0) {
      const started = performance.now();
      const found = await this.#hosts.find(host, port, guarded, request, limit.wait);
      phases.dns = performance.now() - started;
      return interleave(found, this.#firstCount);
    }
    return this.#hosts.literal(host, guarded, request.key);
  }

  async #secure(key: ConnectionKey, socket: TLSSocket, limit: ConnectLimit, phases: Phases): Promise<void> {
    const started = performance.now();
    const keepsSession = !(this.#sslOf(key) instanceof Fingerprint);
    if (keepsSession) this.#sessions.follow(key.id, socket);
    try {
      await secured(socket, limit.wait);
      checkFingerprint(socket, key, this.#sslOf(key));
    } catch (error) {
      socket.destroy();
      this.#sessions.forget(key.id);
      const failure = tlsFailure(key, socket, error);
      throw isFinalError(failure) ? failure : new ClientConnectorError(key, failure as Error);
    }
    phases.tls = performance.now() - started;
  }

  #tlsOptions(key: ConnectionKey): ConnectionOptions {
    const options = tlsConnectOptions(key.serverHostname ?? key.host, settingsFor(this.#sslOf(key)));
    const session = this.#sessions.get(key.id);
    if (session !== undefined) options.session = session;
    return options;
  }

  #sslOf(key: ConnectionKey): SSLOption {
    return key.ssl === true ? this.ssl : key.ssl;
  }
}

/** Fields of CONNECT: those that were given, and the credentials unless they were given too. */
function tunnelFields(key: ConnectionKey, proxy: ProxyServer): readonly string[] {
  const { authorization } = proxy;
  const given = key.proxyHeaders.some(
    (name, index) => index % 2 === 0 && name.toLowerCase() === 'proxy-authorization',
  );
  if (authorization === undefined || given) return key.proxyHeaders;
  return [...key.proxyHeaders, 'Proxy-Authorization', authorization];
}

function proxyFailure(key: ConnectionKey, error: unknown): unknown {
  if (error instanceof TunnelRefusedError) {
    const { status, reason, headers } = error;
    return new ClientHttpProxyError(tunnelInfo(key), [], { status, message: reason, headers, cause: error });
  }
  if (isFinalError(error) || !(error instanceof Error)) return error;
  const { host, port, sslLabel, proxy } = key;
  return new ClientProxyConnectionError(
    key,
    error,
    `Cannot connect to host ${host}:${port} ssl:${sslLabel} by proxy ${proxy} [${error.message}]`,
  );
}

function tunnelInfo(key: ConnectionKey): RequestInfo {
  const url = new URL(`https://${key.host.includes(':') ? `[${key.host}]` : key.host}:${key.port}`);
  return { url, realUrl: url, method: 'CONNECT', headers: new CIMultiDict() };
}

function checkDelay(name: string, value: number): void {
  if (typeof value === 'number' && value >= 0) return;
  throw codedRangeError('AIO_CONNECTOR_OPTION', `${name} is a number of milliseconds, got ${shown(value)}`);
}

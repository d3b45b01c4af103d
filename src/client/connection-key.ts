import { codedTypeError } from '../message/index.ts';
import type { ClientTlsOptions } from '../net/index.ts';
import { Fingerprint } from './fingerprint.ts';
import type { ProxyServer } from './proxy-server.ts';

/**
 * How the server's certificate is checked: `true` as usual, `false` not at all, a {@link Fingerprint} pins it, and options as
 * `node:tls` has them set authorities, a client certificate and more. Keep one options object: connections are shared by identity.
 */
export type SSLOption = boolean | Fingerprint | ClientTlsOptions;

/** What a {@link ConnectionKey} is made of. */
export interface ConnectionKeyOptions {
  /** Name or address, in lower case, ASCII (punycode), without brackets. */
  readonly host: string;
  readonly port: number;
  /** `https` or `wss`. */
  readonly secure: boolean;
  /** Default `true`. Plays no part when not `secure` and without an `https` proxy. */
  readonly ssl?: SSLOption | undefined;
  /** Name for SNI and the certificate, when it is not the host. */
  readonly serverHostname?: string | undefined;
  readonly proxy?: ProxyServer | undefined;
  /** Fields of CONNECT, `[name, value, …]`. */
  readonly proxyHeaders?: readonly string[] | undefined;
  /** An HTTP proxy makes a tunnel (CONNECT) to a server without TLS too. Default `false`: the proxy gets the request itself. */
  readonly tunnel?: boolean | undefined;
}

const objectIds = new WeakMap<object, number>();
let lastObjectId = 0;

/**
 * What two requests must have in common to be sent on the same connection. Make one per origin and keep it: comparing is then one
 * look-up of `id`.
 *
 * Source: aiohttp's `ConnectionKey`, with `server_hostname` (CVE-2026-54275).
 */
export class ConnectionKey {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly ssl: SSLOption;
  readonly serverHostname: string | undefined;
  readonly proxy: ProxyServer | undefined;
  readonly proxyHeaders: readonly string[];
  /** The proxy makes a tunnel to the server. */
  readonly tunnel: boolean;
  /** Equal for keys that may share connections. Holds a proxy's credentials: not for people to read. */
  readonly id: string;

  /** @throws TypeError `AIO_SSL_OPTION` when `ssl` is something else. */
  constructor(options: ConnectionKeyOptions) {
    const { host, port, secure, ssl = true, serverHostname, proxy, proxyHeaders = [] } = options;
    const tunnel = proxy !== undefined && (secure || proxy.isSocks || options.tunnel === true);
    checkSsl(ssl);
    this.host = host;
    this.port = port;
    this.secure = secure;
    this.ssl = ssl;
    this.serverHostname = serverHostname;
    this.proxy = proxy;
    this.proxyHeaders = proxyHeaders;
    this.tunnel = tunnel;
    this.id = JSON.stringify([
      host,
      port,
      secure,
      sslId(ssl),
      serverHostname ?? null,
      proxy === undefined ? null : [proxy.identity, proxyHeaders, tunnel],
    ]);
  }

  /** The words that messages have for {@link ConnectionKey.ssl}. */
  get sslLabel(): string {
    const { ssl } = this;
    if (typeof ssl === 'boolean') return ssl ? 'default' : 'off';
    return ssl instanceof Fingerprint ? 'fingerprint' : 'custom';
  }

  /** For people to read, without credentials. */
  toString(): string {
    const host = this.host.includes(':') ? `[${this.host}]` : this.host;
    const via = this.proxy === undefined ? '' : ` via ${this.proxy.toString()}`;
    return `${this.secure ? 'https' : 'http'}://${host}:${this.port}${via}`;
  }
}

/** @throws TypeError `AIO_SSL_OPTION` */
export function checkSsl(ssl: SSLOption): void {
  if (typeof ssl === 'boolean' || (typeof ssl === 'object' && ssl !== null && !Array.isArray(ssl))) return;
  throw codedTypeError(
    'AIO_SSL_OPTION',
    `ssl should be true, false, a Fingerprint or TLS options, got ${ssl === null ? 'null' : typeof ssl}`,
  );
}

function sslId(ssl: SSLOption): boolean | number | string {
  if (typeof ssl === 'boolean') return ssl;
  if (ssl instanceof Fingerprint) return Buffer.from(ssl.digest).toString('hex');
  let id = objectIds.get(ssl);
  if (id === undefined) {
    id = ++lastObjectId;
    objectIds.set(ssl, id);
  }
  return id;
}

import { codedRangeError, codedTypeError } from '../message/index.ts';

/** How a proxy is spoken to. `socks5` resolves the host's name here, `socks5h` lets the proxy do it (as curl). */
export type ProxyScheme = 'http' | 'https' | 'socks5' | 'socks5h';

const DEFAULT_PORTS: Readonly<Record<ProxyScheme, number>> = {
  http: 80,
  https: 443,
  socks5: 1080,
  socks5h: 1080,
};

/**
 * A proxy, taken apart. An `http` or `https` proxy gets requests for plain HTTP in absolute form (the session writes them, with
 * {@link ProxyServer.authorization}) and tunnels the rest by CONNECT; a SOCKS5 proxy tunnels everything.
 *
 * @example
 * ```ts
 * const proxy = ProxyServer.parse('http://user:secret@proxy.test:3128');
 * console.log(proxy.host, proxy.port, proxy.authorization);
 * ```
 */
export class ProxyServer {
  readonly scheme: ProxyScheme;
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;

  private constructor(
    scheme: ProxyScheme,
    host: string,
    port: number,
    username: string | undefined,
    password: string | undefined,
  ) {
    this.scheme = scheme;
    this.host = host;
    this.port = port;
    this.username = username;
    this.password = password;
  }

  /**
   * Takes a proxy's URL apart; `socks` means `socks5h`.
   *
   * @throws TypeError `AIO_PROXY_URL` when it is no URL, RangeError `AIO_PROXY_URL` for another scheme
   */
  static parse(url: string | URL): ProxyServer {
    const parts = toUrl(url);
    const named = parts.protocol.slice(0, -1);
    const scheme = named === 'socks' ? 'socks5h' : named;
    if (!isScheme(scheme) || parts.hostname === '') {
      throw codedRangeError(
        'AIO_PROXY_URL',
        `a proxy is an http, https, socks5 or socks5h URL with a host; got scheme '${named}'`,
      );
    }
    const port = parts.port === '' ? DEFAULT_PORTS[scheme] : Number(parts.port);
    const hasCredentials = parts.username !== '' || parts.password !== '';
    return new ProxyServer(
      scheme,
      parts.hostname.replace(/^\[|\]$/g, ''),
      port,
      hasCredentials ? decode(parts.username) : undefined,
      hasCredentials ? decode(parts.password) : undefined,
    );
  }

  get isSocks(): boolean {
    return this.scheme === 'socks5' || this.scheme === 'socks5h';
  }

  /** Value of `Proxy-Authorization` (RFC 7617); `undefined` without credentials. */
  get authorization(): string | undefined {
    if (this.username === undefined) return undefined;
    return `Basic ${Buffer.from(`${this.username}:${this.password}`, 'utf8').toString('base64')}`;
  }

  /** What tells this proxy from others, credentials included: not for people to read. */
  get identity(): string {
    const { scheme, host, port, username, password } = this;
    return JSON.stringify([scheme, host, port, username, password]);
  }

  /** For people to read: without credentials. */
  toString(): string {
    const host = this.host.includes(':') ? `[${this.host}]` : this.host;
    return `${this.scheme}://${host}:${this.port}`;
  }
}

function toUrl(url: string | URL): URL {
  try {
    return new URL(url);
  } catch {
    // The cause would repeat the URL with its password.
    throw codedTypeError('AIO_PROXY_URL', 'the proxy is not an absolute URL like http://proxy.test:3128');
  }
}

function isScheme(text: string): text is ProxyScheme {
  return Object.hasOwn(DEFAULT_PORTS, text);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

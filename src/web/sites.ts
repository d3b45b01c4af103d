import { unlink } from 'node:fs/promises';
import { type AddressInfo, connect, Server as SocketServer } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { Listener, type ListenerOptions, type Server as NetServer } from '../net/index.ts';
import { ListenError, StateError } from './errors.ts';
import type { BaseRunner } from './runner.ts';

/** What every site can be made with. */
export interface SiteOptions {
  /** Serves TLS with these options of `node:tls`: `{ key, cert }` at least. */
  readonly sslContext?: TlsOptions | undefined;
  /** Connections that the system keeps waiting until they are accepted. Default 128. */
  readonly backlog?: number | undefined;
}

/** Options of `TCPSite`. */
export interface TCPSiteOptions extends SiteOptions {
  /** Several processes share the port and the system spreads connections over them (Linux; Node 22.12 and later). */
  readonly reusePort?: boolean | undefined;
}

interface SystemError extends Error {
  code?: string;
}

/** One place where a runner's server can be reached. */
export abstract class BaseSite {
  protected readonly runner: BaseRunner;
  #listener: Pick<Listener, 'start' | 'stop' | 'address'> | undefined = undefined;

  constructor(runner: BaseRunner) {
    this.runner = runner;
  }

  /** How the place is called: `http://127.0.0.1:8080`. */
  abstract get name(): string;

  /** @internal */
  protected abstract listen(server: NetServer): Pick<Listener, 'start' | 'stop' | 'address'>;

  /** Where it listens; `null` while it does not. */
  get address(): AddressInfo | string | null {
    return this.#listener?.address ?? null;
  }

  /**
   * Begins to listen.
   *
   * @throws ListenError when the address cannot be had: in use, not allowed, not of this machine
   * @throws StateError when the runner is not set up, or the site was started already
   */
  async start(): Promise<void> {
    const listener = this.listen(this.runner._register(this));
    this.#listener = listener;
    try {
      await listener.start();
    } catch (error) {
      this.#listener = undefined;
      this.runner._unregister(this);
      throw listenError(this.name, error as SystemError);
    }
  }

  /** Stops listening. Connections that were accepted go on. */
  async stop(): Promise<void> {
    const listener = this.#listener;
    if (listener === undefined) return;
    this.#listener = undefined;
    this.runner._unregister(this);
    await listener.stop();
  }
}

/**
 * A TCP port. Counterpart of `aiohttp.web.TCPSite`.
 *
 * @example
 * ```ts
 * const site = new web.TCPSite(runner, '127.0.0.1', 0);
 * await site.start();
 * console.log(site.port);
 * ```
 */
export class TCPSite extends BaseSite {
  readonly #host: string | undefined;
  readonly #port: number;
  readonly #options: TCPSiteOptions;

  /**
   * @param host - default: every address of the machine, IPv4 and IPv6
   * @param port - default 8080, or 8443 with TLS; 0 takes a free one
   * @throws RangeError when `port` is no port
   */
  constructor(runner: BaseRunner, host?: string, port?: number, options: TCPSiteOptions = {}) {
    super(runner);
    const { sslContext } = options;
    this.#host = host;
    this.#port = port ?? (sslContext === undefined ? 8080 : 8443);
    this.#options = options;
    if (!Number.isInteger(this.#port) || this.#port < 0 || this.#port > 65_535) {
      throw new RangeError(`port must be an integer from 0 to 65535, got ${String(port)}`);
    }
  }

  /** The port that is listened on; before the start the one that was asked for. */
  get port(): number {
    const { address } = this;
    return typeof address === 'object' && address !== null ? address.port : this.#port;
  }

  override get name(): string {
    const host = this.#host ?? '0.0.0.0';
    const scheme = this.#options.sslContext === undefined ? 'http' : 'https';
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${this.port}`;
  }

  protected override listen(server: NetServer): Listener {
    const { sslContext, backlog, reusePort } = this.#options;
    return new Listener(server, { host: this.#host, port: this.#port, tls: sslContext, backlog, reusePort });
  }
}

/**
 * A Unix domain socket, or a named pipe on Windows. Counterpart of `aiohttp.web.UnixSite`.
 *
 * @example
 * ```ts
 * await new web.UnixSite(runner, '/run/app.sock').start();
 * ```
 */
export class UnixSite extends BaseSite {
  readonly #path: string;
  readonly #options: SiteOptions;

  constructor(runner: BaseRunner, path: string, options: SiteOptions = {}) {
    super(runner);
    this.#path = path;
    this.#options = options;
  }

  override get name(): string {
    return `${this.#options.sslContext === undefined ? 'http' : 'https'}://unix:${this.#path}:`;
  }

  /** As `BaseSite.start`; the file that a killed server left behind is removed. */
  override async start(): Promise<void> {
    try {
      await super.start();
    } catch (error) {
      if (
        !(error instanceof ListenError) ||
        error.code !== 'AIO_ADDRESS_IN_USE' ||
        !(await isAbandoned(this.#path))
      ) {
        throw error;
      }
      await unlink(this.#path);
      await super.start();
    }
  }

  protected override listen(server: NetServer): Listener {
    const { sslContext, backlog } = this.#options;
    return new Listener(server, { path: this.#path, tls: sslContext, backlog });
  }
}

/** Whether a socket file exists that nobody listens on. */
function isAbandoned(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: SystemError) => resolve(error.code === 'ECONNREFUSED'));
  });
}

/**
 * A socket that is bound already: the descriptor that systemd or a parent process gave, or a server of `node:net` or `node:tls`
 * of your own. Counterpart of `aiohttp.web.SockSite`.
 *
 * @example
 * ```ts
 * await new web.SockSite(runner, 3).start(); // the first socket that systemd passes
 * ```
 */
export class SockSite extends BaseSite {
  readonly #sock: number | SocketServer;
  readonly #options: SiteOptions;

  /** @throws TypeError when `sock` is neither a descriptor nor a server; RangeError for `sslContext` beside a server */
  constructor(runner: BaseRunner, sock: number | SocketServer, options: SiteOptions = {}) {
    super(runner);
    if (typeof sock !== 'number' && !(sock instanceof SocketServer)) {
      throw new TypeError(`SockSite needs a file descriptor or a server of node:net, got ${typeof sock}`);
    }
    if (typeof sock !== 'number' && options.sslContext !== undefined) {
      throw new RangeError(
        'sslContext does not go with a server of your own: give SockSite a server of node:tls',
      );
    }
    this.#sock = sock;
    this.#options = options;
  }

  override get name(): string {
    const sock = this.#sock;
    const scheme = this.#options.sslContext === undefined ? 'http' : 'https';
    const address = typeof sock === 'number' ? this.address : sock.address();
    if (address === null) return `${scheme}://fd:${typeof sock === 'number' ? sock : '?'}`;
    if (typeof address === 'string') return `${scheme}://unix:${address}:`;
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return `${scheme}://${host}:${address.port}`;
  }

  protected override listen(server: NetServer): Pick<Listener, 'start' | 'stop' | 'address'> {
    const sock = this.#sock;
    if (typeof sock !== 'number') return new ForeignListener(server, sock);
    const { sslContext, backlog } = this.#options;
    return new Listener(server, { fd: sock, tls: sslContext, backlog } satisfies ListenerOptions);
  }
}

/** Takes the connections of a server that somebody else made. */
class ForeignListener {
  readonly #server: NetServer;
  readonly #foreign: SocketServer;

  constructor(server: NetServer, foreign: SocketServer) {
    this.#server = server;
    this.#foreign = foreign;
  }

  get address(): AddressInfo | string | null {
    return this.#foreign.address();
  }

  start(): Promise<void> {
    const foreign = this.#foreign;
    if (!foreign.listening) {
      return Promise.reject(new StateError('AIO_SITE_STATE', 'The server given to SockSite does not listen'));
    }
    const event =
      foreign.listenerCount('secureConnection') > 0 || 'setSecureContext' in foreign
        ? 'secureConnection'
        : 'connection';
    foreign.on(event, (socket) => this.#server.accept(socket));
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#foreign.close();
    return Promise.resolve();
  }
}

/** Says in words what the system said in a code, and what to do about it. */
function listenError(name: string, error: SystemError): Error {
  if (error instanceof StateError) return error;
  const refused = `Cannot listen on ${name}: `;
  switch (error.code) {
    case 'EADDRINUSE':
      return new ListenError(
        'AIO_ADDRESS_IN_USE',
        `${refused}the address is already in use. Stop the program that listens there, or choose another port (port 0 takes a free one)`,
        error,
      );
    case 'EACCES':
      return new ListenError(
        'AIO_ADDRESS_FORBIDDEN',
        `${refused}this user may not. Ports below 1024 need a privilege: choose a higher one, and put a proxy before it`,
        error,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ListenError(
        'AIO_ADDRESS_UNAVAILABLE',
        `${refused}this machine has no such address. Use 127.0.0.1, 0.0.0.0 or one that it has`,
        error,
      );
    default:
      return new ListenError('AIO_LISTEN_FAILED', `${refused}${error.message}`, error);
  }
}

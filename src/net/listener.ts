import {
  type AddressInfo,
  createServer,
  type ListenOptions,
  type Server as NetServer,
  type Socket,
} from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { outside } from '../asyncio/index.ts';
import type { Server } from './server.ts';

/** Where to listen: `host` and `port`, a Unix socket's `path`, or a descriptor or server that is bound already. */
export interface ListenerOptions {
  readonly host?: string | undefined;
  /** 0 takes a free one. */
  readonly port?: number | undefined;
  readonly path?: string | undefined;
  /** File descriptor of a listening socket. */
  readonly fd?: number | undefined;
  /** Connections that the system keeps waiting. Default 128. */
  readonly backlog?: number | undefined;
  /** Several processes share the port (Node ≥ 22.12 on Linux). */
  readonly reusePort?: boolean | undefined;
  readonly ipv6Only?: boolean | undefined;
  /** Serves TLS with these options. */
  readonly tls?: TlsOptions | undefined;
}

/** A TLS handshake that takes longer is cut; milliseconds. */
const HANDSHAKE_TIMEOUT = 30_000;

/** One listening socket that gives its connections to a server. */
export class Listener {
  readonly #server: Server;
  readonly #options: ListenerOptions;
  #listening: NetServer | undefined;
  /** Sockets in their TLS handshake, by the peer's address: the server does not know them yet. */
  readonly #handshakes: Map<string, Socket>;

  constructor(server: Server, options: ListenerOptions) {
    this.#server = server;
    this.#options = options;
    this.#listening = undefined;
    this.#handshakes = new Map();
  }

  /** Where it listens, `null` when it does not. */
  get address(): AddressInfo | string | null {
    return this.#listening?.address() ?? null;
  }

  /** Resolves when connections are accepted; rejects with the system's error (`EADDRINUSE`, `EACCES` …). */
  async start(): Promise<void> {
    if (this.#listening !== undefined) throw new Error('This listener was started already');
    // Connections keep the context in which the listening socket was made: it must be nobody's task.
    const listening = outside(() => this.#create());
    this.#listening = listening;
    try {
      await outside(() => listens(listening, this.#listenOptions()));
    } catch (error) {
      if (this.#listening === listening) this.#listening = undefined;
      throw error;
    }
    listening.on('error', (error) => this.#server.options.logger.error('Listening socket failed', error));
  }

  /** Stops accepting. Connections that were accepted go on. */
  stop(): Promise<void> {
    const listening = this.#listening;
    this.#listening = undefined;
    for (const socket of this.#handshakes.values()) socket.destroy();
    if (listening === undefined) return Promise.resolve();
    // `close` calls back when the last connection is gone, which is not what is asked for here.
    listening.close();
    return Promise.resolve();
  }

  #create(): NetServer {
    const { tls } = this.#options;
    // A client that half-closes still gets its answer; the connection ends its own side itself.
    const settings = { allowHalfOpen: true, noDelay: true, keepAlive: true };
    if (tls === undefined) return createServer(settings, (socket) => this.#server.accept(socket));
    const listening = createTlsServer(
      { handshakeTimeout: HANDSHAKE_TIMEOUT, ...tls, ...settings },
      (socket) => {
        this.#handshakes.delete(peerName(socket));
        this.#server.accept(socket);
      },
    );
    listening.on('connection', (socket: Socket) => {
      const peer = peerName(socket);
      this.#handshakes.set(peer, socket);
      socket.once('close', () => this.#handshakes.delete(peer));
    });
    listening.on('tlsClientError', (_error, socket) => socket.destroy());
    return listening;
  }

  #listenOptions(): ListenOptions {
    const { host, port, path, fd, backlog = 128, reusePort, ipv6Only } = this.#options;
    const shared = { backlog, ...(reusePort === undefined ? {} : { reusePort }) };
    if (fd !== undefined) return { ...shared, fd } as ListenOptions;
    if (path !== undefined) return { ...shared, path };
    return {
      ...shared,
      port: port ?? 0,
      ...(host === undefined ? {} : { host }),
      ...(ipv6Only === undefined ? {} : { ipv6Only }),
    };
  }
}

function listens(listening: NetServer, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error('This listener was stopped before it could listen'));
    listening.once('error', reject).once('close', onClose);
    listening.listen(options, () => {
      listening.off('error', reject).off('close', onClose);
      resolve();
    });
  });
}

function peerName(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

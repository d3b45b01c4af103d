import { type NetConnectOpts, connect as netConnect, type Socket } from 'node:net';
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls';
import { outside, suspend } from '../asyncio/index.ts';
import { ServerDisconnectedError } from './errors.ts';
import { type Address, type PhaseWait, type RaceOptions, raceAddresses } from './happy-eyeballs.ts';
import { SocketReader } from './socket-reader.ts';

/** Idle time after which the system asks whether the peer is still there; milliseconds. */
const TCP_KEEP_ALIVE = 60_000;

/** A socket that is connected, and what reads it, if it is read past the stream. */
export interface Dialed {
  readonly socket: Socket;
  readonly reader: SocketReader | undefined;
}

export interface DialOptions extends RaceOptions {
  readonly port: number;
  /** Begins TLS on the socket at once; wait for it with {@link secured}. */
  readonly tls?: ConnectionOptions | undefined;
  /** Reads past the stream. Not for sockets over which something else is to be tunnelled. */
  readonly direct?: boolean | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  /** Makes the socket, which connects already or is connected. */
  readonly socketFactory?: ((address: Address, port: number) => Socket) | undefined;
}

/**
 * Connects to the first address that answers. Sockets are made outside of any task; a cancelled wait destroys them.
 * @throws the system's error, or an AggregateError of several
 */
export function dialTcp(
  addresses: readonly Address[],
  options: DialOptions,
  wait: PhaseWait = suspend,
): Promise<Dialed> {
  const { port, tls, direct = false, localAddress, localPort, socketFactory } = options;
  return raceAddresses<Dialed>(
    addresses,
    (address, settle) => {
      const reader = direct && socketFactory === undefined ? new SocketReader() : undefined;
      const socket = outside(() => {
        if (socketFactory !== undefined) return socketFactory(address, port);
        const where: NetConnectOpts = {
          host: address.address,
          port,
          family: address.family,
          noDelay: true,
          keepAlive: true,
          keepAliveInitialDelay: TCP_KEEP_ALIVE,
        };
        if (localAddress !== undefined) where.localAddress = localAddress;
        if (localPort !== undefined) where.localPort = localPort;
        if (reader !== undefined) where.onread = reader.options;
        return tls === undefined ? netConnect(where) : tlsConnect({ ...tls, ...where });
      });
      return watch(socket, 'connect', (error) => settle(error, { socket, reader }));
    },
    options,
    wait,
  );
}

/** Connects to a Unix socket or a named pipe of Windows. */
export function dialPath(path: string, wait: PhaseWait = suspend): Promise<Dialed> {
  return wait<Dialed>((resolve, reject) => {
    const reader = new SocketReader();
    const socket = outside(() => netConnect({ path, onread: reader.options }));
    return watch(socket, 'connect', (error) => {
      if (error === undefined) resolve({ socket, reader });
      else reject(error);
    });
  }, 'connecting');
}

/** Begins TLS over a connected socket, a tunnel for example. */
export function startTls(socket: Socket, tls: ConnectionOptions): TLSSocket {
  return outside(() => tlsConnect({ ...tls, socket }));
}

/**
 * Waits for the end of a TLS handshake. When the wait is cancelled or the handshake fails, the socket is destroyed.
 * @throws what TLS or the check of the certificate said; then `socket.authorizationError` is set
 */
export function secured(socket: Socket, wait: PhaseWait = suspend): Promise<void> {
  return wait<void>(
    (resolve, reject) =>
      watch(socket, 'secureConnect', (error) => {
        if (error === undefined) resolve();
        else reject(error);
      }),
    'TLS handshake',
  );
}

/** Tells of `event` or of what came instead, once. Returns what stops it and destroys the socket. */
function watch(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  settle: (error: Error | undefined) => void,
): () => void {
  const unwatch = (): void => {
    socket.off(event, done).off('error', failed).off('close', closed);
  };
  const done = (): void => {
    unwatch();
    settle(undefined);
  };
  const failed = (error: Error): void => {
    unwatch();
    socket.destroy();
    settle(error);
  };
  const closed = (): void =>
    failed(new ServerDisconnectedError('The connection was closed while it was set up'));
  // Between two phases nobody else listens, and an error without listener would end the process.
  socket.on('error', ignore);
  if (socket.destroyed) queueMicrotask(() => failed(socket.errored ?? new ServerDisconnectedError()));
  else if (event === 'connect' && !socket.connecting && !socket.pending) queueMicrotask(done);
  else socket.on(event, done).on('error', failed).on('close', closed);
  return () => {
    unwatch();
    socket.destroy();
  };
}

function ignore(): void {}

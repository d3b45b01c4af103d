import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

export interface RawServerOptions {
  readonly tls?: TlsOptions;
  /** Unix socket. */
  readonly path?: string;
  readonly host?: string;
}

/** A server that does with each connection what a test says. Ends with the test's block, and its connections too. */
export class RawServer implements AsyncDisposable {
  readonly server: Server;
  readonly sockets: Set<Socket>;
  /** Connections accepted so far. */
  accepted: number;
  /** Most connections that were open at once. */
  most: number;

  private constructor(onConnection: (socket: Socket) => void, options: RawServerOptions) {
    this.sockets = new Set();
    this.accepted = 0;
    this.most = 0;
    const accept = (socket: Socket): void => {
      this.accepted++;
      this.sockets.add(socket);
      this.most = Math.max(this.most, this.sockets.size);
      socket.on('error', () => {});
      socket.on('close', () => this.sockets.delete(socket));
      onConnection(socket);
    };
    this.server =
      options.tls === undefined
        ? createServer({ noDelay: true }, accept)
        : createTlsServer({ noDelay: true, ...options.tls }, accept);
    this.server.on('tlsClientError', () => {});
  }

  static async start(
    onConnection: (socket: Socket) => void,
    options: RawServerOptions = {},
  ): Promise<RawServer> {
    const server = new RawServer(onConnection, options);
    if (options.path === undefined) server.server.listen(0, options.host ?? '127.0.0.1');
    else server.server.listen(options.path);
    await once(server.server, 'listening');
    return server;
  }

  /** Calls `answer` for each request, told apart by their empty line; bodies are not looked at. */
  static answering(
    answer: (socket: Socket, head: string) => void,
    options: RawServerOptions = {},
  ): Promise<RawServer> {
    return RawServer.start((socket) => {
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
          const head = text.slice(0, end);
          text = text.slice(end + 4);
          answer(socket, head);
        }
      });
    }, options);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

/** A response with a length. */
export function answer(body: string, fields = ''): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${fields}\r\n${body}`;
}

/** Waits for turns of the event loop until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

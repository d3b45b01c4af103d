import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { type RawRequest, RawServer } from './raw-server.ts';

/** How a test's server is made. */
export interface OracleOptions extends Omit<ServerOptions, 'server' | 'port'> {
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Unix socket. */
  readonly socketPath?: string;
  /** Default: what comes is sent back. */
  readonly onConnection?: (socket: WebSocket, request: IncomingMessage) => void;
}

/** A WebSocket server by `ws`, which is not ours: what both agree on is right. */
export class Oracle implements AsyncDisposable {
  readonly server: WebSocketServer;
  readonly port: number;
  readonly requests: IncomingMessage[];
  readonly connections: Set<Socket>;
  private readonly close: () => Promise<void>;

  private constructor(
    server: WebSocketServer,
    port: number,
    connections: Set<Socket>,
    close: () => Promise<void>,
  ) {
    this.server = server;
    this.port = port;
    this.requests = [];
    this.connections = connections;
    this.close = close;
  }

  static async start({ tls, socketPath, onConnection, ...options }: OracleOptions = {}): Promise<Oracle> {
    const http = tls === undefined ? createServer() : createTlsServer(tls);
    const connections = new Set<Socket>();
    http.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      connections.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => connections.delete(socket));
    });
    const server = new WebSocketServer({ ...options, server: http });
    if (socketPath === undefined) http.listen(0, '127.0.0.1');
    else http.listen(socketPath);
    await once(http, 'listening');
    const port = socketPath === undefined ? (http.address() as AddressInfo).port : 0;
    const oracle = new Oracle(server, port, connections, async () => {
      for (const client of server.clients) client.terminate();
      for (const socket of connections) socket.destroy();
      const closed = once(http, 'close');
      http.close();
      await closed;
    });
    server.on('connection', (socket, request) => {
      oracle.requests.push(request);
      socket.on('error', () => {});
      if (onConnection !== undefined) onConnection(socket, request);
      else socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    return oracle;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The answer that belongs to a key (RFC 6455 §4.2.2). */
export function acceptFor(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** The key in the head of a request. */
export function keyOf(head: string): string {
  return /^sec-websocket-key: (.*)\r$/im.exec(head)?.[1] ?? '';
}

/** A right answer to a handshake; `fields` are added. */
export function switching(head: string, fields = ''): string {
  return (
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${acceptFor(keyOf(head))}\r\n${fields}\r\n`
  );
}

/** A server that answers handshakes with bytes and knows nothing of WebSockets. */
export function handshaker(
  answer: (head: string, request: RawRequest) => string | Buffer | undefined,
): Promise<RawServer> {
  return RawServer.start((request) => answer(request.head, request));
}

/** A frame as a server sends it: not masked, of less than 126 bytes. */
export function frame(opcode: number, payload: string | Buffer = '', first = 0x80): Buffer {
  const data = Buffer.from(payload);
  return Buffer.concat([Buffer.of(first | opcode, data.length), data]);
}

// A server with one WebSocket, and clients of it: one that knows bytes only, and the one of `ws`.

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { TestServer, type TestServerOptions } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';
import { RawClient } from '../net/raw-client.ts';
import { found, parserFor, type RawFrame, rawFrame } from '../websocket/wire.ts';
import { type CollectingLogger, collectingLogger } from './collecting-logger.ts';

export const UPGRADE: string =
  'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** What is answered to it, without a Date. */
export const SWITCHING: string =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nServer: aiohttp-ts\r\n\r\n';

const KEY = [1, 2, 3, 4] as const;

/** The frames of a client. */
export function masked(...frames: RawFrame[]): Buffer {
  return Buffer.concat(frames.map((frame) => rawFrame({ key: KEY, ...frame })));
}

export function text(payload: string): RawFrame {
  return { opcode: 1, payload };
}

export function closing(code?: number, reason = ''): RawFrame {
  const payload =
    code === undefined ? '' : Buffer.concat([Buffer.of(code >> 8, code & 255), Buffer.from(reason)]);
  return { opcode: 8, payload };
}

/** A client of bytes behind its handshake. */
export class RawPeer implements Disposable {
  readonly client: RawClient;

  constructor(client: RawClient) {
    this.client = client;
    client.socket.on('end', () => client.end());
  }

  send(...frames: RawFrame[]): Promise<void> {
    return this.client.send(masked(...frames));
  }

  /** What the server sent so far, a line for each message. */
  get lines(): string[] {
    const parser = parserFor('client');
    parser.feed(Buffer.from(this.client.received, 'latin1'));
    return found(parser);
  }

  /** Waits for that line. */
  async until(line: string): Promise<void> {
    await this.client.until(() => this.lines.includes(line));
  }

  /** Answers the server's close frame and waits for the end of the connection. Gives all that came. */
  async ended(): Promise<string[]> {
    const isClosing = (): boolean => this.lines.some((line) => line.startsWith('close'));
    await this.client.until(isClosing).catch(() => {}); // cut
    if (this.client.socket.writable) await this.send(closing(1000));
    await this.client.closed;
    return this.lines;
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]();
  }
}

/** The client of `ws`, of which nothing is missed. */
export class WsClient {
  readonly socket: WebSocket;
  readonly opened: Promise<unknown>;
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #messages: { data: Buffer; isBinary: boolean }[] = [];
  #wake: () => void = () => {};
  #ended = false;

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.opened = once(socket, 'open');
    socket.on('error', () => {});
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.#messages.push({ data, isBinary });
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#ended = true;
        this.#wake();
        resolve({ code, reason: String(reason) });
      });
    });
  }

  /** The next message: a text as it is, bytes in hex. */
  async next(): Promise<string> {
    while (this.#messages.length === 0) {
      if (this.#ended) throw new Error('the WebSocket is closed, no message came');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const { data, isBinary } = this.#messages.shift()!;
    return isBinary ? data.toString('hex') : String(data);
  }
}

export type SocketHandler = (ws: web.WebSocketResponse, request: web.Request) => unknown;

export interface SiteOptions extends TestServerOptions {
  readonly socket?: web.WebSocketResponseOptions<true>;
  readonly middlewares?: web.Middleware[];
  readonly setup?: (app: web.Application) => void;
}

export class WebSocketSite implements AsyncDisposable {
  readonly server: TestServer;
  readonly logger: CollectingLogger;
  /** Settles with the first handler. */
  readonly handled: Promise<void>;

  private constructor(server: TestServer, logger: CollectingLogger, handled: Promise<void>) {
    this.server = server;
    this.logger = logger;
    this.handled = handled;
  }

  /** `GET /` is a WebSocket, which `handler` is given when it is open. Any other path answers with the path. */
  static async start(handler: SocketHandler, options: SiteOptions = {}): Promise<WebSocketSite> {
    const { socket, middlewares = [], setup, ...runner } = options;
    const logger = collectingLogger();
    const app = new web.Application({ logger, middlewares });
    let handled = (): void => {};
    const ended = new Promise<void>((resolve) => {
      handled = resolve;
    });
    setup?.(app);
    app.router.addGet('/', async (request) => {
      const ws = new web.WebSocketResponse(socket);
      await ws.prepare(request);
      try {
        await handler(ws, request);
      } finally {
        handled();
      }
      return ws;
    });
    app.router.addRoute('*', '/{tail:.*}', async (request) => {
      return new web.Response({ text: `${request.method} ${request.rawPath} ${await request.text()}` });
    });
    const server = await new TestServer(app, { logger, ...runner }).start();
    return new WebSocketSite(server, logger, ended);
  }

  /** A client of bytes that has said nothing yet. */
  connect(): Promise<RawClient> {
    return RawClient.connect(this.server.port);
  }

  /** A client of bytes behind its handshake; `head` is what it sends. */
  async open(head: string = UPGRADE): Promise<RawPeer> {
    const client = await this.connect();
    await client.send(head);
    const received = await client.until('\r\n\r\n');
    client.received = received.slice(received.indexOf('\r\n\r\n') + 4);
    return new RawPeer(client);
  }

  /** The client of `ws`, open. */
  async ws(options: WebSocket.ClientOptions = {}, protocols: string[] = []): Promise<WsClient> {
    const client = new WsClient(
      new WebSocket(this.server.makeUrl('/').replace('http', 'ws'), protocols, options),
    );
    await client.opened;
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
  }
}

/** Sends back what comes. */
export async function echo(ws: web.WebSocketResponse): Promise<void> {
  for await (const message of ws) {
    if (message.type === web.WSMsgType.TEXT) await ws.sendStr(message.data);
    else if (message.type === web.WSMsgType.BINARY) await ws.sendBytes(message.data);
  }
}

/** A promise and what settles it. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

import type { AddressInfo } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { CIMultiDict } from '../../src/message/index.ts';
import {
  type Exchange,
  type ExchangeOwner,
  Listener,
  type ListenerOptions,
  type ResponseHead,
  Server,
  type ServerOptions,
} from '../../src/net/index.ts';
import { RawClient } from './raw-client.ts';

/** What the transport told of one exchange. */
export class Owner implements ExchangeOwner {
  /** The answer is complete, or the exchange failed with this error. */
  readonly done: Promise<Error | undefined>;
  readonly timedOut: Promise<void>;
  readonly ended: Promise<void>;
  doneCount: number;
  exchangeDone!: (error: Error | undefined) => void;
  exchangeTimedOut!: () => void;
  clientEnded!: () => void;

  constructor() {
    this.doneCount = 0;
    this.done = new Promise((resolve) => {
      this.exchangeDone = (error) => {
        this.doneCount++;
        resolve(error);
      };
    });
    this.timedOut = new Promise((resolve) => {
      this.exchangeTimedOut = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.clientEnded = resolve;
    });
  }
}

/** Answers one request. What an async one rejects with is unhandled on purpose: it fails the test. */
export type Reply = (exchange: Exchange, owner: Owner) => void | Promise<void>;

/** A server on a free port of this machine, and the clients that were made for it. All end with the test's block. */
export class NetServer implements AsyncDisposable {
  readonly server: Server;
  readonly listener: Listener;
  readonly logged: string[];
  readonly #clients: RawClient[];

  private constructor(reply: Reply, options: Partial<ServerOptions>, listen: ListenerOptions) {
    this.logged = [];
    this.#clients = [];
    const log = (message: string, ...details: unknown[]): void =>
      void this.logged.push([message, ...details].join(' '));
    this.server = new Server(
      (exchange) => {
        const owner = new Owner();
        exchange.owner = owner;
        reply(exchange, owner);
      },
      { serverHeader: false, logger: { info: log, warn: log, error: log }, ...options },
    );
    this.listener = new Listener(this.server, { host: '127.0.0.1', port: 0, ...listen });
  }

  static async start(
    reply: Reply,
    options: Partial<ServerOptions> = {},
    listen: ListenerOptions = {},
  ): Promise<NetServer> {
    const running = new NetServer(reply, options, listen);
    await running.listener.start();
    return running;
  }

  get port(): number {
    return (this.listener.address as AddressInfo).port;
  }

  async connect(tls?: ConnectionOptions): Promise<RawClient> {
    const { address } = this.listener;
    const client = await RawClient.connect(typeof address === 'string' ? address : this.port, tls);
    this.#clients.push(client);
    return client;
  }

  /** One request on a connection of its own, and all that came back; our side ends behind it. */
  async exchange(text: string): Promise<string> {
    return (await this.connect()).exchange(text);
  }

  /** Keeps nothing of clients that are closed: a test that counts memory calls it. */
  forgetClients(): void {
    this.#clients.length = 0;
  }

  /** Waits until no connection is left. */
  async quiet(): Promise<void> {
    while (this.server.connections.size > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client[Symbol.dispose]();
    await this.listener.stop();
    this.server.close();
    await this.quiet();
  }
}

/** The head of a response as `web` would give it. */
export function headOf(
  status = 200,
  headers?: Record<string, string | string[]>,
  contentTypeField?: string,
): ResponseHead {
  return {
    status,
    reason: undefined,
    ownHeaders: headers === undefined ? undefined : new CIMultiDict(headers),
    contentTypeField,
    defaultsSet: false,
  };
}

/** Answers with the request line, and the body when it is here: enough to see which request was answered. */
export function echo(exchange: Exchange): void {
  const { body, head } = exchange;
  const text = body instanceof Uint8Array ? ` ${Buffer.from(body).toString('latin1')}` : '';
  exchange.respond(headOf(exchange.error?.status ?? 200), `${head.method} ${head.target}${text}`);
}

/** What `echo` sends on a connection that lives on, without its Date line. */
export function echoed(text: string, connection = ''): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n${connection}\r\n${text}`;
}

/** A promise and what settles it. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

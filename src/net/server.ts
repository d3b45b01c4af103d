import type { Socket } from 'node:net';
import { DateLine, fieldLine } from '../http1/index.ts';
import type { ExchangeHandler } from './exchange.ts';
import { HeadCache } from './head-cache.ts';
import { Http1Exchange } from './http1-exchange.ts';
import { resolveServerOptions, type ServerOptions, tickLengthFor } from './options.ts';
import { ServerConnection } from './server-connection.ts';
import { TimerWheel } from './timer-wheel.ts';

/** Exchanges kept for the next connection that wakes up. */
const MAX_SPARE_EXCHANGES = 256;

/**
 * Serves HTTP/1.1 on sockets that are given to it; which address they come from is a `Listener`'s business. Owns the connections, their
 * clock, and the way they end.
 *
 * @example
 * ```ts
 * const server = new Server((exchange) => {
 *   exchange.owner = { exchangeDone() {}, exchangeTimedOut() {}, clientEnded() {} };
 *   exchange.respond({ status: 200, reason: undefined, ownHeaders: undefined, contentTypeField: 'text/plain', defaultsSet: false }, 'hello');
 * });
 * const listener = new Listener(server, { host: '127.0.0.1', port: 8080 });
 * await listener.start();
 * ```
 */
export class Server {
  readonly options: ServerOptions;
  readonly handler: ExchangeHandler;
  /** Requests taken since the start. */
  requestsCount: number;
  /** New requests are taken; `false` from `preShutdown` on. */
  accepting: boolean;
  /** The shutdown has begun to wait for what is left. */
  ending: boolean;
  /** @internal */
  readonly wheel: TimerWheel;
  /** @internal */
  readonly date: DateLine;
  /** @internal */
  readonly serverLine: string;
  /** @internal */
  readonly heads: HeadCache;
  readonly #connections: Set<ServerConnection>;
  readonly #spare: Http1Exchange[];
  #held: number;
  #onQuiet: (() => void)[];

  /** @throws RangeError, HeadError when an option is out of range. */
  constructor(handler: ExchangeHandler, options: Partial<ServerOptions> = {}) {
    this.options = resolveServerOptions(options);
    this.handler = handler;
    this.requestsCount = 0;
    this.accepting = true;
    this.ending = false;
    this.date = new DateLine(Date.now());
    this.wheel = new TimerWheel(tickLengthFor(this.options), () => this.date.refresh(Date.now()));
    const { serverHeader } = this.options;
    this.serverLine = serverHeader === false ? '' : fieldLine('Server', serverHeader);
    this.heads = new HeadCache();
    this.#connections = new Set();
    this.#spare = [];
    this.#held = 0;
    this.#onQuiet = [];
  }

  get connections(): ReadonlySet<ServerConnection> {
    return this.#connections;
  }

  /** Serves one more socket, or ends it at once when there are too many. */
  accept(socket: Socket): void {
    if (!this.accepting || this.#connections.size >= this.options.maxConnections) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    if (this.#connections.size === 0) this.wheel.start();
    this.#connections.add(new ServerConnection(this, socket));
  }

  /** Idle connections end now, the others after the answer they are busy with. */
  preShutdown(): void {
    this.accepting = false;
    for (const connection of this.#connections) connection.closeWhenIdle();
  }

  /**
   * Waits up to `timeout` milliseconds for the connections to end, then cuts what is left. Those that have left HTTP are told that it is time.
   */
  async shutdown(timeout: number): Promise<void> {
    this.preShutdown();
    this.ending = true;
    for (const connection of this.#connections) connection.serverEnds();
    if (this.#isBusy() && timeout > 0) await this.#quiet(timeout);
    this.close();
  }

  /** Cuts every connection. */
  close(): void {
    this.accepting = false;
    for (const connection of this.#connections) connection.destroy();
    this.wheel.stop();
  }

  /** @internal A connection has something to do. */
  borrowExchange(connection: ServerConnection): Http1Exchange {
    const exchange = this.#spare.pop();
    if (exchange === undefined) return new Http1Exchange(this, connection);
    exchange.attach(connection);
    return exchange;
  }

  /** @internal A connection has nothing to do any more. */
  returnExchange(exchange: Http1Exchange): void {
    if (this.#spare.length < MAX_SPARE_EXCHANGES) this.#spare.push(exchange);
  }

  /** @internal A connection is gone. */
  forget(connection: ServerConnection): void {
    this.wheel.remove(connection);
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.wheel.stop();
    this.settled();
  }

  /** @internal Makes a shutdown wait until the function that is returned was called. */
  hold(): () => void {
    let held = true;
    this.#held++;
    return () => {
      if (!held) return;
      held = false;
      this.#held--;
      this.settled();
    };
  }

  /** @internal Something that a shutdown may wait for has ended. */
  settled(): void {
    if (this.#onQuiet.length === 0 || this.#isBusy()) return;
    for (const resolve of this.#onQuiet.splice(0)) resolve();
  }

  #isBusy(): boolean {
    if (this.#held > 0) return true;
    for (const connection of this.#connections) if (connection.busy) return true;
    return false;
  }

  #quiet(timeout: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeout);
      this.#onQuiet.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

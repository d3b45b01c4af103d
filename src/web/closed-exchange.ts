import type { Socket } from 'node:net';
import type { StreamReader } from '../message/index.ts';
import type { Endpoint, Exchange, ExchangeOwner, RequestHead, UpgradedConnection } from '../net/index.ts';
import { ClientDisconnectedError, ExchangeStateError, PayloadAccessError } from './exchange-errors.ts';

function over(what: string): ExchangeStateError {
  return new ExchangeStateError(
    'AIO_REQUEST_OVER',
    `${what} is not available any more: the answer to this request was sent, and the connection serves the next one. ` +
      'Read what you need before you return the response.',
  );
}

/**
 * What stands behind a request whose answer is complete. The real exchange serves the next request by then, so code that
 * kept the request (a background task) must get an error, never the data of somebody else's request.
 */
class ClosedExchange implements Exchange {
  readonly error: undefined = undefined;
  readonly started: boolean = true;
  readonly bytesSent: number = 0;
  readonly serverHeader: undefined = undefined;

  get head(): RequestHead {
    throw over('The head of the request');
  }
  get body(): Uint8Array | StreamReader | undefined {
    throw new PayloadAccessError(
      'The body of this request cannot be read any more: its answer was sent. Read it before you return the response.',
    );
  }
  get trailers(): undefined {
    throw over('request.trailers');
  }
  get secure(): boolean {
    throw over('request.secure');
  }
  get remote(): Endpoint | undefined {
    throw over('request.remote');
  }
  get local(): Endpoint | undefined {
    throw over('The local address');
  }
  get socket(): Socket | undefined {
    throw over('request.transport');
  }
  get owner(): ExchangeOwner | undefined {
    return undefined;
  }
  set owner(_owner: ExchangeOwner | undefined) {
    throw over('The exchange');
  }
  get keepAlive(): boolean {
    return false;
  }
  set keepAlive(_value: boolean) {
    // Nothing left to close.
  }
  sendContinue(): void {
    throw over('The exchange');
  }
  respond(): void {
    throw gone();
  }
  start(): void {
    throw gone();
  }
  write(): Promise<void> | undefined {
    throw gone();
  }
  end(): Promise<void> | undefined {
    throw gone();
  }
  upgrade(): UpgradedConnection {
    throw gone();
  }
  abort(): void {
    // Nothing left to cut.
  }
}

function gone(): ClientDisconnectedError {
  return new ClientDisconnectedError('Nothing more can be sent: the exchange with this client has ended.');
}

/** What stands behind a request whose connection left HTTP and is closed: no other request came on it, so what was known still holds. */
export class LeftExchange extends ClosedExchange {
  readonly #head: RequestHead;
  readonly #secure: boolean;
  readonly #remote: Endpoint | undefined;
  readonly #local: Endpoint | undefined;
  readonly #socket: Socket | undefined;

  constructor(exchange: Exchange) {
    super();
    this.#head = exchange.head;
    this.#secure = exchange.secure;
    this.#remote = exchange.remote;
    this.#local = exchange.local;
    this.#socket = exchange.socket;
  }

  override get head(): RequestHead {
    return this.#head;
  }
  override get body(): undefined {
    return undefined;
  }
  override get trailers(): undefined {
    return undefined;
  }
  override get secure(): boolean {
    return this.#secure;
  }
  override get remote(): Endpoint | undefined {
    return this.#remote;
  }
  override get local(): Endpoint | undefined {
    return this.#local;
  }
  override get socket(): Socket | undefined {
    return this.#socket;
  }
}

/** Whether the exchange that a request stood on has ended. */
export function isClosed(exchange: Exchange): boolean {
  return exchange instanceof ClosedExchange;
}

/** One for all: it holds nothing. */
export const CLOSED_EXCHANGE: Exchange = new ClosedExchange();

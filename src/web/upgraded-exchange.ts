import { isCancelled } from '../asyncio/index.ts';
import type { Exchange, ExchangeOwner } from '../net/index.ts';
import { type CloseOptions, WSCloseCode, WSMessageTypeError } from '../websocket/index.ts';
import type { BaseRequest } from './base-request.ts';
import { LeftExchange } from './closed-exchange.ts';
import { GracefulExit } from './errors.ts';
import { ClientDisconnectedError } from './exchange-errors.ts';

/** What is needed of a WebSocket, whatever its texts are. */
interface Closable {
  readonly closed: boolean;
  readonly closeCode: number | undefined;
  readonly peerClosed: boolean;
  readonly closedHere: boolean;
  close(options?: CloseOptions): Promise<boolean>;
  abort(): void;
}

const ABNORMAL: number = WSCloseCode.ABNORMAL_CLOSURE;

/**
 * The exchange of a request that became a WebSocket. It lasts until the connection is closed, its handler until it returns: a shutdown waits for both,
 * and each may be the first to end.
 */
export class UpgradedExchange implements ExchangeOwner {
  readonly #owner: ExchangeOwner;
  readonly #request: BaseRequest;
  readonly #channel: Closable;
  readonly #left: LeftExchange;
  readonly #release: (() => void) | undefined;
  #handlerEnded: boolean;
  #serverEnds: boolean;

  /** @param owner - who hears of the end otherwise: the request, or who watches it */
  constructor(exchange: Exchange, owner: ExchangeOwner, request: BaseRequest, channel: Closable) {
    this.#owner = owner;
    this.#request = request;
    this.#channel = channel;
    // The handler may well ask for an address when the socket is closed, and knows none any more.
    this.#left = new LeftExchange(exchange);
    this.#release = exchange.hold?.();
    this.#handlerEnded = false;
    this.#serverEnds = false;
    exchange.owner = this;
  }

  /** The connection is closed. */
  exchangeDone(): void {
    const request = this.#request;
    const channel = this.#channel;
    channel.abort();
    const cut = channel.closeCode === ABNORMAL;
    // Whoever works for a client that closed in good order should stop too, but nothing went wrong.
    if (channel.peerClosed && !channel.closedHere && !this.#handlerEnded) request.clientEnded();
    this.#owner.exchangeDone(cut ? new ClientDisconnectedError('The WebSocket was cut.') : undefined);
    // No other request will come on this connection: what is known of this one stays known.
    request._exchange = this.#left;
    for (const clone of request._extras?.clones ?? []) clone._exchange = this.#left;
  }

  exchangeTimedOut(): void {
    this.#owner.exchangeTimedOut();
  }

  clientEnded(): void {
    this.#owner.clientEnded();
  }

  serverEnds(): void {
    this.#serverEnds = true;
    this.#close(WSCloseCode.GOING_AWAY);
  }

  handlerEnded(): void {
    this.#handlerEnded = true;
    this.#release?.();
  }

  /** Tells the client that its handler failed, and the caller whether to log it. */
  handlerFailed(error: unknown): 'log' | 'ignore' {
    this.handlerEnded();
    if (isCancelled(error)) {
      this.#close(WSCloseCode.GOING_AWAY);
      return 'ignore';
    }
    if (error instanceof GracefulExit) return 'ignore'; // the shutdown that follows closes it
    if ((this.#channel.closed || this.#serverEnds) && isEnd(error)) return 'ignore';
    this.#close(WSCloseCode.INTERNAL_ERROR);
    return 'log';
  }

  #close(code: number): void {
    this.#channel.close({ code }).catch(() => this.#channel.abort());
  }
}

/** What a handler throws that did not expect the end: it was sending, waiting for a message of some kind, or for something else with the request's signal. */
function isEnd(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  return (
    code === 'AIO_CLIENT_DISCONNECTED' ||
    code === 'AIO_WS_CLOSED' ||
    error instanceof WSMessageTypeError ||
    error.name === 'AbortError'
  );
}

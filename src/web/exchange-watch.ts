import { inspect } from 'node:util';
import type { Task } from '../asyncio/index.ts';
import type { Exchange, ExchangeOwner } from '../net/index.ts';
import type { AbstractAccessLogger } from './access-log.ts';
import type { Request } from './request.ts';
import type { Logger } from './types.ts';

/**
 * Stands between a transport and its request when somebody wants to know how an exchange ends: an access log, a task to
 * cancel, a time limit. Without any of these the request itself is the owner and none of this costs anything.
 */
export class ExchangeWatch implements ExchangeOwner {
  task: Task<unknown> | undefined = undefined;
  readonly #exchange: Exchange;
  readonly #request: Request;
  readonly #logger: Logger;
  readonly #accessLogger: AbstractAccessLogger | undefined;
  readonly #onTimeout: () => void;
  readonly #start: number;

  constructor(
    exchange: Exchange,
    request: Request,
    logger: Logger,
    accessLogger: AbstractAccessLogger | undefined,
    onTimeout: () => void,
  ) {
    this.#exchange = exchange;
    this.#request = request;
    this.#logger = logger;
    this.#accessLogger = accessLogger;
    this.#onTimeout = onTimeout;
    this.#start = accessLogger === undefined ? 0 : performance.now();
    exchange.owner = this;
  }

  exchangeDone(error: Error | undefined): void {
    const request = this.#request;
    if (this.#accessLogger !== undefined) this.#log(this.#accessLogger, error);
    request.exchangeDone(error);
    if (error !== undefined) this.task?.cancel('the client disconnected');
  }

  exchangeTimedOut(): void {
    this.#request.exchangeTimedOut();
    this.#onTimeout();
    this.task?.cancel('the handler took longer than handlerTimeout');
  }

  clientEnded(): void {
    this.#request.clientEnded();
    this.task?.cancel('the client disconnected');
  }

  /** Before the exchange is given back: afterwards head and addresses belong to the next request. */
  #log(accessLogger: AbstractAccessLogger, error: Error | undefined): void {
    try {
      accessLogger.log({
        request: this.#request,
        response: this.#request._response,
        bytesSent: this.#exchange.bytesSent,
        duration: performance.now() - this.#start,
        error,
      });
    } catch (failure) {
      this.#logger.error(`The access logger failed\n${inspect(failure)}`);
    }
  }
}

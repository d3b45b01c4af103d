import { inspect } from 'node:util';
import { contextVarsInUse, copyContext, createTask, isCancelled, type Task } from '../asyncio/index.ts';
import { ProtocolError } from '../http1/index.ts';
import { type Exchange, type ExchangeHandler, RequestPayloadError } from '../net/index.ts';
import type { AbstractAccessLogger } from './access-log.ts';
import { CLOSED_EXCHANGE } from './closed-exchange.ts';
import { serverErrorPage, timeoutPage } from './error-page.ts';
import { GracefulExit, HandlerResultError } from './errors.ts';
import { ClientDisconnectedError } from './exchange-errors.ts';
import { ExchangeWatch } from './exchange-watch.ts';
import { describeRequest, isThenable, toFinalResponse } from './handler-result.ts';
import { HTTPException, HTTPInternalServerError } from './http-exceptions.ts';
import { Request } from './request.ts';
import { Response } from './response.ts';
import { StreamResponse } from './stream-response.ts';
import type { Awaitable, HandlerResult, Logger } from './types.ts';

/** What a dispatcher is made with. */
export interface DispatcherOptions {
  readonly logger: Logger;
  /** Called for every finished exchange; no time is taken without it. */
  readonly accessLogger?: AbstractAccessLogger | undefined;
  /** Runs every handler as a task that a disconnect of its client cancels. Default `false`. */
  readonly handlerCancellation?: boolean | undefined;
  /** Milliseconds; the transport watches the clock, the dispatcher answers 504. Default 0: no limit. */
  readonly handlerTimeout?: number | undefined;
  /** A handler threw `GracefulExit`. */
  readonly onGracefulExit?: (() => void) | undefined;
}

/** Which answer failed: the handler's, then the one made from its error, then the page that says no more than 500. */
const HANDLER = 0;
const EXCEPTION = 1;
const LAST = 2;

/**
 * The way of a request from the transport to its handler, and of the response back: no async function on it, and nothing
 * allocated but the request itself. A handler that returns a value is answered in the same tick, a promise costs one `then`.
 */
export class Dispatcher {
  readonly handle: ExchangeHandler;
  private readonly begin: (request: Request) => Awaitable<HandlerResult>;
  private readonly logger: Logger;
  private readonly accessLogger: AbstractAccessLogger | undefined;
  private readonly cancellation: boolean;
  private readonly onGracefulExit: (() => void) | undefined;

  /** @param begin - finds the handler of a request and calls it, middlewares included */
  constructor(begin: (request: Request) => Awaitable<HandlerResult>, options: DispatcherOptions) {
    this.begin = begin;
    this.logger = options.logger;
    this.accessLogger = options.accessLogger?.enabled === true ? options.accessLogger : undefined;
    this.cancellation = options.handlerCancellation ?? false;
    this.onGracefulExit = options.onGracefulExit;
    const watched = this.accessLogger !== undefined || this.cancellation || (options.handlerTimeout ?? 0) > 0;
    this.handle = watched
      ? (exchange) => this.runWatched(exchange)
      : (exchange) => this.run(new Request(exchange));
  }

  private run(request: Request): void {
    let result: Awaitable<HandlerResult>;
    try {
      // A context variable that one request sets must not be seen by another; who has none pays nothing.
      result = contextVarsInUse() ? copyContext().run(() => this.begin(request)) : this.begin(request);
    } catch (error) {
      this.fail(request, error, HANDLER);
      return;
    }
    if (result instanceof StreamResponse) this.send(request, result, HANDLER);
    else if (isThenable(result)) this.wait(request, result);
    else this.finish(request, result);
  }

  private runWatched(exchange: Exchange): void {
    const request = new Request(exchange);
    const watch = new ExchangeWatch(exchange, request, this.logger, this.accessLogger, () =>
      this.timeOut(request),
    );
    if (!this.cancellation) {
      this.run(request);
      return;
    }
    watch.task = createTask(() => this.begin(request));
    this.wait(request, watch.task as Task<HandlerResult>);
  }

  private wait(request: Request, result: PromiseLike<HandlerResult>): void {
    result.then(
      (value) => this.finish(request, value),
      (error: unknown) => this.fail(request, error, HANDLER),
    );
  }

  private finish(request: Request, result: HandlerResult): void {
    let response: StreamResponse;
    try {
      response = result instanceof StreamResponse ? result : toFinalResponse(result, request);
    } catch (error) {
      this.fail(request, error, HANDLER);
      return;
    }
    this.send(request, response, HANDLER);
  }

  private send(request: Request, response: StreamResponse, attempt: number): void {
    if (request._exchange === CLOSED_EXCHANGE) {
      // The client left, or was told 504. Whatever the response holds open must not stay so.
      response._exchangeFailed(request._failure ?? new ClientDisconnectedError('The exchange has ended.'));
      return;
    }
    let sent: void | Promise<void>;
    try {
      sent = response._send(request);
    } catch (error) {
      this.sendFailed(request, response, error, attempt);
      return;
    }
    if (sent !== undefined) {
      sent.then(undefined, (error: unknown) => this.sendFailed(request, response, error, attempt));
    }
  }

  private sendFailed(request: Request, response: StreamResponse, error: unknown, attempt: number): void {
    // A response that was sent for another request already is not this one's to release.
    if (response._request === undefined || response._request === request) {
      response._exchangeFailed(error instanceof Error ? error : new Error('The response could not be sent'));
    }
    this.fail(request, error, attempt);
  }

  /**
   * Decides what an error means for the client. Nothing of the error reaches it but what an `HTTPException` says on purpose.
   */
  private fail(request: Request, error: unknown, attempt: number): void {
    const exchange = request._exchange;
    const upgraded = request._response?._handlerFailed(error);
    if (upgraded !== undefined) {
      if (error instanceof GracefulExit) this.onGracefulExit?.();
      else if (upgraded === 'log') this.log(request, error, 'on its WebSocket');
      return;
    }
    if (isCancelled(error)) {
      exchange.abort();
      return;
    }
    if (isDisconnect(error, request)) {
      exchange.abort();
      return;
    }
    if (error instanceof GracefulExit) {
      exchange.abort();
      this.onGracefulExit?.();
      return;
    }
    if (exchange === CLOSED_EXCHANGE) {
      if (!isAbort(error)) this.log(request, error, 'after its client had left');
      return;
    }
    if (exchange.started || attempt === LAST) {
      this.log(request, error, 'after the head of the answer was sent; the connection was cut');
      exchange.abort();
      return;
    }
    if (attempt === HANDLER) {
      const response = expectedFailure(error);
      if (response !== undefined) {
        if (exchange.error !== undefined) this.warnOfBadRequest(request, exchange);
        if (!(error instanceof HTTPException)) exchange.keepAlive = false;
        this.send(request, response, EXCEPTION);
        return;
      }
    }
    if (error instanceof HandlerResultError) {
      // The handler ended in good order, so the connection may go on.
      this.log(request, error, undefined);
      this.send(request, new HTTPInternalServerError().toResponse(), LAST);
      return;
    }
    exchange.keepAlive = false;
    if (isTimeout(error)) {
      this.log(request, error, 'in time');
      this.send(request, timeoutPage(), LAST);
      return;
    }
    this.log(request, error, undefined);
    this.send(request, serverErrorPage(exchange.head.header('accept')), LAST);
  }

  /** The transport's clock says that the handler took too long. */
  private timeOut(request: Request): void {
    const exchange = request._exchange;
    if (exchange === CLOSED_EXCHANGE) return;
    this.logger.warn(`Handler of ${describeRequest(request)} took longer than handlerTimeout`);
    exchange.keepAlive = false;
    if (exchange.started) exchange.abort();
    else this.send(request, timeoutPage(), LAST);
  }

  private warnOfBadRequest(request: Request, exchange: Exchange): void {
    this.logger.warn(`Bad request from ${request.remote ?? 'a client'}: ${exchange.error?.message}`);
  }

  private log(request: Request, error: unknown, when: string | undefined): void {
    const what = `Error handling ${describeRequest(request)}${when === undefined ? '' : ` ${when}`}`;
    this.logger.error(`${what}\n${inspect(error)}`);
  }
}

/** The answer to errors that are no defect of the program. */
function expectedFailure(error: unknown): StreamResponse | undefined {
  if (error instanceof HTTPException) return error.toResponse();
  // A body that breaks the protocol in its middle, or stays away, reaches the handler as the failure of a read.
  if (error instanceof ProtocolError || error instanceof RequestPayloadError) {
    return new Response({ status: error.status, text: error.message });
  }
  return undefined;
}

/** A wait of the handler that ended because its client left. */
function isDisconnect(error: unknown, request: Request): boolean {
  if (!(error instanceof Error)) return false;
  return error === request._failure || (error as { code?: unknown }).code === 'AIO_CLIENT_DISCONNECTED';
}

/** Ours, and the one of `AbortSignal.timeout`. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

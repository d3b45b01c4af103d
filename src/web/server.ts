import { Server as NetServer, type ServerOptions } from '../net/index.ts';
import { type AbstractAccessLogger, type AccessLogOptions, makeAccessLogger } from './access-log.ts';
import { badRequestException } from './bad-request.ts';
import { Dispatcher } from './dispatch.ts';
import type { BaseRequest, Request } from './request.ts';
import type { Awaitable, HandlerResult } from './types.ts';

/** Options of a server whose requests go to one function, or to an application. */
export interface WebServerOptions extends Partial<ServerOptions>, AccessLogOptions {
  /**
   * Runs every handler as a task that is cancelled when its client leaves. Default `false`: a handler runs to its end, and can
   * look at `request.signal`.
   */
  readonly handlerCancellation?: boolean | undefined;
}

/** A handler of a low-level server. */
export type RawHandler = (request: BaseRequest) => Awaitable<HandlerResult>;

/**
 * A server without routes: every request goes to one function. Run it with a `ServerRunner`. Counterpart of `aiohttp.web.Server`.
 *
 * @example
 * ```ts
 * const server = new web.Server((request) => new web.Response({ text: request.path }));
 * const runner = new web.ServerRunner(server);
 * await runner.setup();
 * await new web.TCPSite(runner, 'localhost', 8080).start();
 * ```
 */
export class Server extends NetServer {
  readonly #accessLogger: AbstractAccessLogger | undefined;
  /** @internal The runner that serves it, told when a handler throws `GracefulExit`. */
  _onGracefulExit: (() => void) | undefined;

  /** @throws RangeError when an option is out of range */
  constructor(handler: RawHandler, options: WebServerOptions = {}) {
    const {
      accessLog: _log,
      accessLogClass: _class,
      accessLogFormat: _format,
      handlerCancellation,
      ...rest
    } = options;
    const logger = options.logger ?? console;
    const accessLogger = makeAccessLogger(options, logger);
    const begin = (request: Request): Awaitable<HandlerResult> => {
      if (request._exchange.error !== undefined) throw badRequestException(request);
      return handler(request);
    };
    const dispatcher = new Dispatcher(begin, {
      logger,
      accessLogger,
      handlerCancellation,
      handlerTimeout: options.handlerTimeout,
      onGracefulExit: () => this._onGracefulExit?.(),
    });
    super(dispatcher.handle, rest);
    this.#accessLogger = accessLogger;
    this._onGracefulExit = undefined;
  }

  /** What writes the access log; `undefined` when none is written. */
  get accessLogger(): AbstractAccessLogger | undefined {
    return this.#accessLogger;
  }
}

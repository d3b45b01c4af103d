import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Server as NetServer } from '../net/index.ts';
import { makeAccessLogger } from './access-log.ts';
import type { Application } from './application.ts';
import { throwCollected } from './cleanup-context.ts';
import { Dispatcher } from './dispatch.ts';
import { StateError } from './errors.ts';
import { ExitSignals } from './exit-signals.ts';
import type { Server, WebServerOptions } from './server.ts';
import type { BaseSite } from './sites.ts';

/** What every runner can be made with. */
export interface BaseRunnerOptions {
  /**
   * SIGINT and SIGTERM start `cleanup()`; a second one ends the process at once, with exit code 130 or 143. Default `false`.
   */
  readonly handleSignals?: boolean | undefined;
  /** Milliseconds that running handlers get to end before their connections are cut. Default 60 000. */
  readonly shutdownTimeout?: number | undefined;
}

/** Options of `AppRunner`: those of the server win over the application's `handlerArgs`. */
export interface AppRunnerOptions extends BaseRunnerOptions, WebServerOptions {}

const DEFAULT_SHUTDOWN_TIMEOUT = 60_000;

/** Starts and ends what serves requests: the part that `AppRunner` and `ServerRunner` share. */
export abstract class BaseRunner {
  /**
   * Settles when `cleanup()` is done, whoever called it: resolves, or rejects with what went wrong in the clean-up.
   */
  readonly closed: Promise<void>;
  readonly #sites = new Set<BaseSite>();
  readonly #shutdownTimeout: number;
  readonly #signals: ExitSignals | undefined;
  #settleClosed: (result: Promise<void>) => void = () => {};
  #setup: Promise<void> | undefined;
  #cleanup: Promise<void> | undefined;
  #server: NetServer | undefined;

  /** @throws RangeError when `shutdownTimeout` is not a number of milliseconds */
  constructor(options: BaseRunnerOptions) {
    const { shutdownTimeout = DEFAULT_SHUTDOWN_TIMEOUT } = options;
    if (typeof shutdownTimeout !== 'number' || !(shutdownTimeout >= 0)) {
      throw new RangeError(
        `shutdownTimeout must be a number of milliseconds, got ${String(shutdownTimeout)}`,
      );
    }
    this.#shutdownTimeout = shutdownTimeout;
    this.#signals = options.handleSignals === true ? new ExitSignals(() => this.stop()) : undefined;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    this.closed.catch(() => {}); // it is optional to look at it
  }

  /** @internal Starts what is behind the server, and makes the server. */
  protected abstract open(): Promise<NetServer>;
  /** @internal Tells what is behind the server that it ends. */
  protected abstract announceEnd(): Promise<void>;
  /** @internal Releases what is behind the server. */
  protected abstract release(): Promise<void>;
  /** @internal Where a failure goes that nobody waits for. */
  protected abstract report(message: string): void;

  /** The transport; `undefined` before `setup()`. */
  get server(): NetServer | undefined {
    return this.#server;
  }

  /** The sites that listen. */
  get sites(): ReadonlySet<BaseSite> {
    return this.#sites;
  }

  /** Where the sites listen: an address with its port, or the path of a Unix socket. */
  get addresses(): (AddressInfo | string)[] {
    return [...this.#sites].map((site) => site.address).filter((address) => address !== null);
  }

  /** Whether `cleanup()` has begun. */
  get closing(): boolean {
    return this.#cleanup !== undefined;
  }

  /**
   * Starts the application and makes the server. A second call gives the same promise.
   * @throws whatever the start throws; call `cleanup()` then as well
   */
  setup(): Promise<void> {
    this.#setup ??= this.#begin();
    return this.#setup;
  }

  async #begin(): Promise<void> {
    if (this.#cleanup !== undefined) {
      throw new StateError(
        'AIO_RUNNER_STATE',
        'This runner was cleaned up and cannot start again: make a new one',
      );
    }
    this.#signals?.watch();
    this.#server = await this.open();
  }

  /**
   * Ends everything in good order: stops listening, ends idle connections, calls `onShutdown`, waits for running handlers up to `shutdownTimeout`,
   * cuts what is left, then cleans the application up. A second call gives the same promise.
   *
   * @throws what went wrong on the way; every step is taken all the same
   */
  cleanup(): Promise<void> {
    if (this.#cleanup === undefined) {
      this.#cleanup = this.#end();
      this.#settleClosed(this.#cleanup);
    }
    return this.#cleanup;
  }

  /** Begins `cleanup()` where nobody can wait for it; its failure is reported and kept in `closed`. */
  protected stop(): void {
    this.cleanup().catch((error: unknown) => this.report(`Cleaning up failed\n${inspect(error)}`));
  }

  async #end(): Promise<void> {
    const errors: unknown[] = [];
    const attempt = async (step: () => Promise<unknown>): Promise<void> => {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    };
    // A start that is still under way would make things that nobody releases.
    await this.#setup?.catch(() => {});
    for (const site of this.#sites) await attempt(() => site.stop());
    const server = this.#server;
    if (server !== undefined) {
      // Requests that have arrived already are begun before connections without one are ended.
      await setImmediate();
      server.preShutdown();
      await attempt(() => this.announceEnd());
      await attempt(() => server.shutdown(this.#shutdownTimeout));
      // Sockets that were cut tell their requests in the next turn.
      await setImmediate();
    }
    await attempt(() => this.release());
    this.#signals?.forget();
    throwCollected(errors);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanup();
  }

  /** @internal */
  _register(site: BaseSite): NetServer {
    if (this.#server === undefined || this.closing) {
      throw new StateError(
        'AIO_RUNNER_STATE',
        this.closing
          ? 'The runner is being cleaned up: a site cannot start any more'
          : 'Call await runner.setup() before a site is started',
      );
    }
    if (this.#sites.has(site))
      throw new StateError('AIO_SITE_STATE', `The site ${site.name} was started already`);
    this.#sites.add(site);
    return this.#server;
  }

  /** @internal */
  _unregister(site: BaseSite): void {
    this.#sites.delete(site);
  }
}

/**
 * Runs an application on any number of sites. For more control than `runApp` gives: several applications in one process,
 * a server beside other work. Counterpart of `aiohttp.web.AppRunner`.
 *
 * @example
 * ```ts
 * await using runner = new web.AppRunner(app);
 * await runner.setup();
 * await new web.TCPSite(runner, 'localhost', 8080).start();
 * ```
 */
export class AppRunner extends BaseRunner {
  readonly app: Application;
  readonly #options: WebServerOptions;

  /** @throws TypeError when `app` is no application; RangeError when an option is out of range */
  constructor(app: Application, options: AppRunnerOptions = {}) {
    const { handleSignals, shutdownTimeout, ...serverOptions } = options;
    super({ handleSignals, shutdownTimeout });
    if (typeof (app as Partial<Application> | undefined)?._handle !== 'function') {
      throw new TypeError(`AppRunner needs a web.Application, got ${inspect(app, { depth: 0 })}`);
    }
    this.app = app;
    this.#options = { logger: app.logger, ...app.handlerArgs, ...serverOptions };
  }

  protected override async open(): Promise<NetServer> {
    const { app } = this;
    const {
      accessLog: _log,
      accessLogClass: _class,
      accessLogFormat: _format,
      handlerCancellation,
      ...rest
    } = this.#options;
    const accessLogger = makeAccessLogger(this.#options, app.logger);
    const dispatcher = new Dispatcher((request) => app._handle(request), {
      logger: app.logger,
      accessLogger,
      handlerCancellation,
      handlerTimeout: rest.handlerTimeout,
      onGracefulExit: () => this.stop(),
    });
    const server = new NetServer(dispatcher.handle, rest); // wrong options are found before the application starts
    await app.startup();
    app.freeze();
    return server;
  }

  protected override announceEnd(): Promise<void> {
    return this.app.shutdown();
  }

  protected override release(): Promise<void> {
    return this.app.cleanup();
  }

  protected override report(message: string): void {
    this.app.logger.error(message);
  }
}

/**
 * Runs a low-level `Server` on any number of sites. Counterpart of `aiohttp.web.ServerRunner`.
 *
 * @example
 * ```ts
 * await using runner = new web.ServerRunner(new web.Server(() => new web.Response({ text: 'hello' })));
 * await runner.setup();
 * await new web.TCPSite(runner, '127.0.0.1', 8080).start();
 * ```
 */
export class ServerRunner extends BaseRunner {
  readonly #webServer: Server;

  constructor(server: Server, options: BaseRunnerOptions = {}) {
    super(options);
    this.#webServer = server;
  }

  protected override open(): Promise<NetServer> {
    this.#webServer._onGracefulExit = () => this.stop();
    return Promise.resolve(this.#webServer);
  }

  protected override announceEnd(): Promise<void> {
    return Promise.resolve();
  }

  protected override release(): Promise<void> {
    return Promise.resolve();
  }

  protected override report(message: string): void {
    this.#webServer.options.logger.error(message);
  }
}

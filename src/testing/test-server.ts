import type { AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';
import {
  type Application,
  AppRunner,
  type AppRunnerOptions,
  type BaseRunner,
  type RawHandler,
  Server,
  ServerRunner,
  TCPSite,
  type WebServerOptions,
} from '../web/index.ts';

/** Where a test server listens. */
export interface TestServerAddress {
  /** Default `'127.0.0.1'`. */
  readonly host?: string | undefined;
  /** Default 0: a free one. */
  readonly port?: number | undefined;
  /** Serves https with these options of `node:tls`. */
  readonly sslContext?: TlsOptions | undefined;
}

/** Options of `TestServer`. */
export interface TestServerOptions extends TestServerAddress, AppRunnerOptions {}

/** Options of `RawTestServer`. */
export interface RawTestServerOptions extends TestServerAddress, WebServerOptions {}

/** A test should not hang on a handler that hangs. */
const SHUTDOWN_TIMEOUT = 5_000;

/** What `TestServer` and `RawTestServer` share: a runner on a free port of the loopback interface. */
export abstract class BaseTestServer implements AsyncDisposable {
  readonly #runner: BaseRunner;
  readonly #site: TCPSite;
  readonly #scheme: string;
  readonly #host: string;

  constructor(runner: BaseRunner, address: TestServerAddress) {
    const { host = '127.0.0.1', port = 0, sslContext } = address;
    this.#runner = runner;
    this.#host = host;
    this.#scheme = sslContext === undefined ? 'http' : 'https';
    this.#site = new TCPSite(runner, host, port, { sslContext });
  }

  /** What serves the requests. */
  get runner(): BaseRunner {
    return this.#runner;
  }

  get scheme(): string {
    return this.#scheme;
  }

  get host(): string {
    return this.#host;
  }

  /** It listens. */
  get started(): boolean {
    return this.#site.address !== null;
  }

  /** The port that is listened on. @throws Error before `start()` */
  get port(): number {
    const { address } = this.#site;
    if (address === null) throw new Error('The test server does not listen: call await server.start() first');
    return (address as AddressInfo).port;
  }

  /** Starts the application and listens. Returns the server: `await using server = await new TestServer(app).start()`. */
  async start(): Promise<this> {
    try {
      await this.#runner.setup();
      await this.#site.start();
    } catch (error) {
      await this.close().catch(() => {}); // the first error is the one to show
      throw error;
    }
    return this;
  }

  /** The whole URL of a path. */
  makeUrl(path: string): string {
    const host = this.#host.includes(':') ? `[${this.#host}]` : this.#host;
    return new URL(path, `${this.#scheme}://${host}:${this.port}`).href;
  }

  /**
   * Makes a request over a real socket by the platform's `fetch`. Redirects are not followed unless `init` says so.
   */
  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(this.makeUrl(path), { redirect: 'manual', ...init });
  }

  /** Ends the server in good order and cleans the application up. */
  close(): Promise<void> {
    return this.#runner.cleanup();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Serves an application on a free port for the time of a test. Counterpart of `aiohttp.test_utils.TestServer`.
 *
 * @example
 * ```ts
 * await using server = await new TestServer(app).start();
 * const response = await server.fetch('/');
 * assert.equal(await response.text(), 'Hello, world');
 * ```
 */
export class TestServer extends BaseTestServer {
  readonly app: Application;

  constructor(app: Application, options: TestServerOptions = {}) {
    const { host, port, sslContext, ...runnerOptions } = options;
    super(new AppRunner(app, { shutdownTimeout: SHUTDOWN_TIMEOUT, ...runnerOptions }), {
      host,
      port,
      sslContext,
    });
    this.app = app;
  }
}

/**
 * Serves one handler, without routes, for the time of a test. Counterpart of `aiohttp.test_utils.RawTestServer`.
 *
 * @example
 * ```ts
 * await using server = await new RawTestServer((request) => new web.Response({ text: request.path })).start();
 * ```
 */
export class RawTestServer extends BaseTestServer {
  constructor(handler: RawHandler, options: RawTestServerOptions = {}) {
    const { host, port, sslContext, ...serverOptions } = options;
    super(new ServerRunner(new Server(handler, serverOptions), { shutdownTimeout: SHUTDOWN_TIMEOUT }), {
      host,
      port,
      sslContext,
    });
  }
}

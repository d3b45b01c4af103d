import {
  type ClientResponse,
  ClientSession,
  type ClientSessionOptions,
  type ClientWebSocketResponse,
  CookieJar,
  type RequestOptions,
  type WSConnectOptions,
} from '../client/index.ts';
import type { Application } from '../web/index.ts';
import { BaseTestServer, TestServer } from './test-server.ts';

/**
 * A session whose paths lead to a test server, which it starts and ends. Its jar keeps cookies of addresses too. Counterpart of
 * `aiohttp.test_utils.TestClient`.
 *
 * @example
 * ```ts
 * await using client = await new TestClient(app).start();
 * const response = await client.post('/users', { json: { name: 'ada' } });
 * assert.equal(response.status, 201);
 * ```
 */
export class TestClient implements AsyncDisposable {
  readonly server: BaseTestServer;
  readonly #options: ClientSessionOptions;
  #session: ClientSession | undefined;

  /**
   * @param served a test server, started or not, or an application to make one for
   * @param options of the session
   */
  constructor(served: BaseTestServer | Application, options: ClientSessionOptions = {}) {
    this.server = served instanceof BaseTestServer ? served : new TestServer(served);
    this.#options = options;
    this.#session = undefined;
  }

  /** Starts the server if it does not listen yet, and opens the session. Returns the client. */
  async start(): Promise<this> {
    if (!this.server.started) await this.server.start();
    this.#session ??= new ClientSession({ cookieJar: new CookieJar({ unsafe: true }), ...this.#options });
    return this;
  }

  get host(): string {
    return this.server.host;
  }

  /** @throws Error before `start()` */
  get port(): number {
    return this.server.port;
  }

  /** @throws Error before `start()` */
  get session(): ClientSession {
    if (this.#session === undefined) {
      throw new Error('The test client was not started: call await client.start() first');
    }
    return this.#session;
  }

  /** The whole URL of a path. */
  makeUrl(path: string): string {
    return this.server.makeUrl(path);
  }

  request(method: string, path: string, options?: RequestOptions): Promise<ClientResponse> {
    return this.session.request(method, this.makeUrl(path), options);
  }

  get(path: string, options?: RequestOptions): Promise<ClientResponse> {
    return this.session.get(this.makeUrl(path), options);
  }

  post(path: string, options?: RequestOptions): Promise<ClientResponse> {
    return this.session.post(this.makeUrl(path), options);
  }

  put(path: string, options?: RequestOptions): Promise<ClientResponse> {
    return this.session.put(this.makeUrl(path), options);
  }

  patch(path: string, options?: RequestOptions): Promise<ClientResponse> {
    return this.session.patch(this.makeUrl(path), options);
  }

  delete(path: string, options?: RequestOptions): Promise<ClientResponse> {
    return this.session.delete(this.makeUrl(path), options);
  }

  options(path: string, options?: RequestOptions): Promise<ClientResponse> {
    return this.session.options(this.makeUrl(path), options);
  }

  /** Does not follow redirects, as `session.head()`. */
  head(path: string, options?: RequestOptions): Promise<ClientResponse> {
    return this.session.head(this.makeUrl(path), options);
  }

  /**
   * Opens a WebSocket.
   *
   * @example
   * ```ts
   * await using client = await new TestClient(app).start();
   * await using ws = await client.wsConnect('/chat');
   * await ws.sendStr('hello');
   * assert.equal(await ws.receiveStr(), 'hello');
   * ```
   */
  wsConnect<DecodeText extends boolean = true>(
    path: string,
    options?: WSConnectOptions<DecodeText>,
  ): Promise<ClientWebSocketResponse<DecodeText>> {
    return this.session.wsConnect(this.makeUrl(path), options);
  }

  /** Closes the session and its connections, then the server. */
  async close(): Promise<void> {
    try {
      await this.#session?.close();
    } finally {
      await this.server.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

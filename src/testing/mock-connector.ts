import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { outside } from '../asyncio/index.ts';
import {
  ClientConnectionError,
  ConnectionKey,
  type ConnectLimit,
  type ConnectRequest,
  type MadeConnection,
  TCPConnector,
  type TCPConnectorOptions,
} from '../client/index.ts';
import { type BaseRequest, Response, type StreamResponse, WebSocketResponse } from '../web/index.ts';
import {
  canonicalUrl,
  type MockAnswer,
  MockCall,
  type MockReply,
  type MockReplyOptions,
  type MockUrl,
  mockedOrigin,
  RecordedAnswers,
} from './recorded-answers.ts';
import { RawTestServer } from './test-server.ts';

/** Options of {@link MockConnector}. */
export interface MockConnectorOptions
  extends Omit<TCPConnectorOptions, 'forceClose' | 'keepaliveTimeout' | 'ssrfGuard'> {
  /**
   * Origins whose requests go to the network: `'http://127.0.0.1:8080'`. `true`: all origins for which nothing is recorded (a pattern is
   * for every origin). Default: none, a request without recorded answer fails.
   */
  readonly passThrough?: readonly (string | URL)[] | boolean | undefined;
}

/** A request came that nothing is recorded for. */
export class UnexpectedRequestError extends ClientConnectionError {
  override readonly code: string = 'AIO_UNEXPECTED_REQUEST';

  static {
    UnexpectedRequestError.prototype.name = 'UnexpectedRequestError';
  }
}

/** What a call should have had; what is not given does not matter. */
export interface ExpectedCall {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array | undefined;
  readonly json?: unknown;
}

/** Whose connection it is, and how to break it. */
interface MockedConnection {
  readonly origin: string;
  readonly socket: Socket;
}

/**
 * A connector for tests of code that makes requests: answers are recorded by method and URL, and every request is kept to look at.
 * Behind it is a real server on the loopback interface, so that all of the client works as ever, redirects and timeouts included;
 * `https` is answered without TLS. A WebSocket is recorded with `{ webSocket }`. What aioresponses is to aiohttp.
 *
 * @example
 * ```ts
 * import { ClientSession } from 'aiohttp-ts/client';
 * import { MockConnector } from 'aiohttp-ts/testing';
 *
 * const mock = new MockConnector();
 * mock.get('https://api.example/users/1', { json: { name: 'ada' } });
 * await using session = new ClientSession({ connector: mock });
 * await (await session.get('https://api.example/users/1')).json(); // { name: 'ada' }
 * mock.assertCalledOnce('GET', 'https://api.example/users/1');
 * ```
 */
export class MockConnector extends TCPConnector {
  readonly #answers: RecordedAnswers;
  readonly #passThrough: ReadonlySet<string> | boolean;
  readonly #connections: Map<number, MockedConnection>;
  #calls: MockCall[];
  #server: Promise<RawTestServer> | undefined;

  constructor(options: MockConnectorOptions = {}) {
    const { passThrough = false, ...connectorOptions } = options;
    // A connection for each request: none is found closed, so none is tried again.
    super({ ...connectorOptions, forceClose: true });
    this.#answers = new RecordedAnswers();
    this.#passThrough =
      typeof passThrough === 'boolean' ? passThrough : new Set(passThrough.map(mockedOrigin));
    this.#connections = new Map();
    this.#calls = [];
    this.#server = undefined;
  }

  /** Records an answer. Answers to the same request are given in their order. */
  respond(method: string, url: MockUrl, reply: MockReply, options?: MockReplyOptions): this {
    this.#answers.add(method, url, reply, options);
    return this;
  }

  get(url: MockUrl, reply: MockReply, options?: MockReplyOptions): this {
    return this.respond('GET', url, reply, options);
  }

  post(url: MockUrl, reply: MockReply, options?: MockReplyOptions): this {
    return this.respond('POST', url, reply, options);
  }

  put(url: MockUrl, reply: MockReply, options?: MockReplyOptions): this {
    return this.respond('PUT', url, reply, options);
  }

  patch(url: MockUrl, reply: MockReply, options?: MockReplyOptions): this {
    return this.respond('PATCH', url, reply, options);
  }

  delete(url: MockUrl, reply: MockReply, options?: MockReplyOptions): this {
    return this.respond('DELETE', url, reply, options);
  }

  head(url: MockUrl, reply: MockReply, options?: MockReplyOptions): this {
    return this.respond('HEAD', url, reply, options);
  }

  options(url: MockUrl, reply: MockReply, options?: MockReplyOptions): this {
    return this.respond('OPTIONS', url, reply, options);
  }

  /** Requests that came so far, those without recorded answer too, but for those that went to the network. */
  get calls(): readonly MockCall[] {
    return this.#calls;
  }

  callsTo(method: string, url: MockUrl): readonly MockCall[] {
    const key = url instanceof RegExp ? undefined : canonicalUrl(url);
    return this.#calls.filter(
      (call) =>
        call.method === method.toUpperCase() &&
        (key === undefined ? call.url.href.search(url as RegExp) !== -1 : canonicalUrl(call.url) === key),
    );
  }

  /** @throws AssertionError unless there was such a request; with `expected`, one that had all this */
  assertCalled(method: string, url: MockUrl, expected?: ExpectedCall): void {
    const calls = this.callsTo(method, url);
    if (calls.length === 0) assert.fail(`${method} ${String(url)} was not called; ${this.#listed()}`);
    if (expected === undefined) return;
    let mismatch: unknown;
    for (const call of calls) {
      try {
        compare(call, expected);
        return;
      } catch (error) {
        mismatch = error;
      }
    }
    throw mismatch;
  }

  /** @throws AssertionError unless there was exactly one such request */
  assertCalledOnce(method: string, url: MockUrl, expected?: ExpectedCall): void {
    const { length } = this.callsTo(method, url);
    if (length > 1) assert.fail(`${method} ${String(url)} was called ${length} times`);
    this.assertCalled(method, url, expected);
  }

  /** @throws AssertionError when there was such a request; without arguments, any */
  assertNotCalled(method?: string, url?: MockUrl): void {
    const calls = method === undefined || url === undefined ? this.#calls : this.callsTo(method, url);
    if (calls.length > 0) assert.fail(`expected no call; ${this.#listed()}`);
  }

  /** @throws AssertionError when a recorded answer was not asked for (as often as it should) */
  assertAllUsed(): void {
    const unused = this.#answers.unused();
    if (unused.length > 0) assert.fail(`not called: ${unused.join(', ')}; ${this.#listed()}`);
  }

  /** Forgets answers and calls. */
  clear(): void {
    this.#answers.clear();
    this.#calls = [];
  }

  override async close(): Promise<void> {
    await super.close();
    const server = this.#server;
    this.#server = undefined;
    await (await server)?.close();
  }

  protected override async open(request: ConnectRequest, limit: ConnectLimit): Promise<MadeConnection> {
    const { key } = request;
    const origin = originOf(key);
    if (this.#goesThrough(origin)) return await super.open(request, limit);
    // The server outlives the request that is the first.
    this.#server ??= outside(() => new RawTestServer((incoming) => this.#answer(incoming)).start());
    const { port } = await this.#server;
    const mocked = new ConnectionKey({ host: '127.0.0.1', port, secure: false });
    const made = await super.open({ ...request, key: mocked }, limit);
    const { socket } = made;
    const local = socket.localPort;
    if (local !== undefined) {
      this.#connections.set(local, { origin, socket });
      socket.once('close', () => this.#connections.delete(local));
    }
    return made;
  }

  #goesThrough(origin: string): boolean {
    const through = this.#passThrough;
    return typeof through === 'boolean' ? through && !this.#answers.knows(origin) : through.has(origin);
  }

  async #answer(incoming: BaseRequest): Promise<StreamResponse> {
    const port = incoming.getExtraInfo('peername')?.port;
    const connection = port === undefined ? undefined : this.#connections.get(port);
    const origin = connection?.origin ?? 'http://unknown.invalid';
    const headers: Record<string, string> = Object.create(null) as Record<string, string>;
    for (const [name, value] of incoming.headers) {
      const key = name.toLowerCase();
      headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`;
    }
    const url = new URL(incoming.relUrl.rawPathQs, origin);
    const opensSocket = headers['upgrade']?.toLowerCase() === 'websocket';
    if (opensSocket) url.protocol = url.protocol.replace('http', 'ws');
    const call = new MockCall(incoming.method, url, headers, await incoming.read());
    this.#calls.push(call);
    const reply = this.#answers.take(call.method, call.url);
    try {
      if (reply === undefined) {
        const left = this.#answers.unused();
        throw new UnexpectedRequestError(
          `No answer is recorded for ${String(call)}${left.length === 0 ? '' : `; there are answers for: ${left.join(', ')}`}`,
        );
      }
      const answer = typeof reply === 'function' ? await reply(call) : reply;
      if (answer.error !== undefined) throw answer.error;
      if (answer.webSocket !== undefined) return await converse(answer.webSocket, incoming, call);
      return responseFor(answer);
    } catch (error) {
      connection?.socket.destroy(error as Error);
      return new Response({ status: 500 });
    }
  }

  #listed(): string {
    return this.#calls.length === 0 ? 'there were no calls' : `calls: ${this.#calls.join(', ')}`;
  }
}

function originOf({ secure, host, port }: ConnectionKey): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return new URL(`${secure ? 'https' : 'http'}://${name}:${port}`).origin;
}

async function converse(
  work: NonNullable<MockAnswer['webSocket']>,
  incoming: BaseRequest,
  call: MockCall,
): Promise<WebSocketResponse> {
  const ws = new WebSocketResponse();
  if (!ws.canPrepare(incoming).ok) {
    throw new UnexpectedRequestError(
      `A WebSocket is recorded for ${String(call)}, which does not ask for one`,
    );
  }
  await ws.prepare(incoming);
  await work(ws, call);
  return ws;
}

function responseFor({ status = 200, reason, headers = {}, body, json }: MockAnswer): Response {
  const isJson = json !== undefined;
  const type = isJson
    ? 'application/json'
    : typeof body === 'string'
      ? 'text/plain; charset=utf-8'
      : undefined;
  const response = new Response({ status, reason, body: isJson ? JSON.stringify(json) : body });
  if (type !== undefined) response.headers.set('Content-Type', type);
  for (const [name, value] of Object.entries(headers)) {
    response.headers.delete(name);
    for (const one of [value].flat()) response.headers.add(name, one as string);
  }
  return response;
}

function compare(call: MockCall, { headers = {}, body, json }: ExpectedCall): void {
  for (const [name, value] of Object.entries(headers)) {
    assert.equal(call.headers[name.toLowerCase()], value, `field ${name} of ${String(call)}`);
  }
  if (body !== undefined) {
    if (typeof body === 'string') assert.equal(call.text, body, `body of ${String(call)}`);
    else assert.deepEqual(Buffer.from(call.body), Buffer.from(body), `body of ${String(call)}`);
  }
  if (json !== undefined) {
    let sent: unknown;
    try {
      sent = call.json;
    } catch {
      assert.fail(`the body of ${String(call)} is no JSON: ${JSON.stringify(call.text.slice(0, 200))}`);
    }
    assert.deepEqual(sent, json, `body of ${String(call)}`);
  }
}

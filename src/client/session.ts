import { inspect } from 'node:util';
import { InvalidStateError } from '../asyncio/index.ts';
import { resolveLimits } from '../http1/index.ts';
import {
  CIMultiDict,
  codedRangeError,
  formatQuery,
  type HttpVersion,
  HttpVersion11,
  shown,
} from '../message/index.ts';
import { DEFAULT_MESSAGE_OPTIONS, type MessageOptions } from '../net/index.ts';
import type { AbstractCookieJar } from './abstract-cookie-jar.ts';
import { call } from './call.ts';
import { ClientUrl } from './client-url.ts';
import { ConnectionKey, checkSsl, type SSLOption } from './connection-key.ts';
import type { BaseConnector, ConnectorStats } from './connector.ts';
import { CookieJar } from './cookie-jar.ts';
import { type ClientHandler, compose } from './middleware.ts';
import { Netrc } from './netrc.ts';
import { EnvironmentProxies } from './proxy-env.ts';
import { ProxyServer } from './proxy-server.ts';
import { type ClientRequest, checkVersion } from './request.ts';
import { rawFields, skipBits, writeHead } from './request-head.ts';
import type { RaiseForStatus, RequestOptions, RequestSettings } from './request-options.ts';
import type { ClientResponse } from './response.ts';
import { sendRequest } from './send.ts';
import { type ClientSessionOptions, definedLimits, NO_LIMITS, sessionOptions } from './session-options.ts';
import { TCPConnector } from './tcp-connector.ts';
import { CallGuard, DEFAULT_TIMEOUT, type ResolvedTimeout, resolveTimeout } from './timeouts.ts';
import type { Trace, TraceSource } from './tracing.ts';
import { forgetSession, type OpenSession, watchResponse, watchSession } from './unclosed.ts';
import { connectWebSocket } from './websocket-connect.ts';
import type { WSConnectOptions } from './websocket-options.ts';
import type { ClientWebSocketResponse } from './websocket-response.ts';

/** What a session that trusts its environment takes from it, once. */
interface Environment {
  readonly proxies: EnvironmentProxies;
  readonly netrc: Netrc | undefined;
}

function readEnvironment(): Environment {
  return { proxies: new EnvironmentProxies(), netrc: Netrc.read() };
}

/** URLs and origins that a session remembers: what a program asks for again and again. */
const MAX_URLS = 1000;
const MAX_URL_LENGTH = 2048;

/**
 * Makes requests and keeps what they share: connections, cookies, headers, limits. Make one for a program or a part of it and
 * keep it; close it at the end.
 *
 * Source: `aiohttp.ClientSession`.
 *
 * @example
 * ```ts
 * import { ClientSession } from 'aiohttp-ts/client';
 *
 * await using session = new ClientSession({ headers: { 'X-Client': 'example' } });
 * const response = await session.get('http://example.org/', { params: { page: 2 } });
 * console.log(response.status, await response.text());
 * ```
 */
export class ClientSession implements AsyncDisposable {
  static {
    // Whoever logs a session should log neither its fields nor its proxy.
    Object.defineProperty(ClientSession.prototype, inspect.custom, {
      value: ClientSession.prototype.toString,
    });
  }

  readonly cookieJar: AbstractCookieJar;
  readonly connectorOwner: boolean;
  readonly version: HttpVersion;
  readonly jsonSerialize: (value: unknown) => string;
  readonly raiseForStatus: RaiseForStatus;
  readonly autoDecompress: boolean;
  readonly trustEnv: boolean;
  readonly requoteRedirectUrl: boolean;
  readonly maxBodySize: number | undefined;
  readonly fallbackCharsetResolver: ((response: ClientResponse, body: Uint8Array) => string) | undefined;
  /** In milliseconds, 0 for none. */
  readonly timeout: ResolvedTimeout;
  readonly traceConfigs: readonly TraceSource[];
  /** Names that were given as `skipAutoHeaders`. */
  readonly skipAutoHeaders: readonly string[];
  /** @internal */
  readonly skipBits: number;
  /** @internal Middlewares and what sends. */
  readonly handler: ClientHandler;
  private readonly base: ClientUrl | undefined;
  private readonly proxy: ProxyServer | undefined;
  private readonly environment: Environment | undefined;
  private readonly ssl: SSLOption | undefined;
  private readonly defaults: CIMultiDict;
  private readonly messageOptions: MessageOptions;
  private readonly urls: Map<string, ClientUrl>;
  private readonly keys: Map<string, ConnectionKey>;
  private readonly spareGuards: CallGuard[];
  private readonly openMark: OpenSession;
  private attached: BaseConnector | undefined;
  private closing: Promise<void> | undefined;
  private areHeadersShared: boolean;
  private defaultsText: string;
  private defaultsVersion: number;

  /**
   * @throws RangeError `AIO_BASE_URL` when the base URL's path does not end with `/`; TypeError, RangeError for other options that cannot be
   */
  constructor(options: ClientSessionOptions = {}) {
    const own = sessionOptions(options);
    this.cookieJar = own.cookieJar ?? new CookieJar();
    this.connectorOwner = own.connectorOwner ?? true;
    this.version = own.version ?? HttpVersion11;
    checkVersion(this.version);
    this.jsonSerialize = own.jsonSerialize ?? JSON.stringify;
    this.raiseForStatus = own.raiseForStatus ?? false;
    this.autoDecompress = own.autoDecompress ?? true;
    this.trustEnv = own.trustEnv ?? false;
    this.requoteRedirectUrl = own.requoteRedirectUrl ?? true;
    this.maxBodySize = own.maxBodySize;
    this.fallbackCharsetResolver = own.fallbackCharsetResolver;
    this.timeout = resolveTimeout(own.timeout, DEFAULT_TIMEOUT);
    this.traceConfigs = [...(own.traceConfigs ?? [])];
    this.skipAutoHeaders = [...(own.skipAutoHeaders ?? [])];
    this.skipBits = skipBits(this.skipAutoHeaders);
    this.handler = compose(own.middlewares ?? [], sendRequest);
    this.proxy = own.proxy === undefined ? undefined : ProxyServer.parse(own.proxy);
    this.environment = this.trustEnv ? readEnvironment() : undefined;
    if (own.ssl !== undefined) checkSsl(own.ssl);
    this.ssl = own.ssl;
    this.defaults = CIMultiDict.fromRaw([...rawFields(own.headers)]);
    this.messageOptions = {
      sockRead: this.timeout.sockRead,
      limits: resolveLimits(definedLimits(own)),
      readBufferSize: own.readBufSize ?? DEFAULT_MESSAGE_OPTIONS.readBufferSize,
      readUntilEof: true,
    };
    this.urls = new Map();
    this.keys = new Map();
    this.spareGuards = [];
    this.closing = undefined;
    this.areHeadersShared = false;
    this.defaultsText = '';
    this.defaultsVersion = 0;
    this.attached = own.connector ?? new TCPConnector();
    this.base = own.baseUrl === undefined ? undefined : this.parseBase(own.baseUrl);
    if (own.cookies !== undefined) this.cookieJar.updateCookies(own.cookies);
    this.openMark = watchSession(this, this.connectorOwner ? this.attached : undefined);
  }

  /** Fields of every request; they may be changed. */
  get headers(): CIMultiDict {
    this.areHeadersShared = true;
    return this.defaults;
  }

  /** @throws InvalidStateError when the session is closed or detached */
  get connector(): BaseConnector {
    this.throwIfClosed();
    return this.attached!;
  }

  get closed(): boolean {
    return this.attached === undefined || this.attached.closed;
  }

  /** What the pool has and has done. */
  stats(): ConnectorStats {
    return this.connector.stats;
  }

  /**
   * Makes a request, follows redirects, and gives back the response when its head has come. The body may still be on its way.
   *
   * @param method a token; sent in upper case
   * @param url absolute, or relative to `baseUrl`
   * @throws ClientError and its kinds, TimeoutError, CancelledError, what the signal was aborted with; TypeError and RangeError for
   *   arguments that cannot be
   */
  request(method: string, url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return call(this, method, url, options, true);
  }

  get(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return call(this, 'GET', url, options, true);
  }

  options(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return call(this, 'OPTIONS', url, options, true);
  }

  /** Redirects are not followed unless `allowRedirects` is true. */
  head(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return call(this, 'HEAD', url, options, false);
  }

  post(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return call(this, 'POST', url, options, true);
  }

  put(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return call(this, 'PUT', url, options, true);
  }

  patch(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return call(this, 'PATCH', url, options, true);
  }

  delete(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return call(this, 'DELETE', url, options, true);
  }

  /**
   * Opens a WebSocket. The handshake is a request of this session: its fields, cookies, middlewares, traces, proxy and time limits hold. The
   * open connection counts in the connector's limits until it is closed.
   *
   * @param url `ws`, `wss`, `http` or `https`; or relative to `baseUrl`
   * @throws WSServerHandshakeError when the server does not agree; what `request()` throws; TypeError, RangeError `AIO_WS_OPTION`
   *
   * @example
   * ```ts
   * import { ClientSession } from 'aiohttp-ts/client';
   *
   * await using session = new ClientSession();
   * await using ws = await session.wsConnect('wss://echo.example/', { heartbeat: 30_000 });
   * await ws.sendJson({ hello: 'world' });
   * console.log(await ws.receiveStr());
   * ```
   */
  wsConnect<DecodeText extends boolean = true>(
    url: string | URL,
    options?: WSConnectOptions<DecodeText>,
  ): Promise<ClientWebSocketResponse<DecodeText>> {
    return connectWebSocket(this, url, options);
  }

  /** Ends the session. Requests that are under way fail when the connector is the session's own. May be called again. */
  close(): Promise<void> {
    if (this.closing === undefined) {
      forgetSession(this.openMark);
      const connector = this.attached;
      this.attached = undefined;
      this.closing = connector === undefined || !this.connectorOwner ? Promise.resolve() : connector.close();
    }
    return this.closing;
  }

  /** Ends the session and leaves its connector open. */
  detach(): void {
    forgetSession(this.openMark);
    this.attached = undefined;
    this.closing ??= Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For people to read: without credentials. */
  toString(): string {
    const base = this.base === undefined ? '' : ` ${this.base.origin}`;
    return `<ClientSession${base}${this.closed ? ' (closed)' : ''}>`;
  }

  /** The same for loggers, which would go through everything that hangs on the session. */
  toJSON(): string {
    return this.toString();
  }

  /** @internal */
  throwIfClosed(): void {
    if (this.attached === undefined || this.attached.closed) throw new InvalidStateError('Session is closed');
  }

  /** @internal A URL as a request gives it. */
  targetOf(url: string | URL, settings: Readonly<RequestSettings>): ClientUrl {
    const { params, encoded } = settings;
    const target = encoded === true ? this.parse(url, 'exact') : this.parseUrl(url);
    if (params === undefined) return target;
    const query = formatQuery(params);
    return query === '' ? target : target.extendQuery(query);
  }

  /** @internal */
  parseUrl(url: string | URL): ClientUrl {
    if (typeof url !== 'string' || url.length > MAX_URL_LENGTH) return this.parse(url, 'requote');
    let parsed = this.urls.get(url);
    if (parsed === undefined) {
      parsed = this.parse(url, 'requote');
      if (this.urls.size >= MAX_URLS) this.urls.clear();
      this.urls.set(url, parsed);
    }
    return parsed;
  }

  /** @internal Fields of the session that go to a URL. */
  fieldsFor(target: ClientUrl): readonly string[] {
    const { raw } = this.defaults;
    if (raw.length === 0 || this.base === undefined || this.base.sameOrigin(target)) return raw;
    const kept = this.defaults.copy();
    for (const name of ['authorization', 'cookie', 'proxy-authorization']) kept.delete(name);
    return kept.raw;
  }

  /** @internal Finds out which proxy a request goes by. */
  route(request: ClientRequest): void {
    const { settings } = request;
    request.proxy =
      settings.proxy === undefined
        ? (this.proxy ?? this.environment?.proxies.proxyFor(request.target))
        : ProxyServer.parse(settings.proxy);
    if (request.proxy !== undefined) request.proxyHeaders = rawFields(settings.proxyHeaders);
  }

  /** @internal Value of Authorization for a host, from netrc. */
  netrcFor(host: string): string | undefined {
    return this.environment?.netrc?.credentialsFor(host)?.encode();
  }

  /** @internal */
  keyFor(request: ClientRequest): ConnectionKey {
    const { target, proxy, proxyHeaders, settings } = request;
    const ssl = settings.ssl ?? this.ssl;
    const { serverHostname } = settings;
    const isDefault =
      settings.ssl === undefined &&
      serverHostname === undefined &&
      settings.proxy === undefined &&
      !(settings.isWebSocket && proxy !== undefined);
    if (isDefault && proxyHeaders.length === 0) {
      if (target.key !== undefined) return target.key;
      const known = this.keys.get(target.origin);
      if (known !== undefined) return (target.key = known);
    }
    const { host, port, secure } = target;
    const tunnel = request.isTunnelled;
    const key = new ConnectionKey({ host, port, secure, ssl, serverHostname, proxy, proxyHeaders, tunnel });
    if (isDefault && proxyHeaders.length === 0) {
      if (this.keys.size >= MAX_URLS) this.keys.clear();
      this.keys.set(target.origin, key);
      target.key = key;
    }
    return key;
  }

  /** @internal A request without options goes out with a head that can be kept. */
  isPlain(request: ClientRequest): boolean {
    return this.cookieJar.isEmpty && request.proxy === undefined;
  }

  /** @internal */
  plainHead(request: ClientRequest): string {
    if (this.areHeadersShared) {
      const text = this.defaults.raw.join('\n');
      if (text !== this.defaultsText) {
        this.defaultsText = text;
        this.defaultsVersion++;
      }
    }
    const { target } = request;
    if (target.plainHeadVersion !== this.defaultsVersion) {
      target.plainHead = writeHead(request).text;
      target.plainHeadVersion = this.defaultsVersion;
    }
    return target.plainHead;
  }

  /** @internal */
  takeGuard(): CallGuard {
    return this.spareGuards.pop() ?? new CallGuard(this.attached!.wheel, this.spareGuards);
  }

  /** @internal */
  beginTraces(traceRequestCtx: unknown): readonly Trace[] | undefined {
    if (this.traceConfigs.length === 0) return undefined;
    return this.traceConfigs.map((config) => config.begin(this, traceRequestCtx));
  }

  /** @internal */
  messageOptionsOf(settings: Readonly<RequestSettings>, timeout: ResolvedTimeout): MessageOptions {
    const { readBufSize, readUntilEof } = settings;
    const own = definedLimits(settings);
    const base = this.messageOptions;
    if (
      timeout === this.timeout &&
      readBufSize === undefined &&
      readUntilEof === undefined &&
      own === NO_LIMITS
    ) {
      return base;
    }
    return {
      sockRead: timeout.sockRead,
      limits: own === NO_LIMITS ? base.limits : resolveLimits({ ...base.limits, ...own }),
      readBufferSize: readBufSize ?? base.readBufferSize,
      readUntilEof: readUntilEof ?? true,
    };
  }

  /** @internal */
  takeCookies(response: ClientResponse): void {
    if (!response.setsCookies) return;
    this.cookieJar.updateCookiesFromHeaders(response.headers.getSetCookie(), response.request.target);
  }

  /** @internal */
  watch(response: ClientResponse): void {
    watchResponse(response);
  }

  private parse(url: string | URL, quoting: 'requote' | 'exact'): ClientUrl {
    const schemas = this.connector.allowedProtocolSchemas;
    if (this.base === undefined) return ClientUrl.parse(url, schemas, quoting);
    if (typeof url !== 'string') return ClientUrl.parse(url, schemas, quoting);
    return this.base.resolve(url, schemas, quoting);
  }

  private parseBase(url: string | URL): ClientUrl {
    const base = ClientUrl.parse(url, this.connector.allowedProtocolSchemas);
    if (!base.path.endsWith('/')) {
      throw codedRangeError(
        'AIO_BASE_URL',
        `baseUrl must have a trailing '/', got a path ${shown(base.path)}`,
      );
    }
    return base;
  }
}

import { inspect } from 'node:util';
import {
  CIMultiDict,
  codedRangeError,
  type HttpVersion,
  type MultiDict,
  type Payload,
} from '../message/index.ts';
import type { MessageOptions } from '../net/index.ts';
import type { ClientUrl } from './client-url.ts';
import type { CompressCoding } from './compress.ts';
import type { ConnectionKey } from './connection-key.ts';
import type { PastResponse, RequestInfo } from './errors.ts';
import type { ProxyServer } from './proxy-server.ts';
import { bodyOf, type RequestData } from './request-data.ts';
import { completeFields } from './request-head.ts';
import type { RequestSettings } from './request-options.ts';
import type { ClientSession } from './session.ts';
import type { CallGuard, ResolvedTimeout } from './timeouts.ts';
import type { Trace } from './tracing.ts';

/** What one hop of a call is made of. */
export interface RequestParts {
  readonly session: ClientSession;
  readonly settings: Readonly<RequestSettings>;
  readonly guard: CallGuard;
  readonly timeout: ResolvedTimeout;
  readonly messageOptions: MessageOptions;
  readonly traces: readonly Trace[] | undefined;
  readonly skip: number;
  readonly history: readonly PastResponse[];
}

/**
 * One request as it goes out: a redirect or a retry is another one. Middlewares see it and may change its URL, headers and body.
 *
 * Source: `aiohttp.ClientRequest`.
 */
export class ClientRequest implements RequestInfo {
  static {
    // It hangs on errors, and whoever logs one should log neither credentials nor cookies.
    Object.defineProperty(ClientRequest.prototype, inspect.custom, {
      value: ClientRequest.prototype.toString,
    });
  }

  /** In upper case. */
  readonly method: string;
  /** @internal */
  readonly parts: RequestParts;
  /** @internal Fields that the session and the caller set, `[name, value, …]`. */
  readonly given: readonly string[];
  /** @internal */
  target: ClientUrl;
  /** @internal Those of the request itself, as they are sent. */
  cookies: MultiDict<string> | undefined;
  /** @internal The connection was closed before it could be used again: worth another try. */
  staleError: unknown;
  /** @internal */
  proxy: ProxyServer | undefined;
  /** @internal */
  proxyHeaders: readonly string[];
  /** @internal Nothing but what the session has by default: its head is written once and kept. */
  isPlain: boolean;
  private readonly firstTarget: ClientUrl;
  private readonly firstBody: Payload | undefined;
  private content: Payload | undefined;
  private complete: CIMultiDict | undefined;
  private key: ConnectionKey | undefined;

  /** @internal */
  constructor(
    parts: RequestParts,
    method: string,
    target: ClientUrl,
    given: readonly string[],
    body: Payload | undefined,
    cookies: MultiDict<string> | undefined,
  ) {
    this.method = method;
    this.parts = parts;
    this.given = given;
    this.target = target;
    this.cookies = cookies;
    this.staleError = undefined;
    this.proxy = undefined;
    this.proxyHeaders = NO_FIELDS;
    this.isPlain = false;
    this.firstTarget = target;
    this.firstBody = body;
    this.content = body;
    this.complete = undefined;
    this.key = undefined;
  }

  /** @internal The same request as it was before anybody changed it: for another try. */
  renewed(): ClientRequest {
    const { parts, method, firstTarget, given, firstBody, cookies } = this;
    const request = new ClientRequest(parts, method, firstTarget, given, firstBody, cookies);
    this.session.route(request);
    return request;
  }

  get session(): ClientSession {
    return this.parts.session;
  }

  /** Responses that redirected here, the first one first. */
  get history(): readonly PastResponse[] {
    return this.parts.history;
  }

  /** @internal */
  get settings(): Readonly<RequestSettings> {
    return this.parts.settings;
  }

  /** @internal */
  get guard(): CallGuard {
    return this.parts.guard;
  }

  /** @internal */
  get timeout(): ResolvedTimeout {
    return this.parts.timeout;
  }

  /** @internal */
  get messageOptions(): MessageOptions {
    return this.parts.messageOptions;
  }

  /** @internal */
  get traces(): readonly Trace[] | undefined {
    return this.parts.traces;
  }

  /** @internal Bits of the automatic fields that are skipped. */
  get skip(): number {
    return this.parts.skip;
  }

  /** @internal The body that was given, whatever a middleware made of it. */
  get givenBody(): Payload | undefined {
    return this.firstBody;
  }

  /** Without fragment and credentials. */
  get url(): URL {
    return this.target.url;
  }

  /** Sends the request elsewhere; the Host field follows. A text is requoted as the session does it. */
  set url(url: URL | string) {
    const old = this.target.authority;
    this.target = this.session.parseUrl(url);
    this.key = undefined;
    this.isPlain = false;
    if (this.complete?.get('host') === old) this.complete.set('Host', this.target.authority);
    this.session.route(this);
  }

  /** With fragment, without credentials. */
  get realUrl(): URL {
    return this.target.realUrl;
  }

  get host(): string {
    return this.target.host;
  }

  get port(): number {
    return this.target.port;
  }

  /** Over TLS. */
  get isSsl(): boolean {
    return this.target.secure;
  }

  get version(): HttpVersion {
    return this.parts.settings.version ?? this.session.version;
  }

  /**
   * All fields that go out, those that every request has and cookies too, except for what frames the body. Changes are sent, deletions
   * as well.
   */
  get headers(): CIMultiDict {
    this.isPlain = false;
    return (this.complete ??= completeFields(this));
  }

  /** What is known of the request; the same as the request itself, read-only. */
  get requestInfo(): RequestInfo {
    return this;
  }

  get body(): Payload | undefined {
    return this.content;
  }

  /**
   * Another body, or none. Its type takes the place of the old one's.
   *
   * Source: `aiohttp.ClientRequest.update_body`.
   */
  updateBody(data: RequestData | undefined): void {
    this.isPlain = false;
    const old = this.content;
    const body = data === undefined ? undefined : bodyOf(data);
    this.content = body;
    const headers = this.complete;
    if (headers === undefined) return;
    if (old !== undefined && headers.get('content-type') === old.contentType) headers.delete('Content-Type');
    headers.delete('Content-Length');
    if (body?.contentType !== undefined && !headers.has('Content-Type')) {
      headers.set('Content-Type', body.contentType);
    }
  }

  /** @internal Fields to write, `[name, value, …]`. */
  fields(): readonly string[] {
    return this.complete?.raw ?? this.given;
  }

  /** @internal {@link ClientRequest.headers} was asked for: nothing is added to it. */
  get isComplete(): boolean {
    return this.complete !== undefined;
  }

  /** @internal Credentials that come with the URL, or from netrc. */
  get authorization(): string | undefined {
    return this.target.authorization ?? this.session.netrcFor(this.target.host);
  }

  /** @internal A proxy hands this request to the server unread. What is no HTTP any more after its answer needs that (RFC 6455 §4.1). */
  get isTunnelled(): boolean {
    const { proxy } = this;
    return proxy !== undefined && (this.target.secure || proxy.isSocks || this.settings.isWebSocket);
  }

  /** @internal */
  get compress(): CompressCoding | undefined {
    const { compress } = this.settings;
    if (compress === undefined || compress === false || this.content === undefined) return undefined;
    return compress === true ? 'deflate' : compress;
  }

  /** @internal */
  get decompresses(): boolean {
    return this.settings.autoDecompress ?? this.session.autoDecompress;
  }

  /** @internal */
  get closesConnection(): boolean {
    return this.session.connector.forceClose;
  }

  /** @internal Whom to connect to. */
  get connectionKey(): ConnectionKey {
    return (this.key ??= this.session.keyFor(this));
  }

  /** For people to read: without path, query and credentials. */
  toString(): string {
    return `${this.method} ${this.target.origin}`;
  }

  /** The same for loggers, which would go through everything that hangs on the request. */
  toJSON(): string {
    return this.toString();
  }
}

const NO_FIELDS: readonly string[] = Object.freeze([]);

/** The fields of a session with those of a request over them. */
export function mergedFields(base: readonly string[], own: readonly string[]): readonly string[] {
  if (own.length === 0) return base;
  if (base.length === 0) return own;
  const merged = CIMultiDict.fromRaw([...base]);
  return merged.update(CIMultiDict.fromRaw([...own])).raw;
}

/** @throws RangeError `AIO_HTTP_VERSION` for another version than 1.0 and 1.1 */
export function checkVersion(version: HttpVersion): void {
  if (version.major === 1 && (version.minor === 0 || version.minor === 1)) return;
  throw codedRangeError(
    'AIO_HTTP_VERSION',
    'version is HttpVersion10 or HttpVersion11: nothing else is spoken here',
  );
}

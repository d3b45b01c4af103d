/** The client side: sessions, connectors, responses, cookies, traces. Counterpart of aiohttp's top level. */

// Bodies
export type {
  ContentDisposition,
  MultipartErrorCode,
  MultipartLimitOptions,
  MultipartReaderOptions,
} from '../message/index.ts';
export {
  BlobPayload,
  BodyPartReader,
  BytesPayload,
  FilePayload,
  FormData,
  type FormDataOptions,
  type FormFieldOptions,
  type FormFields,
  type FormValue,
  JsonPayload,
  type JsonPayloadOptions,
  MultipartError,
  MultipartReader,
  MultipartWriter,
  OpenedPayload,
  type PartHeaders,
  Payload,
  type PayloadData,
  type PayloadOptions,
  type PayloadOrder,
  PayloadRegistry,
  type PayloadType,
  type PayloadTypes,
  parseContentDisposition,
  payloadRegistry,
  registerPayload,
  StreamPayload,
  StringPayload,
  safeFileName,
} from '../message/index.ts';
export {
  AbstractResolver,
  type Address,
  type AddressFamily,
  AsyncResolver,
  type AsyncResolverOptions,
  type ClientTlsOptions,
  type ExtraInfo,
  type ResolvedHost,
  ThreadedResolver,
} from '../net/index.ts';
// WebSockets
export {
  type CloseOptions as WSCloseOptions,
  type ReceiveJsonOptions as WSReceiveJsonOptions,
  type ReceiveOptions as WSReceiveOptions,
  type SendJsonBytesOptions as WSSendJsonBytesOptions,
  type SendJsonOptions as WSSendJsonOptions,
  type SendOptions as WSSendOptions,
  type WebSocketCompression,
  WebSocketStateError,
  type WSBinaryMessage,
  WSCloseCode,
  type WSClosedMessage,
  type WSCloseMessage,
  type WSClosingMessage,
  type WSErrorMessage,
  type WSMessage,
  WSMsgType,
  type WSPingMessage,
  type WSPongMessage,
  type WSTextMessage,
} from '../websocket/index.ts';
// Cookies
export { AbstractCookieJar, type CookieInit } from './abstract-cookie-jar.ts';
// Credentials
export { BasicAuth, basicAuth, bearerAuth, type TokenSource } from './auth.ts';
// Middlewares
export { type CacheOptions, cacheMiddleware } from './cache-middleware.ts';
export {
  type CachedResponse,
  type CacheStore,
  MemoryCacheStore,
  type PolicyRequest,
  type PolicyResponse,
  type StoredPolicy,
} from './cache-store.ts';
// Connections
export type { CompressCoding } from './compress.ts';
// What is around a request
export type { ConnectLimit } from './connect-limit.ts';
export type { ConnectRequest, ConnectTimeouts, ConnectTrace } from './connect-request.ts';
export { ConnectionKey, type SSLOption } from './connection-key.ts';
export {
  BaseConnector,
  type ConnectorOptions,
  type ConnectorStats,
  type MadeConnection,
} from './connector.ts';
export type { CookieUrl } from './cookie-domain.ts';
export { CookieJar, type CookieJarOptions } from './cookie-jar.ts';
export { DigestAuthMiddleware, type DigestAuthOptions } from './digest-auth.ts';
export { DummyCookieJar } from './dummy-cookie-jar.ts';
export * from './errors.ts';
export { Fingerprint } from './fingerprint.ts';
export { type Link, parseLinks } from './links.ts';
export type { ClientHandler, ClientMiddleware } from './middleware.ts';
export { Netrc } from './netrc.ts';
export { type OneShotOptions, request } from './one-shot.ts';
export type { ConnectTimings, PooledConnection } from './pooled-connection.ts';
export { EnvironmentProxies, type ProxyTarget } from './proxy-env.ts';
export { ProxyServer } from './proxy-server.ts';
// Requests
export { ClientRequest } from './request.ts';
export type { RequestData } from './request-data.ts';
export type {
  CookiesInit,
  HeadersInit,
  RaiseForStatus,
  ReadingOptions,
  RequestOptions,
} from './request-options.ts';
export { ClientResponse } from './response.ts';
export type { ResponseJsonOptions, TextOptions } from './response-text.ts';
export { RetryBudget, type RetryBudgetOptions } from './retry-budget.ts';
export { type RetryInfo, type RetryOptions, retryMiddleware } from './retry-middleware.ts';
export { ClientSession } from './session.ts';
export type { ClientSessionOptions } from './session-options.ts';
export { SSRFGuard, type SSRFGuardOptions } from './ssrf-guard.ts';
export { Cookie, type CookieFields, type SameSite } from './stored-cookie.ts';
export { TCPConnector, type TCPConnectorOptions } from './tcp-connector.ts';
export { type CallPhase, type ClientTimeout, TotalTimeoutError } from './timeouts.ts';
// Tracing
export {
  type RequestDiagnostics,
  type Trace,
  type TraceChunkParams,
  TraceConfig,
  type TraceContext,
  type TraceDnsParams,
  type TraceExceptionParams,
  type TraceListener,
  type TraceNoParams,
  type TraceRequestParams,
  type TraceResponseParams,
  type TraceSignal,
  type TraceSource,
} from './tracing.ts';
export { NamedPipeConnector, UnixConnector } from './unix-connector.ts';
export type { Progress, ProgressCallback } from './upload.ts';
export type { ClientWSTimeout, WSConnectOptions } from './websocket-options.ts';
export { ClientWebSocketResponse } from './websocket-response.ts';

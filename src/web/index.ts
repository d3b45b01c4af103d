/** The server side: applications, routes, requests, responses, and what runs them. Counterpart of `aiohttp.web`. */

// Messages
export type {
  BodySource,
  CompressionCoding,
  ContentDisposition,
  MultipartErrorCode,
  MultipartLimitOptions,
  MultipartReaderOptions,
  PayloadData,
} from '../message/index.ts';
export {
  BodyPartReader,
  MultipartError,
  MultipartReader,
  MultipartWriter,
  Payload,
  parseContentDisposition,
  safeFileName,
} from '../message/index.ts';
export type { Endpoint, ServerOptions } from '../net/index.ts';
export { ClientDisconnectedError, RequestPayloadError } from '../net/index.ts';
// WebSockets
export type {
  CloseOptions as WSCloseOptions,
  ReceiveJsonOptions as WSReceiveJsonOptions,
  ReceiveOptions as WSReceiveOptions,
  SendJsonBytesOptions as WSSendJsonBytesOptions,
  SendJsonOptions as WSSendJsonOptions,
  SendOptions as WSSendOptions,
  WebSocketCompression,
  WebSocketStateCode,
  WSBinaryMessage,
  WSClosedMessage,
  WSCloseMessage,
  WSClosingMessage,
  WSErrorMessage,
  WSMessage,
  WSPingMessage,
  WSPongMessage,
  WSTextMessage,
} from '../websocket/index.ts';
export {
  WebSocketError,
  WebSocketStateError,
  WSCloseCode,
  WSMessageTypeError,
  WSMsgType,
} from '../websocket/index.ts';
// Running
export {
  type AbstractAccessLogger,
  ACCESS_LOG_FORMAT,
  AccessLogger,
  type AccessLoggerClass,
  type AccessLogOptions,
  type AccessRecord,
} from './access-log.ts';
// Application
export { AppKey, type StateKey, type StateValue } from './app-key.ts';
export { Application, type ApplicationOptions } from './application.ts';
export { CleanupContext, type CleanupContextFunction, CleanupError } from './cleanup-context.ts';
export { type CompressionOptions, compressionMiddleware } from './compression.ts';
export {
  type ConditionalOptions,
  checkPreconditions,
  conditionalMiddleware,
  type Validators,
} from './conditional.ts';
export { ConfigDict } from './config-dict.ts';
export type { CookieOptions, DeleteCookieOptions } from './cookies.ts';
export { type DecompressionOptions, decompressionMiddleware } from './decompression.ts';
// Routes
export { Domain, MaskDomain, type MatchingRule } from './domain.ts';
export {
  FileChangedError,
  FileFieldClosedError,
  GracefulExit,
  HandlerResultError,
  KeyMissingError,
  ListenError,
  StateError,
} from './errors.ts';
export { type ExchangeStateCode, ExchangeStateError, PayloadAccessError } from './exchange-errors.ts';
export { FileField, type SaveOptions } from './file-field.ts';
export type { FileOptions } from './file-options.ts';
export { FileResponse, type FileResponseOptions } from './file-response.ts';
export type { PrecompressedCoding } from './file-siblings.ts';
export * from './http-exceptions.ts';
export { Match } from './match.ts';
export { RequestKey, ResponseKey } from './message-key.ts';
export { middleware } from './middleware.ts';
export { type NormalizePathOptions, normalizePathMiddleware } from './normalize-path.ts';
export type { PathParams } from './path-params.ts';
export { BaseRequest, type JsonOptions, Request } from './request.ts';
export type { ExtraInfo } from './request-extra-info.ts';
export type { CloneOverrides } from './request-extras.ts';
export type { FormEntry, PostOptions } from './request-form.ts';
export type { HttpRange } from './request-range.ts';
export {
  AbstractResource,
  DynamicResource,
  PlainResource,
  Resource,
  type RouteOptions,
  type UrlParts,
} from './resource.ts';
export {
  type JsonBytesResponseOptions,
  type JsonResponseOptions,
  jsonBytesResponse,
  jsonResponse,
  Response,
  type ResponseBody,
  type ResponseOptions,
} from './response.ts';
export { ContentCoding, type EnableCompressionOptions } from './response-coding.ts';
export { type ExpectHandler, Route, type RouteHandler } from './route.ts';
export * from './route-def.ts';
export { type MethodDecoratorFor, RouteTableDef, type ViewDecoratorFor } from './route-table.ts';
export { type GetOptions, type RouteRequest, UrlDispatcher } from './router.ts';
export { type ApplicationSource, type BoundSocket, type RunAppOptions, runApp } from './run-app.ts';
export {
  AppRunner,
  type AppRunnerOptions,
  BaseRunner,
  type BaseRunnerOptions,
  ServerRunner,
} from './runner.ts';
export { type RawHandler, Server, type WebServerOptions } from './server.ts';
export { FreezableList, Signal, type SignalHandler } from './signal.ts';
export { BaseSite, type SiteOptions, SockSite, TCPSite, type TCPSiteOptions, UnixSite } from './sites.ts';
export type { StaticCacheOptions } from './static-cache.ts';
export { type StaticOptions, StaticResource, type StaticUrlOptions } from './static-resource.ts';
export { type HeadersInput, StreamResponse, type StreamResponseOptions } from './stream-response.ts';
export { MatchedSubAppResource, PrefixedSubAppResource } from './sub-app-resource.ts';
export type {
  Awaitable,
  Handler,
  HandlerResult,
  Logger,
  Middleware,
  NextHandler,
  Params,
  ResponsePrepareHandler,
} from './types.ts';
export { View, type ViewClass } from './view.ts';
export type { WebSocketReady } from './websocket-handshake.ts';
export { WebSocketResponse, type WebSocketResponseOptions } from './websocket-response.ts';

import {
  codedRangeError,
  codedTypeError,
  type HttpVersion,
  type MultiDictInit,
  type QueryInit,
  shown,
} from '../message/index.ts';
import type { CompressCoding } from './compress.ts';
import type { SSLOption } from './connection-key.ts';
import type { ClientMiddleware } from './middleware.ts';
import type { RequestData } from './request-data.ts';
import type { ClientResponse } from './response.ts';
import type { ClientTimeout } from './timeouts.ts';
import type { ProgressCallback } from './upload.ts';

/** Header fields as a caller gives them. */
export type HeadersInit = MultiDictInit<string>;
/** Cookies as a caller gives them: name and value. */
export type CookiesInit = MultiDictInit<string>;
/** Whether statuses of 400 and above are errors; a function throws (or not) what it finds right. */
export type RaiseForStatus = boolean | ((response: ClientResponse) => void | Promise<void>);

/** How much of an answer is taken: a session's, or that of one request. */
export interface ReadingOptions {
  /** Bytes of a body that are buffered before the server has to wait. Default 256 KiB. */
  readonly readBufSize?: number | undefined;
  /** Longest status line in bytes. Default 8190. */
  readonly maxLineSize?: number | undefined;
  /** Longest header line in bytes. Default 8190. */
  readonly maxFieldSize?: number | undefined;
  /** Most header lines. Default 128. */
  readonly maxHeaders?: number | undefined;
  /** Most bytes that `read()`, `text()` and `json()` gather, decompressed. Default 1 GiB. */
  readonly maxBodySize?: number | undefined;
}

/** Options of one request. Those that the session has too take the place of the session's. */
export interface RequestOptions extends ReadingOptions {
  /** Parameters put behind those that the URL has. */
  readonly params?: QueryInit | undefined;
  /** The body. */
  readonly data?: RequestData | undefined;
  /** The body, as JSON. Not together with `data`. */
  readonly json?: unknown;
  /** Cookies besides those of the session's jar; they are not kept. */
  readonly cookies?: CookiesInit | undefined;
  /** Header fields; each takes the place of the session's of that name. */
  readonly headers?: HeadersInit | undefined;
  /** Names of fields that are not sent unless given: `Accept`, `Accept-Encoding`, `User-Agent`, `Content-Type`. */
  readonly skipAutoHeaders?: Iterable<string> | undefined;
  /** Default `true`; `false` for `session.head()`. */
  readonly allowRedirects?: boolean | undefined;
  /** Default 10; 0 for no limit but the total timeout. */
  readonly maxRedirects?: number | undefined;
  /** Compresses the body; `true` means `'deflate'`. */
  readonly compress?: boolean | CompressCoding | undefined;
  /** Sends the body in chunks even when its length is known. */
  readonly chunked?: boolean | undefined;
  /** Fields that go behind the body, for what is known only when it was sent: a checksum. Makes the body chunked. Called at its end. */
  readonly trailers?: (() => HeadersInit | Promise<HeadersInit>) | undefined;
  /** Sends the body only when the server agrees (`Expect: 100-continue`), or after a second without an answer. */
  readonly expect100?: boolean | undefined;
  readonly raiseForStatus?: RaiseForStatus | undefined;
  /** `false`: an answer without length has no body. Default `true`: it has one that lasts until the connection ends. */
  readonly readUntilEof?: boolean | undefined;
  /** URL of a proxy: `http`, `https`, `socks5`, `socks5h`. */
  readonly proxy?: string | URL | undefined;
  /** Fields for the proxy. */
  readonly proxyHeaders?: HeadersInit | undefined;
  readonly timeout?: ClientTimeout | undefined;
  readonly ssl?: SSLOption | undefined;
  /** Name for SNI and the certificate, when it is not the URL's host. */
  readonly serverHostname?: string | undefined;
  /** Handed on to the `traceConfigCtxFactory` of the trace configs. */
  readonly traceRequestCtx?: unknown;
  /** Default `true`: bodies are decompressed. */
  readonly autoDecompress?: boolean | undefined;
  /** Take the place of the session's, `[]` too. */
  readonly middlewares?: readonly ClientMiddleware[] | undefined;
  /** Ends the request, and the reading of its body, when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** `true`: path and query of the URL are sent byte for byte. Default `false`: they are requoted. A `URL` is never requoted. */
  readonly encoded?: boolean | undefined;
  /** Default HTTP/1.1. */
  readonly version?: HttpVersion | undefined;
  readonly onUploadProgress?: ProgressCallback | undefined;
  /** `total` is of the bytes on the wire and known when they are not compressed. */
  readonly onDownloadProgress?: ProgressCallback | undefined;
}

/**
 * Options, copied: only own properties count, so that nothing comes in through a prototype that somebody polluted; every name is checked.
 */
export class RequestSettings {
  params: QueryInit | undefined = undefined;
  data: RequestData | undefined = undefined;
  json: unknown = undefined;
  cookies: CookiesInit | undefined = undefined;
  headers: HeadersInit | undefined = undefined;
  skipAutoHeaders: Iterable<string> | undefined = undefined;
  allowRedirects: boolean | undefined = undefined;
  maxRedirects: number | undefined = undefined;
  compress: boolean | CompressCoding | undefined = undefined;
  chunked: boolean | undefined = undefined;
  trailers: (() => HeadersInit | Promise<HeadersInit>) | undefined = undefined;
  expect100: boolean | undefined = undefined;
  raiseForStatus: RaiseForStatus | undefined = undefined;
  readUntilEof: boolean | undefined = undefined;
  proxy: string | URL | undefined = undefined;
  proxyHeaders: HeadersInit | undefined = undefined;
  timeout: ClientTimeout | undefined = undefined;
  ssl: SSLOption | undefined = undefined;
  serverHostname: string | undefined = undefined;
  traceRequestCtx: unknown = undefined;
  readBufSize: number | undefined = undefined;
  autoDecompress: boolean | undefined = undefined;
  maxLineSize: number | undefined = undefined;
  maxFieldSize: number | undefined = undefined;
  maxHeaders: number | undefined = undefined;
  maxBodySize: number | undefined = undefined;
  middlewares: readonly ClientMiddleware[] | undefined = undefined;
  signal: AbortSignal | undefined = undefined;
  encoded: boolean | undefined = undefined;
  version: HttpVersion | undefined = undefined;
  onUploadProgress: ProgressCallback | undefined = undefined;
  onDownloadProgress: ProgressCallback | undefined = undefined;
  /** Some option changes what goes out, besides method and URL. */
  changesHead = false;
  /** It is the handshake of a WebSocket. */
  isWebSocket = false;
}

/** No options at all. */
export const NO_SETTINGS: Readonly<RequestSettings> = Object.freeze(new RequestSettings());

const KNOWN: ReadonlySet<string> = new Set(
  Object.keys(NO_SETTINGS).filter((name) => name !== 'changesHead' && name !== 'isWebSocket'),
);
/** Options that leave the head as it is. */
const NEUTRAL: ReadonlySet<string> = new Set([
  'params',
  'encoded',
  'allowRedirects',
  'maxRedirects',
  'raiseForStatus',
  'readUntilEof',
  'timeout',
  'ssl',
  'serverHostname',
  'traceRequestCtx',
  'readBufSize',
  'autoDecompress',
  'maxLineSize',
  'maxFieldSize',
  'maxHeaders',
  'maxBodySize',
  'middlewares',
  'signal',
  'onDownloadProgress',
]);

/** @throws TypeError `AIO_REQUEST_OPTION` for a name that is no option; TypeError, RangeError for options that cannot stand together */
export function readOptions(options: RequestOptions | undefined): Readonly<RequestSettings> {
  if (options === undefined) return NO_SETTINGS;
  if (options instanceof RequestSettings) return options;
  if (typeof options !== 'object' || options === null) {
    throw codedTypeError('AIO_REQUEST_OPTION', `options of a request are an object, got ${shown(options)}`);
  }
  const settings = new RequestSettings();
  for (const name of Object.keys(options)) {
    if (!KNOWN.has(name)) {
      throw codedTypeError('AIO_REQUEST_OPTION', `a request has no option ${shown(name)}`);
    }
    const value = (options as Record<string, unknown>)[name];
    if (value === undefined) continue;
    (settings as unknown as Record<string, unknown>)[name] = value;
    if (!NEUTRAL.has(name)) settings.changesHead = true;
  }
  checkSettings(settings);
  return settings;
}

/** @throws TypeError, RangeError `AIO_REQUEST_OPTION` for options that cannot be, or not together */
export function checkSettings(settings: RequestSettings): void {
  const { data, json, compress, maxRedirects, maxBodySize, readBufSize } = settings;
  if (data !== undefined && json !== undefined) {
    throw codedTypeError('AIO_REQUEST_OPTION', 'data and json are two bodies: give one of them');
  }
  if (
    compress !== undefined &&
    typeof compress !== 'boolean' &&
    compress !== 'gzip' &&
    compress !== 'deflate'
  ) {
    throw codedRangeError(
      'AIO_REQUEST_OPTION',
      `compress is a boolean, 'gzip' or 'deflate', got ${shown(compress)}`,
    );
  }
  if (settings.signal !== undefined && typeof settings.signal?.addEventListener !== 'function') {
    throw codedTypeError('AIO_REQUEST_OPTION', `signal is an AbortSignal, got ${shown(settings.signal)}`);
  }
  if (settings.trailers !== undefined) {
    if (typeof settings.trailers !== 'function') {
      throw codedTypeError(
        'AIO_REQUEST_OPTION',
        `trailers is a function that gives the fields at the end of the body, got ${shown(settings.trailers)}`,
      );
    }
    if (data === undefined && json === undefined) {
      throw codedTypeError('AIO_REQUEST_OPTION', 'trailers come behind a body: give data or json');
    }
  }
  checkCount('maxRedirects', maxRedirects, 0);
  checkCount('maxBodySize', maxBodySize, 1);
  checkCount('readBufSize', readBufSize, 1);
}

function checkCount(name: string, value: number | undefined, least: number): void {
  if (value === undefined || value === Infinity || (Number.isSafeInteger(value) && value >= least)) return;
  throw codedRangeError('AIO_REQUEST_OPTION', `${name} is a whole number from ${least}, got ${shown(value)}`);
}

import {
  CIMultiDict,
  codedRangeError,
  codedTypeError,
  HttpVersion11,
  isToken,
  type QueryInit,
  shown,
  splitList,
} from '../message/index.ts';
import { checkCompression, offer, type WebSocketCompression } from '../websocket/index.ts';
import type { SSLOption } from './connection-key.ts';
import type { ClientMiddleware } from './middleware.ts';
import { ownOptions } from './own-options.ts';
import { type CookiesInit, checkSettings, type HeadersInit, RequestSettings } from './request-options.ts';

/**
 * Time limits of an open WebSocket, in milliseconds; `Infinity` for none.
 *
 * Source: `aiohttp.ClientWSTimeout`.
 *
 * @example
 * ```ts
 * import type { ClientWSTimeout } from 'aiohttp-ts/client';
 *
 * const timeout: ClientWSTimeout = { wsReceive: 60_000, wsClose: 5_000 };
 * ```
 */
export interface ClientWSTimeout {
  /** The wait for a message. Default none. */
  readonly wsReceive?: number | undefined;
  /** The wait for the server's close frame, before the connection is cut. Default 10 000. */
  readonly wsClose?: number | undefined;
}

/**
 * Options of `session.wsConnect()`. Durations are milliseconds, sizes bytes.
 *
 * Source: the arguments of `aiohttp.ClientSession.ws_connect`.
 *
 * @example
 * ```ts
 * import type { WSConnectOptions } from 'aiohttp-ts/client';
 *
 * const options: WSConnectOptions = { protocols: ['chat.v2', 'chat.v1'], heartbeat: 30_000, compress: true };
 * ```
 */
export interface WSConnectOptions<DecodeText extends boolean = boolean> {
  /** Default `'GET'`, which RFC 6455 asks for. */
  readonly method?: string | undefined;
  /** Sub-protocols that this end speaks, the best one first. */
  readonly protocols?: Iterable<string> | undefined;
  /** Limits of the open WebSocket. Until it is open those of the session hold. */
  readonly timeout?: ClientWSTimeout | undefined;
  /** The same as `timeout.wsReceive`, and goes before it. */
  readonly receiveTimeout?: number | undefined;
  /** The server's close frame is answered at once, when it is received. Default `true`. */
  readonly autoclose?: boolean | undefined;
  /** Pings are answered, and neither pings nor pongs are seen. Default `true`. */
  readonly autoping?: boolean | undefined;
  /** A ping goes out when nothing came for so many milliseconds; without a sign of life for half as long the connection is cut. Default none. */
  readonly heartbeat?: number | undefined;
  /** Value of `Origin`: the page that a browser would speak for. Servers that check it need it. */
  readonly origin?: string | undefined;
  /** Parameters put behind those that the URL has. */
  readonly params?: QueryInit | undefined;
  /** Header fields of the handshake; each takes the place of the session's of that name. */
  readonly headers?: HeadersInit | undefined;
  /** Cookies besides those of the session's jar; they are not kept. */
  readonly cookies?: CookiesInit | undefined;
  /** Names of fields that are not sent unless given: `Accept`, `Accept-Encoding`, `User-Agent`. */
  readonly skipAutoHeaders?: Iterable<string> | undefined;
  /** URL of a proxy, which makes a tunnel: `http`, `https`, `socks5`, `socks5h`. */
  readonly proxy?: string | URL | undefined;
  /** Fields for the proxy. */
  readonly proxyHeaders?: HeadersInit | undefined;
  readonly ssl?: SSLOption | undefined;
  /** Name for SNI and the certificate, when it is not the URL's host. */
  readonly serverHostname?: string | undefined;
  /** Offers permessage-deflate: `true`, the bits of the window (9 to 15), or more in detail. Default `false`. */
  readonly compress?: boolean | number | WebSocketCompression | undefined;
  /** Bytes of a message, decompressed; a larger one closes the connection (1009). 0 for no limit. Default 4 MiB. */
  readonly maxMsgSize?: number | undefined;
  /** Bytes that may wait to be taken by the server before a `send` waits. Default 256 KiB. */
  readonly writerLimit?: number | undefined;
  /** `false`: texts are received as bytes, for parsers that take those. Default `true`. */
  readonly decodeText?: DecodeText | undefined;
  /** The handshake is led on by redirects. Default `true`. */
  readonly allowRedirects?: boolean | undefined;
  /** Default 10; 0 for no limit but the total timeout. */
  readonly maxRedirects?: number | undefined;
  /** Take the place of the session's, `[]` too. */
  readonly middlewares?: readonly ClientMiddleware[] | undefined;
  /** Handed on to the `traceConfigCtxFactory` of the trace configs. */
  readonly traceRequestCtx?: unknown;
  /** `true`: path and query of the URL are sent byte for byte. Default `false`: they are requoted. */
  readonly encoded?: boolean | undefined;
  /** Ends the handshake when it is aborted; an open WebSocket is not touched. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `wsConnect`, checked, each with its default. */
export interface WSSettings {
  /** What the handshake is made with. */
  readonly request: RequestSettings;
  readonly method: string;
  readonly protocols: readonly string[];
  /** What is offered; `undefined`: nothing. */
  readonly compression: WebSocketCompression | undefined;
  /** Milliseconds. */
  readonly closeTimeout: number;
  readonly receiveTimeout: number | undefined;
  readonly autoclose: boolean;
  readonly autoping: boolean;
  readonly heartbeat: number | undefined;
  readonly maxMsgSize: number;
  readonly writerLimit: number;
  readonly decodeText: boolean;
}

const CLOSE_TIMEOUT = 10_000;
const MAX_MSG_SIZE = 4_194_304;
const WRITER_LIMIT = 262_144;

const KNOWN: Readonly<Record<keyof WSConnectOptions, true>> = {
  method: true,
  protocols: true,
  timeout: true,
  receiveTimeout: true,
  autoclose: true,
  autoping: true,
  heartbeat: true,
  origin: true,
  params: true,
  headers: true,
  cookies: true,
  skipAutoHeaders: true,
  proxy: true,
  proxyHeaders: true,
  ssl: true,
  serverHostname: true,
  compress: true,
  maxMsgSize: true,
  writerLimit: true,
  decodeText: true,
  allowRedirects: true,
  maxRedirects: true,
  middlewares: true,
  traceRequestCtx: true,
  encoded: true,
  signal: true,
};
const TIMEOUTS: Readonly<Record<keyof ClientWSTimeout, true>> = { wsReceive: true, wsClose: true };
const COMPRESSION: Readonly<Record<keyof WebSocketCompression, true>> = {
  contextTakeover: true,
  windowBits: true,
  threshold: true,
  level: true,
};

/**
 * @param key of the handshake
 * @throws TypeError, RangeError `AIO_WS_OPTION`
 */
export function readWSOptions(given: WSConnectOptions | undefined, key: string): WSSettings {
  const options = own<WSConnectOptions>('options of wsConnect', given, KNOWN);
  const timeout = own<ClientWSTimeout>('timeout', options.timeout, TIMEOUTS);
  const receive = options.receiveTimeout ?? timeout.wsReceive;
  const compression = compressionOf(options.compress);
  const headers = new CIMultiDict(options.headers);
  const protocols = protocolsOf(options.protocols, headers);
  addHandshakeFields(headers, { key, protocols, origin: options.origin, compression });
  const { method = 'GET', maxMsgSize = MAX_MSG_SIZE, writerLimit = WRITER_LIMIT } = options;
  checkSize('maxMsgSize', maxMsgSize);
  checkSize('writerLimit', writerLimit);
  return {
    request: handshakeSettings(options, headers),
    method,
    protocols,
    compression,
    closeTimeout: duration('timeout.wsClose', timeout.wsClose ?? CLOSE_TIMEOUT) ?? Infinity,
    receiveTimeout: duration('receiveTimeout', receive),
    autoclose: options.autoclose ?? true,
    autoping: options.autoping ?? true,
    heartbeat: duration('heartbeat', options.heartbeat),
    maxMsgSize,
    writerLimit,
    decodeText: options.decodeText ?? true,
  };
}

/** The own properties of an object, checked by name. */
function own<T extends object>(what: string, given: T | undefined, known: Readonly<Record<string, true>>): T {
  if (given === undefined) return {} as T;
  if (typeof given !== 'object' || given === null) {
    throw codedTypeError('AIO_WS_OPTION', `${what}: expected an object, got ${shown(given)}`);
  }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(known, name)) {
      throw codedTypeError(
        'AIO_WS_OPTION',
        `${what}: there is no ${shown(name)}, only ${Object.keys(known).join(', ')}`,
      );
    }
  }
  return ownOptions(given);
}

function compressionOf(given: WSConnectOptions['compress']): WebSocketCompression | undefined {
  if (given === undefined || given === false || given === 0) return undefined;
  if (given === true) return {};
  const compression = typeof given === 'number' ? { windowBits: given } : own('compress', given, COMPRESSION);
  checkCompression(compression);
  return compression;
}

/** The sub-protocols to ask for (RFC 6455 §4.1): tokens, each once. Who copies the fields of another handshake gives them there. */
function protocolsOf(given: Iterable<string> | undefined, headers: CIMultiDict): readonly string[] {
  if (typeof given === 'string') {
    throw codedTypeError('AIO_WS_OPTION', `protocols is a list of names, got the text ${shown(given)}`);
  }
  const protocols =
    given === undefined ? headers.getAll('sec-websocket-protocol').flatMap(splitList) : [...given];
  for (const [index, protocol] of protocols.entries()) {
    if (typeof protocol !== 'string' || !isToken(protocol)) {
      throw codedRangeError('AIO_WS_OPTION', `protocols: ${shown(protocol)} is not a token`);
    }
    if (protocols.indexOf(protocol) !== index) {
      throw codedRangeError('AIO_WS_OPTION', `protocols: ${shown(protocol)} is there twice`);
    }
  }
  return protocols;
}

interface Handshake {
  readonly key: string;
  readonly protocols: readonly string[];
  readonly origin: string | undefined;
  readonly compression: WebSocketCompression | undefined;
}

/** In the order of aiohttp: what the caller has, then these. */
function addHandshakeFields(headers: CIMultiDict, handshake: Handshake): void {
  const { key, protocols, origin, compression } = handshake;
  headers.setDefault('Upgrade', 'websocket');
  headers.setDefault('Connection', 'Upgrade');
  headers.setDefault('Sec-WebSocket-Version', '13');
  headers.set('Sec-WebSocket-Key', key);
  if (protocols.length > 0) headers.set('Sec-WebSocket-Protocol', protocols.join(','));
  if (origin !== undefined) headers.set('Origin', origin);
  // Of an extension that others have offered nothing would be known here.
  headers.delete('Sec-WebSocket-Extensions');
  if (compression !== undefined) headers.set('Sec-WebSocket-Extensions', offer(compression));
}

function handshakeSettings(options: WSConnectOptions, headers: CIMultiDict): RequestSettings {
  const settings = new RequestSettings();
  settings.isWebSocket = true;
  settings.changesHead = true;
  settings.headers = headers;
  settings.params = options.params;
  settings.cookies = options.cookies;
  settings.skipAutoHeaders = options.skipAutoHeaders;
  settings.proxy = options.proxy;
  settings.proxyHeaders = options.proxyHeaders;
  settings.ssl = options.ssl;
  settings.serverHostname = options.serverHostname;
  settings.allowRedirects = options.allowRedirects;
  settings.maxRedirects = options.maxRedirects;
  settings.middlewares = options.middlewares;
  settings.traceRequestCtx = options.traceRequestCtx;
  settings.encoded = options.encoded;
  settings.signal = options.signal;
  // HTTP/1.0 cannot be upgraded, and a refusal without length is over at once.
  settings.version = HttpVersion11;
  settings.readUntilEof = false;
  checkSettings(settings);
  return settings;
}

function duration(name: string, value: number | undefined): number | undefined {
  if (value === undefined || value === Infinity) return undefined;
  if (typeof value === 'number' && value > 0) return value;
  throw codedRangeError(
    'AIO_WS_OPTION',
    `${name} is a positive number of milliseconds, or Infinity for no limit; got ${shown(value)}`,
  );
}

function checkSize(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw codedRangeError('AIO_WS_OPTION', `${name} is a whole number of bytes from 0, got ${shown(value)}`);
}

import { TimeoutError } from '../asyncio/index.ts';
import type { CIMultiDictProxy } from '../message/index.ts';
import { alsoChildOf, ClientError, withoutCredentials } from './client-error.ts';
import type { ConnectionKey } from './connection-key.ts';

export { WebSocketError, WSMessageTypeError } from '../websocket/index.ts';
export { ClientError } from './client-error.ts';
export {
  InvalidURL,
  InvalidUrlClientError,
  InvalidUrlRedirectClientError,
  NonHttpUrlClientError,
  NonHttpUrlRedirectClientError,
  RedirectClientError,
} from './url-errors.ts';

/** What was asked for when a response failed (aiohttp `RequestInfo`). */
export interface RequestInfo {
  /** Without fragment. */
  readonly url: URL;
  readonly method: string;
  readonly headers: CIMultiDictProxy;
  /** As it was given, with fragment. */
  readonly realUrl: URL;
}

/** A response that was passed on the way to the last one: what `history` holds. */
export interface PastResponse {
  readonly status: number;
  readonly url: URL;
  readonly headers: CIMultiDictProxy;
}

/** What a {@link ClientResponseError} is made of. */
export interface ResponseErrorOptions extends ErrorOptions {
  /** Default 0: no status. */
  readonly status?: number | undefined;
  /** What is wrong, by default nothing: often the reason phrase. */
  readonly message?: string | undefined;
  readonly headers?: CIMultiDictProxy | undefined;
}

/**
 * A response came and is not what it should be: a status that `raiseForStatus` refuses, a head that is no HTTP, the wrong content type.
 *
 * Source: `aiohttp.ClientResponseError`.
 */
export class ClientResponseError extends ClientError {
  override readonly code: string = 'AIO_CLIENT_RESPONSE';
  readonly requestInfo: RequestInfo;
  /** Redirects that led here, the first one first. */
  readonly history: readonly PastResponse[];
  /** 0 when there was none. */
  readonly status: number;
  /** aiohttp's `message`: the reason, without status and URL, which `message` holds as well. */
  readonly reason: string;
  /** Not enumerable: who logs the error should not log cookies. */
  readonly headers!: CIMultiDictProxy | undefined;

  static {
    ClientResponseError.prototype.name = 'ClientResponseError';
  }

  constructor(
    requestInfo: RequestInfo,
    history: readonly PastResponse[],
    options: ResponseErrorOptions = {},
  ) {
    const { status = 0, message = '', headers } = options;
    super(`${status}, message='${message}', url='${withoutCredentials(requestInfo.realUrl)}'`, options);
    this.requestInfo = requestInfo;
    this.history = history;
    this.status = status;
    this.reason = message;
    Object.defineProperty(this, 'headers', { value: headers, enumerable: false });
  }
}

/** `response.json()` met another content type than it was told to expect. Source: `aiohttp.ContentTypeError`. */
export class ContentTypeError extends ClientResponseError {
  override readonly code: string = 'AIO_CONTENT_TYPE';

  static {
    ContentTypeError.prototype.name = 'ContentTypeError';
  }
}

/** The server did not agree to speak WebSocket. Source: `aiohttp.WSServerHandshakeError`. */
export class WSServerHandshakeError extends ClientResponseError {
  override readonly code: string = 'AIO_WS_HANDSHAKE';

  static {
    WSServerHandshakeError.prototype.name = 'WSServerHandshakeError';
  }
}

/** A proxy refused the tunnel; `status` is its answer to CONNECT. Source: `aiohttp.ClientHttpProxyError`. */
export class ClientHttpProxyError extends ClientResponseError {
  override readonly code: string = 'AIO_PROXY_REFUSED';

  static {
    ClientHttpProxyError.prototype.name = 'ClientHttpProxyError';
  }
}

/** More than `maxRedirects` redirects; `history` holds them. Source: `aiohttp.TooManyRedirects`. */
export class TooManyRedirects extends ClientResponseError {
  override readonly code: string = 'AIO_TOO_MANY_REDIRECTS';

  static {
    TooManyRedirects.prototype.name = 'TooManyRedirects';
  }
}

/** The body of a response broke off, its framing or its coding is wrong. Source: `aiohttp.ClientPayloadError`. */
export class ClientPayloadError extends ClientError {
  override readonly code: string = 'AIO_CLIENT_PAYLOAD';

  static {
    ClientPayloadError.prototype.name = 'ClientPayloadError';
  }
}

/** Something about the connection, not about what was said on it. Source: `aiohttp.ClientConnectionError`. */
export class ClientConnectionError extends ClientError {
  override readonly code: string = 'AIO_CONNECTION';

  static {
    ClientConnectionError.prototype.name = 'ClientConnectionError';
  }
}

/** The connection was gone when something was to be written. Source: `aiohttp.ClientConnectionResetError`. */
export class ClientConnectionResetError extends ClientConnectionError {
  override readonly code: string = 'AIO_CONNECTION_RESET';

  static {
    ClientConnectionResetError.prototype.name = 'ClientConnectionResetError';
  }
}

/** The system refused or broke a connection; {@link ClientOSError.osError} is what it said. Source: `aiohttp.ClientOSError`. */
export class ClientOSError extends ClientConnectionError {
  override readonly code: string = 'AIO_CLIENT_OS';
  readonly osError: Error;

  static {
    ClientOSError.prototype.name = 'ClientOSError';
  }

  constructor(osError: Error, message: string = osError.message) {
    super(message, { cause: osError });
    this.osError = osError;
  }

  /** The system's name of the error: `'ECONNREFUSED'`, `'ENOTFOUND'` … */
  get osCode(): string | undefined {
    const { code } = this.osError as { code?: unknown };
    return typeof code === 'string' ? code : undefined;
  }
}

/** No connection could be made. Source: `aiohttp.ClientConnectorError`. */
export class ClientConnectorError extends ClientOSError {
  override readonly code: string = 'AIO_CONNECT';
  readonly host: string;
  readonly port: number;
  /** `'default'` when certificates are verified as usual, `'off'`, `'fingerprint'` or `'custom'`. */
  readonly ssl: string;

  static {
    ClientConnectorError.prototype.name = 'ClientConnectorError';
  }

  constructor(key: ConnectionKey, osError: Error, message?: string) {
    const { host, port, sslLabel } = key;
    super(osError, message ?? `Cannot connect to host ${host}:${port} ssl:${sslLabel} [${osError.message}]`);
    this.host = host;
    this.port = port;
    this.ssl = sslLabel;
  }
}

/** The host's name has no address. Source: `aiohttp.ClientConnectorDNSError`. */
export class ClientConnectorDNSError extends ClientConnectorError {
  override readonly code: string = 'AIO_DNS';

  static {
    ClientConnectorDNSError.prototype.name = 'ClientConnectorDNSError';
  }
}

/** The proxy cannot be reached, or does not speak as it should. Source: `aiohttp.ClientProxyConnectionError`. */
export class ClientProxyConnectionError extends ClientConnectorError {
  override readonly code: string = 'AIO_PROXY_CONNECT';

  static {
    ClientProxyConnectionError.prototype.name = 'ClientProxyConnectionError';
  }
}

/** All addresses of the host are ones that the connector's `ssrfGuard` refuses. */
export class BlockedAddressError extends ClientConnectorError {
  override readonly code: string = 'AIO_BLOCKED_ADDRESS';

  static {
    BlockedAddressError.prototype.name = 'BlockedAddressError';
  }
}

/** The Unix socket cannot be connected to. Source: `aiohttp.UnixClientConnectorError`. */
export class UnixClientConnectorError extends ClientConnectorError {
  override readonly code: string = 'AIO_UNIX_CONNECT';
  readonly path: string;

  static {
    UnixClientConnectorError.prototype.name = 'UnixClientConnectorError';
  }

  constructor(path: string, key: ConnectionKey, osError: Error) {
    super(key, osError, `Cannot connect to unix socket ${path} ssl:${key.sslLabel} [${osError.message}]`);
    this.path = path;
  }
}

/** TLS failed. Source: `aiohttp.ClientSSLError`. */
export class ClientSSLError extends ClientConnectorError {
  override readonly code: string = 'AIO_TLS';

  static {
    ClientSSLError.prototype.name = 'ClientSSLError';
  }
}

/** The TLS handshake failed for another reason than the certificate. Source: `aiohttp.ClientConnectorSSLError`. */
export class ClientConnectorSSLError extends ClientSSLError {
  override readonly code: string = 'AIO_TLS_HANDSHAKE';

  static {
    ClientConnectorSSLError.prototype.name = 'ClientConnectorSSLError';
  }
}

/** The server's certificate is not trusted or not for this host. Source: `aiohttp.ClientConnectorCertificateError`. */
export class ClientConnectorCertificateError extends ClientSSLError {
  override readonly code: string = 'AIO_CERTIFICATE';

  static {
    ClientConnectorCertificateError.prototype.name = 'ClientConnectorCertificateError';
  }

  /** What the check of the certificate said: the same as `osError`. */
  get certificateError(): Error {
    return this.osError;
  }
}

/** The server did something to the connection. Source: `aiohttp.ServerConnectionError`. */
export class ServerConnectionError extends ClientConnectionError {
  override readonly code: string = 'AIO_SERVER_CONNECTION';

  static {
    ServerConnectionError.prototype.name = 'ServerConnectionError';
  }
}

/** The server closed the connection before it answered. Source: `aiohttp.ServerDisconnectedError`. */
export class ServerDisconnectedError extends ServerConnectionError {
  override readonly code: string = 'AIO_SERVER_DISCONNECTED';

  static {
    ServerDisconnectedError.prototype.name = 'ServerDisconnectedError';
  }

  constructor(message = 'Server disconnected', options?: ErrorOptions) {
    super(message, options);
  }
}

/** The server's certificate is another one than was pinned. Source: `aiohttp.ServerFingerprintMismatch`. */
export class ServerFingerprintMismatch extends ServerConnectionError {
  override readonly code: string = 'AIO_FINGERPRINT';
  readonly expected: Uint8Array;
  readonly got: Uint8Array;
  readonly host: string;
  readonly port: number;

  static {
    ServerFingerprintMismatch.prototype.name = 'ServerFingerprintMismatch';
  }

  constructor(expected: Uint8Array, got: Uint8Array, host: string, port: number) {
    super(
      `The certificate of ${host}:${port} has the SHA-256 fingerprint ${hex(got)}, expected ${hex(expected)}`,
    );
    this.expected = expected;
    this.got = got;
    this.host = host;
    this.port = port;
  }
}

/** A wait for the server was too long; `instanceof` holds for {@link ServerConnectionError} too. Source: `aiohttp.ServerTimeoutError`. */
export class ServerTimeoutError extends TimeoutError {
  override readonly code: string = 'AIO_SERVER_TIMEOUT';

  static {
    ServerTimeoutError.prototype.name = 'ServerTimeoutError';
    alsoChildOf(ServerTimeoutError, ServerConnectionError);
  }
}

/** What a connection waited for when its time was over. */
export type ConnectPhase = 'poolWait' | 'connect' | 'sockConnect';

/** No connection within the time allowed; `phase` says which limit. Source: `aiohttp.ConnectionTimeoutError`. */
export class ConnectionTimeoutError extends ServerTimeoutError {
  override readonly code: string = 'AIO_CONNECT_TIMEOUT';
  readonly phase: ConnectPhase;

  static {
    ConnectionTimeoutError.prototype.name = 'ConnectionTimeoutError';
  }

  constructor(message: string, phase: ConnectPhase, options?: ErrorOptions) {
    super(message, options);
    this.phase = phase;
  }
}

/** The server was silent for longer than `sockRead`. Source: `aiohttp.SocketTimeoutError`. */
export class SocketTimeoutError extends ServerTimeoutError {
  override readonly code: string = 'AIO_SOCKET_TIMEOUT';

  static {
    SocketTimeoutError.prototype.name = 'SocketTimeoutError';
  }

  constructor(message = 'Timeout on reading data from socket', options?: ErrorOptions) {
    super(message, options);
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

import { dialPath, secured, startTls, tlsConnectOptions } from '../net/index.ts';
import type { ConnectLimit } from './connect-limit.ts';
import type { ConnectRequest } from './connect-request.ts';
import { BaseConnector, type ConnectorOptions, isFinalError, type MadeConnection } from './connector.ts';
import { UnixClientConnectorError } from './errors.ts';
import { checkFingerprint, settingsFor, tlsFailure } from './tls-settings.ts';

/**
 * Sends every request to one Unix socket, whatever host its URL names.
 *
 * Source: `aiohttp.UnixConnector`.
 *
 * @example
 * ```ts
 * await using connector = new UnixConnector('/run/docker.sock', { limit: 10 });
 * console.log(connector.path, connector.stats.idle);
 * ```
 */
export class UnixConnector extends BaseConnector {
  readonly path: string;

  /** @param path of the socket */
  constructor(path: string, options: ConnectorOptions = {}) {
    super(options, ['http', 'https', 'ws', 'wss', 'http+unix', 'unix']);
    this.path = path;
  }

  protected override async open(request: ConnectRequest, limit: ConnectLimit): Promise<MadeConnection> {
    const { key } = request;
    const started = performance.now();
    const timings = { dns: undefined, connect: undefined, proxy: undefined, tls: undefined };
    try {
      const dialed = await dialPath(this.path, limit.wait);
      const connected = performance.now();
      if (!key.secure) return { ...dialed, timings: { ...timings, connect: connected - started } };
      const socket = startTls(
        dialed.socket,
        tlsConnectOptions(key.serverHostname ?? key.host, settingsFor(key.ssl)),
      );
      try {
        await secured(socket, limit.wait);
        checkFingerprint(socket, key);
      } catch (error) {
        throw tlsFailure(key, socket, error);
      }
      const tls = performance.now() - connected;
      return { socket, reader: undefined, timings: { ...timings, connect: connected - started, tls } };
    } catch (error) {
      if (isFinalError(error)) throw error;
      throw new UnixClientConnectorError(this.path, key, error as Error);
    }
  }
}

/**
 * Sends every request to a named pipe of Windows: `new NamedPipeConnector('\\\\.\\pipe\\name')`.
 *
 * Source: `aiohttp.NamedPipeConnector`.
 */
export class NamedPipeConnector extends UnixConnector {}

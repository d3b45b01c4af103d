import type { ConnectRequest, ConnectTimeouts, ConnectTrace } from '../../src/client/connect-request.ts';
import { ConnectionKey, type ConnectionKeyOptions } from '../../src/client/connection-key.ts';
import type { BaseConnector } from '../../src/client/connector.ts';
import type { PooledConnection } from '../../src/client/pooled-connection.ts';
import { StreamReader } from '../../src/message/index.ts';

/** A request for a connection to a port of this machine. */
export function requestTo(
  port: number,
  options: Partial<ConnectionKeyOptions> = {},
  timeouts: ConnectTimeouts = {},
  traces?: readonly ConnectTrace[],
): ConnectRequest {
  return { key: new ConnectionKey({ host: '127.0.0.1', port, secure: false, ...options }), timeouts, traces };
}

/** Sends `GET /` on a connection and reads the answer to its end. */
export async function exchangeOn(pooled: PooledConnection): Promise<string> {
  const { connection } = pooled;
  try {
    connection.begin('GET');
    connection.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
    const sent = connection.flush();
    connection.endRequest();
    if (sent !== undefined) await sent;
    const { body = Buffer.alloc(0) } = await connection.response();
    return Buffer.from(body instanceof StreamReader ? await body.read() : body).toString('latin1');
  } finally {
    pooled.release();
  }
}

export async function get(connector: BaseConnector, request: ConnectRequest): Promise<string> {
  return await exchangeOn(connector.reuse(request.key) ?? (await connector.connect(request)));
}

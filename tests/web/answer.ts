import { web } from '../../src/index.ts';
import { Listener } from '../../src/net/index.ts';
import { FetchExchange } from '../../src/web/fetch-exchange.ts';
import { collectingLogger } from './collecting-logger.ts';
import { rawRequest } from './raw-request.ts';

/** A request of ours over a platform request, without an application. */
export function makeRequest(path: string, init?: RequestInit & { duplex?: 'half' }): web.Request {
  return new web.Request(
    new FetchExchange(new globalThis.Request(new URL(path, 'http://example.test'), init)),
  );
}

/** What the client gets when `handler` serves one request through the platform exchange. */
export async function answer(
  handler: web.RawHandler,
  path = '/',
  init?: RequestInit & { duplex?: 'half' },
): Promise<globalThis.Response> {
  const server = new web.Server(handler, { logger: collectingLogger() });
  const exchange = new FetchExchange(new globalThis.Request(new URL(path, 'http://example.test'), init));
  server.handler(exchange);
  return exchange.response;
}

/** What a server on a socket sends back for these bytes. The last request should close the connection. */
export async function wire(
  handler: web.RawHandler,
  bytes: string | readonly string[],
  options: web.WebServerOptions = {},
): Promise<string> {
  const server = new web.Server(handler, { logger: collectingLogger(), ...options });
  const listener = new Listener(server, { host: '127.0.0.1', port: 0 });
  await listener.start();
  try {
    const { address } = listener;
    if (address === null || typeof address === 'string') throw new Error('no port');
    return await rawRequest(address.port, bytes);
  } finally {
    await listener.stop();
    await server.shutdown(0);
    server.close();
  }
}

/** Head and body of an answer on the wire. */
export function split(text: string): { head: string; lines: string[]; body: string } {
  const end = text.indexOf('\r\n\r\n');
  const head = end < 0 ? text : text.slice(0, end);
  return { head, lines: head.split('\r\n'), body: end < 0 ? '' : text.slice(end + 4) };
}

export const CLOSE = 'Host: h\r\nConnection: close\r\n';

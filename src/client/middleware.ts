import { codedTypeError, shown } from '../message/index.ts';
import type { ClientRequest } from './request.ts';
import type { ClientResponse } from './response.ts';

/** Sends a request, or hands it to the next middleware. May be called several times; who does so releases the responses it drops. */
export type ClientHandler = (request: ClientRequest) => Promise<ClientResponse>;

/**
 * Stands between a session and the connection: sees and changes every request, also each redirect and retry, before a connection is
 * taken, and its response. The first of a list is the outermost.
 *
 * Source: `aiohttp.ClientMiddlewareType`.
 *
 * @example
 * ```ts
 * import type { ClientMiddleware } from 'aiohttp-ts/client';
 *
 * const stamped: ClientMiddleware = async (request, handler) => {
 *   request.headers.set('X-Sent-At', String(Date.now()));
 *   return await handler(request);
 * };
 * ```
 */
export type ClientMiddleware = (request: ClientRequest, handler: ClientHandler) => Promise<ClientResponse>;

/** One function for a list of middlewares around `send`. */
export function compose(middlewares: readonly ClientMiddleware[], send: ClientHandler): ClientHandler {
  let handler = send;
  for (const middleware of middlewares.toReversed()) {
    if (typeof middleware !== 'function') {
      throw codedTypeError('AIO_MIDDLEWARE', `a middleware is a function, got ${shown(middleware)}`);
    }
    const next = handler;
    handler = async (request) => await middleware(request, next);
  }
  return handler;
}

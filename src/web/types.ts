export type { Logger } from '../net/index.ts';

import type { HTTPException } from './http-exceptions.ts';
import type { Request } from './request.ts';
import type { StreamResponse } from './stream-response.ts';

/** A value, or a promise of one. Synchronous handlers are answered in the same tick. */
export type Awaitable<T> = T | PromiseLike<T>;

/** Values that a route's pattern took out of the path, by parameter name, decoded. */
export type Params = Readonly<Record<string, string>>;

/**
 * What a handler or a middleware may return: a response of ours, an HTTP exception (as in aiohttp 3, it counts as a response
 * then), or a platform `Response`.
 */
export type HandlerResult = StreamResponse | HTTPException | globalThis.Response;

/**
 * A request handler, synchronous or asynchronous. `P` is the type of `request.matchInfo`, which `web.get('/{id}', …)` infers.
 *
 * @example
 * ```ts
 * const hello: web.Handler = (request) => new web.Response({ text: `Hello, ${request.query.get('name') ?? 'you'}` });
 * ```
 */
// A method signature on purpose: a handler of typed parameters must be storable beside handlers of others.
export type Handler<P extends Params = Params> = {
  bivariant(request: Request<P>): Awaitable<HandlerResult>;
}['bivariant'];

/**
 * What a middleware calls to go on: the next middleware or the handler itself. It answers with a `StreamResponse` whatever the handler
 * returned, and throws what the handler threw. Properties that were set on the handler function can be read on it.
 *
 * Always `await` its answer: it is a plain value when everything behind it was synchronous.
 */
export interface NextHandler {
  (request: Request): Awaitable<StreamResponse>;
  readonly [attribute: string | symbol]: unknown;
}

/**
 * Code around a handler.
 *
 * @example
 * ```ts
 * const timing: web.Middleware = async (request, handler) => {
 *   const start = performance.now();
 *   const response = await handler(request);
 *   response.headers.set('Server-Timing', `app;dur=${performance.now() - start}`);
 *   return response;
 * };
 * const app = new web.Application({ middlewares: [timing] });
 * ```
 */
export type Middleware = (request: Request, handler: NextHandler) => Awaitable<HandlerResult>;

/** What is ready to be called for a request: the handler alone, or middlewares composed around it. */
export type Chain = (request: Request) => Awaitable<HandlerResult>;

/**
 * Called for every response just before its head is sent; it may change the headers. The fields that only the transport adds
 * (Date, Server, Connection) are not there yet and are left alone when set here.
 */
export type ResponsePrepareHandler = (request: Request, response: StreamResponse) => Awaitable<unknown>;

import { hash } from 'node:crypto';
import {
  ETag,
  evaluateConditions,
  formatETag,
  formatHttpDate,
  Payload,
  parseETags,
} from '../message/index.ts';
import type { BaseRequest } from './base-request.ts';
import { HTTPNotModified, HTTPPreconditionFailed } from './http-exceptions.ts';
import { conditionsOf } from './request-conditions.ts';
import { Response } from './response.ts';
import type { StreamResponse } from './stream-response.ts';
import type { Middleware } from './types.ts';

/** What a handler knows of the current state of what a request is about. */
export interface Validators {
  /** A tag, or the value of a strong one without quotes. */
  readonly etag?: ETag | string | undefined;
  /** A date, or milliseconds since 1970. */
  readonly lastModified?: Date | number | undefined;
}

/**
 * Checks `If-Match`, `If-None-Match`, `If-Modified-Since` and `If-Unmodified-Since` against the current state, by RFC 9110 §13.2.2: before the work
 * is done, so that nobody overwrites what they have not seen, and nothing is made that the client has already.
 *
 * @param current `undefined` when there is nothing yet: `If-Match: *` fails then, and `If-None-Match: *` holds.
 * @throws HTTPPreconditionFailed (412) when a condition does not hold
 * @throws HTTPNotModified (304) for GET and HEAD when the client has the current state
 * @throws RangeError `AIO_ETAG` for a tag that cannot be one, such as `'"v7"'` with its quotes
 * @example
 * ```ts
 * app.router.addPut('/notes/{id}', async (request) => {
 *   checkPreconditions(request, { etag: 'version-7' });
 *   return new web.Response({ status: 204 });
 * });
 * ```
 */
export function checkPreconditions(request: BaseRequest, current: Validators | undefined): void {
  const etag = typeof current?.etag === 'string' ? new ETag(current.etag) : current?.etag;
  // Also where nobody asks: a tag with quotes in it would match nothing, and be found out by the first who wants to change something.
  if (etag !== undefined) formatETag(etag);
  const conditions = conditionsOf(request);
  if (conditions === undefined) return;
  const modified = current?.lastModified;
  const lastModified = typeof modified === 'object' ? modified.getTime() : modified;
  const result = evaluateConditions(
    request.method,
    conditions,
    current === undefined ? undefined : { etag, lastModified },
  );
  if (result === 'proceed') return;
  if (result === 'failed') throw new HTTPPreconditionFailed();
  const headers: Record<string, string> = {};
  if (etag !== undefined) headers['ETag'] = formatETag(etag);
  if (lastModified !== undefined)
    headers['Last-Modified'] = formatHttpDate(Math.ceil(lastModified / 1000) * 1000);
  throw new HTTPNotModified({ headers });
}

/** Options of {@link conditionalMiddleware}. */
export interface ConditionalOptions {
  /**
   * Gives whole bodies without an ETag a weak one, made of their bytes. It saves the way to the client, not the work: the handler runs all the
   * same. Default `false`.
   */
  readonly autoETag?: boolean | undefined;
}

/** What a middleware wants done to an answer whose head is about to be made. */
export interface AnswerPolicy {
  /**
   * @param tag the ETag that the handler set, before a content coding made it weak
   * @throws HTTPException to send another answer
   */
  apply(response: StreamResponse, request: BaseRequest, tag: string | undefined): void;
}

/** Fields that describe a body, which 304 has not (RFC 9110 §15.4.5). */
const OF_THE_BODY = ['Content-Type', 'Content-Length', 'Content-Encoding', 'Content-Language'];

class Conditions implements AnswerPolicy {
  readonly #autoETag: boolean;

  constructor(options: ConditionalOptions) {
    this.#autoETag = options.autoETag ?? false;
  }

  apply(response: StreamResponse, request: BaseRequest, tag: string | undefined): void {
    if (response.status !== 200 || (request.method !== 'GET' && request.method !== 'HEAD')) return;
    if (this.#autoETag && response.ownHeaders?.has('ETag') !== true) addETag(response);
    const headers = response.ownHeaders;
    if (headers === undefined || !(headers.has('ETag') || headers.has('Last-Modified'))) return;
    const conditions = conditionsOf(request);
    if (conditions === undefined) return;
    const etag = tag === undefined ? response.etag : parseETags(tag)[0];
    const { lastModified } = response;
    const current = { etag, lastModified: lastModified?.getTime() };
    const result = evaluateConditions(request.method, conditions, current);
    if (result === 'proceed') return;
    if (result === 'failed') throw new HTTPPreconditionFailed();
    response.setStatus(304);
    if (response instanceof Response && !(response._body instanceof Payload)) response._body = undefined;
    for (const name of OF_THE_BODY) headers.delete(name);
  }
}

function addETag(response: StreamResponse): void {
  if (!(response instanceof Response)) return;
  const body = response._body;
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return;
  response.etag = new ETag(hash('sha1', body, 'base64').slice(0, 27), true);
}

/**
 * A middleware that answers GET and HEAD with `304 Not Modified` when the client has what the handler returned: the response has an `ETag` or a
 * `Last-Modified`, and the request says `If-None-Match` or `If-Modified-Since`. `If-Match` and `If-Unmodified-Since` that do not hold are
 * answered with 412. Other methods must be checked before they change something: {@link checkPreconditions}.
 *
 * @example
 * ```ts
 * const app = new web.Application({ middlewares: [web.conditionalMiddleware({ autoETag: true })] });
 * ```
 */
export function conditionalMiddleware(options: ConditionalOptions = {}): Middleware {
  const conditions = new Conditions(options);
  return function conditional(request, handler) {
    request._origin._touchExtras().conditional = conditions;
    return handler(request);
  };
}

import {
  HTTPBadRequest,
  type HTTPException,
  HTTPExpectationFailed,
  HTTPNotImplemented,
  HTTPRequestEntityTooLarge,
  HTTPRequestHeaderFieldsTooLarge,
  HTTPRequestTimeout,
  HTTPRequestURITooLong,
  HTTPVersionNotSupported,
} from './http-exceptions.ts';
import { Match, NO_PARAMS } from './match.ts';
import type { Request } from './request.ts';
import type { UrlDispatcher } from './router.ts';

const CLASSES = [
  HTTPRequestTimeout,
  HTTPRequestURITooLong,
  HTTPExpectationFailed,
  HTTPRequestHeaderFieldsTooLarge,
  HTTPNotImplemented,
  HTTPVersionNotSupported,
] as const;

/** The exception for a status that the transport decided on. */
function exceptionFor(status: number, text: string, cause: unknown): HTTPException {
  if (status === HTTPRequestEntityTooLarge.status) return new HTTPRequestEntityTooLarge(0, { text, cause });
  const type = CLASSES.find((candidate) => candidate.status === status) ?? HTTPBadRequest;
  return new type({ text, cause });
}

/** The match of a request that could not be parsed: no path was looked at, the root's middlewares see the exception. */
class BadRequestMatch extends Match {
  readonly #exception: HTTPException;

  constructor(router: UrlDispatcher, exception: HTTPException) {
    super(router, router.systemRoute, NO_PARAMS);
    this.#exception = exception;
  }

  override get httpException(): HTTPException {
    return this.#exception;
  }
}

/** What is thrown in place of a handler for a request that could not be parsed; sets `request.preHandlerError`. */
export function badRequestException(request: Request): HTTPException {
  const error = request._exchange.error;
  const exception = exceptionFor(error?.status ?? 400, error?.message ?? 'Bad Request', error);
  request._preHandlerError = exception;
  return exception;
}

/** The match of a request that could not be parsed. */
export function badRequestMatch(router: UrlDispatcher, request: Request): Match {
  return new BadRequestMatch(router, badRequestException(request));
}

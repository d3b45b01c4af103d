import {
  HTTPClientError,
  type HTTPExceptionOptions,
  HTTPServerError,
  HTTPSuccessful,
} from './http-exception.ts';
import { quoteLocation } from './location.ts';

export * from './http-exception.ts';
export * from './http-redirects.ts';

/** 200 OK: the request succeeded. RFC 9110 §15.3.1. */
export class HTTPOk extends HTTPSuccessful {
  static override readonly status: number = 200;
}

/** 201 Created: one or more resources came into being. RFC 9110 §15.3.2. */
export class HTTPCreated extends HTTPSuccessful {
  static override readonly status: number = 201;
}

/** 202 Accepted: the work will be done later. RFC 9110 §15.3.3. */
export class HTTPAccepted extends HTTPSuccessful {
  static override readonly status: number = 202;
}

/** 203 Non-Authoritative Information: a proxy changed the answer. RFC 9110 §15.3.4. */
export class HTTPNonAuthoritativeInformation extends HTTPSuccessful {
  static override readonly status: number = 203;
}

/** 204 No Content: success with nothing to show. RFC 9110 §15.3.5. */
export class HTTPNoContent extends HTTPSuccessful {
  static override readonly status: number = 204;
  static override readonly emptyBody: boolean = true;
}

/** 205 Reset Content: the client should clear its form. RFC 9110 §15.3.6. */
export class HTTPResetContent extends HTTPSuccessful {
  static override readonly status: number = 205;
  static override readonly emptyBody: boolean = true;
}

/** 206 Partial Content: the ranges that were asked for. RFC 9110 §15.3.7. */
export class HTTPPartialContent extends HTTPSuccessful {
  static override readonly status: number = 206;
}

/** 400 Bad Request: the request makes no sense. RFC 9110 §15.5.1. */
export class HTTPBadRequest extends HTTPClientError {
  static override readonly status: number = 400;
}

/** 401 Unauthorized: credentials are missing or wrong; send `WWW-Authenticate` with it. RFC 9110 §15.5.2. */
export class HTTPUnauthorized extends HTTPClientError {
  static override readonly status: number = 401;
}

/** 402 Payment Required. RFC 9110 §15.5.3. */
export class HTTPPaymentRequired extends HTTPClientError {
  static override readonly status: number = 402;
}

/** 403 Forbidden: understood and refused. RFC 9110 §15.5.4. */
export class HTTPForbidden extends HTTPClientError {
  static override readonly status: number = 403;
}

/** 404 Not Found. RFC 9110 §15.5.5. */
export class HTTPNotFound extends HTTPClientError {
  static override readonly status: number = 404;
}

/**
 * 405 Method Not Allowed: the resource exists but not for this method. The `Allow` field lists those it has. RFC 9110 §15.5.6.
 *
 * @example
 * ```ts
 * throw new web.HTTPMethodNotAllowed(request.method, ['GET', 'HEAD']);
 * ```
 */
export class HTTPMethodNotAllowed extends HTTPClientError {
  static override readonly status: number = 405;
  /** The method that was asked for. */
  readonly method: string;
  /** The methods that the resource has. */
  readonly allowedMethods: ReadonlySet<string>;

  constructor(method: string, allowedMethods: Iterable<string>, options?: HTTPExceptionOptions) {
    super(options);
    this.method = method;
    this.allowedMethods = new Set(allowedMethods);
    this.headers.set('Allow', [...this.allowedMethods].sort().join(','));
  }
}

/** 406 Not Acceptable: nothing fits the `Accept` fields. RFC 9110 §15.5.7. */
export class HTTPNotAcceptable extends HTTPClientError {
  static override readonly status: number = 406;
}

/** 407 Proxy Authentication Required. RFC 9110 §15.5.8. */
export class HTTPProxyAuthenticationRequired extends HTTPClientError {
  static override readonly status: number = 407;
}

/** 408 Request Timeout: the request did not arrive in time. RFC 9110 §15.5.9. */
export class HTTPRequestTimeout extends HTTPClientError {
  static override readonly status: number = 408;
}

/** 409 Conflict with the state of the resource. RFC 9110 §15.5.10. */
export class HTTPConflict extends HTTPClientError {
  static override readonly status: number = 409;
}

/** 410 Gone for good. RFC 9110 §15.5.11. */
export class HTTPGone extends HTTPClientError {
  static override readonly status: number = 410;
}

/** 411 Length Required: Content-Length is missing. RFC 9110 §15.5.12. */
export class HTTPLengthRequired extends HTTPClientError {
  static override readonly status: number = 411;
}

/** 412 Precondition Failed: an `If-…` field does not hold. RFC 9110 §15.5.13. */
export class HTTPPreconditionFailed extends HTTPClientError {
  static override readonly status: number = 412;
}

/**
 * 413 Content Too Large: the body is larger than `clientMaxSize` bytes. RFC 9110 §15.5.14.
 *
 * @example
 * ```ts
 * throw new web.HTTPRequestEntityTooLarge(1_048_576);
 * ```
 */
export class HTTPRequestEntityTooLarge extends HTTPClientError {
  static override readonly status: number = 413;
  /** The limit in bytes. */
  readonly maxSize: number;

  constructor(maxSize: number, options?: HTTPExceptionOptions) {
    super({ ...options, text: options?.text ?? `Maximum request body size ${maxSize} exceeded.` });
    this.maxSize = maxSize;
  }
}

/** 414 URI Too Long. RFC 9110 §15.5.15. */
export class HTTPRequestURITooLong extends HTTPClientError {
  static override readonly status: number = 414;
}

/** 415 Unsupported Media Type: the type, charset or coding of the body is not supported. RFC 9110 §15.5.16. */
export class HTTPUnsupportedMediaType extends HTTPClientError {
  static override readonly status: number = 415;
}

/** 416 Range Not Satisfiable. RFC 9110 §15.5.17. */
export class HTTPRequestRangeNotSatisfiable extends HTTPClientError {
  static override readonly status: number = 416;
}

/** 417 Expectation Failed: `Expect` asks for what cannot be had. RFC 9110 §15.5.18. */
export class HTTPExpectationFailed extends HTTPClientError {
  static override readonly status: number = 417;
}

/** 421 Misdirected Request: this server does not answer for that host. RFC 9110 §15.5.20. */
export class HTTPMisdirectedRequest extends HTTPClientError {
  static override readonly status: number = 421;
}

/** 422 Unprocessable Content: well-formed but wrong. RFC 9110 §15.5.21. */
export class HTTPUnprocessableEntity extends HTTPClientError {
  static override readonly status: number = 422;
}

/** 424 Failed Dependency. RFC 4918 §11.4. */
export class HTTPFailedDependency extends HTTPClientError {
  static override readonly status: number = 424;
}

/** 426 Upgrade Required: another protocol is needed. RFC 9110 §15.5.22. */
export class HTTPUpgradeRequired extends HTTPClientError {
  static override readonly status: number = 426;
}

/** 428 Precondition Required: the request must be conditional. RFC 6585 §3. */
export class HTTPPreconditionRequired extends HTTPClientError {
  static override readonly status: number = 428;
}

/** 429 Too Many Requests; `Retry-After` says when to come back. RFC 6585 §4. */
export class HTTPTooManyRequests extends HTTPClientError {
  static override readonly status: number = 429;
}

/** 431 Request Header Fields Too Large. RFC 6585 §5. */
export class HTTPRequestHeaderFieldsTooLarge extends HTTPClientError {
  static override readonly status: number = 431;
}

/**
 * 451 Unavailable For Legal Reasons. `link` names who demands it and is sent as `Link: <…>; rel="blocked-by"`. RFC 7725 §3.
 *
 * @example
 * ```ts
 * throw new web.HTTPUnavailableForLegalReasons('https://authority.example/order/7');
 * ```
 */
export class HTTPUnavailableForLegalReasons extends HTTPClientError {
  static override readonly status: number = 451;
  /** Who blocks; `undefined` when that is not told. */
  readonly link: string | undefined;

  /** @throws RangeError when the link cannot stand in a header. */
  constructor(link: string | URL | undefined, options?: HTTPExceptionOptions) {
    super(options);
    this.link = link === undefined ? undefined : quoteLocation(String(link));
    if (this.link !== undefined) this.headers.set('Link', `<${this.link}>; rel="blocked-by"`);
  }
}

/** 500 Internal Server Error. RFC 9110 §15.6.1. */
export class HTTPInternalServerError extends HTTPServerError {
  static override readonly status: number = 500;
}

/** 501 Not Implemented. RFC 9110 §15.6.2. */
export class HTTPNotImplemented extends HTTPServerError {
  static override readonly status: number = 501;
}

/** 502 Bad Gateway: the server behind this one answered nonsense. RFC 9110 §15.6.3. */
export class HTTPBadGateway extends HTTPServerError {
  static override readonly status: number = 502;
}

/** 503 Service Unavailable; `Retry-After` says when to come back. RFC 9110 §15.6.4. */
export class HTTPServiceUnavailable extends HTTPServerError {
  static override readonly status: number = 503;
}

/** 504 Gateway Timeout: something behind this server took too long. RFC 9110 §15.6.5. */
export class HTTPGatewayTimeout extends HTTPServerError {
  static override readonly status: number = 504;
}

/** 505 HTTP Version Not Supported. RFC 9110 §15.6.6. */
export class HTTPVersionNotSupported extends HTTPServerError {
  static override readonly status: number = 505;
}

/** 506 Variant Also Negotiates. RFC 2295 §8.1. */
export class HTTPVariantAlsoNegotiates extends HTTPServerError {
  static override readonly status: number = 506;
}

/** 507 Insufficient Storage. RFC 4918 §11.5. */
export class HTTPInsufficientStorage extends HTTPServerError {
  static override readonly status: number = 507;
}

/** 510 Not Extended. RFC 2774 §7. */
export class HTTPNotExtended extends HTTPServerError {
  static override readonly status: number = 510;
}

/** 511 Network Authentication Required: log in to the network first. RFC 6585 §6. */
export class HTTPNetworkAuthenticationRequired extends HTTPServerError {
  static override readonly status: number = 511;
}

import { CIMultiDict, reasonPhrase } from '../message/index.ts';
import {
  type CookieOptions,
  type DeleteCookieOptions,
  deleteCookie,
  listCookies,
  setCookie,
} from './cookies.ts';
import { Response } from './response.ts';
import { checkReason, type HeadersInput } from './response-fields.ts';

/** What every HTTP exception can be made with. */
export interface HTTPExceptionOptions {
  /** Reason phrase; the standard one when left out. */
  readonly reason?: string | undefined;
  /** Text of the answer; `'404: Not Found'` (status and reason) when left out. */
  readonly text?: string | undefined;
  /** Header fields of the answer. They are copied. */
  readonly headers?: HeadersInput | undefined;
  /** Media type of the text; `text/plain` when left out. */
  readonly contentType?: string | undefined;
  /** What led to this answer. It is for logs, the client does not see it. */
  readonly cause?: unknown;
}

/**
 * An answer that travels as an error: thrown anywhere below a handler, or returned from it, it becomes the response.
 * Thrown after a response was prepared it cannot be sent any more: the connection is cut then.
 *
 * Use its subclasses, one for each status. Their `status` is also a static property.
 *
 * aiohttp: `web.HTTPException`.
 *
 * @example
 * ```ts
 * if (user === undefined) throw new web.HTTPNotFound({ text: 'no such user' });
 * ```
 */
export class HTTPException extends Error {
  /** The status of the class. */
  static readonly status: number = 500;
  /** Whether answers with this status have no body, whatever text is given. */
  static readonly emptyBody: boolean = false;

  /** Stable code: `'AIO_HTTP_404'` and the like. */
  readonly code: string;
  readonly status: number;
  readonly reason: string;
  /** Text of the answer; `undefined` where the status allows none. */
  readonly text: string | undefined;
  readonly contentType: string | undefined;
  /** @internal */
  _headers: CIMultiDict | undefined;

  /**
   * @throws RangeError when the reason cannot stand in a status line.
   */
  constructor(options?: HTTPExceptionOptions) {
    const type = new.target;
    const status = type.status;
    const reason = options?.reason ?? (reasonPhrase(status) || 'Unknown');
    if (options?.reason !== undefined) checkReason(reason);
    super(reason, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = type.name;
    this.code = `AIO_HTTP_${status}`;
    this.status = status;
    this.reason = reason;
    this.text = type.emptyBody ? undefined : (options?.text ?? `${status}: ${reason}`);
    this.contentType = options?.contentType;
    this._headers = options?.headers === undefined ? undefined : new CIMultiDict(options.headers);
  }

  /** The same as `status`, under aiohttp's other name. */
  get statusCode(): number {
    return this.status;
  }

  /** Header fields of the answer, made on first touch. */
  get headers(): CIMultiDict {
    this._headers ??= new CIMultiDict();
    return this._headers;
  }

  /** The cookies that the answer sets: name to the whole `Set-Cookie` line. */
  get cookies(): ReadonlyMap<string, string> {
    return listCookies(this._headers);
  }

  /**
   * Sets a cookie with the answer, for example before a redirect. A later call for the same name replaces the earlier one.
   *
   * @throws RangeError when name, value or an attribute cannot stand in a `Set-Cookie` line.
   */
  setCookie(name: string, value: string, options?: CookieOptions): void {
    setCookie(this.headers, name, value, options);
  }

  /** Makes the client forget a cookie. */
  delCookie(name: string, options?: DeleteCookieOptions): void {
    deleteCookie(this.headers, name, options);
  }

  /**
   * The response that says the same. A new one every time: an exception may be kept and thrown again.
   */
  toResponse(): Response {
    const response = new Response({
      status: this.status,
      reason: this.reason === reasonPhrase(this.status) ? undefined : this.reason,
      headers: this._headers,
    });
    if (this.text === undefined) return response;
    if (this.contentType !== undefined && this._headers?.has('Content-Type') !== true) {
      response._setTyped(this.text, undefined, this.contentType, undefined);
    } else {
      response.text = this.text;
    }
    return response;
  }
}

/** Answers of success (2xx), where throwing one is handy. aiohttp: `web.HTTPSuccessful`. */
export class HTTPSuccessful extends HTTPException {}

/** Answers that send the client elsewhere or to its cache (3xx). aiohttp: `web.HTTPRedirection`. */
export class HTTPRedirection extends HTTPException {}

/** Answers of failure (4xx and 5xx). aiohttp: `web.HTTPError`. */
export class HTTPError extends HTTPException {}

/** The client did something wrong (4xx). aiohttp: `web.HTTPClientError`. */
export class HTTPClientError extends HTTPError {}

/** The server could not do what was asked (5xx). aiohttp: `web.HTTPServerError`. */
export class HTTPServerError extends HTTPError {}

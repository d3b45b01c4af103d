import { codedTypeError } from '../message/index.ts';
import { type HTTPExceptionOptions, HTTPRedirection } from './http-exception.ts';
import { quoteLocation } from './location.ts';

/**
 * A redirect to `location`, which may be a path, a whole URL, or anything whose `toString()` gives one. What a URI cannot hold is
 * percent-encoded: `/a b?c=d e` is sent as `/a%20b?c=d+e`. RFC 9110 §10.2.2. aiohttp: `web.HTTPMove`.
 *
 * Never redirect to what a client sent without checking that it is a path of yours: `//evil.example` is another host.
 *
 * @throws TypeError when there is no location.
 * @throws RangeError when the location is empty, holds control characters, or names no valid host.
 * @example
 * ```ts
 * throw new web.HTTPFound('/login', { headers: { 'Cache-Control': 'no-store' } });
 * ```
 */
export class HTTPMove extends HTTPRedirection {
  static override readonly status: number = 302;
  /** Where to, as it is sent. */
  readonly location: string;

  constructor(location: string | { toString(): string }, options?: HTTPExceptionOptions) {
    super(options);
    if (typeof location !== 'string' && (typeof location !== 'object' || location === null)) {
      throw codedTypeError('AIO_LOCATION', `A redirect needs a location, got ${String(location)}.`);
    }
    this.location = quoteLocation(String(location));
    this.headers.set('Location', this.location);
  }
}

/** 300 Multiple Choices. RFC 9110 §15.4.1. */
export class HTTPMultipleChoices extends HTTPMove {
  static override readonly status: number = 300;
}

/** 301 Moved Permanently; clients may turn POST into GET. RFC 9110 §15.4.2. */
export class HTTPMovedPermanently extends HTTPMove {
  static override readonly status: number = 301;
}

/** 302 Found: elsewhere for now; clients may turn POST into GET. RFC 9110 §15.4.3. */
export class HTTPFound extends HTTPMove {
  static override readonly status: number = 302;
}

/** 303 See Other: fetch the answer there with GET. RFC 9110 §15.4.4. */
export class HTTPSeeOther extends HTTPMove {
  static override readonly status: number = 303;
}

/** 304 Not Modified: what the client has is still good. RFC 9110 §15.4.5. */
export class HTTPNotModified extends HTTPRedirection {
  static override readonly status: number = 304;
  static override readonly emptyBody: boolean = true;
}

/** 305 Use Proxy (deprecated). RFC 9110 §15.4.6. */
export class HTTPUseProxy extends HTTPMove {
  static override readonly status: number = 305;
}

/** 307 Temporary Redirect: elsewhere for now, with the same method. RFC 9110 §15.4.8. */
export class HTTPTemporaryRedirect extends HTTPMove {
  static override readonly status: number = 307;
}

/** 308 Permanent Redirect: elsewhere for good, with the same method. RFC 9110 §15.4.9. */
export class HTTPPermanentRedirect extends HTTPMove {
  static override readonly status: number = 308;
}

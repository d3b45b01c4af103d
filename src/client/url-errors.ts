import { alsoChildOf, ClientError, withoutCredentials } from './client-error.ts';

/** This is no URL that can be asked for; a `RangeError` and a {@link ClientError}. Source: `aiohttp.InvalidURL`. */
export class InvalidURL extends RangeError {
  readonly code: string = 'AIO_INVALID_URL';
  /** As it was given, without credentials. */
  readonly url: string;
  readonly description: string | undefined;

  static {
    InvalidURL.prototype.name = 'InvalidURL';
    alsoChildOf(InvalidURL, ClientError);
  }

  constructor(url: string | URL, description?: string, options?: ErrorOptions) {
    const text = withoutCredentials(url);
    super(description === undefined ? text : `${text} - ${description}`, options);
    this.url = text;
    this.description = description;
  }
}

/** The URL given to a request is invalid. Source: `aiohttp.InvalidUrlClientError`. */
export class InvalidUrlClientError extends InvalidURL {
  override readonly code: string = 'AIO_INVALID_REQUEST_URL';

  static {
    InvalidUrlClientError.prototype.name = 'InvalidUrlClientError';
  }
}

/** Something about the target of a redirect. Source: `aiohttp.RedirectClientError`. */
export class RedirectClientError extends ClientError {
  override readonly code: string = 'AIO_REDIRECT';

  static {
    RedirectClientError.prototype.name = 'RedirectClientError';
  }
}

/** The URL given to a request has a scheme that is not spoken here. Source: `aiohttp.NonHttpUrlClientError`. */
export class NonHttpUrlClientError extends ClientError {
  override readonly code: string = 'AIO_NON_HTTP_URL';
  /** As it was given, without credentials. */
  readonly url: string;
  readonly description: string | undefined;

  static {
    NonHttpUrlClientError.prototype.name = 'NonHttpUrlClientError';
  }

  constructor(url: string | URL, description?: string, options?: ErrorOptions) {
    const text = withoutCredentials(url);
    super(description === undefined ? text : `${text} - ${description}`, options);
    this.url = text;
    this.description = description;
  }
}

/** A redirect leads to what is no URL; also a {@link RedirectClientError}. Source: `aiohttp.InvalidUrlRedirectClientError`. */
export class InvalidUrlRedirectClientError extends InvalidUrlClientError {
  override readonly code: string = 'AIO_INVALID_REDIRECT_URL';

  static {
    InvalidUrlRedirectClientError.prototype.name = 'InvalidUrlRedirectClientError';
    alsoChildOf(InvalidUrlRedirectClientError, RedirectClientError);
  }
}

/** A redirect leads to another scheme than HTTP; also a {@link RedirectClientError}. Source: `aiohttp.NonHttpUrlRedirectClientError`. */
export class NonHttpUrlRedirectClientError extends NonHttpUrlClientError {
  override readonly code: string = 'AIO_NON_HTTP_REDIRECT_URL';

  static {
    NonHttpUrlRedirectClientError.prototype.name = 'NonHttpUrlRedirectClientError';
    alsoChildOf(NonHttpUrlRedirectClientError, RedirectClientError);
  }
}

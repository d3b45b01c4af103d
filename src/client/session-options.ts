import type { Limits } from '../http1/index.ts';
import { codedTypeError, type HttpVersion, type MultiDictInit, shown } from '../message/index.ts';
import type { AbstractCookieJar, CookieInit } from './abstract-cookie-jar.ts';
import type { SSLOption } from './connection-key.ts';
import type { BaseConnector } from './connector.ts';
import type { ClientMiddleware } from './middleware.ts';
import { ownOptions } from './own-options.ts';
import type { HeadersInit, RaiseForStatus, ReadingOptions } from './request-options.ts';
import type { ClientResponse } from './response.ts';
import type { ClientTimeout } from './timeouts.ts';
import type { TraceSource } from './tracing.ts';

/** Options of {@link ClientSession}. */
export interface ClientSessionOptions extends ReadingOptions {
  /** What relative URLs are resolved against; its path ends with `/`. */
  readonly baseUrl?: string | URL | undefined;
  /** Default: a `TCPConnector` of its own. */
  readonly connector?: BaseConnector | undefined;
  /** Whether `close()` closes the connector. Default `true`. */
  readonly connectorOwner?: boolean | undefined;
  /** Cookies to begin with. */
  readonly cookies?: MultiDictInit<CookieInit> | undefined;
  /** Default: a `CookieJar` of its own. */
  readonly cookieJar?: AbstractCookieJar | undefined;
  /**
   * Fields of every request. With a `baseUrl`, `Authorization`, `Cookie` and `Proxy-Authorization` among them are sent to its origin only.
   */
  readonly headers?: HeadersInit | undefined;
  /** Names of fields that are not sent unless given: `Accept`, `Accept-Encoding`, `User-Agent`, `Content-Type`. */
  readonly skipAutoHeaders?: Iterable<string> | undefined;
  /** URL of a proxy for every request. */
  readonly proxy?: string | URL | undefined;
  /** How certificates are checked. Default: as the connector does. */
  readonly ssl?: SSLOption | undefined;
  /** Default `JSON.stringify`. */
  readonly jsonSerialize?: ((value: unknown) => string) | undefined;
  /** Default HTTP/1.1. */
  readonly version?: HttpVersion | undefined;
  /** Default `false`. */
  readonly raiseForStatus?: RaiseForStatus | undefined;
  /** Default: 5 minutes in total, 30 s for a connection. */
  readonly timeout?: ClientTimeout | undefined;
  /** Default `true`. */
  readonly autoDecompress?: boolean | undefined;
  /** Takes proxies from `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, and credentials from netrc. Default `false`. */
  readonly trustEnv?: boolean | undefined;
  /** Default `true`; `false` keeps the bytes of a `Location`. */
  readonly requoteRedirectUrl?: boolean | undefined;
  /** {@link TraceConfig}s, each with a context of its own kind. */
  readonly traceConfigs?: readonly TraceSource[] | undefined;
  /** The charset of a body that names none, or one that nobody knows. Default: UTF-8. */
  readonly fallbackCharsetResolver?: ((response: ClientResponse, body: Uint8Array) => string) | undefined;
  /** Around every request, the first one outermost. */
  readonly middlewares?: readonly ClientMiddleware[] | undefined;
}

const KNOWN: ReadonlySet<string> = new Set([
  'baseUrl',
  'connector',
  'connectorOwner',
  'cookies',
  'cookieJar',
  'headers',
  'skipAutoHeaders',
  'proxy',
  'ssl',
  'jsonSerialize',
  'version',
  'raiseForStatus',
  'timeout',
  'autoDecompress',
  'trustEnv',
  'requoteRedirectUrl',
  'traceConfigs',
  'readBufSize',
  'maxLineSize',
  'maxFieldSize',
  'maxHeaders',
  'maxBodySize',
  'fallbackCharsetResolver',
  'middlewares',
] satisfies (keyof ClientSessionOptions)[]);

/** The own properties of `options`, checked by name: nothing comes in through a prototype. */
export function sessionOptions(options: ClientSessionOptions): ClientSessionOptions {
  for (const name of Object.keys(options)) {
    if (!KNOWN.has(name)) {
      throw codedTypeError('AIO_SESSION_OPTION', `a ClientSession has no option ${shown(name)}`);
    }
  }
  return ownOptions(options);
}

type GivenLimits = Pick<ClientSessionOptions, 'maxLineSize' | 'maxFieldSize' | 'maxHeaders'>;

/** None was given. */
export const NO_LIMITS: Partial<Pick<Limits, 'maxLineSize' | 'maxFieldSize' | 'maxHeaders'>> = Object.freeze(
  {},
);

/** Those limits of a head that were given. */
export function definedLimits(given: GivenLimits): {
  maxLineSize?: number;
  maxFieldSize?: number;
  maxHeaders?: number;
} {
  const { maxLineSize, maxFieldSize, maxHeaders } = given;
  if (maxLineSize === undefined && maxFieldSize === undefined && maxHeaders === undefined) return NO_LIMITS;
  return {
    ...(maxLineSize !== undefined && { maxLineSize }),
    ...(maxFieldSize !== undefined && { maxFieldSize }),
    ...(maxHeaders !== undefined && { maxHeaders }),
  };
}

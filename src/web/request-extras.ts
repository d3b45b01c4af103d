import {
  CIMultiDict,
  type CIMultiDictProxy,
  codedRangeError,
  type MultiDictProxy,
  RelURL,
  type StreamReader,
} from '../message/index.ts';
import type { BaseRequest } from './base-request.ts';
import type { AnswerPolicy } from './conditional.ts';
import type { HTTPException } from './http-exceptions.ts';
import type { RequestDecoding } from './request-decoding.ts';
import type { FormEntry } from './request-form.ts';
import type { CodingPolicy } from './response-coding.ts';
import type { HeadersInput, StreamResponse } from './stream-response.ts';

/** What `request.clone()` can replace. */
export interface CloneOverrides {
  readonly method?: string | undefined;
  /** Path and query. */
  readonly relUrl?: RelURL | string | undefined;
  readonly headers?: HeadersInput | undefined;
  readonly scheme?: 'http' | 'https' | undefined;
  readonly host?: string | undefined;
  readonly remote?: string | undefined;
  /** Bytes; 0 means no limit. */
  readonly clientMaxSize?: number | undefined;
}

/** The part of a request that most requests never need. Keeping it apart keeps the others small. */
export class RequestExtras {
  relUrl: RelURL | undefined = undefined;
  cookies: MultiDictProxy | undefined = undefined;
  content: StreamReader | undefined = undefined;
  /** The body while it is being read. */
  reading: Promise<Uint8Array> | undefined = undefined;
  /** The form once `post()` was called. */
  form: Promise<MultiDictProxy<FormEntry>> | undefined = undefined;
  /** Whether `multipart()` has begun to read the body as it comes. */
  partsTaken: boolean = false;
  controller: AbortController | undefined = undefined;
  /** Set when the handler took too long. */
  abortReason: Error | undefined = undefined;
  storage: Map<unknown, unknown> | undefined = undefined;
  /** The request that a clone was made from; it owns the exchange. */
  origin: BaseRequest | undefined = undefined;
  clones: BaseRequest[] | undefined = undefined;
  onDone: ((error: Error | undefined) => void)[] | undefined = undefined;
  onPrepare: ((response: StreamResponse) => unknown)[] | undefined = undefined;
  preHandlerError: HTTPException | undefined = undefined;
  headers: CIMultiDictProxy | undefined = undefined;
  scheme: string | undefined = undefined;
  host: string | undefined = undefined;
  remote: string | undefined = undefined;
  clientMaxSize: number | undefined = undefined;
  /** What middlewares want for the answer; on the request that owns the exchange. */
  compression: CodingPolicy | undefined = undefined;
  conditional: AnswerPolicy | undefined = undefined;
  /** How the body is coded, when a middleware wants it decoded. */
  decoding: RequestDecoding | undefined = undefined;
}

/** Fills a clone: what the original had replaced already, then what is replaced now. */
export function applyOverrides(copy: BaseRequest, source: BaseRequest, overrides: CloneOverrides): void {
  const extras = copy._touchExtras();
  const from = source._extras;
  const { method, relUrl, headers, clientMaxSize } = overrides;
  if (clientMaxSize !== undefined && !(clientMaxSize >= 0)) {
    throw codedRangeError(
      'AIO_CLIENT_MAX_SIZE',
      `clientMaxSize must be a number of bytes, 0 for no limit; got ${String(clientMaxSize)}.`,
    );
  }
  extras.origin = from?.origin ?? source;
  extras.content = from?.content;
  extras.partsTaken = from?.partsTaken ?? false;
  extras.decoding = from?.decoding;
  extras.storage = from?.storage === undefined ? undefined : new Map(from.storage);
  extras.preHandlerError = from?.preHandlerError;
  extras.headers = headers === undefined ? from?.headers : new CIMultiDict(headers);
  extras.scheme = overrides.scheme ?? from?.scheme;
  extras.host = overrides.host ?? from?.host;
  extras.remote = overrides.remote ?? from?.remote;
  extras.clientMaxSize = clientMaxSize ?? from?.clientMaxSize;
  const target = copy as { method: string; rawPath: string };
  target.method = method ?? source.method;
  target.rawPath = source.rawPath;
  if (relUrl !== undefined) {
    extras.relUrl = typeof relUrl === 'string' ? new RelURL(relUrl) : relUrl;
    target.rawPath = extras.relUrl.rawPathQs;
  }
}

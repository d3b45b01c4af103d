import { createHash } from 'node:crypto';
import { codedTypeError } from '../message/index.ts';
import {
  type CachedResponse,
  type CacheStore,
  MemoryCacheStore,
  type PolicyRequest,
  type PolicyResponse,
  type StoredPolicy,
} from './cache-store.ts';
import { staysCoded } from './decompress.ts';
import { discard } from './discard.ts';
import { ClientConnectionError, ServerTimeoutError } from './errors.ts';
import { madeResponse } from './made-response.ts';
import type { ClientHandler, ClientMiddleware } from './middleware.ts';
import { ownOptions } from './own-options.ts';
import type { ClientRequest } from './request.ts';
import type { ClientResponse } from './response.ts';

/** Options of {@link cacheMiddleware}. */
export interface CacheOptions {
  /** Default: a {@link MemoryCacheStore} of 64 MiB. */
  readonly store?: CacheStore | undefined;
  /** The cache serves several users: what is `private` or was asked for with credentials is not kept. Default `false`. */
  readonly shared?: boolean | undefined;
  /** The largest body that is kept, in bytes, decompressed. Default 5 MiB. */
  readonly maxEntrySize?: number | undefined;
}

interface PolicyOptions {
  readonly shared: boolean;
}
type PolicyClass = new (
  request: PolicyRequest,
  response: PolicyResponse,
  options: PolicyOptions,
) => StoredPolicy;

/** Responses to one URL that differ by what Vary names. */
const MAX_VARIANTS = 16;
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY']);
/** The caller knows what it wants: the answer is for it alone. */
const CONDITIONS: readonly string[] = [
  'range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
];
/** Requests that are nothing for a cache: an Upgrade is meant for the connection. */
const NOT_KEPT: readonly string[] = [...CONDITIONS, 'upgrade'];

/**
 * A private cache in front of a session (RFC 9111): fresh responses to GET are given again without a request, stale ones are asked about with
 * their ETag, and changes through the session make what is kept of the URL void. A response that was given from the cache has an `Age` field.
 * Requests with other credentials of their own (`Authorization`, `Cookie`, `cookies`) do not share what is kept, unless `shared`.
 *
 * Needs the package `http-cache-semantics`, which knows the rules: install it beside this one. It is loaded at the first request.
 *
 * Put it in front of middlewares that add credentials, so that it sees the same requests as the caller wrote them.
 *
 * @example
 * ```ts
 * import { cacheMiddleware, ClientSession } from 'aiohttp-ts/client';
 * await using session = new ClientSession({ middlewares: [cacheMiddleware()] });
 * ```
 */
export function cacheMiddleware(options: CacheOptions = {}): ClientMiddleware {
  const cache = new HttpCache(options);
  return (request, handler) => cache.handle(request, handler);
}

class HttpCache {
  readonly #store: CacheStore;
  readonly #options: PolicyOptions;
  readonly #maxEntrySize: number;

  constructor(options: CacheOptions) {
    const { store = new MemoryCacheStore(), shared = false, maxEntrySize = 5_242_880 } = ownOptions(options);
    this.#store = store;
    this.#options = { shared };
    this.#maxEntrySize = maxEntrySize;
  }

  async handle(request: ClientRequest, handler: ClientHandler): Promise<ClientResponse> {
    if (request.method !== 'GET') {
      const response = await handler(request);
      if (!SAFE.has(request.method) && response.status < 400) await this.#forget(request, response);
      return response;
    }
    const isWhole = request.body === undefined && !NOT_KEPT.some((name) => request.headers.has(name));
    // Bodies are kept decompressed: who wants the bytes of the wire gets them from there.
    if (!isWhole || !request.decompresses) return await handler(request);
    const Policy = await policyClass();
    const asked = policyRequest(request);
    const url = request.url.href;
    const user = this.#options.shared ? undefined : userOf(request);
    const kept = (await this.#store.get(url)).filter((one) => one.user === user);
    const fresh = kept.find(({ policy }) => policy.satisfiesWithoutRevalidation(asked));
    if (fresh !== undefined) return answerFrom(fresh, request);
    if (/\bonly-if-cached\b/i.test(request.headers.get('cache-control') ?? '')) {
      return madeResponse(request, {
        status: 504,
        reason: 'Gateway Timeout',
        fields: [],
        body: new Uint8Array(0),
      });
    }
    const stale = kept.find(({ policy }) => hasValidator(policy.revalidationHeaders(asked)));
    if (stale !== undefined) return await this.#revalidate(stale, asked, request, handler);
    const response = await handler(request);
    return await this.#keep(new Policy(asked, policyResponse(response), this.#options), response, request);
  }

  async #revalidate(
    stale: CachedResponse,
    asked: PolicyRequest,
    request: ClientRequest,
    handler: ClientHandler,
  ): Promise<ClientResponse> {
    const added = fieldsOf(stale.policy.revalidationHeaders(asked)).filter(([name]) =>
      CONDITIONS.includes(name.toLowerCase()),
    );
    for (const [name, value] of added) request.headers.set(name, value);
    let response: ClientResponse | undefined;
    try {
      response = await handler(request);
    } catch (error) {
      // stale-if-error (RFC 5861 §4) is for a server that cannot be reached as well.
      if (!(error instanceof ClientConnectionError || error instanceof ServerTimeoutError)) throw error;
      const { modified } = stale.policy.revalidatedPolicy(asked, { status: 504, headers: {} });
      if (modified) throw error;
      return answerFrom(stale, request);
    } finally {
      for (const [name] of added) request.headers.delete(name);
    }
    const { policy, modified } = stale.policy.revalidatedPolicy(asked, policyResponse(response));
    if (modified) return await this.#keep(policy, response, request);
    await discard(response);
    const renewed: CachedResponse = { ...stale, policy };
    await this.#put(request.url.href, renewed, stale);
    return answerFrom(renewed, request);
  }

  /** Keeps a response if that is allowed and it is not too large; gives back one whose body can be read. */
  async #keep(
    policy: StoredPolicy,
    response: ClientResponse,
    request: ClientRequest,
  ): Promise<ClientResponse> {
    const { contentLength = 0 } = response;
    // What is stale at once and cannot be asked about is of no use.
    if (!policy.storable() || contentLength > this.#maxEntrySize || !isUseful(policy, response))
      return response;
    if (staysCoded(response.header('content-encoding'))) return response;
    const body = await this.#wholeBody(response);
    if (body === undefined) return response;
    const user = this.#options.shared ? undefined : userOf(request);
    const kept: CachedResponse = { policy, body, reason: response.reason, user };
    await this.#put(request.url.href, kept);
    // Cookies are for this response only; those that are given later from the cache have none.
    const fields = [...response.headers].filter(([name]) => name.toLowerCase() !== 'content-encoding');
    return madeResponse(request, { status: response.status, reason: response.reason, fields, body });
  }

  /** The body, `undefined` when it is too large: it can still be read then. */
  async #wholeBody(response: ClientResponse): Promise<Uint8Array | undefined> {
    const { content } = response;
    const pieces: Uint8Array[] = [];
    let size = 0;
    try {
      for (let piece = await content.readAny(); piece !== undefined; piece = await content.readAny()) {
        pieces.push(piece);
        size += piece.length;
        if (size <= this.#maxEntrySize) continue;
        content.unreadData(Buffer.concat(pieces));
        return undefined;
      }
    } catch (error) {
      response.close();
      throw error;
    }
    return Buffer.concat(pieces);
  }

  async #put(url: string, kept: CachedResponse, old?: CachedResponse): Promise<void> {
    const asked = varyOf(kept);
    const others = (await this.#store.get(url)).filter(
      (other) => other !== old && (other.user !== kept.user || varyOf(other) !== asked),
    );
    await this.#store.set(url, [kept, ...others].slice(0, MAX_VARIANTS));
  }

  /** RFC 9111 §4.4: what was changed, and what the answer says was changed at the same origin. */
  async #forget(request: ClientRequest, response: ClientResponse): Promise<void> {
    const urls = new Set([request.url.href]);
    for (const name of ['location', 'content-location']) {
      const value = response.header(name);
      if (value === undefined || !URL.canParse(value, request.url.href)) continue;
      const url = new URL(value, request.url);
      if (url.origin === request.url.origin) urls.add(url.href);
    }
    for (const url of urls) await this.#store.set(url, []);
  }
}

function answerFrom(kept: CachedResponse, request: ClientRequest): ClientResponse {
  const { policy, body, reason } = kept;
  const fields = fieldsOf(policy.responseHeaders()).filter(
    ([name]) => name !== 'set-cookie' && name !== 'content-encoding',
  );
  const { st } = policy.toObject() as { st?: number };
  return madeResponse(request, { status: st ?? 200, reason, fields, body });
}

/**
 * What tells the users apart for whom a program makes requests: the credentials of the request itself. Servers that forget
 * `Vary: Authorization` think of a browser, which has one user. The cookies of the jar are those of one user too.
 */
function userOf(request: ClientRequest): string | undefined {
  const secrets: string[] = [];
  const authorization = request.headers.get('authorization');
  if (authorization !== undefined) secrets.push(authorization);
  const { given, cookies } = request;
  for (let index = 0; index < given.length; index += 2) {
    if (given[index]!.toLowerCase() === 'cookie') secrets.push(given[index + 1]!);
  }
  if (cookies !== undefined) secrets.push(...[...cookies].flat());
  if (secrets.length === 0) return undefined;
  return createHash('sha256').update(JSON.stringify(secrets)).digest('base64');
}

/** What tells the variants of a URL apart: the fields of the request that Vary names. */
function varyOf({ policy }: CachedResponse): string {
  const { resh, reqh } = policy.toObject() as {
    resh?: Record<string, string>;
    reqh?: Record<string, string> | null;
  };
  const names = (resh?.['vary'] ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((name) => name !== '')
    .sort();
  return JSON.stringify(names.map((name) => [name, reqh?.[name] ?? null]));
}

function isUseful(policy: StoredPolicy, response: ClientResponse): boolean {
  const { headers } = response;
  return policy.timeToLive() > 0 || headers.has('etag') || headers.has('last-modified');
}

function hasValidator(headers: Record<string, string | string[] | undefined>): boolean {
  return headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined;
}

function policyRequest(request: ClientRequest): PolicyRequest {
  return { url: request.url.href, method: request.method, headers: joined(request.headers) };
}

function policyResponse(response: ClientResponse): PolicyResponse {
  return { status: response.status, headers: joined(response.headers) };
}

/** Fields as Node has them: names in lower case, repeats joined. */
function joined(fields: Iterable<readonly [string, string]>): Record<string, string | string[]> {
  // No prototype: a field may be named like one of its properties.
  const headers = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    const known = headers[key];
    if (key === 'set-cookie') headers[key] = [...(known ?? []), value];
    else headers[key] = known === undefined ? value : `${String(known)}, ${value}`;
  }
  return headers;
}

function fieldsOf(headers: Record<string, string | string[] | undefined>): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one): [string, string] => [name, one]),
  );
}

let loading: Promise<PolicyClass> | undefined;
/** Not written where it is imported: who has not installed it can still build a bundle. */
const LIBRARY = 'http-cache-semantics';

/** @throws TypeError `AIO_CACHE_LIBRARY` when the package is not installed */
function policyClass(): Promise<PolicyClass> {
  loading ??= import(LIBRARY).then(
    (module: { default: PolicyClass }) => module.default,
    (error: unknown) => {
      loading = undefined;
      throw Object.assign(
        codedTypeError(
          'AIO_CACHE_LIBRARY',
          `cacheMiddleware() needs the package ${LIBRARY}: npm install ${LIBRARY}`,
        ),
        { cause: error },
      );
    },
  );
  return loading;
}

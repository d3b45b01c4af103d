import { ownOptions } from './own-options.ts';

/** A response as a cache keeps it. */
export interface CachedResponse {
  /** What {@link CacheStore} keys by besides the URL is the policy's own affair: it knows the fields that Vary names. */
  readonly policy: StoredPolicy;
  /** Decompressed. */
  readonly body: Uint8Array;
  readonly reason: string;
  /** Stands for the credentials of the request, in a cache for one user; `undefined`: it had none. */
  readonly user?: string | undefined;
}

/** What a `CachePolicy` of `http-cache-semantics` can do that is used here. */
export interface StoredPolicy {
  storable(): boolean;
  satisfiesWithoutRevalidation(request: PolicyRequest): boolean;
  responseHeaders(): Record<string, string | string[] | undefined>;
  revalidationHeaders(request: PolicyRequest): Record<string, string | string[] | undefined>;
  revalidatedPolicy(
    request: PolicyRequest,
    response: PolicyResponse,
  ): { policy: StoredPolicy; modified: boolean; matches: boolean };
  timeToLive(): number;
  toObject(): Record<string, unknown>;
}

/** A request as a policy sees it. */
export interface PolicyRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string | string[]>;
}

/** A response as a policy sees it. */
export interface PolicyResponse {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
}

/** Where a cache keeps what it has. Write one to keep it elsewhere than in memory; `policy.toObject()` can be serialised. */
export interface CacheStore {
  /** All that is kept for a URL, newest first. */
  get(url: string): readonly CachedResponse[] | Promise<readonly CachedResponse[]>;
  /** Replaces what is kept for a URL; nothing is kept of it then when the list is empty. */
  set(url: string, responses: readonly CachedResponse[]): void | Promise<void>;
}

/** Of an entry besides its body: fields, policy, objects. */
const OVERHEAD = 2_048;

/**
 * Keeps responses in memory, up to a number of bytes; what was not used for the longest time goes first.
 *
 * @example
 * ```ts
 * const store = new MemoryCacheStore({ maxSize: 10_000_000 });
 * ```
 */
export class MemoryCacheStore implements CacheStore {
  readonly #maxSize: number;
  readonly #entries: Map<string, readonly CachedResponse[]>;
  #size: number;

  /** @param options `maxSize` in bytes; default 64 MiB */
  constructor(options: { readonly maxSize?: number | undefined } = {}) {
    this.#maxSize = ownOptions(options).maxSize ?? 67_108_864;
    this.#entries = new Map();
    this.#size = 0;
  }

  /** Bytes that are kept, about. */
  get size(): number {
    return this.#size;
  }

  get(url: string): readonly CachedResponse[] {
    const responses = this.#entries.get(url);
    if (responses === undefined) return [];
    this.#entries.delete(url);
    this.#entries.set(url, responses);
    return responses;
  }

  set(url: string, responses: readonly CachedResponse[]): void {
    const old = this.#entries.get(url);
    if (old !== undefined) {
      this.#entries.delete(url);
      this.#size -= sizeOf(url, old);
    }
    if (responses.length === 0) return;
    this.#entries.set(url, responses);
    this.#size += sizeOf(url, responses);
    for (const [oldest, kept] of this.#entries) {
      if (this.#size <= this.#maxSize) break;
      this.#entries.delete(oldest);
      this.#size -= sizeOf(oldest, kept);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#size = 0;
  }
}

function sizeOf(url: string, responses: readonly CachedResponse[]): number {
  let size = url.length;
  for (const { body } of responses) size += body.length + OVERHEAD;
  return size;
}

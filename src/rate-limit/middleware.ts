import { createHash } from 'node:crypto';
import * as web from '../web/index.ts';
import { addressKey } from './address-key.ts';
import { rateLimitOptionError } from './errors.ts';
import { type FieldStyle, type RateFields, rateFields, seconds } from './fields.ts';
import { MemoryStore } from './memory-store.ts';
import type { Rate, RateDecision, RateLimitStore } from './store.ts';

/** Options of {@link rateLimitMiddleware} and {@link limited}. */
export interface RateLimitOptions {
  /** Requests that one client may make in a window. */
  readonly limit: number;
  /** Milliseconds. The quota grows back evenly: one request each `window / limit`. */
  readonly window: number;
  /** Requests that may come at once when none came before. Default `limit`. */
  readonly burst?: number | undefined;
  /**
   * What is counted: a user's id, an API key. Default: the address of the peer, IPv6 by network. Behind a proxy that is the proxy's: name the
   * client by what your proxy says, or replace `remote` with `request.clone()` in a middleware before.
   */
  readonly key?: ((request: web.Request) => string | Promise<string>) | undefined;
  /** Bits of an IPv6 address that make one client. Default 64; 56 or 48 for providers that hand out more. */
  readonly ipv6Prefix?: number | undefined;
  /** Requests for which this is true are not counted. */
  readonly skip?: ((request: web.Request) => boolean) | undefined;
  /** Where the counts are kept. Default: a {@link MemoryStore} of its own. */
  readonly store?: RateLimitStore | undefined;
  /** Tells this limit from others on the same store, and clients which one they met. Default `default`. */
  readonly name?: string | undefined;
  /** While the store cannot be asked: everybody is let through (`true`, the default), or gets 503. */
  readonly failOpen?: boolean | undefined;
  /** Which fields tell clients of their quota: those of the IETF draft, the older three, both or none. Default `'draft'`. */
  readonly fields?: FieldStyle | undefined;
}

/** What a request that is allowed goes on to. */
type Next = (request: web.Request) => web.Awaitable<web.HandlerResult>;

class Limiter {
  readonly #options: RateLimitOptions;
  readonly #rate: Rate;
  readonly #store: RateLimitStore;
  readonly #fields: RateFields;
  readonly #prefix: string;
  readonly #ipv6Prefix: number;
  #isIll = false;

  constructor(options: RateLimitOptions) {
    const { limit, window, burst = limit, ipv6Prefix = 64, name = 'default' } = options;
    positive('limit', limit);
    positive('window', window);
    positive('burst', burst);
    if (!Number.isInteger(limit)) throw rateLimitOptionError(`limit must be a whole number, got ${limit}.`);
    if (!Number.isInteger(burst)) throw rateLimitOptionError(`burst must be a whole number, got ${burst}.`);
    if (!Number.isInteger(ipv6Prefix) || ipv6Prefix < 1 || ipv6Prefix > 128) {
      throw rateLimitOptionError(`ipv6Prefix must be a number of bits, 1 to 128; got ${String(ipv6Prefix)}.`);
    }
    if (!/^[\w.-]+$/.test(name)) {
      throw rateLimitOptionError(
        `name must be made of letters, digits, _ . and -; got ${JSON.stringify(name)}.`,
      );
    }
    const interval = window / limit;
    this.#options = options;
    this.#rate = { interval, capacity: interval * burst };
    this.#store = options.store ?? new MemoryStore();
    this.#fields = rateFields(options.fields ?? 'draft', name, limit, window, this.#rate);
    this.#prefix = `${name}:`;
    this.#ipv6Prefix = ipv6Prefix;
  }

  handle(request: web.Request, next: Next): web.Awaitable<web.HandlerResult> {
    const { skip, key } = this.#options;
    if (skip?.(request) === true) return next(request);
    const who = key === undefined ? addressKey(request.remote ?? '', this.#ipv6Prefix) : key(request);
    return typeof who === 'string'
      ? this.#count(who, request, next)
      : who.then((text) => this.#count(text, request, next));
  }

  #count(key: string, request: web.Request, next: Next): web.Awaitable<web.HandlerResult> {
    let decision: RateDecision | Promise<RateDecision>;
    try {
      decision = this.#store.take(this.#prefix + bounded(key), this.#rate);
    } catch (error) {
      return this.#withoutStore(error, request, next);
    }
    if (!(decision instanceof Promise)) return this.#decide(decision, request, next);
    return decision.then(
      (value) => {
        this.#recovered(request);
        return this.#decide(value, request, next);
      },
      (error: unknown) => this.#withoutStore(error, request, next),
    );
  }

  #decide(decision: RateDecision, request: web.Request, next: Next): web.Awaitable<web.HandlerResult> {
    if (!decision.allowed) {
      const refusal = new web.HTTPTooManyRequests({
        headers: { 'Retry-After': String(seconds(decision.wait)) },
      });
      this.#fields(refusal.headers, decision);
      throw refusal;
    }
    let answer: web.Awaitable<web.HandlerResult>;
    try {
      answer = next(request);
    } catch (error) {
      throw this.#tell(error, decision);
    }
    if (!('then' in answer)) return this.#tell(answer, decision);
    return answer.then(
      (response) => this.#tell(response, decision),
      (error: unknown) => {
        throw this.#tell(error, decision);
      },
    );
  }

  /** Adds the fields to an answer that has not gone out. */
  #tell<T>(answer: T, decision: RateDecision): T {
    if (answer instanceof web.StreamResponse) {
      if (!answer.prepared) this.#fields(answer.headers, decision);
    } else if (answer instanceof web.HTTPException) {
      this.#fields(answer.headers, decision);
    }
    return answer;
  }

  #withoutStore(error: unknown, request: web.Request, next: Next): web.Awaitable<web.HandlerResult> {
    const { failOpen = true } = this.#options;
    if (!this.#isIll) {
      this.#isIll = true;
      const outcome = failOpen ? 'requests are not limited' : 'requests are answered with 503';
      request.app.logger.error(
        `The store of rate limits failed: until it answers, ${outcome}. ${String(error)}`,
      );
    }
    if (failOpen) return next(request);
    throw new web.HTTPServiceUnavailable({ headers: { 'Retry-After': '1' }, cause: error });
  }

  #recovered(request: web.Request): void {
    if (!this.#isIll) return;
    this.#isIll = false;
    request.app.logger.warn('The store of rate limits answers again.');
  }
}

/**
 * A middleware that limits how fast each client may ask. A request that comes too fast gets 429 with `Retry-After` and reaches nothing behind the
 * middleware; it does not count, so that whoever waits is served again. What a request costs does not depend on how many came before (GCRA).
 *
 * Answers that pass tell the quota in their head (`RateLimit`, `RateLimit-Policy`), unless the handler has sent the head itself.
 *
 * @throws RangeError `AIO_RATE_LIMIT_OPTION`
 * @example
 * ```ts
 * const app = new web.Application({ middlewares: [rateLimitMiddleware({ limit: 100, window: 60_000 })] });
 * ```
 */
export function rateLimitMiddleware(options: RateLimitOptions): web.Middleware {
  const limiter = new Limiter(options);
  return function rateLimit(request, handler) {
    return limiter.handle(request, handler);
  };
}

/**
 * A handler with a limit of its own, for one route: a login, a search.
 *
 * @throws RangeError `AIO_RATE_LIMIT_OPTION`
 * @example
 * ```ts
 * app.router.addPost('/login', limited({ name: 'login', limit: 5, window: 60_000, failOpen: false }, login));
 * ```
 */
export function limited<P extends web.Params = web.Params>(
  options: RateLimitOptions,
  handler: web.Handler<P>,
): web.Handler<P> {
  const limiter = new Limiter(options);
  return (request) => limiter.handle(request as web.Request, handler as web.Handler);
}

/** Clients choose most keys, and a store keeps many: what is longer than any address or id is kept as its hash. */
function bounded(key: string): string {
  return key.length <= 128 ? key : createHash('sha256').update(key).digest('base64url');
}

function positive(name: string, value: number): void {
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return;
  throw rateLimitOptionError(`${name} must be a positive number, got ${String(value)}.`);
}

import { suspend } from '../asyncio/index.ts';
import { codedRangeError, parseHttpDate, shown } from '../message/index.ts';
import { discard } from './discard.ts';
import {
  BlockedAddressError,
  ClientConnectionError,
  ClientConnectorError,
  ClientSSLError,
  ConnectionTimeoutError,
  ServerTimeoutError,
} from './errors.ts';
import type { ClientMiddleware } from './middleware.ts';
import { ownOptions } from './own-options.ts';
import type { ClientRequest } from './request.ts';
import type { ClientResponse } from './response.ts';
import { RetryBudget } from './retry-budget.ts';
import { TotalTimeoutError } from './timeouts.ts';

/** Options of {@link retryMiddleware}. Durations are milliseconds. */
export interface RetryOptions {
  /** How often a request is sent at most, the first time included. Default 3. */
  readonly attempts?: number | undefined;
  /** Statuses that are worth another try. Default 408, 425, 429, 500, 502, 503 and 504. */
  readonly statuses?: Iterable<number> | undefined;
  /**
   * Methods that are sent again when the server may have begun to work on the request. Default the idempotent ones: GET, HEAD, OPTIONS, TRACE,
   * PUT, DELETE, QUERY. A request whose connection could not be made is sent again whatever its method.
   */
  readonly methods?: Iterable<string> | undefined;
  /** Wait before the second try, doubled for each further one, of which a random part is waited. Default 200. */
  readonly delay?: number | undefined;
  /** The longest of these waits. Default 20 000. */
  readonly maxDelay?: number | undefined;
  /**
   * The longest Retry-After that is obeyed; for a longer one the response is given back. Default 60 000. 0: the field is not looked at.
   */
  readonly maxRetryAfter?: number | undefined;
  /** Limits retries in relation to requests. Default one of its own; `false` for none. */
  readonly budget?: RetryBudget | false | undefined;
  /** Told before each wait: for logs. */
  readonly onRetry?: ((retry: RetryInfo) => void) | undefined;
  /** From 0 to below 1; for tests. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Milliseconds since 1970; for tests. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** Waits; for tests. The default ends with the task, the signal and the total timeout of the request. */
  readonly sleep?: ((ms: number) => Promise<void>) | undefined;
}

/** What is known before a request is sent again. */
export interface RetryInfo {
  readonly request: ClientRequest;
  /** How often it was sent so far. */
  readonly attempt: number;
  /** Milliseconds until it is sent again. */
  readonly delay: number;
  /** What came, unless it was an error. */
  readonly response: ClientResponse | undefined;
  readonly error: unknown;
}

const STATUSES: readonly number[] = [408, 425, 429, 500, 502, 503, 504];
const IDEMPOTENT: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY'];

/**
 * Sends requests again that failed for a reason that may pass: a status such as 503, a connection that broke. Waits in between, longer each
 * time and by chance (so that those who failed together do not come back together), or as long as the server asks with
 * Retry-After. What failed in the end is returned or thrown as it came.
 *
 * A body that can be sent once only is. Retries stop when the budget is used up, or when the wait would outlast the total timeout.
 *
 * @throws RangeError `AIO_RETRY_OPTION` for options that cannot be
 *
 * @example
 * ```ts
 * import { ClientSession, retryMiddleware } from 'aiohttp-ts/client';
 * await using session = new ClientSession({ middlewares: [retryMiddleware({ attempts: 5 })] });
 * ```
 */
export function retryMiddleware(given: RetryOptions = {}): ClientMiddleware {
  const options = ownOptions(given);
  const { attempts = 3, delay = 200, maxDelay = 20_000, maxRetryAfter = 60_000, onRetry } = options;
  checkNumber('attempts', attempts, 1);
  checkNumber('delay', delay, 0);
  checkNumber('maxDelay', maxDelay, 0);
  checkNumber('maxRetryAfter', maxRetryAfter, 0);
  const statuses = new Set(options.statuses ?? STATUSES);
  const methods = new Set(Array.from(options.methods ?? IDEMPOTENT, (method) => method.toUpperCase()));
  const budget = options.budget === false ? undefined : (options.budget ?? new RetryBudget());
  const { random = Math.random, now = Date.now, sleep } = options;

  return async (request, handler) => {
    const started = now();
    const isRepeatable = methods.has(request.method);
    budget?.add();
    for (let attempt = 1; ; attempt++) {
      let response: ClientResponse | undefined;
      let failure: unknown;
      try {
        response = await handler(request);
        if (!isRepeatable || !statuses.has(response.status)) return response;
      } catch (error) {
        if (!isRepeatable && !wasNeverSent(error)) throw error;
        if (!isPassing(error)) throw error;
        failure = error;
      }
      const asked = response === undefined || maxRetryAfter === 0 ? undefined : retryAfter(response, now());
      const wait = asked ?? random() * Math.min(delay * 2 ** (attempt - 1), maxDelay);
      const { total } = request.timeout;
      const goesOn =
        attempt < attempts &&
        (request.body === undefined || request.body.replayable) &&
        (asked === undefined || asked <= maxRetryAfter) &&
        (total === 0 || now() - started + wait < total) &&
        (budget === undefined || budget.take());
      if (!goesOn) {
        if (response === undefined) throw failure;
        return response;
      }
      if (response !== undefined) await discard(response);
      onRetry?.({ request, attempt, delay: wait, response, error: failure });
      await (sleep === undefined ? pause(request, wait) : sleep(wait));
    }
  };
}

/** The wait that a Retry-After field asks for (RFC 9110 §10.2.3): seconds, or a date. */
function retryAfter(response: ClientResponse, now: number): number | undefined {
  const value = response.header('retry-after');
  if (value === undefined) return undefined;
  if (/^\d{1,10}$/.test(value)) return Number(value) * 1000;
  const date = parseHttpDate(value);
  return date === undefined ? undefined : Math.max(0, date - now);
}

/** A failure of the network that may be over soon; a wrong certificate or a forbidden address will not. */
function isPassing(error: unknown): boolean {
  if (
    error instanceof TotalTimeoutError ||
    error instanceof ClientSSLError ||
    error instanceof BlockedAddressError
  ) {
    return false;
  }
  return error instanceof ClientConnectionError || error instanceof ServerTimeoutError;
}

/** No connection was made, so that no server has seen the request. */
function wasNeverSent(error: unknown): boolean {
  return error instanceof ClientConnectorError || error instanceof ConnectionTimeoutError;
}

/** Waits as long as the request is wanted. */
async function pause(request: ClientRequest, ms: number): Promise<void> {
  const { guard } = request;
  guard.throwIfFailed();
  await suspend<void>(
    (resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      // What was being sent for the last try is stopped, and the guard stops the wait when the request is given up.
      guard.upload?.stop(new ClientConnectionError('The request is sent again'));
      guard.upload = {
        stop: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      return () => clearTimeout(timer);
    },
    `retry in ${Math.ceil(ms)} ms`,
  );
  guard.upload = undefined;
}

function checkNumber(name: string, value: number, least: number): void {
  if (value >= least) return;
  throw codedRangeError('AIO_RETRY_OPTION', `${name} is a number from ${least}, got ${shown(value)}`);
}

import { codedRangeError, codedTypeError, shown } from '../message/index.ts';
import type { TimerWheel, WheelEntry } from '../net/index.ts';
import { ClientPayloadError, ServerTimeoutError } from './errors.ts';
import type { PooledConnection } from './pooled-connection.ts';

/**
 * Time limits of a request, in milliseconds; `Infinity` for none. What is not given is taken from the session, and there from the
 * defaults: setting one limit doesn't remove the others.
 *
 * Source: `aiohttp.ClientTimeout`, with a limit of its own for the wait for the pool.
 */
export interface ClientTimeout {
  /** From the call to the end of the body: pool, connection, redirects and all. Default 300 000; never below another limit that is set. */
  readonly total?: number | undefined;
  /** Waiting for the pool and making the connection, together. Default none. */
  readonly connect?: number | undefined;
  /** Making one connection: name, TCP, proxy, TLS. Default 30 000. */
  readonly sockConnect?: number | undefined;
  /** Silence of the server: until it answers, between two pieces of the body, and while it takes nothing of ours. Default none. */
  readonly sockRead?: number | undefined;
  /** Waiting for a connection of the pool. Default none. */
  readonly poolWait?: number | undefined;
}

/** All limits; 0 for none, which is how timers take it. */
export interface ResolvedTimeout {
  readonly total: number;
  readonly connect: number;
  readonly sockConnect: number;
  readonly sockRead: number;
  readonly poolWait: number;
  /** `total` was set by somebody. */
  readonly totalGiven: boolean;
}

export const DEFAULT_TIMEOUT: ResolvedTimeout = Object.freeze({
  total: 300_000,
  connect: 0,
  sockConnect: 30_000,
  sockRead: 0,
  poolWait: 0,
  totalGiven: false,
});

const NAMES = ['total', 'connect', 'sockConnect', 'sockRead', 'poolWait'] as const;
const KNOWN: ReadonlySet<string> = new Set(NAMES);

/**
 * The limits that `given` sets, over those of `base`.
 *
 * @throws TypeError, RangeError `AIO_TIMEOUT_OPTION`
 */
export function resolveTimeout(given: ClientTimeout | undefined, base: ResolvedTimeout): ResolvedTimeout {
  if (given === undefined) return base;
  if (typeof given !== 'object' || given === null) {
    throw codedTypeError(
      'AIO_TIMEOUT_OPTION',
      `timeout is an object of milliseconds like { total: 5_000 }, got ${shown(given)}`,
    );
  }
  for (const name of Object.keys(given)) {
    if (!KNOWN.has(name)) {
      throw codedTypeError(
        'AIO_TIMEOUT_OPTION',
        `timeout has no limit ${shown(name)}: there are ${NAMES.join(', ')}`,
      );
    }
  }
  const resolved = { ...base };
  for (const name of NAMES) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined) continue;
    if (typeof value !== 'number' || !(value > 0)) {
      throw codedRangeError(
        'AIO_TIMEOUT_OPTION',
        `timeout.${name} is a positive number of milliseconds, or Infinity for no limit; got ${shown(value)}`,
      );
    }
    resolved[name] = value === Infinity ? 0 : value;
    if (name === 'total') resolved.totalGiven = true;
  }
  // A default that would end the request before a limit which was asked for is none.
  if (!resolved.totalGiven) {
    const { connect, sockConnect, sockRead, poolWait } = resolved;
    resolved.total = Math.max(resolved.total, connect, sockConnect, sockRead, poolWait);
  }
  return resolved;
}

/** What a call is doing when its time is over. */
export type CallPhase = 'connect' | 'send' | 'head' | 'body';

const PHASES: Readonly<Record<CallPhase, string>> = {
  connect: 'waiting for a connection',
  send: 'sending the request',
  head: 'waiting for the head of the response',
  body: 'reading the body of the response',
};

/** The `total` time of a request was over; `phase` says what it was doing. A `TimeoutError`, as aiohttp raises it, and a ClientError. */
export class TotalTimeoutError extends ServerTimeoutError {
  override readonly code: string = 'AIO_TOTAL_TIMEOUT';
  readonly phase: CallPhase;

  static {
    TotalTimeoutError.prototype.name = 'TotalTimeoutError';
  }

  constructor(what: string, total: number, phase: CallPhase) {
    super(`${what} took longer than the total timeout of ${total} ms; it was ${PHASES[phase]}`);
    this.phase = phase;
  }
}

/** What must stop when a call is given up, besides its connection. */
export interface Stoppable {
  stop(error: Error): void;
}

/**
 * Ends one call of a session at its total deadline and when its signal is aborted, whatever it waits for at the moment. Used again for
 * later calls when it ended in peace: then a deadline costs an assignment instead of a timer (30 ns instead of 200 to 1200).
 */
export class CallGuard implements WheelEntry {
  deadline: number;
  slot: number;
  phase: CallPhase;
  /** Why the call was given up. */
  failure: Error | undefined;
  /** The connection that the call has at the moment. */
  lease: PooledConnection | undefined;
  /** The body that is being sent. */
  upload: Stoppable | undefined;
  /** Ends the wait for a connection. */
  abortConnecting: ((error: Error) => void) | undefined;
  readonly abortsConnecting: (abort: (error: Error) => void) => void;
  /** For messages. */
  method: string;
  /** For messages: neither path nor query, which may hold secrets. */
  origin: string;
  readonly end: () => void;
  private readonly wheel: TimerWheel;
  private readonly spare: CallGuard[];
  private total: number;
  private signal: AbortSignal | undefined;
  private rejectWait: ((error: Error) => void) | undefined;
  private over: boolean;

  /** @param spare where the guard goes when its call has ended in peace */
  constructor(wheel: TimerWheel, spare: CallGuard[]) {
    this.deadline = Infinity;
    this.slot = -1;
    this.phase = 'connect';
    this.failure = undefined;
    this.lease = undefined;
    this.upload = undefined;
    this.abortConnecting = undefined;
    this.abortsConnecting = (abort) => {
      this.abortConnecting = abort;
    };
    this.method = '';
    this.origin = '';
    this.end = () => this.finish();
    this.wheel = wheel;
    this.spare = spare;
    this.total = 0;
    this.signal = undefined;
    this.rejectWait = undefined;
    this.over = true;
  }

  /** @param total milliseconds; 0 for no limit */
  begin(total: number, signal: AbortSignal | undefined): void {
    this.over = false;
    this.phase = 'connect';
    this.total = total;
    if (total > 0) {
      this.wheel.start();
      this.wheel.arm(this, total);
    }
    if (signal === undefined) return;
    this.signal = signal;
    if (signal.aborted) this.handleEvent();
    else signal.addEventListener('abort', this);
  }

  /** Waits for a promise that knows nothing of the deadline. What becomes of it later is nobody's business. */
  race<T>(promise: PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.failure !== undefined) reject(this.failure);
      this.rejectWait = reject;
      promise.then(resolve, reject);
    });
  }

  /** Called by the wheel. */
  expire(): void {
    if (!this.over) this.fail(new TotalTimeoutError(`${this.method} ${this.origin}`, this.total, this.phase));
  }

  /** Called by the signal. */
  handleEvent(): void {
    const { reason } = this.signal as { reason: unknown };
    this.fail(reason instanceof Error ? reason : new Error('The request was aborted', { cause: reason }));
  }

  /** Gives the call up. */
  fail(error: Error): void {
    if (this.over || this.failure !== undefined) return;
    this.failure = error;
    this.abortConnecting?.(error);
    this.upload?.stop(error);
    this.lease?.close(error);
    this.rejectWait?.(error);
    this.finish();
  }

  throwIfFailed(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    this.deadline = Infinity;
    this.lease = undefined;
    const { upload } = this;
    this.upload = undefined;
    upload?.stop(new ClientPayloadError('The server answered and did not wait for the whole body'));
    this.rejectWait = undefined;
    if (this.signal !== undefined) {
      this.signal.removeEventListener('abort', this);
      this.signal = undefined;
    }
    if (this.failure === undefined && this.spare.length < MAX_SPARE) this.spare.push(this);
    else this.wheel.remove(this);
  }
}

const MAX_SPARE = 256;

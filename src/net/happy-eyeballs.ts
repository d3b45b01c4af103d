import { suspend } from '../asyncio/index.ts';

/** An IP address. */
export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Waits for one step of making a connection: `suspend`, or something that also ends the wait when its time is over. */
export type PhaseWait = typeof suspend;

/** The timers of a race; tests give their own. */
export interface RaceTimers {
  readonly set: (fn: () => void, delay: number) => unknown;
  readonly clear: (timer: unknown) => void;
}

const REAL_TIMERS: RaceTimers = {
  set: (fn, delay) => setTimeout(fn, delay),
  clear: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** Recommended "Connection Attempt Delay" (RFC 8305 §8). */
export const CONNECTION_ATTEMPT_DELAY = 250;

export interface RaceOptions {
  /** Milliseconds that an attempt has to itself before the next one starts; `Infinity`: until it fails. Default 250. */
  readonly delay?: number | undefined;
  readonly timers?: RaceTimers | undefined;
}

/** Is told how an attempt ended, once. */
export type Settle<T> = (error: Error | undefined, result?: T) => void;

/** Starts an attempt; returns what aborts it. */
export type Begin<T> = (address: Address, settle: Settle<T>) => () => void;

/**
 * The addresses in the order in which they are tried: families take turns (RFC 8305 §4).
 *
 * @param firstCount - addresses of the first family at the beginning ("First Address Family Count"); 0 keeps the given order
 */
export function interleave(addresses: readonly Address[], firstCount: number = 1): readonly Address[] {
  const first = addresses[0];
  if (first === undefined || firstCount === 0) return addresses;
  const preferred = addresses.filter(({ family }) => family === first.family);
  const others = addresses.filter(({ family }) => family !== first.family);
  if (others.length === 0) return addresses;
  const order = preferred.splice(0, firstCount);
  while (preferred.length > 0 || others.length > 0) {
    const other = others.shift();
    if (other !== undefined) order.push(other);
    const next = preferred.shift();
    if (next !== undefined) order.push(next);
  }
  return order;
}

class Race<T> {
  private readonly addresses: readonly Address[];
  private readonly begin: Begin<T>;
  private readonly delay: number;
  private readonly timers: RaceTimers;
  private readonly resolve: (value: T) => void;
  private readonly reject: (error: unknown) => void;
  private readonly running: Set<() => void>;
  private readonly errors: Error[];
  private started: number;
  private timer: unknown;
  private over: boolean;

  constructor(
    addresses: readonly Address[],
    begin: Begin<T>,
    options: RaceOptions,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.addresses = addresses;
    this.begin = begin;
    this.delay = options.delay ?? CONNECTION_ATTEMPT_DELAY;
    this.timers = options.timers ?? REAL_TIMERS;
    this.resolve = resolve;
    this.reject = reject;
    this.running = new Set();
    this.errors = [];
    this.started = 0;
    this.timer = undefined;
    this.over = false;
  }

  next(): void {
    this.stopTimer();
    const address = this.addresses[this.started];
    if (address === undefined || this.over) return;
    this.started++;
    if (this.started < this.addresses.length && this.delay !== Infinity) {
      this.timer = this.timers.set(() => this.next(), this.delay);
    }
    let abort: (() => void) | undefined;
    let settled = false;
    abort = this.begin(address, (error, result) => {
      if (settled) return;
      settled = true;
      if (abort !== undefined) this.running.delete(abort);
      if (this.over) return;
      if (error === undefined) this.won(result as T);
      else this.lost(error);
    });
    if (!settled) this.running.add(abort);
  }

  /** Ends the race and every attempt in it. */
  stop(): void {
    this.over = true;
    this.stopTimer();
    for (const abort of this.running) abort();
    this.running.clear();
  }

  private won(result: T): void {
    this.stop();
    this.resolve(result);
  }

  /** A failure starts the next attempt at once (RFC 8305 §5). */
  private lost(error: Error): void {
    this.errors.push(error);
    if (this.started < this.addresses.length) {
      this.next();
    } else if (this.running.size === 0) {
      this.over = true;
      this.stopTimer();
      this.reject(allFailed(this.errors));
    }
  }

  private stopTimer(): void {
    if (this.timer === undefined) return;
    this.timers.clear(this.timer);
    this.timer = undefined;
  }
}

/**
 * Races attempts to reach one host ("Happy Eyeballs", RFC 8305 §5): the next address is tried when the attempt before it failed or
 * took longer than `delay`, while that one goes on. The first success wins and the others are aborted.
 *
 * @throws the error of the only address, or an AggregateError with the `code` of the first, when all failed
 */
export function raceAddresses<T>(
  addresses: readonly Address[],
  begin: Begin<T>,
  options: RaceOptions = {},
  wait: PhaseWait = suspend,
): Promise<T> {
  return wait<T>((resolve, reject) => {
    if (addresses.length === 0) {
      reject(new RangeError('there is no address to connect to'));
      return undefined;
    }
    const race = new Race(addresses, begin, options, resolve, reject);
    race.next();
    return () => race.stop();
  }, 'connecting');
}

function allFailed(errors: readonly Error[]): Error {
  if (errors.length === 1) return errors[0]!;
  const { code } = errors[0] as { code?: string };
  const message = errors.map((error) => error.message).join('; ');
  return Object.assign(new AggregateError(errors, message), code === undefined ? {} : { code });
}

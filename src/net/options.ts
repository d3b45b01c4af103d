import { type Limits, resolveLimits } from '../http1/index.ts';

/** Anything with these three methods logs for us: `console`, pino, winston … */
export interface Logger {
  info(message: string, ...details: unknown[]): void;
  warn(message: string, ...details: unknown[]): void;
  error(message: string, ...details: unknown[]): void;
}

/** How a server treats its connections. Durations are milliseconds, sizes bytes; 0 switches a time limit off. */
export interface ServerOptions extends Limits {
  /** Time for a whole request head, from its first byte (or the connection's start); then 408. Default 30 000. */
  readonly headersTimeout: number;
  /** Bytes a second that a request body must bring after `bodyGracePeriod`; then 408. Default 240. */
  readonly bodyMinRate: number;
  /** How long a body may be slower than `bodyMinRate`; every such period is judged alone. Default 5 000. */
  readonly bodyGracePeriod: number;
  /** How long an idle connection is kept for the next request. Default 75 000. */
  readonly keepAliveTimeout: number;
  /** Time for a handler to begin its answer; then 504 and the request's signal aborts. Default 0, off. */
  readonly handlerTimeout: number;
  /** How long a peer may take none of the bytes that wait for it; then the connection is cut. Default 60 000. */
  readonly sendTimeout: number;
  /** How long the rest of a request is read and dropped after an early answer, so that the answer arrives. Default 10 000. */
  readonly lingerTimeout: number;
  /** Connections at a time; more are refused at once. Default Infinity. */
  readonly maxConnections: number;
  /** Text of the Server field, or `false` for none. Default `'aiohttp-ts'`. */
  readonly serverHeader: string | false;
  /** Where failures inside the server are told. Default `console`. */
  readonly logger: Logger;
}

const DURATIONS = {
  headersTimeout: 30_000,
  bodyGracePeriod: 5_000,
  keepAliveTimeout: 75_000,
  handlerTimeout: 0,
  sendTimeout: 60_000,
  lingerTimeout: 10_000,
} as const;

type Duration = keyof typeof DURATIONS;

const DEFAULT_BODY_MIN_RATE = 240;

/**
 * `options` over the defaults.
 * @throws RangeError when a duration, size or count is negative or not a number.
 */
export function resolveServerOptions(options: Partial<ServerOptions>): ServerOptions {
  const durations = { ...DURATIONS } as Record<Duration, number>;
  for (const name of Object.keys(DURATIONS) as Duration[]) {
    durations[name] = notNegative(name, options[name] ?? DURATIONS[name], 'milliseconds');
  }
  const maxConnections = options.maxConnections ?? Infinity;
  if (!(maxConnections >= 1)) {
    throw new RangeError(`maxConnections must be at least 1, got ${String(maxConnections)}`);
  }
  return {
    ...resolveLimits(options),
    ...durations,
    bodyMinRate: notNegative('bodyMinRate', options.bodyMinRate ?? DEFAULT_BODY_MIN_RATE, 'bytes a second'),
    maxConnections,
    serverHeader: options.serverHeader ?? 'aiohttp-ts',
    logger: options.logger ?? console,
  };
}

/** A tick that is fine enough for the shortest time limit in use, and no finer than needed. */
export function tickLengthFor(options: ServerOptions): number {
  const limits = (Object.keys(DURATIONS) as Duration[])
    .map((name) => options[name])
    .filter((limit) => limit > 0);
  return Math.min(500, Math.max(10, Math.floor(Math.min(...limits, 2000) / 4)));
}

function notNegative(name: string, value: number, unit: string): number {
  if (typeof value !== 'number' || !(value >= 0)) {
    throw new RangeError(`${name} must be a number of ${unit}, 0 or more, got ${String(value)}`);
  }
  return value;
}

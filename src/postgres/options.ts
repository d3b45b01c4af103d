import type { ConnectionOptions } from 'node:tls';

/** Options of {@link connect}; durations are in milliseconds. What neither they nor the URL say, `pg` takes from PGHOST, PGUSER and so on. */
export interface PostgresOptions {
  /** Name or address, or the folder of a Unix socket. */
  readonly host?: string | undefined;
  /** 5432 by default. */
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  /** A function is called for each new connection, for passwords that change. */
  readonly password?: string | (() => string | Promise<string>) | undefined;
  readonly database?: string | undefined;
  /**
   * `true`: TLS, with the server's certificate verified; an object: the same with options of `tls.connect` (`ca`, `cert`, `rejectUnauthorized` …). Off by
   * default, like `sslmode=disable`; in a URL `sslmode=require` and stronger verify, `sslmode=no-verify` does not.
   */
  readonly tls?: boolean | ConnectionOptions | undefined;
  /** Shown in `pg_stat_activity`; `'aiohttp-ts'` by default. */
  readonly applicationName?: string | undefined;
  /** Most connections at a time, 10 by default. */
  readonly max?: number | undefined;
  /** Longest wait for a connection when all are in use, 10,000 by default. */
  readonly acquireTimeout?: number | undefined;
  /** How many may wait for a connection at a time, 10,000 by default. */
  readonly maxWaiting?: number | undefined;
  /** Longest wait for a new connection to be made, 10,000 by default. */
  readonly connectTimeout?: number | undefined;
  /** A connection that was not used for so long is closed, 30,000 by default; 0: never. */
  readonly idleTimeout?: number | undefined;
  /** How long `close` waits for what still runs before it cuts, 10,000 by default. */
  readonly closeTimeout?: number | undefined;
  /** The server ends a statement that takes longer, 0 (never) by default. */
  readonly statementTimeout?: number | undefined;
  /**
   * How many statements a connection keeps prepared, 200 by default: a text is prepared when it comes for the second time. 0 for poolers that give
   * each transaction another server connection (PgBouncer before 1.21).
   */
  readonly statementCacheSize?: number | undefined;
  /** How many rows an open cursor reads at a time, 256 by default. */
  readonly fetchSize?: number | undefined;
}

function wrong(code: string, message: string): RangeError {
  return Object.assign(new RangeError(message), { code });
}

function count(
  options: PostgresOptions,
  name: keyof PostgresOptions,
  standard: number,
  least: number,
): number {
  const value = options[name] ?? standard;
  // 2^31 - 1: what a timer takes.
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > 2_147_483_647) {
    throw wrong(
      'AIO_SQL_OPTION',
      `${name} must be an integer from ${least} to 2147483647, got ${typeof value === 'number' ? value : typeof value}`,
    );
  }
  return value;
}

/** Options with every default filled in. The password is not among its visible fields, so that no log shows it. */
export class Settings {
  readonly max: number;
  readonly acquireTimeout: number;
  readonly maxWaiting: number;
  readonly connectTimeout: number;
  readonly idleTimeout: number;
  readonly closeTimeout: number;
  readonly statementCacheSize: number;
  readonly fetchSize: number;
  readonly tls: ConnectionOptions | undefined;
  readonly #config: Readonly<Record<string, unknown>>;

  constructor(options: PostgresOptions) {
    this.max = count(options, 'max', 10, 1);
    this.acquireTimeout = count(options, 'acquireTimeout', 10_000, 0);
    this.maxWaiting = count(options, 'maxWaiting', 10_000, 0);
    this.connectTimeout = count(options, 'connectTimeout', 10_000, 1);
    this.idleTimeout = count(options, 'idleTimeout', 30_000, 0);
    this.closeTimeout = count(options, 'closeTimeout', 10_000, 0);
    this.statementCacheSize = count(options, 'statementCacheSize', 200, 0);
    this.fetchSize = count(options, 'fetchSize', 256, 1);
    const { tls } = options;
    this.tls = tls === undefined || tls === false ? undefined : tls === true ? {} : tls;
    this.#config = {
      host: options.host,
      port: options.port === undefined ? undefined : count(options, 'port', 5432, 1),
      user: options.user,
      password: options.password,
      database: options.database,
      ssl: tls === undefined ? undefined : (this.tls ?? false),
      application_name: options.applicationName ?? 'aiohttp-ts',
      connectionTimeoutMillis: this.connectTimeout,
      statement_timeout: count(options, 'statementTimeout', 0, 0) || undefined,
      keepAlive: true,
      keepAliveInitialDelayMillis: 30_000,
    };
  }

  /** For `new pg.Client`, which writes into what it is given. */
  clientConfig(): Record<string, unknown> {
    const { ssl } = this.#config;
    const copy = typeof ssl === 'object' && ssl !== null ? { ...ssl } : ssl;
    return { ...this.#config, ssl: copy };
  }
}

function tlsOf(mode: string, rootCertificate: string | null): boolean | ConnectionOptions {
  if (rootCertificate !== null) {
    throw wrong('AIO_SQL_URL', 'sslrootcert is not read from a URL: give { tls: { ca } } as an option');
  }
  switch (mode) {
    case 'disable':
      return false;
    case 'require':
    case 'verify-ca':
    case 'verify-full':
      return true;
    case 'no-verify':
      return { rejectUnauthorized: false };
    default:
      throw wrong(
        'AIO_SQL_URL',
        `sslmode is disable, require, verify-full or no-verify, got ${JSON.stringify(mode)}; prefer and allow protect from nobody`,
      );
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong('AIO_SQL_URL', 'the PostgreSQL URL has a % that is no escape; write it as %25');
  }
}

/**
 * Options from `postgres://user:password@host:port/database?sslmode=require`. Error messages never quote the URL: it holds a password.
 *
 * @throws RangeError `AIO_SQL_URL`
 */
export function optionsOf(url: string): PostgresOptions {
  if (!/^postgres(?:ql)?:\/\//.test(url)) {
    throw wrong('AIO_SQL_URL', 'a PostgreSQL URL begins with postgres:// or postgresql://');
  }
  let parsed: URL;
  try {
    // The name of a special scheme, so that hosts are read as hosts; `%2F…`, the folder of a socket, is none to it.
    parsed = new URL(url);
  } catch {
    throw wrong(
      'AIO_SQL_URL',
      'the PostgreSQL URL cannot be read: postgres://user:password@host:port/database',
    );
  }
  const known = new Map(parsed.searchParams);
  const take = (name: string): string | undefined => {
    const value = known.get(name);
    known.delete(name);
    return value;
  };
  const mode = take('sslmode');
  const host = take('host') ?? decoded(parsed.hostname.replace(/^\[(.*)\]$/, '$1'));
  const port = take('port') ?? parsed.port;
  const applicationName = take('application_name');
  const timeout = take('connect_timeout');
  const rootCertificate = take('sslrootcert') ?? null;
  if (known.size > 0) {
    throw wrong(
      'AIO_SQL_URL',
      `the PostgreSQL URL has parameters that are not known here: ${[...known.keys()].join(', ')}; known are sslmode, host, port, application_name, connect_timeout`,
    );
  }
  const database = decoded(parsed.pathname.replace(/^\//, ''));
  return {
    ...(host !== '' && { host }),
    ...(port !== '' && { port: Number(port) }),
    ...(parsed.username !== '' && { user: decoded(parsed.username) }),
    ...(parsed.password !== '' && { password: decoded(parsed.password) }),
    ...(database !== '' && { database }),
    ...(mode !== undefined && { tls: tlsOf(mode, rootCertificate) }),
    ...(applicationName !== undefined && { applicationName }),
    ...(timeout !== undefined && { connectTimeout: Number(timeout) * 1_000 }),
  };
}

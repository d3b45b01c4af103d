import type { Server as SocketServer } from 'node:net';
import type { Application } from './application.ts';
import { GracefulExit } from './errors.ts';
import { AppRunner, type AppRunnerOptions } from './runner.ts';
import { type BaseSite, SockSite, TCPSite, type TCPSiteOptions, UnixSite } from './sites.ts';
import type { Awaitable } from './types.ts';

/** A descriptor or server that is bound already. */
export type BoundSocket = number | SocketServer;

/** Options of `runApp`. */
export interface RunAppOptions extends AppRunnerOptions, TCPSiteOptions {
  /** Names or addresses to listen on. Default: every address of the machine, unless `path` or `sock` is given. */
  readonly host?: string | readonly string[] | undefined;
  /** Default 8080, or 8443 with `sslContext`; 0 takes a free one. */
  readonly port?: number | undefined;
  /** Unix sockets to listen on. */
  readonly path?: string | readonly string[] | undefined;
  /** Sockets to listen on that are bound already. */
  readonly sock?: BoundSocket | readonly BoundSocket[] | undefined;
  /** What is told of the start goes through this function, `console.log` by default; `false`: nothing is told. */
  readonly print?: ((message: string) => void) | false | undefined;
  /** SIGINT and SIGTERM end the server in good order, a second one at once. Default `true`. */
  readonly handleSignals?: boolean | undefined;
  /** Aborting it ends the server in good order, as a signal does. */
  readonly signal?: AbortSignal | undefined;
}

/** An application, a promise of one, or a function that makes one. */
export type ApplicationSource = Awaitable<Application> | (() => Awaitable<Application>);

function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

function makeSites(runner: AppRunner, options: RunAppOptions): BaseSite[] {
  const { host, port, path, sock, sslContext, backlog, reusePort } = options;
  const shared = { sslContext, backlog };
  const sites: BaseSite[] = listOf(host).map(
    (name) => new TCPSite(runner, name, port, { ...shared, reusePort }),
  );
  if (host === undefined && ((path === undefined && sock === undefined) || port !== undefined)) {
    sites.push(new TCPSite(runner, undefined, port, { ...shared, reusePort }));
  }
  for (const name of listOf(path)) sites.push(new UnixSite(runner, name, shared));
  for (const bound of listOf(sock)) sites.push(new SockSite(runner, bound, shared));
  return sites;
}

/**
 * Serves an application until it is told to stop: by SIGINT (ctrl-C), SIGTERM, `signal`, or a `GracefulExit` thrown in it. Then
 * it stops accepting, ends idle connections, calls `onShutdown`, waits up to `shutdownTimeout` for running handlers, cleans the application up
 * and resolves.
 *
 * Exit codes: nothing is done about them after the first signal, so a program that ends with `await runApp(app)` exits with 0; a second signal
 * during the clean-up exits at once with 130 (SIGINT) or 143 (SIGTERM); a start or clean-up that fails rejects, which is 1.
 *
 * Counterpart of `aiohttp.web.run_app`.
 *
 * @param app - an application, a promise of one, or a function that makes one
 * @throws ListenError when an address cannot be had; whatever the application's start or clean-up throws
 *
 * @example
 * ```ts
 * await web.runApp(app, { port: 8080 });
 * ```
 */
export async function runApp(app: ApplicationSource, options: RunAppOptions = {}): Promise<void> {
  const {
    host: _h,
    port: _p,
    path: _pa,
    sock: _s,
    print = console.log,
    signal,
    sslContext: _c,
    backlog: _b,
    reusePort: _r,
    ...rest
  } = options;
  const application = await (typeof app === 'function' ? app() : app);
  const runner = new AppRunner(application, { ...rest, handleSignals: options.handleSignals ?? true });
  const stop = (): void => void runner.cleanup().catch(() => {}); // seen through runner.closed
  signal?.addEventListener('abort', stop);
  try {
    await start(runner, options, print);
    await runner.closed;
  } catch (error) {
    // The first error is the one to show; what the clean-up adds would hide it.
    await runner.cleanup().catch(() => {});
    if (!(error instanceof GracefulExit)) throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

async function start(
  runner: AppRunner,
  options: RunAppOptions,
  print: ((message: string) => void) | false,
): Promise<void> {
  if (options.signal?.aborted === true) {
    await runner.cleanup();
    return;
  }
  await runner.setup();
  const sites = makeSites(runner, options);
  for (const site of sites) {
    if (runner.closing) return; // a signal came during the start
    await Promise.race([site.start(), runner.closed]);
  }
  if (print === false) return;
  const names = sites.map((site) => site.name).sort();
  print(`======== Running on ${names.join(', ')} ========\n(Press CTRL+C to quit)`);
}

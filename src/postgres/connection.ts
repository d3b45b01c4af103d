import { currentTask, outside, suspend } from '../asyncio/index.ts';
import { requestCancel } from './cancel-request.ts';
import type { PgClient, PgDriver, PgNotification } from './driver.ts';
import { endsConnection } from './errors.ts';
import type { Settings } from './options.ts';
import { HeldRun, isStale, type Run, Script, type StatementOptions, StatementRun } from './run.ts';
import { StatementCache } from './statement-cache.ts';

/** How long a cancelled statement may take to end before its connection is cut, in ms. */
const CANCEL_LIMIT = 5_000;

/** How long a ROLLBACK may take, in ms: it comes after a cancellation. */
const FINAL_LIMIT = 10_000;

/** Ends a wait early on the signal or on the cancellation of the task; `interrupt` then stops what it waits for. */
export function interruptible<T>(
  start: () => Promise<T>,
  interrupt: () => void,
  signal: AbortSignal | undefined,
  label: string,
): Promise<T> {
  if (signal === undefined && currentTask() === undefined) return start(); // nobody can cancel it
  signal?.throwIfAborted();
  return suspend<T>((resolve, reject) => {
    const work = start();
    if (signal === undefined) {
      work.then(resolve, reject);
      return interrupt;
    }
    const aborted = (): void => {
      interrupt();
      reject(signal.reason);
    };
    outside(() => signal.addEventListener('abort', aborted));
    const forget = (): void => signal.removeEventListener('abort', aborted);
    work.then(
      (value) => {
        forget();
        resolve(value);
      },
      (error: unknown) => {
        forget();
        reject(error);
      },
    );
    return () => {
      forget();
      interrupt();
    };
  }, label);
}

/** One connection to the server. Its runs are sent one after the other. */
export class PostgresConnection {
  /** `I`: idle, `T`: in a transaction, `E`: in a transaction that has failed (PostgreSQL §55.7, ReadyForQuery). */
  status: string;
  /** Why it can no longer be used. */
  broken: Error | undefined;
  /** When it last became idle. */
  idleSince: number;
  readonly statements: StatementCache;
  /** Called once, when it breaks. */
  onBroken: (() => void) | undefined;
  private readonly client: PgClient;
  private readonly settings: Settings;
  private readonly queue: Run[];
  private current: Run | undefined;
  private cancelling: boolean;
  private waiters: (() => void)[];
  private portals: number;

  private constructor(client: PgClient, settings: Settings) {
    this.client = client;
    this.settings = settings;
    this.status = 'I';
    this.broken = undefined;
    this.idleSince = 0;
    this.statements = new StatementCache(settings.statementCacheSize);
    this.onBroken = undefined;
    this.queue = [];
    this.current = undefined;
    this.cancelling = false;
    this.waiters = [];
    this.portals = 0;
  }

  /** Outside of every task's context: it outlives the one that needed it first. */
  static open(driver: PgDriver, settings: Settings): Promise<PostgresConnection> {
    return outside(async () => {
      const client = new driver.Client(settings.clientConfig());
      const connection = new PostgresConnection(client, settings);
      client.on('error', (error) => connection.breakDown(error));
      client.on('end', () => connection.breakDown(new Error('the connection was closed')));
      client.connection.on('readyForQuery', ({ status }) => connection.ready(status));
      try {
        await client.connect();
      } catch (error) {
        client.connection.stream.destroy();
        throw error;
      }
      return connection;
    });
  }

  /** Rows that an open cursor reads at a time. */
  get fetchSize(): number {
    return this.settings.fetchSize;
  }

  /** Whether something runs or waits to. */
  get busy(): boolean {
    return this.current !== undefined || this.queue.length > 0 || this.cancelling;
  }

  /** Sends a run when those before it are over. */
  run(run: Run): Promise<void> {
    if (this.broken !== undefined) run.abandon(this.broken);
    else {
      this.queue.push(run);
      this.pump();
    }
    return run.done;
  }

  /** The same for a wait that can be cancelled: the statement is interrupted then. */
  runInterruptibly(run: Run, signal: AbortSignal | undefined): Promise<void> {
    return interruptible(
      () => this.run(run),
      () => this.interrupt(run),
      signal,
      'a PostgreSQL statement',
    );
  }

  /** Runs a statement; once more when the server's memory of it was stale, which outside of transactions costs nothing. */
  async statement(
    text: string,
    options: Omit<StatementOptions, 'statements'>,
    signal: AbortSignal | undefined,
  ): Promise<StatementRun> {
    const make = (): StatementRun => new StatementRun(text, { ...options, statements: this.statements });
    const run = make();
    try {
      await this.runInterruptibly(run, signal);
      return run;
    } catch (error) {
      if (!run.reused || !isStale(error) || this.status !== 'I') throw error;
      const again = make();
      await this.runInterruptibly(again, signal);
      return again;
    }
  }

  /** Begins to read a statement piece by piece; the connection belongs to it until its end. */
  async hold(
    text: string,
    options: Omit<StatementOptions, 'statements'>,
    signal: AbortSignal | undefined,
  ): Promise<HeldRun> {
    const make = (): HeldRun => new HeldRun(text, { ...options, statements: this.statements });
    let run = make();
    try {
      await this.firstBatch(run, signal);
    } catch (error) {
      if (!run.reused || !isStale(error)) throw error;
      run = make();
      await this.firstBatch(run, signal);
    }
    return run;
  }

  private firstBatch(run: HeldRun, signal: AbortSignal | undefined): Promise<void> {
    return interruptible(
      () => {
        void this.run(run).catch(() => {});
        return run.batch;
      },
      () => this.interrupt(run),
      signal,
      'a PostgreSQL statement',
    );
  }

  /** One of the commands that begin and end transactions; gives what the server says it did. */
  async command(text: string): Promise<string> {
    const script = new Script(text);
    await this.run(script);
    return script.tag;
  }

  /** The same for ends that nobody may wait for in vain: a server that does not answer in time loses the connection. */
  async finalCommand(text: string): Promise<void> {
    const limit = outside(() => setTimeout(() => this.destroy(), FINAL_LIMIT));
    try {
      await this.command(text);
    } catch {
      this.destroy(); // the end of a connection is the end of its transaction
    } finally {
      clearTimeout(limit);
    }
  }

  /** Stops what runs and what waits to. */
  interruptAll(): void {
    for (const run of [...this.queue]) this.interrupt(run);
    if (this.current !== undefined) this.interrupt(this.current);
  }

  /** A name for a portal that no other has. */
  portalName(): string {
    return `aiohttp_${++this.portals}`;
  }

  /** Ends when nothing runs. */
  settled(): Promise<void> {
    return this.busy ? new Promise((resolve) => this.waiters.push(resolve)) : Promise.resolve();
  }

  /** Stops a run: one that waits is taken out, one that runs is cancelled on the server. */
  interrupt(run: Run): void {
    const place = this.queue.indexOf(run);
    if (place >= 0) {
      this.queue.splice(place, 1);
      run.abandon(new Error('the statement was cancelled before it was sent'));
      return;
    }
    if (run !== this.current || this.cancelling || this.broken !== undefined) return;
    const { processID, secretKey, host, port } = this.client;
    if (processID === null || secretKey === null) {
      this.destroy(); // a proxy that knows no cancellation
      return;
    }
    outside(() => {
      this.cancelling = true;
      const limit = setTimeout(() => this.destroy(), CANCEL_LIMIT);
      const tls = this.client.connection.stream.encrypted === true ? (this.settings.tls ?? {}) : undefined;
      // Nothing else is sent before the request has been taken: it would hit what comes next.
      const taken = requestCancel({ host, port, tls, processId: processID, secretKey }, CANCEL_LIMIT).catch(
        () => this.destroy(),
      );
      // Its rows may have come meanwhile; then it waits for us and not for the server.
      if (run instanceof HeldRun) run.batch.then(() => run.giveUp()).catch(() => {});
      void Promise.allSettled([taken, run.done]).then(() => {
        clearTimeout(limit);
        this.cancelling = false;
        this.pump();
      });
    });
  }

  /** Hears of `NOTIFY`. */
  onNotification(listener: (message: PgNotification) => void): void {
    this.client.on('notification', listener);
  }

  /** Cuts it. */
  destroy(): void {
    this.client.connection.stream.destroy();
    this.breakDown(new Error('the connection was cut'));
  }

  /** Ends it in good order. */
  async end(): Promise<void> {
    this.onBroken = undefined;
    this.broken ??= new Error('the connection was closed');
    await this.client.end().catch(() => {});
  }

  private pump(): void {
    if (this.current !== undefined || this.cancelling) return;
    const next = this.queue.shift();
    if (next === undefined) {
      const { waiters } = this;
      if (waiters.length > 0) {
        this.waiters = [];
        for (const wake of waiters) wake();
      }
      return;
    }
    this.current = next;
    this.client.query(next);
  }

  private ready(status: string | undefined): void {
    this.status = status ?? 'I';
    const run = this.current;
    if (run === undefined) return;
    this.current = undefined;
    run.settle();
    this.pump();
  }

  private breakDown(error: Error): void {
    if (this.broken !== undefined) {
      // Its last word was said as an error of the server; only now is it certain that nothing follows.
      this.abandonAll(this.broken);
      return;
    }
    this.broken = error;
    if (endsConnection(error)) this.client.connection.stream.destroy();
    this.abandonAll(error);
    this.onBroken?.();
  }

  private abandonAll(error: Error): void {
    const { current } = this;
    this.current = undefined;
    current?.abandon(error);
    for (const run of this.queue.splice(0)) run.abandon(error);
    if (!this.cancelling) this.pump();
  }
}

import type { Database, TransactionOptions, TransactionScope } from '../sql/index.ts';
import {
  type AppKey,
  HTTPException,
  type Middleware,
  middleware,
  type Request,
  RequestKey,
} from '../web/index.ts';

/** Options of {@link transactionMiddleware}. */
export interface TransactionMiddlewareOptions extends Omit<TransactionOptions, 'signal'> {
  /**
   * Whether an answer with this status keeps what its handler wrote. By default all below 400 do, redirects among them. An answer of 400 or more tells the
   * client that its request was not done, so nothing of it is: a handler that finds out half-way through may just throw.
   */
  readonly commitOn?: ((status: number) => boolean) | undefined;
}

/**
 * Gives each request a transaction of its own. It is opened by the first statement that the handler (or what it calls) gives to the database, and costs
 * nothing where there is none. It is committed before the client hears anything: an answer that says "done" is true. It is rolled back when the answer's
 * status is 400 or more, when the handler throws, is cancelled, or its client goes away.
 *
 * A response that the handler prepares by itself (a stream, a WebSocket) ends the transaction just before its head is sent; what comes later runs
 * without one. What must hold in any case, like the count of failed logins, is written outside of it: `asyncio.outside(() => db.execute(…))`.
 *
 * @param database the database, the key that the application has it under, or a function that finds it
 *
 * @example
 * ```ts
 * import { transactionMiddleware } from 'aiohttp-ts/database';
 * import type { Database } from 'aiohttp-ts/sql';
 * import * as web from 'aiohttp-ts/web';
 * const DB = new web.AppKey<Database>('db');
 * const app = new web.Application({ middlewares: [transactionMiddleware(DB)] });
 * ```
 */
export function transactionMiddleware(
  database: Database | AppKey<Database> | string | ((request: Request) => Database),
  options: TransactionMiddlewareOptions = {},
): Middleware {
  const { commitOn = (status: number): boolean => status < 400, ...transaction } = options;
  return middleware(async function transactionOfRequest(request, handler) {
    const db = find(database, request);
    const scope = new RequestTransaction(request, db.transactionScope(transaction), commitOn);
    // An application and a part of it may both have this middleware: the inner transaction is a savepoint, and ends first.
    const innermost = request.original.get(innermostOf) ?? new Map<Database, RequestTransaction>();
    request.original.set(innermostOf, innermost);
    const outer = innermost.get(db);
    if (outer !== undefined) outer.inner = scope;
    innermost.set(db, scope);
    request.onPrepare((response) => scope.end(response.status));
    request.onDone((error) => {
      if (error !== undefined) scope.abandon();
    });
    try {
      const response = await scope.run(() => handler(request));
      await scope.end(response.status);
      return response;
    } catch (error) {
      await scope.end(error instanceof HTTPException ? error.status : undefined);
      throw error;
    } finally {
      if (outer !== undefined) innermost.set(db, outer);
    }
  });
}

/** The transaction of a request that was begun last, for each database. */
const innermostOf = new RequestKey<Map<Database, RequestTransaction>>('aiohttp-ts/database transactions');

/** The transaction of one request: it ends once, however many ways to its end there are. */
class RequestTransaction {
  private readonly request: Request;
  private readonly scope: TransactionScope;
  private readonly commitOn: (status: number) => boolean;
  private ended: Promise<void> | undefined;
  /** One that stands inside of it, and must end before it: the head of a stream that the handler prepares ends both. */
  inner: RequestTransaction | undefined;

  constructor(request: Request, scope: TransactionScope, commitOn: (status: number) => boolean) {
    this.request = request;
    this.scope = scope;
    this.commitOn = commitOn;
    this.ended = undefined;
    this.inner = undefined;
  }

  run<T>(work: () => T): T {
    return this.scope.run(work);
  }

  /** @param status - of the answer; `undefined` for an error that is none */
  async end(status: number | undefined): Promise<void> {
    if (this.ended !== undefined) return;
    this.ended = this.endNow(status);
    await this.ended;
  }

  private async endNow(status: number | undefined): Promise<void> {
    const { request, scope } = this;
    try {
      await this.inner?.end(status);
    } catch (error) {
      await scope.rollback();
      throw error;
    }
    if (status === undefined || !this.commitOn(status)) return await scope.rollback();
    // The signal is made only where it decides something. Whoever left is not told "done" either: the connection is cut.
    if (scope.begun && request.signal.aborted) {
      await scope.rollback();
      throw request.signal.reason;
    }
    await scope.commit();
  }

  /** Nobody waits for an answer any more, and nobody for this. */
  abandon(): void {
    this.end(undefined).catch(() => {});
  }
}

function find(
  database: Database | AppKey<Database> | string | ((request: Request) => Database),
  request: Request,
): Database {
  if (typeof database === 'function') return database(request);
  if (typeof database === 'object' && 'transactionScope' in database) return database;
  return request.configDict.get(database as AppKey<Database>);
}

import {
  type Cursor,
  type ExecuteOptions,
  OperationalError,
  ProgrammingError,
  type Row,
  type SqlExecutor,
  type SqlParameters,
  SqlQuery,
  type SqlTransaction,
  type Statement,
  type TransactionOptions,
} from '../sql/index.ts';
import { type BindingRules, bind } from './binding.ts';
import { type CursorSource, type RowFactory, rowsOf, SqliteCursor } from './cursor.ts';
import type { Bound } from './driver.ts';
import type { Result, Take } from './engine.ts';
import { type Plan, type Plans, planOf, statementsOf } from './plan.ts';

/** What a statement gave, and where the rest of its rows is. */
export interface Ran {
  readonly result: Result;
  readonly source: CursorSource | undefined;
}

/** What a connection and its transactions share. */
export interface Settings {
  readonly plans: Plans;
  readonly binding: BindingRules;
  rowFactory: RowFactory;
}

/** Kind of a fault in the text of a statement (https://sqlite.org/rescode.html). */
const SQLITE_ERROR = 1;

/** Statements that `executemany` runs before others get their turn. */
const BATCH = 250;

/** Everything about running statements that does not depend on where they run. */
export abstract class Executor implements SqlExecutor {
  readonly dialect: 'sqlite' = 'sqlite';
  /** @internal */
  protected readonly settings: Settings;

  protected constructor(settings: Settings) {
    this.settings = settings;
  }

  /** Runs one statement. */
  protected abstract run(plan: Plan, values: Bound, take: Take, options: ExecuteOptions): Ran | Promise<Ran>;
  /** BEGIN, COMMIT and ROLLBACK. */
  protected abstract control(plan: Plan, options: ExecuteOptions): Promise<void>;
  /** Runs `work` in a transaction that only `work` knows of. */
  protected abstract within<T>(work: (tx: Batches) => Promise<T>, options: ExecuteOptions): Promise<T>;
  /** Runs the statements of a script. */
  protected abstract runScript(statements: readonly Plan[], options: ExecuteOptions): Promise<void>;
  abstract transaction<T>(
    work: (tx: SqlTransaction) => T | PromiseLike<T>,
    options?: TransactionOptions,
  ): Promise<T>;

  async execute<R = Row>(
    statement: Statement,
    parameters?: SqlParameters,
    options: ExecuteOptions = {},
  ): Promise<Cursor<R>> {
    const { settings } = this;
    const plan = this.plan(statement, parameters);
    let values: Bound;
    try {
      values = bind(plan, valuesOf(statement, parameters), settings.binding);
    } catch (error) {
      throw await this.faultOf(plan, error, options);
    }
    options.signal?.throwIfAborted();
    if (plan.kind === 'begin' || plan.kind === 'commit' || plan.kind === 'rollback') {
      await this.control(plan, options);
      return new SqliteCursor<R>(nothing, undefined, settings.rowFactory);
    }
    const ran = this.run(plan, values, 'part', options);
    const { result, source } = ran instanceof Promise ? await ran : ran;
    return new SqliteCursor<R>(result, source, settings.rowFactory);
  }

  async executemany(
    statement: string,
    parameters: Iterable<SqlParameters> | AsyncIterable<SqlParameters>,
    options: ExecuteOptions = {},
  ): Promise<number> {
    const { settings } = this;
    const plan = this.plan(statement, undefined);
    if (plan.rows || plan.kind !== 'write') {
      throw new ProgrammingError('executemany runs an INSERT, UPDATE or DELETE without RETURNING', {
        statement,
      });
    }
    return await this.within(async (tx) => {
      let changes = 0;
      let batch: Bound[] = [];
      for await (const values of parameters) {
        options.signal?.throwIfAborted();
        if (batch.push(bind(plan, values, settings.binding)) < BATCH) continue;
        changes += await tx.many(plan, batch);
        batch = [];
        await new Promise((resolve) => setImmediate(resolve));
      }
      return batch.length === 0 ? changes : changes + (await tx.many(plan, batch));
    }, options);
  }

  async executescript(script: string, options: ExecuteOptions = {}): Promise<void> {
    const { settings } = this;
    const plans = statementsOf(script).map((text) => settings.plans.of(text));
    for (const plan of plans) bind(plan, undefined, settings.binding);
    options.signal?.throwIfAborted();
    await this.runScript(plans, options);
  }

  async fetchone<R = Row>(
    statement: Statement,
    parameters?: SqlParameters,
    options: ExecuteOptions = {},
  ): Promise<R | undefined> {
    const asked = this.ask(statement, parameters, options, 'one');
    const { result } = asked instanceof Promise ? await asked : asked;
    const [row] = result.rows;
    return row === undefined ? undefined : (this.settings.rowFactory(result.columns!, row) as R);
  }

  async fetchall<R = Row>(
    statement: Statement,
    parameters?: SqlParameters,
    options: ExecuteOptions = {},
  ): Promise<R[]> {
    const asked = this.ask(statement, parameters, options, 'all');
    const { result } = asked instanceof Promise ? await asked : asked;
    return rowsOf<R>(result, this.settings.rowFactory);
  }

  /** Values that do not fit may be right, and the statement wrong: SQLite knows ("4 values for 2 columns"), when it is asked what it would do. */
  private async faultOf(plan: Plan, error: unknown, options: ExecuteOptions): Promise<unknown> {
    const unfit = error instanceof ProgrammingError && error.code === 'AIO_SQL_PARAMETERS';
    if (!unfit || plan.kind !== 'write') return error;
    try {
      await this.run(planOf(`EXPLAIN ${plan.text}`), [], 'one', options);
    } catch (fault) {
      if (fault instanceof OperationalError && ((fault.sqliteCode ?? 0) & 255) === SQLITE_ERROR) {
        return new OperationalError(fault.message, {
          statement: plan.text,
          sqliteCode: fault.sqliteCode,
          cause: error,
        });
      }
    }
    return error;
  }

  private ask(
    statement: Statement,
    parameters: SqlParameters | undefined,
    options: ExecuteOptions,
    take: Take,
  ): Ran | Promise<Ran> {
    const { settings } = this;
    const plan = this.plan(statement, parameters);
    const values = bind(plan, valuesOf(statement, parameters), settings.binding);
    options.signal?.throwIfAborted();
    if (!plan.rows) {
      throw new ProgrammingError('the statement gives no rows: use execute', { statement: plan.text });
    }
    return this.run(plan, values, take, options);
  }

  private plan(statement: Statement, parameters: SqlParameters | undefined): Plan {
    const { plans } = this.settings;
    if (typeof statement === 'string') return plans.of(statement);
    if (!(statement instanceof SqlQuery)) {
      throw new TypeError(`a statement is a string or sql\`…\`, got ${typeof statement}`);
    }
    const text = statement.render('sqlite');
    if (parameters !== undefined) {
      throw new ProgrammingError('sql`…` has its values inside: give no others', {
        code: 'AIO_SQL_PARAMETERS',
        statement: text,
      });
    }
    return plans.of(text);
  }
}

/** What `executemany` needs of a transaction. */
export interface Batches {
  many(plan: Plan, list: readonly Bound[]): Promise<number>;
}

const nothing: Result = { columns: undefined, rows: [], cursor: 0, changes: -1, lastrowid: undefined };

function valuesOf(statement: Statement, parameters: SqlParameters | undefined): SqlParameters | undefined {
  return statement instanceof SqlQuery ? statement.values : parameters;
}

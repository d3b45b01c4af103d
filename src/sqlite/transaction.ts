import {
  DatabaseError,
  type ExecuteOptions,
  ProgrammingError,
  type SqlTransaction,
  type TransactionOptions,
} from '../sql/index.ts';
import { conduct } from './conduct.ts';
import { type Core, explained } from './core.ts';
import type { CursorSource } from './cursor.ts';
import type { Bound } from './driver.ts';
import { EngineError, type Take } from './engine.ts';
import { type Batches, Executor, type Ran } from './executor.ts';
import { IdleWatch } from './idle-watch.ts';
import type { Link } from './link.ts';
import { type Plan, planOf } from './plan.ts';
import type { Reader } from './readers.ts';
import { Turnstile } from './turnstile.ts';

/** Who ends a transaction: the function given to `transaction`, the holder of a scope, or `COMMIT` after `BEGIN`. */
export type TransactionKind = 'work' | 'scope' | 'manual';

type State = 'idle' | 'beginning' | 'open' | 'ending' | 'committed' | 'rolled back';

const BEGIN = planOf('BEGIN');
const BEGIN_IMMEDIATE = planOf('BEGIN IMMEDIATE');
const COMMIT = planOf('COMMIT');
const ROLLBACK = planOf('ROLLBACK');

/** A transaction, or a savepoint inside of one. */
export class Transaction extends Executor implements SqlTransaction, Batches {
  readonly kind: TransactionKind;
  readonly parent: Transaction | undefined;
  private readonly core: Core;
  private readonly options: TransactionOptions;
  private readonly nestedTurn: Turnstile;
  private readonly cursors: Set<CursorSource>;
  private readonly name: string;
  private state: State;
  private link: Link | undefined;
  private reader: Reader | undefined;
  private begun_: Promise<void> | undefined;
  /** Whether its work is thrown away; known before the database has done it. */
  private dropped: boolean;
  /** Why statements are refused although nobody has ended it: SQLite or a time limit has. */
  private reason: string | undefined;
  private idle: IdleWatch | undefined;
  /** Whether its COMMIT has failed, which its owner was told: ROLLBACK may follow, and what else follows runs without it. */
  refused: boolean;
  private savepoints: number;

  constructor(core: Core, kind: TransactionKind, options: TransactionOptions = {}, parent?: Transaction) {
    super(core.settings);
    this.core = core;
    this.kind = kind;
    this.options = options;
    this.parent = parent;
    this.nestedTurn = new Turnstile(core.waits);
    this.cursors = new Set();
    this.name = parent === undefined ? '' : `aio_${++parent.root.savepoints}`;
    this.state = 'idle';
    this.link = undefined;
    this.reader = undefined;
    this.begun_ = undefined;
    this.dropped = false;
    this.reason = undefined;
    this.idle = undefined;
    this.refused = false;
    this.savepoints = 0;
  }

  get open(): boolean {
    const { state, parent } = this;
    return (
      (state === 'idle' || state === 'beginning' || state === 'open') && (parent === undefined || parent.open)
    );
  }

  /** Whether a statement began it. */
  get begun(): boolean {
    return this.state === 'open' || this.state === 'ending';
  }

  /** Whether its work was thrown away. */
  get failed(): boolean {
    return this.dropped && !this.refused && (this.kind !== 'manual' || this.reason !== undefined);
  }

  /** Whether this transaction is `other`, or inside of it. */
  isWithin(other: Transaction): boolean {
    for (let at: Transaction | undefined = this; at !== undefined; at = at.parent)
      if (at === other) return true;
    return false;
  }

  /** @throws ProgrammingError (`AIO_SQL_TRANSACTION_ENDED`) when it takes no statements any more */
  check(statement?: string): void {
    if (this.open && this.reason === undefined && this.root.reason === undefined) return;
    const why = this.reason ?? this.root.reason;
    throw new ProgrammingError(
      why === undefined
        ? `the transaction has ended (${this.state})`
        : `the transaction was rolled back: ${why}`,
      { code: 'AIO_SQL_TRANSACTION_ENDED', statement },
    );
  }

  /** Waits for the right to write, and begins. */
  async begin({ signal = this.options.signal }: ExecuteOptions = {}): Promise<void> {
    while (this.begun_ !== undefined) {
      const { begun_ } = this;
      if (this.state !== 'beginning') return await begun_;
      const error = await this.core.waits.until<unknown>(
        (resolve) => {
          begun_.then(resolve, resolve);
          return () => {};
        },
        { signal },
      );
      if (this.begun_ === begun_) return await begun_;
      if (error instanceof DatabaseError) throw error;
      // Whoever came first was cancelled, which is no business of the others: the next of them begins.
      this.check();
    }
    this.state = 'beginning';
    this.begun_ = this.start({ ...this.options, signal });
    await this.begun_;
  }

  /** Ends it. Does nothing when it has ended. */
  async finish(commit: boolean): Promise<void> {
    if (!commit && this.open) this.dropped = true;
    while (this.state === 'beginning') await this.begun_!.catch(() => {});
    if (this.state === 'idle') this.state = commit ? 'committed' : 'rolled back';
    if (this.state !== 'open') return;
    for (const cursor of [...this.cursors]) cursor.close();
    let failure: unknown;
    try {
      if (!this.nestedTurn.tryEnter(false)) {
        await this.nestedTurn.enter(false, this.core.limit({}, 'a savepoint to end'));
      }
    } catch (error) {
      failure = error;
    }
    if (this.state !== 'open') return;
    this.state = 'ending';
    this.idle?.stop();
    try {
      if (commit && failure === undefined && this.root.reason === undefined) await this.commitNow();
      else await this.rollbackNow();
    } finally {
      // commitNow has set it, when it succeeded.
      if (this.state === 'ending') {
        this.state = 'rolled back';
        this.dropped = true;
      }
      this.leave();
    }
    if (failure !== undefined) throw failure;
    if (commit && this.root.reason !== undefined) this.refuseCommit();
  }

  /** Rolls it back because nobody is left who would end it. */
  abandon(why: string): void {
    if (!this.open || this.reason !== undefined) return;
    process.emitWarning(
      `a transaction was rolled back because ${why}: every BEGIN needs its COMMIT or ROLLBACK in a finally`,
      { type: 'AbandonedTransactionWarning', code: 'AIO_SQL_ABANDONED' },
    );
    this.reason = why;
    this.finish(false).catch(() => {});
  }

  override async transaction<T>(
    work: (tx: SqlTransaction) => T | PromiseLike<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    // Inside of a savepoint of this transaction, the next one stands inside of that.
    const current = this.core.context.get();
    const outer: Transaction = current?.isWithin(this) && current.open ? current : this;
    outer.check();
    await outer.begin();
    return await conduct(this.core, new Transaction(this.core, 'work', options, outer), work, options, true);
  }

  async many(plan: Plan, list: readonly Bound[]): Promise<number> {
    this.check(plan.text);
    const link = this.link!;
    try {
      return await link.many(plan, list);
    } catch (error) {
      throw this.failure(error, plan);
    }
  }

  protected override run(plan: Plan, values: Bound, take: Take, options: ExecuteOptions): Ran | Promise<Ran> {
    return this.runHere(plan, values, take, options);
  }

  /** As `run`, for the connection, which runs the statements of its callers in their transactions. */
  async runHere(plan: Plan, values: Bound, take: Take, options: ExecuteOptions): Promise<Ran> {
    this.check(plan.text);
    const { root } = this;
    if (root.kind === 'scope' && root.state === 'idle' && plan.kind === 'read' && !plan.onWriter) {
      return await this.core.run(plan, values, take, options);
    }
    // A scope inside of another transaction becomes a savepoint when it writes.
    if (this.state !== 'open' && (plan.kind !== 'read' || root.state !== 'open')) await this.begin(options);
    this.check(plan.text);
    if (plan.kind !== 'read') {
      const others = this.savepointOfOthers(options);
      if (others !== undefined) {
        await others;
        this.check(plan.text);
      }
    }
    root.idle?.refresh();
    const link = root.link!;
    try {
      const asked = link.query(plan, values, take);
      const result = asked instanceof Promise ? await asked : asked;
      if (plan.kind === 'local') this.core.single = true;
      return {
        result,
        source: result.cursor === 0 ? undefined : root.source(link, result.cursor, plan),
      };
    } catch (error) {
      throw this.failure(error, plan);
    }
  }

  /** Waits for a savepoint that another task has opened: it would take what is written meanwhile with it, when it is rolled back. */
  private savepointOfOthers(options: ExecuteOptions): Promise<void> | undefined {
    const current = this.core.context.get();
    const { nestedTurn } = current?.isWithin(this) && current.open ? current : this;
    if (nestedTurn.tryEnter(true)) {
      nestedTurn.leave(true);
      return undefined;
    }
    return nestedTurn
      .enter(true, this.core.limit(options, 'a savepoint of another task to end'))
      .then(() => nestedTurn.leave(true));
  }

  protected override control(plan: Plan): Promise<void> {
    throw new ProgrammingError(
      plan.kind === 'begin'
        ? 'a transaction inside of a transaction is a savepoint: use tx.transaction()'
        : 'this transaction is ended by the function that opened it: return to commit, throw to roll back',
      { statement: plan.text },
    );
  }

  protected override async within<T>(work: (tx: Batches) => Promise<T>, options: ExecuteOptions): Promise<T> {
    this.check();
    await this.begin();
    const inner = new Transaction(this.core, 'work', options, this);
    return await conduct(this.core, inner, work, options, false);
  }

  protected override async runScript(statements: readonly Plan[], options: ExecuteOptions): Promise<void> {
    await this.scriptHere(statements, options);
  }

  /** As `runScript`, for the connection. */
  async scriptHere(statements: readonly Plan[], options: ExecuteOptions): Promise<void> {
    for (const plan of statements) {
      if (plan.kind === 'begin' || plan.kind === 'commit' || plan.kind === 'rollback')
        await this.control(plan);
      await this.runHere(plan, [], 'one', options);
    }
  }

  /** As `within`, for the connection. */
  withinHere<T>(work: (tx: Batches) => Promise<T>, options: ExecuteOptions): Promise<T> {
    return this.within(work, options);
  }

  private get root(): Transaction {
    let root: Transaction = this;
    while (root.parent !== undefined) root = root.parent;
    return root;
  }

  private async start(options: TransactionOptions): Promise<void> {
    try {
      if (this.parent !== undefined) await this.startSavepoint(this.parent, options);
      else if (options.readOnly === true) await this.startReading(options);
      else await this.startWriting(options);
      this.state = 'open';
      if (this.parent === undefined) this.core.transactions.add(this);
      if (this.kind === 'manual') {
        this.idle = new IdleWatch(
          this.core.options.idleTransactionTimeout,
          () => this.link!.pending > 0,
          (why) => this.abandon(why),
        );
      }
    } catch (error) {
      if (this.kind === 'scope') {
        // Its owner goes on, and so may its code: with the next statement it is tried again. Nothing must run outside of it.
        this.state = 'idle';
        this.begun_ = undefined;
      } else this.state = 'rolled back';
      throw error;
    }
  }

  private async startSavepoint(parent: Transaction, options: TransactionOptions): Promise<void> {
    await parent.nestedTurn.enter(false, this.core.limit(options, 'the savepoint before this one'));
    try {
      await parent.begin(options);
      this.link = parent.link!;
      await this.tell(planOf(`SAVEPOINT ${this.name}`));
    } catch (error) {
      parent.nestedTurn.leave(false);
      throw error;
    }
  }

  private async startReading(options: TransactionOptions): Promise<void> {
    if (this.core.single) {
      await this.startWriting(options);
      await this.tell(planOf('PRAGMA query_only = ON'));
      return;
    }
    const acquired = this.core.reader(true, options);
    this.reader = acquired instanceof Promise ? await acquired : acquired;
    this.link = this.reader.link;
    try {
      await this.core.retried(() => this.link!.query(BEGIN, [], 'all'), BEGIN.text, options);
    } catch (error) {
      this.core.release(this.reader);
      throw error;
    }
  }

  private async startWriting(options: TransactionOptions): Promise<void> {
    const { core } = this;
    if (!core.turnstile.tryEnter(false)) {
      await core.turnstile.enter(false, core.limit(options, 'the right to write'));
    }
    try {
      core.check();
      const opened = core.writer();
      const link = opened instanceof Promise ? await opened : opened;
      const plan = core.options.engine.readOnly ? BEGIN : BEGIN_IMMEDIATE;
      await core.retried(() => link.query(plan, [], 'all'), plan.text, options);
      this.link = link;
    } catch (error) {
      core.turnstile.leave(false);
      throw error;
    }
  }

  private async commitNow(): Promise<void> {
    if (this.parent !== undefined) await this.tell(planOf(`RELEASE ${this.name}`));
    else {
      try {
        await this.core.retried(() => this.link!.query(COMMIT, [], 'all'), COMMIT.text, {});
      } catch (error) {
        // A constraint that is checked at the end, a full disk: the transaction is still there.
        await this.rollbackNow();
        throw error;
      }
    }
    this.state = 'committed';
  }

  private async rollbackNow(): Promise<void> {
    if (this.parent !== undefined) {
      if (this.root.reason !== undefined) return;
      await this.tell(planOf(`ROLLBACK TO ${this.name}`));
      await this.tell(planOf(`RELEASE ${this.name}`));
    } else if (!this.link!.lost && (await this.link!.inTransaction())) await this.tell(ROLLBACK);
  }

  private refuseCommit(): never {
    throw new ProgrammingError(
      `nothing was committed: the transaction was rolled back: ${this.root.reason}`,
      {
        code: 'AIO_SQL_TRANSACTION_ENDED',
      },
    );
  }

  private async tell(plan: Plan): Promise<void> {
    try {
      await this.link!.query(plan, [], 'all');
    } catch (error) {
      throw explained(error, plan.text);
    }
  }

  private leave(): void {
    const { core, parent } = this;
    if (parent !== undefined) {
      parent.nestedTurn.leave(false);
      return;
    }
    core.transactions.delete(this);
    if (this.reader !== undefined) core.release(this.reader);
    else if (this.options.readOnly === true) {
      const done = (): void => core.turnstile.leave(false);
      this.tell(planOf('PRAGMA query_only = OFF')).then(done, done);
    } else core.turnstile.leave(false);
  }

  /** An error inside may have ended the transaction: SQLite rolls back by itself when a disk is full, and on `OR ROLLBACK`. */
  private failure(error: unknown, plan: Plan): unknown {
    const { root } = this;
    if (root.link!.lost) root.reason ??= 'its connection was lost';
    else if (error instanceof EngineError && error.failure.lost)
      root.reason ??= `SQLite ended it: ${error.failure.message}`;
    return explained(error, plan.text);
  }

  private source(link: Link, cursor: number, plan: Plan): CursorSource {
    const source: CursorSource = {
      fetch: async (count) => {
        this.check(plan.text);
        if (!this.cursors.has(source)) this.refuseCursor(plan);
        this.idle?.refresh();
        try {
          return await link.fetch(cursor, count);
        } catch (error) {
          throw this.failure(error, plan);
        }
      },
      close: () => {
        if (this.cursors.delete(source)) link.closeCursor(cursor);
      },
    };
    this.cursors.add(source);
    return source;
  }

  private refuseCursor(plan: Plan): never {
    throw new ProgrammingError('the cursor was closed', {
      code: 'AIO_SQL_CURSOR_CLOSED',
      statement: plan.text,
    });
  }
}

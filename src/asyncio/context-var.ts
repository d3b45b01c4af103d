import {
  currentScope,
  enter,
  moduleVariables,
  Scope,
  type Variables,
  type VariablesHolder,
} from './context.ts';
import { InvalidStateError, LookupError } from './errors.ts';

let inUse = false;

/**
 * Whether the program has made a context variable: then whoever serves many clients at once should give each of them a context of its
 * own (`copyContext().run(…)`), and need not otherwise.
 */
export function contextVarsInUse(): boolean {
  return inUse;
}

function currentHolder(): VariablesHolder {
  return currentScope()?.holder ?? moduleVariables;
}

/**
 * Whether the calling code runs in a task or a `Context`. Outside of both, context variables belong to the whole module, and so to
 * everybody else who runs outside of both.
 *
 * @example
 * ```ts
 * import { Context, inContext } from 'aiohttp-ts/asyncio';
 * console.log(inContext(), new Context().run(inContext)); // false true
 * ```
 */
export function inContext(): boolean {
  return currentScope() !== undefined;
}

/** What `ContextVar.set` returns: the key to set the variable back. Source: `contextvars.Token`. */
export class Token<T> {
  /** The variable that was set. */
  readonly variable: ContextVar<T>;
  /** @internal */
  readonly holder: VariablesHolder;
  /** @internal */
  readonly had: boolean;
  /** The value before; undefined when there was none. */
  readonly oldValue: T | undefined;
  /** @internal */
  used: boolean;

  /** @internal */
  constructor(variable: ContextVar<T>, holder: VariablesHolder) {
    this.variable = variable;
    this.holder = holder;
    this.had = holder.variables?.has(variable) ?? false;
    this.oldValue = holder.variables?.get(variable) as T | undefined;
    this.used = false;
  }

  /** Sets the variable back, so that a token can be used in `using`. Does nothing the second time. */
  [Symbol.dispose](): void {
    if (!this.used) this.variable.reset(this);
  }
}

/** Options of {@link ContextVar}. */
export interface ContextVarOptions<T> {
  /** The value where none was set. */
  default?: T;
}

/**
 * A variable with a value per task: a task begins with a copy of the values of the one that made it, and what it sets is its
 * own.
 *
 * Outside of every task and `Context` the value belongs to the whole module, as in Python's main thread.
 *
 * Source: `contextvars.ContextVar`.
 *
 * @example
 * ```ts
 * import { ContextVar, createTask } from 'aiohttp-ts/asyncio';
 * const user = new ContextVar('user', { default: 'nobody' });
 * const task = createTask(async () => {
 *   user.set('ada');
 *   return user.get();
 * });
 * console.log(await task, user.get()); // ada nobody
 * ```
 */
export class ContextVar<T> {
  /** For error messages. */
  readonly name: string;
  private readonly options: ContextVarOptions<T>;

  constructor(name: string, options: ContextVarOptions<T> = {}) {
    this.name = name;
    this.options = options;
    inUse = true;
  }

  /**
   * The value here; else `fallback`, when one is given; else the variable's default.
   *
   * @throws LookupError when there is none of the three
   */
  get(...fallback: [] | [T]): T {
    const { variables } = currentHolder();
    if (variables?.has(this)) return variables.get(this) as T;
    if (fallback.length === 1) return fallback[0];
    if ('default' in this.options) return this.options.default as T;
    throw new LookupError(`The context variable '${this.name}' has no value here and no default.`);
  }

  /** Sets the value for this task. The token sets it back. */
  set(value: T): Token<T> {
    const holder = currentHolder();
    const token = new Token<T>(this, holder);
    holder.variables = new Map(holder.variables).set(this, value);
    return token;
  }

  /**
   * Sets the value back to what it was before the `set` that returned the token.
   *
   * @throws InvalidStateError when the token was used already, or belongs to another variable or task
   */
  reset(token: Token<T>): void {
    if (token.used) throw new InvalidStateError(`The token of '${this.name}' has been used already.`);
    if (token.variable !== this) {
      throw new InvalidStateError(`The token belongs to '${token.variable.name}', not to '${this.name}'.`);
    }
    const holder = currentHolder();
    if (token.holder !== holder) {
      throw new InvalidStateError(`The token of '${this.name}' was made in another task or context.`);
    }
    token.used = true;
    const variables = new Map(holder.variables);
    if (token.had) variables.set(this, token.oldValue);
    else variables.delete(this);
    holder.variables = variables;
  }
}

/**
 * A set of values of context variables. Made by `copyContext()`; given to `createTask(fn, { context })` or entered by `run`.
 *
 * Source: `contextvars.Context`.
 */
export class Context {
  /** @internal */
  variables: Variables | undefined;

  /** An empty context: every variable has its default. */
  constructor() {
    this.variables = undefined;
  }

  /** Runs a function in this context, and what it awaits too. What it sets stays in this context. */
  run<R>(fn: () => R): R {
    const outer = currentScope();
    return enter(new Scope(outer?.task, outer, this), fn, undefined);
  }

  /** The value of a variable in this context; undefined when it has none (defaults are not looked at). */
  get<T>(variable: ContextVar<T>): T | undefined {
    return this.variables?.get(variable) as T | undefined;
  }

  /** Whether a variable has a value in this context. */
  has(variable: ContextVar<never>): boolean {
    return this.variables?.has(variable) ?? false;
  }

  /** How many variables have a value. */
  get size(): number {
    return this.variables?.size ?? 0;
  }

  /** A copy with the same values. */
  copy(): Context {
    const copy = new Context();
    copy.variables = this.variables;
    return copy;
  }
}

/**
 * A copy of the values that the calling code sees.
 *
 * Source: `contextvars.copy_context`.
 *
 * @example
 * ```ts
 * import { ContextVar, copyContext } from 'aiohttp-ts/asyncio';
 * const depth = new ContextVar('depth', { default: 0 });
 * const context = copyContext();
 * context.run(() => depth.set(7));
 * console.log(context.get(depth), depth.get()); // 7 0
 * ```
 */
export function copyContext(): Context {
  const copy = new Context();
  copy.variables = currentHolder().variables;
  return copy;
}

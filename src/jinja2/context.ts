import type { Environment } from './environment.ts';
import { TemplateRuntimeError } from './errors.ts';
import type { Limits } from './limits.ts';
import { Markup } from './markup.ts';
import { TemplateObject } from './objects.ts';
import { joinPieces, joinPiecesAsync } from './pieces.ts';
import { isThenable } from './values.ts';

/** A compiled block or root: gives its text, a promise of it, or its pieces. */
export type RenderFunction = (context: Context) => unknown;

/** What filters, tests and functions that ask for it are told about the place that calls them. */
export class EvalContext {
  readonly environment: Environment;
  readonly context: Context;
  /** Whether the place escapes. */
  readonly autoescape: boolean;

  constructor(context: Context, autoescape: boolean) {
    this.environment = context.environment;
    this.context = context;
    this.autoescape = autoescape;
  }

  /** True while promises are awaited. */
  get isAsync(): boolean {
    return this.context.isAsync;
  }
}

type Values = Readonly<Record<string, unknown>>;

/** The variables of one render of one template, and its blocks. */
export class Context {
  readonly environment: Environment;
  /** Name of the template. */
  readonly name: string | undefined;
  readonly isAsync: boolean;
  /** Counters, shared by everything that one render touches. */
  readonly limits: Limits;
  /** How many templates this one extends, one through the other. */
  ancestors: number = 0;
  /** Functions for each block, the most derived template's first. */
  readonly blocks: Record<string, RenderFunction[]>;
  /** What the template's own top level has assigned. */
  readonly assigned: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  /** Names in `assigned` that importers see. */
  readonly exported: Set<string> = new Set();
  /** Where names are looked for, nearest first. */
  readonly #layers: readonly Values[];
  #escaped: EvalContext | undefined;
  #plain: EvalContext | undefined;

  constructor(
    environment: Environment,
    name: string | undefined,
    layers: readonly Values[],
    blocks: Record<string, RenderFunction[]>,
    isAsync: boolean,
    limits: Limits,
  ) {
    this.environment = environment;
    this.name = name;
    this.#layers = layers;
    this.blocks = blocks;
    this.isAsync = isAsync;
    this.limits = limits;
  }

  /** The value of a name, or undefined. */
  lookup(name: string): unknown {
    const assigned = this.assigned[name];
    if (assigned !== undefined) return assigned;
    for (const layer of this.#layers) {
      if (Object.hasOwn(layer, name)) {
        const value = layer[name];
        if (value !== undefined) return value;
      }
    }
    return undefined;
  }

  /** The value of a name, or the environment's undefined value (Jinja2: `resolve`). */
  resolve(name: string): unknown {
    return (
      this.lookup(name) ?? (this.lookup(name) === null ? null : this.environment.undefinedVariable(name))
    );
  }

  /** Every name with its value. */
  getAll(): Record<string, unknown> {
    const all = Object.create(null) as Record<string, unknown>;
    for (const layer of this.layers().reverse()) {
      for (const name of Object.keys(layer)) if (layer[name] !== undefined) all[name] = layer[name];
    }
    return all;
  }

  /** The places where names are looked for, this template's assignments first. */
  layers(): Values[] {
    return [this.assigned, ...this.#layers];
  }

  /** An assignment at the top level. */
  set(name: string, value: unknown): void {
    this.assigned[name] = value;
    if (!name.startsWith('_')) this.exported.add(name);
  }

  /** An assignment that importers don't see: what was imported itself. */
  setPrivate(name: string, value: unknown): void {
    this.assigned[name] = value;
    this.exported.delete(name);
  }

  /** What importers see. */
  getExported(): Record<string, unknown> {
    const out = Object.create(null) as Record<string, unknown>;
    for (const name of this.exported) out[name] = this.assigned[name];
    return out;
  }

  /** The same context with more names in front. */
  derived(locals: Values): Context {
    return new Context(
      this.environment,
      this.name,
      [locals, ...this.layers()],
      this.blocks,
      this.isAsync,
      this.limits,
    );
  }

  evaluation(autoescape: boolean): EvalContext {
    if (autoescape) return (this.#escaped ??= new EvalContext(this, true));
    return (this.#plain ??= new EvalContext(this, false));
  }

  /** The function of the block that a render shows. */
  block(name: string, isRequired: boolean): RenderFunction {
    const stack = this.blocks[name] as RenderFunction[];
    if (isRequired && stack.length <= 1) throw new TemplateRuntimeError(`Required block '${name}' not found`);
    return stack[0] as RenderFunction;
  }

  /** The block of the same name one template further up. */
  super(name: string, current: RenderFunction, evaluation: EvalContext): unknown {
    const stack = this.blocks[name] ?? [];
    const at = stack.indexOf(current) + 1;
    if (at >= stack.length) {
      return this.environment.undefinedHint(`there is no parent block called '${name}'.`, 'super');
    }
    return new BlockReference(name, this, stack, at, evaluation);
  }
}

/** A block that can be called: `super()` and `self.title()`. */
export class BlockReference extends TemplateObject {
  readonly #name: string;
  readonly #context: Context;
  readonly #stack: readonly RenderFunction[];
  readonly #depth: number;
  readonly #evaluation: EvalContext;

  constructor(
    name: string,
    context: Context,
    stack: readonly RenderFunction[],
    depth: number,
    evaluation: EvalContext,
  ) {
    super();
    this.#name = name;
    this.#context = context;
    this.#stack = stack;
    this.#depth = depth;
    this.#evaluation = evaluation;
  }

  override get callable(): boolean {
    return true;
  }

  override member(name: string): unknown {
    if (name !== 'super') return undefined;
    if (this.#depth + 1 >= this.#stack.length) {
      return this.#context.environment.undefinedHint(
        `there is no parent block called '${this.#name}'.`,
        'super',
      );
    }
    return new BlockReference(this.#name, this.#context, this.#stack, this.#depth + 1, this.#evaluation);
  }

  override invoke(): unknown {
    const { limits } = this.#context;
    const block = this.#stack[this.#depth] as RenderFunction;
    let output: unknown;
    limits.enter();
    try {
      output = block(this.#context);
      if (typeof output === 'object' && !isThenable(output) && !this.#context.isAsync)
        output = joinPieces(output as Iterable<string>);
    } finally {
      limits.leave();
    }
    const finish = (text: string): unknown => (this.#evaluation.autoescape ? new Markup(text) : text);
    if (typeof output === 'string') return finish(output);
    const text = isThenable(output)
      ? (output as PromiseLike<string>)
      : joinPiecesAsync(output as AsyncIterable<string>);
    return limits.during(text).then(finish);
  }
}

/** `self`: the blocks of the template that is rendered. */
export class TemplateReference extends TemplateObject {
  readonly #evaluation: EvalContext;

  constructor(evaluation: EvalContext) {
    super();
    this.#evaluation = evaluation;
  }

  override member(name: string): unknown {
    const { context } = this.#evaluation;
    const stack = context.blocks[name];
    return stack === undefined ? undefined : new BlockReference(name, context, stack, 0, this.#evaluation);
  }

  override toString(): string {
    const { name } = this.#evaluation.context;
    return `<TemplateReference ${name === undefined ? 'None' : `'${name}'`}>`;
  }
}

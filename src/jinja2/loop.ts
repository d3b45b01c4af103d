import { equal } from './comparing.ts';
import type { Context } from './context.ts';
import type { Environment } from './environment.ts';
import { TemplateTypeError } from './errors.ts';
import type { Limits } from './limits.ts';
import { Markup } from './markup.ts';
import { TemplateObject } from './objects.ts';
import { iterable } from './sequences.ts';
import { isThenable } from './values.ts';

/** Runs the body of a recursive loop over other items. */
export type Recurse = (source: unknown, depth: number) => unknown;

/** Members that a template sees under the same name. */
const MEMBERS: ReadonlySet<string> = new Set([
  'index',
  'index0',
  'revindex',
  'revindex0',
  'first',
  'last',
  'length',
  'depth',
  'depth0',
  'previtem',
  'nextitem',
]);

/** The variable `loop`. Items are read one ahead when `last` or `nextitem` is asked for, all of them for `length`. */
export class LoopContext extends TemplateObject {
  current: unknown = undefined;
  index0: number = -1;
  readonly depth0: number;
  protected readonly items: unknown[];
  protected readonly environment: Environment;
  protected isComplete: boolean;
  /** Set by the asynchronous kind while the constructor runs, which is why it is declared here. */
  protected asyncSource: AsyncIterator<unknown> | undefined = undefined;
  #iterator: Iterator<unknown> | undefined;
  readonly #recurse: Recurse | undefined;
  readonly #autoescape: boolean;
  readonly #limits: Limits;
  #changed: readonly unknown[] | undefined;

  constructor(
    context: Context,
    source: unknown,
    depth0: number,
    recurse: Recurse | undefined,
    autoescape: boolean,
  ) {
    super();
    this.environment = context.environment;
    this.#limits = context.limits;
    this.depth0 = depth0;
    this.#recurse = recurse;
    this.#autoescape = autoescape;
    this.isComplete = Array.isArray(source);
    if (this.isComplete) this.items = source as unknown[];
    else {
      this.items = [];
      this.start(source);
    }
  }

  protected start(source: unknown): void {
    this.#iterator = iterable(source)[Symbol.iterator]();
  }

  /** Goes to the next item; false at the end. */
  advance(): boolean | Promise<boolean> {
    if (!this.#reaches(this.index0 + 1)) return false;
    this.current = this.items[++this.index0];
    return true;
  }

  /** True when there is an item at the index. */
  #reaches(index: number): boolean {
    while (!this.isComplete && this.items.length <= index) {
      const step = (this.#iterator as Iterator<unknown>).next();
      if (step.done === true) this.isComplete = true;
      else this.items.push(step.value);
    }
    return index < this.items.length;
  }

  get index(): number {
    return this.index0 + 1;
  }

  get first(): boolean {
    return this.index0 === 0;
  }

  get last(): unknown {
    return !this.#reaches(this.index0 + 1);
  }

  get length(): unknown {
    this.#reaches(Number.POSITIVE_INFINITY);
    return this.items.length;
  }

  get revindex(): unknown {
    return (this.length as number) - this.index0;
  }

  get revindex0(): unknown {
    return (this.length as number) - this.index;
  }

  get depth(): number {
    return this.depth0 + 1;
  }

  get previtem(): unknown {
    return this.index0 === 0
      ? this.environment.undefinedHint('there is no previous item')
      : this.items[this.index0 - 1];
  }

  get nextitem(): unknown {
    return this.#reaches(this.index0 + 1)
      ? this.items[this.index0 + 1]
      : this.environment.undefinedHint('there is no next item');
  }

  override get callable(): boolean {
    return true;
  }

  override member(name: string): unknown {
    if (MEMBERS.has(name)) return (this as unknown as Record<string, unknown>)[name];
    if (name === 'cycle' || name === 'changed') return new LoopMethod(this, name);
    return undefined;
  }

  /** `loop.cycle('odd', 'even')`. */
  cycle(values: readonly unknown[]): unknown {
    if (values.length === 0) throw new TemplateTypeError('no items for cycling given');
    return values[this.index0 % values.length];
  }

  /** `loop.changed(value)`: true when the values differ from those of the last call. */
  changed(values: readonly unknown[]): boolean {
    const before = this.#changed;
    if (
      before !== undefined &&
      before.length === values.length &&
      before.every((value, i) => equal(value, values[i]))
    )
      return false;
    this.#changed = [...values];
    return true;
  }

  override invoke(args: readonly unknown[]): unknown {
    if (this.#recurse === undefined) {
      throw new TemplateTypeError("The loop must have the 'recursive' marker to be called recursively.");
    }
    this.#limits.enter();
    let output: unknown;
    try {
      output = this.#recurse(args[0], this.depth);
    } finally {
      this.#limits.leave();
    }
    const finish = (text: unknown): unknown => (this.#autoescape ? new Markup(text as string) : text);
    return isThenable(output) ? this.#limits.during(output).then(finish) : finish(output);
  }

  override toString(): string {
    return `<LoopContext ${this.index}/${String(this.length)}>`;
  }
}

class LoopMethod extends TemplateObject {
  readonly #loop: LoopContext;
  readonly #name: 'cycle' | 'changed';

  constructor(loop: LoopContext, name: 'cycle' | 'changed') {
    super();
    this.#loop = loop;
    this.#name = name;
  }

  override get callable(): boolean {
    return true;
  }

  override invoke(args: readonly unknown[]): unknown {
    return this.#loop[this.#name](args);
  }
}

/** True for what only `for await` can read. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === 'function'
  );
}

/** A loop whose items may come later. One item is read ahead, so that `last` is known; `length` reads them all. */
export class AsyncLoopContext extends LoopContext {
  protected override start(source: unknown): void {
    if (isAsyncIterable(source)) this.asyncSource = source[Symbol.asyncIterator]();
    else super.start(source);
  }

  override advance(): boolean | Promise<boolean> {
    if (this.asyncSource === undefined) return super.advance();
    return this.#read(this.index0 + 3).then(() => super.advance());
  }

  async #read(count: number): Promise<void> {
    while (!this.isComplete && this.items.length < count) {
      const step = await (this.asyncSource as AsyncIterator<unknown>).next();
      if (step.done === true) this.isComplete = true;
      else this.items.push(step.value);
    }
  }

  override get length(): unknown {
    if (this.asyncSource === undefined || this.isComplete) return super.length;
    return this.#read(Number.POSITIVE_INFINITY).then(() => this.items.length);
  }

  override get revindex(): unknown {
    const { length } = this;
    return isThenable(length)
      ? length.then((n) => (n as number) - this.index0)
      : (length as number) - this.index0;
  }

  override get revindex0(): unknown {
    const { length } = this;
    return isThenable(length)
      ? length.then((n) => (n as number) - this.index)
      : (length as number) - this.index;
  }
}

/** Goes through the items of an asynchronous render's loop that doesn't use `loop`. */
export class Cursor {
  current: unknown = undefined;
  #index = 0;
  readonly #items: readonly unknown[] | undefined;
  readonly #iterator: Iterator<unknown> | undefined;
  readonly #source: AsyncIterator<unknown> | undefined;

  constructor(source: unknown) {
    if (Array.isArray(source)) this.#items = source;
    else if (isAsyncIterable(source)) this.#source = source[Symbol.asyncIterator]();
    else this.#iterator = iterable(source)[Symbol.iterator]();
  }

  advance(): boolean | Promise<boolean> {
    if (this.#items !== undefined) {
      if (this.#index >= this.#items.length) return false;
      this.current = this.#items[this.#index++];
      return true;
    }
    if (this.#source !== undefined) return this.#source.next().then((step) => this.#take(step));
    return this.#take((this.#iterator as Iterator<unknown>).next());
  }

  #take(step: IteratorResult<unknown>): boolean {
    this.current = step.value;
    return step.done !== true;
  }

  /** Lets the source know that no more is read. */
  close(): unknown {
    if (this.#source !== undefined) return this.#source.return?.();
    this.#iterator?.return?.();
    return undefined;
  }
}

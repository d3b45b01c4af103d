import type { EvalContext } from './context.ts';
import { TemplateTypeError } from './errors.ts';

/** Keyword arguments of a call in a template. */
export type Keywords = Readonly<Record<string, unknown>>;

/**
 * Base of the engine's own values that a template can hold: macros, loops, modules, bound methods.
 * A template sees of them what `member` gives out and can call those that override `invoke`, nothing else.
 */
export abstract class TemplateObject {
  /** The attribute that a template sees under a name, or undefined. */
  member(_name: string): unknown {
    return undefined;
  }

  /** Calls the value from a template. */
  invoke(_args: readonly unknown[], _keywords: Keywords | undefined, _context: EvalContext): unknown {
    throw new TemplateTypeError(`'${this.constructor.name}' object is not callable`);
  }

  /** True when `invoke` may be called. */
  get callable(): boolean {
    return false;
  }
}

/** What a native function of the engine looks like: arguments as the template gave them, keywords apart. */
export type NativeCall = (
  args: readonly unknown[],
  keywords: Keywords | undefined,
  context: EvalContext,
) => unknown;

/** A function of the engine, or a method bound to its value. */
export class NativeFunction extends TemplateObject {
  readonly name: string;
  readonly #call: NativeCall;

  constructor(name: string, call: NativeCall) {
    super();
    this.name = name;
    this.#call = call;
  }

  override get callable(): boolean {
    return true;
  }

  override invoke(args: readonly unknown[], keywords: Keywords | undefined, context: EvalContext): unknown {
    return this.#call(args, keywords, context);
  }

  override toString(): string {
    return `<built-in function ${this.name}>`;
  }
}

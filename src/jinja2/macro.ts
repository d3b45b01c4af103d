import type { Context, EvalContext } from './context.ts';
import { TemplateTypeError } from './errors.ts';
import { Markup } from './markup.ts';
import { type Keywords, TemplateObject } from './objects.ts';
import { Dict, isThenable, Tuple } from './values.ts';

/** The compiled body of a macro: its parameters, then `caller`, `kwargs` and `varargs` where it uses them. */
export type MacroFunction = (...values: unknown[]) => string | PromiseLike<string>;

/** A macro of a template. */
export class Macro extends TemplateObject {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly #special: readonly string[];
  readonly #run: MacroFunction;
  readonly #context: Context;
  readonly #autoescape: boolean;

  constructor(
    context: Context,
    name: string,
    parameters: readonly string[],
    special: readonly string[],
    run: MacroFunction,
    autoescape: boolean,
  ) {
    super();
    this.#context = context;
    this.name = name;
    this.parameters = parameters;
    this.#special = special;
    this.#run = run;
    this.#autoescape = autoescape;
  }

  override get callable(): boolean {
    return true;
  }

  override member(name: string): unknown {
    switch (name) {
      case 'name':
        return this.name === '' ? null : this.name;
      case 'arguments':
        return Tuple.make(this.parameters);
      case 'catch_kwargs':
        return this.#special.includes('kwargs');
      case 'catch_varargs':
        return this.#special.includes('varargs');
      case 'caller':
        return this.#special.includes('caller');
      default:
        return undefined;
    }
  }

  override invoke(
    args: readonly unknown[],
    keywords: Keywords | undefined,
    context: EvalContext | undefined,
  ): unknown {
    const { parameters } = this;
    const simple = keywords === undefined && this.#special.length === 0 && args.length <= parameters.length;
    const values = simple ? args : this.#place(args, keywords);
    const { limits } = this.#context;
    let output: string | PromiseLike<string>;
    limits.enter();
    try {
      output = this.#run(...values);
    } finally {
      limits.leave();
    }
    const isHtml = context?.context === undefined ? this.#autoescape : context.autoescape;
    if (typeof output !== 'string') {
      return isThenable(output)
        ? limits.during(output).then((text) => (isHtml ? new Markup(text as string) : text))
        : output;
    }
    return isHtml ? new Markup(output) : output;
  }

  /** The name in messages; the body of a call block has none. */
  get #label(): string {
    return this.name === '' ? 'None' : `'${this.name}'`;
  }

  #place(args: readonly unknown[], keywords: Keywords | undefined): unknown[] {
    const { parameters } = this;
    const values: unknown[] = parameters.map((_, i) => args[i]);
    const rest = new Map(Object.entries(keywords ?? {}));
    for (const [i, parameter] of parameters.entries()) {
      if (!rest.has(parameter)) continue;
      if (i < args.length) {
        throw new TemplateTypeError(`macro ${this.#label} got multiple values for argument '${parameter}'`);
      }
      values[i] = rest.get(parameter);
      rest.delete(parameter);
    }
    const takes = (name: string): boolean => this.#special.includes(name);
    if (takes('caller')) {
      values.push(
        rest.get('caller') ?? this.#context.environment.undefinedHint('No caller defined', 'caller'),
      );
      rest.delete('caller');
    }
    if (takes('kwargs')) values.push(new Dict(rest));
    else if (rest.size > 0) {
      if (rest.has('caller')) {
        throw new TemplateTypeError(
          `macro ${this.#label} was invoked with two values for the special caller argument. This is most likely a bug.`,
        );
      }
      throw new TemplateTypeError(
        `macro ${this.#label} takes no keyword argument '${rest.keys().next().value}'`,
      );
    }
    if (takes('varargs')) values.push(Tuple.make(args.slice(parameters.length)));
    else if (args.length > parameters.length) {
      throw new TemplateTypeError(
        `macro ${this.#label} takes not more than ${parameters.length} argument(s)`,
      );
    }
    return values;
  }

  override toString(): string {
    return `<Macro ${this.name === '' ? 'anonymous' : `'${this.name}'`}>`;
  }
}

import { type Code, literal } from './code.ts';
import { TemplateAssertionError, TemplateSyntaxError } from './errors.ts';
import { ExpressionGenerator, type Frame, type Target as GeneratorTarget } from './generate-expressions.ts';
import type { Body, Expression, ExpressionOf, Position, StatementOf, Target } from './nodes.ts';
import { bindingsOf, type FunctionScope, Scope } from './scope.ts';

/** How a template is compiled. `stream` gives generators that hand out pieces, the others functions that return the text. */
export interface Mode {
  readonly isAsync: boolean;
  readonly isStream: boolean;
}

/** What the generator needs to know besides the tree. */
export interface GenerateOptions extends Omit<GeneratorTarget, 'isAsync'> {
  readonly mode: Mode;
  /** Whether values are escaped from the start. */
  readonly autoescape: boolean;
  /** Loops and output are counted for a sandbox. */
  readonly limited: boolean;
}

/** A frame for statements. */
export interface StatementFrame extends Frame {
  /** Variable that collects the output. */
  readonly out: string;
  /** Statements of the template itself: what they assign is seen by blocks, includes and importers. */
  readonly toplevel: boolean;
  /** Directly in the template, not in an `if`. */
  readonly root: boolean;
  /** Output is dropped when the template extends another. */
  readonly checksOutput: boolean;
  readonly inLoop: boolean;
  /** Pieces may be handed out from here. */
  readonly canYield: boolean;
}

/** Pieces of this size are handed out by a stream. */
export const PIECE = 8192;

/** What every part of the generator needs: where names live, where output goes, how values are printed and assigned. */
export abstract class FrameGenerator {
  protected readonly options: GenerateOptions;
  protected readonly expressions: ExpressionGenerator;
  protected readonly counter: { next: number; readonly names: Set<string> } = { next: 0, names: new Set() };
  protected readonly blocks: Map<string, StatementOf<'block'>> = new Map();
  protected hasExtends: boolean = false;
  protected extendsKnown: boolean = false;
  protected extendsSeen: number = 0;
  protected extendsAt: Position | undefined;

  constructor(options: GenerateOptions) {
    this.options = options;
    this.expressions = new ExpressionGenerator({ ...options, isAsync: options.mode.isAsync });
  }

  /** Turns the statements of a body into code. */
  protected abstract body(code: Code, body: Body, frame: StatementFrame): void;

  protected fail(message: string, at: Position, assertion: boolean = false): never {
    const kind = assertion ? TemplateAssertionError : TemplateSyntaxError;
    throw new kind(message, at.line, at.column, this.options.name, this.options.filename);
  }

  protected keyword(generator: boolean): string {
    return `${this.options.mode.isAsync ? 'async ' : ''}function${generator ? '*' : ''}`;
  }

  /** Declarations at the head of a function, known only once its body is done. */
  protected head(code: Code, home: FunctionScope, first: string): void {
    code.add(first);
    if (home.usesEscaped) code.add('const ec1 = ctx.evaluation(true);');
    if (home.usesPlain) code.add('const ec0 = ctx.evaluation(false);');
    for (const [name, variable] of home.fromContext)
      code.add(`const ${variable} = ctx.lookup(${literal(name)});`);
    if (home.temporaries.length > 0) code.add(`let ${home.temporaries.join(', ')};`);
  }

  protected await(code: string): string {
    return this.options.mode.isAsync ? `(await ${code})` : code;
  }

  /** Declares what the statements of a scope assign. */
  protected bind(code: Code, body: Body, scope: Scope, given: readonly string[] = []): void {
    for (const [name, { startsFromOutside }] of bindingsOf(body, given)) {
      const outer = scope.parent?.find(name);
      const initial = outer ?? (startsFromOutside ? scope.home.context(name) : 'undefined');
      code.add(`let ${scope.declare(name)} = ${initial};`);
    }
  }

  protected inner(frame: StatementFrame, changes: Partial<StatementFrame> = {}): StatementFrame {
    return { ...frame, scope: new Scope(frame.scope), toplevel: false, root: false, ...changes };
  }

  protected scope(code: Code, body: Body, inner: StatementFrame): void {
    code.add('{');
    this.bind(code, body, inner.scope);
    this.body(code, body, inner);
    code.add('}');
  }

  protected printedValue(code: string, frame: StatementFrame): string {
    const value = this.options.finalizes ? `rt.finalized(${this.expressions.context(frame)}, ${code})` : code;
    if (frame.escaping === 'true') return `esc(${value})`;
    return frame.escaping === 'false' ? `str(${value})` : `rt.printed(${value}, ${frame.escaping})`;
  }

  /** Runs `emit` with the code of what a body prints, marked as HTML when the place escapes. */
  protected captured(code: Code, body: Body, frame: StatementFrame, emit: (text: string) => void): void {
    const text = this.capture(code, body, this.inner(frame, { checksOutput: false, canYield: false }));
    emit(`mark(${text}, ${frame.escaping})`);
  }

  /** Collects what a body prints in a variable. */
  protected capture(code: Code, body: Body, inner: StatementFrame): string {
    const out = `o${this.counter.next++}`;
    code.add(`let ${out} = "";`);
    this.scope(code, body, { ...inner, out });
    return out;
  }

  /** A chain of filters whose innermost input is `text`. */
  protected filtered(filter: Expression, text: string, frame: StatementFrame): string {
    const node = filter as ExpressionOf<'filter'>;
    return this.expressions.filter(
      node,
      node.input === undefined ? text : this.filtered(node.input, text, frame),
      frame,
    );
  }

  protected assign(code: Code, target: Target, value: string, frame: StatementFrame, at: Position): void {
    if (target.type === 'name') {
      const variable = frame.scope.find(target.name) as string;
      code.add(`${variable} = ${value};`, at);
      if (frame.toplevel) code.add(`ctx.set(${literal(target.name)}, ${variable});`);
    } else if (target.type === 'namespace') {
      const object = this.expressions.raw(target.name, frame);
      code.add(`rt.setAttribute(${object}, ${literal(target.attribute)}, ${value});`, at);
    } else {
      const t = frame.scope.home.temporary();
      code.add(`${t} = unpack(${value}, ${target.items.length});`, at);
      for (const [i, item] of target.items.entries()) this.assign(code, item, `${t}[${i}]`, frame, at);
    }
  }

  /** `{ name: variable }` of everything that is assigned here and further out. */
  protected locals(frame: StatementFrame): string {
    const items = [...frame.scope.visible()].map(([name, variable]) => `[${literal(name)}]: ${variable}`);
    return `{ __proto__: null, ${items.join(', ')} }`;
  }

  /** The variant of other templates that this one works with. */
  protected variant(): string {
    const { isAsync, isStream } = this.options.mode;
    return literal(`${isAsync ? 'async' : 'sync'}${isStream ? 'Stream' : ''}`);
  }
}

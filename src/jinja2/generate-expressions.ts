import { literal } from './code.ts';
import { isConstant } from './constants.ts';
import { TemplateAssertionError } from './errors.ts';
import { collectionMethodNames } from './methods/collections.ts';
import type { Arguments, BinaryOperator, ComparisonOperator, Expression, ExpressionOf } from './nodes.ts';
import type { Scope } from './scope.ts';

/** What is fixed for one template while its code is made. */
export interface Target {
  readonly isAsync: boolean;
  readonly name: string | undefined;
  readonly filename: string | undefined;
  /** Attribute access goes through the environment, which may refuse. */
  readonly guarded: boolean;
  /** Values pass the environment's `finalize` before they are printed. */
  readonly finalizes: boolean;
  knows(kind: 'filter' | 'test', name: string): boolean;
  /** True when what the filter or test gives depends on its arguments only. */
  folds(kind: 'filter' | 'test', name: string): boolean;
  /** True when the environment computes the operator itself. */
  intercepts(operator: string, isUnary: boolean): boolean;
}

/** Where an expression stands. */
export interface Frame {
  readonly scope: Scope;
  /** `true`, `false`, or the variable that holds it. */
  readonly escaping: string;
  /** Only some renders come here: unknown filters are an error when they do. */
  readonly soft: boolean;
}

const BINARY: Record<BinaryOperator, string> = {
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '//': 'floorDivide',
  '%': 'modulo',
  '**': 'power',
};
const COMPARISON: Record<ComparisonOperator, string> = {
  '==': 'equal',
  '!=': '!equal',
  '<': 'less',
  '<=': 'lessOrEqual',
  '>': 'greater',
  '>=': 'greaterOrEqual',
  in: 'contains',
  'not in': '!contains',
};

/** Names that plain objects may have as data without a method of dicts or of JavaScript in the way. */
function isPlainName(name: string): boolean {
  return !collectionMethodNames.has(name) && !(name in Object.prototype) && name !== '__class__';
}

/** Turns expressions into JavaScript. Filters, tests and constants that they use are collected for the head of the module. */
export class ExpressionGenerator {
  readonly target: Target;
  /** Lines for the head of the module, by what they declare. */
  readonly head: Map<string, string> = new Map();
  readonly #uses: Map<string, { variable: string; kind: string; name: string; most: number }> = new Map();

  constructor(target: Target) {
    this.target = target;
  }

  /** Lines that declare filters and tests. */
  declarations(): string[] {
    const out = [...this.head.values()];
    for (const { variable, kind, name, most } of this.#uses.values()) {
      out.push(`const ${variable} = rt.${kind}(env, ${literal(name)}, ${most});`);
    }
    return out;
  }

  #declare(key: string, make: (variable: string) => string): string {
    const known = this.head.get(key);
    const variable = known === undefined ? `k${this.head.size}` : (/^const (\S+)/.exec(known)?.[1] as string);
    if (known === undefined) this.head.set(key, make(variable));
    return variable;
  }

  /** The evaluation context for the place: what filters and calls get. */
  context(frame: Frame): string {
    const { home } = frame.scope;
    if (frame.escaping === 'true') {
      home.usesEscaped = true;
      return 'ec1';
    }
    if (frame.escaping === 'false') {
      home.usesPlain = true;
      return 'ec0';
    }
    return `ctx.evaluation(${frame.escaping})`;
  }

  /** Waits for a value where the code is asynchronous and the value is a promise. */
  #awaited(code: string, frame: Frame): string {
    if (!this.target.isAsync) return code;
    const t = frame.scope.home.temporary();
    return `(isThenable(${t} = ${code}) ? await ${t} : ${t})`;
  }

  /** The variable of a name, which may hold `undefined`. */
  raw(name: string, frame: Frame): string {
    return frame.scope.find(name) ?? frame.scope.home.context(name);
  }

  #name(name: string, frame: Frame): string {
    const variable = this.raw(name, frame);
    return this.#awaited(
      `(${variable} === undefined ? env.undefinedVariable(${literal(name)}) : ${variable})`,
      frame,
    );
  }

  /** JavaScript that computes an expression's value. */
  value(node: Expression, frame: Frame): string {
    switch (node.type) {
      case 'constant':
        return this.#constant(node);
      case 'name':
        return this.#name(node.name, frame);
      case 'tuple':
        return `Tuple.make([${node.items.map((item) => this.value(item, frame)).join(', ')}])`;
      case 'list':
        return `[${node.items.map((item) => this.value(item, frame)).join(', ')}]`;
      case 'dict':
        return `new Dict([${node.items.map(({ key, value }) => `[${this.value(key, frame)}, ${this.value(value, frame)}]`).join(', ')}])`;
      case 'conditional': {
        const soft = { ...frame, soft: true };
        const otherwise =
          node.otherwise === undefined
            ? `rt.noElse(${literal(`the inline if-expression on line ${node.line}${this.inTemplate()} evaluated to false and no else section was defined.`)})`
            : this.value(node.otherwise, soft);
        return `(${this.condition(node.test, frame)} ? ${this.value(node.consequent, soft)} : ${otherwise})`;
      }
      case 'binary':
        return this.#operation(
          node.operator,
          BINARY[node.operator],
          [node.left, node.right].map((side) => this.value(side, frame)),
          frame,
        );
      case 'logical': {
        const t = frame.scope.home.temporary();
        const left = `truth(${t} = ${this.value(node.left, frame)})`;
        const right = this.value(node.right, frame);
        return node.operator === 'and' ? `(${left} ? ${right} : ${t})` : `(${left} ? ${t} : ${right})`;
      }
      case 'not':
        return `!${this.condition(node.operand, frame)}`;
      case 'unary':
        return this.#operation(
          node.operator,
          node.operator === '-' ? 'negate' : 'plus',
          [this.value(node.operand, frame)],
          frame,
        );
      case 'concat':
        return this.#concatenation(node, frame);
      case 'compare':
        return this.#compare(node, frame);
      case 'attribute':
        return this.#awaited(this.#attribute(this.value(node.object, frame), node.name, frame), frame);
      case 'item':
        return this.#awaited(this.#item(node, frame), frame);
      case 'slice':
        return `rt.sliceObject(${[node.start, node.stop, node.step].map((part) => (part === undefined ? 'null' : this.value(part, frame))).join(', ')})`;
      case 'call':
        return this.#awaited(this.call(node, frame), frame);
      case 'filter':
        return this.filter(node, this.value(node.input as Expression, frame), frame);
      case 'test':
        return this.#use('test', node, this.value(node.input, frame), frame);
      case 'safe':
        return `mark(${this.value(node.operand, frame)}, ${frame.escaping})`;
    }
  }

  /** An operator: what a sandbox intercepts goes to the environment, the rest of a sandbox's is counted. */
  #operation(operator: string, name: string, operands: readonly string[], frame: Frame): string {
    if (this.target.intercepts(operator, operands.length === 1)) {
      const method = operands.length === 1 ? 'callUnop' : 'callBinop';
      return `env.${method}(${[this.context(frame), literal(operator), ...operands].join(', ')})`;
    }
    return this.#counted(name, operands);
  }

  #counted(name: string, operands: readonly string[]): string {
    return this.target.guarded
      ? `ctx.limits.operation(${[name, ...operands].join(', ')})`
      : `${name}(${operands.join(', ')})`;
  }

  #concatenation(node: ExpressionOf<'concat'>, frame: Frame): string {
    const parts = `[${node.parts.map((part) => this.value(part, frame)).join(', ')}]`;
    // Jinja2 computes what has constants only before it knows whether the place escapes, so a mark as HTML is lost.
    const escaping = frame.escaping === 'true' && isConstant(node, this.target) ? 'false' : frame.escaping;
    return this.#counted('concatenate', [parts, 'str', escaping]);
  }

  /** ` in 'page.html'`, for messages. */
  inTemplate(): string {
    return this.target.name === undefined ? '' : ` in '${this.target.name}'`;
  }

  /** JavaScript that is true or false as the expression is. */
  condition(node: Expression, frame: Frame): string {
    switch (node.type) {
      case 'not':
        return `!${this.condition(node.operand, frame)}`;
      case 'logical':
        return `(${this.condition(node.left, frame)} ${node.operator === 'and' ? '&&' : '||'} ${this.condition(node.right, frame)})`;
      case 'compare':
        return this.#compare(node, frame);
      case 'constant':
        return String(Boolean(node.value));
      default:
        return `truth(${this.value(node, frame)})`;
    }
  }

  #constant(node: ExpressionOf<'constant'>): string {
    const { value } = node;
    if (typeof value === 'string') return literal(value);
    if (typeof value === 'bigint') return `${value}n`;
    if (node.isFloat === true && Number.isInteger(value)) {
      return this.#declare(`float ${value}`, (variable) => `const ${variable} = new Float(${value});`);
    }
    return value === Number.POSITIVE_INFINITY ? 'Infinity' : String(value);
  }

  #compare(node: ExpressionOf<'compare'>, frame: Frame): string {
    const call = (operator: ComparisonOperator, left: string, right: string): string =>
      operator === 'in' || operator === 'not in'
        ? // The left side is computed first, as written.
          `${COMPARISON[operator] === 'contains' ? '' : '!'}${this.#counted('rt.isIn', [left, right])}`
        : this.#comparison(COMPARISON[operator], left, right);
    let left = this.value(node.first, frame);
    const out: string[] = [];
    for (const [i, { operator, operand }] of node.rest.entries()) {
      let right = this.value(operand, frame);
      if (i + 1 < node.rest.length) {
        const t = frame.scope.home.temporary();
        right = `(${t} = ${right})`;
        out.push(call(operator, left, right));
        left = t;
      } else out.push(call(operator, left, right));
    }
    return out.length === 1 ? (out[0] as string) : `(${out.join(' && ')})`;
  }

  #comparison(name: string, left: string, right: string): string {
    return name.startsWith('!')
      ? `!${this.#counted(name.slice(1), [left, right])}`
      : this.#counted(name, [left, right]);
  }

  #attribute(object: string, name: string, _frame: Frame): string {
    if (this.target.guarded || !isPlainName(name)) return `env.getAttribute(${object}, ${literal(name)})`;
    // One small function per name and template: its property access stays monomorphic, and the own property of a plain object is
    // found without a search. Anything else takes the long way.
    const getter = this.#declare(
      `attribute ${name}`,
      (variable) =>
        `const ${variable} = (o) => { let v, p; return typeof o === "object" && o !== null && ((p = getPrototypeOf(o)) === objectPrototype || p === null) ? ((v = o[${literal(name)}]) !== undefined ? v : env.undefinedMember(o, ${literal(name)})) : env.getAttribute(o, ${literal(name)}); };`,
    );
    return `${getter}(${object})`;
  }

  #item(node: ExpressionOf<'item'>, frame: Frame): string {
    const object = this.value(node.object, frame);
    if (node.key.type === 'slice') {
      const { start, stop, step } = node.key;
      const parts = [start, stop, step].map((part) =>
        part === undefined ? 'null' : this.value(part, frame),
      );
      return `rt.slice(env, ${object}, ${parts.join(', ')})`;
    }
    return `env.getItem(${object}, ${this.value(node.key, frame)})`;
  }

  /** `[a, b, …rest]`. */
  #positional(args: Arguments, frame: Frame): string {
    const items = args.args.map((argument) => this.value(argument, frame));
    if (args.spread !== undefined) items.push(`...iterable(${this.value(args.spread, frame)})`);
    return `[${items.join(', ')}]`;
  }

  /** The object with the keywords, or undefined when there are none. */
  #keywords(args: Arguments, frame: Frame, extra: string | undefined): string | undefined {
    if (args.keywords.length === 0 && args.keywordSpread === undefined && extra === undefined)
      return undefined;
    const items = args.keywords.map(({ name, value }) => `[${literal(name)}]: ${this.value(value, frame)}`);
    if (extra !== undefined) items.push(extra);
    const object = `{ __proto__: null, ${items.join(', ')} }`;
    return args.keywordSpread === undefined
      ? object
      : `rt.mergeKeywords(${object}, ${this.value(args.keywordSpread, frame)})`;
  }

  /** A call; `extra` is one more keyword (the `caller` of a call block). */
  call(node: ExpressionOf<'call'>, frame: Frame, extra?: string): string {
    const { callee, args } = node;
    const context = this.context(frame);
    const positional = this.#positional(args, frame);
    const keywords = this.#keywords(args, frame, extra) ?? 'undefined';
    if (callee.type === 'attribute') {
      return `rt.callMethod(${context}, ${this.value(callee.object, frame)}, ${literal(callee.name)}, ${positional}, ${keywords})`;
    }
    if (callee.type === 'name' && callee.name === '__debug__') return `rt.debug(${context})`;
    return `rt.call(${context}, ${this.value(callee, frame)}, ${positional}, ${keywords})`;
  }

  /** A filter with its input as code. */
  filter(node: ExpressionOf<'filter'>, input: string, frame: Frame): string {
    return this.#awaited(this.#use('filter', node, input, frame), frame);
  }

  #use(
    kind: 'filter' | 'test',
    node: ExpressionOf<'filter'> | ExpressionOf<'test'>,
    input: string,
    frame: Frame,
  ): string {
    const { name, args } = node;
    if (!frame.soft && !this.target.knows(kind, name)) {
      throw new TemplateAssertionError(
        `No ${kind} named '${name}'.`,
        node.line,
        node.column,
        this.target.name,
        this.target.filename,
      );
    }
    const key = `${kind} ${name}`;
    let use = this.#uses.get(key);
    if (use === undefined) {
      use = { variable: `${kind === 'filter' ? 'f' : 'i'}${this.#uses.size}`, kind, name, most: 0 };
      this.#uses.set(key, use);
    }
    use.most = Math.max(use.most, args.args.length);
    const context = this.context(frame);
    const given =
      kind === 'filter' && this.target.isAsync ? this.#awaited(`rt.collected(${input})`, frame) : input;
    const keywords = this.#keywords(args, frame, undefined);
    let call: string;
    if (keywords !== undefined || args.spread !== undefined) {
      const positional = this.#positional(args, frame);
      call = `rt.applyNamed(env, ${literal(kind)}, ${literal(name)}, ${context}, ${given}, ${positional}, ${keywords ?? 'undefined'})`;
    } else
      call = `${use.variable}(${[context, given, ...args.args.map((argument) => this.value(argument, frame))].join(', ')})`;
    return kind === 'test' ? this.#awaited(call, frame) : call;
  }

  /** JavaScript for the text that a value prints as. */
  printed(node: Expression, frame: Frame): string {
    const value = this.target.finalizes
      ? `rt.finalized(${this.context(frame)}, ${this.value(node, frame)})`
      : this.value(node, frame);
    if (frame.escaping === 'true') return this.#counted('esc', [value]);
    if (frame.escaping === 'false') return this.#counted('str', [value]);
    return `(${frame.escaping} ? esc(${value}) : str(${value}))`;
  }
}

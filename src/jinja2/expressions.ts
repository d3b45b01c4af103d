import { parseInteger } from './formatting.ts';
import { describeToken, type Token } from './lexer.ts';
import {
  type Arguments,
  type BinaryOperator,
  type ComparisonOperator,
  type Expression,
  type Keyword,
  noArguments,
  type Target,
} from './nodes.ts';
import { deeperThan } from './scope.ts';
import type { TokenStream } from './token-stream.ts';

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
const LITERAL_STARTS: ReadonlySet<string> = new Set(['name', 'string', 'integer', 'float', '(', '[', '{']);

const NAMED_CONSTANTS: ReadonlyMap<string, boolean | null> = new Map(
  Object.entries({ true: true, True: true, false: false, False: false, none: null, None: null }),
);

/** How deep expressions may nest, so that a hostile template cannot exhaust the stack. */
const MAX_DEPTH = 200;

/** How many operators may follow each other in one chain. */
const MAX_CHAIN = 500;

/** Reads expressions, by precedence from the loosest to the tightest. */
export class ExpressionParser {
  readonly stream: TokenStream;
  #depth = 0;

  constructor(stream: TokenStream) {
    this.stream = stream;
  }

  /** `a if b else c`, or without the condition when the place doesn't allow one. */
  expression(withCondition: boolean = true): Expression {
    this.#enter();
    const node = withCondition ? this.#conditional() : this.#or();
    this.#depth--;
    return this.#whole(node);
  }

  /** One level deeper into the source. */
  #enter(): void {
    if (++this.#depth > MAX_DEPTH) this.stream.fail(`expressions nest deeper than ${MAX_DEPTH} levels`);
  }

  /** Chains nest too, without being nested in the source: `a + b + c` is `(a + b) + c`. */
  #whole(node: Expression): Expression {
    const tooDeep = this.#depth > 0 ? undefined : deeperThan(node, MAX_CHAIN);
    if (tooDeep !== undefined)
      this.stream.fail(`an expression has more than ${MAX_CHAIN} parts in a chain`, tooDeep);
    return node;
  }

  #conditional(): Expression {
    let node = this.#or();
    while (this.stream.is('name', 'if')) {
      const { line, column } = this.stream.next();
      const test = this.#or();
      const otherwise = this.stream.skip('name', 'else')
        ? this.#nested(() => this.#conditional())
        : undefined;
      node = { type: 'conditional', test, consequent: node, otherwise, line, column };
    }
    return node;
  }

  #nested<T>(read: () => T): T {
    this.#enter();
    const node = read();
    this.#depth--;
    return node;
  }

  #or(): Expression {
    let left = this.#and();
    while (this.stream.is('name', 'or')) {
      const { line, column } = this.stream.next();
      left = { type: 'logical', operator: 'or', left, right: this.#and(), line, column };
    }
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.stream.is('name', 'and')) {
      const { line, column } = this.stream.next();
      left = { type: 'logical', operator: 'and', left, right: this.#not(), line, column };
    }
    return left;
  }

  #not(): Expression {
    if (!this.stream.is('name', 'not')) return this.#compare();
    const { line, column } = this.stream.next();
    const operand = this.#nested(() => this.#not());
    return { type: 'not', operand, line, column };
  }

  #compare(): Expression {
    const { line, column } = this.stream.current;
    const first = this.#sum();
    const rest: { operator: ComparisonOperator; operand: Expression }[] = [];
    for (;;) {
      const token = this.stream.current;
      if (COMPARISONS.has(token.type)) {
        this.stream.next();
        rest.push({ operator: token.type as ComparisonOperator, operand: this.#sum() });
      } else if (this.stream.skip('name', 'in')) rest.push({ operator: 'in', operand: this.#sum() });
      else if (
        this.stream.is('name', 'not') &&
        this.stream.ahead.type === 'name' &&
        this.stream.ahead.value === 'in'
      ) {
        this.stream.next();
        this.stream.next();
        rest.push({ operator: 'not in', operand: this.#sum() });
      } else break;
    }
    return rest.length === 0 ? first : { type: 'compare', first, rest, line, column };
  }

  #binary(operators: readonly BinaryOperator[], operand: () => Expression): Expression {
    let left = operand();
    while (operators.includes(this.stream.current.type as BinaryOperator)) {
      const { type, line, column } = this.stream.next();
      left = { type: 'binary', operator: type as BinaryOperator, left, right: operand(), line, column };
    }
    return left;
  }

  #sum(): Expression {
    return this.#binary(['+', '-'], () => this.#concat());
  }

  #concat(): Expression {
    const { line, column } = this.stream.current;
    const parts = [this.#product()];
    while (this.stream.skip('~')) parts.push(this.#product());
    return parts.length === 1 ? (parts[0] as Expression) : { type: 'concat', parts, line, column };
  }

  #product(): Expression {
    return this.#binary(['*', '/', '//', '%'], () => this.#power());
  }

  /** Jinja2 groups `**` from the left: `2**3**2` is 64. */
  #power(): Expression {
    return this.#binary(['**'], () => this.unary());
  }

  /** A sign, or an operand with its members, calls and (if wanted) filters. */
  unary(withFilter: boolean = true): Expression {
    this.#enter();
    const { type, line, column } = this.stream.current;
    let node: Expression;
    if (type === '-' || type === '+') {
      this.stream.next();
      node = { type: 'unary', operator: type, operand: this.unary(false), line, column };
    } else node = this.#primary();
    node = this.#postfix(node);
    if (withFilter) node = this.#filters(node);
    this.#depth--;
    return node;
  }

  #primary(): Expression {
    const token = this.stream.next();
    const { line, column } = token;
    switch (token.type) {
      case 'name': {
        const value = NAMED_CONSTANTS.get(token.value);
        if (value !== undefined) return { type: 'constant', value, line, column };
        return { type: 'name', name: token.value, line, column };
      }
      case 'string': {
        let value = token.value;
        while (this.stream.is('string')) value += this.stream.next().value;
        return { type: 'constant', value, line, column };
      }
      case 'integer':
        return { type: 'constant', value: this.#integer(token), line, column };
      case 'float':
        return { type: 'constant', value: Number(token.value), isFloat: true, line, column };
      case '(': {
        const node = this.tuple({ parenthesized: true });
        this.stream.expect(')');
        return node;
      }
      case '[':
        return this.#list(token);
      case '{':
        return this.#dict(token);
      default:
        return this.stream.fail(`unexpected '${describeToken(token)}'`, token);
    }
  }

  #integer(token: Token): number | bigint {
    return parseInteger(token.value, 0) ?? this.stream.fail('an integer has too many digits', token);
  }

  #list({ line, column }: Token): Expression {
    const items: Expression[] = [];
    while (!this.stream.is(']')) {
      if (items.length > 0) this.stream.expect(',');
      if (this.stream.is(']')) break;
      items.push(this.expression());
    }
    this.stream.expect(']');
    return { type: 'list', items, line, column };
  }

  #dict({ line, column }: Token): Expression {
    const items: { key: Expression; value: Expression }[] = [];
    while (!this.stream.is('}')) {
      if (items.length > 0) this.stream.expect(',');
      if (this.stream.is('}')) break;
      const key = this.expression();
      this.stream.expect(':');
      items.push({ key, value: this.expression() });
    }
    this.stream.expect('}');
    return { type: 'dict', items, line, column };
  }

  /**
   * One expression, or several with commas between them as a tuple.
   *
   * @param options `parenthesized`: `()` is the empty tuple; `until`: names that end the list; `withCondition`: `a if b` may stand in it.
   */
  tuple(
    options: { parenthesized?: boolean; until?: readonly string[]; withCondition?: boolean } = {},
  ): Expression {
    const { parenthesized = false, until = [], withCondition = true } = options;
    const { line, column } = this.stream.current;
    const items: Expression[] = [];
    let isTuple = false;
    for (;;) {
      if (items.length > 0) this.stream.expect(',');
      if (this.#endsTuple(until)) break;
      items.push(this.expression(withCondition));
      if (!this.stream.is(',')) break;
      isTuple = true;
    }
    if (!isTuple) {
      if (items.length > 0) return items[0] as Expression;
      if (!parenthesized) {
        this.stream.fail(`Expected an expression, got '${describeToken(this.stream.current)}'`);
      }
    }
    return { type: 'tuple', items, line, column };
  }

  #endsTuple(until: readonly string[]): boolean {
    const { type, value } = this.stream.current;
    return (
      type === 'variable_end' ||
      type === 'block_end' ||
      type === ')' ||
      (type === 'name' && until.includes(value))
    );
  }

  #postfix(operand: Expression): Expression {
    let node = operand;
    for (;;) {
      if (this.stream.is('.') || this.stream.is('[')) node = this.#subscript(node);
      else if (this.stream.is('(')) node = this.#call(node);
      else return node;
    }
  }

  /** Filters, tests and calls of what they give. */
  #filters(operand: Expression): Expression {
    let node = operand;
    for (;;) {
      if (this.stream.is('|')) node = this.filter(node);
      else if (this.stream.is('name', 'is')) node = this.#test(node);
      else if (this.stream.is('(')) node = this.#call(node);
      else return node;
    }
  }

  #subscript(object: Expression): Expression {
    const token = this.stream.next();
    const { line, column } = token;
    if (token.type === '.') {
      const member = this.stream.next();
      if (member.type === 'name')
        return { type: 'attribute', object, name: member.value, line: member.line, column: member.column };
      if (member.type !== 'integer') this.stream.fail('expected name or number', member);
      const key: Expression = {
        type: 'constant',
        value: Number(member.value),
        line: member.line,
        column: member.column,
      };
      return { type: 'item', object, key, line, column };
    }
    const keys: Expression[] = [];
    while (!this.stream.is(']')) {
      if (keys.length > 0) this.stream.expect(',');
      keys.push(this.#subscribed());
    }
    this.stream.expect(']');
    const key: Expression =
      keys.length === 1 ? (keys[0] as Expression) : { type: 'tuple', items: keys, line, column };
    return { type: 'item', object, key, line, column };
  }

  #subscribed(): Expression {
    const { line, column } = this.stream.current;
    let start: Expression | undefined;
    if (!this.stream.is(':')) {
      start = this.expression();
      if (!this.stream.is(':')) return start;
    }
    this.stream.next();
    const ends = (): boolean => this.stream.is(':') || this.stream.is(']') || this.stream.is(',');
    const stop = ends() ? undefined : this.expression();
    let step: Expression | undefined;
    if (this.stream.skip(':') && !ends()) step = this.expression();
    return { type: 'slice', start, stop, step, line, column };
  }

  #call(callee: Expression): Expression {
    const { line, column } = this.stream.current;
    return { type: 'call', callee, args: this.arguments(), line, column };
  }

  /** `(a, b=1, *c, **d)`. */
  arguments(): Arguments {
    const open = this.stream.expect('(');
    const args: Expression[] = [];
    const keywords: Keyword[] = [];
    let spread: Expression | undefined;
    let keywordSpread: Expression | undefined;
    const ensure = (allowed: boolean): void => {
      if (!allowed) this.stream.fail('invalid syntax for function call expression', open);
    };
    for (let comma = false; !this.stream.is(')'); comma = true) {
      if (comma) {
        this.stream.expect(',');
        if (this.stream.is(')')) break;
      }
      if (this.stream.skip('*')) {
        ensure(spread === undefined && keywordSpread === undefined);
        spread = this.expression();
      } else if (this.stream.skip('**')) {
        ensure(keywordSpread === undefined);
        keywordSpread = this.expression();
      } else if (this.stream.is('name') && this.stream.ahead.type === '=') {
        ensure(keywordSpread === undefined);
        const token = this.stream.next();
        const name = token.value;
        if (keywords.some((keyword) => keyword.name === name))
          this.stream.fail(`keyword argument repeated: ${name}`, token);
        this.stream.next();
        keywords.push({ name, value: this.expression() });
      } else {
        ensure(spread === undefined && keywordSpread === undefined && keywords.length === 0);
        args.push(this.expression());
      }
    }
    this.stream.expect(')');
    return { args, keywords, spread, keywordSpread };
  }

  #dottedName(): Token {
    const first = this.stream.expect('name');
    let value = first.value;
    while (this.stream.skip('.')) value += `.${this.stream.expect('name').value}`;
    return { ...first, value };
  }

  /**
   * One or more filters behind an operand.
   *
   * @param startsInline True for the tag `filter`, where the first name stands without a bar.
   */
  filter(operand: Expression | undefined, startsInline: boolean = false): Expression {
    let node = operand;
    let inline = startsInline;
    while (this.stream.is('|') || inline) {
      if (!inline) this.stream.next();
      inline = false;
      const { value: name, line, column } = this.#dottedName();
      const args = this.stream.is('(') ? this.arguments() : noArguments;
      node = { type: 'filter', name, input: node, args, line, column };
    }
    return this.#whole(node as Expression);
  }

  #test(input: Expression): Expression {
    const { line, column } = this.stream.next();
    const negated = this.stream.skip('name', 'not');
    const { value: name } = this.#dottedName();
    let args = noArguments;
    const { type, value } = this.stream.current;
    if (type === '(') args = this.arguments();
    else if (LITERAL_STARTS.has(type) && !(type === 'name' && ['else', 'or', 'and'].includes(value))) {
      if (type === 'name' && value === 'is') this.stream.fail('You cannot chain multiple tests with is');
      args = { ...noArguments, args: [this.#postfix(this.#primary())] };
    }
    const node: Expression = { type: 'test', name, input, args, line, column };
    return negated ? { type: 'not', operand: node, line, column } : node;
  }

  /** A name or several that get values. `until`: names behind the list; `namespaces`: `ns.attr` may be assigned to. */
  target(options: { until?: readonly string[]; namespaces?: boolean; single?: boolean } = {}): Target {
    const { until = [], namespaces = false, single = false } = options;
    const { line, column } = this.stream.current;
    const items: Target[] = [];
    let isTuple = false;
    for (;;) {
      if (items.length > 0) this.stream.expect(',');
      if (this.#endsTuple(until)) break;
      items.push(this.#singleTarget(namespaces));
      if (single || !this.stream.is(',')) break;
      isTuple = true;
    }
    if (items.length === 0)
      this.stream.fail(`Expected an expression, got '${describeToken(this.stream.current)}'`);
    return isTuple ? { type: 'tuple', items, line, column } : (items[0] as Target);
  }

  #singleTarget(namespaces: boolean): Target {
    if (this.stream.is('(')) {
      this.stream.next();
      const inner = this.#nested(() => this.target({ namespaces }));
      this.stream.expect(')');
      return inner;
    }
    const token = this.stream.current;
    if (namespaces && token.type === 'name' && this.stream.ahead.type === '.') {
      this.stream.next();
      this.stream.next();
      const attribute = this.stream.expect('name').value;
      return { type: 'namespace', name: token.value, attribute, line: token.line, column: token.column };
    }
    const node = this.#primary();
    if (node.type !== 'name')
      this.stream.fail(`can't assign to '${node.type === 'constant' ? 'const' : node.type}'`, token);
    return { type: 'name', name: node.name, line: token.line, column: token.column };
  }
}

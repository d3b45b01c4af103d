import type { Policies } from './environment.ts';
import { ExpressionParser } from './expressions.ts';
import type { Extension } from './extension.ts';
import type { Token } from './lexer.ts';
import type { Body, Expression, Parameter, Statement, StatementOf, Target } from './nodes.ts';
import type { TokenStream } from './token-stream.ts';

const repr = (text: string): string => `'${text}'`;

/** How deep tags may nest, so that a hostile template cannot exhaust the stack. */
const MAX_DEPTH = 100;

/** Reads a template's tokens into statements. */
export class Parser {
  readonly stream: TokenStream;
  readonly expressions: ExpressionParser;
  readonly #extensions: ReadonlyMap<string, Extension>;
  /** Open tags, innermost last, with the names that may end them. */
  readonly #open: { readonly tag: string; ends: readonly string[] }[] = [];
  /** Numbers names that extensions need. */
  #counter = 0;

  /** Defaults that extensions ask for. */
  readonly policies: Policies;

  constructor(stream: TokenStream, extensions: ReadonlyMap<string, Extension>, policies: Policies) {
    this.stream = stream;
    this.policies = policies;
    this.expressions = new ExpressionParser(this.stream);
    this.#extensions = extensions;
  }

  /** The whole template. */
  parse(): Body {
    return this.#statements([]);
  }

  /** A name that no template can use, for extensions. */
  freeName(): string {
    return `$${this.#counter++}`;
  }

  /**
   * The statements up to one of the tags in `ends`; the stream stands on its name, or behind the whole tag with `drop`.
   */
  body(ends: readonly string[], drop: boolean = false): Body {
    this.stream.skip(':');
    this.stream.expect('block_end');
    const open = this.#open[this.#open.length - 1];
    if (open !== undefined) open.ends = ends;
    const body = this.#statements(ends);
    if (this.stream.is('eof')) this.#unknown(undefined, this.stream.current);
    if (drop) this.stream.next();
    return body;
  }

  #statements(ends: readonly string[]): Statement[] {
    const out: Statement[] = [];
    let parts: (string | Expression)[] = [];
    let at: Token | undefined;
    const flush = (): void => {
      if (at !== undefined && parts.length > 0)
        out.push({ type: 'output', parts, line: at.line, column: at.column });
      parts = [];
      at = undefined;
    };
    for (;;) {
      const token = this.stream.current;
      if (token.type === 'data') {
        at ??= token;
        parts.push(token.value);
        this.stream.next();
      } else if (token.type === 'variable_begin') {
        at ??= token;
        this.stream.next();
        parts.push(this.expressions.tuple());
        this.stream.expect('variable_end');
      } else if (token.type === 'block_begin') {
        flush();
        this.stream.next();
        if (this.stream.is('name') && ends.includes(this.stream.current.value)) return out;
        const statement = this.#statement();
        if (Array.isArray(statement)) out.push(...(statement as readonly Statement[]));
        else out.push(statement as Statement);
        this.stream.expect('block_end');
      } else {
        flush();
        return out;
      }
    }
  }

  #unknown(name: string | undefined, at: Token): never {
    const message = [
      name === undefined ? 'Unexpected end of template.' : `Encountered unknown tag ${repr(name)}.`,
    ];
    const ends = this.#open[this.#open.length - 1]?.ends ?? [];
    if (ends.length > 0) {
      const looking = ends.map(repr).join(' or ');
      message.push(
        name !== undefined && this.#open.some((open) => open.ends.includes(name))
          ? `You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for ${looking}.`
          : `Jinja was looking for the following tags: ${looking}.`,
      );
    }
    const innermost = this.#open[this.#open.length - 1];
    if (innermost !== undefined)
      message.push(`The innermost block that needs to be closed is ${repr(innermost.tag)}.`);
    return this.stream.fail(message.join(' '), at);
  }

  #statement(): Statement | readonly Statement[] {
    const token = this.stream.current;
    if (token.type !== 'name') this.stream.fail('tag name expected', token);
    if (this.#open.length >= MAX_DEPTH) this.stream.fail(`tags nest deeper than ${MAX_DEPTH} levels`);
    const extension = this.#extensions.get(token.value);
    const read = extension === undefined ? this.#readers[token.value] : undefined;
    if (extension?.parse === undefined && (read === undefined || !Object.hasOwn(this.#readers, token.value)))
      this.#unknown(token.value, token);
    this.#open.push({ tag: token.value, ends: [] });
    let statement: Statement | readonly Statement[];
    if (extension?.parse !== undefined) statement = extension.parse(this);
    else {
      this.stream.next();
      statement = (read as (at: Token) => Statement)(token);
    }
    this.#open.pop();
    return statement;
  }

  readonly #readers: Readonly<Record<string, (at: Token) => Statement>> = {
    for: (at) => this.#for(at),
    if: (at) => this.#if(at),
    block: (at) => this.#block(at),
    extends: ({ line, column }) => ({
      type: 'extends',
      template: this.expressions.expression(),
      line,
      column,
    }),
    print: ({ line, column }) => {
      const parts: Expression[] = [];
      while (!this.stream.is('block_end')) {
        if (parts.length > 0) this.stream.expect(',');
        parts.push(this.expressions.expression());
      }
      return { type: 'output', parts, line, column };
    },
    macro: ({ line, column }) => {
      const name = this.#name();
      const parameters = this.#signature();
      return { type: 'macro', name, parameters, body: this.body(['endmacro'], true), line, column };
    },
    include: ({ line, column }) => {
      const template = this.expressions.expression();
      const ignoreMissing = this.stream.is('name', 'ignore') && this.stream.ahead.value === 'missing';
      if (ignoreMissing) {
        this.stream.next();
        this.stream.next();
      }
      return { type: 'include', template, ignoreMissing, withContext: this.#context() ?? true, line, column };
    },
    import: ({ line, column }) => {
      const template = this.expressions.expression();
      this.stream.expect('name', 'as');
      return {
        type: 'import',
        template,
        target: this.#name(),
        withContext: this.#context() ?? false,
        line,
        column,
      };
    },
    from: (at) => this.#from(at),
    set: ({ line, column }) => {
      const target = this.expressions.target({ namespaces: true });
      if (this.stream.skip('='))
        return { type: 'set', target, value: this.expressions.tuple(), line, column };
      const filter = this.stream.is('|') ? this.expressions.filter(undefined) : undefined;
      return { type: 'set-block', target, filter, body: this.body(['endset'], true), line, column };
    },
    with: ({ line, column }) => {
      const targets: Target[] = [];
      const values: Expression[] = [];
      while (!this.stream.is('block_end')) {
        if (targets.length > 0) this.stream.expect(',');
        targets.push(this.expressions.target({ single: true }));
        this.stream.expect('=');
        values.push(this.expressions.expression());
      }
      return { type: 'with', targets, values, body: this.body(['endwith'], true), line, column };
    },
    autoescape: ({ line, column }) => {
      const value = this.expressions.expression();
      return { type: 'autoescape', value, body: this.body(['endautoescape'], true), line, column };
    },
    call: ({ line, column }) => {
      const parameters = this.stream.is('(') ? this.#signature() : [];
      const call = this.expressions.expression();
      if (call.type !== 'call') this.stream.fail('expected call', { line, column });
      return { type: 'call-block', call, parameters, body: this.body(['endcall'], true), line, column };
    },
    filter: ({ line, column }) => {
      const filter = this.expressions.filter(undefined, true);
      return { type: 'filter-block', filter, body: this.body(['endfilter'], true), line, column };
    },
  };

  #name(): string {
    return this.stream.expect('name').value;
  }

  #for({ line, column }: Token): StatementOf<'for'> {
    const target = this.expressions.target({ until: ['in'] });
    this.stream.expect('name', 'in');
    const iterable = this.expressions.tuple({ withCondition: false, until: ['recursive'] });
    const test = this.stream.skip('name', 'if') ? this.expressions.expression() : undefined;
    const recursive = this.stream.skip('name', 'recursive');
    const body = this.body(['endfor', 'else']);
    const otherwise = this.stream.next().value === 'endfor' ? [] : this.body(['endfor'], true);
    return { type: 'for', target, iterable, test, recursive, body, otherwise, line, column };
  }

  #if({ line, column }: Token): StatementOf<'if'> {
    const branches: { test: Expression; body: Body }[] = [];
    for (;;) {
      const test = this.expressions.tuple({ withCondition: false });
      branches.push({ test, body: this.body(['elif', 'else', 'endif']) });
      const end = this.stream.next().value;
      if (end === 'elif') continue;
      return {
        type: 'if',
        branches,
        otherwise: end === 'else' ? this.body(['endif'], true) : [],
        line,
        column,
      };
    }
  }

  #block({ line, column }: Token): StatementOf<'block'> {
    const name = this.#name();
    const scoped = this.stream.skip('name', 'scoped');
    const required = this.stream.skip('name', 'required');
    if (this.stream.is('-')) {
      this.stream.fail(
        'Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.',
      );
    }
    const body = this.body(['endblock'], true);
    if (required) {
      for (const node of body) {
        if (
          node.type !== 'output' ||
          node.parts.some((part) => typeof part !== 'string' || part.trim() !== '')
        ) {
          this.stream.fail('Required blocks can only contain comments or whitespace');
        }
      }
    }
    this.stream.skip('name', name);
    return { type: 'block', name, scoped, required, body, line, column };
  }

  /** `with context` or `without context`, undefined when neither follows. */
  #context(): boolean | undefined {
    const { type, value } = this.stream.current;
    if (type !== 'name' || (value !== 'with' && value !== 'without') || this.stream.ahead.value !== 'context')
      return undefined;
    this.stream.next();
    this.stream.next();
    return value === 'with';
  }

  #from({ line, column }: Token): StatementOf<'from'> {
    const template = this.expressions.expression();
    this.stream.expect('name', 'import');
    const names: { name: string; alias: string }[] = [];
    let withContext: boolean | undefined;
    for (;;) {
      if (names.length > 0) this.stream.expect(',');
      if (this.stream.is('name')) {
        withContext = this.#context();
        if (withContext !== undefined) break;
        const token = this.stream.next();
        if (token.value.startsWith('_'))
          this.stream.assertion('names starting with an underline can not be imported', token);
        names.push({ name: token.value, alias: this.stream.skip('name', 'as') ? this.#name() : token.value });
        withContext = this.#context();
        if (withContext !== undefined || !this.stream.is(',')) break;
      } else this.stream.expect('name');
    }
    return { type: 'from', template, names, withContext: withContext ?? false, line, column };
  }

  #signature(): Parameter[] {
    const parameters: Parameter[] = [];
    this.stream.expect('(');
    while (!this.stream.is(')')) {
      if (parameters.length > 0) this.stream.expect(',');
      const token = this.stream.expect('name');
      let fallback: Expression | undefined;
      if (this.stream.skip('=')) fallback = this.expressions.expression();
      else if (parameters.some((parameter) => parameter.fallback !== undefined)) {
        this.stream.fail('non-default argument follows default argument');
      }
      parameters.push({ name: token.value, fallback });
    }
    this.stream.expect(')');
    return parameters;
  }
}

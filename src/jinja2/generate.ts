import { Code, literal } from './code.ts';
import type { StatementFrame } from './generate-frames.ts';
import { TagGenerator } from './generate-tags.ts';
import type { Body, ExpressionOf, Statement, StatementOf } from './nodes.ts';
import { FunctionScope, mentions, namesOfTarget, Scope, statementsIn } from './scope.ts';

export type { Mode } from './generate-frames.ts';

/** From so many branches on an `if` is written in another form. */
const LONG_IF = 100;

/** Turns the statements of one template into the body of `function (rt, env)`. */
export class Generator extends TagGenerator {
  /** Names that the code asks the context for, known after {@link generate}. */
  get contextNames(): ReadonlySet<string> {
    return this.counter.names;
  }

  /** The code: declarations, the root function, a function for each block, and what they are returned in. */
  generate(body: Body): Code {
    for (const node of statementsIn(body)) {
      if (node.type === 'block') {
        if (this.blocks.has(node.name)) this.fail(`block '${node.name}' defined twice`, node, true);
        this.blocks.set(node.name, node);
      } else if (node.type === 'extends') this.hasExtends = true;
    }
    const functions = new Code();
    functions.append(this.function('root', body, true));
    for (const block of this.blocks.values()) {
      functions.append(this.function(`block_${block.name}`, block.body, false, block.name));
    }
    const out = new Code();
    for (const line of this.expressions.declarations()) out.add(line);
    out.append(functions);
    const blocks = [...this.blocks.keys()].map((name) => `[${literal(name)}]: block_${name}`);
    out.add(`return { root, blocks: { __proto__: null, ${blocks.join(', ')} } };`);
    return out;
  }

  /** The root or a block as a function of the context. */
  protected function(name: string, body: Body, isRoot: boolean, block?: string): Code {
    const { isStream } = this.options.mode;
    const home = new FunctionScope(this.counter);
    const scope = new Scope(undefined, home);
    const frame: StatementFrame = {
      scope,
      escaping: String(this.options.autoescape),
      soft: false,
      out: 'o',
      toplevel: isRoot,
      root: isRoot,
      checksOutput: isRoot && this.hasExtends,
      inLoop: false,
      canYield: isStream,
    };
    const inner = new Code();
    if (mentions(body, 'self'))
      inner.add(`const ${scope.declare('self')} = rt.self(${this.expressions.context(frame)});`);
    if (block !== undefined && mentions(body, 'super')) {
      inner.add(
        `const ${scope.declare('super')} = ctx.super(${literal(block)}, block_${block}, ${this.expressions.context(frame)});`,
      );
    }
    this.bind(inner, body, scope, ['self', 'super']);
    this.body(inner, body, frame);
    const code = new Code();
    code.add(`${this.keyword(isStream)} ${name}(ctx) {`);
    if (isRoot && this.hasExtends) code.add('let parent;');
    this.head(code, home, 'let o = "";');
    code.append(inner);
    if (isRoot && this.hasExtends) {
      if (isStream)
        code.add(
          'if (parent !== undefined) { if (o !== "") yield o; yield* parent.root(ctx); return; }',
          this.extendsAt,
        );
      else
        code.add(`if (parent !== undefined) return o + ${this.await('parent.root(ctx)')};`, this.extendsAt);
    }
    code.add(isStream ? 'if (o !== "") yield o;' : 'return o;');
    code.add('}');
    return code;
  }

  protected override body(code: Code, body: Body, frame: StatementFrame): void {
    for (const node of body) this.statement(code, node, frame);
  }

  protected statement(code: Code, node: Statement, frame: StatementFrame): void {
    switch (node.type) {
      case 'output':
        this.output(code, node, frame);
        return;
      case 'if':
        this.if(code, node, frame);
        return;
      case 'for':
        this.for(code, node, frame);
        return;
      case 'set':
        this.assign(code, node.target, this.expressions.value(node.value, frame), frame, node);
        return;
      case 'set-block':
        this.captured(code, node.body, frame, (text) => {
          const value = node.filter === undefined ? text : this.filtered(node.filter, text, frame);
          this.assign(code, node.target, value, frame, node);
        });
        return;
      case 'filter-block': {
        const text = this.capture(code, node.body, this.inner(frame, { canYield: false }));
        const value = this.filtered(node.filter, `mark(${text}, ${frame.escaping})`, frame);
        code.add(`${frame.out} += ${this.printedValue(value, frame)};`, node);
        return;
      }
      case 'with': {
        const inner = this.inner(frame);
        code.add('{');
        // All values are computed outside of the new scope.
        const values = node.values.map((value) => this.expressions.value(value, frame));
        const names = node.targets.flatMap((target) => [...namesOfTarget(target)]);
        const temporaries = values.map((value) => {
          const t = frame.scope.home.temporary();
          code.add(`${t} = ${value};`, node);
          return t;
        });
        this.bind(code, node.body, inner.scope, names);
        for (const name of names) code.add(`let ${inner.scope.declare(name)};`);
        for (const [i, target] of node.targets.entries())
          this.assign(code, target, temporaries[i] as string, inner, node);
        this.body(code, node.body, inner);
        code.add('}');
        return;
      }
      case 'autoescape': {
        let escaping: string;
        if (node.value.type === 'constant') escaping = String(Boolean(node.value.value));
        else {
          escaping = `ae${this.counter.next++}`;
          code.add(`const ${escaping} = ${this.expressions.condition(node.value, frame)};`, node);
        }
        this.scope(code, node.body, this.inner(frame, { escaping }));
        return;
      }
      case 'scope':
        this.scope(code, node.body, this.inner(frame));
        return;
      case 'macro':
        this.storeMacro(code, node, frame);
        return;
      case 'call-block': {
        const macro = this.macro('', node.parameters, node.body, frame, node);
        const variable = `m${this.counter.next++}`;
        code.add(`const ${variable} =`);
        code.append(macro);
        code.add(';');
        const call = this.expressions.call(node.call as ExpressionOf<'call'>, frame, `caller: ${variable}`);
        code.add(`${frame.out} += ${this.printedValue(this.await(call), frame)};`, node);
        return;
      }
      case 'block':
        this.block(code, node, frame);
        return;
      case 'extends':
        this.extends(code, node, frame);
        return;
      case 'include':
        this.include(code, node, frame);
        return;
      case 'import':
        code.add(`${frame.scope.find(node.target)} = ${this.import(node, frame)};`, node);
        if (frame.toplevel)
          code.add(`ctx.setPrivate(${literal(node.target)}, ${frame.scope.find(node.target)});`);
        return;
      case 'from':
        this.from(code, node, frame);
        return;
      case 'do':
        code.add(`${this.expressions.value(node.value, frame)};`, node);
        return;
      case 'break':
      case 'continue':
        if (!frame.inLoop) this.fail(`'${node.type}' outside of a loop`, node);
        code.add(`${node.type};`, node);
    }
  }

  protected output(code: Code, node: StatementOf<'output'>, frame: StatementFrame): void {
    if (frame.checksOutput && this.extendsKnown) return;
    const guard = frame.checksOutput && this.extendsSeen > 0;
    if (guard) code.add('if (parent === undefined) {');
    let first = true;
    for (const part of node.parts) {
      if (typeof part === 'string' && part === '') continue;
      const text = typeof part === 'string' ? literal(part) : this.expressions.printed(part, frame);
      // Each piece has a line of its own, so that the line in a stack trace says which expression failed.
      code.add(`${first ? `${frame.out} +=` : '+'} ${text}`, typeof part === 'string' ? undefined : part);
      first = false;
    }
    if (!first) code.add(';');
    if (this.options.limited) code.add(`ctx.limits.output(${frame.out}.length);`, node);
    if (guard) code.add('}');
  }

  /** Branches one after the other instead of in each other: thousands of `else if` would exhaust the stack of JavaScript's parser. */
  protected longIf(code: Code, node: StatementOf<'if'>, inner: StatementFrame): void {
    const label = `if${this.counter.next++}`;
    code.add(`${label}: {`);
    for (const { test, body } of node.branches) {
      code.add(`if (${this.expressions.condition(test, inner)}) {`, test);
      this.body(code, body, inner);
      code.add(`break ${label};`);
      code.add('}');
    }
    this.body(code, node.otherwise, inner);
    code.add('}');
  }

  protected if(code: Code, node: StatementOf<'if'>, frame: StatementFrame): void {
    const inner = { ...frame, root: false, soft: true };
    if (node.branches.length > LONG_IF) {
      this.longIf(code, node, inner);
      return;
    }
    for (const [i, { test, body }] of node.branches.entries()) {
      code.add(`${i === 0 ? '' : '} else '}if (${this.expressions.condition(test, inner)}) {`, test);
      this.body(code, body, inner);
    }
    if (node.otherwise.length > 0) {
      code.add('} else {');
      this.body(code, node.otherwise, inner);
    }
    code.add('}');
  }
}

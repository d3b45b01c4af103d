import { Code, literal } from './code.ts';
import type { StatementFrame } from './generate-frames.ts';
import { LoopGenerator } from './generate-loops.ts';
import type { Body, Parameter, Position, StatementOf } from './nodes.ts';
import { FunctionScope, mentions, Scope } from './scope.ts';

/** The code of macros and of the tags that bring templates together. */
export abstract class TagGenerator extends LoopGenerator {
  protected storeMacro(code: Code, node: StatementOf<'macro'>, frame: StatementFrame): void {
    const variable = frame.scope.find(node.name) as string;
    code.add(`${variable} =`);
    code.append(this.macro(node.name, node.parameters, node.body, frame, node));
    code.add(';');
    if (frame.toplevel) code.add(`ctx.set(${literal(node.name)}, ${variable});`);
  }

  /** An expression that makes a macro. */
  protected macro(
    name: string,
    parameters: readonly Parameter[],
    body: Body,
    frame: StatementFrame,
    at: Position,
  ): Code {
    const home = new FunctionScope(this.counter);
    const scope = new Scope(frame.scope, home);
    const names = parameters.map((parameter) => parameter.name);
    const special = ['caller', 'kwargs', 'varargs'].filter(
      (each) => mentions(body, each) && !names.includes(each),
    );
    const explicitCaller = parameters.find((parameter) => parameter.name === 'caller');
    if (explicitCaller !== undefined && explicitCaller.fallback === undefined) {
      this.fail(
        'When defining macros or call blocks the special "caller" argument must be omitted or be given a default.',
        at,
        true,
      );
    }
    const inner: StatementFrame = {
      ...frame,
      scope,
      out: 'o',
      toplevel: false,
      root: false,
      checksOutput: false,
      inLoop: false,
      canYield: false,
    };
    const content = new Code();
    const arguments_ = [...names, ...special].map((each) => scope.declare(each));
    for (const [i, { name: parameter, fallback }] of parameters.entries()) {
      const missing =
        fallback === undefined
          ? `env.undefinedHint(${literal(`parameter '${parameter}' was not provided`)}, ${literal(parameter)})`
          : this.expressions.value(fallback, inner);
      content.add(`if (${arguments_[i]} === undefined) ${arguments_[i]} = ${missing};`, fallback ?? at);
    }
    this.bind(content, body, scope, [...names, ...special]);
    this.body(content, body, inner);
    const code = new Code();
    const label = `macro_${name === '' ? 'caller' : name}`;
    code.add(
      `rt.macro(ctx, ${literal(name)}, ${JSON.stringify(names)}, ${JSON.stringify(special)}, ${this.keyword(false)} ${label}(${arguments_.join(', ')}) {`,
    );
    this.head(code, home, 'let o = "";');
    if (this.options.limited) code.add('ctx.limits.iteration();', at);
    code.append(content);
    code.add('return o;');
    code.add(`}, ${frame.escaping})`);
    return code;
  }

  protected block(code: Code, node: StatementOf<'block'>, frame: StatementFrame): void {
    if (frame.toplevel && this.extendsKnown) return;
    const guard = frame.toplevel && this.extendsSeen > 0;
    if (guard) code.add('if (parent === undefined) {');
    const context = node.scoped ? `ctx.derived(${this.locals(frame)})` : 'ctx';
    const call = `ctx.block(${literal(node.name)}, ${node.required})(${context})`;
    if (frame.canYield) {
      code.add(`if (${frame.out} !== "") { yield ${frame.out}; ${frame.out} = ""; }`);
      code.add(`yield* ${call};`, node);
    } else if (this.options.mode.isStream)
      code.add(
        `${frame.out} += ${this.await(`rt.${this.options.mode.isAsync ? 'joinAsync' : 'join'}(${call})`)};`,
        node,
      );
    else code.add(`${frame.out} += ${this.await(call)};`, node);
    if (guard) code.add('}');
  }

  protected extends(code: Code, node: StatementOf<'extends'>, frame: StatementFrame): void {
    if (!frame.toplevel) this.fail('cannot use extend from a non top-level scope', node, true);
    if (this.extendsSeen > 0) code.add('if (parent !== undefined) rt.extendedTwice();', node);
    code.add(
      `parent = ${this.await(`rt.extend${this.options.mode.isAsync ? 'Async' : ''}(ctx, ${this.expressions.value(node.template, frame)}, ${this.variant()})`)};`,
      node,
    );
    if (frame.root) this.extendsKnown = true;
    this.extendsSeen++;
    this.extendsAt = node;
  }

  protected include(code: Code, node: StatementOf<'include'>, frame: StatementFrame): void {
    const { isAsync, isStream } = this.options.mode;
    const locals = node.withContext ? this.locals(frame) : 'undefined';
    const name = this.expressions.value(node.template, frame);
    if (isStream && frame.canYield) {
      code.add(`if (${frame.out} !== "") { yield ${frame.out}; ${frame.out} = ""; }`);
      code.add(
        `yield* rt.include${isAsync ? 'Async' : ''}Stream(ctx, ${name}, ${node.ignoreMissing}, ${locals});`,
        node,
      );
    } else {
      code.add(
        `${frame.out} += ${this.await(`rt.include${isAsync ? 'Async' : ''}(ctx, ${name}, ${node.ignoreMissing}, ${locals})`)};`,
        node,
      );
    }
    if (this.options.limited) code.add(`ctx.limits.output(${frame.out}.length);`, node);
  }

  protected import(node: StatementOf<'import'> | StatementOf<'from'>, frame: StatementFrame): string {
    const locals = node.withContext ? this.locals(frame) : 'undefined';
    const { isAsync } = this.options.mode;
    return this.await(
      `rt.importModule${isAsync ? 'Async' : ''}(ctx, ${this.expressions.value(node.template, frame)}, ${locals})`,
    );
  }

  protected from(code: Code, node: StatementOf<'from'>, frame: StatementFrame): void {
    const module = `mod${this.counter.next++}`;
    code.add(`const ${module} = ${this.import(node, frame)};`, node);
    const where = literal(`line ${node.line}${this.expressions.inTemplate()}`);
    for (const { name, alias } of node.names) {
      const variable = frame.scope.find(alias) as string;
      code.add(`${variable} = rt.exported(env, ${module}, ${literal(name)}, ${where});`, node);
      if (frame.toplevel) code.add(`ctx.setPrivate(${literal(alias)}, ${variable});`);
    }
  }
}

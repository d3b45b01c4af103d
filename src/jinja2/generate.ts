import { Code, literal } from './code.ts';
import { TemplateAssertionError, TemplateSyntaxError } from './errors.ts';
import { ExpressionGenerator, type Frame, type Target as GeneratorTarget } from './generate-expressions.ts';
import type {
  Body,
  Expression,
  ExpressionOf,
  Parameter,
  Position,
  Statement,
  StatementOf,
  Target,
} from './nodes.ts';
import { bindingsOf, FunctionScope, mentions, namesOfTarget, Scope, statementsIn } from './scope.ts';

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
interface StatementFrame extends Frame {
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
const PIECE = 8192;

/** Turns the statements of one template into the body of `function (rt, env)`. */
export class Generator {
  readonly #options: GenerateOptions;
  readonly #expressions: ExpressionGenerator;
  readonly #counter: { next: number } = { next: 0 };
  readonly #blocks: Map<string, StatementOf<'block'>> = new Map();
  #hasExtends = false;
  #extendsKnown = false;
  #extendsSeen = 0;
  #extendsAt: Position | undefined;

  constructor(options: GenerateOptions) {
    this.#options = options;
    this.#expressions = new ExpressionGenerator({ ...options, isAsync: options.mode.isAsync });
  }

  /** The code: declarations, the root function, a function for each block, and what they are returned in. */
  generate(body: Body): Code {
    for (const node of statementsIn(body)) {
      if (node.type === 'block') {
        if (this.#blocks.has(node.name)) this.#fail(`block '${node.name}' defined twice`, node, true);
        this.#blocks.set(node.name, node);
      } else if (node.type === 'extends') this.#hasExtends = true;
    }
    const functions = new Code();
    functions.append(this.#function('root', body, true));
    for (const block of this.#blocks.values()) {
      functions.append(this.#function(`block_${block.name}`, block.body, false, block.name));
    }
    const out = new Code();
    for (const line of this.#expressions.declarations()) out.add(line);
    out.append(functions);
    const blocks = [...this.#blocks.keys()].map((name) => `[${literal(name)}]: block_${name}`);
    out.add(`return { root, blocks: { __proto__: null, ${blocks.join(', ')} } };`);
    return out;
  }

  #fail(message: string, at: Position, assertion: boolean = false): never {
    const kind = assertion ? TemplateAssertionError : TemplateSyntaxError;
    throw new kind(message, at.line, at.column, this.#options.name, this.#options.filename);
  }

  #keyword(generator: boolean): string {
    return `${this.#options.mode.isAsync ? 'async ' : ''}function${generator ? '*' : ''}`;
  }

  /** The root or a block as a function of the context. */
  #function(name: string, body: Body, isRoot: boolean, block?: string): Code {
    const { isStream } = this.#options.mode;
    const home = new FunctionScope(this.#counter);
    const scope = new Scope(undefined, home);
    const frame: StatementFrame = {
      scope,
      escaping: String(this.#options.autoescape),
      soft: false,
      out: 'o',
      toplevel: isRoot,
      root: isRoot,
      checksOutput: isRoot && this.#hasExtends,
      inLoop: false,
      canYield: isStream,
    };
    const inner = new Code();
    if (mentions(body, 'self'))
      inner.add(`const ${scope.declare('self')} = rt.self(${this.#expressions.context(frame)});`);
    if (block !== undefined && mentions(body, 'super')) {
      inner.add(
        `const ${scope.declare('super')} = ctx.super(${literal(block)}, block_${block}, ${this.#expressions.context(frame)});`,
      );
    }
    this.#bind(inner, body, scope, ['self', 'super']);
    this.#body(inner, body, frame);
    const code = new Code();
    code.add(`${this.#keyword(isStream)} ${name}(ctx) {`);
    if (isRoot && this.#hasExtends) code.add('let parent;');
    this.#head(code, home, 'let o = "";');
    code.append(inner);
    if (isRoot && this.#hasExtends) {
      if (isStream)
        code.add(
          'if (parent !== undefined) { if (o !== "") yield o; yield* parent.root(ctx); return; }',
          this.#extendsAt,
        );
      else
        code.add(`if (parent !== undefined) return o + ${this.#await('parent.root(ctx)')};`, this.#extendsAt);
    }
    code.add(isStream ? 'if (o !== "") yield o;' : 'return o;');
    code.add('}');
    return code;
  }

  /** Declarations at the head of a function, known only once its body is done. */
  #head(code: Code, home: FunctionScope, first: string): void {
    code.add(first);
    if (home.usesEscaped) code.add('const ec1 = ctx.evaluation(true);');
    if (home.usesPlain) code.add('const ec0 = ctx.evaluation(false);');
    for (const [name, variable] of home.fromContext)
      code.add(`const ${variable} = ctx.lookup(${literal(name)});`);
    if (home.temporaries.length > 0) code.add(`let ${home.temporaries.join(', ')};`);
  }

  #await(code: string): string {
    return this.#options.mode.isAsync ? `(await ${code})` : code;
  }

  /** Declares what the statements of a scope assign. */
  #bind(code: Code, body: Body, scope: Scope, given: readonly string[] = []): void {
    for (const [name, { startsFromOutside }] of bindingsOf(body, given)) {
      const outer = scope.parent?.find(name);
      const initial = outer ?? (startsFromOutside ? scope.home.context(name) : 'undefined');
      code.add(`let ${scope.declare(name)} = ${initial};`);
    }
  }

  #body(code: Code, body: Body, frame: StatementFrame): void {
    for (const node of body) this.#statement(code, node, frame);
  }

  #inner(frame: StatementFrame, changes: Partial<StatementFrame> = {}): StatementFrame {
    return { ...frame, scope: new Scope(frame.scope), toplevel: false, root: false, ...changes };
  }

  #statement(code: Code, node: Statement, frame: StatementFrame): void {
    switch (node.type) {
      case 'output':
        this.#output(code, node, frame);
        return;
      case 'if':
        this.#if(code, node, frame);
        return;
      case 'for':
        this.#for(code, node, frame);
        return;
      case 'set':
        this.#assign(code, node.target, this.#expressions.value(node.value, frame), frame, node);
        return;
      case 'set-block':
        this.#captured(code, node.body, frame, (text) => {
          const value = node.filter === undefined ? text : this.#filtered(node.filter, text, frame);
          this.#assign(code, node.target, value, frame, node);
        });
        return;
      case 'filter-block': {
        const text = this.#capture(code, node.body, this.#inner(frame, { canYield: false }));
        const value = this.#filtered(node.filter, `mark(${text}, ${frame.escaping})`, frame);
        code.add(`${frame.out} += ${this.#printedValue(value, frame)};`, node);
        return;
      }
      case 'with': {
        const inner = this.#inner(frame);
        code.add('{');
        // All values are computed outside of the new scope.
        const values = node.values.map((value) => this.#expressions.value(value, frame));
        const names = node.targets.flatMap((target) => [...namesOfTarget(target)]);
        const temporaries = values.map((value) => {
          const t = frame.scope.home.temporary();
          code.add(`${t} = ${value};`, node);
          return t;
        });
        this.#bind(code, node.body, inner.scope, names);
        for (const name of names) code.add(`let ${inner.scope.declare(name)};`);
        for (const [i, target] of node.targets.entries())
          this.#assign(code, target, temporaries[i] as string, inner, node);
        this.#body(code, node.body, inner);
        code.add('}');
        return;
      }
      case 'autoescape': {
        let escaping: string;
        if (node.value.type === 'constant') escaping = String(Boolean(node.value.value));
        else {
          escaping = `ae${this.#counter.next++}`;
          code.add(`const ${escaping} = ${this.#expressions.condition(node.value, frame)};`, node);
        }
        this.#scope(code, node.body, this.#inner(frame, { escaping }));
        return;
      }
      case 'scope':
        this.#scope(code, node.body, this.#inner(frame));
        return;
      case 'macro':
        this.#storeMacro(code, node, frame);
        return;
      case 'call-block': {
        const macro = this.#macro('', node.parameters, node.body, frame, node);
        const variable = `m${this.#counter.next++}`;
        code.add(`const ${variable} =`);
        code.append(macro);
        code.add(';');
        const call = this.#expressions.call(node.call as ExpressionOf<'call'>, frame, `caller: ${variable}`);
        code.add(`${frame.out} += ${this.#printedValue(this.#await(call), frame)};`, node);
        return;
      }
      case 'block':
        this.#block(code, node, frame);
        return;
      case 'extends':
        this.#extends(code, node, frame);
        return;
      case 'include':
        this.#include(code, node, frame);
        return;
      case 'import':
        code.add(`${frame.scope.find(node.target)} = ${this.#import(node, frame)};`, node);
        if (frame.toplevel)
          code.add(`ctx.setPrivate(${literal(node.target)}, ${frame.scope.find(node.target)});`);
        return;
      case 'from':
        this.#from(code, node, frame);
        return;
      case 'do':
        code.add(`${this.#expressions.value(node.value, frame)};`, node);
        return;
      case 'break':
      case 'continue':
        if (!frame.inLoop) this.#fail(`'${node.type}' outside of a loop`, node);
        code.add(`${node.type};`, node);
    }
  }

  #scope(code: Code, body: Body, inner: StatementFrame): void {
    code.add('{');
    this.#bind(code, body, inner.scope);
    this.#body(code, body, inner);
    code.add('}');
  }

  #printedValue(code: string, frame: StatementFrame): string {
    const value = this.#options.finalizes
      ? `rt.finalized(${this.#expressions.context(frame)}, ${code})`
      : code;
    if (frame.escaping === 'true') return `esc(${value})`;
    return frame.escaping === 'false' ? `str(${value})` : `rt.printed(${value}, ${frame.escaping})`;
  }

  /** Runs `emit` with the code of what a body prints, marked as HTML when the place escapes. */
  #captured(code: Code, body: Body, frame: StatementFrame, emit: (text: string) => void): void {
    const text = this.#capture(code, body, this.#inner(frame, { checksOutput: false, canYield: false }));
    emit(`mark(${text}, ${frame.escaping})`);
  }

  /** Collects what a body prints in a variable. */
  #capture(code: Code, body: Body, inner: StatementFrame): string {
    const out = `o${this.#counter.next++}`;
    code.add(`let ${out} = "";`);
    this.#scope(code, body, { ...inner, out });
    return out;
  }

  /** A chain of filters whose innermost input is `text`. */
  #filtered(filter: Expression, text: string, frame: StatementFrame): string {
    const node = filter as ExpressionOf<'filter'>;
    return this.#expressions.filter(
      node,
      node.input === undefined ? text : this.#filtered(node.input, text, frame),
      frame,
    );
  }

  #output(code: Code, node: StatementOf<'output'>, frame: StatementFrame): void {
    if (frame.checksOutput && this.#extendsKnown) return;
    const guard = frame.checksOutput && this.#extendsSeen > 0;
    if (guard) code.add('if (parent === undefined) {');
    let first = true;
    for (const part of node.parts) {
      if (typeof part === 'string' && part === '') continue;
      const text = typeof part === 'string' ? literal(part) : this.#expressions.printed(part, frame);
      // Each piece has a line of its own, so that the line in a stack trace says which expression failed.
      code.add(`${first ? `${frame.out} +=` : '+'} ${text}`, typeof part === 'string' ? undefined : part);
      first = false;
    }
    if (!first) code.add(';');
    if (this.#options.limited) code.add(`ctx.limits.output(${frame.out}.length);`, node);
    if (guard) code.add('}');
  }

  #if(code: Code, node: StatementOf<'if'>, frame: StatementFrame): void {
    const inner = { ...frame, root: false, soft: true };
    for (const [i, { test, body }] of node.branches.entries()) {
      code.add(`${i === 0 ? '' : '} else '}if (${this.#expressions.condition(test, inner)}) {`, test);
      this.#body(code, body, inner);
    }
    if (node.otherwise.length > 0) {
      code.add('} else {');
      this.#body(code, node.otherwise, inner);
    }
    code.add('}');
  }

  #assign(code: Code, target: Target, value: string, frame: StatementFrame, at: Position): void {
    if (target.type === 'name') {
      const variable = frame.scope.find(target.name) as string;
      code.add(`${variable} = ${value};`, at);
      if (frame.toplevel) code.add(`ctx.set(${literal(target.name)}, ${variable});`);
    } else if (target.type === 'namespace') {
      const object = this.#expressions.raw(target.name, frame);
      code.add(`rt.setAttribute(${object}, ${literal(target.attribute)}, ${value});`, at);
    } else {
      const t = frame.scope.home.temporary();
      code.add(`${t} = unpack(${value}, ${target.items.length});`, at);
      for (const [i, item] of target.items.entries()) this.#assign(code, item, `${t}[${i}]`, frame, at);
    }
  }

  #for(code: Code, node: StatementOf<'for'>, frame: StatementFrame): void {
    const targets = [...namesOfTarget(node.target)];
    if (targets.includes('loop'))
      this.#fail("Can't assign to special loop variable in for-loop target", node, true);
    for (const inner of statementsIn(node.body)) {
      if (
        (inner.type === 'set' || inner.type === 'set-block') &&
        [...namesOfTarget(inner.target)].includes('loop')
      ) {
        this.#fail("Can't assign to special loop variable in for-loop", inner, true);
      }
    }
    const scopedBlock = [...statementsIn(node.body)].some((inner) => inner.type === 'block' && inner.scoped);
    const extended = node.recursive || scopedBlock || mentions(node.body, 'loop');
    const empty = node.otherwise.length > 0 ? `e${this.#counter.next++}` : undefined;
    let source = this.#expressions.value(node.iterable, frame);
    code.add('{');
    if (empty !== undefined) code.add(`let ${empty} = true;`);
    const inner = this.#inner(frame, {
      inLoop: true,
      ...(node.recursive ? { canYield: false, out: 'o', checksOutput: false } : {}),
    });
    if (!extended) this.#simpleLoop(code, node, inner, source, targets, empty, frame);
    else {
      const { isAsync } = this.#options.mode;
      const lp = `lp${this.#counter.next++}`;
      const recurse = node.recursive ? `rec${this.#counter.next++}` : undefined;
      const home = recurse === undefined ? frame.scope.home : new FunctionScope(this.#counter);
      const loopFrame = recurse === undefined ? inner : { ...inner, scope: new Scope(frame.scope, home) };
      const loopCode = new Code();
      if (recurse !== undefined) source = 'source';
      if (node.test !== undefined) source = this.#selected(loopCode, node, loopFrame, source, targets);
      loopCode.add(
        `const ${lp} = rt.${isAsync ? 'asyncLoop' : 'loop'}(env, ${source}, ${recurse === undefined ? '0, undefined' : `depth, ${recurse}`}, ${frame.escaping});`,
        node.iterable,
      );
      this.#loopHead(loopCode, lp);
      if (empty !== undefined) loopCode.add(`${empty} = false;`);
      const scope = loopFrame.scope;
      scope.alias('loop', lp);
      for (const name of targets) loopCode.add(`let ${scope.own(name) ?? scope.declare(name)};`);
      this.#bind(loopCode, node.body, scope, [...targets, 'loop']);
      this.#assign(loopCode, node.target, `${lp}.current`, loopFrame, node.target);
      this.#loopBody(loopCode, node, loopFrame);
      loopCode.add('}');
      if (recurse === undefined) code.append(loopCode);
      else {
        code.add(`const ${recurse} = ${isAsync ? 'async ' : ''}(source, depth) => {`);
        // A call of the loop is one: it says again what happens with an empty sequence.
        if (empty !== undefined) code.add(`let ${empty} = true;`);
        this.#head(code, home, 'let o = "";');
        code.append(loopCode);
        if (empty !== undefined) {
          code.add(`if (${empty}) {`);
          const otherwise = { ...loopFrame, scope: new Scope(frame.scope, home), inLoop: false };
          this.#bind(code, node.otherwise, otherwise.scope);
          this.#body(code, node.otherwise, otherwise);
          code.add('}');
        }
        code.add('return o;');
        code.add('};');
        const call = this.#await(`${recurse}(${this.#expressions.value(node.iterable, frame)}, 0)`);
        if (!frame.checksOutput || !this.#extendsKnown) code.add(`${frame.out} += ${call};`, node.iterable);
      }
    }
    if (empty !== undefined && !node.recursive) {
      code.add(`if (${empty})`);
      this.#scope(code, node.otherwise, this.#inner(frame, { soft: true }));
    }
    code.add('}');
  }

  #loopHead(code: Code, lp: string): void {
    if (this.#options.mode.isAsync) {
      const n = `n${this.#counter.next++}`;
      code.add(
        `for (;;) { let ${n} = ${lp}.advance(); if (typeof ${n} !== "boolean") ${n} = await ${n}; if (!${n}) break;`,
      );
    } else code.add(`while (${lp}.advance()) {`);
  }

  #loopBody(code: Code, node: StatementOf<'for'>, frame: StatementFrame): void {
    if (this.#options.limited) code.add('ctx.limits.iteration();', node);
    this.#body(code, node.body, frame);
    if (frame.canYield)
      code.add(`if (${frame.out}.length > ${PIECE}) { yield ${frame.out}; ${frame.out} = ""; }`);
  }

  /** A loop that doesn't use `loop`: no object for it. */
  #simpleLoop(
    code: Code,
    node: StatementOf<'for'>,
    inner: StatementFrame,
    source: string,
    targets: readonly string[],
    empty: string | undefined,
    outer: StatementFrame,
  ): void {
    const { scope } = inner;
    const item = `v${this.#counter.next++}`;
    const { isAsync } = this.#options.mode;
    let cursor: string | undefined;
    if (isAsync) {
      cursor = `it${this.#counter.next++}`;
      code.add(`const ${cursor} = rt.cursor(${source});`, node.iterable);
      code.add('try {');
      this.#loopHead(code, cursor);
    } else code.add(`for (const ${item} of iterable(${source})) {`, node.iterable);
    for (const name of targets) code.add(`let ${scope.declare(name)};`);
    this.#assign(code, node.target, cursor === undefined ? item : `${cursor}.current`, inner, node.target);
    if (node.test !== undefined) {
      code.add(
        `if (!(${this.#expressions.condition(node.test, { ...inner, soft: outer.soft })})) continue;`,
        node.test,
      );
    }
    if (empty !== undefined) code.add(`${empty} = false;`);
    this.#bind(code, node.body, scope, targets);
    this.#loopBody(code, node, inner);
    code.add('}');
    if (cursor !== undefined)
      code.add(`} finally { const c = ${cursor}.close(); if (c !== undefined) await c; }`);
  }

  /** The items that pass a loop's condition, before the loop, because `loop.length` counts them. */
  #selected(
    code: Code,
    node: StatementOf<'for'>,
    frame: StatementFrame,
    source: string,
    targets: readonly string[],
  ): string {
    const list = `s${this.#counter.next++}`;
    const scope = new Scope(frame.scope.parent, frame.scope.home);
    const inner = { ...frame, scope };
    const test = node.test as Expression;
    code.add(`const ${list} = [];`);
    if (this.#options.mode.isAsync) {
      code.add(`const ${list}c = rt.cursor(${source});`, node.iterable);
      this.#loopHead(code, `${list}c`);
      code.add(`const ${list}v = ${list}c.current;`);
    } else code.add(`for (const ${list}v of iterable(${source})) {`, node.iterable);
    for (const name of targets) code.add(`let ${scope.declare(name)};`);
    this.#assign(code, node.target, `${list}v`, inner, node.target);
    if (this.#options.limited) code.add('ctx.limits.iteration();', node);
    code.add(`if (${this.#expressions.condition(test, inner)}) ${list}.push(${list}v);`, test);
    code.add('}');
    return list;
  }

  #storeMacro(code: Code, node: StatementOf<'macro'>, frame: StatementFrame): void {
    const variable = frame.scope.find(node.name) as string;
    code.add(`${variable} =`);
    code.append(this.#macro(node.name, node.parameters, node.body, frame, node));
    code.add(';');
    if (frame.toplevel) code.add(`ctx.set(${literal(node.name)}, ${variable});`);
  }

  /** An expression that makes a macro. */
  #macro(
    name: string,
    parameters: readonly Parameter[],
    body: Body,
    frame: StatementFrame,
    at: Position,
  ): Code {
    const home = new FunctionScope(this.#counter);
    const scope = new Scope(frame.scope, home);
    const names = parameters.map((parameter) => parameter.name);
    const special = ['caller', 'kwargs', 'varargs'].filter(
      (each) => mentions(body, each) && !names.includes(each),
    );
    const explicitCaller = parameters.find((parameter) => parameter.name === 'caller');
    if (explicitCaller !== undefined && explicitCaller.fallback === undefined) {
      this.#fail(
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
          : this.#expressions.value(fallback, inner);
      content.add(`if (${arguments_[i]} === undefined) ${arguments_[i]} = ${missing};`, fallback ?? at);
    }
    this.#bind(content, body, scope, [...names, ...special]);
    this.#body(content, body, inner);
    const code = new Code();
    const label = `macro_${name === '' ? 'caller' : name}`;
    code.add(
      `rt.macro(ctx, ${literal(name)}, ${JSON.stringify(names)}, ${JSON.stringify(special)}, ${this.#keyword(false)} ${label}(${arguments_.join(', ')}) {`,
    );
    this.#head(code, home, 'let o = "";');
    if (this.#options.limited) code.add('ctx.limits.iteration();', at);
    code.append(content);
    code.add('return o;');
    code.add(`}, ${frame.escaping})`);
    return code;
  }

  /** `{ name: variable }` of everything that is assigned here and further out. */
  #locals(frame: StatementFrame): string {
    const items = [...frame.scope.visible()].map(([name, variable]) => `[${literal(name)}]: ${variable}`);
    return `{ __proto__: null, ${items.join(', ')} }`;
  }

  #block(code: Code, node: StatementOf<'block'>, frame: StatementFrame): void {
    if (frame.toplevel && this.#extendsKnown) return;
    const guard = frame.toplevel && this.#extendsSeen > 0;
    if (guard) code.add('if (parent === undefined) {');
    const context = node.scoped ? `ctx.derived(${this.#locals(frame)})` : 'ctx';
    const call = `ctx.block(${literal(node.name)}, ${node.required})(${context})`;
    if (frame.canYield) {
      code.add(`if (${frame.out} !== "") { yield ${frame.out}; ${frame.out} = ""; }`);
      code.add(`yield* ${call};`, node);
    } else if (this.#options.mode.isStream)
      code.add(
        `${frame.out} += ${this.#await(`rt.${this.#options.mode.isAsync ? 'joinAsync' : 'join'}(${call})`)};`,
        node,
      );
    else code.add(`${frame.out} += ${this.#await(call)};`, node);
    if (guard) code.add('}');
  }

  #extends(code: Code, node: StatementOf<'extends'>, frame: StatementFrame): void {
    if (!frame.toplevel) this.#fail('cannot use extend from a non top-level scope', node, true);
    if (this.#extendsSeen > 0) code.add('if (parent !== undefined) rt.extendedTwice();', node);
    code.add(
      `parent = ${this.#await(`rt.extend${this.#options.mode.isAsync ? 'Async' : ''}(ctx, ${this.#expressions.value(node.template, frame)}, ${this.#variant()})`)};`,
      node,
    );
    if (frame.root) this.#extendsKnown = true;
    this.#extendsSeen++;
    this.#extendsAt = node;
  }

  /** The variant of other templates that this one works with. */
  #variant(): string {
    const { isAsync, isStream } = this.#options.mode;
    return literal(`${isAsync ? 'async' : 'sync'}${isStream ? 'Stream' : ''}`);
  }

  #include(code: Code, node: StatementOf<'include'>, frame: StatementFrame): void {
    const { isAsync, isStream } = this.#options.mode;
    const locals = node.withContext ? this.#locals(frame) : 'undefined';
    const name = this.#expressions.value(node.template, frame);
    if (isStream && frame.canYield) {
      code.add(`if (${frame.out} !== "") { yield ${frame.out}; ${frame.out} = ""; }`);
      code.add(
        `yield* rt.include${isAsync ? 'Async' : ''}Stream(ctx, ${name}, ${node.ignoreMissing}, ${locals});`,
        node,
      );
    } else {
      code.add(
        `${frame.out} += ${this.#await(`rt.include${isAsync ? 'Async' : ''}(ctx, ${name}, ${node.ignoreMissing}, ${locals})`)};`,
        node,
      );
    }
    if (this.#options.limited) code.add(`ctx.limits.output(${frame.out}.length);`, node);
  }

  #import(node: StatementOf<'import'> | StatementOf<'from'>, frame: StatementFrame): string {
    const locals = node.withContext ? this.#locals(frame) : 'undefined';
    const { isAsync } = this.#options.mode;
    return this.#await(
      `rt.importModule${isAsync ? 'Async' : ''}(ctx, ${this.#expressions.value(node.template, frame)}, ${locals})`,
    );
  }

  #from(code: Code, node: StatementOf<'from'>, frame: StatementFrame): void {
    const module = `mod${this.#counter.next++}`;
    code.add(`const ${module} = ${this.#import(node, frame)};`, node);
    const where = literal(`line ${node.line}${this.#expressions.inTemplate()}`);
    for (const { name, alias } of node.names) {
      const variable = frame.scope.find(alias) as string;
      code.add(`${variable} = rt.exported(env, ${module}, ${literal(name)}, ${where});`, node);
      if (frame.toplevel) code.add(`ctx.setPrivate(${literal(alias)}, ${variable});`);
    }
  }
}

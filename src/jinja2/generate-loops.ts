import { Code } from './code.ts';
import { FrameGenerator, PIECE, type StatementFrame } from './generate-frames.ts';
import type { Expression, StatementOf } from './nodes.ts';
import { FunctionScope, mentions, namesOfTarget, Scope, statementsIn } from './scope.ts';

/** The code of `{% for %}`. */
export abstract class LoopGenerator extends FrameGenerator {
  protected for(code: Code, node: StatementOf<'for'>, frame: StatementFrame): void {
    const targets = [...namesOfTarget(node.target)];
    if (targets.includes('loop'))
      this.fail("Can't assign to special loop variable in for-loop target", node, true);
    for (const inner of statementsIn(node.body)) {
      if (
        (inner.type === 'set' || inner.type === 'set-block') &&
        [...namesOfTarget(inner.target)].includes('loop')
      ) {
        this.fail("Can't assign to special loop variable in for-loop", inner, true);
      }
    }
    const scopedBlock = [...statementsIn(node.body)].some((inner) => inner.type === 'block' && inner.scoped);
    const extended = node.recursive || scopedBlock || mentions(node.body, 'loop');
    const empty = node.otherwise.length > 0 ? `e${this.counter.next++}` : undefined;
    let source = this.expressions.value(node.iterable, frame);
    code.add('{');
    if (empty !== undefined) code.add(`let ${empty} = true;`);
    const inner = this.inner(frame, {
      inLoop: true,
      ...(node.recursive ? { canYield: false, out: 'o', checksOutput: false } : {}),
    });
    if (!extended) this.simpleLoop(code, node, inner, source, targets, empty, frame);
    else {
      const { isAsync } = this.options.mode;
      const lp = `lp${this.counter.next++}`;
      const recurse = node.recursive ? `rec${this.counter.next++}` : undefined;
      const home = recurse === undefined ? frame.scope.home : new FunctionScope(this.counter);
      const loopFrame = recurse === undefined ? inner : { ...inner, scope: new Scope(frame.scope, home) };
      const loopCode = new Code();
      if (recurse !== undefined) source = 'source';
      if (node.test !== undefined) source = this.selected(loopCode, node, loopFrame, source, targets);
      loopCode.add(
        `const ${lp} = rt.${isAsync ? 'asyncLoop' : 'loop'}(ctx, ${source}, ${recurse === undefined ? '0, undefined' : `depth, ${recurse}`}, ${frame.escaping});`,
        node.iterable,
      );
      this.loopHead(loopCode, lp);
      if (empty !== undefined) loopCode.add(`${empty} = false;`);
      const scope = loopFrame.scope;
      scope.alias('loop', lp);
      for (const name of targets) loopCode.add(`let ${scope.own(name) ?? scope.declare(name)};`);
      this.bind(loopCode, node.body, scope, [...targets, 'loop']);
      this.assign(loopCode, node.target, `${lp}.current`, loopFrame, node.target);
      this.loopBody(loopCode, node, loopFrame);
      loopCode.add('}');
      if (recurse === undefined) code.append(loopCode);
      else {
        code.add(`const ${recurse} = ${isAsync ? 'async ' : ''}(source, depth) => {`);
        // A call of the loop is one: it says again what happens with an empty sequence.
        if (empty !== undefined) code.add(`let ${empty} = true;`);
        this.head(code, home, 'let o = "";');
        code.append(loopCode);
        if (empty !== undefined) {
          code.add(`if (${empty}) {`);
          const otherwise = { ...loopFrame, scope: new Scope(frame.scope, home), inLoop: false };
          this.bind(code, node.otherwise, otherwise.scope);
          this.body(code, node.otherwise, otherwise);
          code.add('}');
        }
        code.add('return o;');
        code.add('};');
        const call = this.await(`${recurse}(${this.expressions.value(node.iterable, frame)}, 0)`);
        if (!frame.checksOutput || !this.extendsKnown) code.add(`${frame.out} += ${call};`, node.iterable);
      }
    }
    if (empty !== undefined && !node.recursive) {
      code.add(`if (${empty})`);
      this.scope(code, node.otherwise, this.inner(frame, { soft: true }));
    }
    code.add('}');
  }

  protected loopHead(code: Code, lp: string): void {
    if (this.options.mode.isAsync) {
      const n = `n${this.counter.next++}`;
      code.add(
        `for (;;) { let ${n} = ${lp}.advance(); if (typeof ${n} !== "boolean") ${n} = await ${n}; if (!${n}) break;`,
      );
    } else code.add(`while (${lp}.advance()) {`);
  }

  protected loopBody(code: Code, node: StatementOf<'for'>, frame: StatementFrame): void {
    if (this.options.limited) code.add('ctx.limits.iteration();', node);
    this.body(code, node.body, frame);
    if (frame.canYield)
      code.add(`if (${frame.out}.length > ${PIECE}) { yield ${frame.out}; ${frame.out} = ""; }`);
  }

  /** A loop that doesn't use `loop`: no object for it. */
  protected simpleLoop(
    code: Code,
    node: StatementOf<'for'>,
    inner: StatementFrame,
    source: string,
    targets: readonly string[],
    empty: string | undefined,
    outer: StatementFrame,
  ): void {
    const { scope } = inner;
    const item = `v${this.counter.next++}`;
    const { isAsync } = this.options.mode;
    let cursor: string | undefined;
    if (isAsync) {
      cursor = `it${this.counter.next++}`;
      code.add(`const ${cursor} = rt.cursor(${source});`, node.iterable);
      code.add('try {');
      this.loopHead(code, cursor);
    } else code.add(`for (const ${item} of iterable(${source})) {`, node.iterable);
    for (const name of targets) code.add(`let ${scope.declare(name)};`);
    this.assign(code, node.target, cursor === undefined ? item : `${cursor}.current`, inner, node.target);
    if (node.test !== undefined) {
      code.add(
        `if (!(${this.expressions.condition(node.test, { ...inner, soft: outer.soft })})) continue;`,
        node.test,
      );
    }
    if (empty !== undefined) code.add(`${empty} = false;`);
    this.bind(code, node.body, scope, targets);
    this.loopBody(code, node, inner);
    code.add('}');
    if (cursor !== undefined)
      code.add(`} finally { const c = ${cursor}.close(); if (c !== undefined) await c; }`);
  }

  /** The items that pass a loop's condition, before the loop, because `loop.length` counts them. */
  protected selected(
    code: Code,
    node: StatementOf<'for'>,
    frame: StatementFrame,
    source: string,
    targets: readonly string[],
  ): string {
    const list = `s${this.counter.next++}`;
    const scope = new Scope(frame.scope.parent, frame.scope.home);
    const inner = { ...frame, scope };
    const test = node.test as Expression;
    code.add(`const ${list} = [];`);
    if (this.options.mode.isAsync) {
      code.add(`const ${list}c = rt.cursor(${source});`, node.iterable);
      this.loopHead(code, `${list}c`);
      code.add(`const ${list}v = ${list}c.current;`);
    } else code.add(`for (const ${list}v of iterable(${source})) {`, node.iterable);
    for (const name of targets) code.add(`let ${scope.declare(name)};`);
    this.assign(code, node.target, `${list}v`, inner, node.target);
    if (this.options.limited) code.add('ctx.limits.iteration();', node);
    code.add(`if (${this.expressions.condition(test, inner)}) ${list}.push(${list}v);`, test);
    code.add('}');
    return list;
  }
}

import type { Arguments, Body, Expression, Statement, Target } from './nodes.ts';

/** Expressions directly inside of an argument list. */
function* argumentsOf(args: Arguments): Generator<Expression> {
  yield* args.args;
  for (const keyword of args.keywords) yield keyword.value;
  if (args.spread !== undefined) yield args.spread;
  if (args.keywordSpread !== undefined) yield args.keywordSpread;
}

/** The expressions directly inside of an expression. */
export function* childrenOf(node: Expression): Generator<Expression> {
  switch (node.type) {
    case 'constant':
    case 'name':
      return;
    case 'tuple':
    case 'list':
      yield* node.items;
      return;
    case 'dict':
      for (const { key, value } of node.items) {
        yield key;
        yield value;
      }
      return;
    case 'conditional':
      yield node.test;
      yield node.consequent;
      if (node.otherwise !== undefined) yield node.otherwise;
      return;
    case 'binary':
    case 'logical':
      yield node.left;
      yield node.right;
      return;
    case 'not':
    case 'unary':
    case 'safe':
      yield node.operand;
      return;
    case 'concat':
      yield* node.parts;
      return;
    case 'compare':
      yield node.first;
      for (const { operand } of node.rest) yield operand;
      return;
    case 'attribute':
      yield node.object;
      return;
    case 'item':
      yield node.object;
      yield node.key;
      return;
    case 'slice':
      for (const part of [node.start, node.stop, node.step]) if (part !== undefined) yield part;
      return;
    case 'call':
      yield node.callee;
      yield* argumentsOf(node.args);
      return;
    case 'filter':
    case 'test':
      if (node.input !== undefined) yield node.input;
      yield* argumentsOf(node.args);
      return;
  }
}

/** A part of an expression that lies deeper in it than so many levels. Takes no stack itself. */
export function deeperThan(node: Expression, levels: number): Expression | undefined {
  const open: [node: Expression, depth: number][] = [[node, 0]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [inner, depth] = next;
    if (depth > levels) return inner;
    for (const child of childrenOf(inner)) open.push([child, depth + 1]);
  }
  return undefined;
}

/** Every variable that an expression reads. */
export function* namesIn(node: Expression): Generator<string> {
  if (node.type === 'name') yield node.name;
  for (const child of childrenOf(node)) yield* namesIn(child);
}

/** Every name that a target assigns. */
export function* namesOfTarget(target: Target): Generator<string> {
  if (target.type === 'name') yield target.name;
  else if (target.type === 'tuple') for (const item of target.items) yield* namesOfTarget(item);
}

/** Every namespace variable that a target reads. */
function* namespacesOf(target: Target): Generator<string> {
  if (target.type === 'namespace') yield target.name;
  else if (target.type === 'tuple') for (const item of target.items) yield* namespacesOf(item);
}

/** Expressions that a statement computes, those of the bodies in it left out. */
export function* expressionsOf(node: Statement): Generator<Expression> {
  switch (node.type) {
    case 'output':
      for (const part of node.parts) if (typeof part !== 'string') yield part;
      return;
    case 'for':
      yield node.iterable;
      if (node.test !== undefined) yield node.test;
      return;
    case 'if':
      for (const { test } of node.branches) yield test;
      return;
    case 'macro':
    case 'call-block':
      if (node.type === 'call-block') yield node.call;
      for (const { fallback } of node.parameters) if (fallback !== undefined) yield fallback;
      return;
    case 'filter-block':
      yield node.filter;
      return;
    case 'with':
      yield* node.values;
      return;
    case 'extends':
    case 'include':
    case 'import':
    case 'from':
      yield node.template;
      return;
    case 'set':
    case 'autoescape':
    case 'do':
      yield node.value;
      return;
    case 'set-block':
      if (node.filter !== undefined) yield node.filter;
      return;
    default:
  }
}

/** The bodies directly inside of a statement. */
export function bodiesOf(node: Statement): readonly Body[] {
  switch (node.type) {
    case 'for':
      return [node.body, node.otherwise];
    case 'if':
      return [...node.branches.map(({ body }) => body), node.otherwise];
    case 'macro':
    case 'call-block':
    case 'filter-block':
    case 'with':
    case 'block':
    case 'set-block':
    case 'autoescape':
    case 'scope':
      return [node.body];
    default:
      return [];
  }
}

/** Every statement of a body and of the bodies in it, outermost first. */
export function* statementsIn(body: Body): Generator<Statement> {
  for (const node of body) {
    yield node;
    for (const inner of bodiesOf(node)) yield* statementsIn(inner);
  }
}

/** True when the body reads one of the names anywhere; blocks are left out, because they see the context only. */
export function mentions(body: Body, name: string): boolean {
  for (const node of body) {
    for (const expression of expressionsOf(node))
      for (const found of namesIn(expression)) if (found === name) return true;
    if (node.type === 'block') continue;
    if ((node.type === 'set' || node.type === 'set-block') && [...namespacesOf(node.target)].includes(name))
      return true;
    for (const inner of bodiesOf(node)) if (mentions(inner, name)) return true;
  }
  return false;
}

/** What a scope's own statements do with a name that they assign. */
export interface Binding {
  /** The name is read before it is certainly assigned, so it starts with the value it has outside. */
  readonly startsFromOutside: boolean;
}

class Walk {
  readonly stored: Set<string>;
  readonly early: Set<string>;

  constructor(stored: Iterable<string>, early: Set<string>) {
    this.stored = new Set(stored);
    this.early = early;
  }

  #load(name: string): void {
    if (!this.stored.has(name)) this.early.add(name);
  }

  #expression(node: Expression): void {
    for (const name of namesIn(node)) this.#load(name);
  }

  #store(target: Target): void {
    for (const name of namespacesOf(target)) this.#load(name);
    for (const name of namesOfTarget(target)) this.stored.add(name);
  }

  body(body: Body): void {
    for (const node of body) this.#statement(node);
  }

  #statement(node: Statement): void {
    if (node.type === 'if') {
      this.#if(node.branches, node.otherwise);
      return;
    }
    if (node.type === 'macro') {
      this.stored.add(node.name);
      return;
    }
    if (node.type === 'for') this.#expression(node.iterable);
    else if (node.type === 'call-block') this.#expression(node.call);
    else if (node.type !== 'autoescape')
      for (const expression of expressionsOf(node)) this.#expression(expression);
    if (node.type === 'set' || node.type === 'set-block') this.#store(node.target);
    else if (node.type === 'import') this.stored.add(node.target);
    else if (node.type === 'from') for (const { alias } of node.names) this.stored.add(alias);
  }

  #if(branches: readonly { test: Expression; body: Body }[], otherwise: Body): void {
    const ends: Walk[] = [];
    for (const { test, body } of branches) {
      this.#expression(test);
      const walk = new Walk(this.stored, this.early);
      walk.body(body);
      ends.push(walk);
    }
    const last = new Walk(this.stored, this.early);
    last.body(otherwise);
    ends.push(last);
    const all = new Set(ends.flatMap((walk) => [...walk.stored]));
    for (const name of all) {
      // Assigned on some ways only: on the others it keeps the outer value.
      if (!this.stored.has(name) && !ends.every((walk) => walk.stored.has(name))) this.early.add(name);
      this.stored.add(name);
    }
  }
}

/**
 * The names that the statements of one scope assign. `if` makes no scope; loops, macros, blocks, `with`, `autoescape`, `filter` and
 * block assignments do, so what they assign inside is theirs.
 */
export function bindingsOf(body: Body, given: Iterable<string> = []): ReadonlyMap<string, Binding> {
  const walk = new Walk(given, new Set());
  const before = new Set(walk.stored);
  walk.body(body);
  const bindings = new Map<string, Binding>();
  for (const name of walk.stored) {
    if (!before.has(name)) bindings.set(name, { startsFromOutside: walk.early.has(name) });
  }
  return bindings;
}

/** Where the variables of a running piece of template live in the generated code. */
export class Scope {
  readonly parent: Scope | undefined;
  /** Function whose head declares what comes from the context. */
  readonly home: FunctionScope;
  readonly #variables: Map<string, string> = new Map();

  constructor(parent: Scope | undefined, home?: FunctionScope) {
    this.parent = parent;
    this.home = home ?? (parent as Scope).home;
  }

  /** Makes a variable of this scope. */
  declare(name: string): string {
    const variable = `${this.home.unique()}_${name}`;
    this.#variables.set(name, variable);
    return variable;
  }

  /** Gives a name a variable that exists already. */
  alias(name: string, variable: string): void {
    this.#variables.set(name, variable);
  }

  /** Forgets a name for a while; gives what restores it. */
  hide(name: string): () => void {
    const variable = this.#variables.get(name);
    this.#variables.delete(name);
    return () => {
      if (variable !== undefined) this.#variables.set(name, variable);
    };
  }

  /** The variable of a name, here or further out. */
  find(name: string): string | undefined {
    return this.#variables.get(name) ?? this.parent?.find(name);
  }

  own(name: string): string | undefined {
    return this.#variables.get(name);
  }

  /** Every name that a template included here sees besides the context, with its variable. */
  visible(): Map<string, string> {
    const all = this.parent?.visible() ?? new Map<string, string>();
    for (const [name, variable] of this.#variables) all.set(name, variable);
    return all;
  }
}

/** The part of the generated code that is one function. */
export class FunctionScope {
  /** Names read from the context, with the constants that hold their values. */
  readonly fromContext: Map<string, string> = new Map();
  readonly temporaries: string[] = [];
  usesEscaped = false;
  usesPlain = false;
  readonly #counter: { next: number; readonly names: Set<string> };

  constructor(counter: { next: number; readonly names: Set<string> }) {
    this.#counter = counter;
  }

  unique(): string {
    return `l${this.#counter.next++}`;
  }

  temporary(): string {
    const name = `t${this.#counter.next++}`;
    this.temporaries.push(name);
    return name;
  }

  /** The constant with the context's value of a name. */
  context(name: string): string {
    let variable = this.fromContext.get(name);
    if (variable === undefined) {
      variable = `c${this.#counter.next++}_${name}`;
      this.fromContext.set(name, variable);
      this.#counter.names.add(name);
    }
    return variable;
  }
}

import type { CharSet } from './char-set.ts';
import type { Step } from './pattern-steps.ts';
import { isSegmentRun, takesAll } from './pattern-steps.ts';
import type { Route } from './route.ts';
import type { Params } from './types.ts';

/** What a leaf of the tree leads to. Lower ranks win. */
export interface Entry {
  readonly rank: number;
  /** Makes the parameters' object of their values. */
  readonly makeParams: ParamsConstructor;
  /** The routes of the resource, in the order of registration; the array may still grow. */
  readonly routes: readonly Route[];
}

/** A sub-application: everything at its prefix and below is its own. */
export interface Mount {
  readonly rank: number;
}

/** Makes the object of a path's parameters from where they begin and end. */
export type ParamsConstructor = new (
  path: string,
  starts: readonly number[],
  ends: readonly number[],
  mayBeEscaped: boolean,
) => Params;

/**
 * A constructor of plain objects with these properties. One for each pattern, because the engine then knows the shape of the object
 * from its constructor: a third less time than adding the properties to an empty object.
 */
export function paramsConstructor(names: readonly string[]): ParamsConstructor {
  function PathParams(
    this: Record<string, string>,
    path: string,
    starts: readonly number[],
    ends: readonly number[],
    mayBeEscaped: boolean,
  ): void {
    for (let index = 0; index < names.length; index++) {
      const value = path.slice(starts[index], ends[index]);
      this[names[index]!] = mayBeEscaped && value.includes('%') ? decodeKept(value) : value;
    }
  }
  PathParams.prototype = Object.prototype;
  return PathParams as unknown as ParamsConstructor;
}

/** Higher than any rank. A small integer, as ranks are: the engine keeps those without a box. */
export const NO_RANK = 0x3fffffff;

/** How a parameter is taken out of the path. */
export const SEGMENT_RUN = 0;
export const ALL = 1;
export const RUN = 2;
export const PIECES = 3;
export const REGEX = 4;

/** A place in the tree where one way to take parameters begins; `next` is where the path goes on behind them. */
export class ParamNode {
  readonly key: string;
  readonly kind: number;
  readonly next: TrieNode = new TrieNode('');
  readonly set: CharSet | undefined;
  readonly min: number;
  readonly max: number;
  readonly separators: readonly string[];
  readonly regex: RegExp | undefined;
  readonly captures: number;

  constructor(step: Exclude<Step, { type: 'literal' }>) {
    this.key = step.key;
    this.kind =
      step.type === 'pieces'
        ? PIECES
        : step.type === 'regex'
          ? REGEX
          : isSegmentRun(step)
            ? SEGMENT_RUN
            : takesAll(step)
              ? ALL
              : RUN;
    this.set = step.type === 'run' ? step.set : undefined;
    this.min = step.type === 'run' ? step.min : 0;
    this.max = step.type === 'run' ? step.max : 0;
    this.separators = step.type === 'pieces' ? step.separators : [];
    this.regex = step.type === 'regex' ? step.regex : undefined;
    this.captures =
      step.type === 'regex' ? step.captures : step.type === 'pieces' ? step.separators.length : 1;
  }
}

/** A piece of literal text, and what may follow it. */
export class TrieNode {
  label: string;
  /** Nodes by the first character of their label, from the code {@link base} on. */
  children: (TrieNode | undefined)[] = [];
  base: number = 0;
  params: ParamNode[] = [];
  entries: Entry[] = [];
  mounts: Mount[] | undefined = undefined;
  /** Lowest rank in this part of the tree: it need not be entered when something better was found. */
  minRank: number = NO_RANK;

  constructor(label: string) {
    this.label = label;
  }

  child(code: number): TrieNode | undefined {
    const index = code - this.base;
    return index >= 0 && index < this.children.length ? this.children[index] : undefined;
  }

  addChild(node: TrieNode): void {
    const code = node.label.charCodeAt(0);
    if (this.children.length === 0) this.base = code;
    while (code < this.base) {
      this.children.unshift(undefined);
      this.base--;
    }
    while (this.children.length <= code - this.base) this.children.push(undefined);
    this.children[code - this.base] = node;
  }

  /** The node behind `text`, made where there is none; labels are split where texts part. */
  literal(text: string): TrieNode {
    if (text === '') return this;
    const known = this.child(text.charCodeAt(0));
    if (known === undefined) {
      const node = new TrieNode(text);
      this.addChild(node);
      return node;
    }
    let same = 1;
    while (same < text.length && same < known.label.length && text[same] === known.label[same]) same++;
    if (same === known.label.length) return known.literal(text.slice(same));
    const parent = new TrieNode(known.label.slice(0, same));
    known.label = known.label.slice(same);
    parent.addChild(known);
    this.addChild(parent);
    return parent.literal(text.slice(same));
  }

  param(step: Exclude<Step, { type: 'literal' }>): TrieNode {
    let node = this.params.find((param) => param.key === step.key);
    if (node === undefined) {
      node = new ParamNode(step);
      this.params.push(node);
    }
    return node.next;
  }

  /** Called once, when all is in. Entries and parameters are in the order of their ranks, because they were added in it. */
  seal(): number {
    let min = this.entries[0]?.rank ?? NO_RANK;
    for (const mount of this.mounts ?? []) min = Math.min(min, mount.rank);
    for (const child of this.children) if (child !== undefined) min = Math.min(min, child.seal());
    for (const param of this.params) min = Math.min(min, param.next.seal());
    this.minRank = min;
    return min;
  }
}

/** Decodes the two escapes that the path for routing keeps, once: `%252F` becomes `%2F`. */
function decodeKept(value: string): string {
  return value.replace(/%2[F5]/g, (kept) => (kept === '%25' ? '%' : '/'));
}

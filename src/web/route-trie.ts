import type { Step } from './pattern-steps.ts';
import type { Route } from './route.ts';
import type { Entry, Mount, ParamNode } from './trie-node.ts';
import { ALL, NO_RANK, PIECES, REGEX, SEGMENT_RUN, TrieNode } from './trie-node.ts';
import type { Params } from './types.ts';

const SLASH = 0x2f;
const PERCENT = 0x25;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/**
 * All resources with parameters and all sub-applications of one router, as a tree of literal texts and parameters. The answer is the one with
 * the lowest rank among those that match, the same as trying them one by one in the order of their ranks; the tree only saves the tries
 * that cannot succeed or cannot win. A path goes through each node at most once, and each step takes linear time at worst.
 *
 * The state of a search is kept in fields and not in objects made for each search: a search never calls foreign code, so it
 * cannot be entered twice. Only numbers and what lives as long as the router is kept there: the path, which is younger, would cost the
 * garbage collector a note for each request.
 */
export class RouteTrie {
  /** What the last {@link search} found: a route and the entry that it is of. */
  route: Route | undefined = undefined;
  entry: Entry | undefined = undefined;
  /** The sub-application of the last search, when it is what matched; {@link route} means nothing then. */
  mount: Mount | undefined = undefined;

  private readonly root: TrieNode = new TrieNode('');
  private method: string = '';
  private best: number = NO_RANK;
  private allowed: Set<string> | undefined = undefined;
  /** Whether a parameter on the way here may hold a `%`. */
  private mayBeEscaped: boolean = false;
  /** Where the parameters on the way to the current node begin and end. */
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  /** The same for {@link entry}. */
  private readonly foundStarts: number[] = [];
  private readonly foundEnds: number[] = [];

  /** Entries and sub-applications must come in the order of their ranks. */
  add(steps: readonly Step[], entry: Entry): void {
    let node = this.root;
    for (const step of steps) node = step.type === 'literal' ? node.literal(step.text) : node.param(step);
    node.entries.push(entry);
  }

  addMount(prefix: string, mount: Mount): void {
    const node = this.root.literal(prefix);
    (node.mounts ??= []).push(mount);
  }

  seal(): this {
    this.root.seal();
    return this;
  }

  /** Sets {@link route} and {@link entry}, or {@link mount}. Whether anything was found. */
  search(method: string, path: string): boolean {
    this.begin(method);
    this.walk(path, this.root, 0, 0);
    return this.best !== NO_RANK;
  }

  /** The parameters of the path that the last search was for. */
  params(path: string): Params {
    return new this.entry!.makeParams(path, this.foundStarts, this.foundEnds, this.mayBeEscaped);
  }

  /** Adds the methods of all resources that match a path to `allowed`; for a search that found nothing. */
  collect(path: string, allowed: Set<string>): void {
    this.begin('');
    this.allowed = allowed;
    this.walk(path, this.root, 0, 0);
    this.allowed = undefined;
  }

  private begin(method: string): void {
    this.route = undefined;
    this.entry = undefined;
    this.mount = undefined;
    this.method = method;
    this.best = NO_RANK;
    this.mayBeEscaped = false;
  }

  /**
   * One loop for the way down, because nearly every node of a path leaves one way to go; it only calls itself where a text and a parameter
   * are both possible.
   *
   * @param start where the text behind the label of `from` begins
   */
  private walk(path: string, from: TrieNode, start: number, captured: number): void {
    const { length } = path;
    let node = from;
    let position = start;
    let depth = captured;
    for (;;) {
      if (node.mounts !== undefined && (position === length || path.charCodeAt(position) === SLASH)) {
        this.acceptMount(node.mounts);
      }
      let child: TrieNode | undefined;
      if (position === length) {
        if (node.entries.length !== 0) this.accept(node.entries, depth);
      } else {
        const { children } = node;
        const index = path.charCodeAt(position) - node.base;
        if (index >= 0 && index < children.length) {
          child = children[index];
          if (
            child !== undefined &&
            (child.minRank >= this.best || !startsWith(path, child.label, position))
          ) {
            child = undefined;
          }
        }
      }

      const { params } = node;
      if (params.length === 0) {
        if (child === undefined) return;
        position += child.label.length;
        node = child;
        continue;
      }
      if (child !== undefined) this.walk(path, child, position + child.label.length, depth);
      if (params.length > 1) {
        for (let index = 0; index < params.length; index++) {
          const param = params[index]!;
          if (param.next.minRank >= this.best) return;
          const end = this.take(path, param, position, depth);
          if (end !== -1) this.walk(path, param.next, end, depth + param.captures);
        }
        return;
      }
      const param = params[0]!;
      if (param.next.minRank >= this.best) return;
      position = this.take(path, param, position, depth);
      if (position === -1) return;
      depth += param.captures;
      node = param.next;
    }
  }

  /** Where the parameters of a node end that begin at `position`, or -1. */
  private take(path: string, param: ParamNode, position: number, depth: number): number {
    let end = position;
    if (param.kind === SEGMENT_RUN) {
      const { length } = path;
      for (; end < length; end++) {
        const code = path.charCodeAt(end);
        if (code === SLASH || code === OPENING_BRACE || code === CLOSING_BRACE) break;
        if (code === PERCENT) this.mayBeEscaped = true;
      }
      if (end === position) return -1;
      this.starts[depth] = position;
      this.ends[depth] = end;
      return end;
    }
    this.mayBeEscaped = true;
    if (param.kind === PIECES) return this.takePieces(path, param.separators, position, depth);
    if (param.kind === REGEX) return this.takeRegex(path, param.regex!, position, depth);
    end = param.kind === ALL ? path.length : param.set!.scan(path, position, param.min, param.max);
    this.starts[depth] = position;
    this.ends[depth] = end;
    return end;
  }

  /** From the end of the segment to its beginning: each text as far right as it goes, with one character at least between two. */
  private takePieces(path: string, separators: readonly string[], position: number, depth: number): number {
    const { starts, ends } = this;
    let end = position;
    for (; end < path.length; end++) {
      const code = path.charCodeAt(end);
      if (code === SLASH) break;
      if (code === OPENING_BRACE || code === CLOSING_BRACE) return -1;
    }
    let index = separators.length - 1;
    const last = separators[index]!;
    let right = end - last.length;
    if (right <= position || !path.startsWith(last, right)) return -1;
    for (; index > 0; index--) {
      const separator = separators[index - 1]!;
      let at = path.lastIndexOf(separator, right - 1 - separator.length);
      // Half of an astral character is no character.
      if (separator === '' && (path.charCodeAt(at) & 0xfc00) === 0xdc00) at--;
      if (at < position) return -1;
      starts[depth + index] = at + separator.length;
      ends[depth + index] = right;
      right = at;
    }
    if (right <= position) return -1;
    starts[depth] = position;
    ends[depth] = right;
    return end;
  }

  private takeRegex(path: string, regex: RegExp, position: number, depth: number): number {
    regex.lastIndex = position;
    const found = regex.exec(path);
    if (found === null) return -1;
    const indices = found.indices!;
    for (let index = 1; index < indices.length; index++) {
      // A parameter is never optional, so it took part in the match.
      const [start, end] = indices[index]!;
      this.starts[depth + index - 1] = start;
      this.ends[depth + index - 1] = end;
    }
    return position + found[0].length;
  }

  private accept(entries: readonly Entry[], depth: number): void {
    const { method, allowed } = this;
    for (let index = 0; index < entries.length; index++) {
      const entry = entries[index]!;
      if (entry.rank >= this.best) return;
      if (allowed !== undefined) {
        for (const route of entry.routes) allowed.add(route.method);
        continue;
      }
      const route = findRoute(entry.routes, method);
      if (route === undefined) continue;
      this.best = entry.rank;
      this.route = route;
      this.entry = entry;
      this.mount = undefined;
      // What is tried after this may win or fail; either way it writes over where the parameters were.
      for (let at = 0; at < depth; at++) {
        this.foundStarts[at] = this.starts[at]!;
        this.foundEnds[at] = this.ends[at]!;
      }
      return;
    }
  }

  private acceptMount(mounts: readonly Mount[]): void {
    for (const mount of mounts) {
      if (mount.rank >= this.best) continue;
      this.best = mount.rank;
      this.mount = mount;
    }
  }
}

function startsWith(path: string, label: string, position: number): boolean {
  const { length } = label;
  if (position + length > path.length) return false;
  // The first character is what led here.
  for (let index = 1; index < length; index++) {
    if (path.charCodeAt(position + index) !== label.charCodeAt(index)) return false;
  }
  return true;
}

/** The route for a method; `*` comes last in its resource. */
export function findRoute(routes: readonly Route[], method: string): Route | undefined {
  for (let index = 0; index < routes.length; index++) {
    const route = routes[index]!;
    if (route.method === method || route.method === '*') return route;
  }
  return undefined;
}

import type { CharSet } from './char-set.ts';
import type { RegexNode } from './regex-syntax.ts';

/**
 * Whether a backtracking matcher can be made to work long by a chosen text, and why.
 *
 * The idea. A backtracking matcher tries, before it gives up on a text, every way in which the expression can read each beginning of it.
 * So the time per character is bounded exactly when the number of those ways is. The expression becomes a position automaton (Glushkov: one
 * state for each place that reads a character; an edge is counted once for each way through the empty steps between two places). Then
 * all texts are tried at once, as in the subset construction, but each subset counts the ways in which each state is reached. If
 * this ends with no count above {@link MAX_WAYS}, no text can be read in more ways: that is the proof. If a count grows above it, the text
 * that led there is the proof of the contrary. What takes too long to decide is refused as well.
 *
 * Repetitions with large bounds are treated as unbounded, which can only add ways.
 */
export interface RegexDanger {
  /** What is wrong and what to write instead, as the end of a sentence about the pattern. */
  readonly problem: string;
}

/** Ways to read one text; ordinary patterns have one to three. */
const MAX_WAYS = 32;
const MAX_SUBSETS = 2_000;
const MAX_POSITIONS = 600;
/** Up to here a bounded repetition is written out; a single class may repeat longer than a group. */
const MAX_COPIES_OF_CLASS = 256;
const MAX_COPIES_OF_GROUP = 64;

/**
 * @param node the whole expression, to be matched up to the end of its text
 * @returns `undefined` when matching is proved to take linear time
 */
export function findDanger(node: RegexNode): RegexDanger | undefined {
  const automaton = new Automaton();
  try {
    automaton.finish(automaton.add(node, []));
    return explore(automaton);
  } catch (error) {
    if (error instanceof Refusal) return { problem: error.message };
    throw error;
  }
}

class Refusal extends Error {}

type Repeat = Extract<RegexNode, { type: 'repeat' }>;

interface Position {
  readonly set: CharSet;
  /** Repetitions around it that were not written out, the outermost first. */
  readonly loops: readonly Repeat[];
  /** Ways by next position. */
  readonly follow: Map<number, number>;
}

/** A piece of the automaton: how many empty ways lead through it, and the ways to its first and from its last positions. */
interface Fragment {
  readonly empty: number;
  readonly first: ReadonlyMap<number, number>;
  readonly last: ReadonlyMap<number, number>;
}

const NOTHING: Fragment = { empty: 1, first: new Map(), last: new Map() };

class Automaton {
  readonly positions: Position[] = [];
  start: ReadonlyMap<number, number> = new Map();
  /** Positions from which the match cannot fail any more: `.*` at the very end. */
  readonly sure = new Set<number>();

  finish(whole: Fragment): void {
    this.start = whole.first;
    for (const last of whole.last.keys()) {
      const { set, follow } = this.positions[last]!;
      if (set.universal && follow.size === 1 && follow.get(last) === 1) this.sure.add(last);
    }
  }

  add(node: RegexNode, loops: readonly Repeat[]): Fragment {
    switch (node.type) {
      case 'set':
        return this.#place(node.set, loops);
      case 'sequence':
        return node.items.reduce(
          (before: Fragment, item) => this.#join(before, this.add(item, loops)),
          NOTHING,
        );
      case 'choice': {
        const options = node.options.map((option) => this.add(option, loops));
        return {
          empty: options.reduce((sum, option) => sum + option.empty, 0),
          first: total(options.map((option) => option.first)),
          last: total(options.map((option) => option.last)),
        };
      }
      case 'repeat':
        return this.#repeat(node, loops);
    }
  }

  #place(set: CharSet, loops: readonly Repeat[]): Fragment {
    const index = this.positions.length;
    if (index >= MAX_POSITIONS) throw new Refusal('it is too long to be checked. Write a shorter one');
    this.positions.push({ set, loops, follow: new Map() });
    const only = new Map([[index, 1]]);
    return { empty: 0, first: only, last: only };
  }

  #join(before: Fragment, after: Fragment): Fragment {
    this.#connect(before.last, after.first);
    return {
      empty: before.empty * after.empty,
      first: total([before.first, times(after.first, before.empty)]),
      last: total([after.last, times(before.last, after.empty)]),
    };
  }

  #connect(from: ReadonlyMap<number, number>, to: ReadonlyMap<number, number>): void {
    for (const [source, waysOut] of from) {
      const { follow } = this.positions[source]!;
      for (const [target, waysIn] of to) follow.set(target, (follow.get(target) ?? 0) + waysOut * waysIn);
    }
  }

  #repeat(node: Repeat, loops: readonly Repeat[]): Fragment {
    const { body, min, max } = node;
    const copies = body.type === 'set' ? max : max * weight(body);
    if (copies <= (body.type === 'set' ? MAX_COPIES_OF_CLASS : MAX_COPIES_OF_GROUP)) {
      return this.#copies(body, min, max, loops);
    }
    const once = this.add(body, [...loops, node]);
    if (once.empty > 0) {
      throw new Refusal(
        `'${node.text}' repeats something that may be empty, '${body.text}', so it can be matched in endless ways. ` +
          'Make the repeated part match at least one character',
      );
    }
    this.#connect(once.last, once.first);
    return { empty: min === 0 ? 1 : 0, first: once.first, last: once.last };
  }

  /** `x{2,4}` as `x x (x (x)?)?`: each text has one way through it. */
  #copies(body: RegexNode, min: number, max: number, loops: readonly Repeat[]): Fragment {
    const parts = Array.from({ length: max }, () => this.add(body, loops));
    let rest = NOTHING;
    for (const part of parts.slice(min).reverse()) {
      const some = this.#join(part, rest);
      rest = { empty: some.empty + 1, first: some.first, last: some.last };
    }
    return this.#join(
      parts.slice(0, min).reduce((before: Fragment, part) => this.#join(before, part), NOTHING),
      rest,
    );
  }
}

function weight(node: RegexNode): number {
  switch (node.type) {
    case 'set':
      return 1;
    case 'sequence':
      return node.items.reduce((sum, item) => sum + weight(item), 0);
    case 'choice':
      return node.options.reduce((sum, option) => sum + weight(option), 0);
    case 'repeat':
      return weight(node.body) * Math.max(1, Math.min(node.max, MAX_COPIES_OF_CLASS));
  }
}

function total(maps: readonly ReadonlyMap<number, number>[]): Map<number, number> {
  const sum = new Map<number, number>();
  for (const map of maps) for (const [key, ways] of map) sum.set(key, (sum.get(key) ?? 0) + ways);
  return sum;
}

function times(map: ReadonlyMap<number, number>, factor: number): ReadonlyMap<number, number> {
  if (factor === 1) return map;
  return factor === 0 ? new Map() : new Map([...map].map(([key, ways]) => [key, ways * factor]));
}

/** Ways by state after some text, and how that text came to be. */
interface Subset {
  readonly ways: ReadonlyMap<number, number>;
  readonly parent: Subset | undefined;
  readonly char: number;
}

function explore(automaton: Automaton): RegexDanger | undefined {
  const letters = alphabet(automaton.positions.map((position) => position.set));
  const steps: ReadonlyMap<number, number>[] = automaton.positions.map((position) => position.follow);
  const seen = new Set<string>();
  let current: Subset[] = [{ ways: new Map(), parent: undefined, char: 0 }];
  while (current.length > 0) {
    const next: Subset[] = [];
    for (const subset of current) {
      const reached =
        subset.parent === undefined
          ? automaton.start
          : total([...subset.ways].map(([state, ways]) => times(steps[state]!, ways)));
      for (const char of letters) {
        const ways = new Map<number, number>();
        let sum = 0;
        for (const [state, count] of reached) {
          if (automaton.sure.has(state) || !automaton.positions[state]!.set.has(char)) continue;
          ways.set(state, count);
          sum += count;
        }
        if (sum === 0) continue;
        const after: Subset = { ways, parent: subset, char };
        if (sum > MAX_WAYS) return { problem: explain(automaton, after) };
        const key = [...ways].sort((a, b) => a[0] - b[0]).join(' ');
        if (seen.has(key)) continue;
        seen.add(key);
        if (seen.size > MAX_SUBSETS) {
          return {
            problem:
              'it is too intricate to be proved safe. Write a simpler one and check the rest in the handler',
          };
        }
        next.push(after);
      }
    }
    current = next;
  }
  return undefined;
}

/** One character for each class of characters that the sets do not tell apart. */
function alphabet(sets: readonly CharSet[]): number[] {
  const distinct = [...new Map(sets.map((set) => [set.key, set])).values()];
  const edges = new Set([0]);
  for (const set of distinct) for (const [from, to] of set.pairs()) edges.add(from).add(to + 1);
  const letters = new Map<string, number>();
  for (const code of edges) {
    if (code > 0x10ffff) continue;
    const signature = distinct.map((set) => (set.has(code) ? '1' : '0')).join('');
    const known = letters.get(signature);
    if (signature.includes('1') && (known === undefined || printable(code) > printable(known)))
      letters.set(signature, code);
  }
  return [...letters.values()];
}

/** Prefers letters that an error message can show. */
function printable(code: number): number {
  return code > 0x20 && code < 0x7f ? 1 : 0;
}

function explain(automaton: Automaton, subset: Subset): string {
  let text = '';
  for (let at = subset; at.parent !== undefined; at = at.parent) text = String.fromCodePoint(at.char) + text;
  const shown = JSON.stringify(text.length > 16 ? `${text.slice(0, 16)}…` : text);
  const effect = `a text such as ${shown} could be read in ever more ways, and refusing it would take very long`;

  const [busiest] = [...subset.ways].sort((a, b) => b[1] - a[1])[0]!;
  const alive = [...subset.ways.keys()]
    .sort((a, b) => a - b)
    .map((state) => automaton.positions[state]!.loops.at(-1));
  const { loops } = automaton.positions[busiest]!;
  const [outer, inner] = [loops[0], loops.at(-1)];
  if (outer !== undefined && inner !== undefined && outer !== inner) {
    return (
      `'${outer.text}' repeats '${inner.text}', which repeats itself: ${effect}. ` +
      'Repeat once, or separate the repeated parts by a character that they cannot match'
    );
  }
  const neighbours = [...new Set(alive.filter((loop) => loop !== undefined))];
  if (neighbours.length > 1) {
    return (
      `'${neighbours[0]!.text}' and '${neighbours[1]!.text}' can match the same characters, one after the other: ${effect}. ` +
      'Let them match different characters, or put a character between them that the second cannot match, for example {a:[^/-]+}-{b:[^/-]+}'
    );
  }
  if (inner !== undefined) {
    return `alternatives in '${inner.text}' can match the same text: ${effect}. Let them begin with different characters`;
  }
  return `many of its parts can match the same text: ${effect}. Let them match different characters`;
}

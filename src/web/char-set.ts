const LAST_CODE_POINT = 0x10ffff;

/**
 * A set of Unicode code points: what one place of a regular expression matches. Kept as sorted, disjoint, inclusive ranges
 * `[from, to, from, to, …]`, and as a table for ASCII, where nearly all paths live.
 */
export class CharSet {
  readonly ranges: readonly number[];
  /** 1 where the code is in the set. */
  readonly ascii: Uint8Array;
  /**
   * `false` when the set is larger here than in truth (`\p{…}` counts as everything): good for proofs that nothing else is matched, not for
   * matching.
   */
  readonly exact: boolean;

  constructor(ranges: readonly number[], exact: boolean = true) {
    this.ranges = ranges;
    this.exact = exact;
    this.ascii = new Uint8Array(128);
    for (let code = 0; code < 128; code++) if (includes(ranges, code)) this.ascii[code] = 1;
  }

  /** The set of all ranges given, in any order, overlapping or not. */
  static of(pairs: readonly (readonly [from: number, to: number])[], exact: boolean = true): CharSet {
    const merged: number[] = [];
    for (const [from, to] of [...pairs].sort((a, b) => a[0] - b[0])) {
      const last = merged.length - 1;
      if (last > 0 && from <= merged[last]! + 1) merged[last] = Math.max(merged[last]!, to);
      else merged.push(from, to);
    }
    return new CharSet(merged, exact);
  }

  static char(code: number): CharSet {
    return new CharSet([code, code]);
  }

  static union(sets: readonly CharSet[]): CharSet {
    return CharSet.of(
      sets.flatMap((set) => set.pairs()),
      sets.every((set) => set.exact),
    );
  }

  has(code: number): boolean {
    return code < 128 ? this.ascii[code] === 1 : includes(this.ranges, code);
  }

  get empty(): boolean {
    return this.ranges.length === 0;
  }

  /** Whether it holds every code point. */
  get universal(): boolean {
    return (
      this.exact && this.ranges.length === 2 && this.ranges[0] === 0 && this.ranges[1] === LAST_CODE_POINT
    );
  }

  negate(): CharSet {
    const pairs: [number, number][] = [];
    let next = 0;
    for (const [from, to] of this.pairs()) {
      if (from > next) pairs.push([next, from - 1]);
      next = to + 1;
    }
    if (next <= LAST_CODE_POINT) pairs.push([next, LAST_CODE_POINT]);
    return CharSet.of(pairs, this.exact);
  }

  pairs(): (readonly [from: number, to: number])[] {
    const pairs: [number, number][] = [];
    for (let index = 0; index < this.ranges.length; index += 2) {
      pairs.push([this.ranges[index]!, this.ranges[index + 1]!]);
    }
    return pairs;
  }

  equals(other: CharSet): boolean {
    return this.exact === other.exact && this.key === other.key;
  }

  get key(): string {
    return this.ranges.join(',');
  }

  /**
   * Where the longest run of this set ends that begins at `start` and has at most `max` code points, or -1 when it has fewer than
   * `min`. No allocation: the router calls it for each parameter.
   */
  scan(text: string, start: number, min: number, max: number): number {
    const { length } = text;
    const { ascii } = this;
    let position = start;
    let count = 0;
    while (position < length && count < max) {
      const code = text.charCodeAt(position);
      if (code < 128) {
        if (ascii[code] === 0) break;
        position++;
      } else {
        const wide = text.codePointAt(position)!;
        if (!includes(this.ranges, wide)) break;
        position += wide > 0xffff ? 2 : 1;
      }
      count++;
    }
    return count < min ? -1 : position;
  }
}

function includes(ranges: readonly number[], code: number): boolean {
  for (let index = 0; index < ranges.length; index += 2) {
    if (code < ranges[index]!) return false;
    if (code <= ranges[index + 1]!) return true;
  }
  return false;
}

export const ANY_CHAR: CharSet = new CharSet([0, LAST_CODE_POINT]);
export const DIGITS: CharSet = CharSet.of([[0x30, 0x39]]);
export const WORD: CharSet = CharSet.of([
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]);
/** White space and line ends of ECMA-262 §22.2.2.9. */
export const SPACES: CharSet = CharSet.of([
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]);
/** What a parameter without a regular expression is made of: `[^{}/]`. */
export const SEGMENT: CharSet = CharSet.of([
  [0x2f, 0x2f],
  [0x7b, 0x7b],
  [0x7d, 0x7d],
]).negate();

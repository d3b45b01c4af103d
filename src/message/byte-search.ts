/**
 * Finds a pattern in bytes that come piece by piece, looking at each byte once (Knuth, Morris, Pratt): what of the pattern a piece ends with is
 * remembered for the next.
 */
export class ByteSearch {
  private readonly pattern: Uint8Array;
  /** For each prefix, the length of its longest proper prefix that is also its suffix. */
  private readonly fallback: Uint32Array | undefined;
  private matched: number;

  /** @param pattern At least one byte. */
  constructor(pattern: Uint8Array) {
    this.pattern = pattern;
    this.matched = 0;
    if (pattern.length === 1) {
      this.fallback = undefined;
      return;
    }
    const fallback = new Uint32Array(pattern.length);
    for (let i = 1, length = 0; i < pattern.length; i++) {
      while (length > 0 && pattern[i] !== pattern[length]) length = fallback[length - 1]!;
      if (pattern[i] === pattern[length]) length++;
      fallback[i] = length;
    }
    this.fallback = fallback;
  }

  /** Looks through `bytes` from an index; the index after the pattern's end, or -1 when it doesn't end in this piece. */
  push(bytes: Uint8Array, from: number): number {
    const { pattern, fallback } = this;
    const first = pattern[0]!;
    if (fallback === undefined) return bytes.indexOf(first, from) + 1 || -1;
    let { matched } = this;
    for (let i = from; i < bytes.length; i++) {
      if (matched === 0) {
        i = bytes.indexOf(first, i);
        if (i === -1) break;
      }
      const byte = bytes[i];
      while (matched > 0 && byte !== pattern[matched]) matched = fallback[matched - 1]!;
      if (byte === pattern[matched]) matched++;
      if (matched === pattern.length) {
        this.matched = 0;
        return i + 1;
      }
    }
    this.matched = matched;
    return -1;
  }
}

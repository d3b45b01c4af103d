import { ANY_CHAR, CharSet, DIGITS, SPACES, WORD } from './char-set.ts';

/**
 * A regular expression as a tree: what is left of it when groups are only brackets. `text` is its piece of the pattern, for
 * error messages.
 */
export type RegexNode =
  | { readonly type: 'set'; readonly text: string; readonly set: CharSet; readonly source: string }
  | { readonly type: 'sequence'; readonly text: string; readonly items: readonly RegexNode[] }
  | { readonly type: 'choice'; readonly text: string; readonly options: readonly RegexNode[] }
  | {
      readonly type: 'repeat';
      readonly text: string;
      readonly body: RegexNode;
      readonly min: number;
      readonly max: number;
      readonly lazy: boolean;
    };

/** What is wrong with a regular expression, and what to write instead. The caller adds where it stands. */
export class RegexSyntaxError extends Error {
  override readonly name: string = 'RegexSyntaxError';
}

/** Deeper brackets than any sane pattern has, far from the end of the stack. */
const MAX_DEPTH = 50;
const MAX_REPEAT = 10_000;

const CLASS_ESCAPES: ReadonlyMap<string, CharSet> = new Map([
  ['d', DIGITS],
  ['D', DIGITS.negate()],
  ['w', WORD],
  ['W', WORD.negate()],
  ['s', SPACES],
  ['S', SPACES.negate()],
]);
const CONTROL_ESCAPES: ReadonlyMap<string, number> = new Map([
  ['t', 9],
  ['n', 10],
  ['v', 11],
  ['f', 12],
  ['r', 13],
  ['0', 0],
]);
const HEX_ESCAPE = /^([\da-f]{2})/i;
const UNICODE_ESCAPE = /^(?:([\da-f]{4})|\{([\da-f]{1,6})\})/i;

/**
 * Reads the regular expressions that a path pattern may hold: characters, classes, groups, alternatives, repetitions, with JavaScript's
 * meaning under the flags `u` and `s` (`.` is any character). Anchors, look-around and back-references are refused: a parameter is always
 * matched from its first to its last character, and without them it can be proved how long matching takes.
 *
 * @throws RegexSyntaxError
 */
export function parseRegex(pattern: string): RegexNode {
  return new Parser(pattern).parse();
}

/** The tree as the source of a `RegExp` with the flag `u`, without capturing groups. */
export function regexSource(node: RegexNode): string {
  switch (node.type) {
    case 'set':
      return node.source;
    case 'sequence':
      return node.items
        .map((item) => (item.type === 'choice' ? `(?:${regexSource(item)})` : regexSource(item)))
        .join('');
    case 'choice':
      return node.options.map(regexSource).join('|');
    case 'repeat': {
      const body = node.body.type === 'set' ? regexSource(node.body) : `(?:${regexSource(node.body)})`;
      const max = node.max === node.min ? '' : node.max === Number.POSITIVE_INFINITY ? ',' : `,${node.max}`;
      return `${body}{${node.min}${max}}${node.lazy ? '?' : ''}`;
    }
  }
}

/** The tree of a literal text. */
export function literalNode(text: string): RegexNode {
  const items = Array.from(text, (char) => charNode(char.codePointAt(0)!, char));
  return items.length === 1 ? items[0]! : { type: 'sequence', text, items };
}

function charNode(code: number, text: string): RegexNode {
  return { type: 'set', text, set: CharSet.char(code), source: escaped(code) };
}

function escaped(code: number): string {
  const char = String.fromCodePoint(code);
  return /[A-Za-z0-9_]/.test(char) ? char : `\\u{${code.toString(16)}}`;
}

class Parser {
  readonly #pattern: string;
  #position = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  parse(): RegexNode {
    const node = this.#choice();
    if (this.#position < this.#pattern.length) throw new RegexSyntaxError("unmatched ')'");
    return node;
  }

  #peek(): string {
    return this.#pattern.charAt(this.#position);
  }

  #take(): string {
    const char = String.fromCodePoint(this.#pattern.codePointAt(this.#position) ?? 0);
    this.#position += char.length;
    return char;
  }

  #eat(text: string): boolean {
    if (!this.#pattern.startsWith(text, this.#position)) return false;
    this.#position += text.length;
    return true;
  }

  #choice(): RegexNode {
    const start = this.#position;
    const options = [this.#sequence()];
    while (this.#eat('|')) options.push(this.#sequence());
    const text = this.#pattern.slice(start, this.#position);
    return options.length === 1 ? options[0]! : { type: 'choice', text, options };
  }

  #sequence(): RegexNode {
    const start = this.#position;
    const items: RegexNode[] = [];
    while (this.#position < this.#pattern.length && this.#peek() !== '|' && this.#peek() !== ')') {
      items.push(this.#repeated());
    }
    if (items.length === 1) return items[0]!;
    return { type: 'sequence', text: this.#pattern.slice(start, this.#position), items };
  }

  #repeated(): RegexNode {
    const start = this.#position;
    const body = this.#atom();
    const bounds = this.#quantifier();
    if (bounds === undefined) return body;
    const lazy = this.#eat('?');
    if (this.#peek() === '+')
      throw new RegexSyntaxError(`possessive repetition is not known to JavaScript: leave out the last '+'`);
    if ('*?{'.includes(this.#peek()) && this.#peek() !== '') {
      throw new RegexSyntaxError(
        `nothing to repeat before '${this.#peek()}': put (?:…) around what is repeated twice`,
      );
    }
    return {
      type: 'repeat',
      text: this.#pattern.slice(start, this.#position),
      body,
      min: bounds[0],
      max: bounds[1],
      lazy,
    };
  }

  #quantifier(): readonly [min: number, max: number] | undefined {
    if (this.#eat('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#eat('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#eat('?')) return [0, 1];
    if (this.#peek() !== '{') return undefined;
    const found = /^\{(\d+)(,(\d*))?\}/.exec(this.#pattern.slice(this.#position));
    if (found === null)
      throw new RegexSyntaxError("'{' must begin a repetition such as {3} or {2,5}; a brace itself is \\x7b");
    this.#position += found[0].length;
    const min = Number(found[1]);
    const max = found[2] === undefined ? min : found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3]);
    if (min > max) throw new RegexSyntaxError(`numbers out of order in '${found[0]}'`);
    if (min > MAX_REPEAT || (max !== Number.POSITIVE_INFINITY && max > MAX_REPEAT)) {
      throw new RegexSyntaxError(`'${found[0]}' repeats more than ${MAX_REPEAT} times`);
    }
    return [min, max];
  }

  #atom(): RegexNode {
    const start = this.#position;
    const char = this.#take();
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return this.#class(start);
      case '.':
        return { type: 'set', text: '.', set: ANY_CHAR, source: '[^]' };
      case '\\': {
        const { set, source } = this.#escape(false);
        return { type: 'set', text: this.#pattern.slice(start, this.#position), set, source };
      }
      case '^':
      case '$':
        throw new RegexSyntaxError(
          `'${char}' is not needed: a parameter always matches from its beginning to its end. Leave it out`,
        );
      case '*':
      case '+':
      case '?':
      case '{':
        throw new RegexSyntaxError(`nothing to repeat before '${char}'`);
      default:
        return charNode(char.codePointAt(0)!, char);
    }
  }

  #group(): RegexNode {
    if (++this.#depth > MAX_DEPTH)
      throw new RegexSyntaxError(`brackets are nested more than ${MAX_DEPTH} deep`);
    if (this.#eat('?') && !this.#eat(':')) {
      const rest = this.#pattern.slice(this.#position);
      if (/^(?:P?<(?![=!]))/.test(rest))
        throw new RegexSyntaxError(
          'a named group is not supported: make it a parameter of its own, {name:…}',
        );
      if (/^<?[=!]/.test(rest))
        throw new RegexSyntaxError(
          'look-ahead and look-behind are not supported: say what the parameter may hold, for example [a-z]+',
        );
      throw new RegexSyntaxError(`'(?${rest.charAt(0)}' is not supported: use (?:…)`);
    }
    const body = this.#choice();
    if (!this.#eat(')')) throw new RegexSyntaxError("missing ')'");
    this.#depth--;
    return body;
  }

  #class(start: number): RegexNode {
    const negated = this.#eat('^');
    const sets: CharSet[] = [];
    let source = negated ? '[^' : '[';
    while (!this.#eat(']')) {
      if (this.#position >= this.#pattern.length) throw new RegexSyntaxError("missing ']'");
      const from = this.#classAtom();
      const isRange = this.#peek() === '-' && !this.#pattern.startsWith('-]', this.#position);
      if (!isRange) {
        sets.push(from.set);
        source += from.source;
        continue;
      }
      this.#position++;
      const to = this.#classAtom();
      const [first, last] = [from.code, to.code];
      if (first === undefined || last === undefined) {
        throw new RegexSyntaxError(
          "a range needs a character at both ends: write a literal '-' last in its class",
        );
      }
      if (first > last) throw new RegexSyntaxError(`range out of order: ${from.source}-${to.source}`);
      sets.push(CharSet.of([[first, last]]));
      source += `${from.source}-${to.source}`;
    }
    const union = CharSet.union(sets);
    // What a negated class leaves out must be known exactly; else it may hold anything.
    const set = !negated ? union : union.exact ? union.negate() : new CharSet(ANY_CHAR.ranges, false);
    const text = this.#pattern.slice(start, this.#position);
    if (set.empty)
      throw new RegexSyntaxError(`'${text}' matches no character, so the route could never match`);
    return { type: 'set', text, set, source: `${source}]` };
  }

  #classAtom(): { readonly set: CharSet; readonly source: string; readonly code: number | undefined } {
    if (this.#position >= this.#pattern.length) throw new RegexSyntaxError("missing ']'");
    const char = this.#take();
    if (char === '\\') return this.#escape(true);
    const code = char.codePointAt(0)!;
    return { set: CharSet.char(code), source: escaped(code), code };
  }

  #escape(inClass: boolean): {
    readonly set: CharSet;
    readonly source: string;
    readonly code: number | undefined;
  } {
    if (this.#position >= this.#pattern.length) throw new RegexSyntaxError("'\\' at the end");
    const char = this.#take();
    const named = CLASS_ESCAPES.get(char);
    if (named !== undefined) return { set: named, source: `\\${char}`, code: undefined };
    if (char === 'p' || char === 'P') return this.#property(char);
    const code = this.#codeOf(char, inClass);
    return { set: CharSet.char(code), source: escaped(code), code };
  }

  #property(char: string): { readonly set: CharSet; readonly source: string; readonly code: undefined } {
    const found = /^\{[\w=]+\}/.exec(this.#pattern.slice(this.#position));
    const source = `\\${char}${found?.[0] ?? ''}`;
    try {
      if (found === null) throw new RegexSyntaxError(`'\\${char}' must name a property, such as \\p{L}`);
      new RegExp(source, 'u');
    } catch {
      throw new RegexSyntaxError(
        `'${source}' is no Unicode property; write for example \\p{L} for any letter`,
      );
    }
    this.#position += found[0].length;
    return { set: new CharSet(ANY_CHAR.ranges, false), source, code: undefined };
  }

  #codeOf(char: string, inClass: boolean): number {
    const control = CONTROL_ESCAPES.get(char);
    const rest = this.#pattern.slice(this.#position);
    if (control !== undefined && !(char === '0' && /^\d/.test(rest))) return control;
    if (char === 'b' && inClass) return 8;
    const hex = char === 'x' ? HEX_ESCAPE.exec(rest) : char === 'u' ? UNICODE_ESCAPE.exec(rest) : null;
    if (hex !== null) {
      this.#position += hex[0].length;
      const code = Number.parseInt(hex[1] ?? hex[2] ?? '', 16);
      if (code <= 0x10ffff) return code;
    }
    if (/\d/.test(char)) throw new RegexSyntaxError(`the back-reference '\\${char}' is not supported`);
    if (/[A-Za-z]/.test(char)) throw new RegexSyntaxError(`'\\${char}' is not supported in a path pattern`);
    return char.codePointAt(0)!;
  }
}

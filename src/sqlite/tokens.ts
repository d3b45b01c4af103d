/** A piece of a statement. White space and comments are none. */
export interface Token {
  readonly type: 'word' | 'placeholder' | 'end' | 'other';
  readonly text: string;
  /** The text of a word in upper case; `undefined` for everything else, quoted names too. */
  readonly word: string | undefined;
  /** How many parentheses are open around it. */
  readonly depth: number;
  /** Where it begins. */
  readonly at: number;
}

// In the order in which SQLite's tokenizer looks (https://sqlite.org/lang.html). A quote that is not closed takes the rest: SQLite will refuse it.
const pattern =
  /(?<skip>[\s\uFEFF]+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<quoted>'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|`(?:[^`]|``)*(?:`|$)|\[[^\]]*(?:\]|$))|(?<placeholder>\?\d*|[:@#][\w$\u0080-\uFFFF]+|\$[\w$\u0080-\uFFFF]+(?:::[\w$\u0080-\uFFFF]*)*(?:\([^\s)]*\))?)|(?<word>[A-Za-z_\u0080-\uFFFF][\w$\u0080-\uFFFF]*)|(?<number>\d[\w.]*|\.\d[\w.]*)|(?<other>[\s\S])/gy;

/** The tokens of SQL text. */
export function scan(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let depth = 0;
  for (const match of text.matchAll(pattern)) {
    const groups = match.groups!;
    if (groups['skip'] !== undefined) continue;
    const piece = match[0];
    const at = match.index;
    if (groups['word'] !== undefined) {
      tokens.push({ type: 'word', text: piece, word: piece.toUpperCase(), depth, at });
    } else if (groups['placeholder'] !== undefined) {
      tokens.push({ type: 'placeholder', text: piece, word: undefined, depth, at });
    } else {
      if (piece === ')') depth--;
      tokens.push({ type: piece === ';' ? 'end' : 'other', text: piece, word: undefined, depth, at });
      if (piece === '(') depth++;
    }
  }
  return tokens;
}

import { TemplateSyntaxError } from './errors.ts';
import type { Syntax } from './syntax.ts';

/** Kinds of token; operators are their own kind (`+`, `==`). */
export type TokenType =
  | 'data'
  | 'variable_begin'
  | 'variable_end'
  | 'block_begin'
  | 'block_end'
  | 'name'
  | 'integer'
  | 'float'
  | 'string'
  | 'eof'
  | Operator;

const OPERATORS = [
  '**',
  '//',
  '==',
  '!=',
  '>=',
  '<=',
  '+',
  '-',
  '/',
  '*',
  '%',
  '~',
  '[',
  ']',
  '(',
  ')',
  '{',
  '}',
  '>',
  '<',
  '=',
  '.',
  ':',
  '|',
  ',',
  ';',
] as const;
export type Operator = (typeof OPERATORS)[number];

/** A piece of the source. `value` is decoded for strings and texts, raw otherwise. */
export interface Token {
  readonly type: TokenType;
  readonly value: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
}

const NAMES: Partial<Record<TokenType, string>> = {
  data: 'template data / text',
  variable_begin: 'begin of print statement',
  variable_end: 'end of print statement',
  block_begin: 'begin of statement block',
  block_end: 'end of statement block',
  eof: 'end of template',
};

/** How messages call a kind of token. */
export function describeType(type: string): string {
  return NAMES[type as TokenType] ?? type;
}

/** How messages call a token: a name by itself, the rest by kind. */
export function describeToken(token: Token): string {
  return token.type === 'name' ? token.value : describeType(token.type);
}

const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

const WHITESPACE = /\s+/y;
const FLOAT = /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy;
const INTEGER = /0b(?:_?[0-1])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const NAME = /[\p{XIDC}_\u00b7]+/uy;
const STRING = /'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"/y;
const OPERATOR = new RegExp(OPERATORS.map(escapeRegExp).join('|'), 'y');
const IDENTIFIER = /^[\p{XIDS}_][\p{XIDC}]*$/u;
const CLOSING: Record<string, string> = { '(': ')', '[': ']', '{': '}' };

/** The patterns of one syntax, made once. */
interface Patterns {
  readonly opening: RegExp;
  readonly commentEnd: RegExp;
  readonly rawEnd: RegExp;
  readonly blockEnd: RegExp;
  readonly variableEnd: RegExp;
}

const compiled = new WeakMap<Syntax, Patterns>();

function patternsOf(syntax: Syntax): Patterns {
  let patterns = compiled.get(syntax);
  if (patterns !== undefined) return patterns;
  const blockStart = escapeRegExp(syntax.blockStartString);
  const blockEnd = escapeRegExp(syntax.blockEndString);
  const variableEnd = escapeRegExp(syntax.variableEndString);
  const commentEnd = escapeRegExp(syntax.commentEndString);
  const trim = syntax.trimBlocks ? '\\n?' : '';
  // Longer delimiters are tried first, so that `<%=` wins over `<%`.
  const openings: [length: number, name: string, pattern: string][] = [
    [syntax.commentStartString.length, 'comment', escapeRegExp(syntax.commentStartString)],
    [syntax.blockStartString.length, 'block', blockStart],
    [syntax.variableStartString.length, 'variable', escapeRegExp(syntax.variableStartString)],
  ];
  if (syntax.lineStatementPrefix !== undefined) {
    openings.push([
      syntax.lineStatementPrefix.length,
      'linestatement',
      `^[ \\t\\v]*${escapeRegExp(syntax.lineStatementPrefix)}`,
    ]);
  }
  if (syntax.lineCommentPrefix !== undefined) {
    openings.push([
      syntax.lineCommentPrefix.length,
      'linecomment',
      `(?:^|(?<=\\S))[^\\S\\r\\n]*${escapeRegExp(syntax.lineCommentPrefix)}`,
    ]);
  }
  openings.sort((a, b) => b[0] - a[0] || (a[1] < b[1] ? 1 : -1));
  const raw = `(?<raw>${blockStart}(?<rawsign>[-+]?)\\s*raw\\s*(?:-${blockEnd}\\s*|${blockEnd}))`;
  const rest = openings.map(([, name, pattern]) => `(?<${name}>${pattern}(?<${name}sign>[-+]?))`);
  patterns = {
    opening: new RegExp([raw, ...rest].join('|'), 'gm'),
    commentEnd: new RegExp(`\\+${commentEnd}|-${commentEnd}\\s*|${commentEnd}${trim}`, 'g'),
    rawEnd: new RegExp(
      `${blockStart}([-+]?)\\s*endraw\\s*(?:\\+${blockEnd}|-${blockEnd}\\s*|${blockEnd}${trim})`,
      'g',
    ),
    blockEnd: new RegExp(`\\+${blockEnd}|-${blockEnd}\\s*|${blockEnd}${trim}`, 'y'),
    variableEnd: new RegExp(`-${variableEnd}\\s*|${variableEnd}`, 'y'),
  };
  compiled.set(syntax, patterns);
  return patterns;
}

const LINE_STATEMENT_END = /\s*(?:\n|$(?![\s\S]))/y;

/** Cuts a template into tokens, Jinja2's rules of white space applied. */
export class Lexer {
  readonly #source: string;
  readonly #syntax: Syntax;
  readonly #patterns: Patterns;
  readonly #name: string | undefined;
  readonly #filename: string | undefined;
  readonly #lineStarts: number[] = [0];
  readonly #tokens: Token[] = [];
  #line = 0;

  constructor(source: string, syntax: Syntax, name?: string, filename?: string) {
    let text = source.includes('\r') ? source.replace(/\r\n?/g, '\n') : source;
    if (!syntax.keepTrailingNewline && text.endsWith('\n')) text = text.slice(0, -1);
    this.#source = text;
    this.#syntax = syntax;
    this.#patterns = patternsOf(syntax);
    this.#name = name;
    this.#filename = filename;
    for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) this.#lineStarts.push(i + 1);
  }

  /**
   * All tokens; the last one is `eof`. A mistake in the source ends them with an `error`, which is raised when the parser gets
   * there: what it has to say about the tokens before comes first.
   */
  tokenize(): { readonly tokens: Token[]; readonly error: TemplateSyntaxError | undefined } {
    try {
      this.#read();
    } catch (error) {
      if (error instanceof TemplateSyntaxError) return { tokens: this.#tokens, error };
      throw error;
    }
    return { tokens: this.#tokens, error: undefined };
  }

  #read(): void {
    const source = this.#source;
    const { opening } = this.#patterns;
    let position = 0;
    let lineStarting = true;
    while (position < source.length) {
      opening.lastIndex = position;
      const match = opening.exec(source);
      if (match === null) {
        this.#data(source.slice(position), position);
        break;
      }
      const groups = match.groups as Record<string, string | undefined>;
      const kind = ['raw', 'comment', 'block', 'variable', 'linestatement', 'linecomment'].find(
        (name) => groups[name] !== undefined,
      ) as string;
      this.#data(
        this.#stripped(
          source.slice(position, match.index),
          groups[`${kind}sign`] as string,
          kind,
          lineStarting,
        ),
        position,
      );
      const begin = match.index;
      position = begin + match[0].length;
      if (kind === 'comment') position = this.#comment(begin, position);
      else if (kind === 'raw') position = this.#raw(begin, position);
      else if (kind === 'linecomment') {
        const end = source.indexOf('\n', position);
        position = end < 0 ? source.length : end;
      } else {
        const type = kind === 'variable' ? 'variable' : 'block';
        this.#push(`${type}_begin`, match[0], begin);
        position = this.#expression(kind, position);
      }
      lineStarting = source[position - 1] === '\n';
    }
    this.#push('eof', '', source.length);
  }

  #push(type: TokenType, value: string, offset: number): void {
    const starts = this.#lineStarts;
    while (this.#line + 1 < starts.length && (starts[this.#line + 1] as number) <= offset) this.#line++;
    this.#tokens.push({
      type,
      value,
      line: this.#line + 1,
      column: offset - (starts[this.#line] as number) + 1,
    });
  }

  #data(text: string, offset: number): void {
    if (text === '') return;
    const newline = this.#syntax.newlineSequence;
    this.#push('data', newline === '\n' ? text : text.replaceAll('\n', newline), offset);
  }

  /** The text before a tag without the white space that the tag takes. */
  #stripped(text: string, sign: string, kind: string, lineStarting: boolean): string {
    if (sign === '-') return text.trimEnd();
    if (sign === '+' || !this.#syntax.lstripBlocks || kind === 'variable') return text;
    const from = text.lastIndexOf('\n') + 1;
    return (from > 0 || lineStarting) && text.slice(from).trim() === '' ? text.slice(0, from) : text;
  }

  #comment(begin: number, from: number): number {
    const { commentEnd } = this.#patterns;
    commentEnd.lastIndex = from;
    const end = commentEnd.exec(this.#source);
    if (end === null) this.#fail('Missing end of comment tag', begin);
    return end.index + end[0].length;
  }

  #raw(begin: number, from: number): number {
    const { rawEnd } = this.#patterns;
    rawEnd.lastIndex = from;
    const end = rawEnd.exec(this.#source);
    if (end === null) this.#fail('Missing end of raw directive', begin);
    this.#data(
      this.#stripped(
        this.#source.slice(from, end.index),
        end[1] as string,
        'raw',
        this.#source[from - 1] === '\n',
      ),
      from,
    );
    return end.index + end[0].length;
  }

  /** Tokens from after the opening delimiter to the closing one; gives the position behind it. */
  #expression(kind: string, from: number): number {
    const source = this.#source;
    const end =
      kind === 'variable'
        ? this.#patterns.variableEnd
        : kind === 'block'
          ? this.#patterns.blockEnd
          : LINE_STATEMENT_END;
    const brackets: string[] = [];
    let position = from;
    const at = (pattern: RegExp): string | undefined => {
      pattern.lastIndex = position;
      return pattern.exec(source)?.[0];
    };
    for (;;) {
      // A closing delimiter inside of brackets is no delimiter: `{{ {'a': {}} }}`.
      if (brackets.length === 0) {
        const closing = at(end);
        if (closing !== undefined) {
          this.#push(kind === 'variable' ? 'variable_end' : 'block_end', closing, position);
          return position + closing.length;
        }
      }
      if (position >= source.length) {
        this.#push('eof', '', position);
        return position;
      }
      const space = at(WHITESPACE);
      if (space !== undefined) {
        position += space.length;
        continue;
      }
      let text = at(FLOAT);
      if (text !== undefined) this.#push('float', text.replaceAll('_', ''), position);
      else if ((text = at(INTEGER)) !== undefined) this.#push('integer', text.replaceAll('_', ''), position);
      else if ((text = at(NAME)) !== undefined) {
        if (!IDENTIFIER.test(text)) this.#fail('Invalid character in identifier', position);
        this.#push('name', text, position);
      } else if ((text = at(STRING)) !== undefined)
        this.#push('string', this.#string(text, position), position);
      else if ((text = at(OPERATOR)) !== undefined) {
        const closing = CLOSING[text];
        if (closing !== undefined) brackets.push(closing);
        else if (text === ')' || text === ']' || text === '}') {
          const expected = brackets.pop();
          if (expected === undefined) this.#fail(`unexpected '${text}'`, position);
          if (expected !== text) this.#fail(`unexpected '${text}', expected '${expected}'`, position);
        }
        this.#push(text as Operator, text, position);
      } else {
        const character = String.fromCodePoint(source.codePointAt(position) as number);
        const count = [...source.slice(0, position)].length;
        this.#fail(`unexpected char ${character === "'" ? `"'"` : `'${character}'`} at ${count}`, position);
      }
      position += text.length;
    }
  }

  /** The characters that a string literal stands for. */
  #string(literal: string, offset: number): string {
    let body = literal.slice(1, -1);
    if (this.#syntax.newlineSequence !== '\n') body = body.replaceAll('\n', this.#syntax.newlineSequence);
    if (!body.includes('\\')) return body;
    return body.replace(
      /\\(?:([0-7]{1,3})|x([\da-fA-F]{0,2})|u([\da-fA-F]{0,4})|U([\da-fA-F]{0,8})|([\s\S]))/g,
      (
        whole,
        octal: string | undefined,
        x: string | undefined,
        u: string | undefined,
        long: string | undefined,
        plain: string,
      ) => {
        if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
        const hex = x ?? u ?? long;
        if (hex !== undefined) {
          const wanted = x !== undefined ? 2 : u !== undefined ? 4 : 8;
          if (hex.length !== wanted || Number.parseInt(hex, 16) > 0x10ffff) {
            this.#fail(
              `truncated \\${'_xuU'[wanted === 2 ? 1 : wanted === 4 ? 2 : 3]}${'X'.repeat(wanted)} escape`,
              offset,
            );
          }
          return String.fromCodePoint(Number.parseInt(hex, 16));
        }
        const known: Record<string, string> = {
          n: '\n',
          r: '\r',
          t: '\t',
          b: '\b',
          f: '\f',
          v: '\v',
          a: '\x07',
          '\\': '\\',
          "'": "'",
          '"': '"',
          '\n': '',
        };
        return Object.hasOwn(known, plain) ? (known[plain] as string) : whole;
      },
    );
  }

  #fail(message: string, offset: number): never {
    let line = 0;
    while (line + 1 < this.#lineStarts.length && (this.#lineStarts[line + 1] as number) <= offset) line++;
    throw new TemplateSyntaxError(
      message,
      line + 1,
      offset - (this.#lineStarts[line] as number) + 1,
      this.#name,
      this.#filename,
    );
  }
}

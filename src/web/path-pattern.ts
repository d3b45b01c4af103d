import { codedRangeError, decodePathSafe, quotePath, requotePath, shown } from '../message/index.ts';
import { SEGMENT } from './char-set.ts';
import type { RegexNode } from './regex-syntax.ts';
import { parseRegex, RegexSyntaxError } from './regex-syntax.ts';

/** A piece of a path pattern. */
export type PatternToken = LiteralToken | ParamToken;

export interface LiteralToken {
  readonly type: 'literal';
  /** As `decodePathSafe` gives the path of a request: decoded but for `%2F` and `%25`. */
  readonly text: string;
}

export interface ParamToken {
  readonly type: 'param';
  readonly name: string;
  /** The regular expression as it was written, `undefined` for `{name}` alone. */
  readonly regex: string | undefined;
  readonly node: RegexNode;
}

/** `{name}` matches what `[^{}/]+` does. */
function segmentNode(name: string): RegexNode {
  const text = `{${name}}`;
  const body: RegexNode = { type: 'set', text, set: SEGMENT, source: '[^{}\\/]' };
  return { type: 'repeat', text, body, min: 1, max: Number.POSITIVE_INFINITY, lazy: false };
}

/**
 * A path as routes are registered with, taken apart: `/repos/{owner}/{id:\d+}.json`.
 *
 * A parameter is `{name}`, which matches `[^{}/]+`, or `{name:regex}`; braces in the expression must come in pairs and may be nested once
 * (`{id:\d{3}}`). Everything else stands for itself and is written decoded: `/café`, not `/caf%C3%A9`.
 */
export class PathPattern {
  /** As it was registered, with the prefixes of the applications around it. */
  readonly text: string;
  readonly tokens: readonly PatternToken[];
  /** Names of the parameters, in order. */
  readonly names: readonly string[];
  /** The text with `{name}` for each parameter: `resource.canonical`. */
  readonly canonical: string;
  /** Equal for two patterns that match the same paths and differ in names only. */
  readonly shape: string;
  /**
   * The part of the path that is the same for all matches, as whole segments without a `/` at the end: `/a/b` for `/a/b/{x}` and for
   * `/a/b/c{x}`. Resources are looked for under the longest of these first.
   */
  readonly staticPrefix: string;

  private constructor(text: string, tokens: readonly PatternToken[]) {
    this.text = text;
    this.tokens = tokens;
    this.names = tokens.flatMap((token) => (token.type === 'param' ? [token.name] : []));
    this.canonical = tokens
      .map((token) => (token.type === 'param' ? `{${token.name}}` : token.text))
      .join('');
    this.shape = tokens
      .map((token) => (token.type === 'param' ? `\0${token.regex ?? ''}\0` : token.text))
      .join('');
    const brace = this.canonical.indexOf('{');
    const prefix =
      brace === -1 ? this.canonical : this.canonical.slice(0, this.canonical.lastIndexOf('/', brace));
    this.staticPrefix = withoutSlashes(prefix);
  }

  /**
   * @throws RangeError `AIO_ROUTE_PATH` for a path that is malformed or could never match, `AIO_ROUTE_REGEX` for an expression that is not
   * valid or not supported
   */
  static parse(text: string): PathPattern {
    if (typeof text !== 'string') {
      throw Object.assign(
        new TypeError(`A path must be a string, got ${text === null ? 'null' : typeof text}`),
        {
          code: 'AIO_ROUTE_PATH',
        },
      );
    }
    if (text !== '' && text !== '*' && !text.startsWith('/')) {
      throw codedRangeError(
        'AIO_ROUTE_PATH',
        `path should be started with / or be empty, got ${shown(text)}`,
      );
    }
    const tokens: PatternToken[] = [];
    let position = 0;
    while (position < text.length) {
      const open = text.indexOf('{', position);
      const end = open === -1 ? text.length : open;
      if (end > position) tokens.push(literalToken(text.slice(position, end), text));
      if (open === -1) break;
      const close = closingBrace(text, open);
      tokens.push(paramToken(text.slice(open, close + 1), text));
      position = close + 1;
    }
    const pattern = new PathPattern(text, tokens);
    const twice = pattern.names.find((name, index) => pattern.names.indexOf(name) !== index);
    if (twice !== undefined) {
      throw codedRangeError(
        'AIO_ROUTE_PATH',
        `Invalid path ${shown(text)}: the parameter {${twice}} is there twice`,
      );
    }
    return pattern;
  }

  /** Whether it has no parameters, so that it matches one path only. */
  get isPlain(): boolean {
    return this.names.length === 0;
  }

  /** The path that a plain pattern matches. */
  get path(): string {
    return this.canonical;
  }

  /** @param prefix a checked path without parameters and without `/` at its end */
  withPrefix(prefix: string): PathPattern {
    return PathPattern.parse(prefix + this.text);
  }

  /**
   * The percent-encoded path for these values; `/` in a value stays a `/`.
   * @throws TypeError `AIO_URL_PART` when a value is missing or not a string
   */
  format(parts: Readonly<Record<string, string>>): string {
    let path = '';
    for (const token of this.tokens) {
      if (token.type === 'literal') {
        path += requotePath(token.text);
        continue;
      }
      const value: unknown = Object.hasOwn(parts, token.name) ? parts[token.name] : undefined;
      if (typeof value !== 'string') {
        const problem =
          value === undefined
            ? 'is missing'
            : `should be a string, got ${value === null ? 'null' : typeof value}`;
        throw Object.assign(new TypeError(`The part ${shown(token.name)} of ${this.canonical} ${problem}`), {
          code: 'AIO_URL_PART',
        });
      }
      path += quotePath(value);
    }
    return path;
  }
}

function withoutSlashes(prefix: string): string {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === '/') end--;
  return prefix.slice(0, end);
}

/** Index of the `}` that ends the parameter which begins at `open`. */
function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let index = open; index < text.length; index++) {
    const char = text[index];
    if (char === '{') {
      if (++depth > 2) throw invalid(text, text.slice(open, index + 1), 'braces may be nested once only');
    } else if (char === '}' && --depth === 0) {
      return index;
    }
  }
  throw invalid(text, text.slice(open), 'a brace is not closed');
}

function paramToken(body: string, path: string): ParamToken {
  const found = /^\{([A-Za-z_][A-Za-z0-9_]*)(?::(.+))?\}$/s.exec(body);
  if (found === null) {
    throw invalid(
      path,
      body,
      'a parameter is {name} or {name:regex}, its name letters, digits and _, not a digit first',
    );
  }
  const [, name = '', regex] = found;
  if (name === '__proto__') throw invalid(path, body, 'this name cannot be used in JavaScript');
  if (regex === undefined) return { type: 'param', name, regex, node: segmentNode(name) };
  try {
    return { type: 'param', name, regex, node: parseRegex(regex) };
  } catch (error) {
    if (!(error instanceof RegexSyntaxError)) throw error;
    throw badPattern(regex, name, path, error.message);
  }
}

/** The error for a regular expression; `problem` says what is wrong and what to write instead. */
export function badPattern(regex: string, name: string, path: string, problem: string): RangeError {
  return codedRangeError(
    'AIO_ROUTE_REGEX',
    `Bad pattern '${regex}' of {${name}} in ${shown(path)}: ${problem}`,
  );
}

function literalToken(text: string, path: string): LiteralToken {
  if (text.includes('}')) throw invalid(path, text, "there is a '}' without its '{'");
  if (text.includes('?')) {
    throw invalid(path, text, 'a query is no part of a route: read it from request.query');
  }
  // A '%' that begins no escape stands for itself, and comes from the client as %25.
  const literal = text.replace(/%(?![\dA-Fa-f]{2})/g, '%25').replace(/%2f/g, '%2F');
  const decoded = decodePathSafe(literal);
  if (decoded !== literal) {
    throw invalid(
      path,
      text,
      `it could never match, because paths are matched decoded: write ${shown(decoded)}`,
    );
  }
  return { type: 'literal', text: literal };
}

function invalid(path: string, part: string, problem: string): RangeError {
  return codedRangeError('AIO_ROUTE_PATH', `Invalid path ${shown(path)}[${shown(part)}]: ${problem}`);
}

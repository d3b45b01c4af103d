import { TemplateAssertionError, TemplateSyntaxError } from './errors.ts';
import { describeToken, describeType, type Token, type TokenType } from './lexer.ts';

/** Tokens with a cursor, and the errors of a parser that reads them. */
export class TokenStream {
  readonly name: string | undefined;
  readonly filename: string | undefined;
  readonly #tokens: readonly Token[];
  readonly #error: TemplateSyntaxError | undefined;
  #index = 0;

  constructor(
    lexed: { readonly tokens: readonly Token[]; readonly error: TemplateSyntaxError | undefined },
    name?: string,
    filename?: string,
  ) {
    this.#tokens = lexed.tokens;
    this.#error = lexed.error;
    this.name = name;
    this.filename = filename;
  }

  get current(): Token {
    return this.#at(this.#index);
  }

  /** The token after the current one. */
  get ahead(): Token {
    return this.#at(this.#index + 1);
  }

  #at(index: number): Token {
    const token = this.#tokens[index];
    if (token !== undefined) return token;
    if (this.#error !== undefined) throw this.#error;
    return this.#tokens[this.#tokens.length - 1] as Token;
  }

  /** Takes the current token. */
  next(): Token {
    const token = this.current;
    this.#index++;
    return token;
  }

  /** True when the current token is of the type, and has the value when one is given. */
  is(type: TokenType, value?: string): boolean {
    const token = this.current;
    return token.type === type && (value === undefined || token.value === value);
  }

  /** Takes the current token if it fits. */
  skip(type: TokenType, value?: string): boolean {
    if (!this.is(type, value)) return false;
    this.#index++;
    return true;
  }

  /** Takes the current token, which must fit. */
  expect(type: TokenType, value?: string): Token {
    if (this.is(type, value)) return this.next();
    const expected = value ?? describeType(type);
    const token = this.current;
    if (token.type === 'eof') this.fail(`unexpected end of template, expected '${expected}'.`, token);
    return this.fail(`expected token '${expected}', got '${describeToken(token)}'`, token);
  }

  /** @throws {TemplateSyntaxError} */
  fail(message: string, at: { readonly line: number; readonly column: number } = this.current): never {
    throw new TemplateSyntaxError(message, at.line, at.column, this.name, this.filename);
  }

  /** @throws {TemplateAssertionError} */
  assertion(message: string, at: { readonly line: number; readonly column: number } = this.current): never {
    throw new TemplateAssertionError(message, at.line, at.column, this.name, this.filename);
  }
}

/** The delimiters and white space rules of a template language; names and defaults are Jinja2's. */
export interface Syntax {
  readonly blockStartString: string;
  readonly blockEndString: string;
  readonly variableStartString: string;
  readonly variableEndString: string;
  readonly commentStartString: string;
  readonly commentEndString: string;
  readonly lineStatementPrefix: string | undefined;
  readonly lineCommentPrefix: string | undefined;
  readonly trimBlocks: boolean;
  readonly lstripBlocks: boolean;
  readonly newlineSequence: '\n' | '\r\n' | '\r';
  readonly keepTrailingNewline: boolean;
}

/** Jinja2's defaults. */
export const defaultSyntax: Syntax = {
  blockStartString: '{%',
  blockEndString: '%}',
  variableStartString: '{{',
  variableEndString: '}}',
  commentStartString: '{#',
  commentEndString: '#}',
  lineStatementPrefix: undefined,
  lineCommentPrefix: undefined,
  trimBlocks: false,
  lstripBlocks: false,
  newlineSequence: '\n',
  keepTrailingNewline: false,
};

/** @throws {RangeError} for delimiters that cannot be told apart. */
export function checkSyntax(syntax: Syntax): void {
  const { blockStartString, variableStartString, commentStartString, newlineSequence } = syntax;
  if (new Set([blockStartString, variableStartString, commentStartString]).size !== 3) {
    throw new RangeError('block, variable and comment start strings must be different');
  }
  if (!['\n', '\r\n', '\r'].includes(newlineSequence)) {
    throw new RangeError(
      `newlineSequence must be '\\n', '\\r\\n' or '\\r', not ${JSON.stringify(newlineSequence)}`,
    );
  }
}

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

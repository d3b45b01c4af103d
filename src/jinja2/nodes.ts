/** Where a node stands in the template, 1-based. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%' | '**';
export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in';

export interface Keyword {
  readonly name: string;
  readonly value: Expression;
}

/** Arguments of a call, a filter or a test. */
export interface Arguments {
  readonly args: readonly Expression[];
  readonly keywords: readonly Keyword[];
  /** `*values` */
  readonly spread: Expression | undefined;
  /** `**values` */
  readonly keywordSpread: Expression | undefined;
}

export type Expression = Position &
  (
    | {
        readonly type: 'constant';
        readonly value: string | number | bigint | boolean | null;
        readonly isFloat?: boolean;
      }
    | { readonly type: 'name'; readonly name: string }
    | { readonly type: 'tuple'; readonly items: readonly Expression[] }
    | { readonly type: 'list'; readonly items: readonly Expression[] }
    | {
        readonly type: 'dict';
        readonly items: readonly { readonly key: Expression; readonly value: Expression }[];
      }
    | {
        readonly type: 'conditional';
        readonly test: Expression;
        readonly consequent: Expression;
        readonly otherwise: Expression | undefined;
      }
    | {
        readonly type: 'binary';
        readonly operator: BinaryOperator;
        readonly left: Expression;
        readonly right: Expression;
      }
    | {
        readonly type: 'logical';
        readonly operator: 'and' | 'or';
        readonly left: Expression;
        readonly right: Expression;
      }
    | { readonly type: 'not'; readonly operand: Expression }
    | { readonly type: 'unary'; readonly operator: '-' | '+'; readonly operand: Expression }
    | { readonly type: 'concat'; readonly parts: readonly Expression[] }
    | {
        readonly type: 'compare';
        readonly first: Expression;
        readonly rest: readonly { readonly operator: ComparisonOperator; readonly operand: Expression }[];
      }
    | { readonly type: 'attribute'; readonly object: Expression; readonly name: string }
    | { readonly type: 'item'; readonly object: Expression; readonly key: Expression }
    | {
        readonly type: 'slice';
        readonly start: Expression | undefined;
        readonly stop: Expression | undefined;
        readonly step: Expression | undefined;
      }
    | { readonly type: 'call'; readonly callee: Expression; readonly args: Arguments }
    /** `input` is absent for the body of a filter block. */
    | {
        readonly type: 'filter';
        readonly name: string;
        readonly input: Expression | undefined;
        readonly args: Arguments;
      }
    | { readonly type: 'test'; readonly name: string; readonly input: Expression; readonly args: Arguments }
    /** A text that an extension puts in, marked as HTML when the template escapes. */
    | { readonly type: 'safe'; readonly operand: Expression }
  );

/** What can be assigned to. */
export type Target = Position &
  (
    | { readonly type: 'name'; readonly name: string }
    | { readonly type: 'namespace'; readonly name: string; readonly attribute: string }
    | { readonly type: 'tuple'; readonly items: readonly Target[] }
  );

export interface Parameter {
  readonly name: string;
  readonly fallback: Expression | undefined;
}

export type Statement = Position &
  (
    | { readonly type: 'output'; readonly parts: readonly (string | Expression)[] }
    | {
        readonly type: 'for';
        readonly target: Target;
        readonly iterable: Expression;
        readonly test: Expression | undefined;
        readonly recursive: boolean;
        readonly body: Body;
        readonly otherwise: Body;
      }
    | {
        readonly type: 'if';
        readonly branches: readonly { readonly test: Expression; readonly body: Body }[];
        readonly otherwise: Body;
      }
    | {
        readonly type: 'macro';
        readonly name: string;
        readonly parameters: readonly Parameter[];
        readonly body: Body;
      }
    | {
        readonly type: 'call-block';
        readonly call: Expression;
        readonly parameters: readonly Parameter[];
        readonly body: Body;
      }
    | { readonly type: 'filter-block'; readonly filter: Expression; readonly body: Body }
    | {
        readonly type: 'with';
        readonly targets: readonly Target[];
        readonly values: readonly Expression[];
        readonly body: Body;
      }
    | {
        readonly type: 'block';
        readonly name: string;
        readonly scoped: boolean;
        readonly required: boolean;
        readonly body: Body;
      }
    | { readonly type: 'extends'; readonly template: Expression }
    | {
        readonly type: 'include';
        readonly template: Expression;
        readonly ignoreMissing: boolean;
        readonly withContext: boolean;
      }
    | {
        readonly type: 'import';
        readonly template: Expression;
        readonly target: string;
        readonly withContext: boolean;
      }
    | {
        readonly type: 'from';
        readonly template: Expression;
        readonly names: readonly { readonly name: string; readonly alias: string }[];
        readonly withContext: boolean;
      }
    | { readonly type: 'set'; readonly target: Target; readonly value: Expression }
    | {
        readonly type: 'set-block';
        readonly target: Target;
        readonly filter: Expression | undefined;
        readonly body: Body;
      }
    | { readonly type: 'autoescape'; readonly value: Expression; readonly body: Body }
    | { readonly type: 'do'; readonly value: Expression }
    | { readonly type: 'break' }
    | { readonly type: 'continue' }
    /** A scope of its own, made by extensions. */
    | { readonly type: 'scope'; readonly body: Body }
  );

export type Body = readonly Statement[];

export type StatementOf<T extends Statement['type']> = Extract<Statement, { type: T }>;
export type ExpressionOf<T extends Expression['type']> = Extract<Expression, { type: T }>;

/** No arguments. */
export const noArguments: Arguments = { args: [], keywords: [], spread: undefined, keywordSpread: undefined };

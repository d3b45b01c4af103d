import type { Params } from './types.ts';

/**
 * The type of `request.matchInfo` for a path pattern: one string for each `{name}` or `{name:regex}` in it. A path that is not a literal
 * type gives {@link Params}.
 *
 * @example
 * ```ts
 * type User = web.PathParams<'/{user}/{id:\\d{3}}'>; // { user: string; id: string }
 * ```
 */
export type PathParams<Path extends string> = string extends Path
  ? Params
  : { [Name in NamesIn<Path>]: string };

/** Names of the parameters, as a union. */
type NamesIn<Path extends string, Found extends string = never> = Path extends `${string}{${infer Rest}`
  ? NamesIn<AfterClose<Rest>, Found | NameAt<Rest>>
  : Found;

/** `id` at the beginning of `id}…` and of `id:\\d+}…`. */
type NameAt<Text extends string> = Text extends `${infer Head}}${string}`
  ? Head extends `${infer Name}:${string}`
    ? Name
    : Head
  : never;

/** What follows the brace that closes the parameter: each piece up to a `}` that holds a `{` closes a pair inside its regex. */
type AfterClose<Text extends string> = Text extends `${infer Piece}}${infer After}`
  ? Piece extends `${string}{${string}`
    ? AfterClose<After>
    : After
  : '';

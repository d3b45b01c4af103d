import type { Bound, DriverValue } from './driver.ts';
import type { EngineOptions, Result, Take } from './engine.ts';
import type { Failure } from './failures.ts';

/** What is asked of a thread. Several go in one message. */
export type Call =
  | { readonly op: 'query'; readonly text: string; readonly values: Bound; readonly take: Take }
  | { readonly op: 'many'; readonly text: string; readonly list: readonly Bound[] }
  | { readonly op: 'fetch'; readonly cursor: number; readonly count: number }
  | { readonly op: 'closeCursor'; readonly cursor: number }
  | { readonly op: 'inTransaction' }
  | { readonly op: 'backup'; readonly path: string; readonly pages: number }
  | { readonly op: 'close' };

/** A call with its number. */
export interface NumberedCall {
  readonly id: number;
  readonly call: Call;
}

/** What a call gave. */
export type Value = Result | number | boolean | undefined | readonly DriverValue[][];

/** What a thread answers. Several come in one message. */
export type Answer =
  | { readonly id: number; readonly value: Value }
  | { readonly id: number; readonly failure: Failure }
  | { readonly id: number; readonly remaining: number; readonly total: number };

/** What a thread begins with. */
export interface ThreadData {
  readonly options: EngineOptions;
  /** Its one number is 1 when what runs shall stop. */
  readonly stop: Int32Array<SharedArrayBuffer>;
}

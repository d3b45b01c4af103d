import {
  add,
  concatenate,
  divide,
  floorDivide,
  modulo,
  multiply,
  negate,
  plus,
  power,
  subtract,
} from './arithmetic.ts';
import { equal, greater, greaterOrEqual, less, lessOrEqual, truth } from './comparing.ts';
import { Markup } from './markup.ts';
import { escapeValue, str } from './printing.ts';
import { iterable, unpack } from './sequences.ts';
import { Dict, Float, isThenable, Tuple } from './values.ts';

/** Marks text as HTML where the place escapes. */
function mark(value: unknown, autoescape: boolean): unknown {
  return autoescape ? (value instanceof Markup ? value : new Markup(str(value))) : value;
}

/** What generated code has by name: the functions of the hot paths. */
export interface Names {
  readonly add: typeof add;
  readonly subtract: typeof subtract;
  readonly multiply: typeof multiply;
  readonly divide: typeof divide;
  readonly floorDivide: typeof floorDivide;
  readonly modulo: typeof modulo;
  readonly power: typeof power;
  readonly negate: typeof negate;
  readonly plus: typeof plus;
  readonly concatenate: typeof concatenate;
  readonly equal: typeof equal;
  readonly less: typeof less;
  readonly lessOrEqual: typeof lessOrEqual;
  readonly greater: typeof greater;
  readonly greaterOrEqual: typeof greaterOrEqual;
  readonly truth: typeof truth;
  readonly iterable: typeof iterable;
  readonly unpack: typeof unpack;
  readonly isThenable: typeof isThenable;
  readonly mark: typeof mark;
  readonly str: typeof str;
  readonly Dict: typeof Dict;
  readonly Tuple: typeof Tuple;
  readonly Float: typeof Float;
  readonly esc: typeof escapeValue;
  readonly getPrototypeOf: (value: object) => object | null;
  readonly objectPrototype: object;
}

export const names: Names = {
  add,
  subtract,
  multiply,
  divide,
  floorDivide,
  modulo,
  power,
  negate,
  plus,
  concatenate,
  equal,
  less,
  lessOrEqual,
  greater,
  greaterOrEqual,
  truth,
  iterable,
  unpack,
  isThenable,
  mark,
  esc: escapeValue,
  str,
  Dict,
  Tuple,
  Float,
  getPrototypeOf: Object.getPrototypeOf as (value: object) => object | null,
  objectPrototype: Object.prototype,
};

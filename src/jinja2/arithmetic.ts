import { numeric } from './comparing.ts';
import { OverflowError, TemplateTypeError, ZeroDivisionError } from './errors.ts';
import { formatPercent } from './formatting.ts';
import { checkGrowth, checkItems, joinTexts } from './growth.ts';
import { Markup } from './markup.ts';
import { escapeValue } from './printing.ts';
import { Undefined } from './undefined.ts';
import { Float, float, isText, Tuple, textOf, typeName } from './values.ts';

/** How many bits an integer may have; Python's limit is the memory. */
const MAX_BITS = 1 << 20;
const TOO_BIG = 1n << BigInt(MAX_BITS);
const TOO_SMALL = -TOO_BIG;

function refuse(operator: string, left: unknown, right: unknown): never {
  if (left instanceof Undefined) left.fail();
  if (right instanceof Undefined) right.fail();
  throw new TemplateTypeError(
    `unsupported operand type(s) for ${operator}: '${typeName(left)}' and '${typeName(right)}'`,
  );
}

/** True for Python's `int`; a JavaScript number without fraction is one. */
export function isInteger(value: unknown): value is number | bigint | boolean {
  return (
    typeof value === 'bigint' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isInteger(value))
  );
}

const big = (value: number | bigint | boolean): bigint => BigInt(value);

/** A bigint as a number where that loses nothing. */
export function narrow(value: bigint): number | bigint {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  if (value >= TOO_BIG || value <= TOO_SMALL)
    throw new OverflowError(`an integer has more than ${MAX_BITS} bits`);
  return value;
}

function real(value: unknown): number {
  return Number(numeric(value));
}

export function add(left: unknown, right: unknown): unknown {
  if (typeof left === 'string' && typeof right === 'string') {
    checkGrowth(left.length + right.length);
    return left + right;
  }
  if (numeric(left) !== undefined && numeric(right) !== undefined) {
    if (isInteger(left) && isInteger(right)) {
      const sum = Number(left) + Number(right);
      return Number.isSafeInteger(sum) && typeof left !== 'bigint' && typeof right !== 'bigint'
        ? sum
        : narrow(big(left) + big(right));
    }
    return float(real(left) + real(right));
  }
  if (isText(left) && isText(right)) return new Markup(escapeValue(left) + escapeValue(right));
  if (Array.isArray(left) && Array.isArray(right) && left instanceof Tuple === right instanceof Tuple) {
    checkItems(left.length + right.length);
    return left instanceof Tuple ? Tuple.make([...left, ...right]) : [...left, ...right];
  }
  if (isText(left) && !(right instanceof Undefined)) {
    throw new TemplateTypeError(`can only concatenate str (not "${typeName(right)}") to str`);
  }
  if (Array.isArray(left) && !(right instanceof Undefined)) {
    throw new TemplateTypeError(
      `can only concatenate ${typeName(left)} (not "${typeName(right)}") to ${typeName(left)}`,
    );
  }
  return refuse('+', left, right);
}

export function subtract(left: unknown, right: unknown): unknown {
  if (numeric(left) !== undefined && numeric(right) !== undefined) {
    if (isInteger(left) && isInteger(right)) {
      const difference = Number(left) - Number(right);
      return Number.isSafeInteger(difference) && typeof left !== 'bigint' && typeof right !== 'bigint'
        ? difference
        : narrow(big(left) - big(right));
    }
    return float(real(left) - real(right));
  }
  if (left instanceof Set && right instanceof Set)
    return new Set([...left].filter((item) => !right.has(item)));
  return refuse('-', left, right);
}

function repeat(sequence: unknown, count: unknown): unknown {
  const times = Math.max(0, real(count));
  const length = isText(sequence) ? textOf(sequence).length : (sequence as unknown[]).length;
  if (isText(sequence)) checkGrowth(length * times);
  else checkItems(length * times);
  if (typeof sequence === 'string') return sequence.repeat(times);
  if (sequence instanceof Markup) return new Markup(sequence.html.repeat(times));
  const items: unknown[] = [];
  for (let i = 0; i < times; i++) items.push(...(sequence as unknown[]));
  return sequence instanceof Tuple ? Tuple.make(items) : items;
}

export function multiply(left: unknown, right: unknown): unknown {
  if (numeric(left) !== undefined && numeric(right) !== undefined) {
    if (isInteger(left) && isInteger(right)) {
      const product = Number(left) * Number(right);
      return Number.isSafeInteger(product) && typeof left !== 'bigint' && typeof right !== 'bigint'
        ? product + 0
        : narrow(big(left) * big(right));
    }
    return float(real(left) * real(right));
  }
  if ((isText(left) || Array.isArray(left)) && isInteger(right)) return repeat(left, right);
  if ((isText(right) || Array.isArray(right)) && isInteger(left)) return repeat(right, left);
  for (const [sequence, count] of [
    [left, right],
    [right, left],
  ]) {
    if ((isText(sequence) || Array.isArray(sequence)) && !(count instanceof Undefined)) {
      throw new TemplateTypeError(`can't multiply sequence by non-int of type '${typeName(count)}'`);
    }
  }
  return refuse('*', left, right);
}

export function divide(left: unknown, right: unknown): unknown {
  if (numeric(left) === undefined || numeric(right) === undefined) return refuse('/', left, right);
  if (real(right) === 0)
    throw new ZeroDivisionError(
      isInteger(left) && isInteger(right) ? 'division by zero' : 'float division by zero',
    );
  return float(real(left) / real(right));
}

export function floorDivide(left: unknown, right: unknown): unknown {
  if (numeric(left) === undefined || numeric(right) === undefined) return refuse('//', left, right);
  if (isInteger(left) && isInteger(right)) {
    if (real(right) === 0) throw new ZeroDivisionError('integer division or modulo by zero');
    if (typeof left !== 'bigint' && typeof right !== 'bigint') {
      const quotient = Math.floor(Number(left) / Number(right));
      if (Number.isSafeInteger(Number(left)) && Number.isSafeInteger(quotient)) return quotient + 0;
    }
    const a = big(left);
    const b = big(right);
    const quotient = a / b;
    return narrow(a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient);
  }
  if (real(right) === 0) throw new ZeroDivisionError('float floor division by zero');
  return float(Math.floor(real(left) / real(right)));
}

export function modulo(left: unknown, right: unknown): unknown {
  if (isText(left)) return formatPercent(left, right);
  if (numeric(left) === undefined || numeric(right) === undefined) return refuse('%', left, right);
  if (isInteger(left) && isInteger(right)) {
    if (real(right) === 0) throw new ZeroDivisionError('integer modulo by zero');
    if (typeof left === 'bigint' || typeof right === 'bigint') {
      const b = big(right);
      const rest = big(left) % b;
      return narrow(rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest);
    }
    const b = Number(right);
    const rest = Number(left) % b;
    return (rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest) + 0;
  }
  if (real(right) === 0) throw new ZeroDivisionError('float modulo');
  const b = real(right);
  const rest = real(left) % b;
  return float(rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest);
}

export function power(left: unknown, right: unknown): unknown {
  if (numeric(left) === undefined || numeric(right) === undefined) return refuse('** or pow()', left, right);
  if (isInteger(left) && isInteger(right) && Number(right) >= 0) {
    const result = Number(left) ** Number(right);
    if (Number.isSafeInteger(result) && typeof left !== 'bigint') return result;
    if (Math.abs(Number(left)) > 1 && Math.log2(Math.abs(Number(left))) * Number(right) > MAX_BITS) {
      throw new OverflowError(`the power has more than ${MAX_BITS} bits`);
    }
    return narrow(big(left) ** big(right));
  }
  if (real(left) === 0 && real(right) < 0)
    throw new ZeroDivisionError('0.0 cannot be raised to a negative power');
  return float(real(left) ** real(right));
}

export function negate(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? 0 - value : -value;
  if (typeof value === 'bigint') return narrow(-value);
  if (typeof value === 'boolean') return value ? -1 : 0;
  if (value instanceof Float) return new Float(-value.number);
  if (value instanceof Undefined) return value.fail();
  throw new TemplateTypeError(`bad operand type for unary -: '${typeName(value)}'`);
}

export function plus(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (numeric(value) !== undefined) return value;
  if (value instanceof Undefined) return value.fail();
  throw new TemplateTypeError(`bad operand type for unary +: '${typeName(value)}'`);
}

/** `a ~ b ~ c`: texts joined, HTML when one of them is. */
export function concatenate(
  parts: readonly unknown[],
  toText: (value: unknown) => string,
  autoescape: boolean,
): string | Markup {
  if (autoescape && parts.some((part) => part instanceof Markup)) {
    return new Markup(joinTexts(parts.map(escapeValue), ''));
  }
  return joinTexts(parts.map(toText), '');
}

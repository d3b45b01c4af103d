import { isInteger, narrow, negate } from '../arithmetic.ts';
import type { NativeFilter } from '../callables.ts';
import { numeric, truth } from '../comparing.ts';
import { FilterArgumentError, TemplateTypeError } from '../errors.ts';
import { parseFloatText, parseInteger, toFixed } from '../formatting.ts';
import { Undefined } from '../undefined.ts';
import { Float, float, isText, textOf, typeName } from '../values.ts';

function toInteger(value: unknown, fallback: unknown, base: number): unknown {
  if (value instanceof Undefined) value.fail();
  if (isText(value)) {
    const text = textOf(value);
    const whole = parseInteger(text, base);
    if (whole !== undefined) return whole;
    const real = parseFloatText(text);
    return real === undefined || !Number.isFinite(real) ? fallback : fromReal(real);
  }
  if (isInteger(value)) return typeof value === 'boolean' ? Number(value) : value;
  const number = numeric(value);
  return number === undefined || !Number.isFinite(Number(number)) ? fallback : fromReal(Number(number));
}

function fromReal(real: number): number | bigint {
  const whole = Math.trunc(real);
  return Number.isSafeInteger(whole) ? whole + 0 : narrow(BigInt(whole));
}

function toFloat(value: unknown, fallback: unknown): unknown {
  if (value instanceof Undefined) value.fail();
  const number = isText(value) ? parseFloatText(textOf(value)) : numeric(value);
  return number === undefined ? fallback : float(Number(number));
}

/** Python rounds the exact binary value, halves to even. */
function roundCommon(number: number, precision: number): number {
  if (precision >= 0) return Number(toFixed(number, Math.min(precision, 40)));
  const factor = 10 ** -precision;
  return Number(toFixed(number / factor, 0)) * factor;
}

function fileSize(value: unknown, binary: boolean): string {
  const bytes = isText(value) ? Number(textOf(value)) : Number(numeric(value));
  const base = binary ? 1024 : 1000;
  const prefixes = binary
    ? ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB']
    : ['kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
  if (bytes === 1) return '1 Byte';
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
  for (const [i, prefix] of prefixes.entries()) {
    const unit = base ** (i + 2);
    if (bytes < unit || i === prefixes.length - 1) return `${toFixed((base * bytes) / unit, 1)} ${prefix}`;
  }
  return '';
}

/** Filters that work on numbers. */
export const numberFilters: Readonly<Record<string, NativeFilter>> = {
  abs: {
    name: 'abs',
    parameters: [],
    run: (_context, value) => {
      const number = numeric(value);
      if (number === undefined) {
        throw new TemplateTypeError(`bad operand type for abs(): '${typeName(value)}'`);
      }
      return number < 0 || Object.is(number, -0)
        ? negate(value)
        : typeof value === 'boolean'
          ? Number(value)
          : value;
    },
  },
  int: {
    name: 'int',
    parameters: ['default', 'base'],
    run: (_context, value, fallback = 0, base = 10) => toInteger(value, fallback, Number(base)),
  },
  float: {
    name: 'float',
    parameters: ['default'],
    run: (_context, value, fallback = new Float(0)) => toFloat(value, fallback),
  },
  round: {
    name: 'round',
    parameters: ['precision', 'method'],
    run: (_context, value, precision = 0, method = 'common') => {
      if (method !== 'common' && method !== 'ceil' && method !== 'floor') {
        throw new FilterArgumentError('method must be common, ceil or floor');
      }
      const number = numeric(value);
      if (number === undefined) {
        throw new TemplateTypeError(`type ${typeName(value)} doesn't define __round__ method`);
      }
      const digits = Number(precision);
      if (method === 'common') {
        // An integer stays one: Python's round() gives back the type that it got.
        if (isInteger(value))
          return digits >= 0
            ? typeof value === 'boolean'
              ? Number(value)
              : value
            : fromReal(roundCommon(Number(number), digits));
        return float(roundCommon(Number(number), digits));
      }
      const scale = 10 ** digits;
      return float(Math[method](Number(number) * scale) / scale);
    },
  },
  filesizeformat: {
    name: 'filesizeformat',
    parameters: ['binary'],
    run: (_context, value, binary = false) => {
      if (value instanceof Undefined) value.fail();
      return fileSize(value, truth(binary));
    },
  },
};

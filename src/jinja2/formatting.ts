import { narrow } from './arithmetic.ts';
import { numeric } from './comparing.ts';
import { LookupError, TemplateTypeError, ValueError } from './errors.ts';
import { checkGrowth } from './growth.ts';
import { Markup } from './markup.ts';
import { escapeValue, formatFloat, repr, str } from './printing.ts';
import { Undefined } from './undefined.ts';
import { Dict, entriesOf, Float, isMapping, isText, Tuple, textOf, typeName } from './values.ts';

/** Longer texts are no integers. */
const MAX_DIGITS = 4300;

/** Widths and precisions above this are refused: they only fill memory. */
const MAX_WIDTH = 1 << 20;

function checkWidth(width: number): number {
  if (width > MAX_WIDTH)
    throw new ValueError(`a width of ${width} was asked for, at most ${MAX_WIDTH} is allowed`);
  return width;
}

/** Exponent with a sign and at least two digits, as C writes it. */
function cExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** A number with a fixed count of decimals; exact for large numbers, where `toFixed` switches to exponents. */
export function toFixed(number: number, decimals: number): string {
  if (Math.abs(number) < 1e21 && decimals <= 100) return roundedFixed(number, decimals);
  const whole = BigInt(Math.trunc(number)).toString();
  return decimals === 0 ? whole : `${whole}.${'0'.repeat(decimals)}`;
}

/** `toFixed` rounds an exact half away from zero where C and Python round it to the even digit. */
function roundedFixed(number: number, decimals: number): string {
  const text = number.toFixed(decimals);
  if (decimals > 40) return text;
  // A half has a finite expansion, and `toFixed` gives the exact digits of the binary value.
  const exact = number.toFixed(decimals + 60);
  const cut = exact.indexOf('.') + 1 + decimals;
  if (!/^50*$/.test(exact.slice(cut))) return text;
  const lower = decimals === 0 ? exact.slice(0, cut - 1) : exact.slice(0, cut);
  return Number(lower[lower.length - 1]) % 2 === 0 ? lower : text;
}

function general(number: number, precision: number, alternate: boolean): string {
  const digits = precision === 0 ? 1 : precision;
  if (number === 0) return alternate ? `0.${'0'.repeat(digits - 1)}` : Object.is(number, -0) ? '-0' : '0';
  const exponent = Number(number.toExponential(Math.min(100, digits - 1)).split('e')[1]);
  const text =
    exponent < -4 || exponent >= digits
      ? number.toExponential(Math.min(100, digits - 1))
      : toFixed(number, Math.max(0, digits - 1 - exponent));
  if (alternate) return cExponent(text);
  const [mantissa, power] = text.split('e') as [string, string | undefined];
  const trimmed = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
  return cExponent(power === undefined ? trimmed : `${trimmed}e${power}`);
}

function formatReal(number: number, type: string, precision: number, alternate: boolean): string {
  let text: string;
  const kind = type.toLowerCase();
  if (Number.isNaN(number)) text = 'nan';
  else if (!Number.isFinite(number)) text = number < 0 ? '-inf' : 'inf';
  else if (kind === 'e') text = cExponent(number.toExponential(Math.min(100, precision)));
  else if (kind === 'f') {
    text = toFixed(number, precision);
    if (Object.is(number, -0)) text = `-${text}`;
  } else text = general(number, precision, alternate);
  return type === kind ? text : text.toUpperCase();
}

function wholeNumber(value: unknown, what: string): bigint | number {
  const number = numeric(value);
  if (typeof number === 'bigint') return number;
  if (number === undefined || Number.isNaN(number)) {
    if (value instanceof Undefined) value.fail();
    throw new TemplateTypeError(`${what} format: a real number is required, not ${typeName(value)}`);
  }
  return Math.trunc(number);
}

const PERCENT = /%(?:\(([^)]*)\))?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?([hlL]?)([\s\S]?)/g;

/** `text % values`: printf formatting. A `Markup` escapes what is put into it. */
export function formatPercent(format: string | Markup, values: unknown): string | Markup {
  const isHtml = format instanceof Markup;
  const toText = isHtml ? escapeValue : str;
  const positional: readonly unknown[] | undefined = values instanceof Tuple ? values : undefined;
  const named = isMapping(values) ? new Dict(entriesOf(values)) : undefined;
  let next = 0;
  let made = 0;
  let single = false;
  const take = (): unknown => {
    if (positional !== undefined) {
      if (next >= positional.length) throw new TemplateTypeError('not enough arguments for format string');
      return positional[next++];
    }
    if (single) throw new TemplateTypeError('not enough arguments for format string');
    single = true;
    return values;
  };
  const out = textOf(format).replace(
    PERCENT,
    (spec, key: string | undefined, flags: string, widthText, precisionText, _size, type: string) => {
      if (type === '%') return '%';
      let width = 0;
      let left = flags.includes('-');
      if (widthText === '*') {
        width = Number(wholeNumber(take(), '*'));
        if (width < 0) {
          left = true;
          width = -width;
        }
      } else if (widthText !== undefined) width = Number(widthText);
      checkWidth(width);
      let precision = -1;
      if (precisionText === '*') precision = Number(wholeNumber(take(), '*'));
      else if (precisionText !== undefined) precision = Number(precisionText);
      else if (/\.[hlL]?[\s\S]?$/.test(spec) && spec.includes('.') && !(key ?? '').includes('.'))
        precision = 0;
      checkWidth(precision);
      if (type === '') throw new ValueError('incomplete format');
      let value: unknown;
      if (key !== undefined) {
        if (named === undefined) throw new TemplateTypeError('format requires a mapping');
        if (!named.has(key)) throw new LookupError('KeyError', repr(key));
        value = named.get(key);
      } else value = take();
      let sign = '';
      let body: string;
      let zero = flags.includes('0') && !left;
      switch (type) {
        case 's':
        case 'r':
        case 'a':
          body = type === 's' ? toText(value) : isHtml ? escapeValue(repr(value)) : repr(value);
          if (precision >= 0) body = [...body].slice(0, precision).join('');
          zero = false;
          break;
        case 'c':
          body = isText(value) ? toText(value) : String.fromCodePoint(Number(wholeNumber(value, '%c')));
          zero = false;
          break;
        case 'd':
        case 'i':
        case 'u':
        case 'x':
        case 'X':
        case 'o': {
          const number = wholeNumber(value, `%${type}`);
          const size = number < 0 ? -number : number;
          sign = number < 0 ? '-' : '';
          const base = type === 'o' ? 8 : type === 'x' || type === 'X' ? 16 : 10;
          body = (typeof size === 'bigint' ? size : BigInt(size)).toString(base).padStart(precision, '0');
          if (flags.includes('#') && base !== 10) sign += base === 8 ? '0o' : '0x';
          if (type === 'X') {
            body = body.toUpperCase();
            sign = sign.toUpperCase();
          }
          break;
        }
        case 'e':
        case 'E':
        case 'f':
        case 'F':
        case 'g':
        case 'G': {
          const number = Number(numeric(value) ?? wholeNumber(value, `%${type}`));
          body = formatReal(number, type, precision < 0 ? 6 : precision, flags.includes('#'));
          if (body.startsWith('-')) {
            sign = '-';
            body = body.slice(1);
          }
          break;
        }
        default:
          throw new ValueError(
            `unsupported format character '${type}' (0x${(type.codePointAt(0) as number).toString(16)})`,
          );
      }
      if (!'srac'.includes(type) && !sign.startsWith('-')) {
        sign = (flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '') + sign;
      }
      const room = Math.max(0, width - sign.length - [...body].length);
      made = checkGrowth(made + sign.length + body.length + room);
      if (left) return sign + body + ' '.repeat(room);
      return zero ? sign + '0'.repeat(room) + body : ' '.repeat(room) + sign + body;
    },
  );
  const left =
    positional !== undefined
      ? next < positional.length
      : !single && named === undefined && !Array.isArray(values);
  if (left) throw new TemplateTypeError('not all arguments converted during string formatting');
  return isHtml ? new Markup(out) : out;
}

const SPEC = /^(?:([\s\S])?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\d+)?([_,])?(?:\.(\d+))?([\s\S])?$/u;

function group(digits: string, separator: string, size: number): string {
  const [whole, rest] = digits.split('.') as [string, string | undefined];
  const grouped = whole.replace(
    new RegExp(`\\B(?=(?:[0-9a-fA-F]{${size}})+(?![0-9a-fA-F]))`, 'g'),
    separator,
  );
  return rest === undefined ? grouped : `${grouped}.${rest}`;
}

/** `format(value, spec)`: Python's format mini-language for texts and numbers. */
export function formatSpec(value: unknown, spec: string): string {
  if (spec === '') return str(value);
  const match = SPEC.exec(spec);
  const number = isText(value) ? undefined : numeric(value);
  if (number === undefined && !isText(value)) {
    if (value instanceof Undefined) value.fail();
    throw new TemplateTypeError(`unsupported format string passed to ${typeName(value)}.__format__`);
  }
  if (match === null)
    throw new ValueError(`Invalid format specifier '${spec}' for object of type '${typeName(value)}'`);
  const [, fillText, alignText, signFlag, , alternate, zero, widthText, separator, precisionText, typeText] =
    match;
  const width = checkWidth(Number(widthText ?? 0));
  const precision = precisionText === undefined ? -1 : checkWidth(Number(precisionText));
  const fill = fillText ?? (zero !== undefined && alignText === undefined ? '0' : ' ');
  let align = alignText ?? (zero !== undefined ? '=' : undefined);
  let sign = '';
  let body: string;
  const wrong = (type: string): never => {
    throw new ValueError(`Unknown format code '${type}' for object of type '${typeName(value)}'`);
  };
  if (number === undefined) {
    if (typeText !== undefined && typeText !== 's') wrong(typeText);
    if (signFlag !== undefined) throw new ValueError('Sign not allowed in string format specifier');
    if (align === '=' && alignText !== undefined)
      throw new ValueError("'=' alignment not allowed in string format specifier");
    body = textOf(value as string);
    if (precision >= 0) body = [...body].slice(0, precision).join('');
    align = align === '=' ? '<' : (align ?? '<');
  } else {
    const whole = typeof number === 'bigint' || (Number.isInteger(number) && !(value instanceof Float));
    const type = typeText ?? (whole ? 'd' : '');
    align ??= '>';
    if (whole && 'bcdoxXn'.includes(type)) {
      if (precision >= 0) throw new ValueError('Precision not allowed in integer format specifier');
      if (type === 'c') body = String.fromCodePoint(Number(number));
      else {
        const size = BigInt(number) < 0n ? -BigInt(number) : BigInt(number);
        sign = number < 0 ? '-' : '';
        const base = type === 'b' ? 2 : type === 'o' ? 8 : type === 'x' || type === 'X' ? 16 : 10;
        body = size.toString(base);
        if (type === 'X') body = body.toUpperCase();
        if (separator !== undefined) body = group(body, separator, base === 10 ? 3 : 4);
        if (alternate !== undefined && base !== 10) sign += `0${type}`;
      }
    } else if ('eEfFgGn%'.includes(type) || type === '') {
      const real = Number(number);
      if (type === '') {
        body = precision < 0 ? formatFloat(real) : general(real, precision, false);
        if (precision >= 0 && Number.isFinite(real) && !/[.e]/.test(body)) body += '.0';
      } else if (type === '%') body = `${formatReal(real * 100, 'f', precision < 0 ? 6 : precision, false)}%`;
      else
        body = formatReal(
          real,
          type === 'n' ? 'g' : type,
          precision < 0 ? 6 : precision,
          alternate !== undefined,
        );
      if (body.startsWith('-')) {
        sign = '-';
        body = body.slice(1);
      }
      if (separator !== undefined) body = group(body, separator, 3);
    } else body = wrong(type);
    if (!sign.startsWith('-') && (signFlag === '+' || signFlag === ' ')) sign = signFlag + sign;
  }
  const room = Math.max(0, width - sign.length - [...body].length);
  if (align === '<') return sign + body + fill.repeat(room);
  if (align === '=') return sign + fill.repeat(room) + body;
  if (align === '^') return fill.repeat(room >> 1) + sign + body + fill.repeat(room - (room >> 1));
  return fill.repeat(room) + sign + body;
}

/** How `str.format` reaches members of its arguments. */
export type Lookup = (value: unknown, name: string | number, isItem: boolean) => unknown;

/** `text.format(*positional, **named)`. A `Markup` escapes what is put into it. */
export function formatBraces(
  format: string | Markup,
  positional: readonly unknown[],
  named: Dict,
  lookup: Lookup,
): string | Markup {
  const isHtml = format instanceof Markup;
  let automatic = 0;
  const field = (expression: string): unknown => {
    const match = /^([^.[\]]*)([\s\S]*)$/.exec(expression) as RegExpExecArray;
    const first = match[1] as string;
    let value: unknown;
    if (first === '' || /^\d+$/.test(first)) {
      const index = first === '' ? automatic++ : Number(first);
      if (index >= positional.length) {
        throw new LookupError(
          'IndexError',
          `Replacement index ${index} out of range for positional args tuple`,
        );
      }
      value = positional[index];
    } else {
      if (!named.has(first)) throw new LookupError('KeyError', repr(first));
      value = named.get(first);
    }
    for (const part of (match[2] as string).matchAll(/\.([^.[\]]+)|\[([^\]]*)\]/g)) {
      if (part[1] !== undefined) value = lookup(value, part[1], false);
      else
        value = lookup(value, /^\d+$/.test(part[2] as string) ? Number(part[2]) : (part[2] as string), true);
    }
    return value;
  };
  const expand = (text: string, depth: number): string => {
    if (depth < 0) throw new ValueError('Max string recursion exceeded');
    let out = '';
    let i = 0;
    while (i < text.length) {
      checkGrowth(out.length);
      const character = text[i] as string;
      if ((character === '{' || character === '}') && text[i + 1] === character) {
        out += character;
        i += 2;
      } else if (character === '}') throw new ValueError("Single '}' encountered in format string");
      else if (character === '{') {
        let end = i + 1;
        for (let open = 1; end < text.length; end++) {
          if (text[end] === '{') open++;
          else if (text[end] === '}' && --open === 0) break;
        }
        if (end >= text.length) throw new ValueError("expected '}' before end of string");
        const match = /^([^!:]*)(?:!([rsa]))?(?::([\s\S]*))?$/.exec(text.slice(i + 1, end));
        if (match === null) throw new ValueError("expected ':' after conversion specifier");
        let value = field(match[1] as string);
        if (match[2] !== undefined) value = match[2] === 's' ? str(value) : repr(value);
        const spec = expand(match[3] ?? '', depth - 1);
        if (!isHtml) out += formatSpec(value, spec);
        else out += spec === '' ? escapeValue(value) : escapeValue(formatSpec(value, spec));
        i = end + 1;
      } else {
        out += character;
        i++;
      }
    }
    return out;
  };
  const out = expand(textOf(format), 2);
  return isHtml ? new Markup(out) : out;
}

/** `int` of a numeric text in a base, or undefined when it is none (underscores and prefixes as in Python). */
export function parseInteger(text: string, base: number): number | bigint | undefined {
  const match = /^([+-]?)(0[xXoObB])?([0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*)$/.exec(text.trim());
  if (match === null) return undefined;
  const [, sign, prefix, rawDigits] = match as unknown as [string, string, string | undefined, string];
  let digits = rawDigits.replaceAll('_', '').toLowerCase();
  const prefixBase =
    prefix === undefined ? 0 : { x: 16, o: 8, b: 2 }[(prefix[1] as string).toLowerCase() as 'x' | 'o' | 'b'];
  let radix = base;
  if (base === 0) radix = prefixBase === 0 ? 10 : prefixBase;
  else if (prefixBase !== 0 && prefixBase !== base) digits = `${(prefix as string).toLowerCase()}${digits}`;
  // Python's limit: each digit costs as much as all before it.
  if (digits.length > MAX_DIGITS) return undefined;
  let value = 0n;
  for (const digit of digits) {
    const worth = Number.parseInt(digit, 36);
    if (worth >= radix) return undefined;
    value = value * BigInt(radix) + BigInt(worth);
  }
  return narrow(sign === '-' ? -value : value);
}

/** `float` of a text, or undefined when it is none. */
export function parseFloatText(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?$/.test(trimmed)) {
    return Number(trimmed.replaceAll('_', ''));
  }
  const word = /^([+-]?)(inf|infinity|nan)$/i.exec(trimmed);
  if (word === null) return undefined;
  if ((word[2] as string).toLowerCase() === 'nan') return Number.NaN;
  return word[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

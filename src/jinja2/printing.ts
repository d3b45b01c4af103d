import { TemplateTypeError, ValueError } from './errors.ts';
import { joinTexts, step } from './growth.ts';
import { escapeText, hasHtml, htmlOf, Markup } from './markup.ts';
import { quoteBytes } from './methods/bytes.ts';
import { Undefined } from './undefined.ts';
import {
  type Dict,
  DictView,
  entriesOf,
  Float,
  isMapping,
  isThenable,
  Namespace,
  Range,
  Tuple,
  TypeName,
  typeName,
} from './values.ts';

/** A float as Python's `repr` writes it: shortest digits, exponent below 1e-4 and from 1e16 on, always a sign that it is a float. */
export function formatFloat(number: number): string {
  if (Number.isNaN(number)) return 'nan';
  if (number === Number.POSITIVE_INFINITY) return 'inf';
  if (number === Number.NEGATIVE_INFINITY) return '-inf';
  if (number === 0) return Object.is(number, -0) ? '-0.0' : '0.0';
  const size = Math.abs(number);
  if (size >= 1e16 || size < 1e-4) {
    const [digits, exponent] = number.toExponential().split('e') as [string, string];
    const sign = exponent[0] as string;
    return `${digits}e${sign}${exponent.slice(1).padStart(2, '0')}`;
  }
  return Number.isInteger(number) ? `${number}.0` : String(number);
}

/** Python's limit: turning longer integers into text takes too long. */
const MAX_DIGITS = 4300;
const TOO_LONG = 10n ** BigInt(MAX_DIGITS);
const TOO_LONG_BELOW = -TOO_LONG;

function formatInteger(number: bigint): string {
  if (number >= TOO_LONG || number <= TOO_LONG_BELOW) {
    throw new ValueError(
      `Exceeds the limit (${MAX_DIGITS} digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit`,
    );
  }
  return number.toString();
}

/** A JavaScript number as Python prints it: integers plain, the rest as floats. */
export function formatNumber(number: number): string {
  if (Number.isInteger(number)) {
    return Math.abs(number) < 1e21
      ? Object.is(number, -0)
        ? '0'
        : String(number)
      : formatInteger(BigInt(number));
  }
  return formatFloat(number);
}

const pad = (n: number, width: number = 2): string => String(n).padStart(width, '0');

/** A `Date` as Python prints an aware datetime in UTC. */
export function formatDate(date: Date): string {
  if (Number.isNaN(date.getTime())) return 'Invalid Date';
  const milliseconds = date.getUTCMilliseconds();
  return (
    `${pad(date.getUTCFullYear(), 4)}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())} ` +
    `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}:${pad(date.getUTCSeconds())}` +
    `${milliseconds === 0 ? '' : `.${pad(milliseconds, 3)}000`}+00:00`
  );
}

const ESCAPES: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };
const UNPRINTABLE = /[\\\n\r\t]|[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

function escapeCharacter(character: string): string {
  const known = ESCAPES[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0) as number;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}

/** A string as Python's `repr` writes it. */
export function quote(text: string): string {
  const body = text.replace(UNPRINTABLE, escapeCharacter);
  if (text.includes("'") && !text.includes('"')) return `"${body}"`;
  return `'${body.replaceAll("'", "\\'")}'`;
}

function promised(): never {
  throw new TemplateTypeError(
    'a promise turned up while a template was rendered synchronously: use renderAsync() or generateAsync()',
  );
}

/** `repr(value)`. */
export function repr(value: unknown, open: readonly unknown[] = []): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value !== 'object' || value === null) return str(value);
  if (value instanceof Markup) return `Markup(${quote(value.html)})`;
  if (value instanceof Undefined) return value.constructor.name;
  const isArray = Array.isArray(value);
  if (!isArray && !isMapping(value) && !(value instanceof Set)) return str(value);
  if (open.includes(value)) return isArray ? (value instanceof Tuple ? '(...)' : '[...]') : '{...}';
  step();
  const inside = [...open, value];
  if (value instanceof Tuple) {
    const items = value.map((item) => repr(item, inside));
    return items.length === 1 ? `(${items[0]},)` : `(${joinTexts(items, ', ')})`;
  }
  if (isArray)
    return `[${joinTexts(
      value.map((item) => repr(item, inside)),
      ', ',
    )}]`;
  if (value instanceof Set) {
    return value.size === 0 ? 'set()' : `{${[...value].map((item) => repr(item, inside)).join(', ')}}`;
  }
  const parts: string[] = [];
  for (const [key, item] of entriesOf(value as Dict))
    parts.push(`${repr(key, inside)}: ${repr(item, inside)}`);
  return `{${joinTexts(parts, ', ')}}`;
}

/** `str(value)`: what `{{ value }}` prints without escaping. */
export function str(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return formatNumber(value);
    case 'boolean':
      return value ? 'True' : 'False';
    case 'bigint':
      return formatInteger(value);
    case 'undefined':
      return '';
    case 'function':
      return `<function ${value.name || 'anonymous'}>`;
    case 'symbol':
      throw new TemplateTypeError('a symbol cannot be printed');
    default:
  }
  if (value === null) return 'None';
  if (value instanceof Markup) return value.html;
  if (value instanceof Undefined) return value.print();
  if (value instanceof Float) return formatFloat(value.number);
  if (Array.isArray(value) || isMapping(value) || value instanceof Set) return repr(value);
  if (value instanceof Range) {
    return `range(${value.start}, ${value.stop}${value.step === 1 ? '' : `, ${value.step}`})`;
  }
  if (value instanceof DictView) return `dict_${value.kind}(${repr([...value])})`;
  if (value instanceof Date) return formatDate(value);
  if (value instanceof TypeName) return `<class '${value.name}'>`;
  if (value instanceof Namespace) {
    return `<Namespace {${[...value.attributes].map(([key, item]) => `${quote(key)}: ${repr(item)}`).join(', ')}}>`;
  }
  if (value instanceof Uint8Array) return quoteBytes(value);
  if (isThenable(value)) return promised();
  const own = (value as { toString?: unknown }).toString;
  if (typeof own === 'function' && own !== Object.prototype.toString) return String(value);
  return `<${typeName(value)} object>`;
}

/** The HTML of a value: as {@link str}, escaped unless it is HTML by itself. */
export function escapeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return escapeText(value);
    case 'number':
      return formatNumber(value);
    case 'boolean':
      return value ? 'True' : 'False';
    default:
      if (value instanceof Markup) return value.html;
      return hasHtml(value) ? htmlOf(value) : escapeText(str(value));
  }
}

/**
 * Makes a value safe for HTML: `& < > " '` become references; a `Markup` stays as it is.
 *
 * @example
 * ```ts
 * import { escape } from 'aiohttp-ts/jinja2';
 * String(escape('<b>')); // &lt;b&gt;
 * ```
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the name that MarkupSafe gave it
export function escape(value: unknown): Markup {
  return value instanceof Markup ? value : new Markup(escapeValue(value));
}

/** `str(value)` that stays `Markup` when it is one (Jinja2's `soft_str`). */
export function softString(value: unknown): string | Markup {
  if (typeof value === 'string' || value instanceof Markup) return value;
  return str(value);
}

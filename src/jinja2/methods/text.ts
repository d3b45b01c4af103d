import { TemplateTypeError, ValueError } from '../errors.ts';
import { formatBraces, type Lookup } from '../formatting.ts';
import { checkGrowth, joinTexts } from '../growth.ts';
import { escapeText, Markup } from '../markup.ts';
import { escapeValue, softString } from '../printing.ts';
import { countCharacters, hasAstral, pairsOf, toArray } from '../sequences.ts';
import { Undefined } from '../undefined.ts';
import { Dict, isText, Tuple, textOf, typeName } from '../values.ts';
import { encode } from './bytes.ts';
import { stripTags, unescapeHtml } from './html.ts';
import { SPACE, SPACES } from './space.ts';

/** A text argument; `Markup` keeps what it gets from being taken as HTML by escaping it. */
function argument(method: string, value: unknown): string {
  if (isText(value)) return textOf(value);
  if (value instanceof Undefined) value.fail();
  throw new TemplateTypeError(`${method} arg must be str, not ${typeName(value)}`);
}

/** What Python takes for white space: more control characters than JavaScript, but not U+FEFF. */
function isSpace(code: number): boolean {
  if (code < 128) return code === 32 || (code >= 9 && code <= 13) || (code >= 28 && code <= 31);
  if (code === 0x85 || code === 0xa0) return true;
  return code >= 0x1680 && code !== 0xfeff && /\s/.test(String.fromCharCode(code));
}

/** `text.strip(characters)`, on one side or on both. */
export function strip(text: string, characters: unknown, sides: 'left' | 'right' | 'both'): string {
  if (characters === null || characters === undefined) {
    let from = 0;
    let to = text.length;
    if (sides !== 'right') while (from < to && isSpace(text.charCodeAt(from))) from++;
    if (sides !== 'left') while (to > from && isSpace(text.charCodeAt(to - 1))) to--;
    return from === 0 && to === text.length ? text : text.slice(from, to);
  }
  const set = new Set(argument('strip', characters));
  const items = [...text];
  let from = 0;
  let to = items.length;
  if (sides !== 'right') while (from < to && set.has(items[from] as string)) from++;
  if (sides !== 'left') while (to > from && set.has(items[to - 1] as string)) to--;
  return items.slice(from, to).join('');
}

/** Upper case first, lower case the rest. */
export function capitalize(text: string): string {
  const [first = '', ...rest] = text;
  return titleCase(first) + rest.join('').toLowerCase();
}

function titleCase(character: string): string {
  const upper = character.toUpperCase();
  return upper.length > character.length && upper !== character ? capitalizeExpansion(upper) : upper;
}

/** `ß` becomes `Ss` at the start of a word, not `SS`. */
function capitalizeExpansion(upper: string): string {
  const [first = '', ...rest] = upper;
  return first + rest.join('').toLowerCase();
}

const CASED = /\p{Cased}/u;

/** `str.title`: a word starts after anything that has no case. */
export function titleWords(text: string): string {
  let out = '';
  let inside = false;
  for (const character of text) {
    out += inside ? character.toLowerCase() : titleCase(character);
    inside = CASED.test(character);
  }
  return out;
}

function splitText(text: string, separator: unknown, limit: unknown, fromRight: boolean): string[] {
  const most =
    limit === null || limit === undefined || Number(limit) < 0 ? Number.POSITIVE_INFINITY : Number(limit);
  const blank = separator === null || separator === undefined;
  if (!blank && argument('split', separator) === '') throw new ValueError('empty separator');
  let parts: string[];
  if (!blank) parts = text.split(argument('split', separator));
  else
    parts = strip(text, null, 'both')
      .split(SPACES)
      .filter((part) => part !== '');
  if (parts.length - 1 <= most) return parts;
  if (!blank) {
    const joiner = argument('split', separator);
    return fromRight
      ? [parts.slice(0, parts.length - most).join(joiner), ...parts.slice(parts.length - most)]
      : [...parts.slice(0, most), parts.slice(most).join(joiner)];
  }
  // The rest keeps its own white space, so it is cut from the text instead of being joined.
  const out: string[] = [];
  let rest = strip(text, null, fromRight ? 'right' : 'left');
  while (out.length < most) {
    const word = fromRight ? /\S+$/u.exec(rest) : /^\S+/u.exec(rest);
    if (word === null) break;
    out.push(word[0]);
    rest = fromRight
      ? strip(rest.slice(0, word.index), null, 'right')
      : strip(rest.slice(word[0].length), null, 'left');
  }
  if (fromRight) {
    const last = strip(rest, null, 'left');
    return (last === '' ? out : [...out, last.length === rest.length ? rest : last]).reverse();
  }
  const last = strip(rest, null, 'right');
  return last === '' ? out : [...out, last];
}

/** `text.splitlines(keepends)`. */
export function splitLines(text: string, keepEnds: boolean = false): string[] {
  const lines =
    text.match(/[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]*(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]|$)/gu) ?? [];
  if (lines[lines.length - 1] === '') lines.pop();
  return keepEnds
    ? lines
    : lines.map((line) => line.replace(/(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])$/u, ''));
}

/** `text.ljust`, `rjust` and `center`. */
export function justify(
  text: string,
  width: unknown,
  fill: unknown,
  side: 'left' | 'right' | 'center',
): string {
  const character = fill === undefined ? ' ' : argument('fill', fill);
  if (countCharacters(character) !== 1)
    throw new TemplateTypeError('The fill character must be exactly one character long');
  const wanted = Number(width);
  checkGrowth(wanted);
  const room = Math.max(0, wanted - countCharacters(text));
  if (side === 'left') return text + character.repeat(room);
  if (side === 'right') return character.repeat(room) + text;
  const left = (room >> 1) + (room & wanted & 1);
  return character.repeat(left) + text + character.repeat(room - left);
}

function range(
  text: string,
  start: unknown,
  stop: unknown,
): [characters: string[] | string, from: number, to: number] {
  const characters = hasAstral(text) ? [...text] : text;
  const clamp = (value: unknown, fallback: number): number => {
    if (value === null || value === undefined) return fallback;
    const index = Number(value);
    return Math.min(Math.max(index < 0 ? index + characters.length : index, 0), characters.length);
  };
  return [characters, clamp(start, 0), clamp(stop, characters.length)];
}

function find(text: string, needle: unknown, start: unknown, stop: unknown, last: boolean): number {
  const [characters, from, to] = range(text, start, stop);
  const part =
    typeof characters === 'string' ? characters.slice(from, to) : characters.slice(from, to).join('');
  const wanted = argument('find', needle);
  const at = last ? part.lastIndexOf(wanted) : part.indexOf(wanted);
  return at < 0 || from > to ? -1 : from + countCharacters(part.slice(0, at));
}

function affix(
  text: string,
  affixes: unknown,
  start: unknown,
  stop: unknown,
  method: 'startsWith' | 'endsWith',
): boolean {
  const [characters, from, to] = range(text, start, stop);
  const part =
    typeof characters === 'string' ? characters.slice(from, to) : characters.slice(from, to).join('');
  const list = affixes instanceof Tuple ? affixes : [affixes];
  return list.some((item) => part[method](argument(`${method.toLowerCase()} first`, item)));
}

function count(text: string, needle: unknown, start: unknown, stop: unknown): number {
  const [characters, from, to] = range(text, start, stop);
  const part =
    typeof characters === 'string' ? characters.slice(from, to) : characters.slice(from, to).join('');
  const wanted = argument('count', needle);
  return wanted === '' ? countCharacters(part) + 1 : part.split(wanted).length - 1;
}

/** `text.replace(old, new, count)`; an empty `old` matches between all characters. */
export function replaceText(text: string, old: string, replacement: string, limit: number = -1): string {
  const most = limit < 0 ? Number.POSITIVE_INFINITY : limit;
  if (old === '') {
    const characters = [...text];
    checkGrowth(text.length + (characters.length + 1) * replacement.length);
    let out = '';
    for (let i = 0; i <= characters.length; i++) out += (i < most ? replacement : '') + (characters[i] ?? '');
    return out;
  }
  const parts = text.split(old);
  if (parts.length - 1 <= most) return joinTexts(parts, replacement);
  return [joinTexts(parts.slice(0, most + 1), replacement), ...parts.slice(most + 1)].join(old);
}

function partition(text: string, separator: unknown, last: boolean): string[] {
  const wanted = argument('partition', separator);
  if (wanted === '') throw new ValueError('empty separator');
  const at = last ? text.lastIndexOf(wanted) : text.indexOf(wanted);
  if (at < 0) return last ? ['', '', text] : [text, '', ''];
  return [text.slice(0, at), wanted, text.slice(at + wanted.length)];
}

const every = (text: string, pattern: RegExp): boolean => text !== '' && pattern.test(text);

function isTitle(text: string): boolean {
  let inside = false;
  let found = false;
  for (const character of text) {
    if (/[\p{Lu}\p{Lt}]/u.test(character)) {
      if (inside) return false;
      inside = found = true;
    } else if (/\p{Ll}/u.test(character)) {
      if (!inside) return false;
      found = true;
    } else inside = false;
  }
  return found;
}

function expandTabs(text: string, size: number): string {
  let column = 0;
  let out = '';
  for (const character of text) {
    if (character === '\t') {
      const room = size > 0 ? size - (column % size) : 0;
      checkGrowth(out.length + room);
      out += ' '.repeat(room);
      column += room;
    } else {
      out += character;
      column = character === '\n' || character === '\r' ? 0 : column + 1;
    }
  }
  return out;
}

/** A method of texts: plain text in, plain value out; `wrap` says that texts in the result are `Markup` when the text was. */
interface TextMethod {
  readonly parameters: readonly string[];
  /** Arguments that end up in the result are escaped for a `Markup`. */
  readonly escapes?: boolean;
  readonly wraps?: boolean;
  readonly run: (text: string, args: readonly unknown[]) => unknown;
}

const plain = (run: TextMethod['run'], ...parameters: string[]): TextMethod => ({ parameters, run });
const wrapped = (run: TextMethod['run'], ...parameters: string[]): TextMethod => ({
  parameters,
  run,
  wraps: true,
});
const escaping = (run: TextMethod['run'], ...parameters: string[]): TextMethod => ({
  parameters,
  run,
  wraps: true,
  escapes: true,
});
const found = (at: number): number => {
  if (at < 0) throw new ValueError('substring not found');
  return at;
};

const METHODS: Readonly<Record<string, TextMethod>> = {
  capitalize: wrapped((t) => capitalize(t)),
  casefold: wrapped((t) => t.toLowerCase().replaceAll('ß', 'ss')),
  center: escaping((t, [width, fill]) => justify(t, width, fill, 'center'), 'width', 'fillchar'),
  count: plain((t, [sub, from, to]) => count(t, sub, from, to), 'sub', 'start', 'end'),
  encode: plain(
    (t, [encoding = 'utf-8', errors = 'strict']) =>
      encode(t, argument('encode', encoding), argument('encode', errors)),
    'encoding',
    'errors',
  ),
  endswith: plain((t, [sub, from, to]) => affix(t, sub, from, to, 'endsWith'), 'suffix', 'start', 'end'),
  expandtabs: wrapped((t, [size = 8]) => expandTabs(t, Number(size)), 'tabsize'),
  find: plain((t, [sub, from, to]) => find(t, sub, from, to, false), 'sub', 'start', 'end'),
  index: plain((t, [sub, from, to]) => found(find(t, sub, from, to, false)), 'sub', 'start', 'end'),
  isalnum: plain((t) => every(t, /^[\p{L}\p{N}]+$/u)),
  isalpha: plain((t) => every(t, /^\p{L}+$/u)),
  isascii: plain((t) => /^[\x00-\x7f]*$/.test(t)),
  isdecimal: plain((t) => every(t, /^\p{Nd}+$/u)),
  isdigit: plain((t) => every(t, /^[\p{Nd}\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089]+$/u)),
  isidentifier: plain((t) => every(t, /^[\p{XIDS}_]\p{XIDC}*$/u)),
  islower: plain((t) => /\p{Lowercase}/u.test(t) && !/[\p{Uppercase}\p{Lt}]/u.test(t)),
  isnumeric: plain((t) => every(t, /^\p{N}+$/u)),
  isprintable: plain((t) => !/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(t)),
  isspace: plain((t) => every(t, new RegExp(`^${SPACE}+$`, 'u'))),
  istitle: plain((t) => isTitle(t)),
  isupper: plain((t) => /\p{Uppercase}/u.test(t) && !/[\p{Lowercase}\p{Lt}]/u.test(t)),
  join: escaping(
    (t, [items]) =>
      joinTexts(
        toArray(items).map((item) => argument('sequence item: join', item)),
        t,
      ),
    'iterable',
  ),
  ljust: escaping((t, [width, fill]) => justify(t, width, fill, 'left'), 'width', 'fillchar'),
  lower: wrapped((t) => t.toLowerCase()),
  lstrip: wrapped((t, [chars]) => strip(t, chars, 'left'), 'chars'),
  partition: wrapped((t, [sep]) => Tuple.make(partition(t, sep, false)), 'sep'),
  removeprefix: wrapped(
    (t, [prefix]) => (t.startsWith(argument('removeprefix', prefix)) ? t.slice(String(prefix).length) : t),
    'prefix',
  ),
  removesuffix: wrapped((t, [suffix]) => {
    const end = argument('removesuffix', suffix);
    return end !== '' && t.endsWith(end) ? t.slice(0, -end.length) : t;
  }, 'suffix'),
  // What is put in is escaped for a `Markup`, what is looked for is not.
  replace: wrapped(
    (t, [old, fresh, limit = -1]) =>
      replaceText(t, argument('replace', old), argument('replace', fresh), Number(limit)),
    'old',
    'new',
    'count',
  ),
  rfind: plain((t, [sub, from, to]) => find(t, sub, from, to, true), 'sub', 'start', 'end'),
  rindex: plain((t, [sub, from, to]) => found(find(t, sub, from, to, true)), 'sub', 'start', 'end'),
  rjust: escaping((t, [width, fill]) => justify(t, width, fill, 'right'), 'width', 'fillchar'),
  rpartition: wrapped((t, [sep]) => Tuple.make(partition(t, sep, true)), 'sep'),
  rsplit: wrapped((t, [sep, limit]) => splitText(t, sep, limit, true), 'sep', 'maxsplit'),
  rstrip: wrapped((t, [chars]) => strip(t, chars, 'right'), 'chars'),
  split: wrapped((t, [sep, limit]) => splitText(t, sep, limit, false), 'sep', 'maxsplit'),
  splitlines: wrapped((t, [keep]) => splitLines(t, keep === true), 'keepends'),
  startswith: plain((t, [sub, from, to]) => affix(t, sub, from, to, 'startsWith'), 'prefix', 'start', 'end'),
  strip: wrapped((t, [chars]) => strip(t, chars, 'both'), 'chars'),
  swapcase: wrapped((t) =>
    [...t].map((c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())).join(''),
  ),
  title: wrapped((t) => titleWords(t)),
  upper: wrapped((t) => t.toUpperCase()),
  zfill: wrapped((t, [width]) => {
    const sign = /^[+-]/.test(t) ? (t[0] as string) : '';
    const room = Math.max(0, Number(width) - countCharacters(t));
    return sign + justify('', room, '0', 'left') + t.slice(sign.length);
  }, 'width'),
};

/** Names of the text methods that a template may call. */
export const textMethodNames: ReadonlySet<string> = new Set([
  ...Object.keys(METHODS),
  'format',
  'format_map',
  'striptags',
  'unescape',
]);

/** Keyword arguments put in their places after the positional ones. */
export function placeArguments(
  method: string,
  parameters: readonly string[],
  args: readonly unknown[],
  keywords: Readonly<Record<string, unknown>> | undefined,
): readonly unknown[] {
  if (args.length > parameters.length) {
    throw new TemplateTypeError(
      `${method}() takes at most ${parameters.length} arguments (${args.length} given)`,
    );
  }
  if (keywords === undefined) return args;
  const placed = [...args];
  for (const [name, value] of Object.entries(keywords)) {
    const at = parameters.indexOf(name);
    if (at < 0) throw new TemplateTypeError(`${method}() got an unexpected keyword argument '${name}'`);
    if (at < args.length)
      throw new TemplateTypeError(`${method}() got multiple values for argument '${name}'`);
    placed[at] = value;
  }
  return placed;
}

function wrap(value: unknown): unknown {
  if (typeof value === 'string') return new Markup(value);
  if (value instanceof Tuple) return Tuple.make(value.map(wrap));
  return Array.isArray(value) ? value.map(wrap) : value;
}

function escapeArgument(value: unknown): unknown {
  if (typeof value === 'string') return escapeText(value);
  if (value instanceof Markup) return value.html;
  return Array.isArray(value) ? value.map((item) => escapeValue(softString(item))) : value;
}

/** Calls a method of a text. */
export function callTextMethod(
  self: string | Markup,
  name: string,
  args: readonly unknown[],
  keywords: Readonly<Record<string, unknown>> | undefined,
  lookup: Lookup,
): unknown {
  if (name === 'format') return formatBraces(self, args, new Dict(Object.entries(keywords ?? {})), lookup);
  if (name === 'format_map') return formatBraces(self, [], new Dict(pairsOf(args[0])), lookup);
  if (name === 'striptags') return stripTags(textOf(self));
  if (name === 'unescape') return unescapeHtml(textOf(self));
  const method = METHODS[name] as TextMethod;
  const placed = placeArguments(name, method.parameters, args, keywords);
  if (!(self instanceof Markup)) return method.run(self, placed);
  const given =
    method.escapes === true
      ? placed.map(escapeArgument)
      : name === 'replace'
        ? placed.map((value, i) => (i === 1 ? escapeArgument(value) : value))
        : placed;
  const result = method.run(self.html, given);
  return method.wraps === true ? wrap(result) : result;
}

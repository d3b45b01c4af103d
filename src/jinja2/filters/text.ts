import type { NativeFilter } from '../callables.ts';
import { truth } from '../comparing.ts';
import { FilterArgumentError, TemplateTypeError } from '../errors.ts';
import { formatPercent } from '../formatting.ts';
import { checkGrowth, joinTexts } from '../growth.ts';
import { escapeText, hasHtml, htmlOf, Markup } from '../markup.ts';
import { stripTags } from '../methods/html.ts';
import { capitalize, justify, replaceText, splitLines, strip } from '../methods/text.ts';
import { escape as escapeToMarkup, escapeValue, softString, str } from '../printing.ts';
import { countCharacters, toArray } from '../sequences.ts';
import { Undefined } from '../undefined.ts';
import { Dict, isText, Tuple, textOf } from '../values.ts';
import { attributeGetter } from './attributes.ts';
import { wordWrap } from './wordwrap.ts';

/** Runs a function on the text of a value; the result is `Markup` when the value was. */
const mapped =
  (f: (text: string) => string) =>
  (_context: unknown, value: unknown): unknown => {
    if (typeof value === 'string') return f(value);
    const text = softString(value);
    return text instanceof Markup ? new Markup(f(text.html)) : f(text);
  };

const text = (name: string, f: (text: string) => string): NativeFilter => ({
  name,
  parameters: [],
  run: mapped(f),
});

/** `title` of the filter: a word starts after white space, hyphens and brackets, and the rest is lower case. */
function title(value: string): string {
  return value.replace(/([-\s({[<]*)([^-\s({[<]+)/gu, (_all, before: string, word: string) => {
    const [first = '', ...rest] = word;
    return before + first.toUpperCase() + rest.join('').toLowerCase();
  });
}

function truncate(
  value: string,
  length: number,
  killWords: boolean,
  end: string,
  /** `end` as it is put behind the text: escaped for HTML, which doesn't make it longer for a reader. */
  shown: string,
  leeway: number,
): string {
  const characters = [...value];
  const ending = countCharacters(end);
  if (length < ending) throw new FilterArgumentError(`expected length >= ${ending}, got ${length}`);
  if (leeway < 0) throw new FilterArgumentError(`expected leeway >= 0, got ${leeway}`);
  if (characters.length <= length + leeway) return value;
  const kept = characters.slice(0, length - ending).join('');
  if (killWords) return kept + shown;
  const space = kept.lastIndexOf(' ');
  return (space < 0 ? kept : kept.slice(0, space)) + shown;
}

function indent(value: string, width: unknown, first: boolean, blank: boolean): string {
  const prefix = isText(width) ? textOf(width) : ' '.repeat(Math.max(0, checkGrowth(Number(width))));
  const source = `${value}\n`;
  let out: string;
  if (blank) out = joinTexts(splitLines(source), `\n${prefix}`);
  else {
    const [head = '', ...rest] = splitLines(source);
    out = joinTexts([head, ...rest.map((line) => (line === '' ? line : prefix + line))], '\n');
  }
  return first ? prefix + out : out;
}

/** A filter that works on the text itself has nothing to do with an undefined value. */
function defined(value: unknown): unknown {
  return value instanceof Undefined ? value.fail() : value;
}

/** Applies `f`, whose text arguments are escaped for a `Markup`. */
function withSafety(
  value: unknown,
  extra: readonly unknown[],
  f: (text: string, ...extra: string[]) => string,
): unknown {
  const given = softString(value);
  if (given instanceof Markup) return new Markup(f(given.html, ...extra.map((item) => escapeValue(item))));
  return f(given, ...extra.map(str));
}

const wordCharacters = /[\p{L}\p{N}_\p{M}]+/gu;

/** Filters that work on texts. */
export const textFilters: Readonly<Record<string, NativeFilter>> = {
  capitalize: text('capitalize', capitalize),
  center: {
    name: 'center',
    parameters: ['width'],
    run: (_context, value, width = 80) =>
      mapped((given) => justify(given, width, ' ', 'center'))(undefined, value),
  },
  lower: text('lower', (value) => value.toLowerCase()),
  upper: text('upper', (value) => value.toUpperCase()),
  title: text('title', title),
  trim: {
    name: 'trim',
    parameters: ['chars'],
    run: (_context, value, chars = null) => mapped((given) => strip(given, chars, 'both'))(undefined, value),
  },
  striptags: {
    name: 'striptags',
    parameters: [],
    run: (_context, value) => stripTags(hasHtml(value) ? htmlOf(value) : str(value)),
  },
  string: { name: 'string', parameters: [], run: (_context, value) => softString(value) },
  escape: { name: 'escape', parameters: [], run: (_context, value) => escapeToMarkup(value) },
  forceescape: {
    name: 'forceescape',
    parameters: [],
    run: (_context, value) => new Markup(escapeText(hasHtml(value) ? htmlOf(value) : str(value))),
  },
  safe: {
    name: 'safe',
    parameters: [],
    run: (_context, value) =>
      value instanceof Markup ? value : new Markup(hasHtml(value) ? htmlOf(value) : str(value)),
  },
  wordcount: {
    name: 'wordcount',
    parameters: [],
    run: (_context, value) => (str(value).match(wordCharacters) ?? []).length,
  },
  replace: {
    name: 'replace',
    parameters: ['old', 'new', 'count'],
    run: (context, value, old, fresh, count = null) => {
      if (fresh === undefined) throw new TemplateTypeError("replace() missing a required argument: 'new'");
      const limit = count === null ? -1 : Number(count);
      if (!context.autoescape) return replaceText(str(value), str(old), str(fresh), limit);
      const needsEscape = hasHtml(old) || (hasHtml(fresh) && !hasHtml(value));
      const subject = needsEscape ? escapeToMarkup(value) : softString(value);
      // A `Markup` escapes the text that is put in, not the one that is looked for.
      if (subject instanceof Markup)
        return new Markup(replaceText(subject.html, str(old), escapedIfText(fresh), limit));
      return replaceText(subject, str(old), str(fresh), limit);
    },
  },
  format: {
    name: 'format',
    parameters: [],
    isVariadic: true,
    run: (_context, value, args, keywords) => {
      const given = args as readonly unknown[];
      if (keywords !== undefined && given.length > 0) {
        throw new FilterArgumentError("can't handle positional and keyword arguments at the same time");
      }
      const values =
        keywords === undefined ? Tuple.make(given) : new Dict(Object.entries(keywords as object));
      return formatPercent(softString(value), values);
    },
  },
  truncate: {
    name: 'truncate',
    parameters: ['length', 'killwords', 'end', 'leeway'],
    run: ({ environment }, value, length = 255, killWords = false, end = '...', leeway = null) =>
      withSafety(value, [end], (given, ending) =>
        truncate(
          given,
          Number(length),
          truth(killWords),
          str(end),
          ending as string,
          Number(leeway ?? environment.policies.truncateLeeway ?? 5),
        ),
      ),
  },
  wordwrap: {
    name: 'wordwrap',
    parameters: ['width', 'break_long_words', 'wrapstring', 'break_on_hyphens'],
    run: (_context, value, width = 79, breakLong = true, wrapString = null, onHyphens = true) =>
      withSafety(defined(value), [wrapString ?? '\n'], (given, glue) =>
        wordWrap(given, Number(width), truth(breakLong), glue as string, truth(onHyphens)),
      ),
  },
  indent: {
    name: 'indent',
    parameters: ['width', 'first', 'blank'],
    run: (_context, value, width = 4, first = false, blank = false) =>
      withSafety(defined(value), [isText(width) ? width : ''], (given, prefix) =>
        indent(given, isText(width) ? prefix : width, truth(first), truth(blank)),
      ),
  },
  join: {
    name: 'join',
    parameters: ['d', 'attribute'],
    run: (context, value, separator = '', attribute = null) => {
      const get = attribute === null ? undefined : attributeGetter(context.environment, attribute);
      const items = toArray(value).map((item) => (get === undefined ? item : get(item)));
      if (!context.autoescape) return joinTexts(items.map(str), str(separator));
      // One item of HTML makes the whole one.
      if (hasHtml(separator) || items.some(hasHtml))
        return new Markup(joinTexts(items.map(escapeValue), escapeValue(separator)));
      return joinTexts(items.map(str), str(separator));
    },
  },
};

function escapedIfText(value: unknown): string {
  return escapeValue(value instanceof Undefined ? str(value) : value);
}

import { toNative } from '../attributes.ts';
import type { NativeFilter } from '../callables.ts';
import { truth } from '../comparing.ts';
import { FilterArgumentError, TemplateTypeError, ValueError } from '../errors.ts';
import { checkGrowth, joinTexts, step } from '../growth.ts';
import { escapeText, Markup } from '../markup.ts';
import { escapeValue, formatFloat, repr, str } from '../printing.ts';
import { iterable, pairsOf } from '../sequences.ts';
import { Undefined } from '../undefined.ts';
import { entriesOf, Float, isMapping, isText, textOf, typeName } from '../values.ts';
import { prettyPrint } from './pretty.ts';
import { urlize } from './urlize.ts';

const NOT_IN_NAME = /[\s/>=]/;

/** Percent-encoding of a text; `/` stays unless it is part of a query. */
function quoteUrl(value: unknown, isQuery: boolean): string {
  const encoded = encodeURIComponent(toWellFormed(str(value))).replace(
    /[!'()*]/g,
    (character) => `%${(character.codePointAt(0) as number).toString(16).toUpperCase()}`,
  );
  return isQuery ? encoded.replaceAll('%20', '+') : encoded.replaceAll('%2F', '/');
}

/** A half of a surrogate pair has no bytes: it becomes U+FFFD. */
function toWellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}

/** JSON as Python writes it: `", "` and `": "` between items, keys in order, everything but ASCII as references. */
function dumpJson(
  value: unknown,
  indent: string | undefined,
  level: string,
  open: readonly unknown[],
): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') {
    if (Number.isNaN(value)) return 'NaN';
    if (!Number.isFinite(value)) return value < 0 ? '-Infinity' : 'Infinity';
    return Number.isInteger(value) ? str(value) : formatFloat(value);
  }
  if (value instanceof Float) return formatFloat(value.number);
  if (isText(value)) return jsonString(textOf(value));
  if (value instanceof Undefined)
    throw new TemplateTypeError('Object of type Undefined is not JSON serializable');
  step();
  if (open.includes(value)) throw new ValueError('Circular reference detected');
  const inside = [...open, value];
  const next = indent === undefined ? '' : `\n${level}${indent}`;
  const end = indent === undefined ? '' : `\n${level}`;
  const glue = indent === undefined ? ', ' : `,${next}`;
  const deeper = level + (indent ?? '');
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[${next}${joinTexts(
      value.map((item) => dumpJson(item, indent, deeper, inside)),
      glue,
    )}${end}]`;
  }
  if (isMapping(value)) {
    const entries = [...entriesOf(value)].map(([key, item]) => [jsonKey(key), item] as const);
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    if (entries.length === 0) return '{}';
    return `{${next}${entries.map(([key, item]) => `${jsonString(key)}: ${dumpJson(item, indent, deeper, inside)}`).join(glue)}${end}}`;
  }
  const plain = (value as { toJSON?: unknown } | undefined)?.toJSON;
  if (typeof plain === 'function')
    return dumpJson((value as { toJSON(): unknown }).toJSON(), indent, level, inside);
  throw new TemplateTypeError(`Object of type ${typeName(value)} is not JSON serializable`);
}

function jsonKey(key: unknown): string {
  if (isText(key)) return textOf(key);
  if (typeof key === 'boolean' || key === null) return String(key);
  if (typeof key === 'number' || typeof key === 'bigint' || key instanceof Float) return str(key);
  throw new TemplateTypeError(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
}

function jsonString(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (character) =>
    character === '\u007f' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const SCRIPT: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  "'": '\\u0027',
};

/** Filters that make HTML, URLs and JSON. */
export const htmlFilters: Readonly<Record<string, NativeFilter>> = {
  tojson: {
    name: 'tojson',
    parameters: ['indent'],
    run: ({ environment }, value, indent = null) => {
      const unit =
        indent === null
          ? undefined
          : isText(indent)
            ? textOf(indent)
            : ' '.repeat(Math.max(0, checkGrowth(Number(indent))));
      const dumps = environment.policies.jsonDumps;
      // No character that could end a script or open a tag or an attribute stays.
      return new Markup(
        (dumps === undefined ? dumpJson(value, unit, '', []) : dumps(toNative(value), unit)).replace(
          /[<>&']/g,
          (character) => SCRIPT[character] as string,
        ),
      );
    },
  },
  xmlattr: {
    name: 'xmlattr',
    parameters: ['autospace'],
    run: (context, value, autospace = true) => {
      if (value instanceof Undefined) value.fail();
      const parts: string[] = [];
      for (const [key, item] of pairsOf(value)) {
        if (item === null || item instanceof Undefined) continue;
        const name = str(key);
        if (NOT_IN_NAME.test(name))
          throw new ValueError(`Invalid character in attribute name: ${repr(name)}`);
        parts.push(`${escapeText(name)}="${escapeValue(item)}"`);
      }
      const out = parts.join(' ');
      const text = truth(autospace) && out !== '' ? ` ${out}` : out;
      return context.autoescape ? new Markup(text) : text;
    },
  },
  urlencode: {
    name: 'urlencode',
    parameters: [],
    run: (_context, value) => {
      if (isText(value) || !(isMapping(value) || isIterable(value))) return quoteUrl(value, false);
      return Array.from(
        pairsOf(value),
        ([key, item]) => `${quoteUrl(key, true)}=${quoteUrl(item, true)}`,
      ).join('&');
    },
  },
  urlize: {
    name: 'urlize',
    parameters: ['trim_url_limit', 'nofollow', 'target', 'rel', 'extra_schemes'],
    run: (context, value, limit = null, nofollow = false, target = null, rel = null, extraSchemes = null) => {
      const { urlizeRel = 'noopener', urlizeTarget, urlizeExtraSchemes } = context.environment.policies;
      const words = new Set(
        [
          ...str(rel ?? '').split(/\s+/),
          ...(truth(nofollow) ? ['nofollow'] : []),
          ...urlizeRel.split(/\s+/),
        ].filter((word) => word !== ''),
      );
      const schemes = [...iterable(extraSchemes ?? urlizeExtraSchemes ?? [])].map(str);
      for (const scheme of schemes) {
        if (!/^[\w.+-]{2,}:(?:\/{0,2})$/i.test(scheme))
          throw new FilterArgumentError(`'${scheme}' is not a valid URI scheme prefix.`);
      }
      const out = urlize(value instanceof Markup ? value.html : escapeValue(value), {
        limit: limit === null ? undefined : Number(limit),
        rel: [...words].sort().join(' '),
        target: target === null ? urlizeTarget : str(target),
        schemes,
      });
      return context.autoescape ? new Markup(out) : out;
    },
  },
  pprint: { name: 'pprint', parameters: [], run: (_context, value) => prettyPrint(value) },
  attr: {
    name: 'attr',
    parameters: ['name'],
    run: ({ environment }, value, name) => environment.getOnlyAttribute(value, str(name)),
  },
  default: {
    name: 'default',
    parameters: ['default_value', 'boolean'],
    run: (_context, value, fallback = '', isBoolean = false) => {
      if (value instanceof Undefined || value === undefined) return fallback;
      return truth(isBoolean) && !truth(value) ? fallback : value;
    },
  },
};

function isIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

import { callFunction } from './callables.ts';
import type { EvalContext } from './context.ts';
import type { Environment } from './environment.ts';
import type { Extension } from './extension.ts';
import { formatPercent } from './formatting.ts';
import { Markup } from './markup.ts';
import { type Expression, noArguments, type Position, type Statement } from './nodes.ts';
import { NativeFunction } from './objects.ts';
import type { Parser } from './parser.ts';
import { str } from './printing.ts';
import { Dict } from './values.ts';

/** The functions that `{% trans %}` calls; what is absent is taken as it stands in the template. */
export interface Translations {
  readonly gettext?: (message: string) => string;
  readonly ngettext?: (singular: string, plural: string, n: number) => string;
  readonly pgettext?: (context: string, message: string) => string;
  readonly npgettext?: (context: string, singular: string, plural: string, n: number) => string;
  /** Formats messages with keywords inside of the calls, so that `gettext('…', name=…)` works too; default true. */
  readonly newstyle?: boolean;
}

/** By the globals, which an overlay shares. */
const styles = new WeakMap<Environment['globals'], boolean>();

/**
 * Installs translations into an environment with the extension `i18n`.
 *
 * @example
 * ```ts
 * import { Environment, installTranslations } from 'aiohttp-ts/jinja2';
 * const environment = new Environment({ extensions: ['i18n'] });
 * installTranslations(environment, { gettext: (text) => (text === 'Hello' ? 'Hallo' : text) });
 * environment.fromString('{% trans %}Hello{% endtrans %}').render(); // Hallo
 * ```
 */
export function installTranslations(environment: Environment, translations: Translations = {}): void {
  const { newstyle = true } = translations;
  styles.set(environment.globals, newstyle);
  const gettext = translations.gettext ?? ((message) => message);
  const ngettext = translations.ngettext ?? ((singular, plural, n) => (n === 1 ? singular : plural));
  const pgettext = translations.pgettext ?? ((_context, message) => gettext(message));
  const npgettext =
    translations.npgettext ?? ((_context, singular, plural, n) => ngettext(singular, plural, n));
  const table = { gettext, ngettext, pgettext, npgettext };
  for (const [name, f] of Object.entries(table)) {
    const count =
      f === ngettext || name === 'ngettext' ? 3 : name === 'npgettext' ? 4 : name === 'pgettext' ? 2 : 1;
    environment.globals[name] = new NativeFunction(name, (args, keywords, context) =>
      translate(f as (...args: never[]) => string, args.slice(0, count), keywords ?? {}, newstyle, context),
    );
  }
  environment.globals['_'] = environment.globals['gettext'];
}

function translate(
  f: (...args: never[]) => string,
  args: readonly unknown[],
  keywords: Readonly<Record<string, unknown>>,
  newstyle: boolean,
  context: EvalContext,
): unknown {
  const text = callFunction(context, undefined, f, args, undefined);
  if (!newstyle) return text;
  const variables = new Dict(Object.entries(keywords));
  const last = args[args.length - 1];
  if (args.length > 2 && !variables.has('num')) variables.set('num', last);
  if (args.length === 2 && typeof last === 'string') {
    if (!variables.has('context')) variables.set('context', args[0]);
  } else if (args.length === 4 && !variables.has('context')) variables.set('context', args[0]);
  return formatPercent(context.autoescape ? new Markup(str(text)) : str(text), variables);
}

/** One of the two texts of a `trans` tag. */
interface Message {
  readonly text: string;
  readonly names: readonly string[];
}

function readMessage(parser: Parser, allowPlural: boolean): Message {
  const { stream } = parser;
  const names: string[] = [];
  let text = '';
  for (;;) {
    if (stream.is('data')) text += stream.next().value.replaceAll('%', '%%');
    else if (stream.skip('variable_begin')) {
      const name = stream.expect('name').value;
      names.push(name);
      text += `%(${name})s`;
      stream.expect('variable_end');
    } else if (stream.skip('block_begin')) {
      if (stream.is('name', 'endtrans')) break;
      if (stream.is('name', 'pluralize')) {
        if (allowPlural) break;
        stream.fail('a translatable section can have only one pluralize section');
      }
      if (stream.is('name', 'trans')) {
        stream.fail("trans blocks can't be nested; did you mean `endtrans`?");
      }
      stream.fail(
        `control structures in translatable sections are not allowed; saw \`${stream.current.value}\``,
      );
    } else if (stream.is('eof')) stream.fail('unclosed translation block');
    else stream.fail('internal parser error');
  }
  return { text, names };
}

const trimmed = (text: string): string => text.trim().replace(/\s*\n\s*/g, ' ');

function parseTrans(parser: Parser): Statement {
  const { stream, expressions } = parser;
  const { line, column } = stream.next();
  const at: Position = { line, column };
  const variables = new Map<string, Expression>();
  let trims: boolean | undefined;
  let messageContext: string | undefined;
  let counted: string | undefined;
  if (stream.is('string')) messageContext = stream.next().value;
  while (!stream.is('block_end')) {
    if (variables.size > 0) stream.expect(',');
    if (stream.skip(':')) break;
    const token = stream.expect('name');
    if (variables.has(token.value))
      stream.assertion(`translatable variable '${token.value}' defined twice.`, token);
    if (stream.skip('=')) variables.set(token.value, expressions.expression());
    else if (trims === undefined && (token.value === 'trimmed' || token.value === 'notrimmed')) {
      trims = token.value === 'trimmed';
      continue;
    } else variables.set(token.value, { type: 'name', name: token.value, ...at });
    counted ??= token.value;
  }
  stream.expect('block_end');
  const singular = readMessage(parser, true);
  let plural: Message | undefined;
  counted ??= singular.names[0];
  if (stream.skip('name', 'pluralize')) {
    if (!stream.is('block_end')) {
      const token = stream.expect('name');
      counted = token.value;
      if (!variables.has(counted)) stream.assertion(`unknown variable '${counted}' for pluralization`, token);
    }
    stream.expect('block_end');
    plural = readMessage(parser, false);
    if (counted === undefined) stream.fail('pluralize without variables', at);
  }
  stream.next();
  for (const name of [...singular.names, ...(plural?.names ?? [])]) {
    if (!variables.has(name)) variables.set(name, { type: 'name', name, ...at });
  }
  const finish = (text: string): string =>
    (trims ?? parser.policies.i18nTrimmed) === true ? trimmed(text) : text;
  return {
    type: 'output',
    parts: [
      {
        type: 'call',
        callee: { type: 'name', name: '$trans', ...at },
        args: {
          ...noArguments,
          args: [
            constant(messageContext ?? null, at),
            constant(finish(singular.text), at),
            constant(plural === undefined ? null : finish(plural.text), at),
            plural === undefined ? constant(null, at) : (variables.get(counted as string) as Expression),
            {
              type: 'dict',
              items: [...variables].map(([name, value]) => ({ key: constant(name, at), value })),
              ...at,
            },
          ],
        },
        ...at,
      },
    ],
    ...at,
  };
}

function constant(value: string | null, at: Position): Expression {
  return { type: 'constant', value, ...at };
}

/** What a `trans` tag calls: picks the function by what the tag has, and puts the variables in. */
function runTrans(args: readonly unknown[], context: EvalContext): unknown {
  const [messageContext, singular, plural, count, variables] = args as [
    string | null,
    string,
    string | null,
    unknown,
    Dict,
  ];
  const name = `${messageContext === null ? '' : 'p'}gettext`;
  const full = plural === null ? name : messageContext === null ? 'ngettext' : 'npgettext';
  const f = context.context.resolve(full);
  const given: unknown[] = messageContext === null ? [] : [messageContext];
  const newstyle = styles.get(context.environment.globals) === true;
  // Old functions get the text as it is when there is nothing to put in.
  const plain = !newstyle && variables.size === 0;
  const text = (message: string): string => (plain ? message.replaceAll('%%', '%') : message);
  given.push(text(singular));
  if (plural !== null) given.push(text(plural), count);
  const keywords = newstyle ? Object.fromEntries(variables) : undefined;
  const result = callAny(context, f, given, keywords as Record<string, unknown> | undefined);
  if (newstyle) return result;
  const marked = context.autoescape ? new Markup(str(result)) : str(result);
  return variables.size === 0 ? marked : formatPercent(marked, variables);
}

function callAny(
  context: EvalContext,
  f: unknown,
  args: readonly unknown[],
  keywords: Record<string, unknown> | undefined,
): unknown {
  if (f instanceof NativeFunction) return f.invoke(args, keywords, context);
  if (typeof f === 'function') return callFunction(context, undefined, f as () => unknown, args, undefined);
  return context.environment
    .undefinedHint('translations are not installed: call installTranslations(environment, …)', 'gettext')
    .fail();
}

/** `{% trans %}` … `{% pluralize %}` … `{% endtrans %}` (`jinja2.ext.i18n`). */
export const i18nExtension: Extension = {
  name: 'jinja2.ext.i18n',
  tags: ['trans'],
  parse: parseTrans,
  install(environment) {
    environment.globals['$trans'] = new NativeFunction('trans', (args, _keywords, context) =>
      runTrans(args, context),
    );
    const gettext = (name: string): NativeFunction =>
      new NativeFunction('_', (args, keywords, context) =>
        callAny(context, context.context.resolve(name), args, keywords as Record<string, unknown>),
      );
    environment.globals['_'] = gettext('gettext');
  },
};

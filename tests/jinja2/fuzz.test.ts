import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  Environment,
  SandboxedEnvironment,
  TemplateError,
  TemplateSyntaxError,
} from '../../src/jinja2/index.ts';

const cases = JSON.parse(readFileSync(new URL('./language.json', import.meta.url), 'utf8')) as readonly {
  readonly template: string;
}[];
const templates = cases.map(({ template }) => template).filter((template) => template.length < 400);

const options = { extensions: ['do', 'loopcontrols', 'i18n'] } as const;
const environments = [
  new Environment(options),
  new Environment({
    ...options,
    trimBlocks: true,
    lstripBlocks: true,
    lineStatementPrefix: '#',
    lineCommentPrefix: '##',
  }),
  new Environment({
    ...options,
    blockStartString: '<%',
    blockEndString: '%>',
    variableStartString: '${',
    variableEndString: '}',
    commentStartString: '<#',
    commentEndString: '#>',
  }),
];

/** What the language is made of, so that random templates get further than the first token. */
const pieces = [
  ...[
    '{{',
    '}}',
    '{%',
    '%}',
    '{#',
    '#}',
    '{%-',
    '-%}',
    '{%+',
    '+%}',
    '{{-',
    '-}}',
    '\n',
    ' ',
    'text',
    '<%',
    '%>',
    '${',
    '}',
  ],
  ...[
    'if',
    'elif',
    'else',
    'endif',
    'for',
    'in',
    'endfor',
    'recursive',
    'set',
    'endset',
    'block',
    'endblock',
    'scoped',
    'required',
  ],
  ...[
    'macro',
    'endmacro',
    'call',
    'endcall',
    'filter',
    'endfilter',
    'with',
    'endwith',
    'autoescape',
    'endautoescape',
    'raw',
    'endraw',
  ],
  ...[
    'extends',
    'include',
    'import',
    'from',
    'as',
    'ignore missing',
    'with context',
    'without context',
    'do',
    'break',
    'continue',
  ],
  ...[
    'trans',
    'pluralize',
    'endtrans',
    'trimmed',
    'print',
    'self',
    'super',
    'loop',
    'caller',
    'varargs',
    'kwargs',
    'namespace',
  ],
  ...[
    'a',
    'b',
    'a.b',
    'a[0]',
    'a[1:2]',
    'a()',
    'a(1, b=2)',
    'a(*b, **c)',
    '1',
    '1.5',
    '0x1f',
    '1_000',
    '"s"',
    "'t'",
    '"\\n"',
    '"\\x4"',
  ],
  ...[
    '+',
    '-',
    '*',
    '/',
    '//',
    '%',
    '**',
    '~',
    '==',
    '!=',
    '<',
    '>=',
    'and',
    'or',
    'not',
    'is',
    'is not',
    'defined',
    'none',
    'true',
  ],
  ...[
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ',',
    '.',
    ':',
    '|',
    ';',
    '=',
    '|upper',
    '|join(",")',
    '|nope',
    '# ',
    '## ',
    '\\',
    '"',
    "'",
    'é',
    '🌰',
    '\0',
  ],
];

/** A template, or a TemplateSyntaxError with a line of the source: nothing else may come out, and soon. */
function reads(environment: Environment, source: string): void {
  const started = performance.now();
  try {
    environment.fromString(source);
  } catch (error) {
    assert.ok(
      error instanceof TemplateSyntaxError,
      `${String((error as Error).stack)}\nfor ${JSON.stringify(source)}`,
    );
    const lines = source.split(/\r\n?|\n/).length;
    assert.ok(
      error.line >= 1 && error.line <= lines,
      `line ${error.line} of ${lines}: ${JSON.stringify(source)}`,
    );
  }
  // Far more than it takes, far less than a pattern that backtracks would.
  assert.ok(performance.now() - started < 10_000, `it takes too long: ${JSON.stringify(source)}`);
}

const everywhere = (source: string): void => {
  for (const environment of environments) reads(environment, source);
};

describe('whatever the source is, it is a template or a syntax error with a line', () => {
  test('random pieces of the language', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 40 }), fc.boolean(), (parts, spaced) =>
        everywhere(parts.join(spaced ? ' ' : '')),
      ),
      { seed: 7, numRuns: 1_500 },
    );
  });

  test('random expressions', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces.slice(70)), { maxLength: 15 }), (parts) =>
        everywhere(`{{ ${parts.join(' ')} }}`),
      ),
      { seed: 11, numRuns: 1_500 },
    );
  });

  test('random text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) =>
        everywhere(`{{ ${text} }}${text}{% ${text} %}`),
      ),
      { seed: 13, numRuns: 500 },
    );
  });

  test('templates with a piece cut out, doubled, moved or put in', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...templates),
        fc.nat(),
        fc.nat({ max: 12 }),
        fc.nat(),
        fc.constantFrom('cut', 'double', 'move', 'insert', 'end'),
        fc.constantFrom(...pieces),
        (template, from, length, to, how, piece) => {
          const start = from % (template.length + 1);
          const part = template.slice(start, start + length);
          const without = template.slice(0, start) + template.slice(start + length);
          const at = to % (without.length + 1);
          const mutants: Readonly<Record<string, string>> = {
            cut: without,
            double: template.slice(0, start) + part + template.slice(start),
            move: without.slice(0, at) + part + without.slice(at),
            insert: template.slice(0, start) + piece + template.slice(start),
            end: template.slice(0, start),
          };
          everywhere(mutants[how]!);
        },
      ),
      { seed: 17, numRuns: 1_500 },
    );
  });

  const deep: Readonly<Record<string, (n: number) => string>> = {
    parentheses: (n) => `{{ ${'('.repeat(n)}1${')'.repeat(n)} }}`,
    lists: (n) => `{{ ${'['.repeat(n)}1${']'.repeat(n)} }}`,
    dicts: (n) => `{{ ${'{1:'.repeat(n)}1${'}'.repeat(n)} }}`,
    not: (n) => `{{ ${'not '.repeat(n)}1 }}`,
    minus: (n) => `{{ ${'-'.repeat(n)}1 }}`,
    'unary after not': (n) => `{{ ${'not -'.repeat(n)}1 }}`,
    else: (n) => `{{ ${'1 if 0 else '.repeat(n)}1 }}`,
    if: (n) => `{{ 1${' if 1'.repeat(n)} }}`,
    sums: (n) => `{{ 1${' + 1'.repeat(n)} }}`,
    powers: (n) => `{{ 1${' ** 1'.repeat(n)} }}`,
    products: (n) => `{{ 1${' * 1'.repeat(n)} }}`,
    concatenations: (n) => `{{ 1${' ~ 1'.repeat(n)} }}`,
    and: (n) => `{{ 1${' and 1'.repeat(n)} }}`,
    or: (n) => `{{ 1${' or 1'.repeat(n)} }}`,
    comparisons: (n) => `{{ 1${' < 1'.repeat(n)} }}`,
    attributes: (n) => `{{ a${'.b'.repeat(n)} }}`,
    subscripts: (n) => `{{ a${'[0]'.repeat(n)} }}`,
    'nested subscripts': (n) => `{{ ${'a['.repeat(n)}0${']'.repeat(n)} }}`,
    calls: (n) => `{{ a${'()'.repeat(n)} }}`,
    filters: (n) => `{{ a${'|upper'.repeat(n)} }}`,
    tests: (n) => `{{ a${' is defined'.repeat(n)} }}`,
    targets: (n) => `{% set ${'('.repeat(n)}a${')'.repeat(n)} = 1 %}`,
    'filter blocks': (n) => `{% filter upper${'|upper'.repeat(n)} %}{% endfilter %}`,
    blocks: (n) => `${'{% if 1 %}'.repeat(n)}${'{% endif %}'.repeat(n)}`,
    elif: (n) => `{% if 1 %}${'{% elif 1 %}'.repeat(n)}{% endif %}`,
    loops: (n) => `${'{% for a in b %}'.repeat(n)}${'{% endfor %}'.repeat(n)}`,
    macros: (n) => `${'{% macro a() %}'.repeat(n)}${'{% endmacro %}'.repeat(n)}`,
    open: (n) => '{% if 1 %}'.repeat(n),
    braces: (n) => '{'.repeat(n),
    'open comments': (n) => '{#'.repeat(n),
    'open raw': (n) => '{% raw %}'.repeat(n),
    spaces: (n) => `{{ a${' '.repeat(n)}`,
    'white space before tags': (n) => `${' \n'.repeat(n)}{%- if`,
    'half strings': (n) => `{{ "${'\\"'.repeat(n)}`,
    digits: (n) => `{{ ${'1_'.repeat(n)} }}`,
    'line comments': (n) => `${' '.repeat(n)}##\n`.repeat(10),
  };
  for (const [name, source] of Object.entries(deep)) {
    test(`5 000 ${name}`, () => everywhere(source(5_000)));
  }
});

test('whatever the template is, a sandbox renders it or raises an error of the engine', () => {
  const environment = new SandboxedEnvironment({ ...options, limits: { iterations: 2_000, output: 10_000 } });
  const known = ['TypeError', 'ValueError', 'ZeroDivisionError', 'OverflowError', 'IndexError', 'KeyError'];
  fc.assert(
    fc.property(
      fc.constantFrom(...templates),
      fc.constantFrom(...templates),
      fc.nat(),
      fc.nat(),
      (first, second, a, b) => {
        const source = first.slice(0, a % (first.length + 1)) + second.slice(b % (second.length + 1));
        try {
          environment.fromString(source).render({ a: [1, 'x', { b: '<' }], v: 3, items: { k: [1] } });
        } catch (error) {
          assert.ok(
            error instanceof TemplateError || known.includes((error as Error).name),
            `${String((error as Error).stack)}\nfor ${JSON.stringify(source)}`,
          );
          assert.ok(typeof (error as { code?: unknown }).code === 'string', String((error as Error).stack));
        }
      },
    ),
    { seed: 19, numRuns: 1_500 },
  );
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { expectTypeOf } from 'expect-type';
import * as jinja2 from '../../src/jinja2/index.ts';
import * as web from '../../src/web/index.ts';

const { DictLoader, Environment } = jinja2;
const folder = mkdtempSync(path.join(tmpdir(), 'jinja2-environment-'));
after(() => rmSync(folder, { recursive: true }));

describe('an environment', () => {
  test('overlay shares filters, tests and globals, not options', () => {
    const environment = new Environment({ extensions: ['do'] });
    const other = environment.overlay({
      autoescape: false,
      variableStartString: '<<',
      variableEndString: '>>',
    });
    environment.filters['twice'] = (text: string) => text + text;
    environment.globals['site'] = '<x>';
    assert.equal(other.fromString('<< site|twice >>{{ site }}{% do 1 %}').render(), '<x><x>{{ site }}');
    assert.equal(environment.fromString('{{ site }}').render(), '&lt;x&gt;');
    assert.ok(new jinja2.SandboxedEnvironment().overlay({}) instanceof jinja2.SandboxedEnvironment);
  });

  test('meta: variables that are read, templates that are named', () => {
    const environment = new Environment();
    const names = (source: string): string[] =>
      [...jinja2.findUndeclaredVariables(environment, source)].sort();
    assert.deepEqual(names('{% set a = 1 %}{{ a + b }}{{ range(c) }}'), ['b', 'c']);
    assert.deepEqual(names('{% for x in xs if x.ok %}{{ loop.index }}{{ x }}{{ y }}{% endfor %}{{ x }}'), [
      'x',
      'xs',
      'y',
    ]);
    assert.deepEqual(names('{% macro f(a, b=c) %}{{ a }}{{ b }}{{ d }}{% endmacro %}{{ f(e) }}'), [
      'c',
      'd',
      'e',
    ]);
    assert.deepEqual(names('{% if p %}{% set q = 1 %}{% endif %}{{ q }}'), ['p', 'q']);
    assert.deepEqual(
      jinja2.findReferencedTemplates(
        environment,
        '{% extends "a" %}{% include ["b", "c"] %}{% import d as x %}{% from "e" import f %}{% include g ~ "h" %}',
      ),
      ['a', 'b', 'c', undefined, 'e', undefined],
    );
  });

  test('finalize, joinPath, selectTemplate, listTemplates, compileExpression', () => {
    class Relative extends Environment {
      override joinPath(name: string, parent: string): string {
        return path.posix.join(path.posix.dirname(parent), name);
      }
    }
    const environment = new Relative({
      loader: new DictLoader({
        'a/page.html': '{% include "part.html" %}',
        'a/part.html': '{{ none }}{{ 1 }}',
        'b.txt': '',
      }),
      finalize: (value) => value ?? '-',
    });
    assert.equal(environment.getTemplate('a/page.html').render(), '-1');
    assert.equal(environment.selectTemplate(['nope', 'b.txt']).name, 'b.txt');
    assert.throws(() => environment.selectTemplate(['nope', 'no']), jinja2.TemplatesNotFound);
    assert.throws(() => environment.selectTemplate([]), jinja2.TemplatesNotFound);
    assert.deepEqual(environment.listTemplates(['txt']), ['b.txt']);
    assert.deepEqual(
      environment.listTemplates((name) => name.startsWith('a/')),
      ['a/page.html', 'a/part.html'],
    );
    assert.throws(
      () => new Environment({ loader: new jinja2.FunctionLoader(() => '') }).listTemplates(),
      TypeError,
    );
    const expression = environment.compileExpression('a.b + 1');
    assert.equal(expression({ a: { b: 2 } }), 3);
    assert.equal(environment.compileExpression('nope')(), undefined);
    assert.ok(environment.compileExpression('nope', true)() instanceof jinja2.Undefined);
  });

  test('line statements and line comments', () => {
    const environment = new Environment({ lineStatementPrefix: '#', lineCommentPrefix: '##' });
    const source = '# for x in [1,\n    2]:\n  - {{ x }} ## a comment\n# endfor\nend';
    assert.equal(environment.fromString(source).render(), '  - 1\n  - 2\nend');
  });

  test('policies', () => {
    const environment = new Environment({
      extensions: ['i18n'],
      policies: {
        urlizeRel: 'me',
        urlizeTarget: '_top',
        truncateLeeway: 0,
        i18nTrimmed: true,
        jsonDumps: () => '</x>',
      },
    });
    jinja2.installTranslations(environment);
    const page =
      '{{ "http://a.com"|urlize }}{{ "abcdef"|truncate(5, true) }}{{ 1|tojson }}{% trans %}  a\n b {% endtrans %}';
    assert.equal(
      environment.fromString(page).render(),
      '<a href="http://a.com" rel="me" target="_top">http://a.com</a>ab...\\u003c/x\\u003ea b',
    );
  });

  test('translations of the new and of the old style', () => {
    for (const newstyle of [true, false]) {
      const environment = new Environment({ extensions: ['i18n'] });
      const say = (message: string): string => message.replace('Hello', 'Hallo');
      jinja2.installTranslations(environment, { gettext: say, newstyle });
      const source = '{% trans name=who %}Hello {{ name }} 100%{% endtrans %}';
      assert.equal(environment.fromString(source).render({ who: '<b>' }), 'Hallo &lt;b&gt; 100%');
    }
  });
});

describe('a template', () => {
  const template = new Environment().fromString(
    '{% set title = "T" %}{% macro field(n) %}<i>{{ n }}{{ form }}</i>{% endmacro %}{% block a %}[{{ x }}]{% endblock %}',
  );

  test('its module has what it exports', () => {
    assert.equal(template.module().get('title'), 'T');
    const field = template.makeModule({ form: 'F' }).get('field') as (name: string) => string;
    assert.equal(field('n'), '<i>nF</i>');
  });

  test('its blocks render by themselves', () => {
    assert.deepEqual(template.blockNames, ['a']);
    assert.equal(template.renderBlock('a', { x: '<' }), '[&lt;]');
    assert.throws(() => template.renderBlock('constructor'), RangeError);
  });
});

describe('loaders keep to their folder', () => {
  const inside = path.join(folder, 'inside');
  mkdirSync(inside);
  writeFileSync(path.join(folder, 'secret.html'), 'secret');
  symlinkSync(path.join(folder, 'secret.html'), path.join(inside, 'link.html'));

  test('a link leads out only if it may', () => {
    const render = (followLinks: boolean): string =>
      new Environment({ loader: new jinja2.FileSystemLoader(inside, { followLinks }) })
        .getTemplate('link.html')
        .render();
    assert.equal(render(true), 'secret');
    assert.throws(() => render(false), jinja2.TemplateNotFound);
  });

  test('a package’s templates', () => {
    const home = path.join(folder, 'node_modules', 'themed');
    mkdirSync(path.join(home, 'templates'), { recursive: true });
    writeFileSync(path.join(home, 'package.json'), '{"name":"themed","version":"1.0.0"}');
    writeFileSync(path.join(home, 'templates', 'x.html'), 'themed {{ 1 }}');
    const loader = new jinja2.PackageLoader('themed', 'templates', path.join(folder, 'index.js'));
    const environment = new Environment({ loader });
    assert.equal(environment.getTemplate('x.html').render(), 'themed 1');
    assert.deepEqual(environment.listTemplates(), ['x.html']);
    for (const name of ['../package.json', '..\\package.json', '/../package.json', 'x.html\0'])
      assert.throws(() => environment.getTemplate(name), jinja2.TemplateNotFound, name);
  });
});

test('compiled templates render where code generation from strings is forbidden', async () => {
  const environment = new Environment({
    loader: new DictLoader({ 'p.html': '{% for x in xs %}{{ x|upper }}{% endfor %}' }),
  });
  const module = path.join(folder, 'compiled.mjs');
  writeFileSync(module, await jinja2.compileTemplates(environment));
  const engine = fileURLToPath(new URL('../../src/jinja2/index.ts', import.meta.url));
  const program = path.join(folder, 'program.mts');
  writeFileSync(
    program,
    `import { CompiledLoader, Environment } from ${JSON.stringify(engine)};
import * as compiled from ${JSON.stringify(module)};
const environment = new Environment({ loader: new CompiledLoader(compiled) });
console.log(environment.getTemplate('p.html').render({ xs: ['a', '<'] }));
console.log(await environment.getTemplate('p.html').renderAsync({ xs: ['b'] }));
try { environment.fromString('x'); } catch (error) { console.log((error as Error).message.includes('ahead of time')); }`,
  );
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--disallow-code-generation-from-strings', '--import', 'tsx', program],
    { cwd: fileURLToPath(new URL('../..', import.meta.url)), encoding: 'utf8', timeout: 180_000 },
  );
  assert.equal(stdout, 'A&lt;\nB\ntrue\n', stderr);
});

test('template() decorates a method of a class', async () => {
  class Pages {
    readonly name = 'class';
    @jinja2.template('hello.html', { status: 202 })
    index(_request: web.Request): object {
      return { name: this.name };
    }
  }
  const app = new web.Application();
  jinja2.setup(app, { loader: new DictLoader({ 'hello.html': 'Hello {{ name }}' }) });
  const pages = new Pages();
  app.router.addGet('/', (request) => pages.index(request) as unknown as Promise<web.Response>);
  const response = await app.fetch(new Request('http://localhost/'));
  assert.deepEqual([response.status, await response.text()], [202, 'Hello class']);
});

test('types', () => {
  const template = new Environment().fromString('');
  expectTypeOf(template.render).returns.toEqualTypeOf<string>();
  expectTypeOf(template.renderAsync).returns.toEqualTypeOf<Promise<string>>();
  expectTypeOf(template.generateAsync).returns.toEqualTypeOf<AsyncGenerator<string, void, undefined>>();
  expectTypeOf(
    new jinja2.SandboxedEnvironment().overlay,
  ).returns.toEqualTypeOf<jinja2.SandboxedEnvironment>();
  expectTypeOf(jinja2.template('x', () => ({}))).returns.toEqualTypeOf<Promise<web.StreamResponse>>();
  expectTypeOf(jinja2.findUndeclaredVariables).returns.toEqualTypeOf<ReadonlySet<string>>();
  // @ts-expect-error an option that there is not
  new Environment({ trim_blocks: true });
});

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  ChoiceLoader,
  CompiledLoader,
  type CompiledModule,
  compileTemplates,
  DictLoader,
  Environment,
  FileSystemLoader,
  FunctionLoader,
  PrefixLoader,
  TemplateNotFound,
  TemplateRuntimeError,
  TemplateSyntaxError,
  UndefinedError,
} from '../../src/jinja2/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'jinja2-'));
after(() => rmSync(folder, { recursive: true }));

describe('loaders', () => {
  mkdirSync(join(folder, 'a', 'sub'), { recursive: true });
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  writeFileSync(join(folder, 'a', 'x.html'), 'x1');
  writeFileSync(join(folder, 'a', 'sub', 'y.html'), 'y');
  const loader = new FileSystemLoader(join(folder, 'a'));

  test('files', () => {
    const environment = new Environment({ loader });
    assert.equal(environment.getTemplate('sub/y.html').render(), 'y');
    assert.deepEqual(environment.listTemplates(), ['sub/y.html', 'x.html']);
  });

  for (const name of [
    '../secret.txt',
    'sub/../../secret.txt',
    '..\\secret.txt',
    'x.html\0',
    'sub',
    '',
    '/etc/passwd',
  ]) {
    test(`no way out of the folder by ${JSON.stringify(name)}`, () => {
      assert.throws(() => new Environment({ loader }).getTemplate(name), TemplateNotFound);
    });
  }

  test('a changed file is loaded again, and only with autoReload', () => {
    const environment = new Environment({ loader, autoReload: true });
    const fixed = new Environment({ loader, autoReload: false });
    assert.equal(environment.getTemplate('x.html').render() + fixed.getTemplate('x.html').render(), 'x1x1');
    writeFileSync(join(folder, 'a', 'x.html'), 'x22');
    utimesSync(join(folder, 'a', 'x.html'), 1, 1);
    assert.equal(environment.getTemplate('x.html').render(), 'x22');
    assert.equal(fixed.getTemplate('x.html').render(), 'x1');
  });

  test('choice, prefix and function', async () => {
    const environment = new Environment({
      loader: new ChoiceLoader([
        new DictLoader({ a: 'A' }),
        new PrefixLoader({ p: new DictLoader({ b: 'B' }) }),
        new FunctionLoader((name) => (name === 'c' ? 'C' : undefined)),
      ]),
    });
    assert.equal(
      environment.fromString('{% include "a" %}{% include "p/b" %}{% include "c" %}').render(),
      'ABC',
    );
    assert.throws(() => environment.getTemplate('p/d'), TemplateNotFound);
  });

  test('an asynchronous loader needs the asynchronous functions', async () => {
    const environment = new Environment({ loader: new FunctionLoader(async () => '{{ 1 }}') });
    assert.throws(() => environment.getTemplate('a'), TemplateRuntimeError);
    assert.equal(await (await environment.getTemplateAsync('a')).renderAsync(), '1');
  });

  test('the cache keeps as many as it is told', () => {
    let loads = 0;
    const counting = new FunctionLoader((name) => {
      loads++;
      return name;
    });
    const environment = new Environment({ loader: counting, cacheSize: 2 });
    for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) environment.getTemplate(name);
    assert.equal(loads, 4);
  });
});

describe('errors', () => {
  const templates = {
    'base.html': '<main>\n{% block body %}{% endblock %}</main>',
    'page.html':
      '{% extends "base.html" %}\n{% import "forms.html" as forms %}\n{% block body %}\n  {{ forms.field(user) }}\n{% endblock %}',
    'forms.html': '{% macro field(x) %}\n<b>{{ x.name.first }}</b>{% endmacro %}',
    'broken.html': 'a\n{% if x %}\n  {{ foo bar }}',
  };
  const environment = new Environment({ loader: new DictLoader(templates) });

  test('name the chain of templates, innermost first, with line and column', () => {
    try {
      environment.getTemplate('page.html').render({ user: {} });
      assert.fail('it should have failed');
    } catch (error) {
      assert.ok(error instanceof UndefinedError);
      assert.deepEqual(
        error.frames.map(({ template, line, within }) => `${template}:${line} ${within}`),
        ['forms.html:2 macro field', 'page.html:4 block body', 'base.html:2 root', 'page.html:1 root'],
      );
      assert.equal(error.frames[0]?.column, 14);
      assert.match(String(error.stack), /2 \| <b>\{\{ x\.name\.first \}\}/);
      assert.doesNotMatch(String(error.stack), /jinja2:\d/);
    }
  });

  test('of the application keep their identity', () => {
    const boom = new Error('boom');
    const f = (): never => {
      throw boom;
    };
    assert.throws(
      () => environment.fromString('\n{{ f() }}').render({ f }),
      (error) => error === boom,
    );
  });

  test('in the source show the line', () => {
    assert.throws(
      () => environment.getTemplate('broken.html'),
      (error) => {
        assert.ok(error instanceof TemplateSyntaxError);
        assert.deepEqual([error.line, error.column, error.templateName], [3, 10, 'broken.html']);
        assert.match(String(error.stack), /3 \| {3}\{\{ foo bar \}\}\n {4}\| {10}\^/);
        return true;
      },
    );
  });
});

describe('templates compiled ahead of time', () => {
  test('render without compiling and name the template in errors', async () => {
    const sources = {
      'b.html': '[{% block x %}{% endblock %}]',
      'p.html': '{% extends "b.html" %}\n{% block x %}{{ a|upper }}{{ b.c.d }}{% endblock %}',
    };
    const path = join(folder, 'templates.mjs');
    writeFileSync(path, await compileTemplates(new Environment({ loader: new DictLoader(sources) })));
    const compiled = (await import(pathToFileURL(path).href)) as CompiledModule;
    const environment = new Environment({ loader: new CompiledLoader(compiled) });
    const template = environment.getTemplate('p.html');
    assert.equal(template.render({ a: '<', b: { c: { d: 1 } } }), '[&lt;1]');
    assert.equal(await template.renderAsync({ a: Promise.resolve('x'), b: { c: { d: 1 } } }), '[X1]');
    assert.equal([...template.generate({ a: 'x', b: { c: { d: 1 } } })].join(''), '[X1]');
    assert.throws(
      () => template.render({ b: {} }),
      (error) =>
        error instanceof UndefinedError &&
        error.frames[0]?.line === 2 &&
        error.frames[0].template === 'p.html',
    );
  });
});

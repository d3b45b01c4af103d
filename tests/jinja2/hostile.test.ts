import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  Environment,
  ImmutableSandboxedEnvironment,
  OverflowError,
  RecursionError,
  SandboxedEnvironment,
  SecurityError,
  TemplateError,
} from '../../src/jinja2/index.ts';

class Secret {
  static key = 'LEAK';
  _hidden = 'LEAK';
  #own = 'LEAK';
  shown = 'ok';
  get computed(): string {
    return this.#own === '' ? '' : 'computed';
  }
}

const variables = (): Record<string, unknown> => ({
  record: { a: 1 },
  list: [{ a: 1 }, { a: 2 }],
  f: (n: number) => n,
  secret: new Secret(),
  names: ['constructor', '__proto__', 'prototype'],
});

/** Ways to a prototype or a constructor: each prints what is missing, or is an error of the engine. */
const walks = [
  'record["const" ~ "ructor"]',
  'record|attr("constructor")',
  'record|attr("__proto__")',
  'record[names[0]][names[0]]',
  'list|map(attribute="constructor")|list',
  'list|map(attribute="__proto__.constructor")|list',
  'list|map(attribute="a.constructor.constructor")|list',
  'list|map("attr", "constructor")|list',
  'list|groupby("constructor")',
  'list|sort(attribute="__proto__.x")|length',
  'list|sum(attribute="constructor")',
  'list|unique(attribute="__proto__")|length',
  'list|min(attribute="constructor")',
  'list|selectattr("constructor")|list',
  'list|rejectattr("__proto__")|length',
  '"{0.constructor}".format(record)',
  '"{0.__proto__.constructor}".format(record)',
  '"{0[constructor]}".format(record)',
  '"{x.constructor}".format_map({"x": record})',
  '"%(constructor)s"|format(**record)',
  'namespace(record).constructor',
  'namespace(a=1).__proto__',
  'namespace(constructor=1).constructor.constructor',
  'dict(a=1).constructor',
  'dict(record).__proto__',
  'range(3).constructor',
  'cycler(1).constructor',
  'cycler(1).next.constructor',
  'joiner().constructor("x")',
  'self.constructor',
  'self.__proto__',
  'f.constructor("return process")()',
  'f.call(none, 1)',
  'f.apply',
  'f.__proto__',
  '"".constructor',
  '"".sub("x")',
  '"".at(0)',
  '(1).constructor',
  '[].constructor',
  '[].__proto__.push(1)',
  'secret.constructor.key',
  'secret.__proto__.constructor',
  'secret|attr("constructor")',
  '{}.__class__.__mro__',
  '"".__class__.__mro__[1].__subclasses__()',
  'undefined_name.__class__.__init__.__globals__',
  'lipsum.__globals__',
  'm.constructor',
  'm.__proto__',
  'm.name.constructor',
  'm.arguments.constructor',
];

for (const Kind of [Environment, SandboxedEnvironment]) {
  describe(`a template finds no way out of ${Kind.name}`, () => {
    const environment = new Kind();
    for (const walk of walks) {
      test(walk, () => {
        const before = Object.getOwnPropertyNames(Object.prototype).join();
        let page: string;
        try {
          page = environment.fromString(`{% macro m(a) %}{% endmacro %}{{ ${walk} }}`).render(variables());
        } catch (error) {
          const { code } = error as { code?: unknown };
          assert.ok(error instanceof TemplateError || String(code).startsWith('AIO_JINJA_'), String(error));
          return;
        }
        assert.doesNotMatch(page, /LEAK|native code|\[Function|function Object|=&gt;|\[object/);
        assert.equal(Object.getOwnPropertyNames(Object.prototype).join(), before);
      });
    }
  });
}

test('what a template makes with hostile names pollutes nothing', () => {
  const environment = new Environment();
  const plain = environment.fromString(
    '{% set d = {"__proto__": 2} %}{{ d["__proto__"] }}{{ give({"__proto__": {"polluted": 1}}) }}',
  );
  const seen: unknown[] = [];
  assert.equal(
    plain.render({
      give: (value: object) => {
        seen.push(Object.getPrototypeOf(value), Object.hasOwn(value, '__proto__'));
        return '';
      },
    }),
    '2',
  );
  assert.deepEqual(seen, [Object.prototype, true]);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

describe('the sandbox reads no hidden attribute', () => {
  const environment = new SandboxedEnvironment();
  for (const walk of [
    'secret._hidden',
    'secret["_hidden"]',
    'secret|attr("_hidden")',
    '[secret]|map(attribute="_hidden")|first',
    '[secret]|groupby("_hidden")',
    '[secret]|sort(attribute="_hidden")|first|attr("_hidden")',
    '"{0._hidden}".format(secret)',
    '"{0[_hidden]}".format(secret)',
    '"{s._hidden}".format_map({"s": secret})',
    '("{0._hidden}"|safe).format(secret)',
    '[secret]|join(",", attribute="_hidden")',
  ]) {
    test(walk, () => {
      let page = '';
      try {
        page = environment.fromString(`{{ ${walk} }}`).render(variables());
      } catch (error) {
        assert.ok(error instanceof SecurityError || error instanceof TemplateError, String(error));
      }
      assert.doesNotMatch(page, /LEAK/);
    });
  }
});

describe('one operation of a sandbox makes no more than a render may', () => {
  const environment = new SandboxedEnvironment({ limits: { iterations: 10_000, output: 10_000 } });
  for (const source of [
    '{% set a = "x" * 100000 %}',
    '{% set a = [0] * 100000 %}',
    '{% set a = 100000 * "x" %}',
    '{% set a = 9 ** (9 ** 9) %}',
    '{% set a = 2 ** 1000000 %}{% set b = a * a * a * a %}',
    '{{ range(99999)|list|length }}',
    '{{ range(99999)|map("string")|join }}',
    '{{ range(99999)|sum }}',
    '{{ "x"|center(1000000) }}',
    '{{ "x".ljust(1000000) }}',
    '{{ "x".zfill(1000000) }}',
    '{{ "%1000000d"|format(1) }}',
    '{{ "%.1000000f"|format(1) }}',
    '{{ "{:>1000000}".format(1) }}',
    '{{ ("{:>9999}" * 2).format(1, 2) }}',
    '{{ ("x" * 9000).replace("x", "y" * 9000) }}',
    '{{ ("x" * 9000)|replace("", "y" * 9000) }}',
    '{{ ("y" * 9000).join("x" * 9000) }}',
    '{{ (["x"] * 9000)|join("y" * 9000) }}',
    '{{ ("x" * 9000) ~ ("x" * 9000) }}',
    '{{ ("x" * 9000) + ("x" * 9000) }}',
    '{{ ("\\t" * 9000).expandtabs(9000) }}',
    '{{ ("\\n" * 9000)|indent(9000, blank=true) }}',
    '{{ [1]|slice(1000000)|list|length }}',
    '{{ [1]|batch(1000000, 0)|list|length }}',
    '{{ lipsum(n=1000000)|length }}',
    '{% set l = [[0]] %}{% for i in range(60) %}{% set _ = l.append([l[-1], l[-1]]) %}{% endfor %}{{ l[-1] }}',
    '{% set l = [[0]] %}{% for i in range(60) %}{% set _ = l.append([l[-1], l[-1]]) %}{% endfor %}{{ l[-1]|tojson }}',
    '{% set l = [0] %}{% for i in range(60) %}{% set _ = l.extend(l) %}{% endfor %}',
    '{% set t = namespace(v="x") %}{% for i in range(60) %}{% set t.v = t.v ~ t.v %}{% endfor %}',
    '{% for i in range(200) %}{% set x %}{{ "x" * 100 }}{% endset %}{{ x }}{% endfor %}',
  ]) {
    test(source, () => {
      const started = performance.now();
      assert.throws(
        () => environment.fromString(source).render(),
        (error) =>
          error instanceof SecurityError ||
          error instanceof OverflowError ||
          (error as Error).name === 'ValueError' ||
          /Range too big/.test((error as Error).message),
      );
      assert.ok(performance.now() - started < 10_000);
    });
  }
});

describe('calls without end are an error of the template', () => {
  const environment = new Environment({
    loader: {
      getSource: (_environment, name) => ({
        source: name === 'i' ? '{% include "i" %}' : '{% extends "e" %}',
      }),
    },
  });
  for (const source of [
    '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}',
    '{% macro f() %}{{ later }}{{ f() }}{% endmacro %}{{ f() }}',
    '{% block a %}{{ self.a() }}{% endblock %}',
    '{% include "i" %}',
    '{% extends "e" %}',
    '{% for a in round recursive %}{{ loop(a) }}{% endfor %}',
  ]) {
    test(source, async () => {
      const round: unknown[] = [];
      round.push(round);
      const template = environment.fromString(source);
      assert.throws(
        () => template.render({ round }),
        (error) => error instanceof RecursionError && error.frames.length > 0 && error.frames[0]!.line === 1,
      );
      await assert.rejects(
        async () => template.renderAsync({ round, later: Promise.resolve('') }),
        (error) => error instanceof RecursionError,
      );
    });
  }
});

test('hooks of the sandbox: attributes, operators, changes', () => {
  class Strict extends SandboxedEnvironment {
    override readonly interceptedBinops: ReadonlySet<string> = new Set(['**']);
    override readonly interceptedUnops: ReadonlySet<string> = new Set(['-']);
    override isSafeAttribute(object: unknown, name: string, value: unknown): boolean {
      return name !== 'shown' && super.isSafeAttribute(object, name, value);
    }
    override callBinop(...args: Parameters<SandboxedEnvironment['callBinop']>): unknown {
      if (Number(args[3]) > 10) throw new SecurityError('too high');
      return super.callBinop(...args);
    }
    override callUnop(): unknown {
      return 'minus';
    }
  }
  const environment = new Strict();
  assert.equal(environment.fromString('{{ 2 ** 3 }} {{ 2 * 3 }} {{ -1 }}').render(), '8 6 minus');
  assert.throws(() => environment.fromString('{{ 2 ** 11 }}').render(), /too high/);
  assert.throws(() => environment.fromString('{{ secret.shown.x }}').render(variables()), SecurityError);
  const immutable = new ImmutableSandboxedEnvironment();
  for (const change of [
    '[1].append(2)',
    '{}.update({"a": 1})',
    '[1].clear()',
    '{"a": 1}.pop("a")',
    '[2, 1].sort()',
  ])
    assert.throws(() => immutable.fromString(`{{ ${change} }}`).render(), SecurityError, change);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  allowInSandbox,
  Environment,
  ImmutableSandboxedEnvironment,
  Markup,
  SandboxedEnvironment,
  SecurityError,
  UndefinedError,
  unsafe,
} from '../../src/jinja2/index.ts';

class Account {
  _secret = 'hidden';
  balance = 7;
  get double(): number {
    return this.balance * 2;
  }
  describe(): string {
    return `has ${this.balance}`;
  }
}

describe('a template has no way to the language behind it', () => {
  const environment = new Environment();
  const variables = {
    record: {},
    list: [],
    text: 'x',
    call: () => 1,
    account: new Account(),
    map: new Map(),
  };
  for (const expression of [
    'record.constructor',
    'record["constructor"]',
    'record|attr("constructor")',
    'record.__proto__',
    'record["__proto__"]',
    'record.toString',
    'record.hasOwnProperty',
    'list.constructor',
    'list.length',
    'list.map',
    'text.constructor',
    'text.length',
    'text["constructor"]',
    'call.constructor',
    'call.prototype',
    'call.name',
    'call.bind',
    'account.constructor',
    'account["constructor"]',
    'account.__defineGetter__',
    'map.size',
    'map.constructor',
    'missing',
  ]) {
    test(expression, () => assert.equal(environment.fromString(`{{ ${expression} }}`).render(variables), ''));
  }

  test('calling what is not there is an error', () => {
    assert.throws(
      () => environment.fromString('{{ record.constructor.constructor("return 1")() }}').render(variables),
      UndefinedError,
    );
  });

  test('an evaluator in the context is not called', () => {
    assert.throws(
      () => environment.fromString('{{ make("return 1") }}').render({ make: Function }),
      SecurityError,
    );
  });

  test('getters and methods of the application’s classes work', () => {
    const template = environment.fromString(
      '{{ account.double }} {{ account.describe() }} {{ account.balance }}',
    );
    assert.equal(template.render(variables), '14 has 7 7');
  });
});

describe('escaping', () => {
  const environment = new Environment({ autoescape: true });
  const table: readonly (readonly [string, string])[] = [
    ['{{ x }}', '&lt;a href=&#34;&#39;&#34;&gt;&amp;'],
    ['{{ x|safe }}', '<a href="\'">&'],
    ['{{ m }}{{ m ~ x[0] }}{{ m + x[0] }}', '<i><i>&lt;<i>&lt;'],
    ['{% set s %}<b>{{ x[0] }}</b>{% endset %}{{ s }}', '<b>&lt;</b>'],
    ['{% macro f(v) %}<u>{{ v }}</u>{% endmacro %}{{ f(x[0]) }}', '<u>&lt;</u>'],
    [
      '<script>let x = {{ evil|tojson }}</script>',
      '<script>let x = "\\u003c/script\\u003e\\u0026\\u0027"</script>',
    ],
    ['{{ [m, x[0]]|join(", ") }}', '<i>, &lt;'],
  ];
  for (const [source, expected] of table) {
    test(source, () => {
      const variables = { x: '<a href="\'">&', m: new Markup('<i>'), evil: "</script>&'" };
      assert.equal(environment.fromString(source).render(variables), expected);
    });
  }

  test('goes by the name of the template unless told otherwise', () => {
    assert.equal(new Environment().fromString('{{ "<" }}').render(), '&lt;');
    assert.equal(new Environment().autoescape('mail.txt'), false);
    assert.equal(new Environment().autoescape('page.html'), true);
  });
});

describe('the sandbox', () => {
  const environment = new SandboxedEnvironment({ limits: { iterations: 100, output: 1_000 } });
  const refuses = (source: string, variables: object = {}): void => {
    assert.throws(() => environment.fromString(source).render(variables), SecurityError);
  };

  test('limits iterations', () => refuses('{% for i in range(101) %}{% endfor %}'));
  test('limits nested loops together', () => {
    refuses('{% for i in range(50) %}{% for j in range(50) %}{% endfor %}{% endfor %}');
  });
  test('limits recursion of macros', () => refuses('{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}'));
  test('limits output', () => refuses('{{ "a" * 1001 }}'));
  test('refuses names with an underscore', () =>
    refuses('{{ account._secret.x }}', { account: new Account() }));
  test('refuses methods of objects', () => refuses('{{ account.describe() }}', { account: new Account() }));
  test('refuses functions that are marked', () => refuses('{{ f() }}', { f: unsafe(() => 1) }));
  test('refuses long ranges', () => {
    assert.throws(() => environment.fromString('{{ range(100001) }}').render(), /Range too big/);
  });
  test('calls functions of the context', () => {
    assert.equal(
      environment.fromString('{{ f(2) }}').render({ f: allowInSandbox((n: number) => n + 1) }),
      '3',
    );
  });
  test('a count starts anew with each render', () => {
    const template = environment.fromString('{% for i in range(90) %}{% endfor %}ok');
    assert.equal(template.render() + template.render(), 'okok');
  });
  test('the immutable one refuses changes', () => {
    assert.throws(
      () => new ImmutableSandboxedEnvironment().fromString('{{ [1].append(2) }}').render(),
      SecurityError,
    );
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DictLoader, Environment } from '../../src/jinja2/index.ts';

async function* count(): AsyncGenerator<number> {
  yield 1;
  yield 2;
  yield 3;
}

const environment = new Environment({
  loader: new DictLoader({ inc: '({{ get(5) }})', base: '{% block b %}{% endblock %}!' }),
});
environment.filters['later'] = async (value: unknown) => `${value}~`;
environment.tests['big'] = async (value: number) => value > 1;
environment.globals['get'] = async (value: unknown) => value;
environment.globals['count'] = count;

const table: readonly (readonly [string, string])[] = [
  ['{{ get(1) + get(2) }}', '3'],
  ['{{ "a"|later|upper }}', 'A~'],
  ['{% for x in count() %}{{ x }}{% else %}none{% endfor %}', '123'],
  [
    '{% for x in count() %}{{ loop.index }}/{{ loop.length }}{{ loop.last }} {% endfor %}',
    '1/3False 2/3False 3/3True ',
  ],
  ['{% for x in count() if x is big %}{{ loop.index }}{{ x }}{% endfor %}', '1223'],
  ['{% for x in count() %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}', '1'],
  [
    '{{ count()|join(",") }} {{ count()|map("later")|join }} {{ count()|select("big")|list }}',
    '1,2,3 1~2~3~ [2, 3]',
  ],
  ['{% if get(0) %}y{% else %}n{% endif %}{{ 1 if get(1) else 2 }}{{ get(0) or get(3) }}', 'n13'],
  [
    '{% macro m(a) %}<{{ a|later }}{{ caller() }}>{% endmacro %}{% call m(1) %}{{ get("c") }}{% endcall %}',
    '<1~c>',
  ],
  [
    '{% set s %}{{ get(1) }}{% endset %}{{ s }}{% filter later %}f{% endfilter %}{% include "inc" %}',
    '1f~(5)',
  ],
  ['{% extends "base" %}{% block b %}{{ get(7) }}{{ super() }}{% endblock %}', '7!'],
  ['{{ value }} {{ object.inner }}', '4 [5]'],
  ['{% for a in [1, [2, [3]]] recursive %}{{ a if a is number else loop(a) }}{% endfor %}', '123'],
];

describe('an asynchronous render awaits', () => {
  const env = new Environment({ loader: environment.loader!, extensions: ['loopcontrols'] });
  Object.assign(env.filters, environment.filters);
  Object.assign(env.tests, environment.tests);
  Object.assign(env.globals, environment.globals);
  const variables = { value: Promise.resolve(4), object: { inner: Promise.resolve([5]) } };
  for (const [source, expected] of table) {
    test(source, async () => {
      const template = env.fromString(source);
      assert.equal(await template.renderAsync(variables), expected);
      let streamed = '';
      for await (const piece of template.generateAsync(variables)) streamed += piece;
      assert.equal(streamed, expected);
    });
  }
});

test('a promise in a synchronous render is an error', () => {
  assert.throws(() => environment.fromString('{{ get(1) }}').render(), TypeError);
});

test('a stream computes a piece when it is asked for', () => {
  let calls = 0;
  const template = environment.fromString('{% for i in range(2000) %}{{ tick() }}{{ "x" * 20 }}{% endfor %}');
  const pieces = template.generate({ tick: () => ++calls });
  assert.equal(calls, 0);
  pieces.next();
  assert.ok(calls > 0 && calls < 2000);
  pieces.return();
});

test('leaving a loop lets the source know', async () => {
  let closed = false;
  async function* source(): AsyncGenerator<number> {
    try {
      yield 1;
      yield 2;
    } finally {
      closed = true;
    }
  }
  const env = new Environment({ extensions: ['loopcontrols'] });
  await env.fromString('{% for x in source() %}{% break %}{% endfor %}').renderAsync({ source });
  assert.equal(closed, true);
});

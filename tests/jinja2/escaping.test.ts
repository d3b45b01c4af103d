import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { DictLoader, Environment, Markup } from '../../src/jinja2/index.ts';

/** Templates of our own with what CPython's Jinja2 3.1.6 gives for them with autoescape on. */
const cases = JSON.parse(
  readFileSync(new URL('./escaping.json', import.meta.url), 'utf8'),
) as readonly (readonly [template: string, output: string])[];

const others = {
  inc: '<{{ x }}>',
  lib: '{% macro f(a) %}<{{ a }}{% endmacro %}{% set v = "<v>" %}',
  base: '[{% block b %}{{ x }}{% endblock %}]',
};
const variables = { x: '<a href="\'">&', m: new Markup('<i>%s</i>'), off: false };

describe('autoescape in every construct', () => {
  for (const [template, output] of cases) {
    test(template, async () => {
      const environment = new Environment({
        autoescape: true,
        loader: new DictLoader({ ...others, main: template }),
      });
      const main = environment.getTemplate('main');
      assert.equal(main.render(variables), output);
      assert.equal(await main.renderAsync(variables), output, 'asynchronously');
      assert.equal([...main.generate(variables)].join(''), output, 'streamed');
    });
  }
});

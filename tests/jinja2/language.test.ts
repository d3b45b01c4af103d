import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { renderRequest } from '../../conformance/templates.ts';

interface Case {
  readonly template: string;
  readonly context?: Readonly<Record<string, unknown>>;
  readonly output?: string;
  readonly error?: string;
  readonly message?: string;
  readonly line?: number | null;
}

/** Templates of our own with what CPython's Jinja2 3.1.6 gives for them. */
const cases = JSON.parse(
  readFileSync(new URL('./language.json', import.meta.url), 'utf8'),
) as readonly Case[];

/** What the templates include, import and extend. */
const others = {
  inc: '<{{ v }}>',
  lib: '{% macro f(a) %}f{{ a }}{{ v }}{% endmacro %}{% set v = 9 %}{% set _p = 1 %}',
  base: '{% set v = 1 %}A{% block b %}B{% endblock %}{% block c %}{% endblock %}{{ v }}',
  mid: '{% extends "base" %}{% block b %}mid{{ super() }}{% endblock %}',
};

describe('templates render as CPython renders them', () => {
  for (const { template, context = {}, ...expected } of cases) {
    test(template, () => {
      const answer = renderRequest({
        env: { extensions: ['do', 'loopcontrols', 'i18n'] },
        templates: { ...others, __main__: template },
        main: '__main__',
        context,
      });
      assert.deepEqual(answer, { ok: expected.output !== undefined, ...expected });
    });
  }
});

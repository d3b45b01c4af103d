import type { Environment } from './environment.ts';
import type { Body, Expression } from './nodes.ts';
import { statementsIn } from './scope.ts';

/**
 * Names that a template reads from its variables (Jinja2: `meta.find_undeclared_variables`). Globals of the environment are left out.
 * A name that only some renders read is among them.
 *
 * @throws {TemplateSyntaxError} when the source is wrong.
 * @example
 * ```ts
 * import { Environment, findUndeclaredVariables } from 'aiohttp-ts/jinja2';
 * findUndeclaredVariables(new Environment(), '{% set a = 1 %}{{ a + b }}'); // Set { 'b' }
 * ```
 */
export function findUndeclaredVariables(environment: Environment, source: string): ReadonlySet<string> {
  const body = environment.parse(source);
  const generator = environment.makeGenerator(undefined, undefined, { isAsync: false, isStream: false });
  generator.generate(body);
  // Names that start with a dollar sign are the engine's own.
  return new Set(
    [...generator.contextNames].filter((name) => !(name in environment.globals) && !name.startsWith('$')),
  );
}

/**
 * Names of the templates that a template extends, includes or imports, in the order of the source (Jinja2:
 * `meta.find_referenced_templates`); undefined stands for a name that is computed.
 *
 * @throws {TemplateSyntaxError} when the source is wrong.
 * @example
 * ```ts
 * import { Environment, findReferencedTemplates } from 'aiohttp-ts/jinja2';
 * findReferencedTemplates(new Environment(), '{% extends "layout.html" %}{% include helper %}'); // ['layout.html', undefined]
 * ```
 */
export function findReferencedTemplates(
  environment: Environment,
  source: string,
): readonly (string | undefined)[] {
  return [...referencesIn(environment.parse(source))];
}

function* referencesIn(body: Body): Generator<string | undefined> {
  for (const node of statementsIn(body)) {
    if (node.type === 'extends' || node.type === 'include' || node.type === 'import' || node.type === 'from')
      yield* namesIn(node.template, node.type === 'include');
  }
}

function* namesIn(template: Expression, isInclude: boolean): Generator<string | undefined> {
  if (template.type === 'constant') {
    yield typeof template.value === 'string' ? template.value : undefined;
  } else if (isInclude && (template.type === 'list' || template.type === 'tuple')) {
    for (const item of template.items) {
      if (item.type !== 'constant') yield undefined;
      else if (typeof item.value === 'string') yield item.value;
    }
  } else yield undefined;
}

import type { Code } from './code.ts';
import type { Context } from './context.ts';
import type { Environment } from './environment.ts';
import { TemplateRuntimeError } from './errors.ts';
import { type Names, names } from './hot-names.ts';
import { runtime } from './runtime.ts';
import { registerUnit, type Unit } from './trace.ts';

/** A linked template: its root and its blocks. */
export interface Linked {
  readonly root: (context: Context) => unknown;
  readonly blocks: Readonly<Record<string, (context: Context) => unknown>>;
  /** Kept with the code, so that stack traces find the template as long as it lives. */
  readonly unit?: Unit;
}

/** What generated code is before it meets an environment. */
export type Factory = (rt: typeof runtime, env: Environment, names: Names) => Linked;

/** First line of every factory: the names of the hot paths. */
export const prelude: string = `const { ${Object.keys(names).join(', ')} } = names;`;

/** Lines that `new Function` puts before the body. */
const HEADER_LINES = 2;

/** Compiles generated code and binds it to an environment. */
export function link(code: Code, environment: Environment, template: string, source: string): Linked {
  const positions = new Map<number, readonly [number, number]>();
  for (const [i, at] of code.positions().entries()) if (at !== 0) positions.set(i + 2 + HEADER_LINES, at);
  const unit: Unit = { template, source, positions };
  const url = registerUnit(unit);
  let factory: Factory;
  try {
    factory = new Function('rt', 'env', 'names', `${prelude}\n${code}\n//# sourceURL=${url}`) as Factory;
  } catch (error) {
    throw new TemplateRuntimeError(
      `the code of template '${template}' could not be made: ${(error as Error).message}. ` +
        'Where code generation from strings is forbidden, compile templates ahead of time (aiohttp-ts jinja2 compile).',
    );
  }
  return { ...bind(factory, environment), unit };
}

/** Binds compiled code to an environment. */
export function bind(factory: Factory, environment: Environment): Linked {
  return factory(runtime, environment, names);
}

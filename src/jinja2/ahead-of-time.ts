import { literal } from './code.ts';
import { prelude } from './compile.ts';
import type { Environment } from './environment.ts';
import { TemplateRuntimeError } from './errors.ts';
import type { Variant } from './template.ts';

/** What {@link compileTemplates} makes. */
export interface CompileOptions {
  /** Names of the templates; default all that the loader lists. */
  readonly names?: readonly string[];
  /** Forms in which each is compiled; default `sync` and `async`. Without a stream form, `generate` gives the page in one piece. */
  readonly variants?: readonly Variant[];
}

/**
 * The source of an ES module with the code of templates, for {@link CompiledLoader}: nothing is compiled when it runs, so it works
 * also where code generation from strings is forbidden. Filters and tests are looked up in the environment that loads it, which must
 * have the same options as this one.
 *
 * @example
 * ```ts
 * import { writeFileSync } from 'node:fs';
 * import { compileTemplates, Environment, FileSystemLoader } from 'aiohttp-ts/jinja2';
 * const environment = new Environment({ loader: new FileSystemLoader('templates') });
 * writeFileSync('templates.mjs', await compileTemplates(environment));
 * ```
 */
export async function compileTemplates(
  environment: Environment,
  options: CompileOptions = {},
): Promise<string> {
  const { names = environment.listTemplates(), variants = ['sync', 'async'] } = options;
  const lines: string[] = [
    'export const url = import.meta.url;',
    'export const templates = {',
    '  __proto__: null,',
  ];
  const positions: Record<string, (readonly [number, number, number])[]> = {};
  for (const name of names) {
    const loader = environment.loader;
    if (loader === undefined)
      throw new TemplateRuntimeError('the environment has no loader to compile templates from');
    const { source, filename } = await loader.getSource(environment, name);
    if (source === undefined)
      throw new TemplateRuntimeError(`template '${name}' has no source: it is compiled already`);
    lines.push(`  [${literal(name)}]: {`);
    const places: (readonly [number, number, number])[] = [];
    positions[name] = places;
    for (const variant of variants) {
      const mode = { isAsync: variant.startsWith('async'), isStream: variant.endsWith('Stream') };
      const code = environment.generateCode(source, name, filename, mode);
      lines.push(`    ${variant}(rt, env, names) {`, prelude);
      for (const [i, at] of code.positions().entries())
        if (at !== 0) places.push([lines.length + i + 1, at[0], at[1]]);
      for (const line of code.lines) lines.push(line.text);
      lines.push('    },');
    }
    lines.push('  },');
  }
  lines.push('};', `export const positions = ${JSON.stringify(positions)};`, '');
  return lines.join('\n');
}

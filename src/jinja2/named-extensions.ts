import { debugExtension, doExtension, type Extension, loopControlsExtension } from './extension.ts';
import { i18nExtension } from './i18n.ts';

/** Extensions by the names that Jinja2 gives them. */
const EXTENSIONS: Readonly<Record<string, Extension | undefined>> = {
  'jinja2.ext.do': doExtension,
  'jinja2.ext.loopcontrols': loopControlsExtension,
  'jinja2.ext.i18n': i18nExtension,
  'jinja2.ext.debug': debugExtension,
  // Parts of the language itself since Jinja2 2.9.
  'jinja2.ext.with_': undefined,
  'jinja2.ext.autoescape': undefined,
};

/** Name of an extension that comes with the engine; `jinja2.ext.` may be left out. */
export type ExtensionName = 'do' | 'loopcontrols' | 'i18n' | 'debug' | `jinja2.ext.${string}`;

/** An extension that comes with the engine; undefined for a part of the language itself. */
export function extensionNamed(name: string): Extension | undefined {
  const full = name.startsWith('jinja2.ext.') ? name : `jinja2.ext.${name}`;
  // Jinja2 knows these under the names of their classes too.
  const alias: Record<string, string> = {
    'jinja2.ext.LoopControlExtension': 'jinja2.ext.loopcontrols',
    'jinja2.ext.ExprStmtExtension': 'jinja2.ext.do',
    'jinja2.ext.InternationalizationExtension': 'jinja2.ext.i18n',
    'jinja2.ext.DebugExtension': 'jinja2.ext.debug',
  };
  const known = alias[full] ?? full;
  if (!Object.hasOwn(EXTENSIONS, known)) {
    throw new RangeError(`there is no extension '${name}'; known are ${Object.keys(EXTENSIONS).join(', ')}`);
  }
  return EXTENSIONS[known];
}

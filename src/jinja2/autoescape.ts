/** Options of {@link selectAutoescape}. */
export interface AutoescapeOptions {
  /** Extensions of names that escape; default `html`, `htm`, `xml`. */
  readonly enabledExtensions?: readonly string[];
  /** Extensions of names that don't. */
  readonly disabledExtensions?: readonly string[];
  /** For templates from strings; default true. */
  readonly defaultForString?: boolean;
  /** For all other names; default false. */
  readonly default?: boolean;
}

/** Decides by a template's name whether it escapes. */
export type AutoescapePolicy = (name: string | undefined) => boolean;

/**
 * Escapes by the extension of a template's name (Jinja2: `select_autoescape`).
 *
 * @example
 * ```ts
 * import { Environment, selectAutoescape } from 'aiohttp-ts/jinja2';
 * new Environment({ autoescape: selectAutoescape({ enabledExtensions: ['html', 'svg'] }) });
 * ```
 */
export function selectAutoescape(options: AutoescapeOptions = {}): AutoescapePolicy {
  const normalize = (list: readonly string[]): string[] =>
    list.map((item) => `.${item.replace(/^\.+/, '').toLowerCase()}`);
  const enabled = normalize(options.enabledExtensions ?? ['html', 'htm', 'xml']);
  const disabled = normalize(options.disabledExtensions ?? []);
  const { defaultForString = true, default: fallback = false } = options;
  return (name) => {
    if (name === undefined) return defaultForString;
    const lower = name.toLowerCase();
    if (enabled.some((extension) => lower.endsWith(extension))) return true;
    if (disabled.some((extension) => lower.endsWith(extension))) return false;
    return fallback;
  };
}

import { createInterface } from 'node:readline';
import * as jinja2 from '../src/jinja2/index.ts';

/** A render as the harness asks for it; `env` has the options of Python's `Environment`. */
export interface Request {
  readonly id?: unknown;
  readonly env?: Readonly<Record<string, unknown>>;
  readonly templates: Readonly<Record<string, string>>;
  readonly main: string;
  readonly context?: Readonly<Record<string, unknown>>;
}

export type Answer =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly error: string; readonly message: string; readonly line: number | null };

const UNDEFINED_CLASSES: Readonly<Record<string, jinja2.UndefinedClass>> = {
  Undefined: jinja2.Undefined,
  ChainableUndefined: jinja2.ChainableUndefined,
  DebugUndefined: jinja2.DebugUndefined,
  StrictUndefined: jinja2.StrictUndefined,
};

/** A value of the test data: JSON with marks for what JSON doesn't have. */
export function reviveValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reviveValue);
  if (typeof value !== 'object' || value === null) return value;
  const record = value as Record<string, unknown>;
  const [key, ...others] = Object.keys(record);
  if (others.length === 0) {
    const content = record[key as string];
    switch (key) {
      case '__markup__':
        return new jinja2.Markup(content as string);
      case '__tuple__':
        return jinja2.Tuple.make((content as unknown[]).map(reviveValue));
      case '__float__':
        return Number.isInteger(content) ? new jinja2.Float(content as number) : content;
      case '__range__': {
        const [start, stop, step] = content as [number, number, number];
        return new jinja2.Range(start, stop, step);
      }
      case '__items__':
        return new jinja2.Dict(
          (content as [unknown, unknown][]).map(([k, v]) => [reviveValue(k), reviveValue(v)]),
        );
      default:
    }
  }
  return Object.fromEntries(Object.entries(record).map(([name, item]) => [name, reviveValue(item)]));
}

const camelCase = (name: string): string =>
  name.replace(/_(\w)/g, (_all, letter: string) => letter.toUpperCase());

/** The environment that a request describes. */
export function makeEnvironment(request: Request): jinja2.Environment {
  const options: Record<string, unknown> = {
    loader: new jinja2.DictLoader(request.templates),
    autoescape: false,
  };
  let globals: Record<string, unknown> = {};
  let sandboxed = false;
  for (const [name, value] of Object.entries(request.env ?? {})) {
    if (name === 'undefined') options['undefined'] = UNDEFINED_CLASSES[value as string];
    else if (name === 'globals') globals = reviveValue(value) as Record<string, unknown>;
    else if (name === 'sandboxed') sandboxed = value === true;
    else if (name === 'autoescape')
      options['autoescape'] = value === 'select' ? jinja2.selectAutoescape() : value;
    else if (value !== null) options[camelCase(name)] = value;
  }
  const environment = sandboxed ? new jinja2.SandboxedEnvironment(options) : new jinja2.Environment(options);
  Object.assign(environment.globals, globals);
  if (environment.extensions.some((extension) => extension.tags.includes('trans')))
    jinja2.installTranslations(environment);
  return environment;
}

/** Renders a request; every error becomes an answer. */
export function renderRequest(request: Request): Answer {
  try {
    const environment = makeEnvironment(request);
    // Jinja2 gives a template from a string no name; the harness marks it so.
    const template =
      request.main === '__main__'
        ? environment.fromString(request.templates[request.main] as string)
        : environment.getTemplate(request.main);
    return {
      ok: true,
      output: template.render(reviveValue(request.context ?? {}) as Record<string, unknown>),
    };
  } catch (error) {
    const { name, message } = error as Error;
    const line = error instanceof jinja2.TemplateSyntaxError ? error.line : null;
    return { ok: false, error: name, message, line };
  }
}

if (process.argv[1] !== undefined && import.meta.url === new URL(`file://${process.argv[1]}`).href) {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue;
    const request = JSON.parse(line) as Request;
    process.stdout.write(`${JSON.stringify({ id: request.id, ...renderRequest(request) })}\n`);
  }
}

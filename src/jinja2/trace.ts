import { RecursionError, TemplateError, type TemplateFrame, TemplateSyntaxError } from './errors.ts';

/** Generated code as stack traces name it. */
export interface Unit {
  readonly template: string;
  /** The template's source; undefined for code that was compiled ahead of time. */
  readonly source: string | undefined;
  /** Line of the generated code (1-based) to a place in the template. */
  readonly positions: ReadonlyMap<number, readonly [line: number, column: number]>;
}

const SCHEME = 'jinja2:';
const units = new Map<number, WeakRef<Unit>>();
const modules = new Map<string, Unit[]>();
const released = new FinalizationRegistry<number>((id) => units.delete(id));
let nextId = 1;

/** Gives code a name that stack traces show, and remembers which template it came from as long as the unit lives. */
export function registerUnit(unit: Unit): string {
  const id = nextId++;
  units.set(id, new WeakRef(unit));
  released.register(unit, id);
  return `${SCHEME}${id}/${encodeURI(unit.template).replace(/[()\s:'"*]/g, '_')}`;
}

/** Remembers templates of a module that was compiled ahead of time. */
export function registerModule(url: string, unit: Unit): void {
  const known = modules.get(url);
  if (known === undefined) modules.set(url, [unit]);
  else known.push(unit);
}

function positionIn(unit: Unit, line: number, reach: number = 40): readonly [number, number] | undefined {
  // A statement may span lines of which only the first has a position.
  for (let at = line; at > Math.max(0, line - reach); at--) {
    const position = unit.positions.get(at);
    if (position !== undefined) return position;
  }
  return undefined;
}

function nameOf(call: string): string {
  const name = call.replace(/ \[as .*\]$/, '').replace(/\.next$/, '');
  return (/(?:root|(?:block|macro)_\w+)$/u.exec(name)?.[0] ?? name).replace(/^(block|macro)_/, '$1 ');
}

function frameOf(line: string): TemplateFrame | undefined {
  const match = /jinja2:(\d+)\/[^\s()]*?:(\d+):\d+/.exec(line);
  let unit: Unit | undefined;
  let at: readonly [number, number] | undefined;
  if (match !== null) {
    unit = units.get(Number(match[1]))?.deref();
    if (unit !== undefined) at = positionIn(unit, Number(match[2]));
  } else if (modules.size > 0) {
    const place = /(\S+?):(\d+):\d+\)?$/.exec(line.replace(/^\s*at\s+(?:.*\()?/, ''));
    for (const candidate of place === null ? [] : (modules.get(place[1] as string) ?? [])) {
      const found = positionIn(candidate, Number((place as RegExpExecArray)[2]), 12);
      if (found !== undefined) {
        unit = candidate;
        at = found;
      }
    }
  }
  if (unit === undefined || at === undefined) return undefined;
  const call = /^\s*at (.+?) \(/.exec(line)?.[1] ?? /^(.*?)@/.exec(line)?.[1] ?? '';
  return {
    template: unit.template,
    line: at[0],
    column: at[1],
    within: nameOf(call) || 'root',
    source: unit.source?.split(/\r\n?|\n/)[at[0] - 1],
  };
}

/** The line of a template with a mark under the column. */
export function excerpt(line: number, column: number, source: string | undefined): string {
  if (source === undefined) return '';
  const number = String(line);
  const mark =
    column > 0
      ? `\n  ${' '.repeat(number.length)} | ${source.slice(0, column - 1).replace(/[^\t]/g, ' ')}^`
      : '';
  return `\n  ${number} | ${source}${mark}`;
}

/** V8's way to say that functions called each other too deep. */
function isStackOverflow(error: Error): boolean {
  return error instanceof RangeError && error.message === 'Maximum call stack size exceeded';
}

const decorated = new WeakSet<object>();

/**
 * Replaces generated code in an error's stack by places in templates, and gives errors of the engine their `frames`.
 * Errors of the application keep their identity.
 */
export function decorate(error: unknown): unknown {
  if (!(error instanceof Error) || decorated.has(error)) return error;
  decorated.add(error);
  const { stack } = error;
  if (typeof stack !== 'string') return error;
  const frames: TemplateFrame[] = [];
  const lines = stack.split('\n').flatMap((line) => {
    const frame = frameOf(line);
    // What is left of generated code is its small functions, which say nothing to a reader.
    if (frame === undefined) return /\(jinja2:\d+\//.test(line) ? [] : [line];
    frames.push(frame);
    return [`    at ${frame.within} (${frame.template}:${frame.line}:${frame.column})`];
  });
  const innermost = frames[0];
  if (innermost === undefined) return error;
  if (isStackOverflow(error)) {
    const recursion = new RecursionError();
    recursion.frames = frames;
    decorated.add(recursion);
    lines[0] = `${recursion.name}: ${recursion.message}`;
    Object.defineProperty(recursion, 'stack', {
      value: lines.join('\n'),
      writable: true,
      configurable: true,
    });
    return recursion;
  }
  if (error instanceof TemplateError && error.frames.length === 0) error.frames = frames;
  const first = lines.findIndex((line) => /^\s+at /.test(line));
  if (!(error instanceof TemplateSyntaxError) && first > 0) {
    lines[first - 1] +=
      `\n  in template '${innermost.template}', line ${innermost.line}, column ${innermost.column}${excerpt(innermost.line, innermost.column, innermost.source)}`;
  }
  Object.defineProperty(error, 'stack', { value: lines.join('\n'), writable: true, configurable: true });
  return error;
}

/** Tells a syntax error's stack where in the template it is. */
export function decorateSyntax(error: TemplateSyntaxError, source: string): void {
  if (decorated.has(error)) return;
  decorated.add(error);
  const name = error.templateName ?? '<template>';
  const text = source.split(/\r\n?|\n/)[error.line - 1];
  error.frames = [{ template: name, line: error.line, column: error.column, within: 'source', source: text }];
  const place = error.column > 0 ? `, column ${error.column}` : '';
  const stack = String(error.stack);
  const at = stack.indexOf('\n    at ');
  const head = `${error.name}: ${error.message}\n  in template '${error.filename ?? name}', line ${error.line}${place}${excerpt(error.line, error.column, text)}`;
  Object.defineProperty(error, 'stack', {
    value: at < 0 ? head : head + stack.slice(at),
    writable: true,
    configurable: true,
  });
}

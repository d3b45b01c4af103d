import { callBuiltInMethod } from './attributes.ts';
import { applyFilter, callFunction, linkFilter, type NativeFilter } from './callables.ts';
import { contains } from './comparing.ts';
import { type Context, type EvalContext, TemplateReference } from './context.ts';
import { bounded, callBounded } from './counted.ts';
import type { Environment } from './environment.ts';
import {
  RecursionError,
  TemplateNotFound,
  TemplateRuntimeError,
  TemplatesNotFound,
  TemplateTypeError,
} from './errors.ts';
import { AsyncLoopContext, Cursor, isAsyncIterable, LoopContext, type Recurse } from './loop.ts';
import { Macro, type MacroFunction } from './macro.ts';
import { type Keywords, NativeFunction, TemplateObject } from './objects.ts';
import { joinPieces, joinPiecesAsync } from './pieces.ts';
import { escapeValue, repr, str } from './printing.ts';
import { pairsOf, slice, toArray } from './sequences.ts';
import type { Template, TemplateModule, Variant } from './template.ts';
import { Undefined } from './undefined.ts';
import { Dict, isText, isThenable, Namespace, Tuple, textOf, typeName } from './values.ts';

/** How many templates one may extend, one through the other. */
const MAX_ANCESTORS = 200;

/** What a template may be named by: a name, several to choose from, or a template itself. */
function templateNames(environment: Environment, given: unknown): readonly string[] | Template {
  if (given instanceof Undefined) given.fail();
  if (isText(given)) return [textOf(given)];
  if (environment.isTemplate(given)) return given;
  if (Array.isArray(given) || (typeof given === 'object' && given !== null && Symbol.iterator in given)) {
    return toArray(given).map((name) => {
      if (name instanceof Undefined) name.fail();
      return str(name);
    });
  }
  throw new TemplateTypeError(`a template's name must be a str or a list of str, not ${typeName(given)}`);
}

function find(context: Context, given: unknown): Template {
  const names = templateNames(context.environment, given);
  if (!Array.isArray(names)) return names as Template;
  const isList = !isText(given);
  return isList
    ? context.environment.selectTemplate(names, context.name)
    : context.environment.getTemplate(names[0] as string, context.name);
}

async function findAsync(context: Context, given: unknown): Promise<Template> {
  const names = templateNames(context.environment, given);
  if (!Array.isArray(names)) return names as Template;
  return isText(given)
    ? context.environment.getTemplateAsync(names[0] as string, context.name)
    : context.environment.selectTemplateAsync(names, context.name);
}

function isMissing(error: unknown): boolean {
  return error instanceof TemplateNotFound || error instanceof TemplatesNotFound;
}

function includeContext(
  template: Template,
  context: Context,
  locals: Record<string, unknown> | undefined,
  variant: Variant,
): Context {
  return locals === undefined
    ? template.makeContext([], variant, context.limits)
    : template.makeContext([locals, ...context.layers()], variant, context.limits, true);
}

function addBlocks(
  context: Context,
  template: Template,
  variant: Variant,
): { root: (context: Context) => unknown } {
  if (++context.ancestors > MAX_ANCESTORS) throw new RecursionError();
  const code = template.variant(variant);
  for (const [name, block] of Object.entries(code.blocks)) (context.blocks[name] ??= []).push(block);
  return code;
}

/** The functions that generated code calls besides those it has by name. */
export const runtime = {
  filter(environment: Environment, name: string, most: number): NativeFilter['run'] {
    const filter = environment.filters[name];
    if (filter !== undefined) return bounded(environment, linkFilter(filter, most));
    return () => {
      throw new TemplateRuntimeError(`No filter named '${name}' found.`);
    };
  },

  test(environment: Environment, name: string, most: number): NativeFilter['run'] {
    const test = environment.tests[name];
    if (test === undefined) {
      return () => {
        throw new TemplateRuntimeError(`No test named '${name}' found.`);
      };
    }
    return bounded(environment, linkFilter(test, most));
  },

  applyNamed(
    environment: Environment,
    kind: 'filter' | 'test',
    name: string,
    context: EvalContext,
    value: unknown,
    args: readonly unknown[],
    keywords: Keywords | undefined,
  ): unknown {
    const filter = (kind === 'filter' ? environment.filters : environment.tests)[name];
    if (filter === undefined) throw new TemplateRuntimeError(`No ${kind} named '${name}' found.`);
    if (!environment.isSandboxed) return applyFilter(filter, context, value, args, keywords);
    return context.context.limits.operation(
      (given, ...rest) => applyFilter(filter, context, given, rest, keywords),
      value,
      ...args,
    );
  },

  mergeKeywords(keywords: Record<string, unknown>, more: unknown): Keywords {
    for (const [name, value] of pairsOf(more)) {
      if (!isText(name)) throw new TemplateTypeError('keywords must be strings');
      if (textOf(name) in keywords)
        throw new TemplateTypeError(`got multiple values for keyword argument '${textOf(name)}'`);
      keywords[textOf(name)] = value;
    }
    return keywords;
  },

  call(
    context: EvalContext,
    callee: unknown,
    args: readonly unknown[],
    keywords: Keywords | undefined,
  ): unknown {
    if (callee instanceof TemplateObject) {
      context.environment.checkCall(callee);
      if (context.environment.isSandboxed && callee instanceof NativeFunction) {
        return context.context.limits.operation(
          (...given: unknown[]) => callee.invoke(given, keywords, context),
          ...args,
        );
      }
      return callee.invoke(args, keywords, context);
    }
    if (typeof callee === 'function') {
      context.environment.checkCall(callee);
      return callFunction(context, undefined, callee as () => unknown, args, keywords);
    }
    if (callee instanceof Undefined) return callee.fail();
    throw new TemplateTypeError(`'${typeName(callee)}' object is not callable`);
  },

  callMethod(
    context: EvalContext,
    object: unknown,
    name: string,
    args: readonly unknown[],
    keywords: Keywords | undefined,
  ): unknown {
    const { environment } = context;
    environment.checkMethod(object, name);
    const known = environment.isSandboxed
      ? callBounded(context, object, name, args, keywords)
      : callBuiltInMethod(object, name, args, keywords, context);
    if (known !== undefined) return known.result;
    const method = environment.getAttribute(object, name);
    if (typeof method === 'function' && !isThenable(object)) {
      environment.checkCall(method);
      return callFunction(context, object, method as () => unknown, args, keywords);
    }
    return runtime.call(context, method, args, keywords);
  },

  self(context: EvalContext): TemplateReference {
    return new TemplateReference(context);
  },

  macro(
    context: Context,
    name: string,
    parameters: readonly string[],
    special: readonly string[],
    run: MacroFunction,
    autoescape: boolean,
  ): Macro {
    return new Macro(context, name, parameters, special, run, autoescape);
  },

  loop(
    context: Context,
    source: unknown,
    depth: number,
    recurse: Recurse | undefined,
    autoescape: boolean,
  ): LoopContext {
    return new LoopContext(context, source, depth, recurse, autoescape);
  },

  asyncLoop(
    context: Context,
    source: unknown,
    depth: number,
    recurse: Recurse | undefined,
    autoescape: boolean,
  ): LoopContext {
    return new AsyncLoopContext(context, source, depth, recurse, autoescape);
  },

  cursor(source: unknown): Cursor {
    return new Cursor(source);
  },

  /** An asynchronous iterable as a list, anything else as it is. */
  collected(value: unknown): unknown {
    if (!isAsyncIterable(value)) return value;
    return (async () => {
      const items: unknown[] = [];
      for await (const item of value) items.push(item);
      return items;
    })();
  },

  setAttribute(object: unknown, name: string, value: unknown): void {
    if (!(object instanceof Namespace))
      throw new TemplateRuntimeError('cannot assign attribute on non-namespace object');
    object.attributes.set(name, value);
  },

  noElse(hint: string): Undefined {
    return new Undefined({ hint });
  },

  finalized(context: EvalContext, value: unknown): unknown {
    return context.environment.applyFinalize(context, value);
  },

  printed(value: unknown, autoescape: boolean): string {
    return autoescape ? escapeValue(value) : str(value);
  },

  isIn(item: unknown, container: unknown): boolean {
    return contains(container, item);
  },

  slice(environment: Environment, object: unknown, start: unknown, stop: unknown, step: unknown): unknown {
    if (object instanceof Undefined) return object.member('slice');
    const result = slice(object, start, stop, step);
    return result === undefined
      ? environment.undefinedMember(object, `slice(${repr(start)}, ${repr(stop)}, ${repr(step)})`)
      : result;
  },

  /** A slice inside of a tuple of subscripts: no value has items for it. */
  sliceObject(start: unknown, stop: unknown, step: unknown): unknown {
    return Tuple.make([start, stop, step]);
  },

  extendedTwice(): never {
    throw new TemplateRuntimeError('extended multiple times');
  },

  extend(context: Context, given: unknown, variant: Variant): unknown {
    return addBlocks(context, find(context, given), variant);
  },

  async extendAsync(context: Context, given: unknown, variant: Variant): Promise<unknown> {
    return addBlocks(context, await findAsync(context, given), variant);
  },

  include(
    context: Context,
    given: unknown,
    ignoreMissing: boolean,
    locals: Record<string, unknown> | undefined,
  ): unknown {
    let template: Template;
    try {
      template = find(context, given);
    } catch (error) {
      if (ignoreMissing && isMissing(error)) return '';
      throw error;
    }
    context.limits.enter();
    try {
      return template.variant('sync').root(includeContext(template, context, locals, 'sync'));
    } finally {
      context.limits.leave();
    }
  },

  async includeAsync(
    context: Context,
    given: unknown,
    ignoreMissing: boolean,
    locals: Record<string, unknown> | undefined,
  ): Promise<unknown> {
    let template: Template;
    try {
      template = await findAsync(context, given);
    } catch (error) {
      if (ignoreMissing && isMissing(error)) return '';
      throw error;
    }
    context.limits.enter();
    try {
      return await template.variant('async').root(includeContext(template, context, locals, 'async'));
    } finally {
      context.limits.leave();
    }
  },

  *includeStream(
    context: Context,
    given: unknown,
    ignoreMissing: boolean,
    locals: Record<string, unknown> | undefined,
  ): Generator<string> {
    let template: Template;
    try {
      template = find(context, given);
    } catch (error) {
      if (ignoreMissing && isMissing(error)) return;
      throw error;
    }
    const variant = template.streamVariant(false);
    context.limits.enter();
    try {
      const output = template.variant(variant).root(includeContext(template, context, locals, variant));
      if (typeof output === 'string') yield output;
      else yield* output as Generator<string>;
    } finally {
      context.limits.leave();
    }
  },

  async *includeAsyncStream(
    context: Context,
    given: unknown,
    ignoreMissing: boolean,
    locals: Record<string, unknown> | undefined,
  ): AsyncGenerator<string> {
    let template: Template;
    try {
      template = await findAsync(context, given);
    } catch (error) {
      if (ignoreMissing && isMissing(error)) return;
      throw error;
    }
    const variant = template.streamVariant(true);
    context.limits.enter();
    try {
      const output = template.variant(variant).root(includeContext(template, context, locals, variant));
      if (isThenable(output)) yield (await output) as string;
      else yield* output as AsyncGenerator<string>;
    } finally {
      context.limits.leave();
    }
  },

  importModule(
    context: Context,
    given: unknown,
    locals: Record<string, unknown> | undefined,
  ): TemplateModule {
    const template = find(context, given);
    if (locals === undefined) return template.module();
    context.limits.enter();
    try {
      return template.moduleFrom([locals, ...context.layers()], context.limits);
    } finally {
      context.limits.leave();
    }
  },

  async importModuleAsync(
    context: Context,
    given: unknown,
    locals: Record<string, unknown> | undefined,
  ): Promise<TemplateModule> {
    const template = await findAsync(context, given);
    return locals === undefined
      ? template.moduleAsync()
      : context.limits.during(template.moduleFromAsync([locals, ...context.layers()], context.limits));
  },

  exported(environment: Environment, module: TemplateModule, name: string, where: string): unknown {
    const value = module.member(name);
    if (value !== undefined) return value;
    return environment.undefinedHint(
      `the template ${module.name === undefined ? 'None' : `'${module.name}'`} (imported on ${where}) does not export the requested name '${name}'`,
      name,
    );
  },

  debug(context: EvalContext): string {
    const { environment } = context;
    const names = (table: object): string =>
      `[${Object.keys(table)
        .sort()
        .map((name) => repr(name))
        .join(', ')}]`;
    return `{'context': ${repr(new Dict(Object.entries(context.context.getAll())))},\n 'filters': ${names(environment.filters)},\n 'tests': ${names(environment.tests)}}`;
  },

  join(pieces: unknown): unknown {
    return typeof pieces === 'string' ? pieces : joinPieces(pieces as Iterable<string>);
  },

  joinAsync(pieces: unknown): unknown {
    return typeof pieces === 'string' || isThenable(pieces)
      ? pieces
      : joinPiecesAsync(pieces as AsyncIterable<string>);
  },
};

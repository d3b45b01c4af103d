import { callForeign, toNative } from './attributes.ts';
import type { Context, EvalContext } from './context.ts';
import type { Environment } from './environment.ts';
import { TemplateTypeError } from './errors.ts';
import { placeArguments } from './methods/text.ts';
import type { Keywords } from './objects.ts';

/** A filter or test of the engine. */
export interface NativeFilter {
  /** Name, for messages. */
  readonly name: string;
  /** Names of its arguments behind the value, for keywords. */
  readonly parameters: readonly string[];
  /** Takes any number of arguments and keywords (the last argument) by itself. */
  readonly isVariadic?: boolean;
  readonly run: (context: EvalContext, value: unknown, ...args: unknown[]) => unknown;
}

/**
 * A filter of the application: the value first, then the arguments; keywords are an object at the end. The template decides what it
 * gets, so it may name the types that it expects (a method's parameters are compared both ways).
 */
export type FilterFunction = { filter(value: unknown, ...args: unknown[]): unknown }['filter'];

/** What an environment holds under the name of a filter. */
export type Filter = FilterFunction | NativeFilter;

/** A test of the application: true or false (or a promise of it, in an asynchronous render). Its types are as a filter's. */
export type TestFunction = {
  test(value: unknown, ...args: unknown[]): boolean | PromiseLike<boolean>;
}['test'];

/** What an environment holds under the name of a test. */
export type Test = TestFunction | NativeFilter;

type Passing = 'context' | 'evalContext' | 'environment';

const passing = new WeakMap<object, Passing>();

/**
 * Makes a function get the render's {@link Context} as its first argument (Jinja2: `@pass_context`).
 *
 * @example
 * ```ts
 * import { Environment, passContext, type Context } from 'aiohttp-ts/jinja2';
 * const environment = new Environment();
 * environment.globals['title'] = passContext((context: Context) => String(context.resolve('page')));
 * ```
 */
export function passContext<A extends unknown[], R>(
  f: (context: Context, ...args: A) => R,
): (...args: A) => R {
  passing.set(f, 'context');
  return f as unknown as (...args: A) => R;
}

/** Makes a function get the {@link EvalContext} of the calling place as its first argument (Jinja2: `@pass_eval_context`). */
export function passEvalContext<A extends unknown[], R>(
  f: (context: EvalContext, ...args: A) => R,
): (...args: A) => R {
  passing.set(f, 'evalContext');
  return f as unknown as (...args: A) => R;
}

/** Makes a function get the {@link Environment} as its first argument (Jinja2: `@pass_environment`). */
export function passEnvironment<A extends unknown[], R>(
  f: (environment: Environment, ...args: A) => R,
): (...args: A) => R {
  passing.set(f, 'environment');
  return f as unknown as (...args: A) => R;
}

/** True for what can only be called with a render at hand; also for nothing at all. */
export function wantsContext(f: Filter | Test | undefined): boolean {
  return f === undefined || passing.get(f) === 'context';
}

/** What goes before the template's own arguments. */
export function passedTo(f: object, context: EvalContext): readonly unknown[] {
  switch (passing.get(f)) {
    case 'context':
      return [context.context];
    case 'evalContext':
      return [context];
    case 'environment':
      return [context.environment];
    default:
      return [];
  }
}

/** Calls a function of the application with what a template gives it. */
export function callFunction(
  context: EvalContext,
  self: unknown,
  f: (...args: never[]) => unknown,
  args: readonly unknown[],
  keywords: Keywords | undefined,
): unknown {
  const first = passing.has(f) ? passedTo(f, context) : [];
  const call = f as (...args: unknown[]) => unknown;
  const result =
    first.length === 0
      ? callForeign(self, call, args, keywords)
      : callForeign(self, (...rest) => Reflect.apply(call, self, [...first, ...rest]), args, keywords);
  return result === undefined
    ? context.environment.undefinedHint(`the function '${f.name}' returned nothing`)
    : result;
}

/** Calls a filter or test with arguments by place and by name. */
export function applyFilter(
  filter: Filter | Test,
  context: EvalContext,
  value: unknown,
  args: readonly unknown[],
  keywords: Keywords | undefined,
): unknown {
  if (typeof filter === 'function')
    return callFunction(context, undefined, filter, [value, ...args], keywords);
  if (filter.isVariadic === true) return filter.run(context, value, args, keywords);
  return filter.run(context, value, ...placeArguments(filter.name, filter.parameters, args, keywords));
}

/** A filter as the generated code calls it: context, value and arguments by place. `most` is how many it will be given. */
export function linkFilter(filter: Filter | Test, most: number): NativeFilter['run'] {
  if (typeof filter === 'function') {
    if (passing.has(filter))
      return (context, value, ...args) =>
        callFunction(context, undefined, filter, [value, ...args], undefined);
    return (context, value, ...args) => {
      const result =
        args.length === 0 ? filter(toNative(value)) : filter(toNative(value), ...args.map(toNative));
      return result === undefined
        ? context.environment.undefinedHint(`the function '${filter.name}' returned nothing`)
        : result;
    };
  }
  if (filter.isVariadic === true)
    return (context, value, ...args) => filter.run(context, value, args, undefined);
  if (most <= filter.parameters.length) return filter.run;
  return (context, value, ...args) => {
    if (args.length > filter.parameters.length) {
      throw new TemplateTypeError(
        `${filter.name}() takes at most ${filter.parameters.length} argument(s) behind the value, ${args.length} given`,
      );
    }
    return filter.run(context, value, ...args);
  };
}

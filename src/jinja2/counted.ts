import { callBuiltInMethod } from './attributes.ts';
import type { NativeFilter } from './callables.ts';
import type { EvalContext } from './context.ts';
import type { Environment } from './environment.ts';
import type { Keywords } from './objects.ts';

/** A filter or test as a sandbox runs it: counted. */
export function bounded(environment: Environment, run: NativeFilter['run']): NativeFilter['run'] {
  if (!environment.isSandboxed) return run;
  return (context, value, ...args) =>
    context.context.limits.operation(
      (given: unknown, ...rest: unknown[]) => run(context, given, ...rest),
      value,
      ...args,
    );
}

/** A method of the engine as a sandbox calls it: counted. */
export function callBounded(
  context: EvalContext,
  object: unknown,
  name: string,
  args: readonly unknown[],
  keywords: Keywords | undefined,
): { readonly result: unknown } | undefined {
  const { limits } = context.context;
  let known: { readonly result: unknown } | undefined;
  limits.operation(
    (self: unknown, ...given: unknown[]) => {
      known = callBuiltInMethod(self, name, given, keywords, context);
      return known?.result;
    },
    object,
    ...args,
  );
  return known;
}

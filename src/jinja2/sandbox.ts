import { add, divide, floorDivide, modulo, multiply, negate, plus, power, subtract } from './arithmetic.ts';
import type { EvalContext } from './context.ts';
import { Environment, type EnvironmentOptions } from './environment.ts';
import { SecurityError, TemplateError } from './errors.ts';
import { Limits, type SandboxLimits } from './limits.ts';
import { changesObject } from './methods/collections.ts';
import { NativeFunction, TemplateObject } from './objects.ts';
import { isMapping, Range, typeName } from './values.ts';

const BINARY: Readonly<Record<string, (left: unknown, right: unknown) => unknown>> = {
  '+': add,
  '-': subtract,
  '*': multiply,
  '/': divide,
  '//': floorDivide,
  '%': modulo,
  '**': power,
};

/** How long a `range()` may be in a sandbox. */
export const MAX_RANGE = 100_000;

/** Options of a {@link SandboxedEnvironment}. */
export interface SandboxOptions extends EnvironmentOptions {
  /** How much one render may do. */
  readonly limits?: SandboxLimits;
}

/**
 * An environment for templates by people who are not trusted: names that start with an underscore, methods of the application's
 * objects and long ranges are refused, and loops and output are counted.
 *
 * A function that is marked by {@link allowInSandbox} may be called also when it is a method; functions in the context and the globals
 * may be called anyway.
 *
 * @example
 * ```ts
 * import { SandboxedEnvironment } from 'aiohttp-ts/jinja2';
 * const environment = new SandboxedEnvironment({ limits: { iterations: 10_000, output: 100_000 } });
 * environment.fromString('{% for i in range(10) %}{{ i }}{% endfor %}').render();
 * ```
 */
export class SandboxedEnvironment extends Environment {
  override readonly isSandboxed: boolean = true;
  readonly #limits: SandboxLimits;

  constructor(options: SandboxOptions = {}) {
    super(options);
    this.#limits = options.limits ?? {};
    const range = this.globals['range'] as NativeFunction;
    this.globals['range'] = new NativeFunction('range', (args, keywords, context) => {
      const made = range.invoke(args, keywords, context);
      if (made instanceof Range && made.length > MAX_RANGE) {
        throw new TemplateError(
          `Range too big. The sandbox blocks ranges larger than MAX_RANGE (${MAX_RANGE}).`,
        );
      }
      return made;
    });
  }

  /** @internal */
  override makeLimits(): Limits {
    return new Limits(this.#limits);
  }

  /** Operators (`+`, `**`, `//` …) that go to {@link callBinop}; override it to have some. */
  readonly interceptedBinops: ReadonlySet<string> = new Set();
  /** Operators (`-`, `+`) that go to {@link callUnop}; override it to have some. */
  readonly interceptedUnops: ReadonlySet<string> = new Set();

  /** @internal */
  override intercepts(operator: string, isUnary: boolean): boolean {
    return (isUnary ? this.interceptedUnops : this.interceptedBinops).has(operator);
  }

  /** Computes an operator of {@link interceptedBinops}; override it and call `super` for what you allow. */
  callBinop(context: EvalContext, operator: string, left: unknown, right: unknown): unknown {
    const compute = Object.hasOwn(BINARY, operator) ? BINARY[operator] : undefined;
    if (compute === undefined) throw new RangeError(`there is no operator '${operator}'`);
    return context.context.limits.operation(compute, left, right);
  }

  /** Computes an operator of {@link interceptedUnops}. */
  callUnop(context: EvalContext, operator: string, operand: unknown): unknown {
    return context.context.limits.operation(operator === '-' ? negate : plus, operand);
  }

  /** Whether a template may see an attribute; override it to allow or refuse more. */
  isSafeAttribute(object: unknown, name: string, value: unknown): boolean {
    if (name.startsWith('_')) return false;
    const isMethod = typeof value === 'function' && typeof object === 'object' && object !== null;
    return !isMethod || isMapping(object) || allowed.has(value);
  }

  /** Whether a template may call a function; override it to refuse more. */
  isSafeCallable(callee: object): boolean {
    return callee instanceof TemplateObject || !refused.has(callee);
  }

  /** @internal */
  override checkCall(callee: object): void {
    if (!this.isSafeCallable(callee)) {
      throw new SecurityError(`the function '${(callee as { name?: string }).name}' is not safely callable`);
    }
  }

  override getAttribute(object: unknown, name: string): unknown {
    const value = super.getAttribute(object, name);
    return this.#checked(object, name, value);
  }

  override getOnlyAttribute(object: unknown, name: string): unknown {
    return this.#checked(object, name, super.getOnlyAttribute(object, name));
  }

  override getItem(object: unknown, key: unknown): unknown {
    const value = super.getItem(object, key);
    // An entry of a mapping is data whatever its name is.
    return typeof key !== 'string' || isMapping(object) ? value : this.#checked(object, key, value);
  }

  #checked(object: unknown, name: string, value: unknown): unknown {
    if (this.isSafeAttribute(object, name, value)) return value;
    return new this.undefinedClass({
      hint: `access to attribute '${name}' of '${typeName(object)}' object is unsafe.`,
      name,
      error: SecurityError,
    });
  }
}

/** A sandbox in which lists, dicts and sets cannot be changed by methods. */
export class ImmutableSandboxedEnvironment extends SandboxedEnvironment {
  /** @internal */
  override checkMethod(object: unknown, name: string): void {
    if (changesObject(object, name)) {
      throw new SecurityError(`access to attribute '${name}' of '${typeName(object)}' object is unsafe.`);
    }
  }

  override isSafeAttribute(object: unknown, name: string, value: unknown): boolean {
    return !changesObject(object, name) && super.isSafeAttribute(object, name, value);
  }
}

const allowed = new WeakSet<object>();
const refused = new WeakSet<object>();

/** Lets templates of a sandbox call a method of an object. */
export function allowInSandbox<F extends (...args: never[]) => unknown>(f: F): F {
  allowed.add(f);
  return f;
}

/** Keeps templates of a sandbox from calling a function (Jinja2: `@unsafe`). */
export function unsafe<F extends (...args: never[]) => unknown>(f: F): F {
  refused.add(f);
  return f;
}

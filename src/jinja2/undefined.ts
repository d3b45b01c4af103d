import { UndefinedError } from './errors.ts';
import { typeName } from './values.ts';

/** What is known about a name that has no value. */
export interface UndefinedOptions {
  /** Text of the error instead of the computed one. */
  readonly hint?: string | undefined;
  /** The object on which the name was looked for; absent for a variable. */
  readonly object?: unknown;
  /** The name or index that was not found. */
  readonly name?: unknown;
  /** The error class raised on use; default `UndefinedError`. */
  readonly error?: new (
    message: string,
  ) => Error;
}

/** A class of undefined values, given as `undefined` to an `Environment`. */
export type UndefinedClass = new (options?: UndefinedOptions) => Undefined;

const absent = Symbol('absent');

/** How messages call an object: `None`, `int object`, `User object`. */
function describe(value: unknown): string {
  return value === null ? 'None' : `${typeName(value)} object`;
}

/**
 * A value that isn't there (Jinja2's default `Undefined`): prints as nothing, is false, empty, and an error for everything else.
 */
export class Undefined {
  /** Text of the error instead of the computed one. */
  readonly hint: string | undefined;
  /** The object on which the name was looked for. */
  readonly object: unknown;
  /** The name or index that was not found. */
  readonly missing: unknown;
  readonly #error: new (
    message: string,
  ) => Error;

  constructor(options: UndefinedOptions = {}) {
    this.hint = options.hint;
    this.object = 'object' in options ? options.object : absent;
    this.missing = options.name;
    this.#error = options.error ?? UndefinedError;
  }

  /** What is wrong, as the error says it. */
  get description(): string {
    if (this.hint !== undefined) return this.hint;
    const name = typeof this.missing === 'string' ? `'${this.missing}'` : String(this.missing);
    if (this.object === absent) return `${name} is undefined`;
    if (typeof this.missing === 'string') return `'${describe(this.object)}' has no attribute ${name}`;
    return `${describe(this.object)} has no element ${name}`;
  }

  /** True when a bare variable is missing, not a member of something. */
  get isVariable(): boolean {
    return this.object === absent;
  }

  /** Raises the error. */
  fail(): never {
    throw new this.#error(this.description);
  }

  /** How a template prints it. */
  print(): string {
    return '';
  }

  /** Its truth in a condition. */
  test(): boolean {
    return false;
  }

  /** Its items in a loop. */
  items(): readonly unknown[] {
    return [];
  }

  /** `undefined.name` and `undefined[name]`. */
  member(name: unknown): unknown {
    return name === '_undefined_name' ? this.missing : this.fail();
  }

  /** `undefined == other`. */
  equals(other: unknown): boolean {
    return other instanceof Undefined && other.constructor === this.constructor;
  }

  toString(): string {
    return this.print();
  }

  toJSON(): never {
    return this.fail();
  }
}

/** Members of an undefined value are undefined too. */
export class ChainableUndefined extends Undefined {
  override member(name: unknown): unknown {
    return name === '_undefined_name' ? this.missing : this;
  }

  /** HTML of it: nothing. */
  __html__(): string {
    return this.print();
  }
}

/** Prints what is missing instead of nothing. */
export class DebugUndefined extends Undefined {
  override print(): string {
    if (this.hint !== undefined) return `{{ undefined value printed: ${this.hint} }}`;
    if (this.isVariable) return `{{ ${String(this.missing)} }}`;
    const name = typeof this.missing === 'string' ? `'${this.missing}'` : String(this.missing);
    return `{{ no such element: ${describe(this.object)}[${name}] }}`;
  }
}

/** Every use but the test `defined` is an error. */
export class StrictUndefined extends Undefined {
  override print(): string {
    return this.fail();
  }

  override test(): boolean {
    return this.fail();
  }

  override items(): readonly unknown[] {
    return this.fail();
  }

  override equals(_other: unknown): boolean {
    return this.fail();
  }
}

/**
 * A class of undefined values that reports each use.
 *
 * @param warn Called with the text of what was missing whenever such a value is printed, tested, looped over or fails.
 * @param base The class whose behaviour stays; default `Undefined`.
 * @example
 * ```ts
 * import { Environment, makeLoggingUndefined } from 'aiohttp-ts/jinja2';
 * new Environment({ undefined: makeLoggingUndefined((text) => console.warn(text)) });
 * ```
 */
export function makeLoggingUndefined(
  warn: (message: string) => void,
  base: UndefinedClass = Undefined,
): UndefinedClass {
  return class LoggingUndefined extends base {
    #log(): void {
      warn(`Template variable warning: ${this.description}`);
    }

    override fail(): never {
      this.#log();
      return super.fail();
    }

    override print(): string {
      this.#log();
      return super.print();
    }

    override test(): boolean {
      this.#log();
      return super.test();
    }

    override items(): readonly unknown[] {
      this.#log();
      return super.items();
    }
  };
}

import { RecursionError, SecurityError } from './errors.ts';
import { withCeiling } from './growth.ts';
import { Markup } from './markup.ts';
import { Dict, DictView, Range } from './values.ts';

/** How much a sandboxed render may do. */
export interface SandboxLimits {
  /** Iterations of all loops, calls of macros and items that filters and methods work on, together; default 1 000 000. */
  readonly iterations?: number;
  /** Characters of output, and of each text that an operation makes; default 16 777 216. */
  readonly output?: number;
}

/** How deep includes, imports, blocks, macros and recursive loops may be in each other. */
const MAX_DEPTH = 1_000;

/** Characters that count as one iteration when an operation works on a text. */
const CHARACTERS_AN_ITERATION = 64;

/** Counts what one render does: how deep it is for every render, how much it does for one of a sandbox. */
export class Limits {
  readonly #maxOutput: number;
  readonly #maxIterations: number;
  #iterations = 0;
  #depth = 0;

  constructor(limits: SandboxLimits = {}) {
    this.#maxIterations = limits.iterations ?? 1_000_000;
    this.#maxOutput = limits.output ?? 1 << 24;
  }

  /** @throws {RecursionError} when templates call each other without end. Every call is followed by {@link leave}. */
  enter(): void {
    if (++this.#depth > MAX_DEPTH) {
      this.#depth--;
      throw new RecursionError();
    }
  }

  leave(): void {
    this.#depth--;
  }

  /** Counts what runs asynchronously until it has ended, because the stack doesn't. */
  async during<T>(running: PromiseLike<T>): Promise<T> {
    this.enter();
    try {
      return await running;
    } finally {
      this.leave();
    }
  }

  /** @throws {SecurityError} after too many iterations. */
  iteration(count: number = 1): void {
    this.#iterations += count;
    if (this.#iterations > this.#maxIterations) {
      throw new SecurityError(`the template ran more than ${this.#maxIterations} iterations`);
    }
  }

  /** @throws {SecurityError} when the output is too long. */
  output(length: number): void {
    if (length > this.#maxOutput)
      throw new SecurityError(`the template printed more than ${this.#maxOutput} characters`);
  }

  /** Runs one operation: what it works on and what it makes is counted, and it cannot make more than the whole render may. */
  operation<A extends readonly unknown[], R>(f: (...args: A) => R, ...args: A): R {
    for (const argument of args) {
      // A range costs nothing until somebody goes through it, as most operations on one do.
      if (argument instanceof Range) this.iteration(argument.length);
      else this.#weigh(argument);
    }
    const result = withCeiling(this.#maxOutput, this.#maxIterations, () => f(...args));
    this.#weigh(result);
    return result;
  }

  #weigh(value: unknown): void {
    if (typeof value === 'string') {
      this.output(value.length);
      if (value.length >= CHARACTERS_AN_ITERATION)
        this.iteration(Math.floor(value.length / CHARACTERS_AN_ITERATION));
    } else if (typeof value === 'object' && value !== null) {
      if (value instanceof Markup) this.#weigh(value.html);
      else if (Array.isArray(value) || value instanceof DictView || value instanceof Uint8Array)
        this.iteration(value.length);
      else if (value instanceof Dict || value instanceof Map || value instanceof Set)
        this.iteration(value.size);
    }
  }
}

import { SecurityError } from './errors.ts';

/** How much a sandboxed render may do. */
export interface SandboxLimits {
  /** Iterations of all loops and calls of macros together; default 1 000 000. */
  readonly iterations?: number;
  /** Characters of output; default 16 777 216. */
  readonly output?: number;
}

/** Counts what one render of a sandbox does. */
export class Limits {
  readonly #maxOutput: number;
  readonly #maxIterations: number;
  #iterations = 0;

  constructor(limits: SandboxLimits) {
    this.#maxIterations = limits.iterations ?? 1_000_000;
    this.#maxOutput = limits.output ?? 1 << 24;
  }

  /** @throws {SecurityError} after too many iterations. */
  iteration(): void {
    if (++this.#iterations > this.#maxIterations) {
      throw new SecurityError(`the template ran more than ${this.#maxIterations} iterations`);
    }
  }

  /** @throws {SecurityError} when the output is too long. */
  output(length: number): void {
    if (length > this.#maxOutput)
      throw new SecurityError(`the template printed more than ${this.#maxOutput} characters`);
  }
}

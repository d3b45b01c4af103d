/** Which errors are meant: those of a class of errors, or those that a function picks. */
export type ErrorMatch = (new (...args: never[]) => unknown) | ((error: unknown) => boolean);

function matcher(match: ErrorMatch): (error: unknown) => boolean {
  if (match === Error || (match.prototype as unknown) instanceof Error)
    return (error) => error instanceof match;
  return match as (error: unknown) => boolean;
}

/**
 * Several errors at once, as a task group throws them. The errors are in `errors`, and may be groups themselves.
 *
 * Source: `ExceptionGroup` of Python (PEP 654).
 *
 * @example
 * ```ts
 * import { ExceptionGroup } from 'aiohttp-ts/asyncio';
 * const group = new ExceptionGroup('two failed', [new TypeError('a'), new RangeError('b')]);
 * const [types, others] = group.split(TypeError);
 * console.log(types?.errors.length, others?.errors.length); // 1 1
 * ```
 */
export class ExceptionGroup extends AggregateError {
  readonly code: 'AIO_EXCEPTION_GROUP' = 'AIO_EXCEPTION_GROUP';
  declare errors: unknown[];
  private readonly headline: string;

  static {
    ExceptionGroup.prototype.name = 'ExceptionGroup';
  }

  /**
   * @param message what failed; the number of errors is added
   * @param errors at least one
   * @throws RangeError for an empty list
   */
  constructor(message: string, errors: readonly unknown[], options?: ErrorOptions) {
    if (errors.length === 0) throw new RangeError('an ExceptionGroup holds at least one error, got none');
    super(errors, `${message} (${errors.length} sub-exception${errors.length === 1 ? '' : 's'})`, options);
    this.headline = message;
    Object.defineProperty(this, 'headline', { enumerable: false });
  }

  /**
   * Divides the errors into those that match and the rest, keeping the nesting.
   *
   * @param match a class, or a function that picks errors (it is asked about nested groups too)
   * @returns `[matching, rest]`; undefined for an empty one
   */
  split(match: ErrorMatch): [matching: ExceptionGroup | undefined, rest: ExceptionGroup | undefined] {
    const picks = matcher(match);
    if (picks(this)) return [this, undefined];
    const matching: unknown[] = [];
    const rest: unknown[] = [];
    for (const error of this.errors) {
      if (error instanceof ExceptionGroup) {
        const [inside, outside] = error.split(match);
        if (inside !== undefined) matching.push(inside);
        if (outside !== undefined) rest.push(outside);
      } else (picks(error) ? matching : rest).push(error);
    }
    return [this.derive(matching), this.derive(rest)];
  }

  /** The errors that match, keeping the nesting; undefined when none does. */
  subgroup(match: ErrorMatch): ExceptionGroup | undefined {
    return this.split(match)[0];
  }

  private derive(errors: readonly unknown[]): ExceptionGroup | undefined {
    if (errors.length === 0) return undefined;
    if (errors.length === this.errors.length && errors.every((error, index) => error === this.errors[index]))
      return this;
    const group = new ExceptionGroup(
      this.headline,
      errors,
      this.cause === undefined ? undefined : { cause: this.cause },
    );
    if (this.stack !== undefined) group.stack = this.stack;
    return group;
  }
}

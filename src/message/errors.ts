/** An error that carries a stable code beside its class; every code is listed in `docs/errors.md`. */
export interface Coded {
  readonly code: string;
}

/**
 * A `TypeError` with a stable code: an argument of the wrong kind, or a value that could not stand where it was put.
 *
 * @param code Begins with `AIO_`.
 * @param message What was given and what is allowed.
 * @example
 * ```ts
 * throw codedTypeError('AIO_COOKIE_NAME', `cookie name ${JSON.stringify('a b')} is not a token`);
 * ```
 */
export function codedTypeError(code: string, message: string): TypeError & Coded {
  return Object.assign(new TypeError(message), { code });
}

/**
 * A `RangeError` with a stable code: an argument of the right kind whose value is not allowed.
 *
 * @param code Begins with `AIO_`.
 * @param message What was given and what is allowed.
 * @example
 * ```ts
 * throw codedRangeError('AIO_HTTP_DATE', `${Number.NaN} is not a time`);
 * ```
 */
export function codedRangeError(code: string, message: string): RangeError & Coded {
  return Object.assign(new RangeError(message), { code });
}

/** A value as an error message shows it: quoted, and cut so that a message never grows with its input. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : String(value).slice(0, 80);
  return typeof value === 'string' && value.length > 80 ? `${text}…` : text;
}

/** A wrong option, told where it was given. */
export function rateLimitOptionError(message: string): RangeError & { readonly code: string } {
  return Object.assign(new RangeError(message), { code: 'AIO_RATE_LIMIT_OPTION' });
}

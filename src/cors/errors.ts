/** A wrong origin, option or route, told where it was given. */
export function corsRangeError(message: string): RangeError & { readonly code: string } {
  return Object.assign(new RangeError(message), { code: 'AIO_CORS_OPTIONS' });
}

/** Something was done to an application or a route that does not go together with CORS. */
export function corsSetupError(message: string): Error & { readonly code: string } {
  return Object.assign(new Error(message), { code: 'AIO_CORS_SETUP' });
}

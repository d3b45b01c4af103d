/** A number of rounds or seconds as it was given on the command line: every bench is bounded. */
export function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 600))
    throw new RangeError(`--${name} must be between 0 and 600, not '${text}'`);
  return value;
}

const generatorPrototype = Object.getPrototypeOf((function* () {})()) as object;
const base = Object.getPrototypeOf(generatorPrototype) as object;

/** True for what a generator function of JavaScript gives: read once, no length, as Python's. */
export function isGenerator(value: unknown): value is Generator<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Object.prototype.isPrototypeOf.call(base, value) ||
      Object.prototype.toString.call(value) === '[object Generator]')
  );
}

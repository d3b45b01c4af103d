/** The own properties of an options object: nothing comes in through a prototype that somebody polluted. */
export function ownOptions<T extends object>(options: T): T {
  return Object.assign(Object.create(null) as T, options);
}

/**
 * Classes that a class descends from besides its prototype chain. Python's exceptions have several parents and users catch
 * them by any (`except OSError`, `except ClientError`); `instanceof` holds here for each one listed.
 */
const furtherParents = new WeakMap<object, object>();

/** Makes `instanceof` hold for children of `child` and a second parent, which must be a {@link ClientError}. */
export function alsoChildOf(child: object, parent: object): void {
  furtherParents.set(child, parent);
}

function descends(child: object | null, ancestor: object): boolean {
  for (let link = child; link instanceof Function; link = Object.getPrototypeOf(link)) {
    if (link === ancestor) return true;
    const further = furtherParents.get(link);
    if (further !== undefined && descends(further, ancestor)) return true;
  }
  return false;
}

/**
 * The parent of every error that the client throws. Each has a stable `code`; what it goes back to is its `cause`. No
 * message holds credentials or cookies.
 *
 * Source: `aiohttp.ClientError`.
 */
export class ClientError extends Error {
  /** Stable name of the kind of error. */
  readonly code: string = 'AIO_CLIENT';

  static {
    ClientError.prototype.name = 'ClientError';
  }

  /** Also true for errors whose class descends from this one by its second parent. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: it is the class that was asked about, which may be a child of this one
    return value instanceof Object && descends(value.constructor, this);
  }
}

/** A URL as messages show it: what stands before `@` in its authority is left out. */
export function withoutCredentials(url: string | URL): string {
  return String(url).replace(/^([a-z][a-z0-9+.-]*:)?\/\/[^/?#]*@/i, (_all, scheme = '') => `${scheme}//`);
}

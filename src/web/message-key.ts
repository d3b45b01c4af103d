/**
 * A typed name for something kept on one request: middlewares and handlers share a value without sharing a string.
 * Keys are compared by identity, so two libraries may use the same name.
 *
 * aiohttp: `web.RequestKey`.
 *
 * @example
 * ```ts
 * const USER = new web.RequestKey<{ id: number }>('user');
 * request.set(USER, { id: 7 });
 * const user = request.get(USER); // { id: number } | undefined
 * ```
 */
export class RequestKey<T> {
  /** Shown in error messages; need not be unique. */
  readonly name: string;
  /** Never there at run time: it makes the type parameter count, and the two kinds of keys distinct. */
  declare protected readonly valueType: T;

  constructor(name: string) {
    this.name = name;
  }

  toString(): string {
    return `<RequestKey(${this.name})>`;
  }
}

/**
 * The same as {@link RequestKey} for a value kept on one response.
 *
 * aiohttp: `web.ResponseKey`.
 *
 * @example
 * ```ts
 * const RENDERED = new web.ResponseKey<number>('rendered at');
 * response.set(RENDERED, Date.now());
 * ```
 */
export class ResponseKey<T> {
  /** Shown in error messages; need not be unique. */
  readonly name: string;
  /** Never there at run time: it makes the type parameter count, and the two kinds of keys distinct. */
  declare protected readonly valueType: T;

  constructor(name: string) {
    this.name = name;
  }

  toString(): string {
    return `<ResponseKey(${this.name})>`;
  }
}

import { type AppKey, missingKey, type StateKey } from './app-key.ts';
import type { Application } from './application.ts';

/**
 * State of an application and of those it was added to: a look-up goes from the inner one to the outer ones. It cannot be
 * written. Counterpart of `request.config_dict`.
 *
 * @example
 * ```ts
 * const list = async (request: web.Request) => web.jsonResponse(await request.configDict.get(DB).all('SELECT 1'));
 * ```
 */
export class ConfigDict {
  readonly #app: Application;

  constructor(app: Application) {
    this.#app = app;
  }

  /**
   * The value under `key` in the innermost application that has it.
   * @throws KeyMissingError when none has it and no fallback is given
   */
  get<T>(key: AppKey<T>): T;
  get(key: string): unknown;
  get<T, F>(key: AppKey<T>, fallback: F): T | F;
  get(key: string, fallback: unknown): unknown;
  get(key: StateKey, ...fallback: unknown[]): unknown {
    for (let app: Application | undefined = this.#app; app !== undefined; app = app.parent) {
      if (app.has(key)) return app.get(key as string);
    }
    if (fallback.length > 0) return fallback[0];
    throw missingKey(
      key,
      this.#app.parent === undefined ? 'the application' : 'the application and its parents',
    );
  }

  /** Whether the application or one of those it was added to has `key`. */
  has(key: StateKey): boolean {
    for (let app: Application | undefined = this.#app; app !== undefined; app = app.parent) {
      if (app.has(key)) return true;
    }
    return false;
  }
}

import type { RelURL } from '../message/index.ts';
import { codedRangeError, shown } from '../message/index.ts';
import type { Application } from './application.ts';
import type { MatchingRule } from './domain.ts';
import { PathPattern } from './path-pattern.ts';
import { AbstractResource } from './resource.ts';
import type { Route } from './route.ts';

/** An application inside of another; its answer is final, also when it is 404 or 405. */
export abstract class SubAppResource extends AbstractResource {
  readonly app: Application;

  constructor(app: Application) {
    super();
    this.app = app;
  }

  get routes(): readonly Route[] {
    return this.app.router.routes();
  }

  /** @throws Error always: ask the router of the sub-application */
  urlFor(): RelURL {
    throw new Error(
      `urlFor() is not supported by the sub-application at ${this.canonical}: use the names in its own router`,
    );
  }

  override toString(): string {
    return `the sub-application at ${this.canonical}`;
  }
}

/** An application under a prefix: it gets `/admin` and all below it. aiohttp: `PrefixedSubAppResource`. */
export class PrefixedSubAppResource extends SubAppResource {
  #prefix: string;

  /**
   * @param prefix begins with `/` and does not end with one
   * @throws RangeError for another prefix, or one with parameters
   */
  constructor(prefix: string, app: Application) {
    super(app);
    const pattern = PathPattern.parse(prefix);
    if (prefix === '' || prefix === '*' || prefix.endsWith('/')) {
      throw codedRangeError(
        'AIO_ROUTE_PATH',
        `The prefix of a sub-application must be a path such as '/admin', got ${shown(prefix)}`,
      );
    }
    if (!pattern.isPlain) {
      throw codedRangeError(
        'AIO_ROUTE_PATH',
        `The prefix of a sub-application cannot have parameters: ${shown(prefix)}. Put them into the paths of its routes`,
      );
    }
    this.#prefix = pattern.path;
    app.router._addPrefix(pattern.path);
  }

  get canonical(): string {
    return this.#prefix;
  }

  getInfo(): Readonly<Record<string, unknown>> {
    return { app: this.app, prefix: this.#prefix };
  }

  /** @internal */
  _addPrefix(prefix: string): void {
    this.#prefix = prefix + this.#prefix;
    this.app.router._addPrefix(prefix);
  }
}

/** An application for the requests that a rule accepts, whatever their path. aiohttp: `MatchedSubAppResource`. */
export class MatchedSubAppResource extends SubAppResource {
  readonly rule: MatchingRule;

  constructor(rule: MatchingRule, app: Application) {
    super(app);
    this.rule = rule;
  }

  get canonical(): string {
    return this.rule.canonical;
  }

  getInfo(): Readonly<Record<string, unknown>> {
    return { app: this.app, rule: this.rule };
  }

  /** @internal */
  _addPrefix(prefix: string): void {
    this.app.router._addPrefix(prefix);
  }
}

import type { Application } from './application.ts';
import { BaseRequest } from './base-request.ts';
import type { ConfigDict } from './config-dict.ts';
import { ExchangeStateError } from './exchange-errors.ts';
import type { Match } from './match.ts';
import type { CloneOverrides } from './request-extras.ts';
import type { StreamResponse } from './stream-response.ts';
import type { Params } from './types.ts';

export { BaseRequest, type JsonOptions } from './base-request.ts';

/**
 * A request on its way through an application.
 *
 * @typeParam P - The parameters that the route's pattern takes out of the path; `web.get('/{id}', …)` infers them.
 *
 * aiohttp: `web.Request`.
 *
 * @example
 * ```ts
 * app.router.addGet('/users/{id}', (request) => web.jsonResponse({ id: request.matchInfo.id, page: request.query.get('page') }));
 * ```
 */
export class Request<P extends Params = Params> extends BaseRequest {
  /** What the pattern of the route took out of the path, decoded. */
  get matchInfo(): P {
    return this.match.params as P;
  }

  /** What the router found for this request. */
  get match(): Match {
    if (this._match === undefined) throw noApplication('match');
    return this._match;
  }

  /** The route that serves this request. */
  get route(): Match['route'] {
    return this.match.route;
  }

  /** The application whose code runs now: a sub-application's in its handlers and middlewares. */
  get app(): Application {
    if (this._app === undefined) throw noApplication('app');
    return this._app;
  }

  /** State of `app`, and behind it of the applications that it is mounted in. */
  get configDict(): ConfigDict {
    return this.app.configDict;
  }

  override clone(overrides: CloneOverrides = {}): Request<P> {
    return this._cloneInto((exchange) => new Request<P>(exchange), overrides);
  }

  /** @internal */
  override get _hasPrepareSignal(): boolean {
    return this._app?._hasPrepareSignal === true || super._hasPrepareSignal;
  }

  /** @internal */
  override _runPrepareSignals(response: StreamResponse): Promise<void> | undefined {
    const ofApplication = this._app?._runPrepareSignals(this, response);
    if (ofApplication === undefined) return super._runPrepareSignals(response);
    return ofApplication.then(() => super._runPrepareSignals(response));
  }
}

function noApplication(what: string): ExchangeStateError {
  return new ExchangeStateError('AIO_REQUEST_OVER', `request.${what} exists only inside an Application.`);
}

import type { Payload } from '../message/index.ts';
import { withCaller } from './caller.ts';
import type { ClientUrl } from './client-url.ts';
import { TooManyRedirects } from './errors.ts';
import { type ClientHandler, compose } from './middleware.ts';
import { followRedirect, isRedirect, locationOf } from './redirects.ts';
import { ClientRequest, checkVersion, mergedFields, type RequestParts } from './request.ts';
import { bodyOf, jsonBody } from './request-data.ts';
import { checkCredentials, checkedCookies, checkedMethod, rawFields, skipBits } from './request-head.ts';
import { type RequestOptions, type RequestSettings, readOptions } from './request-options.ts';
import type { ClientResponse } from './response.ts';
import { sendRequest } from './send.ts';
import type { ClientSession } from './session.ts';
import { type CallGuard, type ResolvedTimeout, resolveTimeout } from './timeouts.ts';
import type { Trace } from './tracing.ts';

const DEFAULT_MAX_REDIRECTS = 10;
/** Told to the source of a body that was never opened: a file or a connection may hang on it. */
const NOT_SENT = new Error('The body of the request is not sent');

/**
 * One call of a session from its options to its last response: redirects, cookies, the one retry on a stale connection. Not cut into
 * smaller async functions where every request passes: each costs a promise and two turns of the microtask queue.
 *
 * @param followsByDefault what `allowRedirects` is when it is not given
 */
export async function call(
  session: ClientSession,
  method: string,
  url: string | URL,
  options: RequestOptions | undefined,
  followsByDefault: boolean,
): Promise<ClientResponse> {
  let settings: ReturnType<typeof readOptions>;
  let timeout: ResolvedTimeout;
  let target: ClientUrl;
  try {
    session.throwIfClosed();
    settings = readOptions(options);
    timeout = resolveTimeout(settings.timeout, session.timeout);
    target = session.targetOf(url, settings);
  } catch (error) {
    releaseData(options);
    throw error;
  }
  const guard = session.takeGuard();
  let traces: readonly Trace[] | undefined;
  let request: ClientRequest | undefined;
  let response: ClientResponse | undefined;
  try {
    traces = session.beginTraces(settings.traceRequestCtx);
    const history: ClientResponse[] = [];
    const parts: RequestParts = {
      session,
      settings,
      guard,
      timeout,
      messageOptions: session.messageOptionsOf(settings, timeout),
      traces,
      skip:
        settings.skipAutoHeaders === undefined
          ? session.skipBits
          : session.skipBits | skipBits(settings.skipAutoHeaders),
      history,
    };
    const fields = session.fieldsFor(target);
    request = new ClientRequest(
      parts,
      checkedMethod(method),
      target,
      settings.headers === undefined ? fields : mergedFields(fields, rawFields(settings.headers)),
      settings.changesHead ? givenBody(session, settings) : undefined,
      // Now: whoever looks at the head, a diagnostics channel for one, should not be the one to find an error in it.
      settings.cookies === undefined ? undefined : checkedCookies(settings.cookies),
    );
    if (target.username !== undefined) checkCredentials(request);
    if (settings.version !== undefined) checkVersion(settings.version);
    guard.method = request.method;
    guard.origin = target.origin;
    guard.begin(timeout.total, settings.signal);
    session.route(request);
    request.isPlain = request.method === 'GET' && !settings.changesHead && session.isPlain(request);
    if (traces !== undefined) for (const trace of traces) await trace.requestStart(request);

    const handler =
      settings.middlewares === undefined ? session.handler : compose(settings.middlewares, sendRequest);
    const follows = settings.allowRedirects ?? followsByDefault;
    for (;;) {
      try {
        response = await (handler === sendRequest ? sendRequest(request) : guard.race(handler(request)));
      } catch (error) {
        response = await retryStale(request, handler, error);
      }
      session.takeCookies(response);
      if (follows && isRedirect(response.status)) {
        history.push(response);
        const location = locationOf(response);
        if (location !== undefined) {
          request = await redirected(request, response, location, history);
          continue;
        }
      }
      response.setHistory(history);
      if (settings.raiseForStatus !== undefined || session.raiseForStatus !== false) {
        await checkStatus(settings.raiseForStatus ?? session.raiseForStatus, response);
      }
      if (traces !== undefined) for (const trace of traces) await trace.requestEnd(request, response);
      guardBody(guard, response);
      request.givenBody?.release(NOT_SENT);
      return response;
    }
  } catch (error) {
    guard.end();
    // Nobody gets it now: a trace or a check has thrown.
    if (response !== undefined && !response.closed) response.close();
    if (request === undefined) releaseData(options);
    else request.givenBody?.release(NOT_SENT);
    if (traces !== undefined && request !== undefined) {
      for (const trace of traces) await trace.requestException(request, error);
    }
    throw withCaller(error);
  }
}

/** A call that fails before there is a request, by its URL for example, must not leave the file open that it was given. */
function releaseData(options: RequestOptions | undefined): void {
  const data = options?.data;
  if (data === undefined) return;
  try {
    bodyOf(data).release(NOT_SENT);
  } catch {
    // It is nothing that could be sent, which the caller learns, or of less importance than what they do learn.
  }
}

function givenBody(session: ClientSession, settings: Readonly<RequestSettings>): Payload | undefined {
  if (settings.json !== undefined) return jsonBody(settings.json, session.jsonSerialize);
  return settings.data === undefined ? undefined : bodyOf(settings.data);
}

/** Sends a request once more whose connection turned out to be closed, as often happens to idle ones. */
async function retryStale(
  request: ClientRequest,
  handler: ClientHandler,
  error: unknown,
): Promise<ClientResponse> {
  if (request.staleError === undefined || request.staleError !== error) throw error;
  const { guard } = request;
  guard.throwIfFailed();
  // The newest connection is taken first: those that are left have been idle for longer still.
  request.session.connector.closeIdle(request.connectionKey);
  const again = request.renewed();
  return await (handler === sendRequest ? sendRequest(again) : guard.race(handler(again)));
}

async function redirected(
  request: ClientRequest,
  response: ClientResponse,
  location: string,
  history: ClientResponse[],
): Promise<ClientRequest> {
  const { settings, session, traces, parts, guard } = request;
  response.setHistory(history.slice(0, -1));
  response.release();
  const max = settings.maxRedirects ?? DEFAULT_MAX_REDIRECTS;
  if (max !== 0 && history.length >= max) {
    throw new TooManyRedirects(request, [...history], { message: `More than ${max} redirects` });
  }
  if (traces !== undefined) for (const trace of traces) await trace.requestRedirect(request, response);
  const next = followRedirect(request, response.status, location, session.requoteRedirectUrl);
  const { method, target, fields, body, keepsCookies } = next;
  const cookies = keepsCookies ? request.cookies : undefined;
  const following = new ClientRequest(parts, method, target, fields, body, cookies);
  guard.method = method;
  guard.origin = target.origin;
  session.route(following);
  return following;
}

async function checkStatus(
  raise: NonNullable<RequestSettings['raiseForStatus']>,
  response: ClientResponse,
): Promise<void> {
  if (raise === false) return;
  try {
    if (raise === true) response.raiseForStatus();
    else await raise(response);
  } catch (error) {
    if (!response.closed) response.release();
    throw error;
  }
}

/** Deadline and signal go on as long as the body is on its way. */
function guardBody(guard: CallGuard, response: ClientResponse): void {
  const { lease } = response;
  if (lease === undefined || lease.released || response.status === 101) {
    guard.end();
    return;
  }
  guard.phase = 'body';
  guard.lease = lease;
  lease.onReleased = guard.end;
}

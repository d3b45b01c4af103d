import {
  acceptOf,
  acceptOffers,
  checkRequest,
  chooseProtocol,
  type DeflateAgreement,
  type DeflateOptions,
  WebSocketError,
} from '../websocket/index.ts';
import { escapeForLog } from './access-log.ts';
import type { BaseRequest } from './base-request.ts';

/**
 * Whether a request can become a WebSocket. aiohttp: `web.WebSocketReady`.
 *
 * @example
 * ```ts
 * const { ok, protocol } = new WebSocketResponse({ protocols: ['chat'] }).canPrepare(request);
 * ```
 */
export interface WebSocketReady {
  readonly ok: boolean;
  /** The sub-protocol that would be chosen; `undefined`: none. */
  readonly protocol: string | undefined;
}

/** What a request for a WebSocket comes to. */
interface Agreement {
  readonly ready: WebSocketReady;
  /** `Sec-WebSocket-Accept`; empty when it cannot be one. */
  readonly accept: string;
  readonly deflate: DeflateAgreement | undefined;
  /** Why it cannot be one. */
  readonly problem: string | undefined;
}

/**
 * Reads a request for a WebSocket.
 *
 * @param spoken - the sub-protocols of this end
 * @param compress - what is wanted of permessage-deflate; `false`: nothing
 */
export function agree(
  request: BaseRequest,
  spoken: readonly string[],
  compress: boolean | DeflateOptions,
): Agreement {
  // RFC 9110 §7.8: in HTTP/1.0 there is no upgrade.
  const isOld = request.version.minor === 0 && request.version.major === 1;
  const key = request._header('sec-websocket-key');
  const problem =
    checkRequest({
      upgrade: isOld ? undefined : request._header('upgrade'),
      connection: request._header('connection'),
      version: request._header('sec-websocket-version'),
      key,
    }) ?? checkMessage(request);
  if (problem !== undefined || key === undefined) return failed(problem ?? '');
  let deflate: DeflateAgreement | undefined;
  if (compress !== false) {
    try {
      deflate = acceptOffers(request._header('sec-websocket-extensions'), compress === true ? {} : compress);
    } catch (error) {
      if (error instanceof WebSocketError) return failed(`Sec-WebSocket-Extensions: ${error.message}`);
      throw error;
    }
  }
  const ready = { ok: true, protocol: protocolOf(request, spoken) };
  return { ready, accept: acceptOf(key), deflate, problem: undefined };
}

/** RFC 6455 §4.2.1: a GET. A body would be the client's first frames, or the frames a part of the body: nobody sends one in good faith. */
function checkMessage(request: BaseRequest): string | undefined {
  if (request.method !== 'GET') return `Method ${request.method} cannot open a WebSocket: GET can.`;
  return request.bodyExists ? 'The request that opens a WebSocket has no body.' : undefined;
}

function protocolOf(request: BaseRequest, spoken: readonly string[]): string | undefined {
  const asked = request._header('sec-websocket-protocol');
  const chosen = chooseProtocol(asked, spoken);
  if (asked !== undefined && chosen === undefined) {
    request._app?.logger.warn(
      `No sub-protocol in common: the client speaks ${escapeForLog(asked)}, the server ${spoken.join(', ') || 'none'}`,
    );
  }
  return chosen;
}

function failed(problem: string): Agreement {
  return { ready: { ok: false, protocol: undefined }, accept: '', deflate: undefined, problem };
}

import { isUtf8 } from 'node:buffer';
import type { Payload } from '../message/index.ts';
import type { ClientUrl } from './client-url.ts';
import {
  ClientPayloadError,
  InvalidUrlClientError,
  InvalidUrlRedirectClientError,
  NonHttpUrlClientError,
  NonHttpUrlRedirectClientError,
} from './errors.ts';
import type { ClientRequest } from './request.ts';
import type { ClientResponse } from './response.ts';

/** What the next request after a redirect is. */
export interface Redirect {
  readonly method: string;
  readonly target: ClientUrl;
  readonly fields: readonly string[];
  readonly body: Payload | undefined;
  /** The cookies that were given for the request may go on: it stays at the same origin. */
  readonly keepsCookies: boolean;
}

const HTTP: readonly string[] = ['http', 'https'];
/** A WebSocket's handshake is led on by these as well. */
const WEB_SOCKET: readonly string[] = [...HTTP, 'ws', 'wss'];

/** Say who we are to the origin that they were meant for, and to nobody else (CVE-2026-34518, CVE-2026-47265). */
const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization', 'host']);
const AUTHORIZATION: ReadonlySet<string> = new Set(['authorization']);
/** Describe a body that is not sent again. */
const OF_BODY: ReadonlySet<string> = new Set([
  'content-length',
  'content-type',
  'content-encoding',
  'content-language',
  'content-location',
  'content-disposition',
  'transfer-encoding',
  'expect',
]);

/** Whether a response asks for its request to be made elsewhere, if it also says where. */
export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** Where a response leads: `Location`, or the `URI` that stood for it once. */
export function locationOf(response: ClientResponse): string | undefined {
  const location = response.header('location') ?? response.header('uri');
  if (location === undefined || !/[\x80-\xff]/.test(location)) return location;
  // Servers that write UTF-8 mean it.
  const bytes = Buffer.from(location, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : location;
}

/**
 * The request that a redirect asks for (RFC 9110 §15.4, as aiohttp keeps it).
 *
 * @throws InvalidUrlRedirectClientError, NonHttpUrlRedirectClientError, ClientPayloadError when a body cannot be sent again
 */
export function followRedirect(
  request: ClientRequest,
  status: number,
  location: string,
  requote: boolean,
): Redirect {
  const { target: from } = request;
  const schemes = request.settings.isWebSocket ? WEB_SOCKET : HTTP;
  const target = resolve(from, location, schemes, requote);
  let { method, givenBody: body, given: fields } = request;
  if ((status === 303 && method !== 'HEAD') || ((status === 301 || status === 302) && method === 'POST')) {
    method = 'GET';
    body = undefined;
    fields = without(fields, OF_BODY);
  } else if (body !== undefined && !body.replayable) {
    throw new ClientPayloadError(
      'Cannot follow redirect with a consumed request body: give a function that opens it, or set allowRedirects to false',
    );
  }
  const keepsCookies = target.sameOrigin(from);
  if (!keepsCookies) {
    fields = without(fields, CREDENTIALS);
  }
  if (target.authorization !== undefined) fields = without(fields, AUTHORIZATION);
  else if (keepsCookies && from.authorization !== undefined) {
    fields = [...fields, 'Authorization', from.authorization];
  }
  return { method, target, fields, body, keepsCookies };
}

function resolve(from: ClientUrl, location: string, schemes: readonly string[], requote: boolean): ClientUrl {
  try {
    // A relative reference stays with the scheme that was asked for, whatever that is.
    const target = from.resolve(location, new Set([...schemes, from.scheme]), requote ? 'requote' : 'exact');
    // A redirect keeps the fragment that it doesn't replace (RFC 9110 §10.2.2).
    target.fragment ??= from.fragment;
    return target;
  } catch (error) {
    if (error instanceof NonHttpUrlClientError) {
      throw new NonHttpUrlRedirectClientError(location, error.description);
    }
    if (error instanceof InvalidUrlClientError) {
      throw new InvalidUrlRedirectClientError(location, error.description);
    }
    throw error;
  }
}

/** Without any field of these names, however often it is there. */
function without(fields: readonly string[], names: ReadonlySet<string>): readonly string[] {
  const kept: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!;
    if (!names.has(name.toLowerCase())) kept.push(name, fields[index + 1]!);
  }
  return kept;
}

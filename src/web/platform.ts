import { codedTypeError } from '../message/index.ts';
import { Response } from './response.ts';
import type { StreamResponse } from './stream-response.ts';

/** Fields that describe one connection and must not go on to the next (RFC 9110 §7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * A platform `Response` as one of ours: status, header fields (several `Set-Cookie` stay several) and a body that is read while it
 * is sent. An answer of `fetch()` may be returned as it is: its body was decoded, so `Content-Encoding` and the length that went with it
 * are dropped, and so are the fields of the connection it came through.
 *
 * @throws TypeError when the body was read already, or the response is `Response.error()`.
 */
export function fromPlatformResponse(response: globalThis.Response): StreamResponse {
  if (response.type === 'error' || response.status < 200) {
    throw codedTypeError('AIO_BODY', 'A handler returned Response.error(), which has no status to send.');
  }
  if (response.bodyUsed || response.body?.locked === true) {
    throw codedTypeError(
      'AIO_BODY',
      'A handler returned a Response whose body was read already; return response.clone() before reading.',
    );
  }
  return new Response({
    status: response.status,
    reason: response.statusText === '' ? undefined : response.statusText,
    headers: sendable(response),
    body: response.body ?? undefined,
  });
}

function sendable(response: globalThis.Response): [string, string][] {
  const fetched = response.url !== '';
  const decoded = fetched && response.headers.has('content-encoding');
  const fields: [string, string][] = [];
  for (const [name, value] of response.headers) {
    if (HOP_BY_HOP.has(name)) continue;
    if (decoded && (name === 'content-encoding' || name === 'content-length')) continue;
    fields.push([name, value]);
  }
  return fields;
}

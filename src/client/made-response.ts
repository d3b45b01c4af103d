import { fieldLine, HEAD, HeadError, type Limits, ResponseParser, resolveLimits } from '../http1/index.ts';
import { isReasonPhrase } from '../message/index.ts';
import { ReceivedMessage } from '../net/index.ts';
import type { ClientRequest } from './request.ts';
import { ClientResponse } from './response.ts';

/** What a response is made of that came on no connection. */
export interface MadeResponseParts {
  readonly status: number;
  readonly reason: string;
  /** `[name, value]`; those that frame a body are left out. */
  readonly fields: Iterable<readonly [string, string]>;
  readonly body: Uint8Array;
}

const FRAMING: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
]);
/** Fields that were accepted once are accepted again, whatever the limits were. */
const LIMITS: Limits = resolveLimits({
  maxFieldSize: 16_777_216,
  maxHeaders: 100_000,
  maxHeadSize: 67_108_864,
});

/**
 * A response that came on no connection. Its head is written and parsed, so that it can hold nothing that a received one could not.
 *
 * @throws HeadError for what can stand in no head
 */
export function madeResponse(request: ClientRequest, parts: MadeResponseParts): ClientResponse {
  const { status, reason, body } = parts;
  if (!isReasonPhrase(reason)) throw new HeadError('The reason of the response cannot stand in a head');
  let text = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (const [name, value] of parts.fields) {
    if (!FRAMING.has(name.toLowerCase())) text += fieldLine(name, value);
  }
  const hasBody = status !== 204 && status !== 304;
  if (hasBody) text += `Content-Length: ${body.length}\r\n`;
  const parser = new ResponseParser(LIMITS);
  parser.expect(request.method);
  parser.feed(Buffer.from(`${text}\r\n`, 'latin1'));
  if (parser.next() !== HEAD) throw new HeadError(parser.error?.message ?? 'This is no head of a response');
  const message = new ReceivedMessage(parser.head);
  if (hasBody && request.method !== 'HEAD') message.body = body;
  return new ClientResponse(request, message, undefined);
}

import {
  CONNECTION_CLOSE,
  CONNECTION_DEFAULT,
  CONNECTION_KEEP_ALIVE,
  contentTypeLine,
  FRAME_CHUNKED,
  FRAME_LENGTH,
  FRAME_NONE,
  FRAME_UNTIL_CLOSE,
  type Frame,
  headEnd,
  SenderFields,
  statusLine,
} from '../http1/index.ts';
import { ResponseStateError } from './errors.ts';
import type { ResponseHead } from './exchange.ts';
import type { HeadCache } from './head-cache.ts';

/** What the connection knows when an answer's head is made. */
export interface HeadContext {
  readonly method: string;
  /** The client speaks HTTP/1.0. */
  readonly isOld: boolean;
  readonly dateLine: string;
  readonly serverLine: string;
  readonly heads: HeadCache;
}

/** A head as text, and what its sender decided for the connection. */
export interface AnswerHead {
  text: string;
  frame: Frame;
  /** With `FRAME_LENGTH`: the bytes promised. */
  length: number;
  keepAlive: boolean;
  /** No body may follow, whatever the handler writes (RFC 9112 §6.3). */
  bodyless: boolean;
}

/** 1xx, 204 and 304 never have a body; HEAD is answered with GET's head alone. */
export function isBodyless(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304 || status < 200;
}

/** The head of a response whose container of headers nobody made: the hot way. */
export function plainHead(
  head: ResponseHead,
  size: number,
  hasBody: boolean,
  keepAlive: boolean,
  context: HeadContext,
): string {
  const { status, contentTypeField } = head;
  const { heads, dateLine } = context;
  const frame = framesLength(context.method, status, hasBody) ? FRAME_LENGTH : FRAME_NONE;
  const connection = connectionLine(keepAlive, context.isOld);
  if (head.reason === undefined) {
    const known = heads.get(status, contentTypeField, frame, size, connection, dateLine);
    if (known !== undefined) return known;
  }
  const text =
    statusLine(status, head.reason) +
    (contentTypeField === undefined ? '' : contentTypeLine(contentTypeField)) +
    headEnd(frame, size, dateLine, context.serverLine, connection);
  if (head.reason !== undefined) return text;
  return heads.set(status, contentTypeField, frame, size, connection, dateLine, text);
}

/** Any head: with the sender's own fields, and for bodies of unknown length. `length` is `undefined` for those. */
export function answerHead(
  head: ResponseHead,
  length: number | undefined,
  hasBody: boolean,
  keepAlive: boolean,
  context: HeadContext,
): AnswerHead {
  const { status } = head;
  const fields = new SenderFields(head.ownHeaders?.raw ?? [], false);
  const bodyless = isBodyless(context.method, status);
  const promised = promisedLength(fields, length, bodyless);
  const answer: AnswerHead = {
    text: '',
    frame: FRAME_NONE,
    length: promised ?? 0,
    keepAlive: keepAlive && !fields.connectionClose && status >= 200,
    bodyless,
  };
  if (promised === undefined) {
    if (status >= 200 && status !== 204 && status !== 304) {
      answer.frame = context.isOld ? FRAME_UNTIL_CLOSE : FRAME_CHUNKED;
      if (context.isOld) answer.keepAlive = false;
    }
  } else if (framesLength(context.method, status, hasBody || fields.contentLength !== -1)) {
    answer.frame = FRAME_LENGTH;
  }
  const adds = !head.defaultsSet;
  const type = adds && !fields.hasContentType && head.contentTypeField !== undefined;
  answer.text =
    statusLine(status, head.reason) +
    fields.lines +
    (type ? contentTypeLine(head.contentTypeField) : '') +
    headEnd(
      answer.frame,
      answer.length,
      adds && !fields.hasDate ? context.dateLine : '',
      adds && !fields.hasServer ? context.serverLine : '',
      connectionLine(answer.keepAlive, context.isOld),
    );
  return answer;
}

/** The head of 101, or of 200 to CONNECT: the sender's own fields, and nothing that frames a body. */
export function upgradeHead(head: ResponseHead, context: HeadContext): string {
  const fields = new SenderFields(head.ownHeaders?.raw ?? [], true);
  const date = head.defaultsSet || fields.hasDate ? '' : context.dateLine;
  const server = head.defaultsSet || fields.hasServer ? '' : context.serverLine;
  return statusLine(head.status, head.reason) + fields.lines + headEnd(FRAME_NONE, 0, date, server, 0);
}

/** What the sender declared and what it has must agree; on HEAD and 304 the declaration stands for the GET's body. */
function promisedLength(
  fields: SenderFields,
  length: number | undefined,
  bodyless: boolean,
): number | undefined {
  const declared = fields.contentLength;
  if (declared === -1) return fields.chunked ? undefined : length;
  if (fields.chunked) {
    throw new ResponseStateError('Content-Length and Transfer-Encoding cannot both be set');
  }
  if (length !== undefined && length !== declared && !bodyless) {
    throw new ResponseStateError(`Content-Length is set to ${declared}, but the body has ${length} bytes`);
  }
  return declared;
}

/** RFC 9110 §8.6: never in 1xx and 204; in 304 and answers to HEAD only where the GET's length is known. */
function framesLength(method: string, status: number, hasBody: boolean): boolean {
  if (status < 200 || status === 204) return false;
  return hasBody || (status !== 304 && method !== 'HEAD');
}

function connectionLine(keepAlive: boolean, isOld: boolean): 0 | 1 | 2 {
  if (keepAlive) return isOld ? CONNECTION_KEEP_ALIVE : CONNECTION_DEFAULT;
  return isOld ? CONNECTION_DEFAULT : CONNECTION_CLOSE;
}

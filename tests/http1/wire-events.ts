import assert from 'node:assert/strict';
import {
  DATA,
  END,
  ERROR,
  HEAD,
  type Limits,
  NEED_DATA,
  ParsedRequest,
  type ParsedResponse,
  type Parser,
  RequestParser,
  ResponseParser,
  resolveLimits,
} from '../../src/http1/index.ts';

/**
 * What a parser made of some bytes, one line an event, so that a table of cases stays readable:
 *
 *     GET /path 1.1 [close] [length=5] [chunked] [upgrade] [expect] [continue]
 *     200 1.1 OK …
 *     data hello            (pieces of one body joined)
 *     end                   (or "end X-Trailer: value")
 *     error AIO_BAD_HOST 400
 */
export type Events = readonly string[];

/** Every character of `text` is one byte. */
export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** Feeds the parts one after another, then the end of the connection. */
export function eventsOf(parser: Parser<ParsedRequest | ParsedResponse>, parts: Iterable<Buffer>): string[] {
  const events: string[] = [];
  for (const part of parts) {
    parser.feed(part);
    if (take(parser, events, () => parser.next()) === ERROR) return events;
  }
  take(parser, events, () => parser.finish());
  return events;
}

export function requestEvents(parts: Iterable<Buffer>, limits: Partial<Limits> = {}): string[] {
  return eventsOf(new RequestParser(resolveLimits(limits)), parts);
}

export function responseEvents(
  parts: Iterable<Buffer>,
  method = 'GET',
  limits: Partial<Limits> = {},
): string[] {
  const parser = new ResponseParser(resolveLimits(limits));
  parser.expect(method);
  return eventsOf(parser, parts);
}

/** The bytes of `text` must give these events however they are split. */
export function expectRequest(text: string, events: Events, limits: Partial<Limits> = {}): void {
  for (const [how, parts] of splittings(bytesOf(text))) {
    assert.deepEqual(requestEvents(parts, limits), events, `${how} of ${JSON.stringify(text.slice(0, 200))}`);
  }
}

/** As `expectRequest`, for the answer to a request with this method. */
export function expectResponse(
  text: string,
  events: Events,
  method = 'GET',
  limits: Partial<Limits> = {},
): void {
  for (const [how, parts] of splittings(bytesOf(text))) {
    assert.deepEqual(
      responseEvents(parts, method, limits),
      events,
      `${how} of ${JSON.stringify(text.slice(0, 200))}`,
    );
  }
}

/** Long texts are not cut at every place: that would be quadratic. */
const ALL_CUTS_UP_TO = 400;

/** The same bytes whole, byte by byte, cut in two at every place, and in random pieces (the same ones in every run). */
export function* splittings(bytes: Buffer): Generator<[how: string, parts: Buffer[]]> {
  yield ['whole', [bytes]];
  yield ['byte by byte', Array.from({ length: bytes.length }, (_, at) => bytes.subarray(at, at + 1))];
  if (bytes.length <= ALL_CUTS_UP_TO) {
    for (let at = 1; at < bytes.length; at++)
      yield [`cut at ${at}`, [bytes.subarray(0, at), bytes.subarray(at)]];
  }
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 5; round++) {
    const parts: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + random(Math.max(8, bytes.length >> 2));
      parts.push(bytes.subarray(at, at + size));
      at += size;
    }
    yield [`random pieces ${round}`, parts];
  }
}

function take(
  parser: Parser<ParsedRequest | ParsedResponse>,
  events: string[],
  next: () => number,
): typeof NEED_DATA | typeof ERROR {
  for (;;) {
    switch (next()) {
      case HEAD:
        events.push(headLine(parser.head));
        break;
      case DATA: {
        const text = parser.data.toString('latin1');
        if (events.at(-1)?.startsWith('data ')) events.push(`${events.pop()}${text}`);
        else events.push(`data ${text}`);
        break;
      }
      case END: {
        const trailers = Array.from(parser.trailers ?? [], ([name, value]) => ` ${name}: ${value}`);
        events.push(`end${trailers.join(',')}`);
        break;
      }
      case ERROR:
        events.push(`error ${parser.error?.code} ${parser.error?.status}`);
        return ERROR;
      default:
        return NEED_DATA;
    }
  }
}

function headLine(head: ParsedRequest | ParsedResponse): string {
  const version = `${head.version.major}.${head.version.minor}`;
  const isRequest = head instanceof ParsedRequest;
  const line = isRequest
    ? `${head.method} ${head.target} ${version}`
    : `${head.status} ${version} ${head.reason}`;
  const notes = [
    head.keepAlive ? '' : ' close',
    head.contentLength === -1 ? '' : ` length=${head.contentLength}`,
    head.chunked ? ' chunked' : '',
    head.upgrade ? ' upgrade' : '',
    isRequest && head.expect ? ' expect' : '',
    isRequest && head.expectContinue ? ' continue' : '',
  ];
  return line + notes.join('');
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect, isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { DATA, END, ERROR, HEAD, NEED_DATA, RequestParser } from '../../src/http1/index.ts';
import { Llhttp, type SeenRequest, type Verdict } from './llhttp.ts';
import { nearRequests } from './near-requests.ts';
import { bytesOf } from './wire-events.ts';

/**
 * What our parser makes of a text against what llhttp, the parser inside node:http, makes of it. Texts are requests that are
 * nearly right. Wherever the two differ the difference must be one of this list.
 */
interface Difference {
  /** We refuse with this code what llhttp takes, or llhttp refuses with this code what we take. */
  readonly code: string;
  readonly reason: string;
  /** When the code alone would cover more than is meant. */
  readonly only?: (text: string) => boolean;
}

/** We refuse, llhttp takes. */
const STRICTER: readonly Difference[] = [
  {
    code: 'AIO_MISSING_HOST',
    reason: 'In node a matter of the server, which is told here not to mind (RFC 9112 §3.2)',
  },
  { code: 'AIO_REPEATED_HOST', reason: 'RFC 9112 §3.2 wants 400; llhttp gives Host no meaning' },
  { code: 'AIO_BAD_HOST', reason: 'RFC 9112 §3.2 wants 400; llhttp gives Host no meaning' },
  {
    code: 'AIO_BAD_TARGET',
    reason: 'The form must be one that the method may have (RFC 9112 §3.2), and has no fragment',
  },
  { code: 'AIO_UNSUPPORTED_VERSION', reason: 'llhttp takes HTTP/0.9 and HTTP/2.0 in the version' },
  {
    code: 'AIO_MISSING_VERSION',
    reason: 'llhttp takes HTTP/0.9 requests, whose target here ends in "HTTP/1.1"',
  },
  {
    code: 'AIO_BAD_REQUEST_LINE',
    reason: 'llhttp takes more than one space, and any number of empty lines in front',
  },
  { code: 'AIO_ENCODING_ON_HTTP10', reason: 'RFC 9112 §6.1: faulty framing' },
  {
    code: 'AIO_UNKNOWN_TRANSFER_ENCODING',
    reason: 'RFC 9112 §6.1 wants 501; llhttp only undoes chunked and says nothing of the rest',
  },
  {
    code: 'AIO_BAD_TRANSFER_ENCODING',
    reason:
      'llhttp only looks how all such fields end: an empty one, "x, chunked" in two fields and "chunked, chunked" pass',
    only: (text) => /transfer-encoding:(.*,|[ \t]*\r|[\s\S]*transfer-encoding:)/i.test(text),
  },
  { code: 'AIO_REPEATED_TRANSFER_ENCODING', reason: 'llhttp takes several that end in chunked together' },
  { code: 'AIO_FORBIDDEN_TRAILER', reason: 'RFC 9110 §6.5.1; llhttp does not look at the names' },
  { code: 'AIO_BAD_CHUNK_EXTENSION', reason: 'llhttp takes empty names and values' },
  { code: 'AIO_EMPTY_FIELD_NAME', reason: 'llhttp before 9 takes a name of no characters' },
  { code: 'AIO_BARE_LF', reason: 'llhttp takes LF alone in front of a request and behind its line' },
  { code: 'AIO_BARE_CR', reason: 'llhttp passes over any CR in front of a request' },
];

/** We take, llhttp refuses. */
const LAXER: readonly Difference[] = [
  { code: 'HPE_INVALID_METHOD', reason: 'Any token is a method (RFC 9110 §9.1); llhttp knows a fixed list' },
  {
    code: 'HPE_STRICT',
    reason: 'White space in chunk extensions is bad, but allowed (RFC 9112 §7.1.1)',
    only: (text) => /[0-9][ \t]*;.*[ \t]/.test(text),
  },
  {
    code: 'HPE_INVALID_CHUNK_SIZE',
    reason: 'White space in front of a chunk extension is bad, but allowed (RFC 9112 §7.1.1)',
    only: (text) => /[0-9][ \t]+;/.test(text),
  },
  {
    code: 'HPE_INVALID_CONTENT_LENGTH',
    reason: 'HTAB behind a value is white space like any other (RFC 9110 §5.6.3)',
    only: (text) => /content-length:.*\t\r/i.test(text),
  },
  {
    code: 'HPE_INVALID_TRANSFER_ENCODING',
    reason: 'HTAB behind a value is white space like any other (RFC 9110 §5.6.3)',
    only: (text) => /transfer-encoding:.*\t\r/i.test(text),
  },
];

const SEED = Number(process.env['ORACLE_SEED'] ?? 20_250_701);
const RUNS = Number(process.env['ORACLE_RUNS'] ?? 6000);

function ask(parts: readonly Buffer[]): Verdict {
  const verdict: Verdict = { requests: [], error: undefined };
  const parser = new RequestParser();
  let current: SeenRequest | undefined;
  const take = (event: number): boolean => {
    if (event === HEAD) {
      const { method, target, version, headers, keepAlive } = parser.head;
      const fields = [...headers].flat();
      current = {
        method,
        target,
        version: version.minor,
        fields,
        keepAlive,
        body: '',
        trailers: [],
        complete: false,
      };
      verdict.requests.push(current);
    } else if (event === DATA) {
      current!.body += parser.data.toString('latin1');
    } else if (event === END) {
      current!.complete = true;
      current!.trailers = [...(parser.trailers ?? [])].flat();
    } else if (event === ERROR) {
      verdict.error = parser.error!.code;
    }
    return event !== ERROR && event !== NEED_DATA;
  };
  for (const part of parts) {
    parser.feed(part);
    while (take(parser.next()));
    if (verdict.error !== undefined) return verdict;
  }
  while (take(parser.finish()));
  return verdict;
}

/** Behind a message that closes the connection nothing counts. */
function untilClose(verdict: Verdict): Verdict {
  const last = verdict.requests.findIndex((request) => request.complete && !request.keepAlive);
  return last === -1 ? verdict : { requests: verdict.requests.slice(0, last + 1), error: undefined };
}

/** The first thing on which the two do not agree. */
function disagreement(
  ours: Verdict,
  theirs: Verdict,
): { list: 'stricter' | 'laxer' | 'content'; code: string } | undefined {
  for (let index = 0; ; index++) {
    const our = ours.requests[index];
    const their = theirs.requests[index];
    if (our === undefined && their === undefined) break;
    // One refuses the head, the other the body of the same message: both refuse it.
    if (ours.error !== undefined && theirs.error !== undefined && !our?.complete && !their?.complete)
      return undefined;
    if (our === undefined) return { list: 'stricter', code: ours.error ?? 'nothing' };
    if (their === undefined) return { list: 'laxer', code: theirs.error ?? 'nothing' };
    if (!our.complete && their.complete) return { list: 'stricter', code: ours.error ?? 'nothing' };
    if (our.complete && !their.complete) return { list: 'laxer', code: theirs.error ?? 'nothing' };
    // Of a body that both refuse, each may have given another part.
    const body = our.complete ? {} : { body: '' };
    const both = [
      { ...our, ...body },
      { ...their, ...body },
    ];
    if (!isDeepStrictEqual(both[0], both[1])) return { list: 'content', code: inspect(both, { depth: 3 }) };
  }
  if (ours.error !== undefined && theirs.error === undefined) return { list: 'stricter', code: ours.error };
  if (ours.error === undefined && theirs.error !== undefined) return { list: 'laxer', code: theirs.error };
  return undefined;
}

test('requests that are nearly right: our parser and llhttp differ only where it is listed why', async () => {
  const oracle = new Llhttp();
  const unexplained = new Map<string, string>();
  await fc.assert(
    fc.asyncProperty(nearRequests, fc.array(fc.nat(), { maxLength: 3 }), async (sent, cuts) => {
      const parts = cut(bytesOf(sent), cuts);
      const ours = untilClose(ask(parts));
      const theirs = untilClose(await oracle.ask(parts));
      const found = disagreement(ours, theirs);
      if (found === undefined) return;
      const list = found.list === 'stricter' ? STRICTER : found.list === 'laxer' ? LAXER : [];
      const known = list.find(({ code, only }) => code === found.code && (only === undefined || only(sent)));
      if (known !== undefined) return;
      const example = `${JSON.stringify(sent)}\n  ours ${ours.error}, theirs ${theirs.error}`;
      unexplained.set(`${found.list} ${found.code}`, example);
    }),
    { seed: SEED, numRuns: RUNS },
  );
  assert.deepEqual(
    [...unexplained].map(([what, example]) => `${what}\n  ${example}`),
    [],
  );
});

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  if (bytes.length === 0) return [];
  const places = [...new Set(cuts.map((place) => place % bytes.length))].sort((a, b) => a - b);
  return [0, ...places]
    .map((from, index) => bytes.subarray(from, places[index] ?? bytes.length))
    .filter((part) => part.length > 0);
}

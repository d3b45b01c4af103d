import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { DATA, END, ERROR, HEAD, NEED_DATA, ResponseParser } from '../../src/http1/index.ts';

interface Cases {
  readonly contentLength: readonly { readonly input: string; readonly output: number | null }[];
  readonly loneCr: readonly string[];
  readonly statusCode: readonly (readonly [line: string, status: number | null])[];
  readonly incomplete: readonly string[];
}

interface Answer {
  readonly status: number;
  readonly length: number;
}

/** Reads one response and the end of its connection; `null` when it is refused. */
function read(text: string): Answer | null {
  const parser = new ResponseParser();
  parser.feed(Buffer.from(text, 'latin1'));
  let status = -1;
  let length = 0;
  for (;;) {
    let event = parser.next();
    if (event === NEED_DATA) event = parser.finish();
    if (event === HEAD) status = parser.head.status;
    else if (event === DATA) length += parser.data.length;
    else if (event === END) return { status, length };
    else if (event === ERROR || event === NEED_DATA) return null;
  }
}

/**
 * Where we do not do what browsers do. A Content-Length that is no number is an error that ends the connection (RFC 9112 §6.3 rule 5);
 * browsers ignore the field and read until the end, which is guessing where a message ends.
 */
const invalidLength = /^Content-Length: (?:aaaah|42s|30s|-1|0x20)/;
/** A status has three digits and is at least 100 (RFC 9110 §15); browsers also take `0`, `1` and `99`. */
const shortStatus = /^(?:\d{1,2}|0\d\d) /;

const file = new URL('../../../shared/testdata/wpt-fetch.json', import.meta.url);

if (!existsSync(file)) {
  console.log('Left out: the cases of web-platform-tests are not beside the project.');
} else {
  const cases = JSON.parse(readFileSync(file, 'utf8')) as Cases;
  const body = 'x'.repeat(42);

  describe('response parsing cases of web-platform-tests', () => {
    for (const { input, output } of cases.contentLength) {
      test(`length: ${JSON.stringify(input)}`, () => {
        const answer = read(`HTTP/1.1 200 OK\r\n${input}\r\n\r\n${body}`);
        assert.equal(answer === null ? null : answer.length, invalidLength.test(input) ? null : output);
      });
    }
    for (const input of cases.loneCr) {
      test(`lone CR: ${JSON.stringify(input)}`, () => assert.equal(read(input), null));
    }
    for (const [line, status] of cases.statusCode) {
      test(`status: ${JSON.stringify(line)}`, () => {
        const answer = read(`HTTP/1.1 ${line}\r\n\r\n`);
        assert.equal(answer === null ? null : answer.status, shortStatus.test(line) ? null : status);
      });
    }
    for (const input of cases.incomplete) {
      test(`incomplete: ${JSON.stringify(input)}`, () =>
        assert.equal(read(`HTTP/1.1 200 OK\r\n${input}`), null));
    }
  });
}

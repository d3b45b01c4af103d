import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CHUNK_DATA, CHUNK_LAST, CHUNK_MORE, ChunkedDecoder } from '../../src/http1/chunked.ts';
import { FieldScanner } from '../../src/http1/field-scanner.ts';
import { Framing } from '../../src/http1/framing.ts';
import { DEFAULT_LIMITS } from '../../src/http1/index.ts';
import { RequestLineScanner, StatusLineScanner } from '../../src/http1/start-line.ts';
import { bytesOf } from './wire-events.ts';

/** Bytes that count how often one of them is looked at: work is measured by counting, so no clock can make the test fail. */
function counted(text: string): { bytes: Uint8Array; reads: () => number } {
  let reads = 0;
  const bytes = new Proxy(bytesOf(text) as Uint8Array, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads++;
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { bytes, reads: () => reads };
}

interface Scanner {
  readonly done: boolean;
  scan(bytes: Uint8Array, at: number, end: number): number;
}

/** How often each byte is looked at, on average, when the text comes in pieces of this size. */
function workPerByte(text: string, pieceSize: number, makeScanner: () => Scanner): number {
  const { bytes, reads } = counted(text);
  const scanner = makeScanner();
  for (let at = 0, end = 0; at < text.length; ) {
    end = Math.min(text.length, end + pieceSize);
    at = scanner.scan(bytes, at, end);
    assert.ok(at >= 0);
  }
  assert.equal(scanner.done, true);
  return reads() / text.length;
}

const scanners: [name: string, text: string, makeScanner: () => Scanner][] = [
  ['a request line', `GET /${'x'.repeat(60_000)} HTTP/1.1\r\n`, () => new RequestLineScanner(100_000)],
  ['a status line', `HTTP/1.1 200 ${'x'.repeat(60_000)}\r\n`, () => new StatusLineScanner(100_000)],
  ['a long field', `X: ${'y'.repeat(60_000)}\r\n\r\n`, () => fieldScanner(false)],
  ['a long name', `${'y'.repeat(60_000)}: X\r\n\r\n`, () => fieldScanner(false)],
  ['blanks before a value', `X:${' '.repeat(60_000)}y\r\n\r\n`, () => fieldScanner(false)],
  ['blanks behind a value', `X:y${' '.repeat(60_000)}\r\n\r\n`, () => fieldScanner(false)],
  ['many fields', `${'X: y\r\n'.repeat(10_000)}\r\n`, () => fieldScanner(false)],
  ['many folded lines', `X: y\r\n${' z\r\n'.repeat(15_000)}\r\n`, () => fieldScanner(true)],
  ['a long Connection field', `Connection: ${'close, '.repeat(8000)}\r\n\r\n`, () => fieldScanner(false)],
];

function fieldScanner(lenient: boolean): Scanner {
  const fields = new FieldScanner(100_000, 20_000, lenient);
  const framing = new Framing(!lenient);
  return {
    get done() {
      return fields.done;
    },
    scan: (bytes, at, end) => fields.scan(bytes, at, end, framing),
  };
}

describe('every byte is looked at a bounded number of times', () => {
  for (const [name, text, makeScanner] of scanners) {
    for (const size of [1, 7, 65_536]) {
      test(`in ${name}, in pieces of ${size}`, () => {
        const work = workPerByte(text, size, makeScanner);
        assert.ok(work < 8, `${work.toFixed(1)} looks for each byte`);
      });
    }
  }

  for (const [name, text] of [
    ['chunks of one byte', '1\r\nx\r\n'.repeat(10_000)],
    ['a long extension', `1;${'x'.repeat(16_000)}\r\nx\r\n`],
    ['one large chunk', `ea60\r\n${'x'.repeat(60_000)}\r\n`],
  ] as const) {
    for (const size of [1, 7, 65_536]) {
      test(`in ${name}, in pieces of ${size}`, () => {
        const { bytes, reads } = counted(`${text}0\r\n`);
        const chunks = new ChunkedDecoder(DEFAULT_LIMITS);
        const end = text.length + 3;
        let found = CHUNK_MORE as number;
        for (let at = 0, fed = 0; at < end; at = chunks.at) {
          if (found === CHUNK_MORE) fed = Math.min(end, fed + size);
          found = chunks.scan(bytes, at, fed);
          assert.ok(found === CHUNK_MORE || found === CHUNK_DATA || found === CHUNK_LAST);
        }
        assert.equal(found, CHUNK_LAST);
        assert.ok(reads() / end < 8, `${(reads() / end).toFixed(1)} looks for each byte`);
      });
    }
  }
});

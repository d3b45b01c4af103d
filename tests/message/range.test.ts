import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { RangeSpec } from '../../src/message/index.ts';
import { formatContentRange, MAX_RANGES, parseRange, resolveRange } from '../../src/message/index.ts';

const ranges = (...list: RangeSpec[]): unknown => ({ kind: 'ranges', ranges: list });

describe('Range', () => {
  const cases: [string | undefined, unknown][] = [
    [undefined, { kind: 'none' }],
    ['bytes=0-4', ranges({ first: 0, last: 4 })],
    ['bytes=0-0', ranges({ first: 0, last: 0 })],
    ['bytes=5-', ranges({ first: 5, last: undefined })],
    ['bytes=-5', ranges({ suffixLength: 5 })],
    ['bytes=-0', ranges({ suffixLength: 0 })],
    ['BYTES=0-1', ranges({ first: 0, last: 1 })],
    ['bytes=0-1, 3-4 ,-1', ranges({ first: 0, last: 1 }, { first: 3, last: 4 }, { suffixLength: 1 })],
    ['bytes=0-99999999999999999999', ranges({ first: 0, last: Number.MAX_SAFE_INTEGER })],
    ['items=0-1', { kind: 'none' }],
    ['items=x', { kind: 'none' }],
    ['', { kind: 'invalid' }],
    ['bytes', { kind: 'invalid' }],
    ['bytes=', { kind: 'invalid' }],
    ['bytes=-', { kind: 'invalid' }],
    ['bytes=4-2', { kind: 'invalid' }],
    ['bytes=a-b', { kind: 'invalid' }],
    ['bytes=1', { kind: 'invalid' }],
    ['bytes = 0-1', { kind: 'invalid' }],
    ['bytes=0 - 1', { kind: 'invalid' }],
    ['bytes=0-1;3-4', { kind: 'invalid' }],
    ['bytes=+1-2', { kind: 'invalid' }],
    ['bytes=\u0660-', { kind: 'invalid' }], // CVE-2025-69225: an Arabic digit
    // RFC 9110 §5.6.1.2: empty elements of a list are skipped.
    ['bytes=0-1,,2-3', ranges({ first: 0, last: 1 }, { first: 2, last: 3 })],
    ['bytes=0-1,,', ranges({ first: 0, last: 1 })],
    ['bytes=, ,\t0-1, ', ranges({ first: 0, last: 1 })],
    ['bytes=,', { kind: 'invalid' }],
    ['bytes= ', { kind: 'invalid' }],
    ['bytes=0-1,,x', { kind: 'invalid' }],
  ];
  for (const [header, expected] of cases) {
    test(`parse ${JSON.stringify(header)}`, () => assert.deepEqual(parseRange(header), expected));
  }

  test('many ranges are refused', () => {
    const many = (count: number): string =>
      `bytes=${Array.from({ length: count }, (_, i) => `${i}-${i}`).join(',')}`;
    assert.equal(parseRange(many(MAX_RANGES)).kind, 'ranges');
    assert.equal(parseRange(many(MAX_RANGES + 1)).kind, 'invalid');
    assert.equal(parseRange(`bytes=${','.repeat(MAX_RANGES)}0-1`).kind, 'ranges');
    assert.equal(parseRange(`bytes=${','.repeat(1_000_000)}0-1`).kind, 'invalid');
    parseRange(many(100_000));
    parseRange(`bytes=${' '.repeat(1_000_000)}`);
    parseRange(`bytes=${'1'.repeat(1_000_000)}`);
  });

  const resolved: [RangeSpec, number, string | undefined][] = [
    [{ first: 0, last: 4 }, 10, 'bytes 0-4/10'],
    [{ first: 8, last: 99 }, 10, 'bytes 8-9/10'],
    [{ first: 9, last: undefined }, 10, 'bytes 9-9/10'],
    [{ first: 10, last: undefined }, 10, undefined],
    [{ first: 0, last: 0 }, 0, undefined],
    [{ suffixLength: 3 }, 10, 'bytes 7-9/10'],
    [{ suffixLength: 100 }, 10, 'bytes 0-9/10'],
    [{ suffixLength: 0 }, 10, undefined],
    [{ suffixLength: 1 }, 0, undefined],
    [{ first: 0, last: Number.MAX_SAFE_INTEGER }, 10, 'bytes 0-9/10'],
  ];
  for (const [spec, size, expected] of resolved) {
    test(`resolve ${JSON.stringify(spec)} of ${size}`, () => {
      const range = resolveRange(spec, size);
      assert.equal(range && formatContentRange(range, size), expected);
    });
  }

  test('unsatisfied', () => assert.equal(formatContentRange(undefined, 10), 'bytes */10'));

  test('never throws; what resolves lies inside', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('0', '7', '-', ',', ' ') }),
        fc.nat(100),
        (text, size) => {
          const parsed = parseRange(`bytes=${text}`);
          if (parsed.kind !== 'ranges') return;
          for (const spec of parsed.ranges) {
            const range = resolveRange(spec, size);
            if (range === undefined) continue;
            assert.ok(range.start >= 0 && range.start < range.end && range.end <= size);
          }
        },
      ),
      { seed: 9 },
    );
  });
});

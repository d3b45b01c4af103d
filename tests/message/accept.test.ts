import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { negotiateEncoding, parseQualityValues } from '../../src/message/index.ts';

describe('parseQualityValues', () => {
  const table: readonly [string, readonly (readonly [string, number])[]][] = [
    ['', []],
    [',, ,', []],
    ['gzip', [['gzip', 1]]],
    ['GZIP', [['gzip', 1]]],
    ['gzip;q=0', [['gzip', 0]]],
    ['gzip; q=0.5', [['gzip', 0.5]]],
    ['gzip ;\tQ=0.500', [['gzip', 0.5]]],
    ['gzip;q=1.', [['gzip', 1]]],
    ['gzip;q=.5', []],
    ['gzip;q=1.001', []],
    ['gzip;q=-1', []],
    ['gzip;q=0.1234', []],
    ['gzip;q=٠', []],
    ['gzip;q=', []],
    [';q=1', []],
    [
      'a;q=0.1, b, c;q=0.5, d',
      [
        ['b', 1],
        ['d', 1],
        ['c', 0.5],
        ['a', 0.1],
      ],
    ],
    ['text/html;level=1;q=0.3', [['text/html;level=1', 0.3]]],
    ['text/html;level=1', [['text/html;level=1', 1]]],
    ['text/html;q=0.3;level=1', [['text/html', 0.3]]],
    ['text/html;x="a,;q=0.2"', []],
  ];
  for (const [header, expected] of table) {
    test(JSON.stringify(header), () => {
      assert.deepEqual(
        parseQualityValues(header).map(({ value, quality }) => [value, quality]),
        expected,
      );
    });
  }

  test('never throws, keeps every quality between 0 and 1, and sorts', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'gz*,; \tq=01.5"\\é') }), (header) => {
        let last = 1;
        for (const { quality } of parseQualityValues(header)) {
          assert.ok(quality >= 0 && quality <= last);
          last = quality;
        }
      }),
      { seed: 5 },
    );
  });
});

describe('negotiateEncoding', () => {
  const all = ['br', 'zstd', 'gzip'];
  const table: readonly [string | undefined, readonly string[], string | undefined][] = [
    [undefined, all, undefined],
    ['', all, undefined],
    ['gzip', [], undefined],
    ['gzip', all, 'gzip'],
    ['x-gzip', all, 'gzip'],
    ['gzip;q=0, x-gzip', all, undefined],
    ['gzip, deflate, br', all, 'br'],
    ['gzip, deflate, br', ['gzip', 'br'], 'gzip'],
    ['gzip;q=1, br;q=0.9', all, 'gzip'],
    ['gzip;q=0', all, undefined],
    ['gzip;q=0.001', all, 'gzip'],
    ['gzipped, notbr', all, undefined],
    ['*', all, 'br'],
    ['*;q=0', all, undefined],
    ['br;q=0, *', all, 'zstd'],
    ['*, br;q=0.2', all, 'zstd'],
    ['identity', all, undefined],
    ['identity;q=0', all, undefined],
    ['identity;q=0, gzip;q=0.1', all, 'gzip'],
    ['identity, gzip', all, 'gzip'],
    ['identity;q=1, gzip;q=0.5', all, undefined],
    ['identity;q=0.5, gzip;q=0.5', all, 'gzip'],
    ['gzip;q=oops', all, undefined],
    ['gzip;q=0.2, gzip;q=0.8, br;q=0.5', all, 'gzip'],
  ];
  for (const [header, available, expected] of table) {
    test(`${JSON.stringify(header)} of ${available.join(',')}`, () => {
      assert.equal(negotiateEncoding(header, available), expected);
    });
  }

  test('white space before a weight that is none takes linear time', () => {
    // Quadratic, this takes half an hour.
    const values = parseQualityValues(`gzip;x${' '.repeat(2_000_000)}y`);
    assert.equal(values.length, 1);
    assert.deepEqual(parseQualityValues(`gzip${' '.repeat(100)};q=0.5`), [{ value: 'gzip', quality: 0.5 }]);
  });
});

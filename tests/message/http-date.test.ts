import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import fc from 'fast-check';
import { formatHttpDate, parseHttpDate } from '../../src/message/index.ts';

const NOV_1994 = 784_111_777_000;

describe('HTTP-date', () => {
  const good: [string, number][] = [
    ['Sun, 06 Nov 1994 08:49:37 GMT', NOV_1994],
    ['Sunday, 06-Nov-94 08:49:37 GMT', NOV_1994],
    ['Sun Nov  6 08:49:37 1994', NOV_1994],
    ['Sun Nov 16 08:49:37 1994', NOV_1994 + 10 * 86_400_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['Mon, 06 Nov 1994 08:49:37 GMT', NOV_1994], // a wrong day's name is nobody's harm
    ['Sun, 06 Nov 1994 08:49:60 GMT', NOV_1994 + 23_000],
    ['Thu, 29 Feb 2024 00:00:00 GMT', Date.UTC(2024, 1, 29)],
    ['Sat, 01 Jan 0000 00:00:00 GMT', -62_167_219_200_000],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 253_402_300_799_000],
  ];
  for (const [text, expected] of good) {
    test(`parse ${text}`, () => assert.equal(parseHttpDate(text), expected));
  }

  const bad = [
    '',
    'x',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 94 08:49:37 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 31 Nov 1994 08:49:37 GMT',
    'Wed, 29 Feb 2023 00:00:00 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:37 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    ' Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT\n',
    'Sun, 06 Nov ١٩٩٤ 08:49:37 GMT',
    '784111777',
    'Sun Nov 6 08:49:37 1994',
  ];
  for (const text of bad) {
    test(`refuse ${JSON.stringify(text)}`, () => assert.equal(parseHttpDate(text), undefined));
  }

  test('a two-digit year is never more than 50 years ahead', () => {
    mock.timers.enable({ apis: ['Date'], now: Date.UTC(2026, 0, 1) });
    try {
      assert.equal(parseHttpDate('Friday, 01-Jan-76 00:00:00 GMT'), Date.UTC(2076, 0, 1));
      assert.equal(parseHttpDate('Friday, 01-Jan-77 00:00:00 GMT'), Date.UTC(1977, 0, 1));
    } finally {
      mock.timers.reset();
    }
  });

  test('parse ∘ format drops fractions; format is toUTCString', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }), (time) => {
        const text = formatHttpDate(time);
        assert.equal(text, new Date(Math.floor(time / 1000) * 1000).toUTCString());
        assert.equal(parseHttpDate(text), Math.floor(time / 1000) * 1000);
        assert.equal(formatHttpDate(new Date(time)), text);
      }),
      { seed: 6 },
    );
  });

  test('neighbours of a cached second', () => {
    for (const time of [NOV_1994, NOV_1994 + 999, NOV_1994 + 1000, NOV_1994 + 86_400_000, NOV_1994 - 1]) {
      assert.equal(formatHttpDate(time), new Date(time).toUTCString());
    }
  });

  test('refuses times without such a date', () => {
    for (const time of [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      253_402_300_800_000,
      -62_167_219_200_001,
      new Date('x'),
    ]) {
      assert.throws(() => formatHttpDate(time), { name: 'RangeError', code: 'AIO_HTTP_DATE' });
    }
  });

  test('never throws on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseHttpDate(text);
      }),
      { seed: 7 },
    );
  });
});
